"""Internalization: how much of its flow a maker nets against itself when it only waits (Fig. 7, Table 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from dealermarket.estimates import band, interval_of, joint, mean, percentile, ratio, resampled
from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Experiment, Table, Verdict, agrees, below, left_open
from dealermarket.papers.wording import basis_points, bracketed, number
from dealermarket.plots import COLOURS, Axis, Band, Bars, Figure, Line, Mark, Whiskers
from dealermarket.study import UNHEDGED, Array, Estimate, Study, observe, with_risk_aversion

# Table 2 and Fig. 7 of the paper; the metric after step 0 is left out, the paper's definition of it must differ.
TABLE_2 = {"half": {0.75: 0.28, 0.5: 0.16, 0.25: 0.08}, "whole": {0.75: 0.20, 0.5: 0.11, 0.25: 0.06}}
TABLE_2_STEP = 96
PERCENTILES = [(label, level) for label, levels in TABLE_2.items() for level in levels]  # of its entries
FIG_7_STEPS = (10, 20, 50, 96, 200)
FIG_7 = {"half": (0.56, 0.41, 0.27, 0.194, 0.137), "whole": (0.40, 0.28, 0.19, 0.137, 0.095)}
PAPER_RUNS = 1000
FIRST_STEPS = 5
MARGIN = 0.05  # a percentile must be known this well for agreement to mean something
CHEAPER = 0.1  # how far below the other maker the one with the whole market quotes
PLACES = {"alone": "alone, exchange", "two makers": "two makers"}
HEDGES = {UNHEDGED: UNHEDGED, "γ = 0": "0", "γ = 0.001": "0.001", "γ = 0.25": "0.25"}


class Internalization(Experiment):
    """|position| over volume with half and with all of the flow; then with hedging, alone and among two."""

    name = "internalization"
    source = "Fig. 7 and Table 2"
    question = (
        "A maker that never hedges still closes part of its position, because clients buy and sell. How fast does |net "
        "position| / volume traded fall, and how much faster for a maker with the whole market than for one with half of it?"
    )
    preset = "internalization"
    runs = 1000
    variations = (
        *left_open(v_max=(50.0, 500.0), alpha=(1.1, 1.7), tier_penalty=(0.0, 1e-4)),
        *left_open(t_m=(1, 16), weight=(0.01, 0.2), log_std=(0.0, 0.25, 0.75)),
    )

    def needs(self, scenario: Scenario) -> str | None:
        if scenario.steps <= FIRST_STEPS:
            return f"more than {FIRST_STEPS} steps, {scenario.name!r} has {scenario.steps}"
        return None

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        cheaper = [f"makers.{self.studied}.pricing.eps_{side}=-{CHEAPER}" for side in ("buy", "sell")]
        variants = {"half": scenario, "whole": scenario.with_settings(*cheaper)}
        return [Study("flow", variants, runs, observe.internalization, "trades")]

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        unhedged = scenario.with_settings("makers.*.hedging.kind=none")
        studies = []
        for place, makers, venue in (("alone", unhedged.makers[:1], "exchange"), ("two makers", unhedged.makers, "makers")):
            hedging = ("makers.*.hedging.kind=optimal", f"makers.*.hedging.venue={venue}")
            market = unhedged.replace(makers=makers).with_settings(*hedging)
            variants = {label: with_risk_aversion(market, "*", gamma) for label, gamma in HEDGES.items()}
            studies.append(Study(place, variants, runs, observe.totals))
        return studies

    def verdicts(self) -> Iterator[Verdict]:
        gaps = (self._metric("whole") - self._metric("half"))[:, FIRST_STEPS:]
        gap = mean(gaps)
        yield Verdict(
            "whole below half",
            f"The maker with the whole market internalizes better at every step from step {FIRST_STEPS} on.",
            below(gap, refuted_by=mean(gaps, joint(gaps.shape[1]))),
            f"{int(np.sum(gap.value < 0))} of {len(gap.value)} steps below; the 95 % interval of the paired difference lies "
            f"below 0 at {int(np.sum(gap.high < 0))} of them; mean difference at the last step {bracketed(gap[-1], 4)}.",
        )
        if self._comparable:
            papers = np.array([TABLE_2[label][level] for label, level in PERCENTILES])
            here = Estimate.stacked(self._percentile(*place) for place in PERCENTILES)
            tolerance = _tolerance(here, len(self._metric("half")))
            allowed = Estimate(here.value, here.error, here.value - tolerance, here.value + tolerance)
            away, known = np.abs(here.value - papers) / tolerance, float(np.max(here.margin))
            yield Verdict(
                "Table 2",
                f"The percentiles at step {TABLE_2_STEP} are the paper's, within the sampling error of both (99 % level) and its "
                "rounding.",
                agrees(allowed, papers, known, MARGIN),
                f"{int(np.sum(away <= 1))} of {len(away)} percentiles within, the furthest at {number(np.max(away), 2)} of what "
                f"is allowed; ours are known to ±{number(known, 3)} at worst (to say more than undecided: ±{MARGIN}).",
            )

    def tables(self) -> Iterator[Table]:
        if self._comparable:
            rows = [
                (self._share_in_words(label), level, TABLE_2[label][level], self._percentile(label, level))
                for label, level in PERCENTILES
            ]
            rows += [
                (f"ratio, to be √2 = {2**0.5:.2f}", level, paper / TABLE_2["whole"][level], self._ratio_of_percentiles(level))
                for level, paper in TABLE_2["half"].items()
            ]
            yield Table.of(
                "table-2",
                f"Table 2: |position after step {TABLE_2_STEP}| / volume through it, percentiles over the runs; 95 % intervals "
                "in brackets.",
                rows,
                Column("share", "market share", value=lambda row: row[0]),
                Column("percentile", "percentile", 0, lambda row: round(100 * row[1])),
                Column("paper", "paper", 2, lambda row: row[2]),
                Column("here", "here", 3, lambda row: row[3]),
            )
        yield self._figure_7_table()
        yield self._hedging_table()

    def _figure_7_table(self) -> Table:
        steps = [step for step in FIG_7_STEPS if step < self.scenario.steps]
        means = {label: {step: mean(self._metric(label)[:, step]) for step in steps} for label in FIG_7}
        shown = [(label, f"{100 * self._share(label):.0f} %", 3, FIG_7[label], means[label]) for label in FIG_7]
        ratios = np.divide(FIG_7["half"], FIG_7["whole"]), {step: ratio(*self._pairs(step).T) for step in steps}
        columns = [Column("step", "step", 0, int)]
        for name, words, digits, papers, here in (*shown, ("ratio", "ratio", 2, *ratios)):
            heading = f"{words}, paper" if self._comparable else ""
            columns.append(Column(f"paper_{name}", heading, digits, dict(zip(FIG_7_STEPS, papers, strict=True))))
            columns.append(Column(name, f"{words}, here", digits, here))
        return Table.of(
            "figure-7",
            "Fig. 7: mean of |position| / volume by market share; the ratio of the two is √2 if trades come at random and often.",
            steps,
            *columns,
        )

    def _hedging_table(self) -> Table:
        return Table.of(
            "hedging",
            "With hedging: a maker alone in the market that hedges at the exchange, beside one of two that hedge with each "
            "other. Average |net position| over the run per unit of client volume, and over all volume traded, hedges included; "
            "volume hedged and hedging cost (basis points) per unit of client volume.",
            [(place, hedge) for place in PLACES for hedge in HEDGES],
            Column("market", "market", value=lambda row: PLACES[row[0]]),
            Column("hedging", "hedging", value=lambda row: row[1]),
            Column("net", "|net| / client volume", 4, self._per_unit("mean_abs_position", "client_volume")),
            Column("net_traded", "|net| / volume traded", 4, self._per_unit("mean_abs_position", "traded")),
            Column("last", "", value=self._per_unit("last_abs_position", "traded")),
            Column("hedged", "hedged / client volume", 2, self._per_unit("hedge_volume", "client_volume")),
            Column("cost", "hedging cost (bp)", 2, self._per_unit("paid", "client_volume"), basis_points(self.scenario)),
        )

    def figures(self) -> Iterator[Figure]:
        marks: list[Mark] = []
        for label, colour in zip(FIG_7, COLOURS, strict=False):
            metric, share = self._metric(label), self._share_in_words(label)
            middle, steps = mean(metric), np.arange(metric.shape[1])
            marks += [
                Band(steps, *band(metric, 0.25, 0.75), colour, 0.18),
                Band(steps, middle.low, middle.high, colour, 0.6),
                Line(steps, middle.value, share, colour, 1.2),
            ]
            if self._comparable:
                marks.append(Line(FIG_7_STEPS, FIG_7[label], f"{share}, paper", colour, style="", marker="hollow"))
        yield Figure(
            "figure-7",
            "Fig. 7. Lines: mean over the runs, the thin dark band its 95 % interval, the pale band the middle half of the "
            "runs; circles: the paper's values.",
            marks,
            x=Axis("step (15 minutes each)"),
            y=Axis("|net position| / volume traded", limits=(0, 1.02)),
        )
        hedged: list[Mark] = []
        net_of = self._per_unit("mean_abs_position", "client_volume")
        for row, (place, words) in enumerate(PLACES.items()):
            x = np.arange(len(HEDGES)) + 0.38 * row - 0.19
            net = Estimate.stacked(net_of((place, hedge)) for hedge in HEDGES)
            hedged += [Bars(x, net.value, words, COLOURS[2 + row], 0.36), Whiskers(x, net)]
        yield Figure(
            "hedging",
            "Average net position over client volume, without hedging and with three risk aversions γ, for a maker alone "
            "in the market and for one of two. Black bars: 95 % intervals.",
            hedged,
            x=Axis(ticks=list(HEDGES)),
            y=Axis("average |net position| / client volume"),
        )

    def differences(self) -> Iterator[str]:
        if not self._comparable:
            return
        far = []
        for label, papers in FIG_7.items():
            metric = self._metric(label)
            for step, paper in zip(FIG_7_STEPS, papers, strict=True):
                if step < self.scenario.steps:
                    here = mean(metric[:, step])
                    if abs(paper - here.value) > _tolerance(here, len(metric)):
                        far.append(f"step {step} at {self._share_in_words(label)}")
        if far:
            yield f"Means of Fig. 7 further from the paper's than the sampling error of both: {', '.join(far)}."
        yield (
            "Fig. 7 begins at 0.69 and 0.67 after step 0. Here |position| / volume is near 1 there, by definition (after one "
            "trade the position is the volume); the paper's first steps must be counted in another way and are not compared."
        )

    def notes(self) -> Iterator[str]:
        yield (
            f"The maker takes {self._share_in_words('half')} as it is, and {self._share_in_words('whole')} when it quotes "
            f"{100 * CHEAPER:.0f} % below its own prices."
        )
        if self.scenario.steps > TABLE_2_STEP:
            half, whole = (np.isnan(self._metric(label)[:, TABLE_2_STEP]).sum() for label in FIG_7)
            yield f"Runs in which it had not traded by step {TABLE_2_STEP}, left out of the percentiles: {half} and {whole}."
        if not self._comparable:
            yield "The paper's values are for half and for all of the market, and for more than 96 steps: they are left out here."

    def _metric(self, label: str) -> Array:
        """|position| / volume of the studied maker, (replicas, steps)."""
        return self.own("flow", label, "position_over_volume")

    def _share(self, label: str) -> float:
        """The maker's share of the clients' volume."""
        return float(ratio(self.own("flow", label, "client_volume"), self.results["flow"][label].total("client_volume")).value)

    def _share_in_words(self, label: str) -> str:
        return f"{100 * self._share(label):.0f} % of the market"

    @property
    def _comparable(self) -> bool:
        """Whether the shares are those of the paper, and the run as long as its table."""
        return self.scenario.steps > TABLE_2_STEP and abs(self._share("half") - 0.5) < 0.05 and self._share("whole") > 0.99

    def _percentile(self, label: str, level: float) -> Estimate:
        return percentile(self._metric(label)[:, TABLE_2_STEP], level)

    def _pairs(self, step: int) -> Array:
        """The metric with half and with all of the market at a step, of runs that have both, (replicas, 2)."""
        pairs = np.stack([self._metric(label)[:, step] for label in ("half", "whole")], axis=1)
        return np.asarray(pairs[~np.isnan(pairs).any(axis=1)])

    def _ratio_of_percentiles(self, level: float) -> Estimate:
        """Percentile with half the market over that with all of it, after step 96; interval by bootstrap of whole runs."""
        pairs = self._pairs(TABLE_2_STEP)
        half, whole = resampled(pairs, lambda values, axis: np.quantile(values, level, axis=axis)).T
        low, high = interval_of(half / whole)
        quotient = np.divide(*np.quantile(pairs, level, axis=0))
        return Estimate(np.asarray(quotient), np.asarray(np.std(half / whole)), np.asarray(low), np.asarray(high))

    def _per_unit(self, part: str, whole: str) -> Callable[[tuple[str, str]], Estimate]:
        """Of a market and a hedging policy, one measure of the studied maker over another."""

        def value(row: tuple[str, str]) -> Estimate:
            own = self.results[row[0]][row[1]].of(self.studied)
            own |= {"traded": own["volume"] + own["hedge_volume"], "paid": -own["hedging_cost"]}
            return ratio(own[part], own[whole])

        return value


def _tolerance(here: Estimate, runs: int) -> Array:
    """How far the paper's number, of 1,000 runs and two digits, may be from ours: 99 % of the sampling error of both."""
    return np.asarray(2.576 * here.error * np.sqrt(1 + runs / PAPER_RUNS) + 0.005)
