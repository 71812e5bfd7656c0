"""Internalization: how much of its flow a maker nets against itself when it only waits (Fig. 7, Table 2)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dealermarket.errors import ParameterError
from dealermarket.experiments import observe
from dealermarket.experiments.estimates import Estimate, mean, percentile, ratio
from dealermarket.experiments.experiment import Experiment, Results, Variation, with_risk_aversion
from dealermarket.experiments.findings import Column, Figure, Table, Verdict, bracketed, interval_column, judged, with_interval
from dealermarket.experiments.study import Array, Study
from dealermarket.plots import COLOURS
from dealermarket.scenario import Scenario

# Table 2 and Fig. 7 of the paper; the metric after step 0 is left out, the paper's definition of it must differ.
TABLE_2 = {"half": {0.75: 0.28, 0.5: 0.16, 0.25: 0.08}, "whole": {0.75: 0.20, 0.5: 0.11, 0.25: 0.06}}
TABLE_2_STEP = 96
FIG_7_STEPS = (10, 20, 50, 96, 200)
FIG_7 = {"half": (0.56, 0.41, 0.27, 0.194, 0.137), "whole": (0.40, 0.28, 0.19, 0.137, 0.095)}
PAPER_RUNS = 1000
FIRST_STEPS = 5
LABELS = {"half": "50 % of the market", "whole": "100 % of the market"}
CHEAPER = 0.1  # how far below the other maker the one with the whole market quotes
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
                observe.internalization,
                "trades",
            )
            for name, market, venue in (("alone", alone, "exchange"), ("two makers", unhedged, "makers"))
        ]

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        half, whole = _metric(results, "half"), _metric(results, "whole")
        gap = mean((whole - half)[:, FIRST_STEPS:])
        above = int(np.sum(gap.value >= 0))
        at_once = mean((whole - half)[:, FIRST_STEPS:], 1 - 0.05 / max(len(gap.value), 1))  # Bonferroni
        below = Verdict(
            "100 % below 50 %",
            f"The maker with the whole market internalizes better at every step from step {FIRST_STEPS} on.",
            judged(bool(np.all(gap.high < 0)), bool(np.any(at_once.low > 0))),
            f"{len(gap.value) - above} of {len(gap.value)} steps below; the 95 % interval of the paired difference lies below 0 "
            f"at {int(np.sum(gap.high < 0))} of them; mean difference at the last step {bracketed(gap[-1], 4)}.",
        )
        if scenario.steps <= TABLE_2_STEP:
            return [below]
        distances = [float(abs(found.value - paper)) / _tolerance(found, len(half)) for _, _, paper, found in _table_2(results)]
        within = sum(distance <= 1 for distance in distances)
        return [
            below,
            Verdict(
                "Table 2",
                f"The percentiles at step {TABLE_2_STEP} are the paper's, within the sampling error of both (99 % level) and "
                "its rounding.",
                judged(within == len(distances), max(distances) > 1),
                f"{within} of {len(distances)} percentiles within; the largest difference is {max(distances):.2f} of what is "
                "allowed.",
            ),
        ]

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        found = []
        if scenario.steps > TABLE_2_STEP:
            rows = [
                {"share": LABELS[label], "percentile": round(100 * level), "paper": paper, **with_interval("here", estimate)}
                for label, level, paper, estimate in _table_2(results)
            ]
            for level in TABLE_2["half"]:
                papers = TABLE_2["half"][level] / TABLE_2["whole"][level]
                halves, wholes = (
                    percentile(_metric(results, label)[:, TABLE_2_STEP], level).value for label in ("half", "whole")
                )
                rows.append(
                    {
                        "share": "ratio, to be √2 = 1.41",
                        "percentile": round(100 * level),
                        "paper": papers,
                        "here": halves / wholes,
                    }
                )
            found.append(
                Table(
                    "table-2",
                    f"Table 2: |position after step {TABLE_2_STEP}| / volume through it, percentiles over the runs; 95 % "
                    "intervals in brackets.",
                    pd.DataFrame(rows),
                    (
                        Column("share", "market share"),
                        Column("percentile", "percentile", 0),
                        Column("paper", "paper", 2),
                        interval_column("here", "here", 3),
                    ),
                )
            )
        steps = [step for step in FIG_7_STEPS if step < scenario.steps]
        half, whole = _metric(results, "half"), _metric(results, "whole")
        both = ~np.isnan(half) & ~np.isnan(whole)
        ratios = [ratio(half[both[:, step], step], whole[both[:, step], step]) for step in steps]
        found.append(
            Table(
                "figure-7",
                "Fig. 7: mean of |position| / volume; the ratio of the two is √2 = 1.414 if trades come at random.",
                pd.DataFrame(
                    {
                        "step": step,
                        "paper_half": FIG_7["half"][n],
                        **with_interval("half", mean(half[:, step])),
                        "paper_whole": FIG_7["whole"][n],
                        **with_interval("whole", mean(whole[:, step])),
                        "paper_ratio": FIG_7["half"][n] / FIG_7["whole"][n],
                        **with_interval("ratio", ratios[n]),
                    }
                    for n, step in enumerate(steps)
                ),
                (
                    Column("step", "step", 0),
                    Column("paper_half", "50 %, paper", 3),
                    interval_column("half", "50 %, here", 3),
                    Column("paper_whole", "100 %, paper", 3),
                    interval_column("whole", "100 %, here", 3),
                    Column("paper_ratio", "ratio, paper", 2),
                    interval_column("ratio", "ratio, here", 2),
                ),
            )
        )
        found.append(self._hedging_table(results))
        return found

    def _hedging_table(self, results: Results) -> Table:
        rows = []
        for study, place in (("alone", "alone"), ("two makers", "two makers")):
            for label in HEDGES:
                measures = results[study][label]
                traded = measures["volume"] + measures["hedge_volume"]
                rows.append(
                    {
                        "market": place,
                        "hedging": label,
                        **with_interval("net", ratio(measures["mean_abs_position"][:, 0], traded[:, 0])),
                        **with_interval("last", mean(measures["position_over_volume"][:, -1, 0])),
                        **with_interval("hedged", ratio(measures["hedge_volume"][:, 0], measures["client_volume"][:, 0])),
                        **with_interval("cost", ratio(-measures["hedging_cost"][:, 0], measures["client_volume"][:, 0])),
                    }
                )
        return Table(
            "hedging",
            "With hedging: a maker alone in the market that hedges at the exchange, beside one of two that hedge with each "
            "other. Average |net position| over the run and |net position| at its end, each over all volume traded; volume "
            "hedged per unit of client volume; hedging cost in basis points of client volume.",
            pd.DataFrame(rows),
            (
                Column("market", "market"),
                Column("hedging", "hedging"),
                interval_column("net", "average |net| / volume", 4),
                interval_column("last", "|net| / volume at the end", 4),
                interval_column("hedged", "hedged / client volume", 2),
                interval_column("cost", "hedging cost (bp)", 2, 1e4),
            ),
        )

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        def fall(ax: Axes) -> None:
            for label, colour in (("half", COLOURS[0]), ("whole", COLOURS[1])):
                metric = _metric(results, label)
                middle, steps = mean(metric), np.arange(metric.shape[1])
                low, high = np.nanquantile(metric, [0.25, 0.75], axis=0)
                ax.fill_between(steps, low, high, color=colour, alpha=0.18, lw=0)
                ax.fill_between(steps, middle.low, middle.high, color=colour, alpha=0.6, lw=0)
                ax.plot(steps, middle.value, color=colour, lw=1.2, label=LABELS[label])
                ax.plot(FIG_7_STEPS, FIG_7[label], "o", mfc="white", color=colour, ms=5, label=f"{LABELS[label]}, paper")
            ax.set(xlabel="step (15 minutes each)", ylabel="|net position| / volume traded", ylim=(0, 1.02))
            ax.legend(fontsize=9)

        def hedged(ax: Axes) -> None:
            for row, (study, label, colour) in enumerate(
                (("alone", "alone, at the exchange", COLOURS[2]), ("two makers", "two makers, with each other", COLOURS[3]))
            ):
                for column, hedge in enumerate(HEDGES):
                    measures = results[study][hedge]
                    found = ratio(measures["mean_abs_position"][:, 0], (measures["volume"] + measures["hedge_volume"])[:, 0])
                    ax.bar(column + 0.38 * row - 0.19, found.value, 0.36, color=colour, label=label if column == 0 else None)
                    ax.errorbar(column + 0.38 * row - 0.19, found.value, found.high - found.value, color="black", lw=1, capsize=2)
            ax.set_xticks(range(len(HEDGES)), labels=list(HEDGES))
            ax.set(ylabel="average |net position| / volume")
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
                "Average net position over the volume traded, without hedging and with three risk aversions γ, for a maker "
                "alone in the market and for one of two. Black bars: 95 % intervals.",
                hedged,
            ),
        ]

    def _far_from_figure_7(self, scenario: Scenario, results: Results) -> str:
        """At which steps the means are not the paper's."""
        far = [
            f"step {step} at {LABELS[label]}"
            for label, papers in FIG_7.items()
            for step, paper in zip(FIG_7_STEPS, papers, strict=True)
            if step < scenario.steps
            and abs(paper - (found := mean(_metric(results, label)[:, step])).value)
            > _tolerance(found, len(_metric(results, label)))
        ]
        if not far:
            return "The means of Fig. 7 are the paper's, within the sampling error of both, at every step compared."
        return (
            f"Means of Fig. 7 further from the paper's than the sampling error of both: {', '.join(far)}. The paper's curves "
            "also begin elsewhere (see the last note), so that its first steps are counted in another way."
        )

    def notes(self, scenario: Scenario, results: Results) -> list[str]:
        share = results["flow"]["half"]["client_volume"]
        empty = [int(np.isnan(_metric(results, label)[:, TABLE_2_STEP : TABLE_2_STEP + 1]).sum()) for label in LABELS]
        return [
            f"At half the market the maker takes {100 * ratio(share[:, 0], share.sum(axis=1)).value:.1f} % of the clients' "
            f"volume: the two makers' prices are equal and ties are drawn. For the whole market it quotes {100 * CHEAPER:.0f} % "
            "below the other.",
            f"Runs in which the maker had not traded by step {TABLE_2_STEP}, left out of the percentiles: {empty[0]} at 50 %, "
            f"{empty[1]} at 100 %.",
            self._far_from_figure_7(scenario, results),
            "At the first steps |position| / volume is near 1 by definition (after one trade the position is the volume); the "
            "paper's 0.69 and 0.67 after step 0 must be of another definition and are not compared.",
        ]


def _hedging(unhedged: Scenario, gamma: str, venue: str) -> Scenario:
    if not gamma:
        return unhedged
    optimal = unhedged.with_settings("makers.*.hedging.kind=optimal", f"makers.*.hedging.venue={venue}")
    return with_risk_aversion(optimal, "*", gamma)


def _metric(results: Results, label: str) -> Array:
    """|position| / volume of the first maker, (replicas, steps)."""
    return np.asarray(results["flow"][label]["position_over_volume"][:, :, 0])


def _table_2(results: Results) -> list[tuple[str, float, float, Estimate]]:
    """Share, percentile, the paper's value and ours."""
    return [
        (label, level, paper, percentile(_metric(results, label)[:, TABLE_2_STEP], level))
        for label, levels in TABLE_2.items()
        for level, paper in levels.items()
    ]


def _tolerance(found: Estimate, runs: int) -> float:
    """How far the paper's percentile, of 1,000 runs and two digits, may be from ours: 99 % of the sampling error of both."""
    return float(2.576 * found.error * np.sqrt(1 + runs / PAPER_RUNS) + 0.005)
