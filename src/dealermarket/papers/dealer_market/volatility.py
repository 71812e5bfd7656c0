"""Volatility: which risk aversion is cheapest, and how that moves with volatility (Figs 8 and 9)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, pairwise
from typing import Any

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Experiment, Results, Table, Verdict, bracketed, decided, left_open, number
from dealermarket.papers.dealer_market import best_gamma, hot_potato
from dealermarket.papers.dealer_market.hedging_cost import STUDIED, costs
from dealermarket.plots import COLOURS, Axis, Band, Bars, Figure, Legend, Level, Line, Mark, Style, Whiskers, sequence
from dealermarket.study import INFINITE, Array, Study, at_volatility, by_risk_aversion, observe
from dealermarket.study.estimates import LEVEL, joint, mean, ratio, resampled

GAMMAS = ("0", "0.05", "0.25", "0.5", "1", "2", INFINITE)
LOW, HIGH = "10 %", "30 %"
VOLATILITIES = {LOW: 0.1, HIGH: 0.3}
LABELS = tuple(VOLATILITIES)
FIGURES = {LOW: "8", HIGH: "9"}
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
        *left_open(v_max=(5000.0, 7000.0, 9000.0, 12000.0), alpha=(1.1, 1.3, 1.7), tier_penalty=(2e-4, 3.6e-4, 5e-4, 8e-4)),
        *left_open(t_m=(1, 8, 16), weight=(0.02, 0.1, 0.2), log_std=(0.25, 0.7), tiers=(3, 8), steps=(250, 1000)),
    )

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [
            Study(label, by_risk_aversion(at_volatility(scenario, volatility), GAMMAS), runs, observe.cumulative_costs, "steps")
            for label, volatility in VOLATILITIES.items()
        ]

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [*best_gamma.studies(scenario, runs), *hot_potato.studies(scenario, runs, GAMMAS, VOLATILITIES)]

    def verdicts(self, scenario: Scenario, results: Results) -> Iterator[Verdict]:
        low, high = (costs(results[label]) for label in LABELS)
        yield _cheapest(LOW, "at most 0.25", "≤ 0.25", low, SMALL, LARGE)
        yield _dearer(low)
        yield _cheapest(HIGH, "at least 0.25", "≥ 0.25", high, FROM_025, BELOW_025)
        yield _dearest(high)

    def tables(self, scenario: Scenario, results: Results) -> Iterator[Table]:
        yield from (_costs_table(results, label) for label in LABELS)
        yield best_gamma.table(results)
        yield hot_potato.table(results, GAMMAS, LABELS)

    def figures(self, scenario: Scenario, results: Results) -> Iterator[Figure]:
        yield from (_over_time(scenario, results, label) for label in LABELS)
        yield from (_beside_zero(scenario, results, label) for label in LABELS)
        yield from (_parts(results, label) for label in LABELS)
        yield from best_gamma.figures(results)
        yield hot_potato.figure(results, GAMMAS, LABELS)

    def differences(self, scenario: Scenario, results: Results) -> list[str]:
        said = []
        for label in LABELS:
            middle = costs(results[label]).mean(axis=0)
            groups = [[middle[GAMMAS.index(gamma)] for gamma in group] for group in PAPERS_ORDER[label]]
            if any(max(cheaper) > min(dearer) for cheaper, dearer in pairwise(groups)):
                paper = "; ".join(", ".join(group) for group in PAPERS_ORDER[label])
                where = f"in Fig. {FIGURES[label]} ({label})"
                said.append(f"The order of γ from cheap to dear {where} is {paper}; here it is {_order(middle)}.")
        return said

    def notes(self, scenario: Scenario, results: Results) -> list[str]:
        def best(measure: str) -> str:
            return " and ".join(f"γ = {max(GAMMAS, key=lambda g: _mean(results, v, g, measure))} at {v}" for v in LABELS)

        spread = [number(_mean(results, LOW, gamma, "spread_revenue"), 0) for gamma in (GAMMAS[0], GAMMAS[-1])]
        return [
            f"The competitor keeps γ = {getattr(scenario.makers[1].hedging, 'risk_aversion', 'none')}, except for the hot "
            "potato. γ = ∞ hedges everything at every step.",
            f"Cost is not all. By total reward the best is {best('total_reward')}; by P&L it is {best('pnl')}. Total reward "
            f"also has the spreads that others pay the maker, the competitor's hedges included: {spread[0]} at γ = 0 and "
            f"{spread[1]} at γ = ∞, at {LOW}.",
            hot_potato.note(results, GAMMAS, LABELS),
            "The paper's figures show one path for each γ. The whole order of its Fig. 8 is reported, not required.",
        ]


# --- verdicts: a claim holds, or fails, where it is true, or false, in 95 % of the bootstrap samples of the runs


def _cheapest(label: str, said: str, short: str, costs: Array, wanted: slice, others: slice) -> Verdict:
    means, middle = resampled(costs), costs.mean(axis=0)
    lowest, rest = means[:, wanted].min(axis=1), means[:, others].min(axis=1)
    true, false = np.mean(lowest < rest), np.mean(rest < lowest)
    return Verdict(
        f"{label}: cheapest γ {short}",
        f"At {label} volatility the cheapest γ is {said}.",
        decided(true >= LEVEL, false >= LEVEL),
        f"Cheapest is γ = {GAMMAS[int(np.argmin(middle))]}; from cheap to dear: {_order(middle)}. {_share(true)}",
    )


def _dearer(costs: Array) -> Verdict:
    means, cheapest = resampled(costs), int(np.argmin(costs.mean(axis=0)))
    high = means[:, ABOVE_ONE].min(axis=1)
    true, false = np.mean(high > means.min(axis=1)), np.mean(high < np.delete(means, ABOVE_ONE, axis=1).min(axis=1))
    return Verdict(
        f"{LOW}: γ > 1 dearer",
        f"At {LOW} volatility every γ above 1 costs more than the cheapest.",
        decided(true >= LEVEL, false >= LEVEL),
        f"{_more(costs, ABOVE_ONE, cheapest)} {_share(true)}",
    )


def _dearest(costs: Array) -> Verdict:
    means = resampled(costs)
    true = np.mean(means[:, BELOW_025].min(axis=1) > means[:, FROM_025].max(axis=1))
    pairs = costs[:, FROM_025][:, :, None] - costs[:, BELOW_025][:, None, :]
    nearest = 2 + int(np.argmax(costs.mean(axis=0)[FROM_025]))
    return Verdict(
        f"{HIGH}: 0, 0.05 dearest",
        f"At {HIGH} volatility γ = 0 and γ = 0.05 cost most.",
        decided(true >= LEVEL, mean(pairs, joint(pairs[0].size)).low > 0),
        f"{_more(costs, BELOW_025, nearest)} {_share(true)}",
    )


def _more(costs: Array, dear: slice, cheap: int) -> str:
    """How much more each of some γ costs than another, in words."""
    gaps = mean(costs[:, dear] - costs[:, [cheap]])
    more = "; ".join(f"γ = {gamma} costs {bracketed(gaps[n], 1)} more" for n, gamma in enumerate(GAMMAS[dear]))
    return f"{more} than γ = {GAMMAS[cheap]}."


def _share(true: float | np.floating[Any]) -> str:
    return f"True in {100 * true:.1f} % of bootstrap samples of the runs."


def _order(costs: Array) -> str:
    return ", ".join(GAMMAS[n] for n in np.argsort(costs, kind="stable"))


# --- what was measured of the maker


def _own(results: Results, label: str, gamma: str, name: str) -> Array:
    """A measure of the studied maker, (replicas, ...)."""
    return results[label][gamma].of(STUDIED)[name]


def _mean(results: Results, label: str, gamma: str, name: str) -> float:
    return float(_own(results, label, gamma, name).mean())


def _so_far(results: Results, label: str, gamma: str) -> Array:
    """Hedging and risk cost so far, (replicas, times)."""
    return np.asarray(sum(_own(results, label, gamma, f"{part}_so_far") for part in ("hedging_cost", "risk_cost")))


# --- tables and figures


def _costs_table(results: Results, label: str) -> Table:
    by_gamma = costs(results[label])
    cheapest = int(np.argmin(by_gamma.mean(axis=0)))

    def cost(gamma: str) -> Array:
        return by_gamma[:, GAMMAS.index(gamma)]

    def own(gamma: str, name: str) -> Array:
        return _own(results, label, gamma, name)

    return Table.of(
        f"costs-{label[:2]}",
        f"Volatility {label}: costs, rewards and P&L of a run by the maker's γ (price × units), means and 95 % intervals; "
        f"differences are paired, run by run, with the cheapest γ = {GAMMAS[cheapest]} and with γ = 0.",
        GAMMAS,
        Column("gamma", "γ", value=str),
        Column("hedging_cost", "hedging cost", 0, lambda gamma: -float(own(gamma, "hedging_cost").mean())),
        Column("risk_cost", "risk cost", 0, lambda gamma: -float(own(gamma, "risk_cost").mean())),
        Column("cost", "sum", 0, lambda gamma: mean(cost(gamma)), interval=False),
        Column("relative", "relative to γ = 0", 2, lambda gamma: ratio(cost(gamma), cost("0"))),
        Column("above", "above the cheapest", 1, lambda gamma: mean(cost(gamma) - cost(GAMMAS[cheapest]))),
        Column("spread_revenue", "spread revenue", 0, lambda gamma: float(own(gamma, "spread_revenue").mean())),
        Column("position_revenue", "", value=lambda gamma: float(own(gamma, "position_revenue").mean())),
        Column("reward", "total reward", 0, lambda gamma: mean(own(gamma, "total_reward")), interval=False),
        Column("gain", "above γ = 0", 0, lambda gamma: mean(own(gamma, "total_reward") - own("0", "total_reward"))),
        Column("pnl", "P&L", 1, lambda gamma: mean(own(gamma, "pnl")), interval=False),
    )


def _over_time(scenario: Scenario, results: Results, label: str) -> Figure:
    time = observe.cost_times(scenario)
    return Figure(
        f"figure-{FIGURES[label]}",
        f"Fig. {FIGURES[label]}. Cost so far at {label} volatility, by γ: mean over the runs. The paper shows one path of each.",
        [
            Line(time, _so_far(results, label, gamma).mean(axis=0), f"γ = {gamma}", colour, 1.4, style)
            for gamma, colour, style in _lines()
        ],
        x=Axis("step (15 minutes each)"),
        y=Axis("hedging + risk cost so far (price × units)"),
        legend=Legend(8),
    )


def _beside_zero(scenario: Scenario, results: Results, label: str) -> Figure:
    time, zero = observe.cost_times(scenario), _so_far(results, label, GAMMAS[0])
    marks: list[Mark] = []
    for gamma, colour, style in _lines()[1:]:
        gap = mean(_so_far(results, label, gamma) - zero)
        marks += [Band(time, gap.low, gap.high, colour), Line(time, gap.value, f"γ = {gamma}", colour, 1.4, style)]
    return Figure(
        f"differences-{label[:2]}",
        f"The same at {label} as paired differences to γ = 0, run by run: mean, and bands of 95 % intervals. Below 0 is cheaper.",
        [*marks, Level(0)],
        x=Axis("step (15 minutes each)"),
        y=Axis("cost so far, less that at γ = 0"),
        legend=Legend(8),
    )


def _lines() -> list[tuple[str, Any, Style]]:
    """γ, colour and style of each line; neighbours in colour differ in style."""
    styles: tuple[Style, ...] = ("-", "--", ":")
    return list(zip(GAMMAS, sequence(len(GAMMAS)), cycle(styles), strict=False))


def _parts(results: Results, label: str) -> Figure:
    place = np.arange(len(GAMMAS))
    hedging, risk = ([-_mean(results, label, g, name) for g in GAMMAS] for name in ("hedging_cost", "risk_cost"))
    return Figure(
        f"costs-{label[:2]}",
        f"What the cost is made of at {label} volatility; black: 95 % intervals of the sum.",
        [
            Bars(place, hedging, "hedging cost", COLOURS[0]),
            Bars(place, risk, "risk cost", COLOURS[1], base=hedging),
            Whiskers(place, mean(costs(results[label])), cap=3),
        ],
        x=Axis("risk aversion γ", ticks=GAMMAS),
        y=Axis("cost of a run (price × units)", room=0.2),
        legend=Legend(9, "upper center", columns=2),
    )
