"""Volatility: which risk aversion is cheapest, and how that moves with volatility (Figs 8 and 9)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dealermarket.model.scenario import Scenario
from dealermarket.papers import best_gamma, hot_potato
from dealermarket.papers.experiment import Experiment, Results, Variation
from dealermarket.papers.findings import (
    Column,
    Figure,
    Table,
    Verdict,
    bracketed,
    interval_column,
    judged,
    number,
    with_interval,
)
from dealermarket.papers.variants import INFINITE, STUDIED, at_volatility, by_gamma, costs
from dealermarket.plots.run import COLOURS, sequence
from dealermarket.study import measures as observe
from dealermarket.study.estimates import LEVEL, joint, mean, ratio, resampled
from dealermarket.study.study import Array, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAMMAS = ("0", "0.05", "0.25", "0.5", "1", "2", INFINITE)
LOW, HIGH = "10 %", "30 %"
VOLATILITIES = {LOW: 0.1, HIGH: 0.3}
LABELS = tuple(VOLATILITIES)
STYLES = ("-", "--", ":")  # in turn, for lines whose colours are near
SMALL, LARGE = slice(0, 3), slice(3, None)  # γ up to 0.25, and above
BELOW_025, FROM_025 = slice(0, 2), slice(2, None)
ABOVE_ONE = slice(5, None)
# what the paper's figures show, from cheap to dear; γ in one group are not told apart
PAPERS_ORDER = {
    LOW: (("0", "0.05", "0.25"), ("0.5", "1"), ("2", INFINITE)),
    HIGH: (("0.5",), ("0.25", "1", "2", INFINITE), ("0", "0.05")),
}


class Volatility(Experiment):
    """Hedging and risk cost of a maker by its risk aversion, at two volatilities, on common random numbers."""

    name = "volatility"
    title = "Hedging and volatility"
    source = "Figs 8 and 9"
    question = (
        "Hedging costs money now, waiting costs money when the price moves against the position. Which risk aversion γ makes "
        "the sum of hedging cost and risk cost smallest, at a volatility of 10 % and of 30 %?"
    )
    preset = "hedging"
    runs = 1000
    moves = ("market.mid_price.volatility", f"makers.{STUDIED}.hedging.kind", f"makers.{STUDIED}.hedging.risk_aversion")
    variations = (
        Variation("v_max", "exchange.v_max", (5000.0, 7000.0, 9000.0, 12000.0)),
        Variation("alpha", "makers.*.pricing.alpha", (1.1, 1.3, 1.7)),
        Variation("tier penalty", "makers.*.pricing.tier_penalty", (2e-4, 3.6e-4, 5e-4, 8e-4)),
        Variation("t_m", "reward_horizon", (1, 8, 16)),
        Variation("EWMA weight", "makers.*.tiering.weight", (0.02, 0.1, 0.2)),
        Variation("sd of log size", "investors.*.log_std", (0.25, 0.7)),
        Variation("tiers", "makers.*.tiering.tiers", (3, 8)),
        Variation("steps", "steps", (250, 1000)),
    )

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [
            Study(label, by_gamma(at_volatility(scenario, volatility), GAMMAS), runs, observe.cumulative_costs, "steps")
            for label, volatility in VOLATILITIES.items()
        ]

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [*best_gamma.studies(scenario, runs), *hot_potato.studies(scenario, runs, GAMMAS, VOLATILITIES)]

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        low, high = (costs(results[label]) for label in LABELS)
        return [
            _cheapest(LOW, "at most 0.25", "≤ 0.25", low, SMALL, LARGE),
            _dearer(low),
            _cheapest(HIGH, "at least 0.25", "≥ 0.25", high, FROM_025, BELOW_025),
            _dearest(high),
        ]

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        return [
            *(_costs_table(results, label) for label in LABELS),
            best_gamma.table(results),
            hot_potato.table(results, GAMMAS, LABELS),
        ]

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        return [
            *(_over_time(scenario, results, figure, label) for figure, label in (("8", LOW), ("9", HIGH))),
            *(_beside_zero(scenario, results, label) for label in LABELS),
            *(_parts(results, label) for label in LABELS),
            *best_gamma.figures(results),
            hot_potato.figure(results, GAMMAS, LABELS),
        ]

    def differences(self, scenario: Scenario, results: Results) -> list[str]:
        found = []
        for figure, label in (("8", LOW), ("9", HIGH)):
            middle = costs(results[label]).mean(axis=0)
            groups = [[middle[GAMMAS.index(gamma)] for gamma in group] for group in PAPERS_ORDER[label]]
            if any(max(cheaper) > min(dearer) for cheaper, dearer in pairwise(groups)):
                order = "; ".join(", ".join(group) for group in PAPERS_ORDER[label])
                found.append(
                    f"The order of γ from cheap to dear in Fig. {figure} ({label}) is {order}; here it is {_order(middle)}."
                )
        return found

    def notes(self, scenario: Scenario, results: Results) -> list[str]:
        best = {
            what: " and ".join(f"γ = {max(GAMMAS, key=lambda g: _mean(results[label][g][what]))} at {label}" for label in LABELS)
            for what in ("total_reward", "pnl")
        }
        spread = [number(_mean(results[LOW][gamma]["spread_revenue"]), 0) for gamma in (GAMMAS[0], GAMMAS[-1])]
        return [
            f"The competitor keeps γ = {getattr(scenario.makers[1].hedging, 'risk_aversion', 'none')}, except for the hot "
            "potato. γ = ∞ hedges everything at every step.",
            f"Cost is not all. By total reward the best is {best['total_reward']}; by P&L it is {best['pnl']}. Total reward "
            f"also has the spreads that others pay the maker, the competitor's hedges included: {spread[0]} at γ = 0 and "
            f"{spread[1]} at γ = ∞, at {LOW}.",
            hot_potato.note(results, GAMMAS, LABELS),
            "The paper's figures show one path for each γ. The whole order of its Fig. 8 is reported, not required.",
        ]


# --- verdicts: a claim holds, or fails, where it is true, or false, in 95 % of the bootstrap samples of the runs


def _cheapest(label: str, said: str, short: str, costs: Array, wanted: slice, others: slice) -> Verdict:
    means, middle = resampled(costs), costs.mean(axis=0)
    lowest, rest = means[:, wanted].min(axis=1), means[:, others].min(axis=1)
    true, false = float(np.mean(lowest < rest)), float(np.mean(rest < lowest))
    return Verdict(
        f"{label}: cheapest γ {short}",
        f"At {label} volatility the cheapest γ is {said}.",
        judged(true >= LEVEL, false >= LEVEL),
        f"Cheapest is γ = {GAMMAS[int(np.argmin(middle))]}; from cheap to dear: {_order(middle)}. {_share(true)}",
    )


def _dearer(costs: Array) -> Verdict:
    means, cheapest = resampled(costs), int(np.argmin(costs.mean(axis=0)))
    lowest, high = means.min(axis=1), means[:, ABOVE_ONE].min(axis=1)
    true, false = float(np.mean(high > lowest)), float(np.mean(high < np.delete(means, ABOVE_ONE, axis=1).min(axis=1)))
    gaps = mean(costs[:, ABOVE_ONE] - costs[:, [cheapest]])
    more = "; ".join(f"γ = {gamma} costs {bracketed(gaps[n], 1)} more" for n, gamma in enumerate(GAMMAS[ABOVE_ONE]))
    return Verdict(
        f"{LOW}: γ > 1 dearer",
        f"At {LOW} volatility every γ above 1 costs more than the cheapest.",
        judged(true >= LEVEL, false >= LEVEL),
        f"{more} than γ = {GAMMAS[cheapest]}. {_share(true)}",
    )


def _dearest(costs: Array) -> Verdict:
    means, middle = resampled(costs), costs.mean(axis=0)
    true = float(np.mean(means[:, BELOW_025].min(axis=1) > means[:, FROM_025].max(axis=1)))
    pairs = costs[:, FROM_025][:, :, None] - costs[:, BELOW_025][:, None, :]
    contradicted = mean(pairs, joint(pairs[0].size)).low > 0
    nearest = 2 + int(np.argmax(middle[FROM_025]))
    gaps = mean(costs[:, BELOW_025] - costs[:, [nearest]])
    more = "; ".join(f"γ = {gamma} costs {bracketed(gaps[n], 1)} more" for n, gamma in enumerate(GAMMAS[BELOW_025]))
    return Verdict(
        f"{HIGH}: 0, 0.05 dearest",
        f"At {HIGH} volatility γ = 0 and γ = 0.05 cost most.",
        judged(true >= LEVEL, bool(np.any(contradicted))),
        f"{more} than γ = {GAMMAS[nearest]}. {_share(true)}",
    )


def _share(true: float) -> str:
    return f"True in {100 * true:.1f} % of bootstrap samples of the runs."


def _order(costs: Array) -> str:
    return ", ".join(GAMMAS[n] for n in np.argsort(costs, kind="stable"))


def _mean(values: Array) -> float:
    return float(values[:, STUDIED].mean())


# --- tables and figures


def _costs_table(results: Results, label: str) -> Table:
    found = costs(results[label])
    cheapest = int(np.argmin(found.mean(axis=0)))
    rewards = np.stack([results[label][gamma]["total_reward"][:, STUDIED] for gamma in GAMMAS], axis=1)
    rows = [
        {
            "gamma": gamma,
            "hedging_cost": -_mean(results[label][gamma]["hedging_cost"]),
            "risk_cost": -_mean(results[label][gamma]["risk_cost"]),
            **with_interval("cost", mean(found[:, n])),
            **with_interval("relative", ratio(found[:, n], found[:, 0])),
            **with_interval("above", mean(found[:, n] - found[:, cheapest])),
            "spread_revenue": _mean(results[label][gamma]["spread_revenue"]),
            "position_revenue": _mean(results[label][gamma]["position_revenue"]),
            **with_interval("reward", mean(rewards[:, n])),
            **with_interval("gain", mean(rewards[:, n] - rewards[:, 0])),
            **with_interval("pnl", mean(results[label][gamma]["pnl"][:, STUDIED])),
        }
        for n, gamma in enumerate(GAMMAS)
    ]
    return Table(
        f"costs-{label[:2]}",
        f"Volatility {label}: costs, rewards and P&L of a run by the maker's γ (price × units), means and 95 % intervals; "
        f"differences are paired, run by run, with the cheapest γ = {GAMMAS[cheapest]} and with γ = 0.",
        pd.DataFrame(rows),
        (
            Column("gamma", "γ"),
            Column("hedging_cost", "hedging cost", 0),
            Column("risk_cost", "risk cost", 0),
            Column("cost", "sum", 0),
            interval_column("relative", "relative to γ = 0", 2),
            interval_column("above", "above the cheapest", 1),
            Column("spread_revenue", "spread revenue", 0),
            Column("reward", "total reward", 0),
            interval_column("gain", "above γ = 0", 0),
            Column("pnl", "P&L", 1),
        ),
    )


def _so_far(results: Results, label: str, gamma: str) -> Array:
    """Hedging and risk cost so far, (replicas, times)."""
    measures = results[label][gamma]
    return np.asarray((measures["hedging_cost_so_far"] + measures["risk_cost_so_far"])[:, :, STUDIED])


def _over_time(scenario: Scenario, results: Results, figure: str, label: str) -> Figure:
    def draw(ax: Axes) -> None:
        time = observe.cost_times(scenario)
        for n, (gamma, colour) in enumerate(zip(GAMMAS, sequence(len(GAMMAS)), strict=True)):
            ax.plot(
                time, _so_far(results, label, gamma).mean(axis=0), color=colour, ls=STYLES[n % 3], lw=1.4, label=f"γ = {gamma}"
            )
        ax.set(xlabel="step (15 minutes each)", ylabel="hedging + risk cost so far (price × units)")
        ax.legend(fontsize=8)

    caption = f"Fig. {figure}. Cost so far at {label} volatility, by γ: mean over the runs. The paper shows one path of each."
    return Figure(f"figure-{figure}", caption, draw)


def _beside_zero(scenario: Scenario, results: Results, label: str) -> Figure:
    def draw(ax: Axes) -> None:
        time, zero = observe.cost_times(scenario), _so_far(results, label, GAMMAS[0])
        for n, (gamma, colour) in enumerate(zip(GAMMAS, sequence(len(GAMMAS)), strict=True)):
            if n == 0:
                continue
            gap = mean(_so_far(results, label, gamma) - zero)
            ax.fill_between(time, gap.low, gap.high, color=colour, alpha=0.2, lw=0)
            ax.plot(time, gap.value, color=colour, ls=STYLES[n % 3], lw=1.4, label=f"γ = {gamma}")
        ax.axhline(0, color="black", lw=0.8)
        ax.set(xlabel="step (15 minutes each)", ylabel="cost so far, less that at γ = 0")
        ax.legend(fontsize=8)

    caption = (
        f"The same at {label} as paired differences to γ = 0, run by run: mean, and bands of 95 % intervals. Below 0 is cheaper."
    )
    return Figure(f"differences-{label[:2]}", caption, draw)


def _parts(results: Results, label: str) -> Figure:
    def draw(ax: Axes) -> None:
        place, total = np.arange(len(GAMMAS)), mean(costs(results[label]))
        hedging, risk = (np.array([-_mean(results[label][g][name]) for g in GAMMAS]) for name in ("hedging_cost", "risk_cost"))
        ax.bar(place, hedging, color=COLOURS[0], label="hedging cost")
        ax.bar(place, risk, bottom=hedging, color=COLOURS[1], label="risk cost")
        ax.errorbar(place, total.value, total.high - total.value, fmt="none", color="black", lw=1, capsize=3)
        ax.set_xticks(place, labels=GAMMAS)
        ax.set(xlabel="risk aversion γ", ylabel="cost of a run (price × units)")
        ax.margins(y=0.2)
        ax.legend(fontsize=9, ncols=2, loc="upper center")

    return Figure(
        f"costs-{label[:2]}", f"What the cost is made of at {label} volatility; black: 95 % intervals of the sum.", draw
    )
