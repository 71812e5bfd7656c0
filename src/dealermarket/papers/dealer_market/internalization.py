"""Internalization: how much of its flow a maker nets against itself when it only waits (Fig. 7, Table 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from dealermarket.estimates import band, interval_of, joint, mean, percentile, ratio, resampled
from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import basis_points, counted, in_steps
from dealermarket.papers import Column, Experiment, Table, Verdict, agrees, below, estimated, left_open, number
from dealermarket.papers.glossary import words
from dealermarket.plots import COLOURS, Axis, Band, Bars, Figure, Legend, Line, Mark, Whiskers
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
        "A maker that never hedges still closes part of its position, because some clients buy and others sell. How fast does "
        "|z| / volume, its position over all it has traded, fall with time? How much faster for a maker with the whole market "
        "than for one with half of it?"
    )
    words = words("position z", "γ", "hot potato", "basis point (bp)")
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
        gap, all_at_once = mean(gaps), mean(gaps, joint(gaps.shape[1]))
        yield Verdict(
            "whole below half",
            f"With the whole market |z| / volume is smaller than with half of it, at every step from step {FIRST_STEPS} on.",
            below(gap, refuted_by=all_at_once),
            f"It is smaller at {int(np.sum(gap.high < 0))} of {len(gap.value)} steps (the interval of the paired "
            f"difference lies below 0) and larger at {int(np.sum(all_at_once.low > 0))} (interval widened for "
            f"{len(gap.value)} comparisons). At the last step the difference is {estimated(gap[-1], 4)}.",
        )
        if self._comparable:
            papers = np.array([TABLE_2[label][level] for label, level in PERCENTILES])
            here = Estimate.stacked(self._percentile(*place) for place in PERCENTILES)
            tolerance = _tolerance(here, len(self._metric("half")))
            allowed = Estimate(here.value, here.error, here.value - tolerance, here.value + tolerance)
            away, known = np.abs(here.value - papers) / tolerance, float(np.max(here.margin))
            yield Verdict(
                "Table 2",
                f"The percentiles of |z| / volume after step {TABLE_2_STEP} agree with the paper's.",
                agrees(allowed, papers, known, MARGIN),
                f"{int(np.sum(away <= 1))} of {len(away)} agree: they differ by no more than chance in both runs (at 99 %) and "
                f"the paper's rounding allow; the furthest by {number(np.max(away), 2)} times as much. The widest 95 % interval "
                f"here is ± {number(known, 3)}, and the claim needs ± {MARGIN} or less.",
            )

    def tables(self) -> Iterator[Table]:
        if self._comparable:
            rows = [
                (self._share_in_words(label), level, TABLE_2[label][level], self._percentile(label, level))
                for label, level in PERCENTILES
            ]
            rows += [
                (f"ratio (theory: √2 = {2**0.5:.2f})", level, paper / TABLE_2["whole"][level], self._ratio_of_percentiles(level))
                for level, paper in TABLE_2["half"].items()
            ]
            yield Table.of(
                "table-2",
                f"Table 2: |z| after step {TABLE_2_STEP} over the volume traded until then, percentiles over the runs.",
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
        for name, said, digits, papers, here in (*shown, ("ratio", "ratio", 2, *ratios)):
            heading = f"{said}, paper" if self._comparable else ""
            columns.append(Column(f"paper_{name}", heading, digits, dict(zip(FIG_7_STEPS, papers, strict=True))))
            columns.append(Column(name, f"{said}, here", digits, here))
        return Table.of(
            "figure-7",
            "Fig. 7: mean of |z| / volume by market share. If trades come at random and often, the ratio of the two is √2.",
            steps,
            *columns,
        )

    def _hedging_table(self) -> Table:
        return Table.of(
            "hedging",
            "With hedging: a maker alone in the market that hedges at the exchange, and one of two that hedge with each other. "
            "Mean |z| of a run over its client volume, and over all volume traded, hedges included; volume hedged and hedging "
            "cost (basis points) per unit of client volume.",
            [(place, hedge) for place in PLACES for hedge in HEDGES],
            Column("market", "market", value=lambda row: PLACES[row[0]]),
            Column("hedging", "hedging", value=lambda row: row[1]),
            Column("net", "|z| / client volume", 4, self._per_unit("mean_abs_position", "client_volume")),
            Column("net_traded", "|z| / volume traded", 4, self._per_unit("mean_abs_position", "traded")),
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
            "Fig. 7. Lines: mean over the runs, the narrow dark bands their 95 % intervals, the pale bands the middle half of "
            "the runs. Circles: the paper's values.",
            marks,
            x=Axis(in_steps(self.scenario.market)),
            y=Axis("|z| / volume traded", limits=(0, 1.02)),
        )
        hedged: list[Mark] = []
        net_of = self._per_unit("mean_abs_position", "client_volume")
        for row, (place, said) in enumerate(PLACES.items()):
            x = np.arange(len(HEDGES)) + 0.38 * row - 0.19
            net = Estimate.stacked(net_of((place, hedge)) for hedge in HEDGES)
            hedged += [Bars(x, net.value, said, COLOURS[2 + row], 0.36), Whiskers(x, net)]
        yield Figure(
            "hedging",
            "Mean |z| over client volume, without hedging and with three risk aversions γ, for a maker alone in the market and "
            "for one of two. Black bars: 95 % intervals.",
            hedged,
            x=Axis(ticks=list(HEDGES)),
            y=Axis("mean |z| / client volume"),
            legend=Legend(below=True, columns=2),
            size=(4.8, 3.8),
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
            yield f"Means of Fig. 7 that differ from the paper's by more than chance in both (at 99 %) allows: {', '.join(far)}."
        yield (
            "Fig. 7 begins at 0.69 and 0.67 after step 0. Here |z| / volume is near 1 there, since after one trade the position "
            "is the volume. The paper must count its first steps in another way; they are not compared."
        )

    def notes(self) -> Iterator[str]:
        yield (
            f"At its usual prices the maker has {self._share_in_words('half')}; at prices {100 * CHEAPER:.0f} % lower it has "
            f"{self._share_in_words('whole')}."
        )
        if self.scenario.steps > TABLE_2_STEP:
            half, whole = (np.isnan(self._metric(label)[:, TABLE_2_STEP]).sum() for label in FIG_7)
            if half + whole:
                yield (
                    f"The percentiles leave out runs in which the maker had not traded by step {TABLE_2_STEP}: "
                    f"{counted(int(half), 'run')} with half of the market, {counted(int(whole), 'run')} with all of it."
                )
        if not self._comparable:
            yield (
                "The paper's values are for half and for all of the market after 96 steps and more. This run has other shares or "
                "fewer steps, so they are not shown."
            )

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
