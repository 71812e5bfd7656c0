"""The internalization zone: up to which inventory an FX dealer waits for clients, and what comes of it; published and ours."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from dealermarket.control.dealer import EURUSD, USDCNH, DealerProblem, efficient_frontier
from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import comparisons
from dealermarket.papers import Column, Experiment, Outcome, Table, Verdict, agrees, estimated, number, overall
from dealermarket.papers.fx_dealer.published import (
    BASE,
    DEAR_IMPACT,
    DEAR_SETTING,
    EURUSD_SETTING,
    EXTERNAL_SHARES,
    SECONDS,
    SPREADS,
    TRIED,
    USDCNH_SETTINGS,
    Setting,
    solved,
)
from dealermarket.papers.glossary import words
from dealermarket.papers.processes import ProcessStudy
from dealermarket.plots import Figure
from dealermarket.plots.dealer import dealer_frontier, dealer_hedging, dealer_quotes
from dealermarket.study import LEVEL, Estimate, joint, mean

NODE = 1.0  # M: the distance of inventories on the papers' grid
RATE = 0.02  # of a published rate, and
SPREAD, SHARE = 0.01, 0.005  # of a spread and of a share: what is allowed
MARGIN = 0.05  # of each number of the long run: how well the simulation must know it
PROBLEMS: dict[str, DealerProblem] = {"USDCNH": USDCNH, "EURUSD": EURUSD}
GAMMAS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
STEPS = (1.0, 0.5, 0.25, 0.125)  # M: grids whose answers are compared


class InternalizationZone(Experiment):
    """The dealer's problem of two papers solved anew: zones, hedging rates, spreads and shares, and the process simulated."""

    name = "internalization-zone"
    source = "Barzykin, Bergault and Guéant: arXiv 2106.06974 (USDCNH) and arXiv 2112.02269 (EURUSD)"
    question = (
        "A dealer of a currency pair earns a spread from clients and may hedge in the interdealer market, at a cost and with "
        "impact on the mid. Up to which inventory is it best to wait for clients, how fast should it hedge beyond, and do the "
        "published numbers come out?"
    )
    words = words("basis point (bp)", "M", "internalization zone", "φ, η, k", "risk aversion γ", "external share")
    preset = "learning"
    asks_scenario = False
    runs = 400  # replicas of a day
    headline = "hedging"

    # --- what is measured

    def processes(self, scenario: Scenario, runs: int) -> list[ProcessStudy]:
        return [ProcessStudy(name, problem, runs) for name, problem in PROBLEMS.items()]

    # --- claims

    def verdicts(self) -> Iterator[Verdict]:
        yield self._zones()
        yield self._dear()
        yield self._rates()
        yield self._spreads()
        yield self._shares()
        yield self._franchise()
        yield self._simulated()

    def _zones(self) -> Verdict:
        settings = (*((f"USDCNH, {each.name}", each) for each in USDCNH_SETTINGS), ("EURUSD", EURUSD_SETTING))
        return Verdict(
            "zones",
            "The zone ends where the papers say, to a step of their grid (1 M): USDCNH in four settings, and EURUSD.",
            _holds(abs(each.solution.controls.zone - _known(each.zone)) <= NODE for _, each in settings),
            "Here, and published, in M: "
            + "; ".join(f"{name} {_zone(each)}, {number(_known(each.zone), 0)}" for name, each in settings)
            + ".",
        )

    def _dear(self) -> Verdict:
        by_name = {each.name: each for each in TRIED}
        return Verdict(
            "dear hedging",
            f"With hedging twice as dear ({DEAR_SETTING.name}) the zone of USDCNH ends at 46 M, to a step of the paper's grid.",
            _holds([abs(DEAR_SETTING.solution.controls.zone - _known(DEAR_SETTING.zone)) <= NODE]),
            f"Here it ends at {_zone(DEAR_SETTING)} M; with {DEAR_IMPACT} at {_zone(by_name[DEAR_IMPACT])} M, after which 46 M "
            "is the next inventory on the paper's grid.",
        )

    def _rates(self) -> Verdict:
        return Verdict(
            "hedging rates",
            f"At an inventory of 100 M the dealer of USDCNH hedges as fast as the paper says, to {number(RATE, 0, 100)} %, in "
            "four settings.",
            _holds(abs(_rate(each) / _known(each.rate) - 1.0) <= RATE for each in USDCNH_SETTINGS),
            "Here, and published, in M a second: "
            + "; ".join(f"{each.name} {number(_rate(each), 4)}, {_known(each.rate):g}" for each in USDCNH_SETTINGS)
            + ".",
        )

    def _spreads(self) -> Verdict:
        found = [(name, solved(problem).controls.spread(1.0, tier), printed) for name, problem, tier, printed in SPREADS]
        return Verdict(
            "spreads",
            f"Without inventory 1 M is quoted at the published spreads, to {SPREAD:g} bp.",
            _holds(abs(here - printed) <= SPREAD for _, here, printed in found),
            "Here, and published, in bp: "
            + "; ".join(f"{name} {number(here, 4)}, {printed:g}" for name, here, printed in found)
            + ".",
        )

    def _shares(self) -> Verdict:
        found = [(gamma, _of_gamma(gamma).long_run.external_share, share) for gamma, share in EXTERNAL_SHARES.items()]
        return Verdict(
            "external share",
            f"The dealer of EURUSD hedges the published shares of what it trades, to {number(SHARE, 1, 100)} % of it, at three "
            "risk aversions.",
            _holds(abs(here - printed) <= SHARE for _, here, printed in found),
            "Here, and published, in %: "
            + "; ".join(f"γ = {gamma:g} {number(here, 2, 100)}, {number(printed, 1, 100)}" for gamma, here, printed in found)
            + ".",
        )

    def _franchise(self) -> Verdict:
        base, impact, averse, franchise = (each.solution.controls.zone for each in USDCNH_SETTINGS)
        dear = DEAR_SETTING.solution.controls.zone
        return Verdict(
            "what widens it",
            "The zone is wider with more requests, dearer hedging and more impact, and narrower with more risk aversion.",
            _holds([franchise > base, dear > base, impact > base, averse < base]),
            f"Of {number(base, 2)} M it becomes {number(franchise, 2)} M with three times the requests, {number(dear, 2)} M with "
            f"twice φ, {number(impact, 2)} M with twice k and {number(averse, 2)} M with ten times γ.",
        )

    def _simulated(self) -> Verdict:
        together = joint(len(PROBLEMS) * len(list(self._compared(next(iter(PROBLEMS))))))
        compared = [(problem, *row) for problem in PROBLEMS for row in self._compared(problem, together)]
        outcomes = [
            agrees(found, exact, float(found.high - found.low) / (2.0 * exact), MARGIN) for _, _, found, exact in compared
        ]
        apart = [abs(float(found.value) - exact) / float(found.error) for _, _, found, exact in compared]
        problem, name, found, exact = compared[int(np.argmax(apart))]
        return Verdict(
            "simulation",
            "The process simulated under the solution's quotes and hedges has the rewards, volumes, incomes and inventories that "
            "the solution says.",
            overall(*outcomes),
            f"Of {len(compared)} numbers the one furthest off, by its error, is the {name} of {problem}: {estimated(found, 2)} "
            f"in the simulation, {number(exact, 2)} by the solution ({comparisons(len(compared))}; the claim needs each to "
            f"± {number(MARGIN, 0, 100)} % or less).",
        )

    # --- where it is not what the papers show

    def differences(self) -> Iterator[str]:
        by_name = {each.name: each for each in TRIED}
        yield (
            f"With {DEAR_SETTING.name} the zone ends at {_zone(DEAR_SETTING)} M, and the paper has 46. Nothing that was tried "
            f"gives 46 where {DEAR_SETTING.name} alone is changed; with {DEAR_IMPACT} the zone ends at "
            f"{_zone(by_name[DEAR_IMPACT])} M, so the paper's number may belong to that setting. The table “tried” has the rest."
        )
        share, coarse = _of_gamma(1e-2).long_run.external_share, solved(EURUSD.replace(risk_aversion=1e-2), NODE)
        yield (
            f"At γ = 0.01 the dealer of EURUSD hedges {number(share, 2, 100)} % of what it trades, and the paper has 10. On the "
            f"paper's grid of 1 M it is {number(coarse.long_run.external_share, 2, 100)} %."
        )

    def notes(self) -> Iterator[str]:
        coarse, fine = (solved(EURUSD.replace(risk_aversion=GAMMAS[-1]), step) for step in (STEPS[0], STEPS[-1]))
        yield (
            f"At γ = {GAMMAS[-1]:g} numbers of EURUSD depend on the grid: the mean reward is {number(coarse.constant, 1)} on a "
            f"step of {STEPS[0]:g} M and {number(fine.constant, 1)} on one of {STEPS[-1]:g} M, since the zone is narrower than "
            "the smallest trade and all happens at a few nodes. Its row of the frontier shows a direction, no more than that."
        )
        yield (
            "The second paper also gives risk-neutralization times, and zones over a sweep of risk aversions. A first "
            "computation outside this package met neither the times at γ = 0.0001 and 0.1 nor the sweep, where it was 0.4 to 1.4 "
            "M below. The table “frontier” has two times, each with its definition: how long a M is held on average, and how "
            "long inventories are alike. Which of them the paper means is not known to us, so no claim is made about them."
        )
        yield (
            "The largest inventory is a wall, at which quotes stop. At γ = 0.0001 the impact of a hedge on what is held costs "
            "more than the smaller risk is worth, at every inventory up to the largest, and EURUSD is never hedged."
        )

    # --- tables and figures

    def tables(self) -> Iterator[Table]:
        yield self._published_table()
        yield Table.of(
            "tried",
            "What was tried to get the published zone of 46 M at φ = 0.4 (USDCNH): where the zone ends, and how fast the dealer "
            "hedges at its largest inventory.",
            TRIED,
            Column("setting", "setting", value=lambda each: each.name),
            Column("zone", "zone (M)", 2, lambda each: each.solution.controls.zone),
            Column("rate", "rate (M/s)", 4, _rate),
        )
        yield Table.of(
            "frontier",
            "EURUSD by risk aversion: mean and standard deviation of P&L, the zone, the external share, how long a M is held on "
            "average, and how long inventories are alike (the integral of their autocorrelation).",
            _frontier().to_dict("records"),
            Column("risk_aversion", "γ", 4),
            Column("mean_pnl", "mean P&L (bp M a day)", 1),
            Column("sd_pnl", "sd of P&L (bp M/√day)", 1),
            Column("zone", "zone (M)", 2),
            Column("external_share", "external share (%)", 2, scale=100.0),
            Column("holding_time", "held for (minutes)", 2, scale=1440.0),
            Column("memory", "alike for (minutes)", 2, scale=1440.0),
        )
        yield Table.of(
            "simulation",
            "The process simulated, days that start as in the long run, and what the solution says.",
            [
                {"problem": problem, "what": name, "simulated": found, "solution": exact}
                for problem in PROBLEMS
                for name, found, exact in self._compared(problem)
            ],
            Column("problem", "problem"),
            Column("what", "what"),
            Column("simulated", "simulated", 2),
            Column("solution", "solution", 2),
        )
        yield Table.of(
            "grids",
            "How answers depend on the grid: the step of inventories, the mean reward, the zone and the external share.",
            [
                {"problem": name, "step": step, "solution": solved(problem, step)}
                for name, problem in (*PROBLEMS.items(), ("EURUSD, γ = 0.1", EURUSD.replace(risk_aversion=0.1)))
                for step in STEPS
            ],
            Column("problem", "problem"),
            Column("step", "step (M)", 3),
            Column("constant", "mean reward (bp M a day)", 3, lambda row: row["solution"].constant),
            Column("zone", "zone (M)", 3, lambda row: row["solution"].controls.zone),
            Column("external", "external share (%)", 3, lambda row: row["solution"].long_run.external_share, 100.0),
        )

    def _published_table(self) -> Table:
        rows: list[dict[str, Any]] = []
        for each in (*USDCNH_SETTINGS, DEAR_SETTING):
            rows.append(_row("USDCNH", each.name, "zone (M)", each.zone, each.solution.controls.zone))
            rows.append(_row("USDCNH", each.name, "hedging rate at 100 M (M/s)", each.rate, _rate(each)))
        rows.append(_row("EURUSD", BASE, "zone (M)", EURUSD_SETTING.zone, EURUSD_SETTING.solution.controls.zone))
        for name, problem, tier, printed in SPREADS:
            pair, _, of = name.partition(", ")
            what = f"spread of 1 M without inventory{f', {of}' if of else ''} (bp)"
            rows.append(_row(pair, BASE, what, printed, solved(problem).controls.spread(1.0, tier)))
        for gamma, share in EXTERNAL_SHARES.items():
            rows.append(_row("EURUSD", f"γ = {gamma:g}", "external share", share, _of_gamma(gamma).long_run.external_share))
        rows += [
            _row(name, BASE, "mean reward (bp M a day)", None, solved(problem).constant) for name, problem in PROBLEMS.items()
        ]
        return Table.of(
            "published",
            "The published numbers, and ours. The papers' zones are nodes of a grid of 1 M, ours lie between nodes.",
            rows,
            Column("problem", "problem"),
            Column("setting", "setting"),
            Column("what", "what"),
            Column("published", "published", 3),
            Column("here", "here", 4),
        )

    def figures(self) -> Iterator[Figure]:
        yield dealer_hedging({f"USDCNH, {each.name}": each.solution for each in (*USDCNH_SETTINGS, DEAR_SETTING)})
        yield dealer_quotes(solved(EURUSD))
        yield dealer_frontier(_frontier())

    # --- from the solutions and the measures

    def _compared(self, problem: str, level: float = LEVEL) -> Iterator[tuple[str, Estimate, float]]:
        """What is compared of a problem's process: its name, an estimate with its interval, and what the solution says."""
        long_run = solved(PROBLEMS[problem]).long_run
        exact = {
            "reward": solved(PROBLEMS[problem]).constant,
            "spread_income": long_run.spread_income,
            "client_volume": float(long_run.client_volume.sum()),
            "inventory": long_run.mean_inventory,
            "variance": long_run.inventory_risk**2,
        }
        measured = self.results[problem]["0"]
        for name, value in exact.items():
            yield name.replace("_", " "), mean(measured[name], level), value


@cache
def _frontier() -> Any:
    """The efficient frontier of EURUSD."""
    return efficient_frontier(EURUSD, GAMMAS)


def _row(problem: str, setting: str, what: str, published: float | None, here: float) -> dict[str, Any]:
    return {
        "problem": problem,
        "setting": setting,
        "what": what,
        "published": np.nan if published is None else published,
        "here": here,
    }


def _holds(each: Any) -> Outcome:
    """Of comparisons without chance."""
    return Outcome.HOLDS if all(each) else Outcome.FAILS


def _known(published: float | None) -> float:
    assert published is not None
    return published


def _zone(setting: Setting) -> str:
    return number(setting.solution.controls.zone, 2)


def _rate(setting: Setting) -> float:
    """How fast the dealer hedges at the largest inventory, M a second."""
    return float(-setting.solution.controls.hedging_rate(setting.problem.largest_inventory)) / SECONDS


def _of_gamma(gamma: float) -> Any:
    """The solution of EURUSD at a risk aversion."""
    return solved(EURUSD.replace(risk_aversion=gamma))
