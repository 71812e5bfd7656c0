"""Regret: what policies lose against the optimum, by prices and by hedges, and the command that tells it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import assert_says, raises, refused
from dealermarket import ParameterError, Scenario
from dealermarket.commands.main import main
from dealermarket.control import Decision, Optimum
from dealermarket.draws.streams import first_episodes
from dealermarket.draws.tape import TapeSource
from dealermarket.model.makers.policies import HeuristicMaker, OptimalMaker, SkewMaker, TrainedMaker
from dealermarket.model.makers.reward import Reward
from dealermarket.papers import Outcome, Plan, experiment_named
from dealermarket.policies.controls import Controls
from dealermarket.policies.features import FEATURES
from dealermarket.policies.policy_file import Network, TrainedPolicy
from dealermarket.runs.chunks import Simulator
from dealermarket.study import measure
from dealermarket.study.regret import Regrets, Yardstick, rewards

REWARD = Reward(weights="pnl", inventory_squared=2.0)
SHORT = ("steps=16", "reward_horizon=2")
SKEW = SkewMaker(hedge_fraction=0.2)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")


@pytest.fixture(scope="module")
def regrets() -> Regrets:
    policies = {"skew": SKEW, "heuristic": HeuristicMaker(), "optimal": OptimalMaker()}  # its reward is what is asked about
    return Yardstick(Scenario.load("learning", SHORT), policies, reward=REWARD, replicas=400, seed=5).run()


@pytest.mark.compiled
def test_rewards_of_a_record_are_those_of_the_environment() -> None:
    pytest.importorskip("gymnasium")
    from dealermarket.envs import DealerEnv

    reward = Reward(weights="components", inventory_squared=0.5, inventory_pnl_squared=0.2, inventory_loss=0.3)
    scenario = Scenario.load("learning", [*SHORT, "makers.0.hedging.fraction=0.3"])
    chunk = Simulator(scenario, "steps", {}, 9).run(
        range(2), TapeSource(scenario).draw(first_episodes(9, range(2))), lambda _: None
    )
    env = DealerEnv(scenario, "learner", controls={"eps_buy": None, "eps_sell": None}, reward=reward)
    for replica in range(2):
        env.reset(seed=9, options={"replica": replica})
        given = [env.step([2 * 0.3 - 1])[1] for _ in range(scenario.steps)]
        np.testing.assert_allclose(rewards(scenario, chunk, 0, reward)[replica], given, rtol=1e-12, atol=1e-14)


@pytest.mark.compiled
def test_regret_is_what_is_missing_to_the_optimum(regrets: Regrets) -> None:
    for label, policy in (("skew", SKEW), ("heuristic", HeuristicMaker())):
        found, exact = regrets.of(label), regrets.optimum.value - regrets.optimum.evaluate(policy)
        assert abs(found.regret.value - exact) < 4 * found.regret.error + 1e-6
        assert abs(found.difference.value + exact) < 4 * found.difference.error
        assert found.regret.error < found.difference.error
        assert np.isclose(found.prices.value + found.hedging.value, found.regret.value)
        assert np.isclose(found.share.value, 1 - found.regret.value / regrets.optimum.value)
    assert abs(regrets.simulated.value - regrets.optimum.value) < 4 * regrets.simulated.error
    optimal = regrets.of("optimal")
    assert 0 <= optimal.regret.value < 1e-6 and optimal.difference.value == 0
    assert [each.label for each in regrets.ranked()] == ["optimal", "skew", "heuristic"]


@pytest.mark.compiled
def test_losses_are_told_apart(regrets: Regrets) -> None:
    skew = regrets.of("skew")
    assert skew.prices.low > 0 and skew.hedging.low > 0
    unhedged = Scenario.load("learning", [*SHORT, "makers.0.hedging={kind='none'}"])
    plain = Yardstick(unhedged, {"skew": SkewMaker(hedge_fraction=0.0)}, reward=REWARD, replicas=20).run().of("skew")
    assert abs(plain.hedging.value) < 1e-12 and plain.prices.value > 0


def test_what_cannot_be_asked() -> None:
    scenario = Scenario.load("learning", SHORT)
    with raises(ParameterError, "policies", names=["optimum"]):
        Yardstick(scenario, {"optimum": SKEW})
    controls = Controls(alpha=(1.0, 1.5))
    rng = np.random.default_rng(0)
    layers = [(rng.standard_normal((len(FEATURES), 4)), np.zeros(4))]
    TrainedPolicy(Network.of(layers, outputs=4), controls, about={}).save("alpha.npz")
    with raises(ParameterError, "mine", names=["alpha"]):
        Yardstick(scenario, {"mine": TrainedMaker(file="alpha.npz")})
    adaptive = scenario.with_settings("makers.1.policy.kind=adaptive", "market.mid_price.drift=0.1")
    with raises(ParameterError, "makers.1.policy", names=["adaptive"]) as caught:
        Yardstick(adaptive, {"skew": SKEW})
    assert "market.mid_price.drift" in str(caught.value)


@pytest.mark.compiled
def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["regret", "skew:hedge_fraction=0.2", "heuristic", "--penalty", "inventory_squared=2", "--replicas", "20"]
    asked += [part for setting in SHORT for part in ("--set", setting)]
    assert main([*asked, "--plot"]) == 0
    shown = capsys.readouterr().out
    value = Decision.of(Scenario.load("learning", SHORT), None, REWARD).solve().value
    assert f"{value:.6g}" in shown and "share" in shown
    folder = Path("regrets/learning-1")
    frame = pd.read_csv(folder / "regret.csv")
    assert list(frame["policy"]) == ["skew:hedge_fraction=0.2", "heuristic"] and np.allclose(frame["value"], value)
    actions = pd.read_csv(folder / "actions.csv")
    assert actions.groupby("policy")["steps"].sum().eq(20 * 16).all() and (folder / "regret.png").stat().st_size > 10_000
    assert main([*asked, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["reward"]["inventory_squared"] == 2.0
    assert [each["regret"]["value"] for each in data["policies"]] == pytest.approx(frame["regret"], rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "field", "names"),
    [
        ((), "POLICY", []),
        (("skew", "--penalty", "inventory=2"), "--penalty 'inventory=2'", ["inventory_squared"]),
        (("skew", "--penalty", "inventory_squared=much"), "--penalty 'inventory_squared=much'", ["much"]),
        (("skew", "--penalty", "inventory_loss=1", "--penalty", "inventory_loss=2"), "--penalty 'inventory_loss=2'", []),
        (("skew", "--maker", "nobody"), "maker 'nobody'", []),
    ],
)
def test_bad_input_leaves_nothing_behind(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], field: str, names: list[str]
) -> None:
    assert_says(refused(capsys, "regret", *arguments, "--out", "here"), field, names=names)
    assert not Path("here").exists()


def test_a_market_without_an_exact_optimum_is_refused_with_all_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["regret", "skew", "--scenario", "paper", "--set", "market.mid_price.drift=0.1"]) == 2
    said = capsys.readouterr().err
    for field in ("makers.1.tiering", "makers.1.hedging.venue", "market.mid_price.drift"):
        assert_says(said, field)
    assert "approximate" not in said  # from which no regret would follow


@pytest.mark.compiled
def test_the_experiment_tells_the_optimum_from_another_value(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = experiment_named("yardstick")
    plan = Plan.of(experiment, experiment.load_scenario(None, ["steps=24"]), 60)
    measured = measure(plan.studies, 3, 2)

    def outcomes() -> dict[str, Outcome]:
        return {verdict.name: verdict.outcome for verdict in plan.section(measured).verdicts}

    found = outcomes()
    assert {name for name, outcome in found.items() if outcome is Outcome.HOLDS} >= {
        "regret is what is missing",
        "nobody is optimal",
    }
    assert Outcome.FAILS not in (found["the optimum earns its value"], found["advantages are sharper"])
    monkeypatch.setattr(Optimum, "value", property(lambda self: 1.1 * float(self.values[0].max() / len(self.values[1:]))))
    other = outcomes()
    assert other["the optimum earns its value"] is other["regret is what is missing"] is Outcome.FAILS


def test_the_experiment_needs_an_optimum() -> None:
    with raises(ParameterError, "yardstick", names=["drift"]):
        experiment_named("yardstick").load_scenario(None, ["market.mid_price.drift=0.1"])
