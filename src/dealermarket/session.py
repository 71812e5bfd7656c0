"""Markets driven half a step at a time, with policies written in Python acting between the halves."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

from dealermarket.engine.advance import Record, advance
from dealermarket.engine.state import Rules, empty_state
from dealermarket.engine.tapes import TapeArrays
from dealermarket.errors import PolicyError
from dealermarket.policies import HeuristicMaker, MakerPolicy, Observation, PolicySetup
from dealermarket.policies.seat import Seat
from dealermarket.scenario import Scenario
from dealermarket.tape import Episode
from dealermarket.values import suggestion


class Session:
    """B markets side by side. `begin` is the first half of a step, `finish` the second; policies act in between."""

    def __init__(
        self,
        scenario: Scenario,
        rules: Rules,
        record: Record,
        policies: Mapping[str, MakerPolicy],
        episodes: Sequence[Episode],
    ) -> None:
        self.scenario, self.rules, self.record, self.steps = scenario, rules, record, scenario.steps
        self.state = empty_state(rules, len(episodes))
        self.step = 0
        self._actors = []
        for maker, shared in policies.items():
            policy = copy.deepcopy(shared)
            policy.reset(PolicySetup(scenario, maker, episodes))
            self._actors.append((policy, self.view(maker), self.seat(maker)))

    def view(self, maker: str) -> Observation:
        """What a maker sees."""
        return Observation(self.state, self.record, self.scenario.maker_names.index(maker), self.steps)

    def seat(self, maker: str) -> Seat:
        """Where a maker's actions go."""
        return Seat(self.state, self.rules, self.scenario, maker)

    def begin(self, tape: TapeArrays) -> None:
        """Prices, maturing trades and tiers of the next step."""
        self._advance(tape, 2 * self.step, 2 * self.step + 1)

    def act(self, tape: TapeArrays) -> None:
        """The policies' turn."""
        for policy, view, seat in self._actors:
            seat.take(policy.act(view.at(self.step, tape)))

    def finish(self, tape: TapeArrays, last: bool = False) -> None:
        """Orders, hedges and positions of the step."""
        self._advance(tape, 2 * self.step + 1, 2 * self.step + 2, last)
        self.step += 1

    def proceed(self, tape: TapeArrays) -> None:
        """The end of a step and the beginning of the next, in one call of the engine."""
        self._advance(tape, 2 * self.step + 1, 2 * self.step + 3)
        self.step += 1

    def run(self, tape: TapeArrays, progress: Callable[[int], None]) -> None:
        """All steps of a tape."""
        self.begin(tape)
        for _ in range(self.steps - 1):
            self.act(tape)
            self.proceed(tape)
            progress(len(self.state.clock))
        self.act(tape)
        self.finish(tape, last=True)
        progress(len(self.state.clock))

    def _advance(self, tape: TapeArrays, first: int, last: int, ended: bool = False) -> None:
        advance(self.rules, self.state, tape, first, last, ended, self.record)


def check_policies(scenario: Scenario, policies: Mapping[str, MakerPolicy]) -> None:
    """Raises PolicyError unless every policy is one and belongs to a maker of the scenario."""
    for maker, policy in policies.items():
        if maker not in scenario.maker_names:
            raise PolicyError(f"policies: there is no maker {maker!r}{suggestion(maker, scenario.maker_names)}")
        if not isinstance(policy, MakerPolicy):
            raise PolicyError(f"policies: that of {maker!r} must be an instance of a MakerPolicy, got {policy!r}")


def acting_policies(scenario: Scenario, given: Mapping[str, MakerPolicy]) -> dict[str, MakerPolicy]:
    """The policies that act in Python: those given, and for the other makers those that the scenario names.

    Raises PolicyError for a given one that is none, or belongs to no maker."""
    check_policies(scenario, given)
    acting = scenario.policies | dict(given)
    return {maker: policy for maker, policy in acting.items() if not isinstance(policy, HeuristicMaker)}
