"""Sophistication: investors who know where the price goes, the tiers they end in, and what tiering saves (section 3.2)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Experiment, Table, Verdict, above, basis_points, below, estimated, left_open, number
from dealermarket.papers.glossary import words
from dealermarket.plots import COLOURS, Axis, Bars, Figure, Heat, Level, Mark, Points, Whiskers, tall
from dealermarket.runs.statistics import quotient
from dealermarket.study import Array, Estimate, Measures, Study, mean, observe, ratio, slopes

MAKERS = WITH, WITHOUT, NOBODY = "with tiers", "without tiers", "nobody tiers"


class Sophistication(Experiment):
    """One population with oracle probabilities from 0 up; a maker with tiers, the same maker without."""

    name = "sophistication"
    title = "Sophisticated investors and tiering"
    source = "Described in the paper, without a run"
    question = (
        "Some investors know, with some probability, where the price will be t_m steps later. Does a maker that tiers its "
        "clients by average yield find them, and what does it save?"
    )
    words = words("oracle probability p", "t_m", "tier", "yield", "total reward", "P&L", "basis point (bp)", "price × units")
    preset = "informed"
    runs = 300
    variations = (
        *left_open(v_max=(50.0, 1000.0), alpha=(1.1, 1.7), tier_penalty=(1e-5, 3e-5, 3e-4), t_m=(1, 2, 8, 16)),
        *left_open(weight=(0.01, 0.02, 0.1, 0.2), log_std=(0.25, 1.0), volatility=(0.02, 0.05, 0.3)),
    )

    def needs(self, scenario: Scenario) -> str | None:
        if len({agent.oracle_probability for agent in scenario.agents}) < 2:
            return f"investors of different oracle_probability, those of {scenario.name!r} are all alike"
        return None

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        variants = {WITH: scenario, WITHOUT: scenario.with_settings(f"makers.{self.studied}.tiering.tiers=1")}
        return [Study("tiering", variants, runs, observe.client_yields, "trades")]

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        nobody = scenario.with_settings("makers.*.tiering.tiers=1")
        return [Study("nobody", {NOBODY: nobody}, runs, observe.client_yields, "trades")]

    def verdicts(self) -> Iterator[Verdict]:
        oracle, points = oracles(self.scenario), basis_points(self.scenario)
        tier = mean(slopes(self._own(WITH, "last_tier"), oracle))
        earned = mean(slopes(quotient(self._own(WITH, "revenue"), self._own(WITH, "matured_volume")), oracle))
        saved = mean(self._per_unit(WITH) - self._per_unit(WITHOUT))
        gains = {name: estimated(self._saved(WITHOUT, name), 2) for name in ("total_reward", "pnl", "risk_cost")}
        shares = [number(100 * float(self._share(label).value), 0) for label in (WITH, WITHOUT)]
        yield Verdict(
            "tier rises",
            "The more an investor knows, the worse the tier it ends in.",
            above(tier),
            f"From oracle probability 0 to 1 the last tier rises by {estimated(tier, 2)}.",
        )
        yield Verdict(
            "yield falls",
            "The more an investor knows, the less the maker earns per unit traded with it.",
            below(earned),
            f"From oracle probability 0 to 1 the yield changes by {estimated(earned, 2, points)} bp.",
        )
        yield Verdict(
            "tiering saves",
            "Per unit traded with investors the maker earns more with tiers than without.",
            above(saved),
            f"Spread and position revenue are {estimated(saved, 2, points)} bp a unit higher with tiers (paired). The maker also "
            f"trades less: it has {shares[0]} % of the market with tiers and {shares[1]} % without. Over a whole run tiers "
            f"change total reward by {gains['total_reward']}, of which {gains['risk_cost']} is risk cost, and P&L by "
            f"{gains['pnl']} (price × units).",
        )

    def tables(self) -> Iterator[Table]:
        points, per_unit = basis_points(self.scenario), {label: self._per_unit(label) for label in MAKERS}
        volume = self._own(WITH, "matured_volume"), self._measures(WITH).total("matured_volume")
        yield Table.of(
            "clients",
            "By investor: the tier in which the maker quoted its last trade (0 is best), the maker's yield from it (basis "
            "points), and the maker's share of its volume.",
            range(len(self.scenario.agents)),
            *investor_columns(self.scenario),
            Column("tier", "last tier", 2, mean(self._own(WITH, "last_tier"))),
            Column("yield", "yield (bp)", 2, self._earned(WITH), points),
            Column("share", "maker's share", 3, ratio(*volume)),
        )
        yield Table.of(
            "makers",
            "The maker with tiers, without tiers, and where its competitor has none either: its share of the investors' volume; "
            "yield over all investors (basis points); P&L of a run (price × units); and by how much yield, P&L and total reward "
            "are higher with tiers (paired).",
            MAKERS,
            Column("maker", "maker", value=str),
            Column("share", "share", 2, self._share),
            Column("per_unit", "yield (bp)", 2, lambda label: mean(per_unit[label]), points),
            Column("saved_per_unit", "yield: tiers save", 2, lambda label: mean(per_unit[WITH] - per_unit[label]), points),
            Column("pnl", "P&L", 2, lambda label: mean(self._own(label, "pnl"))),
            Column("saved_pnl", "P&L: tiers save", 2, lambda label: self._saved(label, "pnl")),
            Column("risk_cost", "", value=lambda label: float(self._own(label, "risk_cost").mean())),
            Column("reward", "", value=lambda label: mean(self._own(label, "total_reward"))),
            Column("saved", "total reward: tiers save", 2, lambda label: self._saved(label, "total_reward")),
        )

    def figures(self) -> Iterator[Figure]:
        last, oracle = self._own(WITH, "last_tier"), oracles(self.scenario)
        tiers = range(self.scenario.makers[self.studied].tiering.tiers)
        traded = np.maximum((~np.isnan(last)).sum(axis=0), 1)
        parts = ("spread_revenue", "position_revenue", "risk_cost", "total_reward")
        earned: list[Mark] = []
        rewards: list[Mark] = []
        for k, label in enumerate(MAKERS):
            earned.append(Points(oracle, self._earned(label).scaled(basis_points(self.scenario)), label, COLOURS[k]))
            reward = mean(np.stack([self._own(label, part) for part in parts], axis=1))
            place = np.arange(len(parts)) + 0.27 * (k - 1)
            rewards += [Bars(place, reward.value, label, COLOURS[k], 0.25), Whiskers(place, reward)]
        yield Figure(
            "last-tier",
            "Share of the runs in which an investor's last trade with the maker was quoted in each tier.",
            [Heat(np.stack([(last == tier).sum(axis=0) / traded for tier in tiers], axis=1), top=0.8)],
            x=Axis("tier of its last trade", ticks=[str(tier) for tier in tiers]),
            y=Axis(
                "investor (oracle probability)",
                ticks=[f"{agent.name} ({100 * agent.oracle_probability:.0f} %)" for agent in self.scenario.agents],
            ),
            size=tall(len(oracle)),
        )
        yield Figure(
            "yield",
            "The maker's yield from an investor, by what the investor knows. Bars: 95 % intervals.",
            [*earned, Level(0)],
            x=Axis("oracle probability"),
            y=Axis("yield (basis points)"),
        )
        yield Figure(
            "rewards",
            "The maker's rewards with tiers, without tiers, and where nobody tiers. Black bars: 95 % intervals.",
            [*rewards, Level(0)],
            x=Axis(ticks=[part.replace("_", "\n") for part in parts]),
            y=Axis("reward of a run (price × units)"),
        )

    def notes(self) -> list[str]:
        return [
            "The oracle decides which side an investor takes, not whether it trades.",
            "The competitor tiers by average yield throughout, except where nobody tiers. Without tiers the maker quotes "
            "everybody its best price, so the clients whom the competitor has put into worse tiers come to it.",
        ]

    def _measures(self, label: str) -> Measures:
        return self.results["nobody" if label == NOBODY else "tiering"][label]

    def _own(self, label: str, name: str) -> Array:
        return self._measures(label).of(self.studied)[name]

    def _saved(self, label: str, name: str) -> Estimate:
        """By how much a measure is higher with tiers, in paired runs."""
        return mean(self._own(WITH, name) - self._own(label, name))

    def _earned(self, label: str) -> Estimate:
        """Spread and position revenue per unit, of each investor (N,)."""
        return ratio(self._own(label, "revenue"), self._own(label, "matured_volume"))

    def _per_unit(self, label: str) -> Array:
        """Spread and position revenue per unit traded with investors in each run, (replicas,); NaN where nothing matured."""
        return quotient(*(self._own(label, name).sum(axis=1) for name in ("revenue", "matured_volume")))

    def _share(self, label: str) -> Estimate:
        """Of the investors' volume."""
        return ratio(self._own(label, "client_volume"), self._measures(label).total("client_volume"))


def oracles(scenario: Scenario) -> Array:
    """The oracle probability of every investor, (N,)."""
    return np.array([agent.oracle_probability for agent in scenario.agents])


def investor_columns(scenario: Scenario) -> list[Column]:
    """Name and oracle probability of an investor; rows are the investors' numbers."""
    return [
        Column("investor", "investor", value=lambda n: scenario.agents[n].name),
        Column("oracle", "oracle probability", 2, lambda n: scenario.agents[n].oracle_probability),
    ]
