"""Markouts: what trades are worth to the makers as time passes, by investor and by tier."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Experiment, Results, Variation
from dealermarket.papers.findings import (
    Column,
    Figure,
    Table,
    Verdict,
    basis_points,
    interval_column,
    judged,
    number,
    with_interval,
)
from dealermarket.plots.run import sequence
from dealermarket.study import measures as observe
from dealermarket.study.estimates import Estimate, joint, ratio
from dealermarket.study.study import Array, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 16
TELLING = 0.1  # the oracle probability that a study must be able to tell from none
SHOWN = (1, 2, 4, 8, 16)


class Markouts(Experiment):
    """Position revenue per unit by horizon, held against what an oracle must be worth."""

    name = "markouts"
    title = "Markouts"
    source = "Not there; the plot that a dealing desk looks at first"
    question = (
        "How much is a trade worth to its maker h steps later? The position revenue of a unit, by horizon, for every investor "
        "and every tier: does it show who knows where the price goes?"
    )
    preset = "informed"
    runs = 300
    variations = (
        Variation("v_max", "exchange.v_max", (50.0, 1000.0)),
        Variation("alpha", "makers.*.pricing.alpha", (1.1, 1.7)),
        Variation("tier penalty", "makers.*.pricing.tier_penalty", (1e-5, 3e-4)),
        Variation("t_m", "reward_horizon", (1, 2, 8)),
        Variation("EWMA weight", "makers.*.tiering.weight", (0.01, 0.2)),
        Variation("sd of log size", "investors.*.log_std", (0.25, 1.0)),
        Variation("volatility", "market.mid_price.volatility", (0.02, 0.3)),
    )

    def checked(self, scenario: Scenario) -> Scenario:
        scenario = super().checked(scenario)
        if scenario.steps <= LONGEST or scenario.reward_horizon > LONGEST:
            raise ParameterError(
                f"{self.name}: needs more than {LONGEST} steps and a reward_horizon of at most {LONGEST}, {scenario.name!r} has "
                f"{scenario.steps} and {scenario.reward_horizon}"
            )
        return scenario

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [Study("trades", {"market": scenario}, runs, partial(observe.markouts, longest=LONGEST), "trades")]

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        found, points = _markout(results, "investor"), basis_points(scenario)
        oracle, judged_at = _oracle(scenario), scenario.reward_horizon
        runs = len(results["trades"]["market"]["by_investor"])
        # how many standard errors each investor may be off, if all are to be right in 95 of 100 studies
        allowed = stats.t.ppf(0.5 + joint(len(oracle)) / 2, runs - 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            away = np.abs(found.value - _expected(scenario, oracle))[:, judged_at] / found.error[:, judged_at]
        known = float(np.max(allowed * found.error[:, judged_at]))
        enough = float(-_expected(scenario, np.array([TELLING]))[0, judged_at])
        verdicts = [
            Verdict(
                "as the theory",
                "At the horizon of the oracle every investor's markout is that of the theory: −p σ √(2 dt t_m / π).",
                judged(bool(np.all(away <= allowed)) and known <= enough, bool(np.any(away > allowed))),
                f"{int(np.sum(away <= allowed))} of {len(away)} investors within {number(allowed, 2)} standard errors, the "
                f"furthest at {number(np.max(away), 2)}; all are known to ±{number(known, 2, points)} bp (to say more than "
                f"undecided: ±{number(enough, 2, points)}, the markout of an oracle probability of {TELLING:g}).",
            )
        ]
        informed = oracle > 0
        if informed.any():
            value, low, high = (bound[informed, judged_at] for bound in (found.value, found.low, found.high))
            verdicts.append(
                Verdict(
                    "informed: below 0",
                    "At that horizon trades with every informed investor have lost money before spread.",
                    judged(bool(np.all(high < 0)), bool(np.any(low > 0))),
                    f"{int(np.sum(high < 0))} of {int(informed.sum())} intervals lie below 0; markouts from "
                    f"{number(value.max(), 2, points)} to {number(value.min(), 2, points)} bp.",
                )
            )
        return verdicts

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        expected, points = _expected(scenario, _oracle(scenario)), basis_points(scenario)
        investors = [
            {"investor": agent.name, "oracle": agent.oracle_probability, "expected": expected[n, scenario.reward_horizon]}
            for n, agent in enumerate(scenario.agents)
        ]
        tiers = [{"tier": tier} for tier in range(results["trades"]["market"]["by_tier"].shape[1])]
        first = {
            "investor": (
                Column("investor", "investor"),
                Column("oracle", "oracle probability", 2),
                Column("expected", f"theory at h = {scenario.reward_horizon}", 2, points),
            ),
            "tier": (Column("tier", "tier", 0),),
        }
        shown = tuple(interval_column(f"h_{h}", f"h = {h}", 2, points) for h in SHOWN)
        tables = []
        for group, rows in (("investor", investors), ("tier", tiers)):
            found = _markout(results, group)
            for n, row in enumerate(rows):
                for h in range(LONGEST + 1):
                    row.update(with_interval(f"h_{h}", found[n, h]))
            caption = f"Position revenue per unit h steps after the trade, by {group} (basis points), all makers; 95 % intervals."
            tables.append(Table(f"by-{group}", caption, pd.DataFrame(rows), (*first[group], *shown)))
        return tables

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        points, horizons = basis_points(scenario), np.arange(LONGEST + 1)
        expected = points * _expected(scenario, _oracle(scenario))
        labels = {
            "investor": [f"{n} ({100 * agent.oracle_probability:.0f} %)" for n, agent in enumerate(scenario.agents)],
            "tier": [str(tier) for tier in range(results["trades"]["market"]["by_tier"].shape[1])],
        }

        def figure(group: str, caption: str) -> Figure:
            found = _markout(results, group)

            def draw(ax: Axes) -> None:
                colours = sequence(len(labels[group]))
                for n, (label, colour) in enumerate(zip(labels[group], colours, strict=True)):
                    middle, half = points * found.value[n], points * (found.high[n] - found.value[n])
                    ax.fill_between(horizons, middle - half, middle + half, color=colour, alpha=0.25, lw=0)
                    ax.plot(horizons, middle, color=colour, lw=1.3, label=label)
                    if group == "investor":
                        ax.plot(
                            horizons,
                            expected[n],
                            color="black",
                            lw=0.6,
                            ls=":",
                            label="theory" if n == len(labels[group]) - 1 else None,
                        )
                ax.axhline(0, color="black", lw=0.8)
                ax.axvline(scenario.reward_horizon, color="black", lw=0.8, ls="--")
                ax.set(xlabel="horizon h (steps of 15 minutes)", ylabel="position revenue per unit (basis points)")
                title = "investor (oracle)" if group == "investor" else "tier"
                ax.legend(title=title, fontsize=8, title_fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))

            return Figure(f"by-{group}", caption, draw, (5.4, 3.5))

        bands = f"Bands: 95 % intervals; the dashed line is the oracle's horizon t_m = {scenario.reward_horizon}."
        return [
            figure(
                "investor", f"Markouts by investor, with the probability that it asks the oracle; dotted: the theory. {bands}"
            ),
            figure("tier", f"Markouts by the tier in which the trade was quoted. {bands}"),
        ]

    def notes(self, scenario: Scenario, results: Results) -> list[str]:
        return [
            "The theory: with probability p the side is the sign of a normal price move of standard deviation σ √(dt t_m), so "
            "the maker loses p σ √(2 dt / π) h / √t_m per unit by horizon h ≤ t_m, and no more after it. Spreads come on top.",
            f"Trades of the last {LONGEST} steps are left out, so that every horizon has the same trades.",
        ]


def _markout(results: Results, group: str) -> Estimate:
    """Position revenue per unit, (groups, horizons), price units."""
    found = results["trades"]["market"]
    return ratio(found[f"by_{group}"], found[f"by_{group}_volume"][:, :, None])


def _oracle(scenario: Scenario) -> Array:
    return np.array([agent.oracle_probability for agent in scenario.agents])


def _expected(scenario: Scenario, oracle: Array) -> Array:
    """The markout that oracle probabilities (n,) imply, (n, horizons), price units."""
    horizon = scenario.reward_horizon
    mid, reached = scenario.market.mid_price.initial, np.minimum(np.arange(LONGEST + 1), horizon)
    deviation = float(scenario.market.step_volatility(mid))
    return np.asarray(-oracle[:, None] * deviation * np.sqrt(2 / np.pi) * reached / np.sqrt(horizon))
