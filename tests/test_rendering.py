"""Pictures of environments: what they show, that they change nothing, and how they are shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import matplotlib
import numpy as np
import pytest

from conftest import assert_same_bits, raises, ran

gymnasium = pytest.importorskip("gymnasium")

from gymnasium.error import ResetNeeded  # noqa: E402
from gymnasium.utils.env_checker import check_env  # noqa: E402

import screen  # noqa: E402
from dealermarket import ParameterError, Scenario, SimulationRunner  # noqa: E402
from dealermarket.envs import ENV_ID, DealerEnv, DealerVectorEnv  # noqa: E402
from dealermarket.envs.arena import Arena, Play  # noqa: E402
from dealermarket.model.makers.policies.persistent import PersistentMaker  # noqa: E402
from dealermarket.plots.day import Day, shown_steps  # noqa: E402

ACTION = np.array([0.5, -0.25, -0.5], np.float32)  # eps_buy, eps_sell, a quarter of the position is hedged


def short(preset: str, *settings: str) -> Scenario:
    return Scenario.load(preset, ["steps=12", "reward_horizon=2", *settings])


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The windows that are opened on a screen that is there."""
    former = matplotlib.get_backend()
    matplotlib.use("module://screen")
    screen.windows.clear()
    screen.frames.clear()
    yield screen.windows
    matplotlib.use(former)


def played(arena: Arena, steps: int, action: np.ndarray, seed: int = 3) -> Play:
    """A market that is kept for pictures, after some steps."""
    from dealermarket.draws.streams import Episode

    play = arena.play(1, watched=True)
    play.begin([Episode(seed, 0)])
    for _ in range(steps):
        play.act(np.broadcast_to(action, (1, len(arena.learners), len(action))))
    return play


def day_of(play: Play) -> Day:
    assert play.log is not None
    return play.log.day(0)


# --- what is shown


@pytest.mark.parametrize("preset", ["learning", "dealers"])
@pytest.mark.parametrize("steps", [0, 1, 7, 12])
def test_a_day_is_what_a_run_records(preset: str, steps: int) -> None:
    """The same market as a run, whose first maker has the same skew all the time and hedges as much."""
    scenario = short(preset)
    maker = scenario.maker_names[0]
    run = SimulationRunner(
        scenario.with_policies({maker: PersistentMaker(low=0.5, high=0.5)}), replicas=1, seed=3, record="trades"
    ).run()
    day = day_of(played(Arena(scenario, [maker], {"hedge_fraction": None}), steps, np.array([0.5, 0.5])))
    assert (day.maker, day.now, day.first) == (maker, steps, 0)
    rows = run.steps[run.steps["maker"] == maker][:steps]
    assert_same_bits(day.position[:-1], rows["position"].to_numpy())
    assert_same_bits(day.hedge, rows["hedge_size"].to_numpy())
    earned = np.cumsum(rows["spread_revenue"] + rows["hedging_cost"])
    np.testing.assert_allclose(day.earned[1:], earned, rtol=1e-12, atol=1e-15)
    moves = np.diff(day.mid) * day.position[1:]  # P&L is at the mid of the next step, if there is one
    moves[-1:] = 0.0 if steps == scenario.steps else moves[-1:]
    np.testing.assert_allclose(day.pnl[1:], earned + np.cumsum(moves), rtol=1e-9, atol=1e-15)
    trades = run.trades[(run.trades["maker"] == maker) & (run.trades["kind"] == "order") & (run.trades["step"] < steps)]
    for side, volume in ((1, day.bought), (-1, day.sold)):
        sizes = np.zeros(steps)
        np.add.at(sizes, trades["step"][trades["side"] == side], trades["size"][trades["side"] == side])
        np.testing.assert_allclose(volume, sizes, rtol=1e-12)
    if preset == "learning":  # all orders are of one unit
        best = trades[trades["tier"] == 0]
        for side, quotes in ((1, day.ask), (-1, day.bid)):
            at = best[best["side"] == side]
            paid = 1e4 * at["spread"].to_numpy() / day.mid[at["step"]]
            np.testing.assert_allclose(quotes[at["step"]], paid, rtol=1e-12)


def test_a_day_is_the_last_one() -> None:
    scenario = short("learning", "steps=60", "market.steps_per_day=8")
    assert shown_steps(scenario) == 24  # days of few steps are shown together
    whole, end = (day_of(played(Arena(scenario, ["learner"]), steps, ACTION)) for steps in (24, 40))
    assert (whole.first, end.first, end.now, len(end.mid)) == (0, 16, 40, 25)
    assert_same_bits(whole.position[16:], end.position[:9])
    assert_same_bits(whole.ask[16:], end.ask[:8])
    assert_same_bits(whole.pnl[16:], end.pnl[:9])


# --- pictures


def test_pictures_are_arrays_and_change_nothing() -> None:
    scenario = short("learning")
    watched, same = gymnasium.make(ENV_ID, scenario=scenario, render_mode="rgb_array"), DealerEnv(scenario)
    assert_same_bits(watched.reset(seed=1)[0], same.reset(seed=1)[0])
    pictures = [watched.render()]
    for step in range(12):
        one, other = watched.step(ACTION), same.step(ACTION)
        assert_same_bits(one[0], other[0])
        assert one[1:] == other[1:]
        if step in (0, 5, 11):
            pictures.append(watched.render())
    for picture in pictures:
        assert (picture.dtype, picture.ndim, picture.shape[2]) == (np.uint8, 3, 3)
        assert picture.shape == pictures[0].shape
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10
    assert not any(np.array_equal(one, other) for one, other in pairwise(pictures))
    assert np.array_equal(watched.render(), pictures[-1])
    watched.reset(seed=1)
    assert np.array_equal(watched.render(), pictures[0])


@pytest.mark.parametrize(
    "settings",
    [["market.steps_per_day=1"], ["investors.*.trade_probability=0.0"], ["market.spreads_scale_with_price=true"]],
)
def test_any_market_has_a_picture(settings: list[str]) -> None:
    env = DealerEnv(short("learning", *settings), render_mode="rgb_array")
    env.reset(seed=1)
    for _ in range(12):
        env.step(ACTION)
    assert env.render() is not None


def test_a_vector_environment_has_a_picture_of_each() -> None:
    scenario, seeds = short("learning"), [5, 6, 7]
    many = gymnasium.make_vec(ENV_ID, 3, scenario=scenario, render_mode="rgb_array")
    singles = [DealerEnv(scenario, render_mode="rgb_array") for _ in seeds]
    with raises(ResetNeeded, "render", names=["reset"]):
        many.render()
    many.reset(seed=seeds)
    for env, seed in zip(singles, seeds, strict=True):
        env.reset(seed=seed)
    many.step(np.tile(ACTION, (3, 1)))
    singles[0].step(ACTION)
    many.reset(seed=[None, 8, None], options={"reset_mask": np.array([False, True, False])})
    singles[1].reset(seed=8)
    singles[2].step(ACTION)
    for shown, env in zip(many.render(), singles, strict=True):
        assert np.array_equal(shown, env.render())


def test_several_makers_stand_side_by_side() -> None:
    pytest.importorskip("pettingzoo")
    from dealermarket.envs.parallel import DealerParallelEnv

    env = DealerParallelEnv(short("paper"), render_mode="rgb_array")
    with raises(ResetNeeded, "render", names=["reset"]):
        env.render()
    env.reset(seed=1)
    env.step(dict.fromkeys(env.agents, ACTION))
    picture = env.render()
    assert picture is not None
    assert picture.shape[1] > picture.shape[0] * 2


def test_without_a_mode_there_is_no_picture() -> None:
    env = DealerEnv(short("learning"))
    env.reset(seed=1)
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None
    with raises(ResetNeeded, "render", names=["reset"]):
        DealerEnv(short("learning"), render_mode="rgb_array").render()


def test_matplotlib_is_imported_when_something_is_drawn() -> None:
    code = (
        "import sys, numpy as np, gymnasium, dealermarket.envs\n"
        "env = gymnasium.make('dealermarket/Dealer-v0', render_mode='rgb_array')\n"
        "env.reset(seed=0)\n"
        "env.step(np.zeros(3, np.float32))\n"
        "assert 'matplotlib' not in sys.modules\n"
        "env.render()\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    ran([sys.executable, "-W", "error", "-c", code])


# --- windows


def test_a_window_shows_every_step(windows: list[Any]) -> None:
    env = gymnasium.make(ENV_ID, scenario=short("learning"), render_mode="human")
    env.reset(seed=1)
    env.step(ACTION)
    assert env.render() is None
    env.reset()
    assert screen.frames == [0, 0, 0]
    env.close()
    env.close()
    other = DealerEnv(short("learning"), render_mode="human")
    other.reset(seed=1)
    assert screen.frames == [0, 0, 0, 1]
    other.close()
    assert matplotlib.pyplot.get_fignums() == []
    assert len(windows) == 2


def test_without_a_screen_it_says_what_to_do_and_goes_on() -> None:
    env = DealerEnv(short("learning"), render_mode="human")
    with pytest.warns(UserWarning, match=r"'human'.*MPLBACKEND.*'rgb_array'"):
        env.reset(seed=1)
    env.step(ACTION)  # it is said once
    env.reset()
    assert matplotlib.pyplot.get_fignums() == []


def test_a_vector_environment_has_no_window() -> None:
    with raises(ParameterError, "render_mode", "'human'", names=["rgb_array"]):
        DealerVectorEnv(2, short("learning"), render_mode="human")


def test_gymnasiums_checker_draws_in_every_mode(windows: list[Any]) -> None:
    env = gymnasium.make(ENV_ID, scenario=short("learning"))
    check_env(env.unwrapped)
    assert env.metadata["render_modes"] == ["human", "rgb_array"]
    assert env.metadata["render_fps"] > 0
    assert len(windows) == 1


@pytest.mark.training
def test_the_usual_recipe_of_stable_baselines3_works() -> None:
    util = pytest.importorskip("stable_baselines3.common.env_util")
    env = util.make_vec_env(ENV_ID, n_envs=2, seed=1)
    env.reset()
    observations, rewards, _, _ = env.step(np.tile(ACTION, (2, 1)))
    assert observations.shape == (2, 15)
    assert np.isfinite(rewards).all()
    assert [image.dtype for image in env.get_images()] == [np.uint8, np.uint8]
    env.close()
