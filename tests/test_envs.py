"""Environments for learners: single, many at once, and several learners in one market."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

from conftest import assert_same_bits, raises

gymnasium = pytest.importorskip("gymnasium")
pytest.importorskip("pettingzoo")

from gymnasium.error import ResetNeeded  # noqa: E402
from gymnasium.utils.env_checker import check_env  # noqa: E402
from gymnasium.vector import AutoresetMode  # noqa: E402
from gymnasium.wrappers.vector import RecordEpisodeStatistics  # noqa: E402
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test  # noqa: E402
from pettingzoo.utils import parallel_to_aec  # noqa: E402

from dealermarket import Action, MakerPolicy, Observation, PolicySetup, Scenario, SimulationRunner, Tape  # noqa: E402
from dealermarket.envs import ENV_ID, FEATURES, INFO, Controls, DealerEnv, DealerVectorEnv, Reward  # noqa: E402
from dealermarket.envs.parallel import DealerParallelEnv  # noqa: E402
from dealermarket.errors import ParameterError, PolicyError, ScenarioError  # noqa: E402
from dealermarket.runs.result import SimulationResult  # noqa: E402
from dealermarket.testing import check_vector_env  # noqa: E402

NEXT, SAME, DISABLED = AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED
MODES = (NEXT, SAME, DISABLED)
NAMES = [feature.name for feature in FEATURES]
MONEY = ("spread_revenue", "position_revenue", "hedging_cost", "risk_cost", "inventory_pnl")
ENDS = {  # of what is decided by default, and by a learner that decides everything
    "default": {"eps_buy": (-1.0, 1.0), "eps_sell": (-1.0, 1.0), "hedge_fraction": (0.0, 1.0)},
    "all": {
        "eps_buy": (-0.3, 0.2),
        "eps_sell": (-0.2, 0.4),
        "hedge_fraction": (0.1, 0.6),
        "alpha": (0.8, 2.0),
        "tier_penalty": (0.0, 3e-5),
    },
}


def short(preset: str, steps: int, *settings: str) -> Scenario:
    return Scenario.load(preset, [f"steps={steps}", "reward_horizon=2", *settings])


def busy_paper(steps: int) -> Scenario:
    """The paper's market with more trades, so that something matures at most steps."""
    return short("paper", steps, "investors.0.trade_probability=0.5")


def three_makers(steps: int = 8) -> Scenario:
    """Three of the five dealers and eight investors; hedges in equal pieces need no tables."""
    dealers = short("dealers", steps, "investors.0.count=8", "makers.*.hedging={kind='linear', horizon=4}")
    return dealers.replace(makers=dealers.makers[:3])


def lone_maker() -> Scenario:
    alone = short("internalization", 8)
    return alone.replace(makers=alone.makers[:1])


class Played(NamedTuple):
    """An episode: its first observation and what every step returned."""

    observations: np.ndarray  # (steps + 1, entries)
    rewards: np.ndarray  # (steps,)
    infos: list[dict[str, float]]
    actions: np.ndarray  # (steps, actions)

    def sums(self) -> dict[str, float]:
        return {name: sum(info[name] for info in self.infos) for name in MONEY}


def some_actions(*shape: int, seed: int = 5) -> np.ndarray:
    """Random actions, now and then the ends of the range."""
    rng = np.random.default_rng(seed)
    actions = np.clip(rng.uniform(-1.3, 1.3, shape), -1.0, 1.0)
    return actions.astype(np.float32)


def play(env: gymnasium.Env, actions: np.ndarray | None = None, **reset: Any) -> Played:
    """A whole episode; it must end by truncation, at the scenario's last step and not before."""
    steps = env.unwrapped.arena.scenario.steps
    if actions is None:
        actions = some_actions(steps, *env.action_space.shape)
    first, info = env.reset(**reset)
    assert info == {}
    observations, rewards, infos = [first], [], []
    for t, action in enumerate(actions, 1):
        observation, reward, terminated, truncated, info = env.step(action)
        assert not terminated
        assert truncated is (t == steps)
        assert type(reward) is float and math.isfinite(reward)
        observations.append(observation)
        rewards.append(reward)
        infos.append(info)
    for observation in observations:
        assert env.observation_space.contains(observation)
    return Played(np.stack(observations), np.array(rewards), infos, actions)


class Replay(MakerPolicy):
    """Does what a learner's numbers (steps, actions) mean, in every replica: the paper trail of an episode."""

    def __init__(self, ends: Mapping[str, tuple[float, float]], actions: np.ndarray) -> None:
        self.ends, self.actions = ends, actions

    def act(self, observation: Observation) -> Action:
        numbers = self.actions[observation.step].astype(float)
        ends = zip(self.ends.items(), numbers, strict=True)
        return Action(**{name: low + (high - low) * (x + 1) / 2 for (name, (low, high)), x in ends})


class Moody(MakerPolicy):
    """A user's policy with a memory and with random numbers of its own."""

    def start(self, setup: PolicySetup) -> Mood:
        return Mood(setup)


class Mood:
    def __init__(self, setup: PolicySetup) -> None:
        self.setup, self.mood = setup, np.zeros(len(setup.episodes))

    def act(self, observation: Observation) -> Action:
        self.mood = 0.8 * self.mood + observation.bought - observation.sold + self.setup.uniform()
        return Action(eps_buy=np.tanh(self.mood / 10), eps_sell=-np.tanh(self.mood / 10), hedge_fraction=0.2)


def run_of(env: DealerEnv | DealerParallelEnv, replicas: int, seed: int, **policies: MakerPolicy) -> SimulationResult:
    """The run of the same market with policies in the places of the learners."""
    return SimulationRunner(env.arena.scenario, replicas, seed, record="trades", policies=policies).run()


def summary_of(result: SimulationResult, maker: str, replica: int) -> Any:
    summary = result.summary
    return summary[(summary["maker"] == maker) & (summary["replica"] == replica)].iloc[0]


# --- one learner: Gymnasium's own checks


@pytest.mark.parametrize(
    ("scenario", "maker", "controls"),
    [
        (short("learning", 12), "learner", None),
        (short("learning", 12), "competitor", {"alpha": [0.5, 2.0], "tier_penalty": [0.0, 1e-4]}),
        (busy_paper(12), "maker-2", {"hedge_fraction": None}),
        (three_makers(), "patient", ENDS["all"]),
        (lone_maker(), "maker-1", {"hedge_fraction": None}),
    ],
    ids=["learning", "alpha-and-tiers", "eps-alone", "three-makers", "lone-maker"],
)
def test_gymnasiums_checker_finds_nothing(scenario: Scenario, maker: str, controls: Any) -> None:
    made = gymnasium.make(ENV_ID, scenario=scenario, maker=maker, controls=controls)
    check_env(made.unwrapped, skip_render_check=True)  # tests of rendering do
    play(made, seed=2)  # with the wrappers that every call goes through, which warn of what is wrong
    play(made)
    made.close()


def test_environments_are_made_by_name() -> None:
    made = gymnasium.make("dealermarket.envs:dealermarket/Dealer-v0", scenario="learning", maker="competitor")
    assert isinstance(made.unwrapped, DealerEnv)
    assert made.unwrapped.arena.learners == ("competitor",)
    assert made.spec.max_episode_steps is None
    assert DealerEnv().arena.learners == ("learner",)
    vector = gymnasium.make_vec(ENV_ID, 3, scenario=short("learning", 5), autoreset_mode=DISABLED)
    assert isinstance(vector, DealerVectorEnv)
    assert vector.num_envs == 3
    assert vector.metadata["autoreset_mode"] is DISABLED


def test_spaces_are_what_the_features_and_controls_say() -> None:
    env = DealerEnv(controls=ENDS["all"])
    assert env.observation_space.shape == (15,) == (len(FEATURES),)
    assert env.observation_space.dtype == env.action_space.dtype == np.float32
    assert env.observation_space.low.tolist() == [feature.low for feature in FEATURES]
    assert env.observation_space.high.tolist() == [feature.high for feature in FEATURES]
    assert (env.action_space.low == -1).all() and (env.action_space.high == 1).all()
    assert env.action_space.shape == (5,)
    assert DealerEnv().action_space.shape == (3,)
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.compiled
@pytest.mark.parametrize("preset", ["learning", "paper", "hedging", "informed", "internalization", "dealers", "thousand"])
def test_observations_stay_in_their_space(preset: str) -> None:
    env = DealerEnv(short(preset, 40))
    for _ in range(3):
        play(env, some_actions(40, 3))


def test_entries_beyond_their_bounds_are_clipped() -> None:
    one_sided = short(
        "learning",
        40,
        "investors.0.buy_probability=1.0",
        "makers.0.pricing.alpha=1.7",
        "market.mid_price={kind='gbm', drift=100.0, volatility=1e-3}",
        "market.reference_spread={kind='clipped_normal', mean=1e-5, std=1.0, minimum=1e-5, maximum=100.0}",
    )
    env = DealerEnv(one_sided)
    attractive = play(env, np.full((40, 3), -1.0), seed=0)
    dear = play(env, np.array([[1.0, 1.0, 1.0]] * 40), seed=0)
    seen = np.concatenate([attractive.observations, dear.observations])
    for name in ("position", "position_pnl", "return_0", "return_3", "yield_0", "yield_3", "reference_spread"):
        entry = seen[:, NAMES.index(name)]
        assert np.abs(entry).max() == 10, name
    assert attractive.observations[-1, 0] == -10
    assert attractive.infos[-1]["position"] == pytest.approx(-800)  # in infos it is not clipped
    assert seen[:, NAMES.index("share")].max() == 1


# --- one learner: the same market as a run's


@pytest.mark.parametrize(
    ("scenario", "maker", "which"),
    [
        (short("learning", 30), "learner", "default"),
        (short("learning", 30), "competitor", "default"),  # the scenario's policy of a learner does not act
        (short("learning", 10, "makers.1.policy={kind='persistent'}"), "learner", "all"),
        (busy_paper(30), "maker-2", "default"),
        (busy_paper(30), "maker-1", "all"),
        (three_makers(12), "patient", "all"),
    ],
    ids=["learning", "in-place-of-a-policy", "persistent-rival", "paper-second", "paper-all", "three-makers"],
)
def test_an_episode_is_a_replica_of_a_run(scenario: Scenario, maker: str, which: str) -> None:
    ends = ENDS[which]
    weights = {"spread_revenue": 0.5, "hedging_cost": 2.0, "risk_cost": -1.5, "inventory_pnl": 3.0}
    played = {
        name: play(
            DealerEnv(scenario, maker, controls=ends, reward={"weights": given, "unit": 1.0}), seed=7, options={"replica": 2}
        )
        for name, given in {"components": "components", "pnl": "pnl", "weights": weights}.items()
    }
    result = run_of(DealerEnv(scenario, maker), 3, 7, **{maker: Replay(ends, played["pnl"].actions)})
    expected = summary_of(result, maker, 2)
    steps = result.steps[(result.steps["maker"] == maker) & (result.steps["replica"] == 2)]

    with_components = played["components"]
    sums = with_components.sums()
    close = {"rel": 1e-11, "abs": 1e-14}
    for name in MONEY[:4]:
        assert sums[name] == pytest.approx(expected[name], **close)
        assert expected[name] != 0 or name == "hedging_cost"
    assert with_components.rewards.sum() == pytest.approx(expected["total_reward"], **close)
    assert played["pnl"].rewards.sum() == pytest.approx(expected["pnl"], **close)
    assert sums["spread_revenue"] + sums["hedging_cost"] + sums["inventory_pnl"] == pytest.approx(expected["pnl"], **close)
    in_all = sum(weight * sums[name] for name, weight in weights.items())
    assert played["weights"].rewards.sum() == pytest.approx(in_all, **close)

    # step by step: the deals of the step that was acted in, and what the mid after it did
    for t, info in enumerate(with_components.infos):
        assert list(info) == [entry.name for entry in INFO] == [*MONEY, "position", "penalty"]
        assert all(type(value) is float for value in info.values())
        for name in ("spread_revenue", "hedging_cost"):
            assert info[name] == pytest.approx(steps[name].iloc[t], **close)
        for name in ("position_revenue", "risk_cost"):
            assert info[name] == pytest.approx(steps[name].iloc[t + 1] if t + 1 < len(steps) else 0.0, **close)
        assert with_components.rewards[t] == pytest.approx(sum(info[name] for name in MONEY[:4]), **close)
        assert info["penalty"] == 0
        if t + 1 < len(steps):
            assert info["position"] == pytest.approx(steps["position"].iloc[t + 1], **close)
    assert abs(with_components.infos[-1]["position"]) == pytest.approx(
        expected["internalization"] * (expected["volume"] + expected["hedge_volume"]), rel=1e-9
    )
    for other in ("pnl", "weights"):  # the reward changes nothing else
        assert_same_bits(played[other].observations, with_components.observations)
        assert played[other].infos == with_components.infos


def test_resets_repeat_themselves_and_go_on() -> None:
    scenario = short("learning", 12)
    env, same = DealerEnv(scenario), DealerEnv(scenario)
    first = [play(env, seed=3), play(env), play(env)]
    again = [play(same, seed=3), play(same), play(same)]
    back = [play(env, seed=3), play(env)]
    for one, other in [*zip(first, again, strict=True), *zip(first, back, strict=False)]:
        assert_same_bits(one.observations, other.observations)
        assert_same_bits(one.rewards, other.rewards)
        assert one.infos == other.infos
    for one, other in itertools.combinations(first, 2):
        assert not np.isin(returns_of(one), returns_of(other)).any()

    replica = play(env, seed=3, options={"replica": 1})
    on = play(env)  # the next episode of that replica
    assert_same_bits(play(same, seed=3, options={"replica": 1}).observations, replica.observations)
    assert_same_bits(play(same).observations, on.observations)
    assert not np.isin(returns_of(on), returns_of(first[1])).any()


def test_a_reset_before_the_end_goes_on_to_the_next_episode() -> None:
    env, same = DealerEnv(short("learning", 12)), DealerEnv(short("learning", 12))
    env.reset(seed=1)
    for action in some_actions(5, 3):
        env.step(action)
    play(same, seed=1)
    assert_same_bits(play(env).observations, play(same).observations)


def test_nobody_foresees_a_first_reset_without_a_seed() -> None:
    scenario = short("learning", 12)
    makers: list[Callable[[], Any]] = [lambda: DealerEnv(scenario), lambda: DealerParallelEnv(scenario, ["learner"])]
    for make in makers:
        firsts = []
        for _ in range(2):
            env = make()
            start = env.reset()[0]
            firsts.append(np.asarray(start["learner"] if isinstance(start, dict) else start).tobytes())
        assert len(set(firsts)) == 2
    start, _ = DealerVectorEnv(4, scenario).reset()
    assert len({row.tobytes() for row in start}) == 4


def returns_of(played: Played) -> np.ndarray:
    """What of a market no action moves, as observed; the first and the last observation have no new return."""
    return played.observations[1:-1, NAMES.index("return_0")]


def test_seeds_share_no_stream() -> None:
    scenario = short("learning", 12)
    env, actions = DealerEnv(scenario), some_actions(12, 3)
    episodes = {}
    for seed, replica in itertools.product((0, 1, 2), range(3)):
        for number in range(3):
            reset = {"seed": seed, "options": {"replica": replica}} if number == 0 else {}
            episodes[seed, replica, number] = play(env, actions, **reset)
    for name in ("return_0", "reference_spread", "bought"):
        entry = {key: played.observations[1:-1, NAMES.index(name)].tobytes() for key, played in episodes.items()}
        assert len(set(entry.values())) == len(entry), name
    tapes = {seed: Tape.draw(scenario, seed, 3) for seed in (0, 1)}
    mids = {seed: np.log(tape.mid[:, 1:] / tape.mid[:, :-1]) for seed, tape in tapes.items()}
    assert not np.isin(mids[0], mids[1]).any()
    for (seed, replica, number), played in episodes.items():
        if number == 0 and seed in tapes:
            unit = 0.1 / math.sqrt(96 * 252)
            np.testing.assert_allclose(returns_of(played), mids[seed][replica, : 12 - 1] / unit, rtol=1e-5, atol=1e-6)


def test_observations_are_not_used_again() -> None:
    scenario = short("learning", 10)
    clean, env, actions = play(DealerEnv(scenario), seed=4), DealerEnv(scenario), some_actions(10, 3)
    kept = [env.reset(seed=4)[0]]
    kept += [env.step(action)[0] for action in actions]
    kept.append(env.reset()[0])
    assert_same_bits(np.stack(kept[:-1]), clean.observations)
    for one, other in itertools.combinations(kept, 2):
        assert not np.shares_memory(one, other)
    observation, _ = env.reset(seed=4)
    for action, expected in zip(actions, clean.observations[1:], strict=True):
        observation[...] = 77
        observation, *_, info = env.step(action)
        info.clear()
        assert_same_bits(observation, expected)


def test_a_market_under_way_is_not_copied_and_one_to_come_is() -> None:
    env = DealerEnv(short("learning", 5, "makers.1.policy.kind=heuristic"))
    twin = copy.deepcopy(env)
    assert_same_bits(play(env, seed=3).rewards, play(twin, seed=3).rewards)
    env.reset(seed=3)
    for copied in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"copied or pickled.*reset"):
            copied(env)
    play(env, seed=3)


def test_an_action_is_not_changed() -> None:
    env, action = DealerEnv(short("learning", 5)), np.array([0.2, -0.3, 0.1], np.float32)
    env.reset(seed=0)
    env.step(action)
    assert action.tolist() == np.array([0.2, -0.3, 0.1], np.float32).tolist()


# --- features


def slow_features(scenario: Scenario, maker: str, result: SimulationResult, replica: int) -> list[dict[str, float]]:
    """What FEATURES say, from the tables of a run: one entry for each step, and one for after the last.

    After the last step no new one begins: mid and reference spread stand, so nothing matures and no return is added."""
    steps = result.steps[(result.steps["maker"] == maker) & (result.steps["replica"] == replica)]
    trades = result.trades[result.trades["replica"] == replica].to_dict("records")
    mid, s0, position = (steps[name].tolist() for name in ("mid", "reference_spread", "position"))
    end, horizon, market = len(mid), scenario.reward_horizon, scenario.market
    position.append(position[-1])
    for trade in trades:
        if trade["step"] == end - 1:
            signed = trade["side"] * trade["size"]
            position[-1] += signed * ((trade["taker"] == maker) - (trade["maker"] == maker))

    volatility = market.mid_price.volatility / math.sqrt(market.steps_per_day * market.days_per_year)
    half_spread = market.reference_spread.mean / 2 * (market.mid_price.initial if market.spreads_scale_with_price else 1)
    volume, variance = 0.0, 0.0  # of all investors in a step; buying and selling are equally likely in these scenarios
    for agent in scenario.agents:
        assert agent.buy_probability == 0.5
        mean = agent.mean_size if agent.mean_size is not None else math.exp(agent.log_mean + agent.log_std**2 / 2)
        volume += agent.trade_probability * mean
        variance += agent.trade_probability * mean**2 * math.exp(agent.log_std**2)
    unit = 10 * math.sqrt(variance)

    def log_return(t: int) -> float:
        return math.log(mid[t] / mid[t - 1]) if 1 <= t < end else 0.0

    def matured_yield(t: int) -> float:
        matured = [trade for trade in trades if trade["maker"] == maker and trade["step"] == t - horizon and t < end]
        revenue = sum(trade["size"] * (trade["spread"] - trade["side"] * (mid[t] - mid[t - horizon])) for trade in matured)
        return revenue / sum(trade["size"] for trade in matured) if matured else 0.0

    def traded(t: int, side: int, whose: str | None) -> float:
        """Volume of orders of a step that went to a maker, or to anybody."""
        return sum(
            trade["size"]
            for trade in trades
            if trade["step"] == t and trade["kind"] == "order" and trade["side"] == side and whose in (None, trade["maker"])
        )

    rows = []
    for t in range(end + 1):
        now = min(t, end - 1)
        move = mid[now] - mid[now - 1] if 1 <= t < end else 0.0
        bought, sold = traded(t - 1, 1, maker), traded(t - 1, -1, maker)
        everybody = traded(t - 1, 1, None) + traded(t - 1, -1, None)
        entries = {
            "position": position[t] / unit,
            "position_pnl": position[t] * move / (unit * volatility * mid[now]),
            **{f"return_{lag}": log_return(t - lag) / volatility for lag in range(4)},
            **{f"yield_{lag}": matured_yield(t - lag) / half_spread for lag in range(4)},
            "reference_spread": s0[now] / market.reference_spread.mean - 1,
            "bought": bought / volume,
            "sold": sold / volume,
            "share": (bought + sold) / everybody if everybody else 0.0,
            "time_left": (end - t) / end,
        }
        rows.append({name: min(max(value, -10.0), 10.0) for name, value in entries.items()})
    return rows


@pytest.mark.parametrize(
    ("scenario", "maker", "ends"),
    [
        (short("learning", 30), "learner", ENDS["default"]),
        (busy_paper(60), "maker-1", {"eps_buy": (-0.1, 0.1), "hedge_fraction": (0.0, 0.3)}),
        (busy_paper(60), "maker-2", {"eps_buy": (-0.1, 0.1), "eps_sell": (-0.1, 0.1), "tier_penalty": (0.0, 2e-5)}),
        (
            short(
                "learning",
                40,
                "reward_horizon=3",
                "investors.0.log_std=0.6",
                "investors.0.trade_probability=0.05",
                "market.spreads_scale_with_price=true",
                "market.mid_price={kind='gbm', initial=50.0, drift=3.0, volatility=0.02}",
                "makers.1.policy.kind=heuristic",
                "makers.1.hedging={kind='fraction', fraction=0.5, venue='best'}",
            ),
            "learner",
            {"eps_buy": (-0.5, 0.5), "eps_sell": (-0.5, 0.5), "hedge_fraction": (0.0, 0.4)},
        ),
        (three_makers(20), "franchise", ENDS["all"]),
    ],
    ids=["learning", "paper", "paper-second", "scaled-with-drift", "three-makers"],
)
def test_features_are_what_their_text_says(scenario: Scenario, maker: str, ends: dict[str, tuple[float, float]]) -> None:
    controls = dict.fromkeys(Controls.model_fields) | ends
    played = play(DealerEnv(scenario, maker, controls=controls), seed=11, options={"replica": 1})
    result = run_of(DealerEnv(scenario, maker, controls=controls), 2, 11, **{maker: Replay(ends, played.actions)})
    expected = slow_features(scenario, maker, result, replica=1)
    for t, (seen, known) in enumerate(zip(played.observations, expected, strict=True)):
        assert list(known) == NAMES
        for name, one, other in zip(NAMES, seen.tolist(), known.values(), strict=True):
            assert one == pytest.approx(other, rel=1e-5, abs=1e-6), f"{name} at step {t}"
    spread = played.observations.std(axis=0)
    assert (spread > 1e-3).all(), [name for name, value in zip(NAMES, spread, strict=True) if not value > 1e-3]


def test_features_of_a_market_without_trades_or_risk_are_numbers() -> None:
    quiet = short("learning", 6, "investors.0.trade_probability=0.0", "market.mid_price.volatility=0.0")
    played = play(DealerEnv(quiet), seed=0)
    for name in set(NAMES) - {"reference_spread", "time_left"}:
        assert (played.observations[:, NAMES.index(name)] == 0).all()
    assert played.observations[:, NAMES.index("time_left")].tolist() == pytest.approx([1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0])
    assert (played.rewards == 0).all()


# --- rewards


# `learning` has twenty investors of one unit and a mean spread of 1.5e-4
SPREAD_UNIT = 20 * 1.0 * 1.5e-4 / 2
POSITION_UNIT = 10 * math.sqrt(20)


@pytest.mark.parametrize(
    ("unit", "money"), [("spread", SPREAD_UNIT), (2.5e-3, 2.5e-3), (1, 1.0)], ids=["spread", "a-number", "one"]
)
@pytest.mark.parametrize(
    "weights",
    [
        {"inventory_pnl_squared": 3.0},
        {"inventory_squared": 0.5},
        {"inventory_loss": 0.7},
        {"inventory_pnl_squared": 1.0, "inventory_squared": 2.0, "inventory_loss": 3.0},
    ],
    ids=["pnl-squared", "squared", "loss", "all"],
)
def test_penalties_by_hand(unit: Any, money: float, weights: dict[str, float]) -> None:
    scenario = short("learning", 20)
    plain = play(DealerEnv(scenario, reward={"weights": "pnl", "unit": unit}), seed=2)
    played = play(DealerEnv(scenario, reward=Reward(weights="pnl", unit=unit, **weights)), seed=2)
    assert_same_bits(plain.observations, played.observations)
    penalties = []
    for before, reward, info in zip(plain.rewards, played.rewards, played.infos, strict=True):
        profit = info["spread_revenue"] + info["hedging_cost"] + info["inventory_pnl"]
        assert before == pytest.approx(profit / money, rel=1e-12, abs=1e-15)
        moved, held = info["inventory_pnl"] / money, info["position"] / POSITION_UNIT
        penalty = weights.get("inventory_pnl_squared", 0.0) * moved**2 + weights.get("inventory_squared", 0.0) * held**2
        penalty += weights.get("inventory_loss", 0.0) * (-moved if moved < 0 else 0.0)
        penalties.append(penalty)
        assert info["penalty"] == pytest.approx(penalty, rel=1e-12, abs=1e-15)
        assert reward == pytest.approx(before - penalty, rel=1e-11, abs=1e-14)
    assert max(penalties) > 0
    assert plain.infos[0]["penalty"] == 0


def test_one_step_worked_by_hand() -> None:
    """Twenty clients who buy, a learner who gives to all and hedges nothing, at a price 1 that then moves."""
    scenario = short("learning", 3, "investors.0.buy_probability=1.0", "makers.1.policy={kind='persistent', low=0.5, high=0.5}")
    env = DealerEnv(scenario, reward={"weights": "pnl", "inventory_squared": 0.5})
    tape = Tape.draw(scenario, 6)
    env.reset(seed=6)
    _, reward, _, _, info = env.step(np.array([-0.5, 0.0, -1.0]))
    s0, move = tape.reference_spread[0, 0], tape.mid[0, 1] - tape.mid[0, 0]
    # its size of 1 against a book of 10,000 costs a little more than the half spread
    assert info["spread_revenue"] == pytest.approx(20 * 0.5 * s0 / 2, rel=1e-3)
    assert info["inventory_pnl"] == pytest.approx(-20 * move, rel=1e-9)
    assert info["position"] == -20
    assert info["penalty"] == pytest.approx(0.5 * 20 * 20 / 2000)
    assert reward == pytest.approx((20 * 0.5 * s0 / 2 - 20 * move) / 0.0015 - 0.1, rel=1e-3)


def test_one_is_the_whole_market_at_eps_0() -> None:
    scenario = short("learning", 200, "makers.1.policy={kind='persistent', low=1.0, high=1.0}")
    env = DealerEnv(scenario, reward={"weights": {"spread_revenue": 1.0}})
    whole = play(env, np.tile([0.0, 0.0, 1.0], (200, 1)), seed=0).rewards
    assert whole.mean() == pytest.approx(1.0, rel=0.06)  # its standard error is a third of .05 / sqrt(200)


def test_a_weight_left_out_is_0() -> None:
    played = play(DealerEnv(short("learning", 8), reward={"weights": {}}), seed=0)
    assert (played.rewards == 0).all()
    assert any(info["spread_revenue"] > 0 for info in played.infos)


# --- controls


@pytest.mark.parametrize("ends", [(-1.0, 1.0), (-0.9, 0.1), (-0.3, 0.6), (0.0, 1e6)])
def test_both_ends_of_a_range_are_exact(ends: tuple[float, float]) -> None:
    controls = Controls(eps_buy=ends, eps_sell=None, hedge_fraction=(0.1, 0.7))
    assert controls.names == ("eps_buy", "hedge_fraction")
    values = controls.values(np.array([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.5]]))
    assert values[:2].tolist() == [[ends[0], 0.1], [ends[1], 0.7]]
    assert values[2].tolist() == pytest.approx([sum(ends) / 2, 0.1 + 0.6 * 0.75])


@pytest.mark.parametrize(
    ("ends", "number", "settings"),
    [
        ({"alpha": (0.7, 2.3)}, -1.0, ["makers.0.pricing.alpha=0.7"]),
        ({"alpha": (0.7, 2.3)}, 1.0, ["makers.0.pricing.alpha=2.3"]),
        ({"tier_penalty": (0.0, 4e-5)}, 1.0, ["makers.0.pricing.tier_penalty=4e-5"]),
        ({"tier_penalty": (0.0, 4e-5)}, -1.0, ["makers.0.pricing.tier_penalty=0.0"]),
        ({"eps_buy": (-0.3, 0.2)}, -1.0, ["makers.0.pricing.eps_buy=-0.3"]),
        ({"eps_sell": (-0.3, 0.2)}, 1.0, ["makers.0.pricing.eps_sell=0.2"]),
        ({"hedge_fraction": (0.1, 0.7)}, 1.0, ["makers.0.hedging={kind='fraction', fraction=0.7}"]),
        ({"alpha": (0.7, 2.3), "eps_buy": (0.0, 0.1)}, 1.0, ["makers.0.pricing.alpha=2.3", "makers.0.pricing.eps_buy=0.1"]),
    ],
)
def test_a_control_acts_as_its_field_of_the_scenario(ends: Any, number: float, settings: list[str]) -> None:
    """What is not controlled stays the scenario's: here another skew and a constant hedge."""
    # nobody plans on another's scenario here, as optimal hedging does
    scenario = busy_paper(40).with_settings(
        "makers.*.hedging={kind='fraction', fraction=0.3}",
        "makers.0.pricing={alpha=1.4, tier_penalty=1.2e-5, eps_buy=-0.05, eps_sell=0.02}",
    )
    env = DealerEnv(scenario, controls=dict.fromkeys(Controls.model_fields) | ends)
    played = play(env, np.full((40, len(ends)), number), seed=1)
    same, unlike = (SimulationRunner(s, seed=1).run() for s in (scenario.with_settings(*settings), scenario))
    for name in MONEY[:4]:
        assert played.sums()[name] == pytest.approx(summary_of(same, "maker-1", 0)[name], rel=1e-12, abs=1e-16), name
    assert played.sums()["spread_revenue"] != pytest.approx(summary_of(unlike, "maker-1", 0)["spread_revenue"])


@pytest.mark.parametrize(
    ("controls", "field", "value", "names"),
    [
        ({"eps_buy": [1.0, -1.0]}, "controls: eps_buy", "[1, -1]", ["low < high"]),
        ({"eps_buy": [0.5, 0.5]}, "controls: eps_buy", "[0.5, 0.5]", ["low < high"]),
        ({"eps_buy": [-2.0, 1.0]}, "controls: eps_buy.0", -2.0, [">= -1"]),
        ({"eps_sell": [float("nan"), 1.0]}, "controls: eps_sell.0", "nan", ["finite"]),
        ({"hedge_fraction": [0.0, 1.5]}, "controls: hedge_fraction.1", 1.5, ["<= 1"]),
        ({"hedge_fraction": 0.5}, "controls: hedge_fraction", 0.5, ["[low, high]", "none"]),
        ({"alpha": [0.0, 1.0]}, "controls: alpha.0", 0.0, ["> 0"]),
        ({"tier_penalty": [-1.0, 1.0]}, "controls: tier_penalty.0", -1.0, [">= 0"]),
        ({"alpha": ["a", 1.0]}, "controls: alpha.0", "'a'", ["number"]),
        ({"alpha": [0.5, 1.0, 2.0]}, "controls: alpha", None, []),
        ({"eps_by": [-1.0, 1.0]}, "controls: eps_by", None, ["'eps_buy'"]),
        ({"eps_buy": None, "eps_sell": None, "hedge_fraction": None}, "controls", None, ["eps_buy", "hedge_fraction"]),
        ("eps_buy", "controls", "'eps_buy'", ["Controls"]),
    ],
)
def test_controls_that_are_refused(controls: Any, field: str, value: object, names: list[str]) -> None:
    with raises(ParameterError, field, value, names=names):
        DealerEnv(controls=controls)


def test_an_alpha_beyond_what_the_curve_allows_is_refused() -> None:
    steep = Scenario.load("learning", ["exchange.lam=1.01"])
    with raises(ParameterError, "controls: alpha", names=["1.32941"]):
        DealerEnv(steep, controls={"alpha": [1.0, 9.0]})
    DealerEnv(steep, controls={"alpha": [1.0, 1.3]})


# --- many environments at once


RIVALS: dict[str, tuple[Scenario, str, dict[str, Any]]] = {
    "random": (short("learning", 7), "learner", {}),
    "heuristic": (short("learning", 6, "makers.1.policy.kind=heuristic"), "learner", {"controls": ENDS["all"]}),
    "adaptive": (short("learning", 6, "makers.1.policy.kind=adaptive"), "learner", {"reward": "pnl"}),
    "skew": (short("learning", 8, "makers.1.policy={kind='skew', scale=3.0}"), "learner", {}),
    "own": (short("learning", 9), "learner", {"policies": {"competitor": Moody()}, "reward": {"inventory_squared": 0.1}}),
    "paper": (busy_paper(12), "maker-2", {}),
    "paper-random": (busy_paper(6).with_settings("makers.0.policy={kind='random', low=-0.1, high=0.1}"), "maker-2", {}),
    "paper-own": (busy_paper(6), "maker-1", {"policies": {"maker-2": Moody()}, "controls": {"hedge_fraction": None}}),
}


@pytest.mark.compiled
@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_many_environments_are_as_many_single_ones(mode: AutoresetMode, rival: str) -> None:
    scenario, maker, given = RIVALS[rival]
    check_vector_env(
        lambda: DealerVectorEnv(3, scenario, maker, autoreset_mode=mode, **given),
        lambda: DealerEnv(scenario, maker, **given),
        steps=3 * scenario.steps,
        independent_seeds=True,
    )


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_a_single_one_of_many(mode: AutoresetMode) -> None:
    scenario = short("learning", 6)
    check_vector_env(lambda: DealerVectorEnv(1, scenario, autoreset_mode=mode), lambda: DealerEnv(scenario), steps=20)


class Singles:
    """What an integer seed promises: environment i is the single one that plays replica i; reset as the mode says."""

    def __init__(self, scenario: Scenario, count: int, mode: AutoresetMode, seed: int, **given: Any) -> None:
        self.envs, self.mode, self.over = [DealerEnv(scenario, **given) for _ in range(count)], mode, np.zeros(count, bool)
        self.rows = [env.reset(seed=seed, options={"replica": i})[0] for i, env in enumerate(self.envs)]

    def reset(self, mask: np.ndarray) -> np.ndarray:
        for i in np.flatnonzero(mask):
            self.rows[i], self.over[i] = self.envs[i].reset()[0], False
        return np.stack(self.rows)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[int, np.ndarray]]:
        rewards, truncated, last = np.zeros(len(self.envs)), np.zeros(len(self.envs), bool), {}
        waiting = self.over.copy()
        for i, env in enumerate(self.envs):
            if not waiting[i]:
                self.rows[i], rewards[i], _, truncated[i], _ = env.step(actions[i])
                self.over[i] = truncated[i]
        self.reset(waiting)
        if self.mode is SAME:
            last = {int(i): self.rows[i] for i in np.flatnonzero(truncated)}
            self.reset(truncated)
        return np.stack(self.rows), rewards, truncated, last


@pytest.mark.parametrize("early", [0.0, 0.15], ids=["whole-episodes", "early-resets"])
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_environment_i_plays_replica_i(mode: AutoresetMode, early: float) -> None:
    scenario, given, rng = short("learning", 7), {"policies": {"competitor": Moody()}}, np.random.default_rng(3)
    env = DealerVectorEnv(3, scenario, autoreset_mode=mode, **given)
    first, info = env.reset(seed=8)
    assert info == {}
    singles = Singles(scenario, 3, mode, 8, **given)
    assert_same_bits(first, np.stack(singles.rows))
    episodes = np.zeros(3, int)
    for actions in some_actions(60, 3, 3):
        mask = rng.random(3) < early
        if mode is DISABLED:
            mask |= singles.over
        if mask.any():
            assert_same_bits(env.reset(options={"reset_mask": mask})[0], singles.reset(mask))
        observations, rewards, terminated, truncated, info = env.step(actions)
        expected = singles.step(actions)
        assert_same_bits(observations, expected[0])
        assert_same_bits(rewards, expected[1])
        assert_same_bits(truncated, expected[2])
        assert not terminated.any()
        for i, last in expected[3].items():
            assert info["_final_obs"][i]
            assert_same_bits(info["final_obs"][i], last)
        episodes += truncated
    assert (episodes >= 3).all()


def test_one_after_the_other_and_all_at_once_agree() -> None:
    scenario = short("learning", 5)
    in_turn = gymnasium.make_vec(ENV_ID, 3, vectorization_mode="sync", scenario=scenario)
    at_once = gymnasium.make_vec(ENV_ID, 3, scenario=scenario)
    assert isinstance(at_once, DealerVectorEnv) and not isinstance(in_turn, DealerVectorEnv)
    assert_same_bits(in_turn.reset(seed=[4, 9, 2])[0], at_once.reset(seed=[4, 9, 2])[0])
    for actions in some_actions(12, 3, 3):
        one, other = in_turn.step(actions), at_once.step(actions)
        for x, y in zip(one[:4], other[:4], strict=True):
            assert_same_bits(x, y)
        assert set(one[4]) == set(other[4])
        for name, values in one[4].items():
            assert np.array_equal(values, other[4][name])
            assert values.dtype == other[4][name].dtype


def test_statistics_wrappers_see_whole_episodes() -> None:
    env = RecordEpisodeStatistics(DealerVectorEnv(2, short("learning", 5)))
    env.reset(seed=0)
    returns = np.zeros(2)
    for actions in some_actions(5, 2, 3):
        _, rewards, _, truncated, info = env.step(actions)
        returns += rewards
    assert truncated.all()
    np.testing.assert_allclose(info["episode"]["r"], returns, rtol=1e-6)
    assert info["episode"]["l"].tolist() == [5, 5]


@pytest.mark.parametrize("name", ["NEXT_STEP", "SAME_STEP", "DISABLED"])
def test_autoreset_modes_go_by_name(name: str) -> None:
    assert DealerVectorEnv(1, autoreset_mode=name).metadata["autoreset_mode"] is AutoresetMode[name]


def test_what_a_vector_environment_refuses() -> None:
    for mode in ("next", None, 3):
        with raises(ParameterError, "autoreset_mode", repr(mode), names=["NEXT_STEP", "SAME_STEP", "DISABLED"]):
            gymnasium.make_vec(ENV_ID, 2, autoreset_mode=mode)
    for number in (0, -1, 1.5, "3"):
        with raises(ParameterError, "num_envs", repr(number), names=[">= 1"]):
            DealerVectorEnv(number)
    env = DealerVectorEnv(3, short("learning", 4), autoreset_mode=DISABLED)
    with raises(ResetNeeded, "step", names=["reset", "first"]):
        env.step(np.zeros((3, 3)))
    with raises(ResetNeeded, "reset", names=["options['reset_mask']", "all"]):
        env.reset(options={"reset_mask": np.array([True, False, True])})
    env.reset(seed=0, options={"reset_mask": np.ones(3, bool)})
    for options, value in ([1], "[1]"), ({"reset_mak": None}, "'reset_mak'"):
        with raises(ParameterError, "options", names=[value, "reset_mask"]):
            env.reset(options=options)
    for mask in ([True, False, False], np.array([1, 0, 0]), np.zeros(3, bool), np.ones(2, bool), np.ones((3, 1), bool), True):
        with raises(ParameterError, "options['reset_mask']", names=["(3,)"]):
            env.reset(options={"reset_mask": mask})
    for seed, field, value in (
        (-1, "seed", -1),
        (1.5, "seed", 1.5),
        ("12", "seed", "'12'"),
        (True, "seed", True),
        ((1, 2), "seed", 2),
        ((1, 2.5, 3), "seed[1]", 2.5),
        ((1, None, -3), "seed[2]", -3),
    ):
        with raises(ParameterError, field, value):
            env.reset(seed=seed)
    for _ in range(4):
        env.step(np.zeros((3, 3)))
    with raises(ResetNeeded, "step", names=["ended (3)", "reset(options={'reset_mask': ...})"]):
        env.step(np.zeros((3, 3)))
    env.reset(options={"reset_mask": np.array([True, False, False])})
    with raises(ResetNeeded, "step", names=["ended (2)"]):
        env.step(np.zeros((3, 3)))


def test_seeds_of_numpy_are_seeds() -> None:
    env = DealerVectorEnv(2, short("learning", 4))
    assert_same_bits(env.reset(seed=np.int64(5))[0], env.reset(seed=5)[0])
    assert_same_bits(env.reset(seed=np.array([5, 6]))[0], env.reset(seed=[5, 6])[0])


# --- actions that are refused


BAD_ACTIONS: list[tuple[Callable[[np.ndarray], Any], object, list[str]]] = [
    (lambda good: good[..., :-1], None, ["shape", "3", "got"]),
    (lambda good: good[None], None, ["shape"]),
    (lambda good: 0.0, "()", ["shape"]),
    (lambda good: None, None, ["shape"]),
    (lambda good: np.full_like(good, np.nan), "nan", ["[-1, 1]", "clip"]),
    (lambda good: np.where(good == good.flat[-1], np.inf, good), "inf", ["[-1, 1]"]),
    (lambda good: np.full(good.shape, -1 - 1e-12), "-1.000000000001", ["[-1, 1]"]),
    (lambda good: np.full(good.shape, np.float32(1.0000001)), float(np.float32(1.0000001)), ["[-1, 1]"]),
    (lambda good: "left", "'left'", ["numbers", "shape"]),
    (lambda good: {"eps_buy": 0.0}, None, ["numbers", "shape"]),
    (lambda good: good.astype(str), None, ["numbers", "text"]),
    (lambda good: good + 0j, None, ["numbers", "real"]),
    (lambda good: np.full(good.shape, 10**400), None, ["numbers", "floats"]),
    (lambda good: np.ma.masked_less(good, 2.0), None, ["numbers", "masked", "filled"]),
]


@pytest.mark.parametrize(("spoil", "value", "names"), BAD_ACTIONS)
def test_bad_actions_are_refused_and_do_no_harm(spoil: Callable[[np.ndarray], Any], value: object, names: list[str]) -> None:
    scenario, actions = short("learning", 5), some_actions(5, 2, 3, seed=9)
    given = {"policies": {"competitor": Moody()}}  # refused before it has its turn
    single, same = DealerEnv(scenario, **given), DealerEnv(scenario, **given)
    vector, same_vector = DealerVectorEnv(2, scenario, **given), DealerVectorEnv(2, scenario, **given)
    several, same_several = DealerParallelEnv(scenario), DealerParallelEnv(scenario)
    for env in (single, same, vector, same_vector, several, same_several):
        env.reset(seed=1)
    for two in actions:
        with raises(PolicyError, "action", value, names=names):
            single.step(spoil(two[0]))
        with raises(PolicyError, "actions", value, names=names):
            vector.step(spoil(two))
        with raises(PolicyError, "action of 'competitor'", value, names=names):
            several.step({"learner": two[0], "competitor": spoil(two[1])})
        assert_same_steps(single.step(two[0]), same.step(two[0]))
        assert_same_steps(vector.step(two), same_vector.step(two))
        both = dict(zip(("learner", "competitor"), two, strict=True))
        assert_same_steps(several.step(both), same_several.step(both))


def assert_same_steps(one: Any, other: Any) -> None:
    """What two calls returned, dicts and all."""
    if isinstance(one, dict):
        assert list(one) == list(other)
        one, other = list(one.values()), list(other.values())
    if isinstance(one, (tuple, list)):
        for x, y in zip(one, other, strict=True):
            assert_same_steps(x, y)
    else:
        assert type(one) is type(other)
        assert_same_bits(one, other)


def test_actions_may_be_lists_of_any_numbers() -> None:
    scenario = short("learning", 3)
    env, same = DealerEnv(scenario), DealerEnv(scenario)
    env.reset(seed=0)
    same.reset(seed=0)
    for action in ([0, 1, -1], (0.5, -0.5, 1.0), np.array([1.0, -1.0, 0.0], np.float16)):
        assert_same_steps(env.step(action), same.step(np.array(action, np.float64)))


# --- several learners


@pytest.mark.parametrize("makers", [None, ["patient"], ["franchise", "tight"]])
def test_pettingzoos_checkers_find_nothing(makers: list[str] | None) -> None:
    scenario = three_makers()
    parallel_api_test(DealerParallelEnv(scenario, makers), num_cycles=20)
    parallel_seed_test(lambda: DealerParallelEnv(scenario, makers), num_cycles=20)


@pytest.mark.filterwarnings("ignore:We recommend agents to be named")  # they have the makers' names
def test_learners_may_take_turns() -> None:
    api_test(parallel_to_aec(DealerParallelEnv(three_makers(4))), num_cycles=20)


def play_together(env: DealerParallelEnv, seed: int | None, **reset: Any) -> dict[str, Played]:
    """A whole episode of all learners."""
    steps, agents = env.arena.scenario.steps, env.possible_agents
    size = env.action_space(agents[0]).shape[0]
    actions = {agent: some_actions(steps, size, seed=21 + len(agent)) for agent in agents}
    observations, infos = env.reset(seed=seed, **reset)
    assert env.agents == agents == list(observations) == list(infos)
    kept = [(observations, dict.fromkeys(agents, 0.0), infos)]
    for t in range(steps):
        assert env.agents == agents
        observations, rewards, terminated, truncated, infos = env.step({agent: actions[agent][t] for agent in agents})
        for by_agent in (observations, rewards, terminated, truncated, infos):
            assert list(by_agent) == agents
        assert not any(terminated.values())
        assert set(truncated.values()) == {t + 1 == steps}
        assert all(env.observation_space(agent).contains(observations[agent]) for agent in agents)
        kept.append((observations, rewards, infos))
    assert env.agents == []
    return {
        agent: Played(
            np.stack([row[0][agent] for row in kept]),
            np.array([row[1][agent] for row in kept[1:]]),
            [row[2][agent] for row in kept[1:]],
            actions[agent],
        )
        for agent in agents
    }


THREE = ("tight", "patient", "franchise")
SUBSETS = [list(chosen) for count in (1, 2, 3) for chosen in itertools.combinations(THREE, count)] + [list(reversed(THREE))]


@pytest.mark.parametrize("makers", SUBSETS, ids="+".join)
def test_each_of_several_learners_earns_what_a_run_says(makers: list[str]) -> None:
    scenario, ends = three_makers(), ENDS["all"]
    env = DealerParallelEnv(scenario, makers, controls=ends, reward={"unit": 1.0})
    assert env.possible_agents == makers
    played = play_together(env, seed=4, options={"replica": 1})
    result = run_of(env, 2, 4, **{maker: Replay(ends, played[maker].actions) for maker in makers})
    for maker in makers:
        expected = summary_of(result, maker, 1)
        assert played[maker].rewards.sum() == pytest.approx(expected["total_reward"], rel=1e-11, abs=1e-14)
        for name in MONEY[:4]:
            assert played[maker].sums()[name] == pytest.approx(expected[name], rel=1e-11, abs=1e-14)
        known = slow_features(scenario, maker, result, replica=1)
        np.testing.assert_allclose(
            played[maker].observations, [list(entries.values()) for entries in known], rtol=1e-5, atol=1e-6
        )


def test_the_only_learner_of_several_is_a_single_one() -> None:
    scenario, given = short("learning", 9), {"policies": {"competitor": Moody()}, "reward": {"inventory_loss": 0.2}}
    together, single = DealerParallelEnv(scenario, ["learner"], **given), DealerEnv(scenario, **given)
    for reset in ({"seed": 4, "options": {"replica": 3}}, {"seed": None}, {"seed": 0}):
        one = play_together(together, **reset)["learner"]
        other = play(single, one.actions, **reset)
        assert_same_bits(one.observations, other.observations)
        assert_same_bits(one.rewards, other.rewards)
        assert one.infos == other.infos


def test_several_learners_repeat_themselves_and_go_on() -> None:
    env, same = DealerParallelEnv(three_makers()), DealerParallelEnv(three_makers())
    first, second = play_together(env, seed=1), play_together(env, seed=None)
    again, later = play_together(same, seed=1), play_together(same, seed=None)
    back = play_together(env, seed=1)
    for agent in env.possible_agents:
        for one, other in ((first, again), (second, later), (first, back)):
            assert_same_bits(one[agent].observations, other[agent].observations)
            assert_same_bits(one[agent].rewards, other[agent].rewards)
            assert one[agent].infos == other[agent].infos
        assert not np.isin(returns_of(first[agent]), returns_of(second[agent])).any()


def test_learners_have_spaces_of_their_own_that_stay() -> None:
    env = DealerParallelEnv(three_makers())
    for space in (env.observation_space, env.action_space):
        assert all(space(agent) is space(agent) for agent in env.possible_agents)
        assert space("tight") is not space("patient")  # a space has a random generator
    env.reset(seed=0)
    env.agents.clear()  # a caller's list is the caller's
    env.reset(seed=0)
    assert env.agents == env.possible_agents == ["tight", "patient", "franchise"]


def test_observations_of_several_learners_are_not_used_again() -> None:
    scenario = short("learning", 6)
    env, clean = DealerParallelEnv(scenario), play_together(DealerParallelEnv(scenario), seed=2)
    observations, _ = env.reset(seed=2)
    kept = [observations]
    for t in range(6):
        for by_agent in kept:
            for agent in by_agent:
                by_agent[agent][...] = 77
        observations, *_ = env.step({agent: clean[agent].actions[t] for agent in clean})
        for agent, observation in observations.items():
            assert_same_bits(observation, clean[agent].observations[t + 1])
        kept.append(observations)


def test_what_an_environment_of_several_refuses() -> None:
    scenario, zeros = short("learning", 3), np.zeros(3, np.float32)
    for makers, field, value, names in (
        ((), "makers", None, ["one"]),
        ("learner", "makers", "'learner'", ["list", "['learner']"]),
        (("learner", "learner"), "makers", "('learner', 'learner')", ["once"]),
        (("learner", "competitr"), "maker", None, ["'competitr'", "'learning'", "'competitor'"]),
    ):
        with raises(ParameterError, field, value, names=names):
            DealerParallelEnv(scenario, makers)
    env = DealerParallelEnv(scenario)
    with raises(ResetNeeded, "step", names=["reset", "first"]):
        env.step({"learner": zeros, "competitor": zeros})
    env.reset(seed=0)
    for actions in (
        {},
        {"learner": zeros},
        {"learner": zeros, "other": zeros},
        {"learner": zeros, "competitor": zeros, "other": zeros},
        np.zeros((2, 3)),
        None,
    ):
        with raises(PolicyError, "actions", names=["learner, competitor"]):
            env.step(actions)
    for _ in range(3):
        env.step({"competitor": zeros, "learner": zeros})  # in any order
    with raises(ResetNeeded, "step", names=["ended", "reset"]):
        env.step({})
    with raises(ParameterError, "seed", -3, names=[">= 0"]):
        env.reset(seed=-3)


def test_the_order_of_actions_does_not_matter() -> None:
    env, same = DealerParallelEnv(short("learning", 3)), DealerParallelEnv(short("learning", 3))
    env.reset(seed=0)
    same.reset(seed=0)
    one, other = some_actions(2, 3)
    assert_same_steps(env.step({"learner": one, "competitor": other}), same.step({"competitor": other, "learner": one}))


# --- what all of them refuse


@pytest.mark.parametrize("make", [DealerEnv, lambda *given, **more: DealerVectorEnv(2, *given, **more)], ids=["one", "many"])
@pytest.mark.parametrize(
    ("given", "field", "value", "names"),
    [
        ({"scenario": "learnign"}, "learnign", None, ["'learning'"]),
        ({"maker": "learnr"}, "maker", None, ["'learnr'", "'learner'"]),
        ({"maker": "x"}, "maker", None, ["'x'", "competitor, learner"]),
        ({"maker": 0}, "maker", None, [" 0 ", "'learning'"]),
        ({"render_mode": "ansi"}, "render_mode", "'ansi'", ["None", "rgb_array"]),
        ({"policies": {"learner": Moody()}}, "policies", None, ["'learner'"]),
        ({"policies": {"competitr": Moody()}}, "policies", None, ["'competitr'", "'competitor'"]),
        ({"policies": {"competitor": Moody}}, "policies", None, ["'competitor'", "MakerPolicy"]),
        ({"policies": [Moody()]}, "policies", None, ["table"]),
        ({"reward": "profit"}, "reward: weights", "'profit'", ["'components'", "'pnl'"]),
        ({"reward": {"weights": {"spread": 1.0}}}, "reward: weights", None, ["'spread'", "'spread_revenue'"]),
        ({"reward": {"weights": {"spread_revenue": "a"}}}, "reward: weights.spread_revenue", "'a'", ["number"]),
        ({"reward": {"weights": {"risk_cost": math.inf}}}, "reward: weights.risk_cost", "inf", ["finite"]),
        ({"reward": {"spread_revenue": 1.0}}, "reward: spread_revenue", None, ["weights"]),
        ({"reward": {"unit": 0.0}}, "reward: unit", 0.0, ["> 0"]),
        ({"reward": {"unit": "bp"}}, "reward: unit", "'bp'", ["'spread'"]),
        ({"reward": {"inventory_squared": -1.0}}, "reward: inventory_squared", -1.0, [">= 0"]),
        ({"reward": 3}, "reward", 3, ["Reward"]),
        ({"scenario": lone_maker()}, "hedge_fraction", None, ["None", "'maker-1'"]),
    ],
)
def test_what_every_environment_refuses(
    make: Callable[..., Any], given: dict[str, Any], field: str, value: object, names: list[str]
) -> None:
    with raises((ParameterError, PolicyError, ScenarioError), field, value, names=names) as caught:
        make(**given)
    assert len(str(caught.value).splitlines()) == 1


def test_what_a_single_environment_refuses() -> None:
    env = DealerEnv(short("learning", 3))
    with raises(ResetNeeded, "step", names=["reset", "first"]):
        env.step(np.zeros(3))
    for replica in (-1, 1.5, None, "a"):
        with raises(ParameterError, "options['replica']", repr(replica), names=[">= 0"]):
            env.reset(seed=0, options={"replica": replica})
    with raises(ParameterError, "options['replica']", names=["3", "seed"]):
        env.reset(options={"replica": 3})
    for seed in (-1, 1.5, "a"):
        with pytest.raises(gymnasium.error.Error, match=r"[Ss]eed must be"):
            env.reset(seed=seed)
    for options in ([1], "replica", 3):
        with raises(ParameterError, "options", repr(options), names=["replica"]):
            env.reset(seed=0, options=options)
    with raises(ParameterError, "options", names=["'replcia'", "did you mean 'replica'"]):
        env.reset(seed=0, options={"replcia": 1})
    env.reset(seed=0, options={})
    for _ in range(3):
        env.step(np.zeros(3))
    with raises(ResetNeeded, "step", names=["ended", "reset"]):
        env.step(np.zeros(3))


@pytest.mark.parametrize("way_out", ["left out", "exchange"])
def test_a_lone_maker_learns_by_either_way_out(way_out: str) -> None:
    alone, controls = lone_maker(), None
    if way_out == "exchange":
        alone = alone.with_settings("makers.0.hedging={kind='fraction', fraction=0.0, venue='exchange'}")
    else:
        controls = {"hedge_fraction": None}
    played = play(DealerEnv(alone, controls=controls), seed=0)
    hedged = played.sums()["hedging_cost"] < 0
    assert hedged is (way_out == "exchange")
