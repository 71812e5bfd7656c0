"""Policies written in Python and markets driven live."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from conftest import raises
from dealermarket import (
    Action,
    LiveMarket,
    MakerPolicy,
    Observation,
    PolicyError,
    PolicySetup,
    Scenario,
    SimulationRunner,
    Tape,
    TapeError,
)
from dealermarket.draws.streams import Episode, Stream, first_episodes
from dealermarket.policies import Actor
from philox_in_python import uniforms


class Nothing(MakerPolicy):
    """Leaves everything to the maker's own policy."""

    def act(self, observation: Observation) -> Action:
        return Action()


class Constant(MakerPolicy):
    def __init__(self, **parts: object) -> None:
        self.action = Action(**parts)  # type: ignore[arg-type]

    def act(self, observation: Observation) -> Action:
        return self.action


class Diary(MakerPolicy):
    """Writes down what it sees, and hedges half."""

    def __init__(self) -> None:
        self.pages: list[dict[str, np.ndarray]] = []

    def act(self, observation: Observation) -> Action:
        names = [name for name, kind in vars(Observation).items() if isinstance(kind, property)]
        self.pages.append({name: getattr(observation, name) for name in names} | {"step": np.array(observation.step)})
        return Action(hedge_fraction=0.5)


def test_a_policy_that_leaves_all_to_the_maker_changes_no_bit(small: Scenario) -> None:
    plain = SimulationRunner(small, replicas=4, record="trades").run()
    with_policy = SimulationRunner(
        small, replicas=4, record="trades", policies={"maker-1": Nothing(), "maker-2": Nothing()}
    ).run()
    pd.testing.assert_frame_equal(plain.summary, with_policy.summary, check_exact=True)
    pd.testing.assert_frame_equal(plain.steps, with_policy.steps, check_exact=True)
    pd.testing.assert_frame_equal(plain.trades, with_policy.trades, check_exact=True)


@pytest.mark.parametrize(
    ("parts", "setting"),
    [
        ({"hedge_fraction": 0.3}, "makers.0.hedging={kind='fraction', fraction=0.3}"),
        ({"hedge_fraction": 1.0}, "makers.0.hedging={kind='full'}"),
        ({"eps_buy": -0.2, "eps_sell": 0.1}, "makers.0.pricing={alpha=1.5, tier_penalty=1e-5, eps_buy=-0.2, eps_sell=0.1}"),
        ({"tiers": np.arange(12) % 5}, "makers.0.tiering={kind='fixed', table={TABLE}}"),
    ],
)
def test_an_action_equals_the_same_built_in_policy(small: Scenario, parts: dict[str, object], setting: str) -> None:
    table = ", ".join(f"{name}={i % 5}" for i, name in enumerate(small.participants) if name != "maker-1")
    same = small.with_settings(setting.replace("TABLE", table))
    built_in = SimulationRunner(same, replicas=3, record="trades").run()
    python = SimulationRunner(small, replicas=3, record="trades", policies={"maker-1": Constant(**parts)}).run()
    pd.testing.assert_frame_equal(built_in.trades.drop(columns="yield"), python.trades.drop(columns="yield"), check_exact=True)
    pd.testing.assert_frame_equal(built_in.summary, python.summary, check_exact=True)


def test_observations_are_the_record(small: Scenario) -> None:
    diary = Diary()
    result = SimulationRunner(small, replicas=3, record="trades", policies={"maker-2": diary}).run()
    own = result.steps[result.steps["maker"] == "maker-2"]
    orders = result.trades[(result.trades["kind"] == "order")]
    for step, page in enumerate(diary.pages):
        now, last = own[own["step"] == step], own[own["step"] == step - 1]
        assert page["step"] == step
        for name in ("mid", "reference_spread", "position", "risk_cost", "position_revenue"):
            assert_array_equal(page[name], now[name])
        for name in ("spread_revenue", "hedging_cost"):
            assert_array_equal(page[name], last[name] if step else np.zeros(3))
        before = orders[orders["step"] == step - 1]
        for name, chosen in (("bought", before["side"] == 1), ("sold", before["side"] == -1)):
            mine = (
                before[chosen & (before["maker"] == "maker-2")].groupby("replica")["size"].sum().reindex(range(3), fill_value=0.0)
            )
            np.testing.assert_allclose(page[name], mine, rtol=1e-12)
        all_of_it = before.groupby("replica")["size"].sum().reindex(range(3), fill_value=0.0)
        np.testing.assert_allclose(page["market_volume"], all_of_it, rtol=1e-12)
        assert page["psi"].shape == page["tiers"].shape == (3, 12)
        assert set(page["tiers"].ravel()) <= set(range(5))
    last_pnl = diary.pages[-1]["pnl"]
    final = own[own["step"] == 29]
    summary = result.summary[result.summary["maker"] == "maker-2"]
    np.testing.assert_allclose(summary["pnl"], last_pnl + final["spread_revenue"].to_numpy() + final["hedging_cost"].to_numpy())


def test_observations_are_copies(small: Scenario) -> None:
    class Vandal(MakerPolicy):
        def act(self, observation: Observation) -> Action:
            for name, kind in vars(Observation).items():
                if isinstance(kind, property):
                    getattr(observation, name)[...] = 7
            return Action()

    plain = SimulationRunner(small, replicas=2).run().summary
    pd.testing.assert_frame_equal(plain, SimulationRunner(small, replicas=2, policies={"maker-1": Vandal()}).run().summary)


class Gambler(MakerPolicy):
    """Hedges a random fraction at every step."""

    def start(self, setup: PolicySetup) -> Actor:
        return Gambling(setup)


class Gambling:
    def __init__(self, setup: PolicySetup) -> None:
        self.setup = setup

    def act(self, observation: Observation) -> Action:
        return Action(hedge_fraction=self.setup.uniform())


def test_a_policys_draws_depend_on_the_replica_alone(small: Scenario) -> None:
    one, many = (SimulationRunner(small, replicas=n, policies={"maker-1": Gambler()}).run().summary for n in (1, 5))
    pd.testing.assert_frame_equal(one, many[:2], check_exact=True)
    setup = PolicySetup(small, "maker-2", first_episodes(4, (2, 3)))
    expected = [uniforms(Episode(4, replica), Stream.POLICY + 1, 9) for replica in (2, 3)]
    assert_array_equal(setup.uniform(3), [numbers[:3] for numbers in expected])
    assert_array_equal(setup.uniform(2, 2).reshape(2, 4), [numbers[4:8] for numbers in expected])  # from a new block on
    generators = [Episode(4, replica).generator(Stream.POLICY + 1) for replica in (2, 3)]
    assert [one.random() for one in setup.generators] == [one.random() for one in generators]
    assert setup.participant == 11


@pytest.mark.parametrize(
    ("action", "value", "names"),
    [
        (Action(hedge_fraction=1.5), 1.5, ["hedge_fraction", "[0, 1]"]),
        (Action(hedge_fraction=float("nan")), "nan", ["hedge_fraction", "[0, 1]"]),
        (Action(hedge_fraction=[0.1, 0.2, 0.3]), "[0.1, 0.2, 0.3]", ["hedge_fraction", "(2,)"]),
        (Action(eps_buy=-2.0), -2.0, ["eps_buy", "[-1, 1e+06]"]),
        (Action(eps_sell=np.inf), "inf", ["eps_sell", "[-1, 1e+06]"]),
        (Action(eps_sell="wide"), "'wide'", ["eps_sell", "numbers", "text"]),
        (Action(eps_sell="0.5"), "'0.5'", ["eps_sell", "numbers", "text"]),
        (Action(eps_sell=1j), "1j", ["eps_sell", "numbers", "real"]),
        (Action(eps_sell=np.ma.array([0.1, 0.2], mask=[True, False])), "[None, 0.2]", ["eps_sell", "masked", "filled"]),
        (Action(hedge_fraction=10**400), None, ["hedge_fraction", "numbers", "floats"]),
        (Action(hedge_fraction=[[0.1], [0.1, 0.2]]), "[[0.1], [0.1, 0.2]]", ["hedge_fraction", "numbers"]),
        (Action(tiers=5), 5, ["tiers", "[0, 4]"]),
        (Action(tiers=0.5), 0.5, ["tiers", "whole"]),
        (0.5, 0.5, ["act", "Action"]),
    ],
)
def test_bad_actions_are_refused(small: Scenario, action: Action, value: object, names: list[str]) -> None:
    class Bad(MakerPolicy):
        def act(self, observation: Observation) -> Action:
            return action

    with raises(PolicyError, "policy of 'maker-1'", value, names=names):
        SimulationRunner(small, replicas=2, policies={"maker-1": Bad()}).run()


def test_policies_belong_to_makers(small: Scenario) -> None:
    with raises(PolicyError, "policies", names=["'maker1'", "'maker-1'"]):
        SimulationRunner(small, policies={"maker1": Nothing()})
    with raises(PolicyError, "policies", names=["'maker-1'", "instance", "MakerPolicy"]):
        SimulationRunner(small, policies={"maker-1": Nothing})  # type: ignore[dict-item]


def test_a_lone_maker_cannot_hedge_with_nobody() -> None:
    alone = Scenario.load("internalization", ["steps=20"])
    alone = alone.replace(makers=alone.makers[:1])
    with raises(PolicyError, "policy of 'maker-1'", names=["other maker", "venue"]):
        SimulationRunner(alone, policies={"maker-1": Constant(hedge_fraction=0.5)}).run()
    SimulationRunner(alone, policies={"maker-1": Constant(hedge_fraction=0.0)}).run()
    at_exchange = alone.with_settings("makers.0.hedging={kind='fraction', fraction=0.0, venue='exchange'}")
    result = SimulationRunner(at_exchange, policies={"maker-1": Constant(hedge_fraction=0.5)}).run()
    assert result.summary["hedge_volume"].gt(0).all()


def crowded(scenario: Scenario) -> Tape:
    """A tape on which all investors have many orders a step, more in all than there are participants."""
    drawn, rng = Tape.draw(scenario, seed=8), np.random.default_rng(8)
    orders = [
        (t, j, rng.choice([-1, 1]), rng.uniform(0.1, 5.0), rng.random())
        for t in range(scenario.steps)
        for j in rng.integers(0, 10, rng.integers(0, 9 * t + 2))
    ]
    given = {name: getattr(drawn, name)[0] for name in ("mid", "reference_spread", "hedge_tie", "tie_order")}
    return Tape.from_orders(scenario, orders=orders, **given)


@pytest.mark.parametrize("draw", [lambda scenario: Tape.draw(scenario, seed=8), crowded], ids=["drawn", "crowded"])
@pytest.mark.parametrize("policies", [{}, {"maker-1": Constant(hedge_fraction=0.25, eps_buy=0.1)}])
def test_live_equals_a_run_on_a_tape_of_the_same_numbers(
    small: Scenario, policies: dict[str, MakerPolicy], draw: Callable[[Scenario], Tape]
) -> None:
    tape = draw(small)
    expected = SimulationRunner(small, record="trades", policies=policies).run(tape=tape)
    live = LiveMarket(small, seed=8, policies=policies)
    trades = []
    for t in range(small.steps):
        assert live.step == t
        live.begin(tape.mid[0, t], tape.reference_spread[0, t])
        chosen = range(tape.order_start[0, t], tape.order_start[0, t + 1])
        orders = [(tape.investor[n], tape.side[n], tape.size[n], tape.tie[n]) for n in chosen]
        trades += live.finish(orders, hedge_tie=tape.hedge_tie[0, t])
    columns = ["taker", "maker", "side", "size", "spread", "tier", "kind"]
    pd.testing.assert_frame_equal(pd.DataFrame(trades), expected.trades[columns], check_dtype=False, check_exact=True)
    summary = expected.summary.set_index("maker")
    for maker, rewards in live.rewards.items():
        for name, value in rewards.items():
            assert value == summary.loc[maker, name]
    assert sum(live.position.values()) == pytest.approx(-sum(t.side * t.size for t in trades if t.kind == "order"))
    assert {len(tiers) for tiers in live.tiers.values()} == {11}


def test_live_goes_on_past_the_scenarios_steps(small: Scenario) -> None:
    live = LiveMarket(small)
    for t in range(40):
        live.begin(1.0 + 0.001 * t, 1.5e-4)
        live.finish([(t % 10, 1, 1.0)])
    assert live.step == 40


def test_live_says_what_is_wrong(small: Scenario) -> None:
    live = LiveMarket(small)
    with raises(TapeError, "finish", names=["prices", "begin"]):
        live.finish()
    with raises(TapeError, "mid", "nan", names=["finite"]):
        live.begin(float("nan"), 1e-4)
    with raises(TapeError, "reference_spread", 0.0, names=["finite"]):
        live.begin(1.0, 0.0)
    live.begin(1.0, 1e-4)
    with raises(TapeError, "begin", names=["step 0", "finish"]):
        live.begin(1.0, 1e-4)
    with raises(
        TapeError, "order 0 (step, investor, side, size, tie) = (0.0, 0.0, 1.0, 99.5, 0.0): size", names=["0.99 v_max = 99"]
    ):
        live.finish([(0, 1, 99.5)])
    with raises(TapeError, "hedge_tie", "(1,)", names=["(2,)"]):
        live.finish([(0, 1, 1.0)], hedge_tie=[0.5])
    assert len(live.finish([(0, 1, 1.0)])) == 1
