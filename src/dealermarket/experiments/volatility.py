"""Volatility: which risk aversion is cheapest, and how that moves with volatility (Figs 8 and 9)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from dealermarket.experiments import observe
from dealermarket.experiments.estimates import interval_of, mean, ratio, resampled_means
from dealermarket.experiments.experiment import INFINITE, Experiment, Results, Variation, with_risk_aversion
from dealermarket.experiments.findings import Column, Figure, Table, Verdict, bracketed, interval_column, judged, with_interval
from dealermarket.experiments.study import Array, Measures, Study
from dealermarket.plots import COLOURS, heat_map, sequence
from dealermarket.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STUDIED = 0
GAMMAS = ("0", "0.05", "0.25", "0.5", "1", "2", INFINITE)
LOW, HIGH = "10 %", "30 %"
VOLATILITIES = {LOW: 0.1, HIGH: 0.3}
CURVE_GAMMAS = ("0", "0.01", "0.05", "0.1", "0.25", "0.5", "1", "2", INFINITE)
CURVE_VOLATILITIES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6)
CURVE_SHARE = 0.4  # of the runs, for the curve over volatilities
CONFIDENCE = 0.95
FIG_8 = "γ from 0 to 0.25 cheapest, above 1 dearest"
FIG_9 = "γ = 0.5 cheapest, 0 and 0.05 dearest"


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
    variations = (
        Variation("v_max", "exchange.v_max", (5000.0, 7000.0, 9000.0, 12000.0)),
        Variation("alpha", "makers.*.pricing.alpha", (1.1, 1.3, 1.7)),
        Variation("tier penalty", "makers.*.pricing.tier_penalty", (2e-4, 3.6e-4, 5e-4, 8e-4)),
        Variation("t_m", "reward_horizon", (1, 8, 16)),
        Variation("EWMA weight", "makers.*.tiering.weight", (0.02, 0.1, 0.2)),
        Variation("sd of log size", "investors.*.log_std", (0.25, 0.7)),
        Variation("tiers", "makers.*.tiering.tiers", (3, 8)),
    )

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [
            Study(
                label, _by_gamma(_at(scenario, volatility), GAMMAS), runs, partial(observe.cumulative_costs, points=50), "steps"
            )
            for label, volatility in VOLATILITIES.items()
        ]

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        curve = [
            Study(
                _curve(volatility),
                _by_gamma(_at(scenario, volatility), CURVE_GAMMAS),
                max(int(CURVE_SHARE * runs), 2),
                observe.totals,
            )
            for volatility in CURVE_VOLATILITIES
        ]
        potato = [
            Study(f"both {label}", _by_gamma(_at(scenario, volatility), GAMMAS, "*"), runs, observe.totals)
            for label, volatility in VOLATILITIES.items()
        ]
        return [*curve, *potato]

    # --- what the measures say

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        return [*self._low_verdicts(_costs(results[LOW])), *self._high_verdicts(_costs(results[HIGH]))]

    def _low_verdicts(self, costs: Array) -> list[Verdict]:
        middle, resampled = costs.mean(axis=0), resampled_means(costs, seed=0)
        cheapest = int(np.argmin(middle))
        patient = np.argmin(resampled, axis=1) <= GAMMAS.index("0.25")
        above_one = [GAMMAS.index("2"), GAMMAS.index(INFINITE)]
        dearer = (resampled[:, above_one] > resampled[:, [cheapest]]).all(axis=1)
        gaps = mean(costs[:, above_one] - costs[:, [cheapest]])
        return [
            _bootstrapped(
                "10 %: patience is cheapest",
                "At 10 % volatility the cheapest γ is at most 0.25.",
                patient,
                f"Cheapest is γ = {GAMMAS[cheapest]}; order from cheap to dear: {_order(middle)}; in the paper {FIG_8}",
            ),
            _bootstrapped(
                "10 %: γ > 1 is dearer",
                "At 10 % volatility every γ above 1 costs more than the cheapest.",
                dearer,
                "; ".join(f"γ = {GAMMAS[n]} costs {bracketed(gaps[k], 1)} more" for k, n in enumerate(above_one)),
            ),
        ]

    def _high_verdicts(self, costs: Array) -> list[Verdict]:
        middle, resampled = costs.mean(axis=0), resampled_means(costs, seed=0)
        cheapest = int(np.argmin(middle))
        hasty = np.argmin(resampled, axis=1) >= GAMMAS.index("0.25")
        few = [GAMMAS.index("0"), GAMMAS.index("0.05")]
        rest = [n for n in range(len(GAMMAS)) if n not in few]
        dearest = resampled[:, few].min(axis=1) > resampled[:, rest].max(axis=1)
        nearest = rest[int(np.argmax(middle[rest]))]
        gaps = mean(costs[:, few] - costs[:, [nearest]])
        return [
            _bootstrapped(
                "30 %: hedging is cheapest",
                "At 30 % volatility the cheapest γ is at least 0.25.",
                hasty,
                f"Cheapest is γ = {GAMMAS[cheapest]}; order from cheap to dear: {_order(middle)}; in the paper {FIG_9}",
            ),
            _bootstrapped(
                "30 %: 0 and 0.05 are dearest",
                "At 30 % volatility γ = 0 and γ = 0.05 cost most.",
                dearest,
                "; ".join(
                    f"γ = {GAMMAS[n]} costs {bracketed(gaps[k], 1)} more than γ = {GAMMAS[nearest]}" for k, n in enumerate(few)
                ),
            ),
        ]

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        return [
            *(self._costs_table(results, label) for label in VOLATILITIES),
            self._curve_table(results),
            self._potato_table(results),
        ]

    def _costs_table(self, results: Results, label: str) -> Table:
        costs = _costs(results[label])
        cheapest = int(np.argmin(costs.mean(axis=0)))
        rewards = np.stack([results[label][gamma]["total_reward"][:, STUDIED] for gamma in GAMMAS], axis=1)
        rows = []
        for n, gamma in enumerate(GAMMAS):
            measures = results[label][gamma]
            rows.append(
                {
                    "gamma": gamma,
                    "hedging_cost": float(np.mean(-measures["hedging_cost"][:, STUDIED])),
                    "risk_cost": float(np.mean(-measures["risk_cost"][:, STUDIED])),
                    **with_interval("cost", mean(costs[:, n])),
                    **with_interval("relative", ratio(costs[:, n], costs[:, 0])),
                    **with_interval("above", mean(costs[:, n] - costs[:, cheapest])),
                    **with_interval("reward", mean(rewards[:, n])),
                    **with_interval("gain", mean(rewards[:, n] - rewards[:, 0])),
                }
            )
        return Table(
            f"costs-{label[:2]}",
            f"Volatility {label}: costs and reward of a run by the maker's γ (price × units), mean and 95 % interval; "
            f"differences are paired, run by run, with the cheapest γ = {GAMMAS[cheapest]} and with γ = 0.",
            pd.DataFrame(rows),
            (
                Column("gamma", "γ"),
                Column("hedging_cost", "hedging cost", 1),
                Column("risk_cost", "risk cost", 1),
                Column("cost", "sum", 1),
                interval_column("relative", "relative to γ = 0", 2),
                interval_column("above", "above the cheapest", 1),
                Column("reward", "total reward", 1),
                interval_column("gain", "above γ = 0", 1),
            ),
        )

    def _curve_table(self, results: Results) -> Table:
        rows = []
        for volatility in CURVE_VOLATILITIES:
            costs = _costs(results[_curve(volatility)])
            best, low, high = _best(costs)
            rows.append(
                {
                    "volatility": volatility,
                    "best": CURVE_GAMMAS[best],
                    "from": CURVE_GAMMAS[low],
                    "to": CURVE_GAMMAS[high],
                    **with_interval("saved_0", mean(costs[:, 0] - costs[:, best])),
                    **with_interval("saved_all", mean(costs[:, -1] - costs[:, best])),
                    "cost": float(costs[:, best].mean()),
                }
            )
        return Table(
            "best-gamma",
            "The best γ by volatility, with the range in which it falls in 95 % of bootstrap samples of the runs; what it "
            "costs, and what it saves against γ = 0 and against hedging everything at once (γ = ∞).",
            pd.DataFrame(rows),
            (
                Column("volatility", "volatility (%)", 0, 100.0),
                Column("best", "best γ"),
                Column("from", "from"),
                Column("to", "to"),
                Column("cost", "cost", 1),
                interval_column("saved_0", "saved against γ = 0", 1),
                interval_column("saved_all", "saved against γ = ∞", 1),
            ),
        )

    def _potato_table(self, results: Results) -> Table:
        rows = []
        for label in VOLATILITIES:
            for gamma in GAMMAS:
                one, both = results[label][gamma], results[f"both {label}"][gamma]
                rows.append(
                    {
                        "volatility": label,
                        "gamma": gamma,
                        **with_interval("one_passed", ratio(one["hedge_volume"].sum(axis=1), one["client_volume"].sum(axis=1))),
                        **with_interval("passed", ratio(both["hedge_volume"].sum(axis=1), both["client_volume"].sum(axis=1))),
                        **with_interval("one_cost", mean(_cost(one))),
                        **with_interval("cost", mean(_cost(both))),
                        **with_interval("more", mean(_cost(both) - _cost(one))),
                    }
                )
        return Table(
            "hot-potato",
            "The hot potato: both makers at the same γ, beside the maker alone at γ while its competitor keeps its own. Volume "
            "passed on (hedged) per unit of client volume in the whole market; hedging and risk cost of the first maker.",
            pd.DataFrame(rows),
            (
                Column("volatility", "volatility"),
                Column("gamma", "γ"),
                interval_column("one_passed", "passed on, one at γ", 1),
                interval_column("passed", "passed on, both at γ", 1),
                Column("one_cost", "cost, one at γ", 1),
                Column("cost", "cost, both at γ", 1),
                interval_column("more", "more", 1),
            ),
        )

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        return [
            *(self._over_time(scenario, results, number, label) for number, label in (("8", LOW), ("9", HIGH))),
            *(self._bars(results, label) for label in VOLATILITIES),
            self._best_figure(results),
            self._map_figure(results),
            self._potato_figure(results),
        ]

    def _over_time(self, scenario: Scenario, results: Results, number: str, label: str) -> Figure:
        def draw(ax: Axes) -> None:
            for gamma, colour in zip(GAMMAS, sequence(len(GAMMAS)), strict=True):
                measures = results[label][gamma]
                so_far = mean((measures["hedging_cost_so_far"] + measures["risk_cost_so_far"])[:, :, STUDIED])
                time = np.linspace(0, scenario.steps, len(so_far.value))
                ax.fill_between(time, so_far.low, so_far.high, color=colour, alpha=0.2, lw=0)
                ax.plot(time, so_far.value, color=colour, lw=1.3, label=f"γ = {gamma}")
            ax.set(xlabel="step (15 minutes each)", ylabel="hedging + risk cost so far (price × units)")
            ax.legend(fontsize=8)

        return Figure(
            f"figure-{number}",
            f"Fig. {number}. Cost so far at {label} volatility, by γ: mean over the runs, bands are its 95 % intervals. The "
            "paper shows one path of each.",
            draw,
        )

    def _bars(self, results: Results, label: str) -> Figure:
        def draw(ax: Axes) -> None:
            place = np.arange(len(GAMMAS))
            hedging, risk = (
                np.array([np.mean(-results[label][g][name][:, STUDIED]) for g in GAMMAS])
                for name in ("hedging_cost", "risk_cost")
            )
            total = mean(_costs(results[label]))
            ax.bar(place, hedging, color=COLOURS[0], label="hedging cost")
            ax.bar(place, risk, bottom=hedging, color=COLOURS[1], label="risk cost")
            ax.errorbar(place, total.value, total.high - total.value, fmt="none", color="black", lw=1, capsize=3)
            ax.set_xticks(place, labels=GAMMAS)
            ax.set(xlabel="risk aversion γ", ylabel="cost of a run (price × units)", ylim=(0, 1.25 * float(total.high.max())))
            ax.legend(fontsize=9, ncols=2, loc="upper center")

        return Figure(
            f"costs-{label[:2]}", f"What the cost is made of at {label} volatility; black: 95 % intervals of the sum.", draw
        )

    def _best_figure(self, results: Results) -> Figure:
        found = np.array([_best(_costs(results[_curve(volatility)])) for volatility in CURVE_VOLATILITIES])

        def draw(ax: Axes) -> None:
            percent = 100 * np.array(CURVE_VOLATILITIES)
            ax.fill_between(
                percent, found[:, 1], found[:, 2], color=COLOURS[4], alpha=0.4, lw=0, label="95 % of bootstrap samples"
            )
            ax.plot(percent, found[:, 0], color=COLOURS[0], marker="o", lw=1.3, label="best γ")
            ax.set_yticks(range(len(CURVE_GAMMAS)), labels=CURVE_GAMMAS)
            ax.set(xlabel="volatility (% a year)", ylabel="risk aversion γ (of those tried)")
            ax.legend(fontsize=9)

        return Figure(
            "best-gamma",
            "The γ with the smallest sum of hedging and risk cost, by volatility; only the γ on the axis were tried.",
            draw,
        )

    def _map_figure(self, results: Results) -> Figure:
        costs = np.array([_costs(results[_curve(volatility)]).mean(axis=0) for volatility in CURVE_VOLATILITIES]).T
        above = 100 * (costs / costs.min(axis=0) - 1)

        def draw(ax: Axes) -> None:
            heat_map(ax, above, "{:.0f}", top=60.0)
            ax.set_yticks(range(len(CURVE_GAMMAS)), labels=CURVE_GAMMAS)
            ax.set_xticks(range(len(CURVE_VOLATILITIES)), labels=[f"{100 * volatility:g}" for volatility in CURVE_VOLATILITIES])
            ax.set(xlabel="volatility (% a year)", ylabel="risk aversion γ")

        return Figure("cost-map", "Cost in percent above that of the cheapest γ at the same volatility (0: the cheapest).", draw)

    def _potato_figure(self, results: Results) -> Figure:
        def draw(ax: Axes) -> None:
            place = np.arange(len(GAMMAS))
            for k, (prefix, who) in enumerate((("", "one maker at γ"), ("both ", "both makers at γ"))):
                for label, style in zip(VOLATILITIES, ("-", "--"), strict=True):
                    found = results[f"{prefix}{label}"]
                    passed = [ratio(found[g]["hedge_volume"].sum(axis=1), found[g]["client_volume"].sum(axis=1)) for g in GAMMAS]
                    values, highs = np.array([p.value for p in passed]), np.array([p.high for p in passed])
                    ax.errorbar(
                        place,
                        values,
                        highs - values,
                        color=COLOURS[k],
                        ls=style,
                        marker="o",
                        ms=4,
                        lw=1.3,
                        capsize=2,
                        label=f"{who}, {label}",
                    )
            ax.set_xticks(place, labels=GAMMAS)
            ax.set(xlabel="risk aversion γ", ylabel="volume hedged / client volume", ylim=(0, None))
            ax.legend(fontsize=8)

        return Figure(
            "hot-potato",
            "The hot potato: how often a unit of client volume is passed on between the makers. Bars: 95 % intervals.",
            draw,
        )

    def notes(self, scenario: Scenario, results: Results) -> list[str]:
        best = {
            label: max(GAMMAS, key=lambda g: float(np.mean(results[label][g]["total_reward"][:, STUDIED])))
            for label in VOLATILITIES
        }
        largest = {label: max(GAMMAS, key=lambda g: float(np.mean(_cost(results[f"both {label}"][g])))) for label in VOLATILITIES}
        return [
            f"The competitor keeps γ = {getattr(scenario.makers[1].hedging, 'risk_aversion', 'none')}, except for the hot "
            "potato. γ = ∞ hedges everything at every step.",
            "Both makers at one γ, the dearest is "
            + " and ".join(f"γ = {gamma} at {label}" for label, gamma in largest.items())
            + ": they only pass the position back and forth, and pay for it each time.",
            "Cost is not all: by total reward the best is "
            + " and ".join(f"γ = {gamma} at {label}" for label, gamma in best.items())
            + ", since a maker that holds its position longer also gains and loses by it.",
            "The paper's figures show one path for each γ. The whole order of its Fig. 8 is reported above, not required.",
        ]


def _at(scenario: Scenario, volatility: float) -> Scenario:
    return scenario.with_settings(f"market.mid_price.volatility={volatility}")


def _by_gamma(scenario: Scenario, gammas: tuple[str, ...], maker: int | str = STUDIED) -> dict[str, Scenario]:
    return {gamma: with_risk_aversion(scenario, maker, gamma) for gamma in gammas}


def _curve(volatility: float) -> str:
    return f"curve {volatility:g}"


def _cost(measures: Measures) -> Array:
    """Hedging and risk cost of the studied maker, (replicas,), above 0."""
    return np.asarray(-(measures["hedging_cost"] + measures["risk_cost"])[:, STUDIED])


def _costs(by_gamma: Mapping[str, Measures]) -> Array:
    """The same for every γ, (replicas, γ)."""
    return np.stack([_cost(measures) for measures in by_gamma.values()], axis=1)


def _best(costs: Array) -> tuple[int, int, int]:
    """The cheapest γ by number, and the range of it in 95 % of bootstrap samples."""
    low, high = interval_of(np.argmin(resampled_means(costs, seed=0), axis=1))
    return int(np.argmin(costs.mean(axis=0))), int(low), int(high)


def _order(costs: Array) -> str:
    return ", ".join(GAMMAS[n] for n in np.argsort(costs, kind="stable"))


def _bootstrapped(name: str, claim: str, true_in: ArrayLike, evidence: str) -> Verdict:
    """A verdict from the bootstrap samples in which a claim is true."""
    share = float(np.mean(np.asarray(true_in, dtype=np.float64)))
    said = f"{evidence}. True in {100 * share:.1f} % of bootstrap samples of the runs."
    return Verdict(name, claim, judged(share >= CONFIDENCE, share <= 1 - CONFIDENCE), said)
