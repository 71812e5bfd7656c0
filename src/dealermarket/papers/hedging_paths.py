"""Hedging paths: a maker's net position with and without hedging (Fig. 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Experiment, Results, Variation
from dealermarket.papers.findings import Column, Figure, Table, Verdict, bracketed, interval_column, judged, with_interval
from dealermarket.papers.variants import INFINITE, STUDIED, with_risk_aversion
from dealermarket.plots.run import COLOURS
from dealermarket.runs.statistics import quotient
from dealermarket.study import measures as observe
from dealermarket.study.estimates import mean
from dealermarket.study.study import Array, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNHEDGED = "no hedging"
POLICIES = {UNHEDGED: "", "γ = 0": "0", "γ = 1": "1", "γ = ∞": INFINITE}
THOUSAND = 1000.0
DRAWN_RUNS, BAND_POINTS = 100, 300
PATIENT, HASTY = "γ = 0", ("γ = 1", "γ = ∞")


class HedgingPaths(Experiment):
    """The same market four times, with four hedging policies of one maker."""

    name = "hedging-paths"
    title = "Net position with and without hedging"
    source = "Fig. 4"
    question = (
        "How does a maker's net position move without hedging, with patient hedging (γ = 0), and with hasty hedging (γ = 1 and "
        "∞)?"
    )
    preset = "hedging-paths"
    runs = 200
    moves = (f"makers.{STUDIED}.hedging.kind", f"makers.{STUDIED}.hedging.risk_aversion")
    variations = (
        Variation("v_max", "exchange.v_max", (5000.0, 20000.0)),
        Variation("alpha", "makers.*.pricing.alpha", (1.1, 1.7)),
        Variation("tier penalty", "makers.*.pricing.tier_penalty", (0.0, 1e-4)),
        Variation("t_m", "reward_horizon", (1, 16)),
        Variation("EWMA weight", "makers.*.tiering.weight", (0.2,)),
        Variation("sd of log size", "investors.*.log_std", (0.25, 0.75)),
        Variation("competitor's hedging", "makers.1.hedging.kind", ("optimal",)),
    )

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [Study("sizes", _variants(scenario), runs, observe.position_sizes, "steps")]

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [Study("paths", _variants(scenario), min(runs, DRAWN_RUNS), observe.paths, "steps")]

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        widest = mean(_sizes(results, UNHEDGED, "largest"))
        calmer = mean(_sizes(results, UNHEDGED, "mean") - _sizes(results, PATIENT, "mean"))
        nearer = {label: mean(_sizes(results, PATIENT, "median") - _sizes(results, label, "median")) for label in HASTY}
        spikes = {label: mean(_spikes(results, label) - _spikes(results, PATIENT)) for label in HASTY}
        return [
            Verdict(
                "unhedged: thousands",
                "Without hedging the position wanders to thousands.",
                judged(bool(widest.low > THOUSAND), bool(widest.high < THOUSAND)),
                f"The largest |position| of a run is {bracketed(widest, 0)} units on average.",
            ),
            Verdict(
                "γ = 0: calmer",
                "Patient hedging keeps the position smaller than no hedging.",
                judged(bool(calmer.low > 0), bool(calmer.high < 0)),
                f"Mean |position| is {bracketed(calmer, 0)} units smaller, in paired runs.",
            ),
            Verdict(
                "γ = 1, ∞: near 0",
                "Hasty hedging keeps it nearer to 0 than patient hedging.",
                judged(all(bool(gap.low > 0) for gap in nearer.values()), any(bool(gap.high < 0) for gap in nearer.values())),
                "Median |position| is "
                + ", ".join(f"{bracketed(gap, 0)} units smaller at {label}" for label, gap in nearer.items())
                + f" than at {PATIENT}.",
            ),
            Verdict(
                "γ = 1, ∞: spikes",
                "What hasty hedging leaves are spikes: the largest |position| is more times the mean than with patient hedging.",
                judged(all(bool(gap.low > 0) for gap in spikes.values()), any(bool(gap.high < 0) for gap in spikes.values())),
                "Largest / mean is "
                + ", ".join(f"{bracketed(mean(_spikes(results, label)), 0)} at {label}" for label in (PATIENT, *HASTY))
                + ".",
            ),
        ]

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        rows = []
        for label in POLICIES:
            typical, largest = _sizes(results, label, "mean"), _sizes(results, label, "largest")
            rows.append(
                {
                    "hedging": label,
                    **with_interval("mean", mean(typical)),
                    **with_interval("median", mean(_sizes(results, label, "median"))),
                    **with_interval("largest", mean(largest)),
                    **with_interval("spike", mean(_spikes(results, label))),
                }
            )
        return [
            Table(
                "positions",
                f"|position| held into a step (units), over {scenario.steps:,} steps; 95 % intervals over the runs in brackets.",
                pd.DataFrame(rows),
                (
                    Column("hedging", "hedging"),
                    interval_column("mean", "mean of a run", 0),
                    interval_column("median", "median of a run", 0),
                    interval_column("largest", "largest of a run", 0),
                    interval_column("spike", "largest / mean", 1),
                ),
            )
        ]

    def notes(self, scenario: Scenario, results: Results) -> list[str]:
        one, all_at_once = (_sizes(results, label, "mean") for label in HASTY)
        if not np.array_equal(one, all_at_once):
            return []
        return ["γ = 1 and γ = ∞ hold the same positions in every run: γ = 1 already hedges all at once."]

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        return [_path_figure(results, label, colour) for label, colour in zip(POLICIES, COLOURS, strict=False)]


def _path_figure(results: Results, label: str, colour: str) -> Figure:
    def draw(ax: Axes) -> None:
        position, unhedged = (results["paths"][policy]["position"][:, :, STUDIED] for policy in (label, UNHEDGED))
        widest = 1.3 * max(np.abs(unhedged[0]).max(), np.quantile(np.abs(unhedged), 0.9, axis=0).max())  # of all panels
        times = np.arange(0, position.shape[1], max(position.shape[1] // BAND_POINTS, 1))
        low, high = np.quantile(position[:, times], [0.05, 0.95], axis=0)
        ax.fill_between(times, low, high, color="#BBBBBB", alpha=0.6, lw=0, label=f"5 to 95 % of {len(position)} runs")
        ax.plot(position[0], color=colour, lw=0.7, label="the first run")
        ax.set(
            title=label,
            xlabel="step (15 minutes each)",
            ylabel="net position (units)",
            ylim=(-max(widest, 1.0), max(widest, 1.0)),
        )
        ax.yaxis.set_major_formatter("{x:,.0f}")
        ax.legend(fontsize=8, loc="upper left", ncols=2)

    name = label.replace(" = ", "-").replace(" ", "-").replace("γ", "gamma").replace("∞", "infinite")
    caption = (
        f"Fig. 4, {label}: net position of the first run, and the band that holds 90 % of the runs drawn. Same prices and "
        "orders in every panel."
    )
    return Figure(f"figure-4-{name}", caption, draw, (4.8, 3.0))


def _variants(scenario: Scenario) -> dict[str, Scenario]:
    unhedged = scenario.with_settings(f"makers.{STUDIED}.hedging.kind=none")
    return {label: with_risk_aversion(scenario, STUDIED, gamma) if gamma else unhedged for label, gamma in POLICIES.items()}


def _spikes(results: Results, label: str) -> Array:
    """How many times its mean the largest |position| of a run is, (replicas,); NaN where nobody traded."""
    return quotient(_sizes(results, label, "largest"), _sizes(results, label, "mean"))


def _sizes(results: Results, label: str, which: str) -> Array:
    """Mean, median or largest |position| of the studied maker in a run, (replicas,)."""
    return np.asarray(results["sizes"][label][which][:, STUDIED])
