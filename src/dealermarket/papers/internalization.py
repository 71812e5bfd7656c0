"""Internalization: how much of its flow a maker nets against itself when it only waits (Fig. 7, Table 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Experiment, Results, Variation
from dealermarket.papers.findings import (
    Column,
    Figure,
    Table,
    Verdict,
    basis_points,
    bracketed,
    interval_column,
    judged,
    number,
    with_interval,
)
from dealermarket.papers.variants import STUDIED, with_risk_aversion
from dealermarket.plots.run import COLOURS, marked_bars
from dealermarket.study import measures as observe
from dealermarket.study.estimates import Estimate, band, interval_of, joint, mean, percentile, ratio, resampled
from dealermarket.study.study import Array, Measures, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Table 2 and Fig. 7 of the paper; the metric after step 0 is left out, the paper's definition of it must differ.
TABLE_2 = {"half": {0.75: 0.28, 0.5: 0.16, 0.25: 0.08}, "whole": {0.75: 0.20, 0.5: 0.11, 0.25: 0.06}}
TABLE_2_STEP = 96
FIG_7_STEPS = (10, 20, 50, 96, 200)
FIG_7 = {"half": (0.56, 0.41, 0.27, 0.194, 0.137), "whole": (0.40, 0.28, 0.19, 0.137, 0.095)}
PAPER_RUNS = 1000
FIRST_STEPS = 5
MARGIN = 0.05  # a percentile must be known this well for agreement to mean something
CHEAPER = 0.1  # how far below the other maker the one with the whole market quotes
ROOT_2 = 2**0.5
PLACES = {"alone": "alone, exchange", "two makers": "two makers"}
HEDGES = {"no hedging": "", "γ = 0": "0", "γ = 0.001": "0.001", "γ = 0.25": "0.25"}


class Internalization(Experiment):
    """|position| over volume with half and with all of the flow; then with hedging, alone and among two."""

    name = "internalization"
    title = "Internalization"
    source = "Fig. 7 and Table 2"
    question = (
        "A maker that never hedges still closes part of its position, because clients buy and sell. How fast does |net "
        "position| / volume traded fall, and how much faster for a maker with the whole market than for one with half of it?"
    )
    preset = "internalization"
    runs = 1000
    variations = (
        Variation("v_max", "exchange.v_max", (50.0, 500.0)),
        Variation("alpha", "makers.*.pricing.alpha", (1.1, 1.7)),
        Variation("tier penalty", "makers.*.pricing.tier_penalty", (0.0, 1e-4)),
        Variation("t_m", "reward_horizon", (1, 16)),
        Variation("EWMA weight", "makers.*.tiering.weight", (0.01, 0.2)),
        Variation("sd of log size", "investors.*.log_std", (0.0, 0.25, 0.75)),
    )

    def checked(self, scenario: Scenario) -> Scenario:
        scenario = super().checked(scenario)
        if scenario.steps <= FIRST_STEPS:
            raise ParameterError(f"{self.name}: needs more than {FIRST_STEPS} steps, {scenario.name!r} has {scenario.steps}")
        return scenario

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        cheaper = [f"makers.0.pricing.eps_{side}=-{CHEAPER}" for side in ("buy", "sell")]
        variants = {"half": scenario, "whole": scenario.with_settings(*cheaper)}
        return [Study("flow", variants, runs, observe.internalization, "trades")]

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        unhedged = scenario.with_settings("makers.*.hedging.kind=none")
        alone = unhedged.replace(makers=unhedged.makers[:1])
        return [
            Study(
                name,
                {label: _hedging(market, gamma, venue) for label, gamma in HEDGES.items()},
                runs,
                observe.totals,
            )
            for name, market, venue in (("alone", alone, "exchange"), ("two makers", unhedged, "makers"))
        ]

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        half, whole = _metric(results, "half"), _metric(results, "whole")
        gaps = (whole - half)[:, FIRST_STEPS:]
        gap, at_once = mean(gaps), mean(gaps, joint(gaps.shape[1]))
        verdicts = [
            Verdict(
                "whole below half",
                f"The maker with the whole market internalizes better at every step from step {FIRST_STEPS} on.",
                judged(bool(np.all(gap.high < 0)), bool(np.any(at_once.low > 0))),
                f"{int(np.sum(gap.value < 0))} of {len(gap.value)} steps below; the 95 % interval of the paired difference lies "
                f"below 0 at {int(np.sum(gap.high < 0))} of them; mean difference at the last step {bracketed(gap[-1], 4)}.",
            )
        ]
        if _comparable(scenario, results):
            verdicts.append(self._table_2_verdict(results))
        return verdicts

    def _table_2_verdict(self, results: Results) -> Verdict:
        found = _table_2(results)
        runs = len(_metric(results, "half"))
        away = [float(abs(here.value - paper)) / _tolerance(here, runs) for _, _, paper, here in found]
        widest = max(float(here.high - here.low) / 2 for _, _, _, here in found)
        within = sum(distance <= 1 for distance in away)
        return Verdict(
            "Table 2",
            f"The percentiles at step {TABLE_2_STEP} are the paper's, within the sampling error of both (99 % level) and its "
            "rounding.",
            judged(within == len(away) and widest <= MARGIN, any(distance > 1 for distance in away)),
            f"{within} of {len(away)} percentiles within, the furthest at {number(max(away), 2)} of what is allowed; ours are "
            f"known to ±{number(widest, 3)} at worst (to say more than undecided: ±{MARGIN}).",
        )

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        comparable = _comparable(scenario, results)
        return [
            *([_table_2_table(results)] if comparable else []),
            _figure_7_table(scenario, results),
            _hedging_table(scenario, results),
        ]

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        def fall(ax: Axes) -> None:
            for label, colour in (("half", COLOURS[0]), ("whole", COLOURS[1])):
                metric, said = _metric(results, label), _share_said(results, label)
                middle, steps = mean(metric), np.arange(metric.shape[1])
                low, high = band(metric, 0.25, 0.75)
                ax.fill_between(steps, low, high, color=colour, alpha=0.18, lw=0)
                ax.fill_between(steps, middle.low, middle.high, color=colour, alpha=0.6, lw=0)
                ax.plot(steps, middle.value, color=colour, lw=1.2, label=said)
                if _comparable(scenario, results):
                    ax.plot(FIG_7_STEPS, FIG_7[label], "o", mfc="white", color=colour, ms=5, label=f"{said}, paper")
            ax.set(xlabel="step (15 minutes each)", ylabel="|net position| / volume traded", ylim=(0, 1.02))
            ax.legend(fontsize=9)

        def hedged(ax: Axes) -> None:
            for row, (study, said) in enumerate(PLACES.items()):
                place = np.arange(len(HEDGES)) + 0.38 * row - 0.19
                found = [_net(results[study][hedge]) for hedge in HEDGES]
                values, highs = np.array([each.value for each in found]), np.array([each.high for each in found])
                marked_bars(ax, place, values, highs, 0.36, color=COLOURS[2 + row], label=said)
            ax.set_xticks(range(len(HEDGES)), labels=list(HEDGES))
            ax.set(ylabel="average |net position| / client volume")
            ax.legend(fontsize=9)

        return [
            Figure(
                "figure-7",
                "Fig. 7. Lines: mean over the runs, the thin dark band its 95 % interval, the pale band the middle half of the "
                "runs; circles: the paper's values.",
                fall,
            ),
            Figure(
                "hedging",
                "Average net position over client volume, without hedging and with three risk aversions γ, for a maker alone "
                "in the market and for one of two. Black bars: 95 % intervals.",
                hedged,
            ),
        ]

    def differences(self, scenario: Scenario, results: Results) -> list[str]:
        if not _comparable(scenario, results):
            return []
        far = [
            f"step {step} at {_share_said(results, label)}"
            for label, papers in FIG_7.items()
            for step, paper in zip(FIG_7_STEPS, papers, strict=True)
            if step < scenario.steps
            and abs(paper - (here := mean(_metric(results, label)[:, step])).value)
            > _tolerance(here, len(_metric(results, label)))
        ]
        said = [f"Means of Fig. 7 further from the paper's than the sampling error of both: {', '.join(far)}."] if far else []
        return [
            *said,
            "Fig. 7 begins at 0.69 and 0.67 after step 0. Here |position| / volume is near 1 there, by definition (after one "
            "trade the position is the volume); the paper's first steps must be counted in another way and are not compared.",
        ]

    def notes(self, scenario: Scenario, results: Results) -> list[str]:
        notes = [
            f"The maker takes {_share_said(results, 'half')} as it is, and {_share_said(results, 'whole')} when it quotes "
            f"{100 * CHEAPER:.0f} % below its own prices."
        ]
        if scenario.steps > TABLE_2_STEP:
            empty = [int(np.isnan(_metric(results, label)[:, TABLE_2_STEP]).sum()) for label in ("half", "whole")]
            notes.append(
                f"Runs in which it had not traded by step {TABLE_2_STEP}, left out of the percentiles: {empty[0]} and {empty[1]}."
            )
        if not _comparable(scenario, results):
            notes.append(
                "The paper's values are for half and for all of the market, and for more than 96 steps: they are left out here."
            )
        return notes


def _hedging(unhedged: Scenario, gamma: str, venue: str) -> Scenario:
    if not gamma:
        return unhedged
    optimal = unhedged.with_settings("makers.*.hedging.kind=optimal", f"makers.*.hedging.venue={venue}")
    return with_risk_aversion(optimal, "*", gamma)


# --- what was measured


def _metric(results: Results, label: str) -> Array:
    """|position| / volume of the studied maker, (replicas, steps)."""
    return np.asarray(results["flow"][label]["position_over_volume"][:, :, STUDIED])


def _share(results: Results, label: str) -> float:
    """The maker's share of the clients' volume."""
    volume = results["flow"][label]["client_volume"]
    return float(ratio(volume[:, STUDIED], volume.sum(axis=1)).value)


def _share_said(results: Results, label: str) -> str:
    return f"{100 * _share(results, label):.0f} % of the market"


def _comparable(scenario: Scenario, results: Results) -> bool:
    """Whether the shares are those of the paper, and the run as long as its table."""
    half, whole = _share(results, "half"), _share(results, "whole")
    return scenario.steps > TABLE_2_STEP and abs(half - 0.5) < 0.05 and whole > 0.99


def _table_2(results: Results) -> list[tuple[str, float, float, Estimate]]:
    """Share, percentile, the paper's value and ours."""
    return [
        (label, level, paper, percentile(_metric(results, label)[:, TABLE_2_STEP], level))
        for label, levels in TABLE_2.items()
        for level, paper in levels.items()
    ]


def _tolerance(found: Estimate, runs: int) -> float:
    """How far the paper's number, of 1,000 runs and two digits, may be from ours: 99 % of the sampling error of both."""
    return float(2.576 * found.error * np.sqrt(1 + runs / PAPER_RUNS) + 0.005)


def _ratios(results: Results, steps: list[int]) -> list[Estimate]:
    """Mean with half the market over mean with all of it, at each step, over runs that have both."""
    half, whole = _metric(results, "half"), _metric(results, "whole")
    both = ~np.isnan(half) & ~np.isnan(whole)
    return [ratio(half[both[:, step], step], whole[both[:, step], step]) for step in steps]


def _ratio_of_percentiles(results: Results, level: float) -> Estimate:
    """Percentile with half the market over that with all of it, after step 96; interval by bootstrap of whole runs."""
    pairs = np.stack([_metric(results, label)[:, TABLE_2_STEP] for label in ("half", "whole")], axis=1)
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    found = resampled(pairs, lambda values, axis: np.quantile(values, level, axis=axis))
    low, high = interval_of(found[:, 0] / found[:, 1])
    half, whole = np.quantile(pairs, level, axis=0)
    return Estimate(np.asarray(half / whole), np.asarray(np.std(found[:, 0] / found[:, 1])), np.asarray(low), np.asarray(high))


def _net(measures: Measures) -> Estimate:
    """Average |net position| over client volume, of the studied maker."""
    return ratio(measures["mean_abs_position"][:, STUDIED], measures["client_volume"][:, STUDIED])


# --- tables


def _table_2_table(results: Results) -> Table:
    rows = [
        {"share": _share_said(results, label), "percentile": round(100 * level), "paper": paper, **with_interval("here", here)}
        for label, level, paper, here in _table_2(results)
    ]
    rows += [
        {
            "share": f"ratio, to be √2 = {ROOT_2:.2f}",
            "percentile": round(100 * level),
            "paper": TABLE_2["half"][level] / TABLE_2["whole"][level],
            **with_interval("here", _ratio_of_percentiles(results, level)),
        }
        for level in TABLE_2["half"]
    ]
    return Table(
        "table-2",
        f"Table 2: |position after step {TABLE_2_STEP}| / volume through it, percentiles over the runs; 95 % intervals in "
        "brackets.",
        pd.DataFrame(rows),
        (
            Column("share", "market share"),
            Column("percentile", "percentile", 0),
            Column("paper", "paper", 2),
            interval_column("here", "here", 3),
        ),
    )


def _figure_7_table(scenario: Scenario, results: Results) -> Table:
    steps = [step for step in FIG_7_STEPS if step < scenario.steps]
    rows = [
        {
            "step": step,
            "paper_half": FIG_7["half"][n],
            **with_interval("half", mean(_metric(results, "half")[:, step])),
            "paper_whole": FIG_7["whole"][n],
            **with_interval("whole", mean(_metric(results, "whole")[:, step])),
            "paper_ratio": FIG_7["half"][n] / FIG_7["whole"][n],
            **with_interval("ratio", found),
        }
        for n, (step, found) in enumerate(zip(steps, _ratios(results, steps), strict=True))
    ]
    half, whole = (f"{100 * _share(results, label):.0f} %" for label in ("half", "whole"))
    papers = _comparable(scenario, results)
    columns = [Column("step", "step", 0)]
    for field, share, digits in (("half", half, 3), ("whole", whole, 3), ("ratio", "ratio", 2)):
        columns += [Column(f"paper_{field}", f"{share}, paper", digits)] if papers else []
        columns.append(interval_column(field, f"{share}, here", digits))
    caption = (
        "Fig. 7: mean of |position| / volume by market share; the ratio of the two is √2 if trades come at random and often."
    )
    return Table("figure-7", caption, pd.DataFrame(rows, columns=None if rows else ["step"]), tuple(columns))


def _hedging_table(scenario: Scenario, results: Results) -> Table:
    rows = []
    for study, said in PLACES.items():
        for label in HEDGES:
            measures = {name: values[:, STUDIED] for name, values in results[study][label].items()}
            clients, traded = measures["client_volume"], measures["volume"] + measures["hedge_volume"]
            rows.append(
                {
                    "market": said,
                    "hedging": label,
                    **with_interval("net", _net(results[study][label])),
                    **with_interval("net_traded", ratio(measures["mean_abs_position"], traded)),
                    **with_interval("last", ratio(measures["last_abs_position"], traded)),
                    **with_interval("hedged", ratio(measures["hedge_volume"], clients)),
                    **with_interval("cost", ratio(-measures["hedging_cost"], clients)),
                }
            )
    return Table(
        "hedging",
        "With hedging: a maker alone in the market that hedges at the exchange, beside one of two that hedge with each other. "
        "Average |net position| over the run per unit of client volume, and over all volume traded, hedges included; volume "
        "hedged and hedging cost (basis points) per unit of client volume.",
        pd.DataFrame(rows),
        (
            Column("market", "market"),
            Column("hedging", "hedging"),
            interval_column("net", "|net| / client volume", 4),
            interval_column("net_traded", "|net| / volume traded", 4),
            interval_column("hedged", "hedged / client volume", 2),
            interval_column("cost", "hedging cost (bp)", 2, basis_points(scenario)),
        ),
    )
