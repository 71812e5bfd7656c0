"""Volatility: which risk aversion is cheapest, and how that moves with volatility (Figs 8 and 9)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import cycle, pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dealermarket.estimates import LEVEL, joint, mean, ratio, resampled
from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Experiment, Table, Verdict, bracketed, decided, left_open, number
from dealermarket.papers.dealer_market import best_gamma
from dealermarket.papers.dealer_market.best_gamma import STUDIED, costs
from dealermarket.plots import COLOURS, Axis, Band, Bars, Figure, Legend, Level, Line, Mark, Points, Style, Whiskers, sequence
from dealermarket.study import INFINITE, Array, Estimate, Study, at_volatility, by_risk_aversion, observe

GAMMAS = ("0", "0.05", "0.25", "0.5", "1", "2", INFINITE)
LOW, HIGH = "10 %", "30 %"
VOLATILITIES = {LOW: 0.1, HIGH: 0.3}
BOTH = {label: f"both makers, {label}" for label in VOLATILITIES}  # the studies in which both makers have the same γ
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
    studied = STUDIED
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
        hot_potato = [
            Study(BOTH[label], by_risk_aversion(at_volatility(scenario, volatility), GAMMAS, "*"), runs, observe.totals)
            for label, volatility in VOLATILITIES.items()
        ]
        return [*best_gamma.studies(scenario, runs), *hot_potato]

    def verdicts(self) -> Iterator[Verdict]:
        low, high = (costs(self.results[label]) for label in VOLATILITIES)
        yield _cheapest(LOW, "at most 0.25", "≤ 0.25", low, SMALL, LARGE)
        yield _dearer(low)
        yield _cheapest(HIGH, "at least 0.25", "≥ 0.25", high, FROM_025, BELOW_025)
        yield _dearest(high)

    def tables(self) -> Iterator[Table]:
        yield from map(self._costs_table, VOLATILITIES)
        yield best_gamma.table(self.results)
        yield self._hot_potato_table()

    def figures(self) -> Iterator[Figure]:
        for figures_of_costs in (self._over_time, self._beside_zero, self._parts):
            yield from map(figures_of_costs, VOLATILITIES)
        yield from best_gamma.figures(self.results)
        yield self._hot_potato_figure()

    def differences(self) -> Iterator[str]:
        for label, papers in PAPERS_ORDER.items():
            middle = costs(self.results[label]).mean(axis=0)
            groups = [[middle[GAMMAS.index(gamma)] for gamma in group] for group in papers]
            if any(max(cheaper) > min(dearer) for cheaper, dearer in pairwise(groups)):
                paper, where = "; ".join(map(", ".join, papers)), f"in Fig. {FIGURES[label]} ({label})"
                yield f"The order of γ from cheap to dear {where} is {paper}; here it is {_order(middle)}."

    def notes(self) -> Iterator[str]:
        def best(name: str) -> str:
            return " and ".join(f"γ = {max(GAMMAS, key=lambda g: self._mean(v, g, name))} at {v}" for v in VOLATILITIES)

        spread = [number(self._mean(LOW, gamma, "spread_revenue"), 0) for gamma in (GAMMAS[0], GAMMAS[-1])]
        yield (
            f"The competitor keeps γ = {getattr(self.scenario.makers[1].hedging, 'risk_aversion', 'none')}, except for the hot "
            "potato. γ = ∞ hedges everything at every step."
        )
        yield (
            f"Cost is not all. By total reward the best is {best('total_reward')}; by P&L it is {best('pnl')}. Total reward "
            f"also has the spreads that others pay the maker, the competitor's hedges included: {spread[0]} at γ = 0 and "
            f"{spread[1]} at γ = ∞, at {LOW}."
        )
        said = []
        for label, study in BOTH.items():
            dearest = GAMMAS[int(np.argmax(costs(self.results[study]).mean(axis=0)))]
            times = bracketed(self._passed(study, dearest), 1)
            said.append(f"γ = {dearest} at {label}, where a unit of client volume is passed on {times} times")
        yield f"With both makers at one γ, the dearest is {' and '.join(said)}."
        yield "The paper's figures show one path for each γ. The whole order of its Fig. 8 is reported, not required."

    def _cost(self, study: str, gamma: str) -> Array:
        """Hedging and risk cost in each run, (replicas,)."""
        return costs(self.results[study])[:, GAMMAS.index(gamma)]

    def _passed(self, study: str, gamma: str) -> Estimate:
        """Volume hedged per unit of client volume, in the whole market."""
        measures = self.results[study][gamma]
        return ratio(measures.total("hedge_volume"), measures.total("client_volume"))

    def _mean(self, label: str, gamma: str, name: str) -> float:
        return float(self.own(label, gamma, name).mean())

    def _so_far(self, label: str, gamma: str) -> Array:
        """Hedging and risk cost so far, (replicas, times)."""
        return np.asarray(sum(self.own(label, gamma, f"{part}_so_far") for part in ("hedging_cost", "risk_cost")))

    def _costs_table(self, label: str) -> Table:
        cost, cheapest = partial(self._cost, label), GAMMAS[int(np.argmin(costs(self.results[label]).mean(axis=0)))]
        reward = partial(self.own, label, name="total_reward")
        return Table.of(
            f"costs-{label[:2]}",
            f"Volatility {label}: costs, rewards and P&L of a run by the maker's γ (price × units), means and 95 % intervals; "
            f"differences are paired, run by run, with the cheapest γ = {cheapest} and with γ = 0.",
            GAMMAS,
            Column("gamma", "γ", value=str),
            Column("hedging_cost", "hedging cost", 0, lambda gamma: -self._mean(label, gamma, "hedging_cost")),
            Column("risk_cost", "risk cost", 0, lambda gamma: -self._mean(label, gamma, "risk_cost")),
            Column("cost", "sum", 0, lambda gamma: mean(cost(gamma)), interval=False),
            Column("relative", "relative to γ = 0", 2, lambda gamma: ratio(cost(gamma), cost("0"))),
            Column("above", "above the cheapest", 1, lambda gamma: mean(cost(gamma) - cost(cheapest))),
            Column("spread_revenue", "spread revenue", 0, lambda gamma: self._mean(label, gamma, "spread_revenue")),
            Column("position_revenue", "", value=lambda gamma: self._mean(label, gamma, "position_revenue")),
            Column("reward", "total reward", 0, lambda gamma: mean(reward(gamma)), interval=False),
            Column("gain", "above γ = 0", 0, lambda gamma: mean(reward(gamma) - reward("0"))),
            Column("pnl", "P&L", 1, lambda gamma: mean(self.own(label, gamma, "pnl")), interval=False),
        )

    def _over_time(self, label: str) -> Figure:
        time = observe.cost_times(self.scenario)
        return Figure(
            f"figure-{FIGURES[label]}",
            f"Fig. {FIGURES[label]}. Cost so far at {label} volatility, by γ: mean over the runs. The paper shows one path of "
            "each.",
            [
                Line(time, self._so_far(label, gamma).mean(axis=0), f"γ = {gamma}", colour, 1.4, style)
                for gamma, colour, style in _lines()
            ],
            x=Axis("step (15 minutes each)"),
            y=Axis("hedging + risk cost so far (price × units)"),
            legend=Legend(8),
        )

    def _beside_zero(self, label: str) -> Figure:
        time, zero = observe.cost_times(self.scenario), self._so_far(label, GAMMAS[0])
        marks: list[Mark] = []
        for gamma, colour, style in _lines()[1:]:
            gap = mean(self._so_far(label, gamma) - zero)
            marks += [Band(time, gap.low, gap.high, colour), Line(time, gap.value, f"γ = {gamma}", colour, 1.4, style)]
        return Figure(
            f"differences-{label[:2]}",
            f"The same at {label} as paired differences to γ = 0, run by run: mean, and bands of 95 % intervals. Below 0 is "
            "cheaper.",
            [*marks, Level(0)],
            x=Axis("step (15 minutes each)"),
            y=Axis("cost so far, less that at γ = 0"),
            legend=Legend(8),
        )

    def _parts(self, label: str) -> Figure:
        place = np.arange(len(GAMMAS))
        hedging, risk = ([-self._mean(label, gamma, name) for gamma in GAMMAS] for name in ("hedging_cost", "risk_cost"))
        return Figure(
            f"costs-{label[:2]}",
            f"What the cost is made of at {label} volatility; black: 95 % intervals of the sum.",
            [
                Bars(place, hedging, "hedging cost", COLOURS[0]),
                Bars(place, risk, "risk cost", COLOURS[1], base=hedging),
                Whiskers(place, mean(costs(self.results[label])), cap=3),
            ],
            x=Axis("risk aversion γ", ticks=GAMMAS),
            y=Axis("cost of a run (price × units)", room=0.2),
            legend=Legend(9, "upper center", columns=2),
        )

    def _hot_potato_table(self) -> Table:
        return Table.of(
            "hot-potato",
            "The hot potato: both makers at the same γ, beside the maker alone at γ while its competitor keeps its own. Volume "
            "passed on (hedged) per unit of client volume in the whole market; hedging and risk cost of the first maker (price "
            "× units).",
            [(label, gamma) for label in BOTH for gamma in GAMMAS],
            Column("volatility", "volatility", value=lambda row: row[0]),
            Column("gamma", "γ", value=lambda row: row[1]),
            Column("one_passed", "passed on, one at γ", 1, lambda row: self._passed(*row)),
            Column("passed", "passed on, both at γ", 1, lambda row: self._passed(BOTH[row[0]], row[1])),
            Column("one_cost", "cost, one at γ", 1, lambda row: mean(self._cost(*row)), interval=False),
            Column("cost", "cost, both at γ", 1, lambda row: mean(self._cost(BOTH[row[0]], row[1])), interval=False),
            Column("more", "more", 1, lambda row: mean(self._cost(BOTH[row[0]], row[1]) - self._cost(*row))),
        )

    def _hot_potato_figure(self) -> Figure:
        styles: tuple[Style, Style] = ("-", "--")
        marks = []
        for who, colour, studies in (("one maker", COLOURS[0], tuple(BOTH)), ("both makers", COLOURS[1], BOTH.values())):
            for label, study, style in zip(BOTH, studies, styles, strict=True):
                passed = Estimate.stacked(self._passed(study, gamma) for gamma in GAMMAS)
                marks.append(Points(range(len(GAMMAS)), passed, f"{who} at γ, {label}", colour, style))
        return Figure(
            "hot-potato",
            "The hot potato: how often a unit of client volume is passed on between the makers. Bars: 95 % intervals.",
            marks,
            x=Axis("risk aversion γ", ticks=GAMMAS),
            y=Axis("volume hedged / client volume", limits=(0, None)),
            legend=Legend(8),
        )


def _cheapest(label: str, said: str, short: str, costs: Array, wanted: slice, others: slice) -> Verdict:
    means, middle = resampled(costs), costs.mean(axis=0)
    lowest, rest = means[:, wanted].min(axis=1), means[:, others].min(axis=1)
    evidence = f"Cheapest is γ = {GAMMAS[int(np.argmin(middle))]}; from cheap to dear: {_order(middle)}."
    claim = f"At {label} volatility the cheapest γ is {said}."
    return _verdict(f"{label}: cheapest γ {short}", claim, lowest < rest, np.mean(rest < lowest) >= LEVEL, evidence)


def _dearer(costs: Array) -> Verdict:
    means, cheapest = resampled(costs), int(np.argmin(costs.mean(axis=0)))
    high = means[:, ABOVE_ONE].min(axis=1)
    fails = np.mean(high < np.delete(means, ABOVE_ONE, axis=1).min(axis=1)) >= LEVEL
    claim, evidence = f"At {LOW} volatility every γ above 1 costs more than the cheapest.", _more(costs, ABOVE_ONE, cheapest)
    return _verdict(f"{LOW}: γ > 1 dearer", claim, high > means.min(axis=1), fails, evidence)


def _dearest(costs: Array) -> Verdict:
    means = resampled(costs)
    true = means[:, BELOW_025].min(axis=1) > means[:, FROM_025].max(axis=1)
    pairs = costs[:, FROM_025][:, :, None] - costs[:, BELOW_025][:, None, :]
    nearest = 2 + int(np.argmax(costs.mean(axis=0)[FROM_025]))
    claim, evidence = f"At {HIGH} volatility γ = 0 and γ = 0.05 cost most.", _more(costs, BELOW_025, nearest)
    return _verdict(f"{HIGH}: 0, 0.05 dearest", claim, true, mean(pairs, joint(pairs[0].size)).low > 0, evidence)


def _verdict(name: str, claim: str, true: Array, fails: ArrayLike, evidence: str) -> Verdict:
    """On a claim that holds where it is true in 95 % of the bootstrap samples of the runs; `true` says in which it is."""
    share = np.mean(true)
    said = f"{evidence} True in {100 * share:.1f} % of bootstrap samples of the runs."
    return Verdict(name, claim, decided(share >= LEVEL, fails), said)


def _more(costs: Array, dear: slice, cheap: int) -> str:
    """How much more each of some γ costs than another, in words."""
    gaps = mean(costs[:, dear] - costs[:, [cheap]])
    more = "; ".join(f"γ = {gamma} costs {bracketed(gaps[n], 1)} more" for n, gamma in enumerate(GAMMAS[dear]))
    return f"{more} than γ = {GAMMAS[cheap]}."


def _order(costs: Array) -> str:
    return ", ".join(GAMMAS[n] for n in np.argsort(costs, kind="stable"))


def _lines() -> list[tuple[str, Any, Style]]:
    """γ, colour and style of each line; neighbours in colour differ in style."""
    styles: tuple[Style, ...] = ("-", "--", ":")
    return list(zip(GAMMAS, sequence(len(GAMMAS)), cycle(styles), strict=False))
