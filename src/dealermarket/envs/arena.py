"""Markets in which learners act: what all environments share. No market law and no learning library in here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.streams import Episode
from dealermarket.draws.tape import TapeSource
from dealermarket.engine.recorder import empty_record
from dealermarket.engine.rules import rules_of
from dealermarket.envs.viewing import DayLog
from dealermarket.errors import ParameterError, PolicyError
from dealermarket.model.makers.reward import Reward
from dealermarket.model.scenario import Scenario
from dealermarket.policies import Policy
from dealermarket.policies.controls import Controls
from dealermarket.policies.features import FEATURES, FEEDBACK, Sensor
from dealermarket.policies.named import policy_named
from dealermarket.runs.session import Session, acting_policies
from dealermarket.values import plain, real_numbers, short, suggestion, whole_number, within

Array = NDArray[Any]


class Arena:
    """A scenario, the makers of it that learn (all if none are named), what they decide and what they are rewarded for."""

    def __init__(
        self,
        scenario: Scenario | str | Path,
        learners: Sequence[str] | None = None,
        controls: Controls | Mapping[str, Any] | None = None,
        reward: Reward | Mapping[str, Any] | str | None = None,
        policies: Mapping[str, Policy | str] | None = None,
    ) -> None:
        self.scenario = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
        self.learners = self.scenario.maker_names if learners is None else tuple(learners)
        self.controls = _value(Controls, "controls", controls)
        self.reward = _value(Reward, "reward", {"weights": reward} if isinstance(reward, str) else reward)
        self._check(policies or {})
        given = {maker: policy_named(policy) if isinstance(policy, str) else policy for maker, policy in (policies or {}).items()}
        acting = acting_policies(self.scenario, given)
        self.policies = {maker: policy for maker, policy in acting.items() if maker not in self.learners}
        self.rules, self.source = rules_of(self.scenario), TapeSource(self.scenario)

    @classmethod
    def of_one(cls, scenario: Scenario | str | Path, maker: str | None, *rest: Any) -> Arena:
        """Where one maker learns, the first if none is named."""
        loaded = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
        return cls(loaded, [loaded.maker_names[0] if maker is None else maker], *rest)

    def _check(self, policies: Mapping[str, Any]) -> None:
        if not isinstance(policies, Mapping):
            raise ParameterError(f"policies: must be a table of makers' names and policies, got {short(policies)}")
        if not self.learners:
            raise ParameterError("makers: at least one maker must learn")
        for maker in self.learners:
            if maker not in self.scenario.maker_names:
                raise ParameterError(
                    f"maker: there is no {maker!r} in {self.scenario.name!r}{suggestion(str(maker), self.scenario.maker_names)}"
                )
            if maker in policies:
                raise ParameterError(f"policies: {maker!r} learns, so it has no other policy")
            self.controls.check(self.scenario, maker)
        if len(set(self.learners)) < len(self.learners):
            raise ParameterError(f"makers: each learns once, got {self.learners!r}")

    def play(self, markets: int, watched: bool = False) -> Play:
        """Room for this many markets, to be begun; what happens in them is kept for pictures if they are `watched`."""
        return Play(self, markets, watched)


class Play:
    """B markets in step with each other, from their first step to their last.

    `features` (B, learners, FEATURES) float32 and `feedback` (B, learners, FEEDBACK) are those of the step that has begun,
    new arrays at every step. `ended` says that no step is left. `log` has the last day of the learners where it is kept.
    """

    def __init__(self, arena: Arena, markets: int, watched: bool) -> None:
        self._arena, self.markets = arena, markets
        orders = np.zeros(markets, np.int64)  # none is kept
        record = empty_record(arena.rules, orders, 2)
        self._session = Session(arena.scenario, arena.rules, record, arena.policies, markets)
        slots = [self._session.action_slot(maker) for maker in arena.learners]
        self._targets = [[slot.target(part) for part in arena.controls.names] for slot in slots]
        self._seen = [self._session.view(maker) for maker in arena.learners]
        self._sensors = [
            Sensor(arena.scenario, maker, self.markets, arena.reward, place) for place, maker in enumerate(arena.learners)
        ]
        self.log = DayLog(self._session, arena.learners) if watched else None

    def begin(self, episodes: Sequence[Episode]) -> None:
        """New markets, one for each episode, at their first step."""
        self._session.restart(episodes)
        self._session.use(self._arena.source.draw(episodes).arrays())
        self._session.begin()
        self._read()
        if self.log is not None:
            self.log.begin()

    @property
    def ended(self) -> bool:
        return self._session.ended

    def act(self, actions: Array) -> None:
        """Acts, (B, learners, controls) in [-1, 1], lets the others act, and goes on to the next step."""
        values = self._arena.controls.values(actions)
        for place, targets in enumerate(self._targets):
            for part, target in enumerate(targets):
                target[...] = values[:, place, part]
        self._session.act()
        self._session.proceed()
        self._read()
        if self.log is not None:
            self.log.add()

    def _read(self) -> None:
        learners = len(self._seen)
        self.features = np.empty((self.markets, learners, len(FEATURES)), np.float32)
        self.feedback = np.empty((self.markets, learners, len(FEEDBACK)))
        for seen, sensor in zip(self._seen, self._sensors, strict=True):
            sensor.read(seen.at(self._session.step, self._session.tape), self.features, self.feedback, self.ended)


def next_episode(
    former: Episode | None,
    seed: int | None,
    options: Mapping[str, Any] | None,
    rng: np.random.Generator,
    ignored: Collection[str] = (),
) -> Episode:
    """What a reset plays: an episode of the seed, else the one after the former, else one of a seed drawn from `rng`.

    Raises ParameterError for a seed or a replica (in the options) below 0, a replica of no seed, or another option that is
    not `ignored`."""
    check_options(options, ["replica"], ignored)
    replica = whole_number("options['replica']", (options or {}).get("replica", 0), 0)
    if seed is None and "replica" in (options or {}):
        raise ParameterError(f"options['replica']: {replica} is one of a run of some seed; give reset that seed, too")
    if seed is not None:
        return Episode(whole_number("seed", seed, 0), replica)
    return Episode(int(rng.integers(2**63)), replica) if former is None else former.next()


def check_options(options: Any, known: Collection[str], ignored: Collection[str] = ()) -> None:
    """Raises ParameterError unless the options of a reset are a table of those that are known, or None; those `ignored` may
    be there, too."""
    if options is None:
        return
    if not isinstance(options, Mapping):
        raise ParameterError(f"options: must be a table with {' and '.join(known)}, or None, got {short(options)}")
    for name in options:
        if name not in known and name not in ignored:
            raise ParameterError(f"options: {short(name)} is not known{suggestion(str(name), known)}")


def checked_actions(given: Any, shape: tuple[int, ...], whose: str = "action") -> Array:
    """The actions as numbers of this shape. Raises PolicyError for another shape, for NaN, outside [-1, 1], and for what is no
    real number."""
    try:
        actions = real_numbers(given).astype(np.float64, copy=False)
    except TypeError as error:
        raise PolicyError(f"{whose}: must be real numbers of shape {shape}, got {short(plain(given))}; {error}") from None
    if actions.shape != shape:
        raise PolicyError(f"{whose}: must have shape {shape}, got {actions.shape}")
    if not within(actions, -1.0, 1.0):
        wrong = float(actions[~(np.abs(actions) <= 1.0)][0])
        raise PolicyError(f"{whose}: must be in [-1, 1], got {wrong!r}; clip what your policy returns")
    return actions


def _value(kind: Any, name: str, given: Any) -> Any:
    """The value, from a table of its fields if it is not one already."""
    if given is None or isinstance(given, kind):
        return given if given is not None else kind()
    if not isinstance(given, Mapping):
        raise ParameterError(f"{name}: must be a {kind.__name__} or a table of its fields, got {short(given)}")
    try:
        return kind(**given)
    except ParameterError as error:
        raise ParameterError("\n".join(f"{name}: {line}" for line in str(error).splitlines())) from None
