"""Training: the bridge to Stable-Baselines3, self-play, policy files, folders of trainings and the command."""

from __future__ import annotations

import io
import itertools
import json
import queue
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from conftest import DEADLINE, MISSING, assert_same_bits, assert_says, edit_meta, needs_learn, raises, ran, refused

gymnasium = pytest.importorskip("gymnasium")
pytest.importorskip("pettingzoo")

from gymnasium.vector import AutoresetMode, SyncVectorEnv  # noqa: E402
from rich.console import Console  # noqa: E402

from dealermarket import Scenario, SimulationRunner, __version__  # noqa: E402
from dealermarket.commands.main import main  # noqa: E402
from dealermarket.commands.train import Options, next_commands, training_of  # noqa: E402
from dealermarket.commands.training_display import training_progress  # noqa: E402
from dealermarket.envs import FEATURES, Controls, DealerEnv, DealerVectorEnv, Reward  # noqa: E402
from dealermarket.envs.arena import Arena  # noqa: E402
from dealermarket.envs.parallel import DealerParallelEnv  # noqa: E402
from dealermarket.errors import ParameterError, PolicyError, RunFolderError, ScenarioError  # noqa: E402
from dealermarket.learning.folder import TrainingFolder  # noqa: E402
from dealermarket.learning.shared import SharedPolicyVectorEnv  # noqa: E402
from dealermarket.learning.training import Hyperparameters, Point, Training  # noqa: E402
from dealermarket.model.scenario import preset_names  # noqa: E402
from dealermarket.policies.policy_file import Network, TrainedPolicy  # noqa: E402

if not MISSING:
    import stable_baselines3
    import torch
    from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

    from dealermarket.learning import trainer
    from dealermarket.learning.sb3 import Sb3VecEnv, exported

SAME, NEXT = AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP
WIDTH = len(FEATURES)
QUICK = Hyperparameters(rollout=8, batch=32, width=8)
SETTINGS = ["hyperparameters.rollout=8", "hyperparameters.batch=64", "scenario.steps=24"]
BRIEF = ["--steps", "2000", "--markets", "16", *(part for setting in SETTINGS for part in ("--set", setting))]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")


@pytest.fixture
def as_if_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command goes on where libraries are missing: for what it refuses before it would train."""
    monkeypatch.setattr("dealermarket.commands.train.NEEDED", ())


def market(steps: int = 24, *settings: str) -> Scenario:
    """The follow-up paper's market against a competitor whose prices are near."""
    return Scenario.load("learning", [f"steps={steps}", "makers.1.policy.low=-0.5", "makers.1.policy.high=0.5", *settings])


STEEP = market(24, "exchange.lam=1.02")
"""Where the largest alpha is 2.70549."""


def quick(**changes: Any) -> Training:
    chosen: dict[str, Any] = {
        "scenario": market(),
        "makers": ("learner",),
        "steps": 1000,
        "markets": 16,
        "hyperparameters": QUICK,
    }
    return Training(**(chosen | changes))


def policy_of(seed: int = 0, controls: Controls | None = None, width: int = 6) -> TrainedPolicy:
    """A policy that decides something, though nobody trained it."""
    rng, chosen = np.random.default_rng(seed), controls or Controls()
    sizes = (WIDTH, width, width, len(chosen.names))
    layers = [(rng.normal(0, 0.5, shape), rng.normal(0, 0.2, shape[1])) for shape in itertools.pairwise(sizes)]
    return TrainedPolicy(Network.of(layers, len(chosen.names)), chosen, {"made": "by a test"})


def features(rows: int, seed: int = 1) -> np.ndarray:
    low, high = np.array([feature.low for feature in FEATURES]), np.array([feature.high for feature in FEATURES])
    return np.random.default_rng(seed).uniform(low, high, (rows, WIDTH)).astype(np.float32)


# --- the bridge


@needs_learn
def test_the_bridge_shows_the_trajectory_of_the_vector_environment() -> None:
    ours, env = (DealerVectorEnv(3, market(6), autoreset_mode=SAME) for _ in range(2))
    bridge = Sb3VecEnv(ours)
    bridge.seed(7)
    rng = np.random.default_rng(0)
    seen = bridge.reset()
    assert_same_bits(seen, env.reset(seed=7)[0])
    before = seen.copy()
    for step in range(1, 16):
        actions = rng.uniform(-1, 1, (3, 3)).astype(np.float32)
        seen_next, rewards, dones, infos = bridge.step(actions)
        observation, reward, terminated, truncated, info = env.step(actions)
        assert_same_bits(seen_next, observation)
        assert_same_bits(rewards, reward.astype(np.float32))
        assert_same_bits(dones, terminated | truncated)
        assert dones.all() == (step % 6 == 0)
        for n, info_of_one in enumerate(infos):
            if dones[n]:
                assert info_of_one["TimeLimit.truncated"] is True
                assert_same_bits(info_of_one["terminal_observation"], info["final_obs"][n])
            else:
                assert info_of_one == {}
        assert_same_bits(seen, before)  # what was handed out stays what it was
        seen, before = seen_next, seen_next.copy()
    assert_same_bits(bridge.reset(), env.reset()[0])  # without a seed: the episodes that follow
    bridge.seed(7)
    assert_same_bits(bridge.reset(), env.reset(seed=7)[0])
    bridge.close()


@needs_learn
def test_the_bridge_answers_as_stable_baselines3_expects() -> None:
    bridge = Sb3VecEnv(DealerVectorEnv(4, market(6), autoreset_mode="SAME_STEP"))
    assert bridge.num_envs == 4
    assert bridge.observation_space.shape == (WIDTH,) and bridge.action_space.shape == (3,)
    assert bridge.get_attr("num_envs") == [4] * 4
    assert bridge.get_attr("num_envs", indices=[0, 2]) == [4] * 2
    assert bridge.env_is_wrapped(VecMonitor) == [False] * 4
    bridge.set_attr("note", "kept")
    assert bridge.get_attr("note", indices=1) == ["kept"]
    assert len(bridge.env_method("close", indices=[1])) == 1
    monitored = VecMonitor(bridge)
    monitored.seed(1)
    monitored.reset()
    total = np.zeros(4)
    for _ in range(6):
        _, rewards, dones, infos = monitored.step(np.zeros((4, 3), np.float32))
        total += rewards
    assert dones.all()
    np.testing.assert_allclose([info["episode"]["r"] for info in infos], total, rtol=1e-5)
    assert [info["episode"]["l"] for info in infos] == [6] * 4


@pytest.mark.training
def test_any_vector_environment_that_resets_in_the_same_step_will_do() -> None:
    def make(limit: int) -> Any:
        return lambda: gymnasium.make("CartPole-v1", max_episode_steps=limit)

    limits = (5, 500, 500)
    ours, env = (SyncVectorEnv([make(limit) for limit in limits], autoreset_mode=SAME) for _ in range(2))
    bridge = Sb3VecEnv(ours)
    bridge.seed(3)
    assert_same_bits(bridge.reset(), env.reset(seed=3)[0])
    ended = {True: 0, False: 0}
    for step in range(40):
        actions = np.full(3, step % 7 == 0, np.int64)
        seen, rewards, dones, infos = bridge.step(actions)
        observation, reward, terminated, truncated, info = env.step(actions)
        assert_same_bits(seen, observation)
        assert_same_bits(rewards, reward.astype(np.float32))
        assert_same_bits(dones, terminated | truncated)
        for n in np.flatnonzero(dones):
            assert infos[n]["TimeLimit.truncated"] == truncated[n]
            assert_same_bits(infos[n]["terminal_observation"], info["final_obs"][n])
            ended[bool(truncated[n])] += 1
    assert min(ended.values()) > 0
    stable_baselines3.PPO("MlpPolicy", bridge, n_steps=8, batch_size=12, device="cpu").learn(48)


@needs_learn
@pytest.mark.parametrize("mode", [NEXT, AutoresetMode.DISABLED])
def test_the_bridge_refuses_other_modes(mode: AutoresetMode) -> None:
    names = ["autoreset_mode='SAME_STEP'", mode.name]
    with raises(ParameterError, "env", names=names):
        Sb3VecEnv(DealerVectorEnv(2, market(6), autoreset_mode=mode))
    with raises(ParameterError, "env", names=names):
        Sb3VecEnv(SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")], autoreset_mode=mode))


@needs_learn
@pytest.mark.parametrize("algorithm", ["PPO", "A2C"])
def test_an_exported_policy_acts_as_the_models_does(algorithm: str) -> None:
    controls = Controls(eps_buy=(-0.7, 0.2), tier_penalty=(0.0, 1e-4))
    env = Sb3VecEnv(DealerVectorEnv(4, market(6), controls=controls, autoreset_mode=SAME))
    model = getattr(stable_baselines3, algorithm)(
        "MlpPolicy", env, n_steps=16, policy_kwargs={"activation_fn": torch.nn.Tanh, "net_arch": [9, 5]}, device="cpu"
    )
    with torch.no_grad():
        for part in model.policy.parameters():
            part.copy_(torch.randn(part.shape, generator=torch.Generator().manual_seed(0)) * 0.4)
    policy, seen = exported(model, controls, {}), features(500)
    expected, _ = model.predict(seen, deterministic=True)
    numbers = policy.numbers(seen)
    np.testing.assert_allclose(numbers, expected, atol=1e-6)
    assert {-1.0, 1.0} <= set(numbers.ravel()) and numbers.shape == (500, 4)
    low, high = controls.ranges
    values = policy.values(seen)
    assert (values >= low).all() and (values <= high).all()
    assert (values == low).any() and (values == high).any()  # where the network leaves the range
    np.testing.assert_allclose(values, controls.values(expected.astype(float)), rtol=1e-6, atol=1e-6)


@needs_learn
def test_a_policy_of_normalised_observations_is_exported_for_those_that_come_in() -> None:
    def model_of(**normalised: Any) -> Any:
        env = VecNormalize(Sb3VecEnv(DealerVectorEnv(4, market(6), autoreset_mode=SAME)), epsilon=1e-4, **normalised)
        return stable_baselines3.PPO(
            "MlpPolicy", env, n_steps=16, batch_size=64, policy_kwargs={"activation_fn": torch.nn.Tanh}, device="cpu"
        )

    model = model_of(clip_obs=np.inf)
    model.learn(64)
    seen = features(500)
    expected, _ = model.predict(model.get_vec_normalize_env().normalize_obs(seen), deterministic=True)
    np.testing.assert_allclose(exported(model, Controls(), {}).numbers(seen), expected, atol=1e-4)
    as_they_are, _ = model.predict(seen, deterministic=True)
    assert np.abs(expected - as_they_are).max() > 0.01
    with raises(ParameterError, "model", names=["VecNormalize", "clip_obs"]):
        exported(model_of(), Controls(), {})


# --- training


BY_CHANCE = market(12, "reward_horizon=2")


@pytest.mark.parametrize(
    ("settings", "reward", "weights"),
    [
        ([], {"weights": "pnl"}, {"spread_revenue": 1.0, "hedging_cost": 1.0}),
        (
            ["market.mid_price.kind=jump_diffusion"],
            {"weights": "components", "inventory_loss": 0.5},
            {"spread_revenue": 1.0, "hedging_cost": 1.0, "risk_cost": 1.0, "inventory_pnl": -0.75},
        ),
        (["market.mid_price.drift=0.1"], {"weights": "pnl"}, None),
        (["market.mid_price.kind=ornstein_uhlenbeck"], {"weights": "components"}, None),
        (["investors.0.oracle_probability=0.1"], {"weights": "pnl"}, None),
        (["market.impact.kind=linear"], {"weights": "pnl"}, None),
    ],
)
def test_what_is_learned_from(settings: list[str], reward: dict[str, Any], weights: dict[str, float] | None) -> None:
    training = quick(scenario=BY_CHANCE.with_settings(*settings), reward=Reward(inventory_squared=0.5, **reward))
    if weights is None:
        assert training.learned_from == training.reward
    else:
        wanted = dict.fromkeys(training.reward.component_weights, 0.0) | weights
        assert training.learned_from == training.reward.replace(weights=wanted)


@pytest.mark.compiled
def test_what_is_learned_from_is_the_reward_on_average_with_less_chance() -> None:
    """Where the mid moves more than a spread, for a policy that holds what comes."""
    from dealermarket.learning.playing import play

    training = quick(scenario=BY_CHANCE, reward=Reward(weights="components", inventory_loss=0.5))
    earned = []
    for reward in (training.reward, training.learned_from):
        arena = Arena(training.scenario, training.makers, training.controls, reward)
        log = play(arena, lambda seen: np.tile([0.0, 0.0, -0.8], (len(seen), 1)), 5, range(4000))
        earned.append(log.earned("reward").sum(axis=(1, 2)))
    difference = earned[0] - earned[1]
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(len(difference))
    assert earned[1].std() < 0.6 * earned[0].std()


@pytest.mark.training
@pytest.mark.compiled
def test_equal_trainings_give_equal_policies() -> None:
    def trained(**changes: Any) -> str:
        return trainer.train(quick(**changes)).digest

    first = trained()
    assert first == trained()
    assert first != trained(seed=1)
    assert first != trained(algorithm="a2c", hyperparameters=QUICK.replace(batch=Hyperparameters().batch))
    assert trained(seed=2**80) != first


@pytest.mark.training
def test_what_a_training_reports_is_what_the_markets_paid() -> None:
    """And not how it is normalised, or what the algorithm adds beyond the time limit."""
    points: list[Point] = []
    training = quick(
        scenario=market(4, "reward_horizon=2"), reward=Reward(weights="pnl"), hyperparameters=QUICK.replace(rollout=4), steps=1
    )
    policy = trainer.train(training, points.append)
    assert [point.steps for point in points] == [64]
    model = trainer._model(training, None, None)
    paid: list[float] = []
    inner = model.get_vec_normalize_env().venv
    real = inner.step_wait

    def step_wait() -> Any:
        result = real()
        paid.append(float(result[1].mean()))
        return result

    inner.step_wait = step_wait
    model.learn(64)
    assert points[0].reward == pytest.approx(np.mean(paid), rel=1e-6)
    assert 0 < points[0].share < 1 and points[0].inventory > 0 and points[0].noise == pytest.approx(QUICK.noise)
    assert policy.about["steps"] == 64 and policy.about["scenario"] == "learning" and policy.about["makers"] == ["learner"]


@pytest.mark.training
@pytest.mark.compiled
def test_the_share_reported_is_that_of_the_volume() -> None:
    """Also where nobody trades in every second step, so that the mean of the steps' shares is half of it."""
    scenario = Scenario.load("paper", ["steps=100"])
    points: list[Point] = []
    still = Hyperparameters(rollout=100, noise=1e-6, learning_rate=1e-9)
    left = Controls(hedge_fraction=None)
    trainer.train(Training(scenario=scenario, makers=("maker-1",), steps=1, hyperparameters=still, controls=left), points.append)
    run = SimulationRunner(scenario, replicas=256, seed=5).run().statistics()["maker-1"]["market_share"]
    assert points[0].share == pytest.approx(float(run.value), abs=0.04)


@pytest.mark.training
@pytest.mark.slow
def test_it_learns() -> None:
    """Spread revenue less hedging cost against a random competitor: more than without training, on common replicas.

    So short a training needs small batches and little noise; the usual ones are made for a longer one."""
    from dealermarket.learning.playing import play

    reward = Reward(weights={"spread_revenue": 1.0, "hedging_cost": 1.0})
    brisk = Hyperparameters(learning_rate=0.002, slowest=1.0, batch=1024, noise=0.3)
    training = Training(scenario=market(96), makers=("learner",), steps=80_000, markets=128, reward=reward, hyperparameters=brisk)
    arena = Arena(training.scenario, training.makers, training.controls, reward)
    untrained = exported(trainer._model(training, None, None), training.controls, {})
    earned = [
        play(arena, policy.numbers, 99, range(200)).earned("reward").mean(axis=(1, 2))
        for policy in (untrained, trainer.train(training))
    ]
    gain = earned[1] - earned[0]
    assert gain.mean() > 10 * gain.std(ddof=1) / np.sqrt(len(gain))
    assert (
        gain.mean() > 0.04
    )  # of 0.0625: the best constant price earns 0.75 ** 2, eps 0 half of what the whole market pays there


@pytest.mark.parametrize(
    ("rollout", "markets", "batch", "expected"),
    [(16, 256, 1024, 1024), (7, 1, 2, 7), (2003, 1, 1000, 2003), (12, 1, 5, 6), (2, 1, 1000, 2), (24, 3, 50, 36)],
)
def test_batches_divide_rollouts(rollout: int, markets: int, batch: int, expected: int) -> None:
    training = quick(markets=markets, hyperparameters=Hyperparameters(rollout=rollout, batch=batch))
    assert training.batch == expected
    assert training.samples % expected == 0


@pytest.mark.parametrize(
    ("changes", "field", "value", "names"),
    [
        ({"makers": ("bob",)}, "maker", None, ["'bob'", "'learning'"]),
        ({"makers": ()}, "makers", None, ["empty"]),
        ({"makers": ("learner", "learner")}, "makers", "learner, learner", ["different"]),
        ({"markets": 1, "hyperparameters": Hyperparameters(rollout=1)}, "markets", None, ["2 to 10,000,000"]),
        ({"algorithm": "a2c", "hyperparameters": Hyperparameters(clip=0.3)}, "hyperparameters.clip", None, ["a2c", "ppo"]),
        ({"controls": Controls(alpha=(1.0, 5.0)), "scenario": STEEP}, "controls: alpha", 5, ["2.70549"]),
    ],
)
def test_trainings_that_cannot_be(changes: dict[str, Any], field: str, value: object, names: list[str]) -> None:
    with raises(ParameterError, field, value, names=names):
        quick(**changes)


@pytest.mark.training
def test_a_training_that_diverges_says_so() -> None:
    with pytest.raises(ParameterError, match=r"diverged .* 128 steps.* learning_rate"):
        trainer.train(quick(reward=Reward(weights={"spread_revenue": 1e300}), steps=10_000))


@pytest.mark.training
def test_a_checkpoint_knows_how_large_observations_and_rewards_are() -> None:
    """A policy that goes on with other ones would be another policy."""
    training = quick()
    policy = trainer.train(training, checkpoints=Path("kept"))
    model = trainer._model(training, None, Path("kept"))
    again = exported(model, training.controls, {})
    assert again.digest == policy.digest
    env, new = model.get_vec_normalize_env(), trainer._model(training, None, None).get_vec_normalize_env()
    assert float(env.ret_rms.var) != float(new.ret_rms.var)
    assert env.ret_rms is model.normalisation[1]


@pytest.mark.training
def test_torch_keeps_its_threads() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        trainer.train(quick(steps=1))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


# --- self-play


@pytest.mark.parametrize("learners", [("learner", "competitor"), ("competitor", "learner")])
def test_learners_of_one_policy_see_what_those_of_the_parallel_environment_see(learners: tuple[str, str]) -> None:
    scenario = market(5, "reward_horizon=2")
    shared = SharedPolicyVectorEnv(Arena(scenario, learners, None, "pnl"), 3)
    parallel = [DealerParallelEnv(scenario, learners, reward="pnl") for _ in range(3)]
    rng = np.random.default_rng(0)
    seen, _ = shared.reset(seed=11)
    expected = [env.reset(seed=11, options={"replica": replica})[0] for replica, env in enumerate(parallel)]

    def rows(markets: list[dict[str, Any]]) -> np.ndarray:
        return np.array([values[maker] for values in markets for maker in learners])

    assert_same_bits(seen, rows(expected))
    for step in range(1, 13):
        actions = rng.uniform(-1, 1, (6, 3)).astype(np.float32)
        seen, reward, terminated, truncated, info = shared.step(actions)
        by_market = [
            env.step({maker: actions[2 * b + place] for place, maker in enumerate(learners)}) for b, env in enumerate(parallel)
        ]
        assert_same_bits(reward, rows([result[1] for result in by_market]))
        assert not terminated.any()
        assert truncated.all() == truncated.any() == (step % 5 == 0)
        last = rows([result[0] for result in by_market])
        if step % 5 == 0:
            assert_same_bits(np.stack(list(info["final_obs"])), last)
            assert_same_bits(seen, rows([env.reset()[0] for env in parallel]))
        else:
            assert info == {}
            assert_same_bits(seen, last)
    assert_same_bits(shared.reset()[0], rows([env.reset()[0] for env in parallel]))


@pytest.mark.training
def test_self_play_counts_the_steps_of_the_markets() -> None:
    points: list[Point] = []
    training = quick(makers=("learner", "competitor"), steps=300)
    policy = trainer.train(training, points.append, checkpoints=Path("kept"), every=1)
    assert [point.steps for point in points] == [128, 256, 384] == list(range(128, training.market_steps + 1, 128))
    assert [path.name for path in Path("kept").iterdir()] == ["000000000384.zip"]
    assert policy.about["makers"] == ["learner", "competitor"]


# --- policy files


def test_a_policy_file_is_what_was_saved() -> None:
    policy = policy_of(controls=Controls(eps_buy=None, alpha=(0.5, 2.0)))
    policy.save("here.npz")
    loaded = TrainedPolicy.load("here.npz")
    assert loaded.digest == policy.digest and loaded.controls == policy.controls and loaded.about == policy.about
    assert_same_bits(loaded.values(features(50)), policy.values(features(50)))
    assert policy.digest != policy_of(1, policy.controls).digest
    assert policy.digest != TrainedPolicy(policy.network, Controls(eps_buy=None, alpha=(0.5, 2.1)), {}).digest
    assert not list(Path().glob("*.tmp"))
    with raises(RunFolderError, "no/such/folder/here.npz", names=["written"]):
        policy.save("no/such/folder/here.npz")


def test_a_row_of_the_network_depends_on_nothing_beside_it() -> None:
    policy, seen = policy_of(), features(64)
    together = policy.values(seen)
    for rows in (slice(5, 6), slice(10, 27), slice(None, None, -1), slice(None, None, 3)):
        assert_same_bits(policy.values(seen[rows]), np.ascontiguousarray(together[rows]))


def seated(scenario: Scenario, file: str = "policy.npz", *settings: str) -> Scenario:
    return scenario.with_settings("makers.0.policy.kind=trained", f"makers.0.policy.file={file}", *settings)


@pytest.mark.parametrize(
    "controls", [Controls(), Controls(eps_buy=(-0.3, 0.3), eps_sell=None, hedge_fraction=None, alpha=(0.7, 1.5))]
)
def test_a_run_is_the_environment_driven_by_the_network(controls: Controls) -> None:
    scenario, policy = market(), policy_of(controls=controls)
    policy.save("policy.npz")
    result = SimulationRunner(seated(scenario), replicas=3, seed=5, record="steps").run()
    own = result.steps[result.steps["maker"] == "learner"]
    summary = result.summary[result.summary["maker"] == "learner"].set_index("replica")
    env = DealerEnv(scenario, controls=controls)
    for replica in range(3):
        seen, _ = env.reset(seed=5, options={"replica": replica})
        infos, ended = [], False
        while not ended:
            seen, _, _, ended, info = env.step(policy.numbers(seen[None])[0])
            infos.append(info)
        mine = own[own["replica"] == replica]
        assert_same_bits(mine["position"].to_numpy()[1:], np.array([info["position"] for info in infos[:-1]]))
        for name in ("spread_revenue", "hedging_cost"):
            assert_same_bits(mine[name].to_numpy(), np.array([info[name] for info in infos]))
        pnl = sum(info["spread_revenue"] + info["hedging_cost"] + info["inventory_pnl"] for info in infos)
        assert summary.loc[replica, "pnl"] == pytest.approx(pnl, rel=1e-9)
        assert mine["spread_revenue"].nunique() > 10


def test_a_trained_makers_numbers_depend_on_the_replica_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    policy_of().save("policy.npz")
    scenario = seated(market())
    whole = SimulationRunner(scenario, replicas=7, seed=3).run().summary
    few = SimulationRunner(scenario, replicas=2, seed=3, record="trades").run().summary
    pd.testing.assert_frame_equal(whole[: len(few)], few, check_exact=True)
    monkeypatch.setattr("dealermarket.runs.chunks._MOST_REPLICAS", 2)
    for threads in (1, 2):
        cut = SimulationRunner(scenario, replicas=7, seed=3, threads=threads).run().summary
        pd.testing.assert_frame_equal(whole, cut, check_exact=True)


def test_a_digest_keeps_the_policy_that_was_meant() -> None:
    policy_of().save("policy.npz")
    scenario = seated(market(), "policy.npz", f"makers.0.policy.digest='{policy_of().digest}'")
    SimulationRunner(scenario).run()
    policy_of(1).save("policy.npz")
    with raises(PolicyError, "policy.npz", names=["another policy", policy_of(0).digest, policy_of(1).digest]):
        SimulationRunner(scenario)
    Path("policy.npz").unlink()
    with raises(PolicyError, "policy.npz", names=["read", "No such file"]):
        SimulationRunner(scenario)


def test_a_policy_needs_a_maker_that_can_do_what_it_decides() -> None:
    policy_of().save("policy.npz")
    alone = Scenario.load("internalization", ["steps=20"])
    alone = alone.replace(makers=alone.makers[:1]).with_settings("makers.0.hedging.kind=none")
    with raises(ParameterError, "controls: hedge_fraction", names=["other maker", "venue"]):
        SimulationRunner(seated(alone))
    policy_of(controls=Controls(alpha=(1.0, 5.0))).save("policy.npz")
    with raises(ParameterError, "controls: alpha", 5, names=["2.70549"]):
        SimulationRunner(seated(STEEP))


def rewritten(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The file with other arrays in it; `change` gets them, and what the file says of itself under "meta"."""
    with np.load(io.BytesIO(content)) as file:
        arrays: dict[str, Any] = dict(file)
    arrays["meta"] = json.loads(str(arrays["meta"]))
    change(arrays)
    if "meta" in arrays and not isinstance(arrays["meta"], np.ndarray):
        arrays["meta"] = np.array(json.dumps(arrays["meta"]))
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return packed.getvalue()


def array_file(content: np.ndarray) -> bytes:
    packed = io.BytesIO()
    np.save(packed, content, allow_pickle=True)
    return packed.getvalue()


def changed(name: str, value: Any) -> Callable[[bytes], bytes]:
    return lambda content: rewritten(content, lambda arrays: arrays.update({name: value}))


def said_otherwise(name: str, value: Any) -> Callable[[bytes], bytes]:
    return lambda content: rewritten(content, lambda arrays: arrays["meta"].update({name: value}))


def left_out(*path: str) -> Callable[[bytes], bytes]:
    def change(arrays: dict[str, Any]) -> None:
        holder = arrays
        for name in path[:-1]:
            holder = holder[name]
        del holder[path[-1]]

    return lambda content: rewritten(content, change)


F4 = np.float32
# how the file is changed, and the word that says what is wrong with it
WRONG: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "policy file"),
    "text": (lambda _: b"a policy, honestly\n", "policy file"),
    "an array": (lambda _: array_file(np.zeros(3)), "policy file"),
    "a pickle": (lambda _: b"\x80\x04]\x94.", "policy file"),
    "another zip": (lambda _: zipped(notes=b"hello"), "policy file"),
    "no meta": (left_out("meta"), "policy file"),
    "meta that is a pickle": (
        lambda content: zipped(**{"meta.npy": array_file(np.array([{}], object))}),
        "policy file",
    ),
    "meta that is no JSON": (changed("meta", np.array("{")), "policy file"),
    "meta that is a list": (changed("meta", np.array("[1]")), "policy file"),
    "meta nested without end": (changed("meta", np.array("[" * 100_000)), "policy file"),
    "no format": (left_out("meta", "format"), "policy file"),
    "another format": (said_otherwise("format", 99), "format 99"),
    "other features": (said_otherwise("features", ["position"]), "features"),
    "no features": (left_out("meta", "features"), "features"),
    "features that are none": (said_otherwise("features", None), "features"),
    "no controls": (left_out("meta", "controls"), "damaged"),
    "controls that are a list": (said_otherwise("controls", []), "damaged"),
    "unknown controls": (said_otherwise("controls", {"courage": [0, 1]}), "damaged"),
    "controls upside down": (said_otherwise("controls", {"eps_buy": [1, -1]}), "damaged"),
    "controls out of range": (said_otherwise("controls", {"hedge_fraction": [0, 7]}), "damaged"),
    "controls that are words": (said_otherwise("controls", {"eps_buy": "all"}), "damaged"),
    "controls without end": (said_otherwise("controls", {"eps_buy": [0, float("nan")]}), "damaged"),
    "more controls than outputs": (said_otherwise("controls", {"alpha": [1, 2], "tier_penalty": [0, 1]}), "outputs"),
    "about that is a number": (said_otherwise("about", 3), "damaged"),
    "a layer without biases": (left_out("layer_1_b"), "damaged"),
    "a layer missing": (lambda content: left_out("layer_1_b")(left_out("layer_1_w")(content)), "damaged"),
    "no layers": (
        lambda content: rewritten(content, lambda arrays: [arrays.pop(n) for n in list(arrays) if n != "meta"]),
        "damaged",
    ),
    "an array too much": (changed("extra", np.zeros(2, F4)), "damaged"),
    "other inputs": (changed("layer_0_w", np.zeros((WIDTH + 1, 6), F4)), "damaged"),
    "a flat matrix": (changed("layer_0_w", np.zeros(WIDTH * 6, F4)), "damaged"),
    "biases too many": (changed("layer_0_b", np.zeros(7, F4)), "damaged"),
    "biases in a table": (changed("layer_0_b", np.zeros((6, 2), F4)), "damaged"),
    "a bias that is a number": (changed("layer_0_b", np.array(0, F4)), "damaged"),
    "NaN": (changed("layer_1_w", np.full((6, 6), np.nan, F4)), "finite"),
    "infinite": (changed("layer_2_b", np.full(3, np.inf, F4)), "finite"),
    "beyond single precision": (changed("layer_2_b", np.full(3, 1e300)), "precision"),
    "texts": (changed("layer_2_b", np.array(["a", "b", "c"])), "precision"),
    "complex": (changed("layer_2_b", np.zeros(3, complex)), "precision"),
}


@pytest.mark.parametrize("how", WRONG)
def test_what_is_no_policy_file_is_refused(how: str) -> None:
    policy_of().save("good.npz")
    change, word = WRONG[how]
    Path("bad.npz").write_bytes(change(Path("good.npz").read_bytes()))
    with raises(PolicyError, "bad.npz", names=[word]):
        TrainedPolicy.load("bad.npz")


def test_damage_is_found_wherever_it_is() -> None:
    """A file cut short is refused; a byte that flipped is found, or is one that no number depends on."""
    policy = policy_of(width=2)
    policy.save("good.npz")
    content, refusals = Path("good.npz").read_bytes(), 0
    for length in range(0, len(content), 61):
        Path("bad.npz").write_bytes(content[:length])
        with raises(PolicyError, "bad.npz", names=["damaged"]):
            TrainedPolicy.load("bad.npz")
    for place in range(0, len(content), 11):
        for flip in (0xFF, 1 << place % 8):
            Path("bad.npz").write_bytes(content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :])
            try:
                assert TrainedPolicy.load("bad.npz").digest == policy.digest
            except PolicyError:
                refusals += 1
    assert refusals > len(content) / 11


def test_files_that_cannot_be_read() -> None:
    Path("folder.npz").mkdir()
    for path in ("folder.npz", "nowhere.npz", "nul\0.npz"):
        with raises(PolicyError, path, names=["read"]):
            TrainedPolicy.load(path)


@pytest.mark.parametrize(
    "arguments",
    [
        "run learning --policy learner=bad.npz",
        "run learning --set makers.0.policy.kind=trained --set makers.0.policy.file=bad.npz",
        "evaluate bad.npz",
        "train learning --policy competitor=bad.npz",
        "train learning --set scenario.makers.1.policy.kind=trained --set scenario.makers.1.policy.file=bad.npz",
    ],
)
@pytest.mark.usefixtures("as_if_installed")
def test_commands_refuse_a_damaged_policy(capsys: pytest.CaptureFixture[str], arguments: str) -> None:
    policy_of().save("bad.npz")
    content = bytearray(Path("bad.npz").read_bytes())
    content[len(content) // 2] ^= 0xFF
    Path("bad.npz").write_bytes(content)
    assert_says(refused(capsys, *arguments.split()), "bad.npz", names=["policy file", "damaged"])
    assert [path.name for path in Path().iterdir()] == ["bad.npz"]


# --- the command and its folders


def meta(folder: str = "here") -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(folder, "meta.json").read_text())
    return content


def checkpoints(folder: str = "here") -> list[str]:
    return sorted(path.name for path in Path(folder, "checkpoints").iterdir())


def steps_reported(folder: str = "here") -> list[int]:
    frame = pd.read_csv(Path(folder, "progress.csv"))
    assert list(frame) == ["steps", "reward", "share", "inventory", "noise"]
    assert frame.notna().all(axis=None)
    return [int(steps) for steps in frame["steps"]]


@pytest.mark.training
@pytest.mark.slow
def test_train_makes_a_policy_that_run_and_evaluate_take(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "learning", *BRIEF, "--seed", "3"]) == 0
    shown = capsys.readouterr()
    here = Path("trainings/learning-1")
    assert "Training learner of learning by PPO: 2,048 market steps, 16 markets" in shown.err
    assert "2,048 of 2,048 market steps: reward" in shown.err and "share" in shown.err and "steps/s" in shown.err
    for word in (
        "at first:",
        "at last:",
        "rollouts, each of 8 steps",
        "at random",
        f"kept in {here}/policy.npz",
        f"dealermarket evaluate {here}/policy.npz heuristic",
    ):
        assert word in shown.out
    assert sorted(path.name for path in here.iterdir()) == [
        "checkpoints",
        "meta.json",
        "policy.npz",
        "progress.csv",
        "scenario.toml",
        "tensorboard",
        "training.toml",
    ]
    recorded = meta(str(here))
    assert recorded["complete"] is True and recorded["seconds"] > 0 and recorded["resumed_at"] == []
    assert set(recorded["libraries"]) == {"numpy", "numba", "gymnasium", "stable-baselines3", "torch"}
    training = Training.load(here / "training.toml")
    assert training.steps == recorded["steps"] == 2000 and training.seed == 3 and training.scenario.steps == 24
    assert steps_reported(str(here)) == list(range(128, 2049, 128))
    assert checkpoints(str(here))[-1] == "000000002048.zip" and len(checkpoints(str(here))) == 3
    assert len(list((here / "tensorboard").rglob("events.out.*"))) == 1
    policy = TrainedPolicy.load(here / "policy.npz")
    assert policy.digest == trainer.train(training).digest and policy.about["steps"] == 2048
    assert main(["train", "learning", *BRIEF, "--seed", "3", "--json"]) == 0
    shown = capsys.readouterr()
    printed = json.loads(shown.out)
    assert printed["digest"] == policy.digest and printed["folder"] == "trainings/learning-2" and printed["complete"] is True
    assert printed["last"]["steps"] == 2048 and printed["training"]["seed"] == 3
    for line in list(next_commands(TrainingFolder.open(here)))[:2]:
        assert main([*line[1].split()[1:], "--replicas", "30", "--threads", "1"]) == 0
    assert policy.digest in Path("runs/learning-1/scenario.toml").read_text()


@pytest.mark.compiled
@pytest.mark.training
def test_train_takes_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    names = Scenario.load("dealers").maker_names
    settings = [
        "scenario.makers.0.policy.kind=random",
        "scenario.steps=12",
        "hyperparameters={rollout=4, learning_rate=3e-4, width=5}",
        "reward.weights={spread_revenue=1, hedging_cost=1, inventory_pnl=1, risk_cost=2}",
        "reward.inventory_loss=0.5",
        "controls.eps_buy=[-0.5,0.25]",
        "controls.alpha=[0.5,2]",
        "controls.hedge_fraction=none",
    ]
    options = f"--algorithm a2c --steps 500 --seed 9 --markets 4 --policy {names[2]}=adaptive --maker {names[1]} --maker 0"
    set_all = [part for setting in settings for part in ("--set", setting)]
    assert main(["train", "dealers", *options.split(), *set_all, "--out", "here"]) == 0
    training = TrainingFolder.open(Path("here")).training
    assert training == Training(
        scenario=training.scenario,
        makers=(names[1], names[0]),
        algorithm="a2c",
        steps=500,
        seed=9,
        markets=4,
        controls=Controls(eps_buy=(-0.5, 0.25), hedge_fraction=None, alpha=(0.5, 2.0)),
        reward=Reward(
            weights={"spread_revenue": 1.0, "hedging_cost": 1.0, "inventory_pnl": 1.0, "risk_cost": 2.0}, inventory_loss=0.5
        ),
        hyperparameters=Hyperparameters(rollout=4, learning_rate=3e-4, width=5),
    )
    assert training.scenario.makers[0].policy.kind == "random" and training.scenario.makers[2].policy.kind == "adaptive"
    policy = TrainedPolicy.load("here/policy.npz")
    assert policy.controls == training.controls and [matrix.shape[1] for matrix, _ in policy.network.layers] == [5, 5, 3]
    shown = capsys.readouterr().out
    assert f"--maker {names[1]}" in shown and f"--policy {names[1]}=here/policy.npz --policy {names[0]}=here" in shown


def test_options_are_fields_of_the_training() -> None:
    options = Options(makers=("0",), algorithm="a2c", seed=3, markets=8, reward="pnl")
    assert training_of("learning", 500, options) == Training(
        scenario=Scenario.load("learning"),
        makers=("learner",),
        algorithm="a2c",
        steps=500,
        seed=3,
        markets=8,
        reward=Reward(weights="pnl"),
    )
    assert training_of("learning", None, Options()) == Training(scenario=Scenario.load("learning"), makers=("learner",))
    assert training_of("learning", 500, Options(settings=("steps=7",))).steps == 7  # --set comes last


# --- trainings in TOML

ASKED = """
scenario = "market.toml"
makers = ["dealer", "0"]
steps = 500

[controls]
eps_buy = [-0.5, 0.25]
hedge_fraction = "none"

[reward]
weights = { spread_revenue = 1, risk_cost = 2 }

[hyperparameters]
learning_rate = 3e-4
"""


@pytest.fixture
def asked() -> Path:
    """The file of a training; that of its scenario stands beside it."""
    Path("kept").mkdir()
    Path("kept/market.toml").write_text(market(48, "makers.1.name=dealer").to_toml())
    Path("kept/training.toml").write_text(ASKED)
    return Path("kept/training.toml")


def test_a_training_is_read_from_its_file(asked: Path) -> None:
    training = Training.load(asked)
    assert training == Training(
        scenario=market(48, "makers.1.name=dealer"),
        makers=("dealer", "learner"),
        steps=500,
        controls=Controls(eps_buy=(-0.5, 0.25), hedge_fraction=None),
        reward=Reward(weights={"spread_revenue": 1.0, "risk_cost": 2.0}),
        hyperparameters=Hyperparameters(learning_rate=3e-4),
    )
    assert training_of(str(asked), 700, Options(seed=2)) == training.replace(steps=700, seed=2)


def test_a_training_is_equal_to_what_it_writes(asked: Path) -> None:
    training = Training.load(asked)
    assert Training.from_toml(training.to_toml()) == training
    assert Training.from_toml(training.to_toml("market.toml"), folder=asked.parent) == training
    assert Training.from_toml(quick().to_toml()) == quick()


def test_the_training_in_the_docs_is_one() -> None:
    text = (Path(__file__).parents[1] / "docs" / "learning.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(# training.toml\n.*?)```", text, re.DOTALL)
    assert Training.from_toml(block) == Training(
        scenario=Scenario.load("learning"),
        makers=("learner",),
        steps=600_000,
        controls=Controls(eps_buy=(-0.5, 0.5), eps_sell=(-0.5, 0.5), hedge_fraction=None),
        reward=Reward(weights={"spread_revenue": 1.0, "hedging_cost": 1.0}, inventory_squared=0.5),
        hyperparameters=Hyperparameters(learning_rate=1e-3),
    )
    names = ", ".join(Hyperparameters.model_fields)
    assert f"[hyperparameters]          # {names}\n" in block


def test_a_scenario_is_trained_on_as_is_usual() -> None:
    Path("market.toml").write_text(market(48).to_toml())
    assert Training.load("market.toml") == Training(scenario=market(48), makers=("learner",))
    assert Training.load("learning") == Training(scenario=Scenario.load("learning"), makers=("learner",))


def test_settings_change_a_training_and_its_scenario(asked: Path) -> None:
    before = Training.load(asked)
    settings = ["reward.weights.risk_cost=3", "reward.inventory_loss=1", "controls.alpha=[0.5,2]", "scenario.steps=24"]
    assert Training.load(asked, settings) == before.replace(
        scenario=before.scenario.replace(steps=24),
        reward=Reward(weights={"spread_revenue": 1.0, "risk_cost": 3.0}, inventory_loss=1.0),
        controls=Controls(eps_buy=(-0.5, 0.25), hedge_fraction=None, alpha=(0.5, 2.0)),
    )
    elsewhere = Training.load(asked, ["scenario=informed", "scenario.steps=99", "makers=['1']"])
    informed = Scenario.load("informed", ["steps=99"])
    assert informed.choices and elsewhere == before.replace(scenario=informed, makers=informed.maker_names[1:2])


def test_a_setting_chooses_a_kind_in_the_scenario_of_a_training() -> None:
    """The fields of the former kind go with it, as where the scenario itself is set."""
    settings = ("makers.0.hedging.kind=none", "makers.competitor.hedging.kind=linear", "market.mid_price.volatility=0.2")
    expected = Scenario.load("learning", settings)
    assert (
        [maker.hedging.kind for maker in expected.makers]
        == ["none", "linear"]
        != [maker.hedging.kind for maker in Scenario.load("learning").makers]
    )
    training = training_of("learning", None, Options(settings=tuple(f"scenario.{setting}" for setting in settings)))
    assert training == Training(scenario=expected, makers=("learner",))


def test_a_setting_of_the_scenario_takes_the_reason_away() -> None:
    changed = Training.load("informed", ["scenario.exchange.v_max=99999", "steps=5"]).scenario
    assert set(changed.choices) == set(Scenario.load("informed").choices) - {"exchange.v_max"}


@pytest.mark.parametrize(
    ("text", "field", "value", "names"),
    [
        ("steps = 5", "scenario", None, ["required"]),
        ("scenario = 3", "scenario", 3, ["preset"]),
        ("scenario = 'paper'\nspeed = 3", "speed", None, ["unknown"]),
        ("scenario = 'paper'\nmakers = 'maker-1'", "makers", "'maker-1'", []),
        ("scenario = 'paper'\nsteps = 0\nseed = -1", "seed", -1, [">= 0"]),
        ("scenario = 'paper'\n[hyperparameters]\nlr = 1", "hyperparameters.lr", None, ["unknown"]),
        ("scenario = 'paper'\n[reward]\ninventory_los = 1", "reward.inventory_los", None, ["'inventory_loss'"]),
        ("scenario = 'paper'\n[controls]\neps_buy = 'all'", "controls.eps_buy", "'all'", []),
        ("[scenario]\nsteps = 0", "scenario.steps", 0, [">= 2"]),
    ],
)
def test_files_that_are_no_training(text: str, field: str, value: object, names: list[str]) -> None:
    Path("asked.toml").write_text(text)
    with raises(ScenarioError if field.startswith("scenario.") else ParameterError, field, value, names=names):
        Training.load("asked.toml")


def test_files_that_cannot_be_read_as_a_training() -> None:
    Path("cut.toml").write_text("scenario = ")
    Path("lost.toml").write_text("scenario = 'nowhere.toml'")
    for name, file, word in (
        ("cut.toml", "cut.toml", "TOML"),
        ("lost.toml", "nowhere.toml", "preset"),
        ("none.toml", "none.toml", "preset"),
    ):
        with raises(ScenarioError, file, names=[word]):
            Training.load(name)


@pytest.mark.parametrize("preset", preset_names())
def test_a_folder_reads_what_it_wrote(preset: str) -> None:
    scenario = Scenario.load(preset)
    training = Training(scenario=scenario, makers=scenario.maker_names[:1], seed=2**70, controls=Controls(hedge_fraction=None))
    TrainingFolder.create(Path("here"), training)
    opened = TrainingFolder.open(Path("here"))
    assert opened.training == training and opened.training.key == training.key
    assert not opened.complete and opened.steps_done == 0 and opened.points() == []


def interrupted_at(monkeypatch: pytest.MonkeyPatch, rollout: int) -> None:
    """Somebody presses Ctrl-C when so many rollouts were reported."""
    reported: list[Point] = []
    real = TrainingFolder.add

    def add(self: TrainingFolder, point: Point) -> None:
        reported.append(point)
        if len(reported) == rollout:
            raise KeyboardInterrupt
        real(self, point)

    monkeypatch.setattr(TrainingFolder, "add", add)


@pytest.mark.training
def test_an_interrupted_training_can_be_finished(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupted_at(patch, 8)
        assert main(["train", "learning", *BRIEF, "--out", "here"]) == 130
    assert "dealermarket train --resume here" in capsys.readouterr().err
    assert checkpoints()[-1] == f"{7 * 128:012d}.zip"  # the eighth was played, not learned from
    assert meta()["complete"] is False and meta()["seconds"] > 0
    early = TrainedPolicy.load("here/policy.npz")
    assert early.about["steps"] == 896
    assert main(["run", "here/scenario.toml", "--policy", "learner=here/policy.npz", "--replicas", "2"]) == 0
    for name in ("checkpoints/000000001024.zip.12345678.tmp", "policy.npz.12345678.tmp"):
        Path("here", name).write_text("cut")
    with Path("here/progress.csv").open("a") as file:
        file.write("1024,0.1,0.2,0.3,0.4\n1152,0.1,")  # what a killed process may leave
    capsys.readouterr()
    assert main(["train", "--resume", "here"]) == 0
    shown = capsys.readouterr()
    assert "2,048 market steps, 896 of them done before" in shown.err
    assert steps_reported() == list(range(128, 2049, 128))
    assert meta()["complete"] is True and meta()["resumed_at"] == [896]
    policy = TrainedPolicy.load("here/policy.npz")
    assert policy.about["steps"] == 2048 and policy.about["resumed_at"] == [896]
    assert policy.digest != early.digest
    assert not list(Path("here").rglob("*.tmp"))


@pytest.mark.training
@pytest.mark.compiled
def test_a_training_interrupted_at_once_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupted_at(patch, 1)
        assert main(["train", "learning", *BRIEF, "--out", "here"]) == 130
    assert not Path("here/checkpoints").exists() and not Path("here/policy.npz").exists()
    assert main(["train", "--resume", "here"]) == 0
    assert meta()["resumed_at"] == []
    assert main(["train", "learning", *BRIEF, "--out", "there"]) == 0
    assert TrainedPolicy.load("here/policy.npz").digest == TrainedPolicy.load("there/policy.npz").digest


@pytest.mark.training
@pytest.mark.compiled
def test_a_complete_training_goes_on_for_more_steps(capsys: pytest.CaptureFixture[str]) -> None:
    main(["train", "learning", *BRIEF, "--out", "here"])
    before = {path: path.read_bytes() for path in Path("here").rglob("*") if path.is_file()}
    digest = TrainedPolicy.load("here/policy.npz").digest
    capsys.readouterr()
    for more in ([], ["--steps", "2000"]):
        assert main(["train", "--resume", "here", *more]) == 0
        shown = capsys.readouterr()
        assert "here" in shown.err and "complete" in shown.err and "--steps above 2,000" in shown.err
        assert digest in shown.out
        assert before == {path: path.read_bytes() for path in Path("here").rglob("*") if path.is_file()}
    assert_says(refused(capsys, "train", "--resume", "here", "--steps", "1999"), "--steps", names=["here", "2,000"])
    assert main(["train", "--resume", "here", "--steps", "3000"]) == 0
    assert steps_reported() == list(range(128, 3073, 128))
    assert meta()["steps"] == 3000 and meta()["resumed_at"] == [2048] and meta()["complete"] is True
    assert TrainedPolicy.load("here/policy.npz").digest != digest
    assert TrainingFolder.open(Path("here")).training.steps == 3000
    assert len(list(Path("here/tensorboard").rglob("events.out.*"))) == 2


@pytest.mark.training
@pytest.mark.compiled
def test_a_damaged_checkpoint_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    main(["train", "learning", *BRIEF, "--out", "here"])
    capsys.readouterr()
    last = Path("here/checkpoints", checkpoints()[-1])
    last.write_bytes(last.read_bytes()[:1000])
    assert main(["train", "--resume", "here", "--steps", "3000"]) == 2
    assert_says(capsys.readouterr().err, last, names=["checkpoint", "delete"])
    last.unlink()
    assert main(["train", "--resume", "here", "--steps", "3000"]) == 0
    assert steps_reported() == list(range(128, 3073, 128))


def change_meta(**changes: Any) -> Callable[[], None]:
    return lambda: edit_meta(Path("here"), **changes)


def change_text(name: str, old: str, new: str) -> Callable[[], None]:
    def change() -> None:
        path = Path("here", name)
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


@pytest.mark.usefixtures("as_if_installed")
@pytest.mark.parametrize(
    ("damage", "field", "names"),
    [
        (lambda: Path("here/meta.json").unlink(), "here", ["training", "no meta.json"]),
        (lambda: Path("here/meta.json").write_text("{"), "here", ["training", "meta.json", "damaged"]),
        (change_text("meta.json", "1000", "1001"), "here", ["meta.json", "damaged"]),
        (change_meta(steps=None), "here", ["training", "meta.json", "damaged"]),
        (change_meta(steps=0), "here", ["training", "meta.json", "damaged"]),
        (change_meta(version="0.0.9"), "here", ["0.0.9", __version__]),
        (change_meta(training_sha256="0"), "here/training.toml", ["undo", "training"]),
        (change_text("training.toml", "seed = 0", "seed = 1"), "here/training.toml", ["undo"]),
        (change_text("scenario.toml", "volatility = 0.1", "volatility = 0.2"), "here/scenario.toml", ["undo"]),
        (change_text("scenario.toml", "volatility = 0.1", "volatility = -1"), "here/scenario.toml", ["undo"]),
        (lambda: Path("here/training.toml").unlink(), "here", ["training.toml", "before"]),
        (lambda: Path("here/scenario.toml").unlink(), "here", ["scenario.toml", "before"]),
        (lambda: Path("here/progress.csv").write_bytes(b"\xff\xfe"), "here/progress.csv", ["read", "delete"]),
    ],
)
def test_folders_that_cannot_be_resumed(
    capsys: pytest.CaptureFixture[str], damage: Callable[[], None], field: str, names: list[str]
) -> None:
    TrainingFolder.create(Path("here"), quick())
    damage()
    assert_says(refused(capsys, "train", "--resume", "here"), field, names=names)


@pytest.mark.usefixtures("as_if_installed")
@pytest.mark.parametrize(
    ("arguments", "field", "value", "names"),
    [
        ("", "SCENARIO", None, ["preset", "TOML"]),
        ("learnin", "learnin", None, ["preset", "'learning'"]),
        ("learning --steps 0", "learning: steps", 0, [">= 1"]),
        ("learning --steps many", "--steps", None, ["many"]),
        ("learning --seed -1", "learning: seed", -1, [">= 0"]),
        ("learning --markets 0", "learning: markets", 0, [">= 1"]),
        ("learning --markets 1 --set hyperparameters.rollout=1", "learning: markets", None, ["rollouts", "2 to 10,000,000"]),
        ("learning --algorithm a2c --set hyperparameters.epochs=7", "learning: hyperparameters.epochs", None, ["a2c", "ppo"]),
        ("learning --maker bob", "maker 'bob'", None, ["'learning'", "competitor, learner"]),
        ("learning --maker 2", "maker '2'", None, ["'learning'"]),
        ("learning --maker 0 --maker learner", "learning: makers", "learner, learner", ["different"]),
        ("learning --set reward.weights.fame=1", "learning: reward.weights", None, ["'fame'", "hedging_cost"]),
        ("learning --set reward.weights.risk_cost=much", "learning: reward.weights.risk_cost", "'much'", ["number"]),
        ("learning --set reward.weights.risk_cost=inf", "learning: reward.weights.risk_cost", "inf", ["finite"]),
        (
            "learning --reward pnl --set reward.weights.risk_cost=1",
            "setting 'reward.weights.risk_cost=1'",
            None,
            ["'risk_cost'", "'pnl'"],
        ),
        ("learning --set reward.inventory_los=1", "learning: reward.inventory_los", None, ["unknown", "'inventory_loss'"]),
        ("learning --set reward.inventory_loss=-1", "learning: reward.inventory_loss", -1, [">= 0"]),
        ("learning --set rewards.unit=1", "learning: rewards", None, ["unknown", "'reward'"]),
        ("learning --set controls.eps=[0,1]", "learning: controls.eps", None, ["unknown", "'eps_buy'"]),
        ("learning --set controls.eps_buy=0.5", "learning: controls.eps_buy", 0.5, ["[low, high]", "none"]),
        ("learning --set controls.eps_buy=[1,0]", "learning: controls: eps_buy", "[1, 0]", ["low < high"]),
        ("learning --set controls.eps_buy=[-2,0]", "learning: controls.eps_buy.0", -2, [">= -1"]),
        ("learning --set controls.alpha=[1,5] --set scenario.exchange.lam=1.02", "learning: controls: alpha", 5, ["2.70549"]),
        (
            "learning --set controls={eps_buy='none',eps_sell='none',hedge_fraction='none'}",
            "learning: controls",
            None,
            ["eps_buy", "range"],
        ),
        ("learning --set hyperparameters.lr=1", "learning: hyperparameters.lr", None, ["unknown", "batch", "learning_rate"]),
        ("learning --set hyperparameters.learning_rate=0", "learning: hyperparameters.learning_rate", 0, ["> 0"]),
        ("learning --set hyperparameters.rollout=2.5", "learning: hyperparameters.rollout", 2.5, ["whole"]),
        ("learning --set =2", "setting '=2'", None, ["path.to.field=value"]),
        ("learning --set scenario.exchange.lam=0.9", "learning: scenario.exchange.lam", 0.9, ["be >= 1.01"]),
        (
            "learning --set scenario.makers.0.hedging.kind=some",
            "learning: scenario.makers.0.hedging.kind",
            None,
            ["'some'", "full"],
        ),
        ("learning --set scenario.market.mid_price.vol=1", "learning: scenario.market.mid_price.vol", None, ["unknown", "drift"]),
        ("learning --set exchange.lam=2", "setting 'exchange.lam=2'", None, ["scenario.exchange.lam=2"]),
        (
            "learning --set makers.1.policy.kind=adaptive",
            "setting 'makers.1.policy.kind=adaptive'",
            None,
            ["scenario.makers.1.policy.kind=adaptive"],
        ),
        ("learning --set scenario=learnin", "learnin", None, ["preset", "'learning'"]),
        ("learning --policy competitor", "--policy 'competitor'", None, ["MAKER=POLICY"]),
        ("learning --policy learner=adaptive", "--policy 'learner=adaptive'", None, ["learner", "learn"]),
        ("learning --policy competitor=nobody", "policy 'nobody'", None, ["kind", ".npz"]),
        ("learning --out full", "full", None, ["empty", "--out"]),
        ("learning --resume here", "--resume", None, ["--steps", "folder"]),
        ("--resume here --seed 1", "--resume", None, ["--steps", "folder"]),
        ("--resume here --out there", "--resume", None, ["--steps", "folder"]),
        ("--resume here --set hyperparameters.width=5", "--resume", None, ["--steps", "folder"]),
        ("--resume nowhere", "nowhere", None, ["exist", "training"]),
        ("--resume full", "full", None, ["training", "no meta.json"]),
    ],
)
def test_bad_calls(capsys: pytest.CaptureFixture[str], arguments: str, field: str, value: object, names: list[str]) -> None:
    Path("full").mkdir()
    Path("full/mine.txt").write_text("precious")
    assert_says(refused(capsys, "train", *arguments.split()), field, value, names=names)
    assert [str(path) for path in Path().rglob("*")] == ["full", "full/mine.txt"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--algorithm dqn", ["--algorithm", '"dqn"', '"ppo"', '"a2c"']),
        ("--reward fame", ["--reward", '"fame"', '"components"', '"pnl"']),
        ("--speed 3", ["--speed"]),
    ],
)
def test_options_that_there_are_not(capsys: pytest.CaptureFixture[str], arguments: str, words: list[str]) -> None:
    said = refused(capsys, "train", "learning", *arguments.split())
    assert all(word in said for word in words)
    assert not list(Path().iterdir())


@pytest.mark.parametrize("missing", ["torch", "stable_baselines3", "gymnasium", "tensorboard"])
def test_without_the_extra(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)  # as if it were not installed
    assert_says(refused(capsys, "train", "learning"), "train", names=["'learn'", missing, "pip install 'dealermarket[learn]'"])
    assert not list(Path().iterdir())


@pytest.mark.usefixtures("as_if_installed")
def test_with_a_library_that_is_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dealermarket.learning.trainer", None)
    assert main(["train", "learning"]) == 2
    names = ["dealermarket.learning.trainer", "pip install --upgrade --force-reinstall 'dealermarket[learn]'"]
    assert_says(capsys.readouterr().err, "train", names=names)
    assert not list(Path().iterdir())


@pytest.mark.usefixtures("as_if_installed")
def test_too_many_markets_for_the_memory(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setitem(sys.modules, "dealermarket.learning.trainer", SimpleNamespace(train=train))
    assert main(["train", "learning"]) == 2
    said = capsys.readouterr().err
    assert "memory" in said and "--markets" in said


@pytest.mark.training
def test_a_short_training_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    shorter = [part if part != "2000" else "100" for part in BRIEF]
    assert main(["train", "learning", *shorter]) == 0
    shown = capsys.readouterr()
    assert "Each market is played for 8 of its 24 steps only" in shown.err
    assert "at last:" in shown.out and "at first:" not in shown.out


def test_progress_on_a_terminal() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    training = quick(steps=1024)
    with training_progress(console, training, 0) as report:
        report(Point(512, 0.25, 0.5, 2.0, 0.3))
        report(Point(1024, 0.35, 0.5, 2.0, 0.3))
    assert "reward 0.3, share 50.0 %, |z| 2" in screen.getvalue()
    assert "100 %" in screen.getvalue() and "steps/s" in screen.getvalue()


def test_importing_and_help_are_light() -> None:
    code = (
        "import sys, dealermarket.commands.main\n"
        "for arguments in (['--help'], ['train', '--help']):\n"
        "    try: dealermarket.commands.main.main(arguments)\n    except SystemExit: pass\n"
        "heavy = {'torch', 'gymnasium', 'stable_baselines3', 'numba', 'pandas', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    ran([sys.executable, "-W", "error", "-c", code])


# A training that gets Ctrl-C from itself when its twelfth rollout is reported, even where these tests run in the background,
# which ignores it
STOPPED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from dealermarket import interrupt
from dealermarket.commands.main import main
from dealermarket.learning.folder import TrainingFolder

interrupt.GRACE = 900.0  # on a busy machine, too, it ends by itself
add, reported = TrainingFolder.add, []

def stopping(folder, point):
    add(folder, point)
    reported.append(point)
    if len(reported) == 12:
        os.kill(os.getpid(), signal.SIGINT)

TrainingFolder.add = stopping
sys.exit(main())
"""


def check_cut(said: str) -> None:
    """What an interrupted training says, and that it kept what was learned."""
    assert "dealermarket train --resume cut" in said and "Traceback" not in said
    folder = TrainingFolder.open(Path("cut"))
    assert not folder.complete and folder.steps_done > 0
    assert TrainedPolicy.load(folder.policy).about["steps"] == folder.steps_done


@pytest.mark.training
@pytest.mark.slow
def test_ctrl_c_keeps_what_was_learned() -> None:
    command = [sys.executable, "-c", STOPPED, "train", "learning", *BRIEF, "--out", "cut"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 130, done.stderr
    check_cut(done.stderr)


@pytest.mark.training
@pytest.mark.parametrize("inside", ["put", "notify"])
def test_ctrl_c_inside_the_queue_of_tensorboard(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ctrl_c: Callable[[], None], inside: str
) -> None:
    """An exception there would leave a lock taken or an entry without its reader, and the end would wait for them."""
    went_on: list[str] = []

    def press() -> None:
        if len(reported) > 1 and not went_on:
            try:
                ctrl_c()
                went_on.append(inside)
            except KeyboardInterrupt:  # left alone, it would keep this test waiting, too
                went_on.append("raised")

    class Queue(queue.Queue[bytes]):
        """Ctrl-C comes while its lock is held."""

        def __init__(self, size: int) -> None:
            super().__init__(size)
            notify = self.not_empty.notify

            def notifying(n: int = 1) -> None:
                if inside == "notify":
                    press()
                notify(n)

            monkeypatch.setattr(self.not_empty, "notify", notifying)

        def _put(self, item: bytes) -> None:
            if inside == "put":
                press()
            super()._put(item)

    reported: list[Point] = []
    real = TrainingFolder.add
    monkeypatch.setattr(TrainingFolder, "add", lambda folder, point: (reported.append(point), real(folder, point)))
    monkeypatch.setattr("tensorboard.summary.writer.event_file_writer.queue.Queue", Queue)
    assert main(["train", "learning", *BRIEF, "--out", "cut"]) == 130
    assert went_on == [inside]
    assert len(reported) == 2
    check_cut(capsys.readouterr().err)
