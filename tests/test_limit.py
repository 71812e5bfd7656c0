"""Our market in the limit of short steps: it meets the dealer's problem, and another market does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dealermarket.control.dealer import solve
from dealermarket.papers import Outcome, experiment_named
from dealermarket.papers.fx_dealer import internalization_limit as of_limit
from dealermarket.papers.fx_dealer.limit import BASIS_POINT, PROBLEM, Limit
from dealermarket.study import Measures, Study, measure
from dealermarket.study.study import Measured

HOLDS, FAILS, UNDECIDED = Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED
LONG = (40, 80)  # steps a day: the longer ones of the experiment


@pytest.fixture(scope="module")
def shares() -> dict[str, float]:
    """What is hedged and traded of a maker that has the problem's share."""
    share = solve(PROBLEM, of_limit.GRID).long_run.external_share
    return {"hedged": share, "traded": 1.0 - share}


def verdicts(monkeypatch: pytest.MonkeyPatch, results: Measured, steps: tuple[int, ...] = LONG) -> dict[str, Outcome]:
    monkeypatch.setattr(of_limit, "STEPS_PER_DAY", steps)
    experiment = experiment_named("internalization-limit")
    found = experiment.with_results(experiment.load_scenario(), results)
    return {verdict.name: verdict.outcome for verdict in found.verdicts()}


def made_up(hedged: float, traded: float, edge: float, steps: tuple[int, ...] = LONG) -> Measured:
    noise = 1.0 + 0.01 * np.linspace(-1.0, 1.0, 100)
    edges = np.full(100, edge)
    one = Measures(others={"hedged": hedged * noise, "traded": np.full(100, traded), "waits": edges, "hedges": edges})
    return {f"limit {each}": {"": one} for each in steps}


@pytest.mark.parametrize("steps", [40, 160])
def test_parameters_are_those_of_the_problem(steps: int) -> None:
    market = Limit(PROBLEM, steps)
    scenario, tier = market.scenario, PROBLEM.tiers[0]
    requests = sum(agent.trade_probability for agent in scenario.agents) * steps
    assert requests == pytest.approx(2.0 * tier.rates[0])
    markup = np.array([0.0, 0.1, 0.3])  # bp
    trades = scenario.agents[0].demand.trade_share(markup / market.unit_cost)
    assert_allclose(trades, 1.0 / (1.0 + np.exp(tier.a + tier.b * markup)), rtol=1e-12)
    rate = 1.0  # M a day, slow enough for the curve to be straight
    cost = PROBLEM.linear_cost * rate * float(scenario.exchange.relative_spread(rate / steps))
    assert cost - PROBLEM.linear_cost * rate == pytest.approx(PROBLEM.quadratic_cost * rate**2, rel=2e-3)
    assert scenario.market.step_volatility(1.0) / BASIS_POINT == pytest.approx(PROBLEM.volatility / np.sqrt(steps), rel=1e-6)


def test_errors_of_the_value_halve_with_the_step() -> None:
    apart = [solve(PROBLEM, of_limit.GRID).constant - Limit(PROBLEM, steps).gain for steps in LONG]
    assert apart[0] / apart[1] == pytest.approx(2.0, abs=0.2)


def test_what_is_near_holds_and_what_is_not_fails(monkeypatch: pytest.MonkeyPatch, shares: dict[str, float]) -> None:
    zone = solve(PROBLEM, of_limit.GRID).controls.zone
    monkeypatch.setattr(of_limit, "VALUE", 0.01)
    near = verdicts(monkeypatch, made_up(**shares, edge=zone))
    assert (near["value"], near["simulated zone"], near["simulated share"]) == (HOLDS, HOLDS, HOLDS)
    monkeypatch.setattr(of_limit, "VALUE", 1e-3)
    more = shares | {"hedged": 1.3 * shares["hedged"]}
    far = verdicts(monkeypatch, made_up(**more, edge=zone + 0.5))
    assert (far["value"], far["simulated zone"], far["simulated share"]) == (FAILS, FAILS, FAILS)


def test_longer_steps_at_the_end_come_no_nearer(monkeypatch: pytest.MonkeyPatch, shares: dict[str, float]) -> None:
    monkeypatch.setattr(of_limit, "VALUE", 0.01)
    assert verdicts(monkeypatch, made_up(**shares, edge=3.45), LONG[::-1])["value"] is FAILS


@pytest.mark.compiled
def test_the_simulated_maker_waits_within_its_zone() -> None:
    market = Limit(PROBLEM, LONG[0])
    found = measure([Study("one", {"": market.scenario}, 60, of_limit.measures, record="trades")], 0)["one"][""]
    assert found["waits"].max() == pytest.approx(market.zone, abs=0.5)
    assert found["hedges"].min() == pytest.approx(market.zone, abs=0.5)
    share = found["hedged"].sum() / (found["hedged"] + found["traded"]).sum()
    assert 0.02 < share < 0.08


def test_the_lattice_is_finer_where_the_exchange_is_steep() -> None:
    assert Limit(PROBLEM, 40).lattice > Limit(PROBLEM, 80).lattice
