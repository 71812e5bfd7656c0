from itertools import cycle

import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium")

from gymnasium import spaces  # noqa: E402
from gymnasium.vector import AutoresetMode, SyncVectorEnv  # noqa: E402
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array  # noqa: E402

from dealermarket.testing import VectorEnvError, check_vector_env  # noqa: E402

MODES = list(AutoresetMode)
NEXT, SAME, DISABLED = AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED
SIZE = 4


class Walk(gymnasium.Env):
    """A random walk with a random end, and with infos of every sort."""

    observation_space = spaces.Box(-1000, 1000, (3,), np.float32)
    action_space = spaces.Box(-1, 1, (3,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = self.np_random.normal(size=3).astype(np.float32)
        self.time = 0
        return self.state.copy(), {"start": float(self.state[0]), "nested": {"time": 0}}

    def step(self, action):
        self.state = self.state + action + self.np_random.normal(size=3).astype(np.float32)
        self.time += 1
        terminated, truncated = (bool(self.np_random.random() < chance) for chance in (0.1, 0.1))
        info = {"nested": {"time": self.time, "state": self.state.copy()}, "label": f"at {self.time}"}
        if self.time % 3 == 0:
            info["third"] = np.float64(self.state[1])
        return self.state.copy(), float(self.state.sum()), terminated, truncated, info


class DictWalk(Walk):
    """Structured observations, discrete actions."""

    observation_space = spaces.Dict(
        {"state": Walk.observation_space, "pair": spaces.Tuple((spaces.Discrete(200), spaces.MultiBinary(2)))}
    )
    action_space = spaces.Discrete(3)

    def _observation(self):
        return {"state": self.state.copy(), "pair": (np.int64(self.time), (self.state[:2] > 0).astype(np.int8))}

    def reset(self, *, seed=None, options=None):
        _, info = super().reset(seed=seed)
        return self._observation(), info

    def step(self, action):
        return self._observation(), *super().step(np.float32(action) - 1)[1:]


class Clock(gymnasium.Env):
    """Nothing random: an episode of five steps, or an endless one."""

    observation_space = spaces.Discrete(6)
    action_space = spaces.Discrete(2)
    length = 5

    def reset(self, *, seed=None, options=None):
        self.time = 0
        return 0, {}

    def step(self, action):
        self.time = min(self.time + 1, 5)
        return self.time, float(action), self.time == self.length, False, {}


class Endless(Clock):
    length = 6


def vector_of(make_scalar, mode, kind=SyncVectorEnv, size=SIZE):
    return lambda: kind([make_scalar] * size, autoreset_mode=mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("make_scalar", [Walk, DictWalk])
def test_a_right_vector_environment_passes(make_scalar, mode):
    check_vector_env(vector_of(make_scalar, mode), make_scalar, steps=60)


@pytest.mark.parametrize("mode", MODES)
def test_gymnasiums_cart_pole_passes(mode):
    def make_scalar():
        return gymnasium.make("CartPole-v1", max_episode_steps=15)

    check_vector_env(vector_of(make_scalar, mode), make_scalar, steps=60)


def test_final_observations_may_be_batched():
    class Batched(SyncVectorEnv):
        def step(self, actions):
            *result, infos = super().step(actions)
            if "final_obs" in infos:
                space = self.single_observation_space
                filled = [space.sample() if final is None else final for final in infos["final_obs"]]
                infos["final_obs"] = concatenate(space, filled, create_empty_array(space, SIZE))
            return *result, infos

    for make_scalar in (Walk, DictWalk):
        check_vector_env(vector_of(make_scalar, SAME, Batched), make_scalar, steps=30)


@pytest.mark.parametrize("mode", MODES)
def test_one_sub_environment_is_enough(mode):
    check_vector_env(vector_of(Walk, mode, size=1), Walk, steps=30, seeds=[5])


def test_every_sort_of_reset_happens():
    calls = []

    class Spy(SyncVectorEnv):
        def reset(self, *, seed=None, options=None):
            mask = None if options is None else options["reset_mask"]
            ended = self._autoreset_envs
            calls.append((type(seed), None if mask is None else bool((mask & ~ended).any()), bool(ended.any())))
            return super().reset(seed=seed, options=options)

    check_vector_env(vector_of(Walk, DISABLED, Spy), Walk, steps=60)
    resets = {(kind, early) for kind, early, _ in calls}
    kinds = (type(None), list)
    assert {(kind, early) for kind in kinds for early in (False, True)} < resets  # masked, at an end or early, seeded or not
    assert (int, None) in resets
    assert (type(None), None, True) in calls  # a full reset while some wait for theirs


def test_policy_decides_the_actions_and_sees_the_observations():
    seen = []

    def policy(observations, rng):
        seen.append(observations.shape)
        return rng.uniform(-1, 1, (SIZE, 3)).astype(np.float32)

    check_vector_env(vector_of(Walk, NEXT), Walk, steps=20, policy=policy)
    assert seen == [(SIZE, 3)] * 20


def test_tolerance_is_for_floats_only():
    class Near(SyncVectorEnv):
        def step(self, actions):
            observations, *rest = super().step(actions)
            return observations + np.float32(1e-3), *rest

    check_vector_env(vector_of(Walk, NEXT, Near), Walk, steps=20, rtol=0, atol=2e-3)
    with pytest.raises(VectorEnvError, match=r"step 1, sub-environment 0 \(.*\): observation is .* expected"):
        check_vector_env(vector_of(Walk, NEXT, Near), Walk, steps=20)


def test_unchecked_rules_are_said():
    with pytest.warns(UserWarning, match="streams are not checked"):
        check_vector_env(vector_of(Clock, NEXT), Clock, steps=20)
    with (
        pytest.warns(UserWarning, match="streams are not checked"),
        pytest.warns(UserWarning, match="no episode ended in 20 steps"),
    ):
        check_vector_env(vector_of(Endless, NEXT), Endless, steps=20)


def test_seeds_of_the_wrong_length_are_the_callers_error():
    with pytest.raises(ValueError, match="3 entries for 4 sub-environments"):
        check_vector_env(vector_of(Walk, NEXT), Walk, seeds=[1, 2, 3])


# ----------------------------------------------------------------------------------------------------------------------
# Broken vector environments: each breaks one rule.


class Broken(SyncVectorEnv):
    """A right vector environment, whose results a subclass spoils in `spoil`."""

    def __init__(self, env_fns, autoreset_mode):
        super().__init__(env_fns, autoreset_mode=autoreset_mode)
        self.resets = 0

    def reset(self, *, seed=None, options=None):
        self.resets += 1
        observations, infos = super().reset(seed=seed, options=options)
        self.spoil_reset(observations, infos)
        return observations, infos

    def step(self, actions):
        self.waiting = self._autoreset_envs.copy()
        result = list(super().step(actions))
        return tuple(self.spoil(*result) or result)

    def spoil_reset(self, observations, infos):
        pass

    def spoil(self, observations, rewards, terminated, truncated, infos):
        pass


class FinalObsIsTheReset(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        for i in np.flatnonzero(infos.get("_final_obs", [])):
            infos["final_obs"][i] = observations[i]


class FinalInfoIsTheReset(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        if "final_info" in infos:
            infos["final_info"]["nested"]["time"][:] = 0


class FinalMaskCoversAll(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        if "_final_obs" in infos:
            infos["_final_obs"][:] = True


class NoFinalInfo(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        infos.pop("final_info", None), infos.pop("_final_info", None)


class RewardAtReset(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        rewards[self.waiting] = 1


class TruncationIsTermination(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        terminated |= truncated


class LateReset(Broken):
    """Repeats the last observation where the reset should be seen."""

    def spoil(self, observations, rewards, terminated, truncated, infos):
        if self.waiting.any():
            observations[self.waiting] = self.last[self.waiting]
        self.last = observations.copy()


class OtherMode(Broken):
    """Resets at the same step, and says that it does at the next one."""

    def __init__(self, env_fns, autoreset_mode):
        super().__init__(env_fns, AutoresetMode.SAME_STEP)
        self.metadata["autoreset_mode"] = autoreset_mode


class NoMode(Broken):
    def __init__(self, env_fns, autoreset_mode):
        super().__init__(env_fns, autoreset_mode)
        self.metadata["autoreset_mode"] = "NextStep"


class Coupled(Broken):
    def step(self, actions):
        return super().step(np.roll(actions, 1, axis=0))


class WritesActions(Broken):
    def step(self, actions):
        result = super().step(actions)
        actions *= 0
        return result


class SeedsIgnored(Broken):
    def reset(self, *, seed=None, options=None):
        return super().reset(options=options)


class MaskSeedsIgnored(Broken):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed if options is None else None, options=options)


class MaskIgnored(Broken):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed)


class EarlyMaskIgnored(Broken):
    """Resets only what has ended."""

    def reset(self, *, seed=None, options=None):
        if options is None:
            return super().reset(seed=seed)
        mask = options["reset_mask"] & self._autoreset_envs
        if not mask.any():
            return self._observations.copy(), {}
        return super().reset(seed=seed, options={"reset_mask": mask})


class FullResetKeepsWaiting(Broken):
    def reset(self, *, seed=None, options=None):
        waiting = self._autoreset_envs.copy()
        result = super().reset(seed=seed, options=options)
        if seed is None:
            self._autoreset_envs = waiting
        return result


class AnySeedLength(Broken):
    def reset(self, *, seed=None, options=None):
        if isinstance(seed, list):
            seed = (seed * 2)[:SIZE]
        return super().reset(seed=seed, options=options)


class OneSeedForAll(Broken):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=[seed] * SIZE if isinstance(seed, int) else seed, options=options)


class IntegerSeedIgnored(Broken):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=None if isinstance(seed, int) else seed, options=options)


class OtherStep(Broken):
    """Its first step is not like those after the second reset with seeds."""

    def spoil(self, observations, rewards, terminated, truncated, infos):
        if self.resets > 2:
            rewards += 1


class SharedObservations(Broken):
    def __init__(self, env_fns, autoreset_mode):
        super().__init__(env_fns, autoreset_mode)
        self.copy = False


class SharedRewards(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        return observations, self._rewards, terminated, truncated, infos


class TrustsTheCaller(Broken):
    """Keeps its state in the observations that it returned."""

    def reset(self, *, seed=None, options=None):
        self.last, infos = super().reset(seed=seed, options=options)
        return self.last, infos

    def step(self, actions):
        for env, state in zip(self.envs, self.last, strict=True):
            env.state = state
        self.last, *rest = super().step(actions)
        return self.last, *rest


class Doubles(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        return observations.astype(np.float64), rewards, terminated, truncated, infos


class WholeRewards(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        return observations, rewards.astype(int), terminated, truncated, infos


class ColumnFlags(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        return observations, rewards, terminated, truncated[:, None], infos


class FourResults(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        return observations, rewards, terminated | truncated, infos


class Outside(Broken):
    def spoil_reset(self, observations, infos):
        observations[1, 1] = 1001


class NoMask(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        del infos["_nested"]


class NoNestedMask(Broken):
    def spoil_reset(self, observations, infos):
        infos.get("nested", {}).pop("_time", None)


class NoInfo(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        infos.pop("third", None), infos.pop("_third", None)


class OldInfo(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        infos["nested"]["time"] -= infos["nested"]["time"] > 2


class ListInfo(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        infos["label"] = list(infos["label"])


class NoInfos(Broken):
    def spoil(self, observations, rewards, terminated, truncated, infos):
        return observations, rewards, terminated, truncated, None


class FlatInfo(Broken):
    """One number instead of an array of three."""

    def spoil(self, observations, rewards, terminated, truncated, infos):
        infos["nested"]["state"] = infos["nested"]["state"][:, 0]


class OtherBatchSpace(Broken):
    def __init__(self, env_fns, autoreset_mode):
        super().__init__(env_fns, autoreset_mode)
        self.observation_space = batch_space(self.single_observation_space, SIZE + 1)


class OtherSingleSpace(Broken):
    def __init__(self, env_fns, autoreset_mode):
        super().__init__(env_fns, autoreset_mode)
        self.single_action_space = spaces.Box(-2, 2, (3,), np.float32)


class NewSpaces(Broken):
    action_space = property(lambda self: batch_space(self.single_action_space, SIZE), lambda self, value: None)


BROKEN = [
    (FinalObsIsTheReset, SAME, r"\(end of an episode\): info\['final_obs'\] is .*, expected"),
    (FinalInfoIsTheReset, SAME, r"\(end of an episode\): info\['final_info'\]\['nested'\]\['time'\] is 0, expected"),
    (FinalMaskCoversAll, SAME, r"\(within an episode\): info has the keys .*'final_obs'"),
    (NoFinalInfo, SAME, r"\(end of an episode\): info has the keys .*expected .*'final_info'"),
    (RewardAtReset, NEXT, r"\(automatic reset\): reward is 1.0, expected 0.0"),
    (LateReset, NEXT, r"\(automatic reset\): observation is"),
    (OtherMode, NEXT, r"step \d+, sub-environment \d \(end of an episode\): observation is"),
    (NoMode, NEXT, r"autoreset_mode\"\] is 'NextStep', expected"),
    (FullResetKeepsWaiting, NEXT, r"step \d+, sub-environment \d \(within an episode\): observation is"),
    (MaskIgnored, DISABLED, r"masked reset before step \d+, sub-environment \d \(outside the reset mask\): observation is"),
    (EarlyMaskIgnored, DISABLED, r"masked reset before step \d+, sub-environment \d \(reset\): observation is"),
    (MaskSeedsIgnored, DISABLED, r"masked reset before step \d+, sub-environment \d \(reset\): observation is"),
]
BROKEN_IN_ANY_MODE = [
    (TruncationIsTermination, r"\(end of an episode\): terminated is True, expected False"),
    (Coupled, r"step 1, sub-environment 0 \(.*\): (observation|reward) is"),
    (WritesActions, "step 1 wrote into the actions"),
    (SeedsIgnored, r"reset\(seed=.*\), sub-environment 0 \(reset\): observation is"),
    (AnySeedLength, "reset accepts 3 seeds for 4 sub-environments"),
    (OneSeedForAll, r"reset\(seed=0\): sub-environments 0 and 1 are the same"),
    (IntegerSeedIgnored, r"replay with seed=0, reset\(seed=0\), sub-environment 0: observation is"),
    (SharedObservations, r"step 1 changed what the call before had returned: result\['observations'\]"),
    (SharedRewards, r"step [23] changed what the call before had returned: result\['rewards'\]"),
    (TrustsTheCaller, "replay with returned arrays overwritten, step 1, sub-environment 0"),
    (Doubles, r"step 1: observations: found float64 array of shape \(4, 3\), expected float32 array of shape \(4, 3\)"),
    (WholeRewards, r"step 1: rewards: found int64 array of shape \(4,\), expected float array of shape \(4,\)"),
    (ColumnFlags, r"step 1: truncated: found bool array of shape \(4, 1\), expected bool array of shape \(4,\)"),
    (FourResults, "step 1: found tuple of 4, expected a tuple of 5"),
    (Outside, r"reset\(seed=.*\): observations are outside observation_space"),
    (NoMask, r"step 1: infos\['_nested'\]: found NoneType, expected bool array"),
    (NoNestedMask, r"reset\(seed=.*\): infos\['nested'\]\['_time'\]: found NoneType"),
    (NoInfo, r"step \d+, sub-environment \d .*: info(\['final_info'\])? has the keys .*expected .*'third'"),
    (OldInfo, r"step \d+, sub-environment \d .*: info.*\['time'\] is 2, expected 3"),
    (ListInfo, r"step 1: infos\['label'\]: found list of 4, expected array of 4 values"),
    (NoInfos, "step 1: infos: found NoneType, expected dict"),
    (FlatInfo, r"step 1, sub-environment \d .*: info.*\['state'\] is .*, expected \[.*\]"),
    (OtherBatchSpace, r"^observation_space is .*5, 3.*, expected .*4, 3"),
    (OtherSingleSpace, r"^single_action_space is .*, expected"),
    (NewSpaces, "^action_space is another object at each access"),
]
# One mode for each of these, in turn, keeps the tests quick.
BROKEN += [(kind, mode, message) for (kind, message), mode in zip(BROKEN_IN_ANY_MODE, cycle(MODES), strict=False)]


@pytest.mark.parametrize(("kind", "mode", "message"), BROKEN, ids=[f"{kind.__name__}-{mode.name}" for kind, mode, _ in BROKEN])
def test_a_broken_vector_environment_fails(kind, mode, message):
    with pytest.raises(VectorEnvError, match=message):
        check_vector_env(vector_of(Walk, mode, kind), Walk, steps=40)


@pytest.mark.parametrize("mode", [NEXT, SAME])
def test_a_second_run_that_differs_fails(mode):
    with pytest.raises(VectorEnvError, match=r"replay, step 1, sub-environment 0 .*: reward is"):
        check_vector_env(vector_of(Walk, mode, OtherStep), Walk, steps=60)


@pytest.mark.parametrize("mode", MODES)
def test_state_that_leaks_into_the_next_episode_fails(mode):
    class Leaky(Walk):
        time = 0

        def reset(self, *, seed=None, options=None):
            left = self.time if seed is None else 0
            observation, info = super().reset(seed=seed)
            self.time = left
            return observation, info

    with pytest.raises(VectorEnvError, match=r"step \d+, sub-environment \d .*info"):
        check_vector_env(vector_of(Leaky, mode), Walk, steps=60)


@pytest.mark.parametrize("mode", MODES)
def test_neighbouring_seeds_can_be_required_to_be_independent(mode):
    class Spread(SyncVectorEnv):
        def reset(self, *, seed=None, options=None):
            if isinstance(seed, int):
                seed = [int(number) for number in np.random.SeedSequence(seed).generate_state(self.num_envs)]
            return super().reset(seed=seed, options=options)

    with pytest.raises(VectorEnvError, match="sub-environment 1 under seed=7 is sub-environment 0 under seed=8"):
        check_vector_env(vector_of(Walk, mode), Walk, steps=30, seed=7, independent_seeds=True)
    check_vector_env(vector_of(Walk, mode, Spread), Walk, steps=30, seed=7, independent_seeds=True)
