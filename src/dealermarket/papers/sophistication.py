"""Sophistication: investors who know where the price goes, the tiers they end in, and what tiering saves (section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Experiment, Results, Variation
from dealermarket.papers.findings import (
    Column,
    Figure,
    Table,
    Verdict,
    basis_points,
    bracketed,
    interval_column,
    number,
    signed,
    with_interval,
)
from dealermarket.papers.variants import STUDIED
from dealermarket.plots.run import COLOURS, heat_map, marked_bars, marked_line
from dealermarket.runs.statistics import quotient
from dealermarket.study import measures as observe
from dealermarket.study.estimates import Estimate, mean, p_not_above_zero, ratio, slopes
from dealermarket.study.study import Array, Measures, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
        Variation("v_max", "exchange.v_max", (50.0, 1000.0)),
        Variation("alpha", "makers.*.pricing.alpha", (1.1, 1.7)),
        Variation("tier penalty", "makers.*.pricing.tier_penalty", (1e-5, 3e-5, 3e-4)),
        Variation("t_m", "reward_horizon", (1, 2, 8, 16)),
        Variation("EWMA weight", "makers.*.tiering.weight", (0.01, 0.02, 0.1, 0.2)),
        Variation("sd of log size", "investors.*.log_std", (0.25, 1.0)),
        Variation("volatility", "market.mid_price.volatility", (0.02, 0.05, 0.3)),
    )

    def checked(self, scenario: Scenario) -> Scenario:
        scenario = super().checked(scenario)
        if len({agent.oracle_probability for agent in scenario.agents}) < 2:
            raise ParameterError(
                f"{self.name}: needs investors of different oracle_probability, those of {scenario.name!r} are all alike"
            )
        return scenario

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        variants = {WITH: scenario, WITHOUT: scenario.with_settings(f"makers.{STUDIED}.tiering.tiers=1")}
        return [Study("tiering", variants, runs, observe.client_yields, "trades")]

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [
            Study("nobody", {NOBODY: scenario.with_settings("makers.*.tiering.tiers=1")}, runs, observe.client_yields, "trades")
        ]

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        oracle, points, found = _oracle(scenario), basis_points(scenario), results["tiering"]
        found_out = slopes(found[WITH]["last_tier"][:, :, STUDIED], oracle)
        cheaper = slopes(_yields(found[WITH]), oracle)
        saved = _per_unit(found[WITH]) - _per_unit(found[WITHOUT])
        shares = [number(100 * float(_share(found[label]).value), 0) for label in (WITH, WITHOUT)]
        totals = {
            name: mean(_own(found[WITH], name) - _own(found[WITHOUT], name)) for name in ("total_reward", "pnl", "risk_cost")
        }
        return [
            signed(
                "tier rises",
                "The more an investor knows, the worse the tier it ends in (one-sided p < 0.01).",
                p_not_above_zero(found_out),
                f"From oracle probability 0 to 1 the last tier rises by {bracketed(mean(found_out), 2)}",
            ),
            signed(
                "yield falls",
                "The more an investor knows, the less the maker earns per unit traded with it (one-sided p < 0.01).",
                p_not_above_zero(-cheaper),
                f"From oracle probability 0 to 1 the yield changes by {bracketed(mean(cheaper), 2, points)} bp",
            ),
            signed(
                "tiering saves",
                "Per unit traded with investors the maker earns more with tiers than without (spread and position revenue, "
                "paired, one-sided p < 0.01).",
                p_not_above_zero(saved),
                f"Tiering saves {bracketed(mean(saved), 2, points)} bp a unit. In all: total reward "
                f"{bracketed(totals['total_reward'], 2)}, of it risk cost {bracketed(totals['risk_cost'], 2)}, and P&L "
                f"{bracketed(totals['pnl'], 2)} a run (price × units), with {shares[0]} % of the market in place of {shares[1]} "
                "%",
            ),
        ]

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        found = results["tiering"][WITH]
        tier = mean(found["last_tier"][:, :, STUDIED])
        earned = ratio(found["revenue"][:, :, STUDIED], found["matured_volume"][:, :, STUDIED])
        volume = found["matured_volume"]
        share = ratio(volume[:, :, STUDIED], volume.sum(axis=2))
        clients = [
            {
                "investor": agent.name,
                "oracle": agent.oracle_probability,
                **with_interval("tier", tier[n]),
                **with_interval("yield", earned[n]),
                **with_interval("share", share[n]),
            }
            for n, agent in enumerate(scenario.agents)
        ]
        return [
            Table(
                "clients",
                "By investor: the tier in which the maker quoted its last trade (0 is best), what the maker earned per unit "
                "traded with it (spread and position revenue, basis points), and the maker's share of its volume; 95 % "
                "intervals in brackets.",
                pd.DataFrame(clients),
                (
                    Column("investor", "investor"),
                    Column("oracle", "oracle probability", 2),
                    interval_column("tier", "last tier", 2),
                    interval_column("yield", "yield (bp)", 2, basis_points(scenario)),
                    interval_column("share", "maker's share", 3),
                ),
            ),
            _makers_table(scenario, results),
        ]

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        found, oracle = results["tiering"][WITH], _oracle(scenario)
        tiers = range(scenario.makers[STUDIED].tiering.tiers)
        names = [f"{n} ({100 * p:.0f} %)" for n, p in enumerate(oracle)]
        points = basis_points(scenario)

        def ended(ax: Axes) -> None:
            last = found["last_tier"][:, :, STUDIED]
            traded = np.maximum((~np.isnan(last)).sum(axis=0), 1)
            heat_map(ax, np.stack([(last == tier).sum(axis=0) / traded for tier in tiers], axis=1), "{:.2f}", top=0.8)
            ax.set_yticks(range(len(names)), labels=names)
            ax.set_xticks(list(tiers))
            ax.set(xlabel="tier of its last trade", ylabel="investor (oracle probability)")

        def earned(ax: Axes) -> None:
            for k, (label, measures) in enumerate(_variants(results).items()):
                estimate = ratio(measures["revenue"][:, :, STUDIED], measures["matured_volume"][:, :, STUDIED])
                marked_line(ax, oracle, points * estimate.value, points * estimate.high, color=COLOURS[k], label=label)
            ax.axhline(0, color="black", lw=0.8)
            ax.set(xlabel="oracle probability", ylabel="yield (basis points)")
            ax.legend(fontsize=9)

        def rewards(ax: Axes) -> None:
            parts = ("spread_revenue", "position_revenue", "risk_cost", "total_reward")
            for k, (label, measures) in enumerate(_variants(results).items()):
                estimate = mean(np.stack([measures[name][:, STUDIED] for name in parts], axis=1))
                place = np.arange(len(parts)) + 0.27 * (k - 1)
                marked_bars(ax, place, estimate.value, estimate.high, 0.25, color=COLOURS[k], label=label)
            ax.axhline(0, color="black", lw=0.8)
            ax.set_xticks(range(len(parts)), labels=[name.replace("_", "\n") for name in parts])
            ax.set(ylabel="reward of a run (price × units)")
            ax.legend(fontsize=9)

        return [
            Figure(
                "last-tier", "Share of the runs in which an investor's last trade with the maker was quoted in each tier.", ended
            ),
            Figure(
                "yield",
                "What the maker earns per unit traded with an investor, by what the investor knows; bars: 95 % intervals.",
                earned,
            ),
            Figure("rewards", "The maker's rewards with tiers, without, and where nobody tiers; black: 95 % intervals.", rewards),
        ]

    def notes(self, scenario: Scenario, results: Results) -> list[str]:
        return [
            "An oracle decides an investor's side, not whether it trades: with oracle probability p it is right in (1 + p) / 2 "
            "of its trades.",
            "The competitor tiers by average yield throughout, except where nobody tiers. Without tiers the maker quotes "
            "everybody its best price, so the clients whom the competitor has put into worse tiers come to it.",
        ]


def _variants(results: Results) -> dict[str, Measures]:
    return {**results["tiering"], **results["nobody"]}


def _oracle(scenario: Scenario) -> Array:
    return np.array([agent.oracle_probability for agent in scenario.agents])


def _yields(measures: Measures) -> Array:
    """Yield by replica and investor, NaN where nothing matured."""
    return quotient(measures["revenue"][:, :, STUDIED], measures["matured_volume"][:, :, STUDIED])


def _own(measures: Measures, name: str) -> Array:
    """A sum of the studied maker's, (replicas,)."""
    return np.asarray(measures[name][:, STUDIED])


def _per_unit(measures: Measures) -> Array:
    """Spread and position revenue per unit traded with investors in each run, (replicas,); NaN where nothing matured."""
    return quotient(*(measures[name][:, :, STUDIED].sum(axis=1) for name in ("revenue", "matured_volume")))


def _share(measures: Measures) -> Estimate:
    """Of the investors' volume."""
    return ratio(_own(measures, "client_volume"), measures["client_volume"].sum(axis=1))


def _makers_table(scenario: Scenario, results: Results) -> Table:
    base = results["tiering"][WITH]
    rows = [
        {
            "maker": label,
            **with_interval("share", _share(measures)),
            **with_interval("per_unit", mean(_per_unit(measures))),
            **with_interval("saved_per_unit", mean(_per_unit(base) - _per_unit(measures))),
            **with_interval("pnl", mean(_own(measures, "pnl"))),
            **with_interval("saved_pnl", mean(_own(base, "pnl") - _own(measures, "pnl"))),
            "risk_cost": float(_own(measures, "risk_cost").mean()),
            **with_interval("reward", mean(_own(measures, "total_reward"))),
            **with_interval("saved", mean(_own(base, "total_reward") - _own(measures, "total_reward"))),
        }
        for label, measures in _variants(results).items()
    ]
    return Table(
        "makers",
        "The maker with tiers, without, and where its competitor has none either: its share of the investors' volume; spread "
        "and position revenue per unit (basis points); P&L and total reward of a run (price × units), and what tiering saves "
        "of each (paired).",
        pd.DataFrame(rows),
        (
            Column("maker", "maker"),
            interval_column("share", "share", 2),
            interval_column("per_unit", "revenue per unit", 2, basis_points(scenario)),
            interval_column("saved_per_unit", "tiering saves", 2, basis_points(scenario)),
            interval_column("pnl", "P&L", 2),
            interval_column("saved_pnl", "tiering saves", 2),
            interval_column("saved", "of total reward", 2),
        ),
    )
