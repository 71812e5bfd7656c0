"""Markets driven half a step at a time, with policies written in Python acting between the halves."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from dealermarket.engine.advance import Record, advance
from dealermarket.engine.state import Rules, empty_state
from dealermarket.engine.tapes import TapeArrays
from dealermarket.errors import PolicyError
from dealermarket.policies import MakerPolicy, Observation, PolicySetup, Seat
from dealermarket.scenario import Scenario
from dealermarket.values import suggestion


class Session:
    """B markets side by side. `begin` is the first half of a step, `finish` the second; policies act in between."""

    def __init__(
        self,
        scenario: Scenario,
        rules: Rules,
        record: Record,
        policies: Mapping[str, MakerPolicy],
        seed: int,
        replicas: range,
    ) -> None:
        self.rules, self.record, self.steps = rules, record, scenario.steps
        self.state = empty_state(rules, len(replicas))
        self.step = 0
        self._seats = []
        for maker, shared in policies.items():
            policy, index = copy.deepcopy(shared), scenario.maker_names.index(maker)
            policy.reset(PolicySetup(scenario, maker, seed, replicas))
            seen = Observation(self.state, record, index, scenario.steps)
            self._seats.append((policy, seen, Seat(self.state, rules.makers, index, maker)))

    def begin(self, tape: TapeArrays) -> None:
        """Prices, maturing trades and tiers of the next step."""
        self._advance(tape, 2 * self.step, 2 * self.step + 1)

    def act(self, tape: TapeArrays) -> None:
        """The policies' turn."""
        column = self.step % tape.reference_spread.shape[1]
        mid, reference_spread = tape.mid[:, column], tape.reference_spread[:, column]
        for policy, seen, seat in self._seats:
            seat.take(policy.act(seen._advance(self.step, mid, reference_spread)))

    def finish(self, tape: TapeArrays, last: bool = False) -> None:
        """Orders, hedges and positions of the step."""
        self._advance(tape, 2 * self.step + 1, 2 * self.step + 2, last)
        self.step += 1

    def run(self, tape: TapeArrays, progress: Callable[[int], None]) -> None:
        """All steps of a tape; the end of a step and the beginning of the next are one call of the engine."""
        self.begin(tape)
        for _ in range(self.steps - 1):
            self.act(tape)
            self._advance(tape, 2 * self.step + 1, 2 * self.step + 3)
            self.step += 1
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
