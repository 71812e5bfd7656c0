"""Sophistication: investors who know where the price goes, the tiers they end in, and what tiering saves (section 3.2)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Experiment, Table, Verdict, basis_points, bracketed, left_open, number, signed
from dealermarket.plots import COLOURS, Axis, Bars, Figure, Heat, Level, Mark, Points, Whiskers
from dealermarket.runs.statistics import quotient
from dealermarket.study import Array, Estimate, Measures, Study, mean, observe, p_not_above_zero, ratio, slopes

STUDIED = 0  # the maker that is looked at
WITH, WITHOUT, NOBODY = "with tiers", "without tiers", "nobody tiers"


class Sophistication(Experiment):
    """One population with oracle probabilities from 0 up; a maker with tiers, the same maker without."""

    name = "sophistication"
    title = "Sophisticated investors and tiering"
    source = "Described there and never run"
    question = (
        "Some investors know with some probability where the price will be when their trade is judged. Does tiering by average "
        "yield find them, and what does it save the maker?"
    )
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
        variants = {WITH: scenario, WITHOUT: scenario.with_settings(f"makers.{STUDIED}.tiering.tiers=1")}
        return [Study("tiering", variants, runs, observe.client_yields, "trades")]

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        nobody = scenario.with_settings("makers.*.tiering.tiers=1")
        return [Study("nobody", {NOBODY: nobody}, runs, observe.client_yields, "trades")]

    def verdicts(self) -> Iterator[Verdict]:
        oracle, points = oracles(self.scenario), basis_points(self.scenario)
        tiered, untiered = self.results["tiering"][WITH], self.results["tiering"][WITHOUT]
        own = tiered.of(STUDIED)
        tier = slopes(own["last_tier"], oracle)
        cheaper = slopes(quotient(own["revenue"], own["matured_volume"]), oracle)
        saved = _per_unit(tiered) - _per_unit(untiered)
        gains = {name: bracketed(self._saved(WITHOUT, name), 2) for name in ("total_reward", "pnl", "risk_cost")}
        shares = [number(100 * float(_share(measures).value), 0) for measures in (tiered, untiered)]
        yield signed(
            "tier rises",
            "The more an investor knows, the worse the tier it ends in (one-sided p < 0.01).",
            p_not_above_zero(tier),
            f"From oracle probability 0 to 1 the last tier rises by {bracketed(mean(tier), 2)}",
        )
        yield signed(
            "yield falls",
            "The more an investor knows, the less the maker earns per unit traded with it (one-sided p < 0.01).",
            p_not_above_zero(-cheaper),
            f"From oracle probability 0 to 1 the yield changes by {bracketed(mean(cheaper), 2, points)} bp",
        )
        yield signed(
            "tiering saves",
            "Per unit traded with investors the maker earns more with tiers than without (spread and position revenue, "
            "paired, one-sided p < 0.01).",
            p_not_above_zero(saved),
            f"Tiering saves {bracketed(mean(saved), 2, points)} bp a unit. In all: total reward {gains['total_reward']}, of "
            f"it risk cost {gains['risk_cost']}, and P&L {gains['pnl']} a run (price × units), with {shares[0]} % of the "
            f"market in place of {shares[1]} %",
        )

    def tables(self) -> Iterator[Table]:
        measures, variants, points = self.results["tiering"][WITH], self._variants, basis_points(self.scenario)
        share = ratio(measures.of(STUDIED)["matured_volume"], measures.total("matured_volume"))
        per_unit = {label: _per_unit(measures) for label, measures in variants.items()}
        yield Table.of(
            "clients",
            "By investor: the tier in which the maker quoted its last trade (0 is best), what the maker earned per unit traded "
            "with it (spread and position revenue, basis points), and the maker's share of its volume; 95 % intervals in "
            "brackets.",
            range(len(self.scenario.agents)),
            *investor_columns(self.scenario),
            Column("tier", "last tier", 2, mean(measures.of(STUDIED)["last_tier"])),
            Column("yield", "yield (bp)", 2, _earned(measures), points),
            Column("share", "maker's share", 3, share),
        )
        yield Table.of(
            "makers",
            "The maker with tiers, without, and where its competitor has none either: its share of the investors' volume; spread "
            "and position revenue per unit (basis points); P&L and total reward of a run (price × units), and what tiering saves "
            "of each (paired).",
            variants,
            Column("maker", "maker", value=str),
            Column("share", "share", 2, lambda label: _share(variants[label])),
            Column("per_unit", "revenue per unit", 2, lambda label: mean(per_unit[label]), points),
            Column("saved_per_unit", "tiering saves", 2, lambda label: mean(per_unit[WITH] - per_unit[label]), points),
            Column("pnl", "P&L", 2, lambda label: mean(variants[label].of(STUDIED)["pnl"])),
            Column("saved_pnl", "tiering saves", 2, lambda label: self._saved(label, "pnl")),
            Column("risk_cost", "", value=lambda label: float(variants[label].of(STUDIED)["risk_cost"].mean())),
            Column("reward", "", value=lambda label: mean(variants[label].of(STUDIED)["total_reward"])),
            Column("saved", "of total reward", 2, lambda label: self._saved(label, "total_reward")),
        )

    def figures(self) -> Iterator[Figure]:
        last, oracle = self.own("tiering", WITH, "last_tier"), oracles(self.scenario)
        tiers = range(self.scenario.makers[STUDIED].tiering.tiers)
        traded = np.maximum((~np.isnan(last)).sum(axis=0), 1)
        parts = ("spread_revenue", "position_revenue", "risk_cost", "total_reward")
        earned: list[Mark] = []
        rewards: list[Mark] = []
        for k, (label, measures) in enumerate(self._variants.items()):
            own = measures.of(STUDIED)
            earned.append(Points(oracle, _earned(measures).scaled(basis_points(self.scenario)), label, COLOURS[k]))
            reward, place = mean(np.stack([own[part] for part in parts], axis=1)), np.arange(len(parts)) + 0.27 * (k - 1)
            rewards += [Bars(place, reward.value, label, COLOURS[k], 0.25), Whiskers(place, reward)]
        yield Figure(
            "last-tier",
            "Share of the runs in which an investor's last trade with the maker was quoted in each tier.",
            [Heat(np.stack([(last == tier).sum(axis=0) / traded for tier in tiers], axis=1), top=0.8)],
            x=Axis("tier of its last trade", ticks=[str(tier) for tier in tiers]),
            y=Axis("investor (oracle probability)", ticks=[f"{n} ({100 * p:.0f} %)" for n, p in enumerate(oracle)]),
        )
        yield Figure(
            "yield",
            "What the maker earns per unit traded with an investor, by what the investor knows; bars: 95 % intervals.",
            [*earned, Level(0)],
            x=Axis("oracle probability"),
            y=Axis("yield (basis points)"),
        )
        yield Figure(
            "rewards",
            "The maker's rewards with tiers, without, and where nobody tiers; black: 95 % intervals.",
            [*rewards, Level(0)],
            x=Axis(ticks=[part.replace("_", "\n") for part in parts]),
            y=Axis("reward of a run (price × units)"),
        )

    def notes(self) -> list[str]:
        return [
            "An oracle decides an investor's side, not whether it trades: with oracle probability p it is right in (1 + p) / 2 "
            "of its trades.",
            "The competitor tiers by average yield throughout, except where nobody tiers. Without tiers the maker quotes "
            "everybody its best price, so the clients whom the competitor has put into worse tiers come to it.",
        ]

    @property
    def _variants(self) -> dict[str, Measures]:
        return {**self.results["tiering"], **self.results.get("nobody", {})}

    def _saved(self, label: str, name: str) -> Estimate:
        """By how much a measure is higher with tiers, in paired runs."""
        return mean(self.own("tiering", WITH, name) - self._variants[label].of(STUDIED)[name])


def oracles(scenario: Scenario) -> Array:
    """The oracle probability of every investor, (N,)."""
    return np.array([agent.oracle_probability for agent in scenario.agents])


def investor_columns(scenario: Scenario) -> list[Column]:
    """Name and oracle probability of an investor; rows are the investors' numbers."""
    return [
        Column("investor", "investor", value=lambda n: scenario.agents[n].name),
        Column("oracle", "oracle probability", 2, lambda n: scenario.agents[n].oracle_probability),
    ]


def _earned(measures: Measures) -> Estimate:
    """Spread and position revenue per unit, of each investor (N,)."""
    own = measures.of(STUDIED)
    return ratio(own["revenue"], own["matured_volume"])


def _per_unit(measures: Measures) -> Array:
    """Spread and position revenue per unit traded with investors in each run, (replicas,); NaN where nothing matured."""
    own = measures.of(STUDIED)
    return quotient(own["revenue"].sum(axis=1), own["matured_volume"].sum(axis=1))


def _share(measures: Measures) -> Estimate:
    """Of the investors' volume."""
    return ratio(measures.of(STUDIED)["client_volume"], measures.total("client_volume"))
