"""Markouts: what trades are worth to the makers as time passes, by investor and by tier."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Experiment, Table, Verdict, agrees, basis_points, below, left_open, number
from dealermarket.papers.dealer_market.sophistication import investor_columns, oracles
from dealermarket.plots import Axis, Band, Figure, Legend, Level, Line, Mark, sequence
from dealermarket.study import LEVEL, Array, Estimate, Study, joint, observe, ratio

LONGEST = 16
TELLING = 0.1  # the oracle probability that a study must be able to tell from none
SHOWN = (1, 2, 4, 8, 16)


class Markouts(Experiment):
    """Position revenue per unit by horizon, held against what an oracle must be worth."""

    name = "markouts"
    source = "Not there; the plot that a dealing desk looks at first"
    question = (
        "How much is a trade worth to its maker h steps later? The position revenue of a unit, by horizon, for every investor "
        "and every tier: does it show who knows where the price goes?"
    )
    preset = "informed"
    runs = 300
    variations = (
        *left_open(v_max=(50.0, 1000.0), alpha=(1.1, 1.7), tier_penalty=(1e-5, 3e-4), t_m=(1, 2, 8)),
        *left_open(weight=(0.01, 0.2), log_std=(0.25, 1.0), volatility=(0.02, 0.3)),
    )

    def needs(self, scenario: Scenario) -> str | None:
        if scenario.steps > LONGEST >= scenario.reward_horizon:
            return None
        return (
            f"more than {LONGEST} steps and a reward_horizon of at most {LONGEST}, {scenario.name!r} has {scenario.steps} and "
            f"{scenario.reward_horizon}"
        )

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [Study("trades", {"market": scenario}, runs, partial(observe.markouts, longest=LONGEST), "trades")]

    def verdicts(self) -> Iterator[Verdict]:
        oracle, horizon, points = oracles(self.scenario), self.scenario.reward_horizon, basis_points(self.scenario)
        markout = self._markout("investor")[:, horizon]
        at_once = self._markout("investor", joint(len(oracle)))[:, horizon]
        expected = _expected(self.scenario, oracle)[:, horizon]
        known, enough = float(np.max(at_once.margin)), float(-_expected(self.scenario, np.array([TELLING]))[0, horizon])
        with np.errstate(invalid="ignore", divide="ignore"):
            away = np.abs(markout.value - expected) / markout.error
            allowed = float(np.nanmax(at_once.margin / at_once.error))
        yield Verdict(
            "as the theory",
            "At the horizon of the oracle every investor's markout is that of the theory: −p σ √(2 dt t_m / π).",
            agrees(at_once, expected, known, enough),
            f"{int(np.sum(away <= allowed))} of {len(away)} investors within {number(allowed, 2)} standard errors, the "
            f"furthest at {number(np.max(away), 2)}; all are known to ±{number(known, 2, points)} bp (to say more than "
            f"undecided: ±{number(enough, 2, points)}, the markout of an oracle probability of {TELLING:g}).",
        )
        if (oracle > 0).any():
            informed = markout[oracle > 0]
            yield Verdict(
                "informed: below 0",
                "At that horizon trades with every informed investor have lost money before spread.",
                below(informed),
                f"{int(np.sum(informed.high < 0))} of {len(informed.value)} intervals lie below 0; markouts from "
                f"{number(informed.value.max(), 2, points)} to {number(informed.value.min(), 2, points)} bp.",
            )

    def tables(self) -> Iterator[Table]:
        points, horizon = basis_points(self.scenario), self.scenario.reward_horizon
        expected = _expected(self.scenario, oracles(self.scenario))
        theory = Column("expected", f"theory at h = {horizon}", 2, expected[:, horizon], points)
        yield self._table("investor", [*investor_columns(self.scenario), theory])
        yield self._table("tier", [Column("tier", "tier", 0, int)])

    def _table(self, group: str, first: list[Column]) -> Table:
        """The markouts of every investor or tier, by horizon; `first` are the columns that say which one it is."""
        markout, points = self._markout(group), basis_points(self.scenario)
        at = [Column(f"h_{h}", f"h = {h}" if h in SHOWN else "", 2, markout[:, h], points) for h in range(LONGEST + 1)]
        caption = f"Position revenue per unit h steps after the trade, by {group} (basis points), all makers; 95 % intervals."
        return Table.of(f"by-{group}", caption, range(len(markout.value)), *first, *at)

    def figures(self) -> Iterator[Figure]:
        bands = f"Bands: 95 % intervals; the dashed line is the oracle's horizon t_m = {self.scenario.reward_horizon}."
        yield self._figure(
            "investor",
            f"Markouts by investor, with the probability that it asks the oracle; dotted: the theory. {bands}",
            "investor (oracle)",
            [f"{n} ({100 * agent.oracle_probability:.0f} %)" for n, agent in enumerate(self.scenario.agents)],
            basis_points(self.scenario) * _expected(self.scenario, oracles(self.scenario)),
        )
        tiers = [str(tier) for tier in range(len(self._markout("tier").value))]
        yield self._figure("tier", f"Markouts by the tier in which the trade was quoted. {bands}", "tier", tiers)

    def _figure(self, group: str, caption: str, title: str, labels: list[str], theory: Array | None = None) -> Figure:
        markout, horizons = self._markout(group).scaled(basis_points(self.scenario)), np.arange(LONGEST + 1)
        marks: list[Mark] = []
        for n, (label, colour) in enumerate(zip(labels, sequence(len(labels)), strict=True)):
            own = markout[n]
            marks += [Band(horizons, own.low, own.high, colour, 0.25), Line(horizons, own.value, label, colour)]
            if theory is not None:
                marks.append(Line(horizons, theory[n], "theory" if n == len(labels) - 1 else None, width=0.6, style=":"))
        return Figure(
            f"by-{group}",
            caption,
            [*marks, Level(0), Level(self.scenario.reward_horizon, "x", style="--")],
            x=Axis("horizon h (steps of 15 minutes)"),
            y=Axis("position revenue per unit (basis points)"),
            legend=Legend(8, title=title, beside=True),
            size=(5.4, 3.5),
        )

    def notes(self) -> list[str]:
        return [
            "The theory: with probability p the side is the sign of a normal price move of standard deviation σ √(dt t_m), so "
            "the maker loses p σ √(2 dt / π) h / √t_m per unit by horizon h ≤ t_m, and no more after it. Spreads come on top.",
            f"Trades of the last {LONGEST} steps are left out, so that every horizon has the same trades.",
        ]

    def _markout(self, group: str, level: float = LEVEL) -> Estimate:
        """Position revenue per unit, (groups, horizons), price units."""
        trades = self.results["trades"]["market"]
        return ratio(trades[f"by_{group}"], trades[f"by_{group}_volume"][:, :, None], level)


def _expected(scenario: Scenario, oracle: Array) -> Array:
    """The markout that oracle probabilities (n,) imply, (n, horizons), price units."""
    horizon = scenario.reward_horizon
    mid, reached = scenario.market.mid_price.initial, np.minimum(np.arange(LONGEST + 1), horizon)
    deviation = float(scenario.market.step_volatility(mid))
    return np.asarray(-oracle[:, None] * deviation * np.sqrt(2 / np.pi) * reached / np.sqrt(horizon))
