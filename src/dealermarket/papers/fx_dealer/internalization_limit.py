"""The internalization zone of our own market: what its optimal maker does as steps get shorter, beside the dealer's problem."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from dealermarket.estimates import ratio_by_replica
from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import comparisons
from dealermarket.papers import Column, Experiment, Outcome, Table, Verdict, above, below, estimated, number, overall
from dealermarket.papers.fx_dealer.limit import DAYS, LAM, PROBLEM, Limit, limit
from dealermarket.papers.fx_dealer.published import solved
from dealermarket.papers.glossary import words
from dealermarket.plots import COLOURS, Axis, Figure, Legend, Level, Line, Mark
from dealermarket.runs.tables import KINDS, Chunk
from dealermarket.study import Estimate, Measures, Study, joint, mean

STEPS_PER_DAY = (40, 80, 160)
VALUE, SPREAD = 0.002, 0.002  # of a value and of a spread: what is allowed at the shortest step
ZONE = 0.1  # M: the same of a zone by the solution, and
HEDGED = 0.25  # M: of positions at which the simulated maker begins to hedge: small hedges are between places of its lattice
SHARE = 0.1  # of an external share
MOST = 8.0  # M: the largest inventory in figures
GRID = 0.0625  # M: of the dealer's problem


class InternalizationLimit(Experiment):
    """One maker of ours with clients who may refuse and the exchange as a venue, at ever shorter steps."""

    name = "internalization-limit"
    source = "Barzykin, Bergault and Guéant: arXiv 2106.06974, their problem met by a market of ours (beyond the papers)"
    question = (
        "The problem of “internalization-zone” is in continuous time. Our market has steps, orders and an exchange with a book "
        "of its own. If its parameters are those of such a problem, and its steps get shorter: does its optimal maker earn, "
        "quote and hedge what the problem's solution says, and does it do so in the simulator?"
    )
    words = words("basis point (bp)", "M", "internalization zone", "φ, η, k", "risk aversion γ", "external share")
    preset = "learning"
    asks_scenario = False
    runs = 1000
    headline = "hedging"

    # --- what is measured

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        *longer, shortest = limits()  # about which claims are made
        every = [*((each, max(runs // 4, 2)) for each in longer), (shortest, 2 * runs)]
        return [Study(_study(each), {"": each.scenario}, replicas, measures, record="trades") for each, replicas in every]

    # --- claims

    def verdicts(self) -> Iterator[Verdict]:
        exact, steps = solved(PROBLEM, GRID), ", ".join(map(str, STEPS_PER_DAY))
        yield _converges(
            "value",
            f"What the optimal maker earns a day comes nearer to the problem's with each shorter step, and to "
            f"{number(VALUE, 1, 100)} % of it.",
            [each.gain for each in limits()],
            exact.constant,
            VALUE * exact.constant,
            f"bp M at {steps} steps a day",
        )
        yield _converges(
            "zone",
            f"So does the end of its internalization zone, to {ZONE:g} M.",
            [each.zone for each in limits()],
            exact.controls.zone,
            ZONE,
            f"M at {steps} steps a day",
        )
        yield _converges(
            "spread",
            f"So does its spread without inventory, to {number(SPREAD, 1, 100)} %.",
            [each.spread for each in limits()],
            exact.controls.spread(1.0),
            SPREAD * exact.controls.spread(1.0),
            f"bp at {steps} steps a day",
        )
        yield self._simulated_zone()
        yield self._simulated_share()

    def _simulated_zone(self) -> Verdict:
        waits, hedges = self._edges(limits()[-1])
        zone = solved(PROBLEM, GRID).controls.zone
        return Verdict(
            "simulated zone",
            f"In the simulator the largest inventory at which it waits, and the smallest at which it hedges, are the end of the "
            f"problem's zone, to {HEDGED:g} M, at the shortest step.",
            Outcome.HOLDS if max(abs(waits - zone), abs(hedges - zone)) <= HEDGED else Outcome.FAILS,
            f"It waits up to {number(waits, 3)} M and hedges from {number(hedges, 3)} M on; the problem's zone ends at "
            f"{number(zone, 3)} M. Its lattice has a place every {limits()[-1].lattice:g} M, and hedges of less than half of "
            "that are not made.",
        )

    def _simulated_share(self) -> Verdict:
        share = solved(PROBLEM, GRID).long_run.external_share
        found, at_all = self.share(limits()[-1], joint(2)), [self.share(each) for each in limits()]
        return Verdict(
            "simulated share",
            f"In the simulator its external share is that of the problem, to {number(SHARE, 0, 100)} % of it, at the "
            "shortest step.",
            overall(above(found, (1.0 - SHARE) * share), below(found, (1.0 + SHARE) * share)),
            f"It hedges {estimated(found, 2, 100)} % of all that it trades ({comparisons(2)}), the problem's dealer "
            f"{number(share, 2, 100)} %; at {', '.join(map(str, STEPS_PER_DAY))} steps a day it is "
            + "; ".join(estimated(each, 2, 100) for each in at_all)
            + ".",
        )

    def share(self, of: Limit, level: float = 0.95) -> Estimate:
        """The external share in the simulation, far from start and end of the runs."""
        found = self.results[_study(of)][""]
        return mean(ratio_by_replica(found["hedged"], found["hedged"] + found["traded"]), level)

    def _edges(self, of: Limit) -> tuple[float, float]:
        """The largest inventory at which it waited, and the smallest at which it hedged."""
        found = self.results[_study(of)][""]
        return float(found["waits"].max()), float(found["hedges"].min())

    # --- what does not go away

    def differences(self) -> Iterator[str]:
        exact = solved(PROBLEM, GRID).controls
        rate = -float(exact.hedging_rate(6.0))
        own = -float(limits()[-1].quotes(np.array([6.0]))[2][0])
        power = 1.0 / (LAM - 1.0)
        worth = 1.0 + 2.0 * PROBLEM.quadratic_cost * rate / PROBLEM.linear_cost  # of an M less, over phi
        bent = power * PROBLEM.linear_cost / (2.0 * PROBLEM.quadratic_cost) * (1.0 - worth ** (-1.0 / power))
        yield (
            "Fast hedges of our market cost more than φ |v| + η v², however short its steps, as the exchange's curve goes on to "
            f"bend. At an inventory of 6 M the problem's dealer hedges {number(rate, 0)} M a day; who pays by the curve and "
            f"gains as much by an M less hedges {number(bent, 0)}. Ours hedges {number(own, 0)} at the shortest step. So the "
            "limit of our market is near to the problem and not equal to it; how near in value, zone and spread, the "
            "claims say."
        )

    def notes(self) -> Iterator[str]:
        tier = PROBLEM.tiers[0]
        yield (
            f"The problem: a = {tier.a:g}, b = {tier.b:g} a bp, requests of 1 M at {tier.rates[0]:g} a day and side, σ = "
            f"{PROBLEM.volatility:g} bp/√day, φ = {PROBLEM.linear_cost:g} bp, η = {PROBLEM.quadratic_cost:g} bp day/M, k = 0, γ "
            f"= {PROBLEM.risk_aversion:g}. With a step of h days our market has 2 · {tier.rates[0]:g} h requests a step, "
            "reservations of mean −a/b and scale 1/b bp, S_ref(0) = φ, and an exchange so deep that S_ref(v) is φ + η v / h at "
            "small v: its v_max is in proportion to h."
        )
        yield (
            "Value, zone and spread of ours are the optimum's own numbers, without simulation. The zone ends where one M more "
            f"costs as much as the cheapest hedge of it. Runs are {DAYS:g} day long and begin flat; all is measured from a "
            "quarter of it on, the value until its middle and the simulation until the last quarter, where neither end is felt."
        )
        yield (
            "Of the runs that are said, the shortest step has twice as many and each other one a quarter, as the claims are "
            "about the shortest."
        )

    # --- tables and figures

    def tables(self) -> Iterator[Table]:
        exact = solved(PROBLEM, GRID)
        rows: list[dict[str, object]] = [
            {
                "steps": str(each.steps_per_day),
                "value": each.gain,
                "zone": each.zone,
                "spread": each.spread,
                "share": self.share(each),
                "waits": self._edges(each)[0],
                "hedges": self._edges(each)[1],
                "lattice": each.lattice,
            }
            for each in limits()
        ]
        share, zone = exact.long_run.external_share, exact.controls.zone
        rows.append(
            {
                "steps": "continuous",
                "value": exact.constant,
                "zone": zone,
                "spread": exact.controls.spread(1.0),
                "share": Estimate(np.array(share), np.array(0.0), np.array(share), np.array(share)),
                "waits": zone,
                "hedges": zone,
                "lattice": GRID,
            }
        )
        yield Table.of(
            "limit",
            "The optimal maker of our market by its steps a day, and the solution of the dealer's problem: mean reward, end of "
            "the internalization zone, spread of 1 M without inventory, by the solutions; external share, and the inventories up "
            "to which it waits and from which it hedges, by simulation; and how far apart the inventories are that a "
            "solution knows.",
            rows,
            Column("steps", "steps a day"),
            Column("value", "mean reward (bp M a day)", 4),
            Column("zone", "zone (M)", 3),
            Column("spread", "spread (bp)", 5),
            Column("share", "external share (%)", 2, scale=100.0),
            Column("waits", "waits up to (M)", 3),
            Column("hedges", "hedges from (M)", 3),
            Column("lattice", "lattice (M)", 4),
        )

    def figures(self) -> Iterator[Figure]:
        at = np.round(np.arange(-MOST, MOST + 1e-9, 0.125), 3)
        controls = solved(PROBLEM, GRID).controls
        played = [(f"{each.steps_per_day} steps a day", each.quotes(at)) for each in limits()]
        colours = COLOURS[: len(played)]
        hedging: list[Mark] = [Level(0.0)]
        quotes: list[Mark] = []
        for (name, (buys, sells, rate)), colour in zip(played, colours, strict=True):
            hedging.append(Line(at, rate, name, colour))
            quotes += [Line(at, buys, f"{name}: buys", colour), Line(at, sells, "sells", colour, style="--")]
        exact = controls.quotes(at)[:, :, 0, 0]
        hedging.append(Line(at, controls.hedging_rate(at), "continuous"))
        quotes += [Line(at, exact[:, 0], "continuous: buys"), Line(at, exact[:, 1], "sells", style="--")]
        yield Figure(
            "hedging",
            "How fast the optimal maker of our market hedges, by its inventory, at ever shorter steps; black: the dealer's "
            "problem in continuous time.",
            hedging,
            Axis("inventory (M)"),
            Axis("hedging rate (M a day)"),
            legend=Legend(size=9),
            size=(5.6, 4.0),
        )
        yield Figure(
            "quotes",
            "Half-spreads at which it buys from clients and sells to them, by its inventory; black: continuous time.",
            quotes,
            Axis("inventory (M)"),
            Axis("half-spread (bp)"),
            legend=Legend(below=True, columns=2, size=9),
            size=(5.6, 4.8),
        )


def limits() -> list[Limit]:
    """Our markets, the one with the longest step first."""
    return [limit(PROBLEM, steps) for steps in STEPS_PER_DAY]


def measures(scenario: Scenario, chunk: Chunk) -> Measures:
    """By replica, of the steps from the first quarter on and before the last: volume `traded` with clients and `hedged`; the
    largest |position| at which the maker `waits`, and the smallest at which it `hedges`, infinite where it never does."""
    record, steps = chunk.record, scenario.steps
    first, last = steps // 4, steps - steps // 4
    of_orders, traded = KINDS.index("order"), []
    for start, count in zip(record.trade_start, record.trade_count, strict=True):
        trades = record.trades[start : start + count]
        kept = (trades["step"] >= first) & (trades["step"] < last) & (trades["kind"] == of_orders)
        traded.append(trades["volume"][kept].sum())
    held, hedge = (np.abs(record.steps[name][:, first:last, 0]) for name in ("position", "hedge_size"))
    return Measures(
        others={
            "traded": np.array(traded),
            "hedged": hedge.sum(axis=1),
            "waits": np.where(hedge > 0, 0.0, held).max(axis=1),
            "hedges": np.where(hedge > 0, held, np.inf).min(axis=1),
        }
    )


def _study(of: Limit) -> str:
    return f"limit {of.steps_per_day}"


def _converges(name: str, claim: str, found: Sequence[float], exact: float, margin: float, unit: str) -> Verdict:
    """Whether numbers come nearer to the exact one each time, and in the end to a margin; without chance."""
    apart = [abs(each - exact) for each in found]
    holds = all(later < earlier for earlier, later in pairwise(apart)) and apart[-1] <= margin
    return Verdict(
        name,
        claim,
        Outcome.HOLDS if holds else Outcome.FAILS,
        f"It is {', '.join(number(each, 4) for each in found)} {unit}, and {number(exact, 4)} in continuous time.",
    )
