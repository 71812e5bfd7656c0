"""Markets driven half a step at a time, with policies written in Python acting between the halves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from dealermarket import interrupt
from dealermarket.compiled import among, resolved
from dealermarket.draws.arithmetic import TapeArrays, most_orders
from dealermarket.draws.streams import Episode
from dealermarket.engine.advance import advance
from dealermarket.engine.recorder import NEVER, Record
from dealermarket.engine.rules import Rules
from dealermarket.engine.state import empty_state, with_room
from dealermarket.errors import ParameterError, PolicyError
from dealermarket.model.scenario import Scenario
from dealermarket.policies import Actor, HeuristicMaker, Observation, Policy, PolicySetup, start
from dealermarket.policies.action_slot import ActionSlot
from dealermarket.policies.starting import check
from dealermarket.values import suggestion


class Session:
    """B markets side by side. `begin` is the first half of a step, `finish` the second; policies act in between.

    Prices and orders are those of the tape in `use`."""

    def __init__(
        self,
        scenario: Scenario,
        rules: Rules,
        record: Record,
        policies: Mapping[str, Policy],
        markets: int,
    ) -> None:
        self.scenario, self.rules, self.record, self.steps = scenario, rules, record, scenario.steps
        self.state = empty_state(rules, markets)
        self.step = 0
        self._replicas: Sequence[int] = ()
        self._policies = policies
        self._views: list[Observation] = []
        self._places = [(self.view(maker), self.action_slot(maker)) for maker in policies]
        self._actors: list[tuple[Actor, Observation, ActionSlot]] = []
        self._engine: Any = None

    def __reduce__(self) -> NoReturn:
        # in a copy, actions would go to copies of parts of the state, where no engine reads them
        raise TypeError("a market under way cannot be copied or pickled; make another one and reset it to the same seed")

    def view(self, maker: str) -> Observation:
        """What a maker sees."""
        view = Observation(self.state, self.record, self.scenario.maker_names.index(maker), self.steps)
        self._views.append(view)
        return view

    def action_slot(self, maker: str) -> ActionSlot:
        """Where a maker's actions go."""
        return ActionSlot(self.state, self.rules, self.scenario, maker)

    def restart(self, episodes: Sequence[Episode]) -> None:
        """New markets, one for each episode; their tape goes to `use`."""
        self.step, self._replicas = 0, [episode.replica for episode in episodes]
        self.record.broken[:] = NEVER
        self._actors = [
            (start(policy, PolicySetup(self.scenario, maker, episodes)), *place)
            for (maker, policy), place in zip(self._policies.items(), self._places, strict=True)
        ]

    def use(self, tape: TapeArrays) -> None:
        """What comes next is on this tape; all tapes of a session are arrays of the same types."""
        self.tape = tape
        self.state = with_room(self.state, most_orders(tape))
        for view in self._views:
            view._move_to(self.state)
        if self._engine is None:
            engine = among(advance, self.rules.of_the_papers)
            self._engine = resolved(engine, self.rules, self.state, tape, 0, 0, False, self.record)

    def begin(self) -> None:
        """Prices, maturing trades and tiers of the next step."""
        self._advance(2 * self.step, 2 * self.step + 1)

    def act(self) -> None:
        """The turn of those who act in Python."""
        for actor, view, slot in self._actors:
            slot.take(actor.act(view.at(self.step, self.tape)))

    def finish(self, last: bool = False) -> None:
        """Orders, hedges and positions of the step."""
        self._advance(2 * self.step + 1, 2 * self.step + 2, last)
        self.step += 1

    def proceed(self) -> None:
        """The end of a step and, unless it is the last, the beginning of the next, in one call of the engine."""
        if self.step + 1 == self.steps:
            self.finish(last=True)
        else:
            self._advance(2 * self.step + 1, 2 * self.step + 3)
            self.step += 1

    @property
    def ended(self) -> bool:
        """Whether no step is left."""
        return self.step == self.steps

    def run(self, progress: Callable[[int], None]) -> None:
        """All steps of the tape."""
        self.begin()
        while not self.ended:
            interrupt.check()
            self.act()
            self.proceed()
            progress(len(self.state.clock))

    def _advance(self, first: int, last: int, ended: bool = False) -> None:
        self._engine(self.rules, self.state, self.tape, first, last, ended, self.record)
        if self.rules.has_impact:
            check_mids(self.record, self._replicas)


def check_mids(record: Record, replicas: Sequence[int]) -> None:
    """Raises ParameterError where hedges have moved a mid so far that it is no price."""
    (broken,) = np.nonzero(record.broken < NEVER)
    if len(broken):
        first = broken[0]
        raise ParameterError(
            f"market.impact: in step {record.broken[first]} of replica {replicas[first]} hedges at the exchange had moved the "
            "mid to 0 or below; take a smaller impact (permanent and transient are price units per unit of the asset), a higher "
            "initial price, or makers who hedge less"
        )


def acting_policies(scenario: Scenario, given: Mapping[str, Policy]) -> dict[str, Policy]:
    """The policies that act in Python: those given, and for the other makers those of the scenario.

    Raises PolicyError for a given one that is none, or belongs to no maker, and where one cannot act as its maker."""
    for maker in given:
        if maker not in scenario.maker_names:
            raise PolicyError(f"policies: there is no maker {maker!r}{suggestion(maker, scenario.maker_names)}")
    acting = {**scenario.policies, **given}
    for maker, policy in acting.items():
        check(policy, scenario, maker)
    return {maker: policy for maker, policy in acting.items() if not isinstance(policy, HeuristicMaker)}
