"""Volatility: which risk aversion is cheapest, and how that moves with volatility (Figs 8 and 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from dealermarket.estimates import joint, mean, ratio
from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import comparisons, in_steps
from dealermarket.papers import Column, Experiment, Table, Verdict, decided, estimated, left_open, number
from dealermarket.papers.dealer_market import best_gamma
from dealermarket.papers.dealer_market.best_gamma import STUDIED, costs
from dealermarket.papers.glossary import words
from dealermarket.plots import (
    COLOURS,
    Axis,
    Band,
    Bars,
    Figure,
    Legend,
    Level,
    Line,
    Mark,
    Points,
    Style,
    Whiskers,
    drawn_once,
    sequence,
)
from dealermarket.study import INFINITE, Array, Estimate, Study, at_volatility, by_risk_aversion, observe

GAMMAS = ("0", "0.05", "0.25", "0.5", "1", "2", INFINITE)
LOW, HIGH = "10 %", "30 %"
VOLATILITIES = {LOW: 0.1, HIGH: 0.3}
BOTH = {label: f"both makers, {label}" for label in VOLATILITIES}  # the studies in which both makers have the same γ
FIGURES = {LOW: "8", HIGH: "9"}
UP_TO_025, FROM_025, UP_TO_ONE = range(3), range(2, 7), range(5)  # by number in GAMMAS
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
        "A hedge costs money now; waiting costs money when the price moves against the position. Which risk aversion γ makes "
        "hedging cost plus risk cost smallest, at a volatility of 10 % and of 30 % a year?"
    )
    words = words("γ", "cost", "total reward", "P&L", "price × units", "hot potato")
    headline = "cost-map"
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
        claim = f"At {LOW} volatility the cheapest γ is at most 0.25."
        yield _cheapest(f"{LOW}: cheapest γ ≤ 0.25", claim, low, UP_TO_025)
        claim = f"At {LOW} volatility every γ above 1 costs more than the cheapest."
        yield _cheapest(f"{LOW}: γ > 1 dearer", claim, low, UP_TO_ONE)
        claim = f"At {HIGH} volatility the cheapest γ is at least 0.25."
        yield _cheapest(f"{HIGH}: cheapest γ ≥ 0.25", claim, high, FROM_025)
        yield _dearest(f"{HIGH}: 0, 0.05 dearest", f"At {HIGH} volatility γ = 0 and γ = 0.05 cost most.", high, FROM_025)

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
            found = costs(self.results[label])
            groups = [[GAMMAS.index(gamma) for gamma in group] for group in papers]
            pairs = [(cheap, dear) for a, b in combinations(groups, 2) for cheap in a for dear in b]
            turned = mean(np.stack([found[:, cheap] - found[:, dear] for cheap, dear in pairs], axis=1), joint(len(pairs)))
            if (turned.low > 0).any():
                most = int(np.argmax(turned.low))
                cheap, dear = (GAMMAS[n] for n in pairs[most])
                yield (
                    f"In Fig. {FIGURES[label]} ({label}) the order of γ from cheap to dear is "
                    f"{'; '.join(map(', '.join, papers))}; here it is {_order(found.mean(axis=0))}. Clearest: in the paper γ = "
                    f"{cheap} is cheaper than γ = {dear}, here it costs {estimated(turned[most], 0)} more "
                    f"({comparisons(len(pairs))})."
                )

    def notes(self) -> Iterator[str]:
        yield (
            f"The competitor keeps γ = {getattr(self.scenario.makers[1].hedging, 'risk_aversion', 'none')}, except where both "
            "makers have the same γ."
        )
        spread = [number(self._mean(LOW, gamma, "spread_revenue"), 0) for gamma in (GAMMAS[0], GAMMAS[-1])]
        yield (
            f"Cost is not all. {' '.join(map(self._by_other_measures, VOLATILITIES))} Total reward also has the spreads that "
            f"others pay the maker, and the competitor pays it for hedges: {spread[0]} in all at γ = 0 and {spread[1]} at γ = ∞, "
            f"at {LOW}."
        )
        said = []
        for label, study in BOTH.items():
            dearest = GAMMAS[int(np.argmax(costs(self.results[study]).mean(axis=0)))]
            times = estimated(self._passed(study, dearest), 1)
            said.append(f"γ = {dearest} at {label}, where each unit of client volume is hedged {times} times")
        yield f"If both makers have the same γ, the dearest is {' and '.join(said)}."
        yield "The paper's figures show one path for each γ, so that its whole order is not asked as a claim."

    def _by_other_measures(self, label: str) -> str:
        """Which γ is best by total reward and by P&L, and how surely."""
        by_reward, by_pnl = (max(GAMMAS, key=lambda g: self._mean(label, g, name)) for name in ("total_reward", "pnl"))
        said = f"At {label} the best by total reward is γ = {by_reward}; by P&L it is γ = {by_pnl}"
        if by_reward == by_pnl:
            return f"{said}, too."
        lead = mean(self.own(label, by_pnl, "pnl") - self.own(label, by_reward, "pnl"), joint(len(GAMMAS)))
        return f"{said}, by {estimated(lead, 1)} more than γ = {by_reward} ({comparisons(len(GAMMAS))})."

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
        reward, pnl = (partial(self.own, label, name=name) for name in ("total_reward", "pnl"))
        return Table.of(
            f"costs-{label[:2]}",
            f"Volatility {label}: costs, total reward and P&L of a run, by the maker's γ (price × units). Differences are "
            f"paired, run by run: to the cheapest, γ = {cheapest}, and to γ = 0.",
            GAMMAS,
            Column("gamma", "γ", value=str),
            Column("hedging_cost", "hedging cost", 0, lambda gamma: -self._mean(label, gamma, "hedging_cost")),
            Column("risk_cost", "risk cost", 0, lambda gamma: -self._mean(label, gamma, "risk_cost")),
            Column("cost", "sum", 0, lambda gamma: mean(cost(gamma)), interval=False),
            Column("relative", "", 2, lambda gamma: ratio(cost(gamma), cost("0"))),
            Column("above", "above the cheapest", 1, lambda gamma: mean(cost(gamma) - cost(cheapest))),
            Column("spread_revenue", "", 0, lambda gamma: self._mean(label, gamma, "spread_revenue")),
            Column("position_revenue", "", value=lambda gamma: self._mean(label, gamma, "position_revenue")),
            Column("reward", "total reward", 0, lambda gamma: mean(reward(gamma)), interval=False),
            Column("gain", "above γ = 0", 0, lambda gamma: mean(reward(gamma) - reward("0"))),
            Column("pnl", "P&L", 1, lambda gamma: mean(pnl(gamma))),
            Column("pnl_gain", "P&L above γ = 0", 1, lambda gamma: mean(pnl(gamma) - pnl("0"))),
        )

    def _over_time(self, label: str) -> Figure:
        lines = drawn_once({gamma: self._so_far(label, gamma).mean(axis=0) for gamma in GAMMAS})
        time = observe.cost_times(self.scenario)
        return Figure(
            f"figure-{FIGURES[label]}",
            f"Fig. {FIGURES[label]}. Cost so far at {label} volatility, by γ: mean over the runs. The paper shows one path of "
            f"each.{_as_one(lines)}",
            [Line(time, self._so_far(label, gammas[0]).mean(axis=0), *_look(gammas)) for gammas in lines],
            x=Axis(in_steps(self.scenario.market)),
            y=Axis("cost so far (price × units)"),
            legend=Legend(below=True, columns=3),
            size=(4.8, 3.9),
        )

    def _beside_zero(self, label: str) -> Figure:
        time, zero = observe.cost_times(self.scenario), self._so_far(label, GAMMAS[0])
        gaps = {gamma: mean(self._so_far(label, gamma) - zero) for gamma in GAMMAS[1:]}
        lines = drawn_once({gamma: gap.value for gamma, gap in gaps.items()})
        marks: list[Mark] = []
        for gammas in lines:
            gap, (name, colour, width, style) = gaps[gammas[0]], _look(gammas)
            marks += [Band(time, gap.low, gap.high, colour), Line(time, gap.value, name, colour, width, style)]
        return Figure(
            f"differences-{label[:2]}",
            f"The same at {label} as paired differences to γ = 0, run by run: mean, and bands of 95 % intervals. Below 0 is "
            f"cheaper than γ = 0.{_as_one(lines)}",
            [*marks, Level(0)],
            x=Axis(in_steps(self.scenario.market)),
            y=Axis("cost so far, less that at γ = 0"),
            legend=Legend(below=True, columns=3),
            size=(4.8, 3.9),
        )

    def _parts(self, label: str) -> Figure:
        place = np.arange(len(GAMMAS))
        hedging, risk = ([-self._mean(label, gamma, name) for gamma in GAMMAS] for name in ("hedging_cost", "risk_cost"))
        return Figure(
            f"costs-{label[:2]}",
            f"What the cost is made of at {label} volatility. Black bars: 95 % intervals of the sum.",
            [
                Bars(place, hedging, "hedging cost", COLOURS[0]),
                Bars(place, risk, "risk cost", COLOURS[1], base=hedging),
                Whiskers(place, mean(costs(self.results[label])), cap=3),
            ],
            x=Axis("risk aversion γ", ticks=GAMMAS),
            y=Axis("cost of a run (price × units)", room=0.2),
            legend=Legend(place="upper center", columns=2),
        )

    def _hot_potato_table(self) -> Table:
        return Table.of(
            "hot-potato",
            "The hot potato: one maker at γ while its competitor keeps its own, and both makers at γ. Volume hedged per unit of "
            "client volume in the whole market; hedging and risk cost of the first maker (price × units).",
            [(label, gamma) for label in BOTH for gamma in GAMMAS],
            Column("volatility", "volatility", value=lambda row: row[0]),
            Column("gamma", "γ", value=lambda row: row[1]),
            Column("one_passed", "hedged / client volume, one at γ", 1, lambda row: self._passed(*row)),
            Column("passed", "hedged / client volume, both at γ", 1, lambda row: self._passed(BOTH[row[0]], row[1])),
            Column("one_cost", "cost, one at γ", 1, lambda row: mean(self._cost(*row)), interval=False),
            Column("cost", "cost, both at γ", 1, lambda row: mean(self._cost(BOTH[row[0]], row[1])), interval=False),
            Column("more", "difference of cost", 1, lambda row: mean(self._cost(BOTH[row[0]], row[1]) - self._cost(*row))),
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
            "The hot potato: how often a unit of client volume is hedged, and so passed on between the makers. Bars: 95 % "
            "intervals.",
            marks,
            x=Axis("risk aversion γ", ticks=GAMMAS),
            y=Axis("volume hedged / client volume", limits=(0, None)),
            legend=Legend(below=True, columns=2),
            size=(4.8, 3.9),
        )


def _cheapest(name: str, claim: str, costs: Array, wanted: Sequence[int]) -> Verdict:
    """On the claim that one of the `wanted` γ costs less than every other γ.

    One comparison decides: the cheapest of all against that of the other group which is least surely dearer. Its interval is
    widened for the number of γ among which the cheapest was chosen."""
    others = [n for n in range(len(GAMMAS)) if n not in wanted]
    first = int(np.argmin(costs.mean(axis=0)))
    own, rest = (list(wanted), others) if first in wanted else (others, list(wanted))
    more = mean(costs[:, rest] - costs[:, [first]], joint(len(own)))
    nearest = int(np.argmin(more.low))
    sure = bool(more.low[nearest] > 0)
    among = f", one for each γ among which the cheapest was chosen: {', '.join(GAMMAS[n] for n in own)}" if len(own) > 1 else ""
    return Verdict(
        name,
        claim,
        decided(sure and first in wanted, sure and first not in wanted),
        f"γ = {GAMMAS[first]} is the cheapest in these runs. The hardest to tell from it among γ = "
        f"{', '.join(GAMMAS[n] for n in rest)} is γ = {GAMMAS[rest[nearest]]}, which costs {estimated(more[nearest], 1)} more "
        f"(paired, {comparisons(len(own))}{among}).",
    )


def _dearest(name: str, claim: str, costs: Array, cheap: Sequence[int]) -> Verdict:
    """On the claim that every γ that is not among the `cheap` costs more than each of them."""
    pairs = [(dear, other) for dear in range(len(GAMMAS)) if dear not in cheap for other in cheap]
    gaps = np.stack([costs[:, dear] - costs[:, other] for dear, other in pairs], axis=1)
    more, all_at_once = mean(gaps), mean(gaps, joint(len(pairs)))
    turned = bool((all_at_once.high < 0).any())
    pair = int(np.argmin(all_at_once.high if turned else more.low))
    told = f"{estimated(all_at_once[pair], 1)} more ({comparisons(len(pairs))})" if turned else f"{estimated(more[pair], 1)} more"
    dear, other = (GAMMAS[n] for n in pairs[pair])
    return Verdict(
        name,
        claim,
        decided(more.low > 0, turned),
        f"Of all {len(pairs)} pairs, compared run by run, the hardest to tell apart is γ = {dear} and γ = {other}: γ = {dear} "
        f"costs {told}."
        if not turned
        else f"γ = {dear} costs {told} than γ = {other}.",
    )


def _order(costs: Array) -> str:
    return ", ".join(GAMMAS[n] for n in np.argsort(costs, kind="stable"))


def _look(gammas: Sequence[str]) -> tuple[str, Any, float, Style]:
    """Label, colour, width and style of the line of one γ, or of several whose lines coincide; neighbours in colour differ in
    style."""
    styles: tuple[Style, ...] = ("-", "--", ":")
    place = GAMMAS.index(gammas[0])
    return f"γ = {', '.join(gammas)}", sequence(len(GAMMAS))[place], 1.4, styles[place % len(styles)]


def _as_one(lines: Sequence[Sequence[str]]) -> str:
    """What a caption says of lines that coincide."""
    return " γ whose lines coincide share one." if any(len(gammas) > 1 for gammas in lines) else ""
