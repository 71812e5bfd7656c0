"""Chunks of replicas: drawn as one tape, run by the engine in one call."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from dealermarket import interrupt
from dealermarket.draws.files import Recorded
from dealermarket.draws.streams import first_episodes
from dealermarket.draws.tape import Tape, TapeSource
from dealermarket.model.scenario import Scenario
from dealermarket.policies import Policy
from dealermarket.runs.executors.base import Progress
from dealermarket.runs.tables import Chunk, RecordLevel, arrow_table, tables_of

# Numbers of a tape in one chunk of replicas: small enough to stay in the processor's caches when the engine loops over
# replicas, large enough to share the cost of a step of Python when a policy is in the loop.
_CHUNK_NUMBERS = 2_000_000
_CHUNK_NUMBERS_WITH_POLICIES = 16_000_000
_MOST_REPLICAS = 1024


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def chunks_of(scenario: Scenario, replicas: range, with_policies: bool = False) -> list[range]:
    """The replicas, cut into chunks whose size depends on the scenario, and whether Python policies act in it, alone."""
    replayed = Recorded.of(scenario).orders
    numbers = scenario.steps * (len(scenario.agents) + 10 * len(scenario.makers)) + (0 if replayed is None else replayed.most)
    room = _CHUNK_NUMBERS_WITH_POLICIES if with_policies else _CHUNK_NUMBERS
    size = min(max(room // numbers, 1), _MOST_REPLICAS)
    return [replicas[first : first + size] for first in range(0, len(replicas), size)]


def is_compiled(scenario: Scenario | None = None) -> bool:
    """Whether the machine code of the engine that runs a scenario, or one of the papers', is kept from an earlier run."""
    from dealermarket.compiled import among, is_cached
    from dealermarket.engine.advance import advance
    from dealermarket.engine.rules import is_of_the_papers

    return is_cached(among(advance, scenario is None or is_of_the_papers(scenario)))


class Simulator:
    """Runs the markets of one scenario on tapes; with `quotes`, those of all makers are kept with requests."""

    def __init__(
        self, scenario: Scenario, record: RecordLevel, policies: Mapping[str, Policy], seed: int, quotes: bool = False
    ) -> None:
        from dealermarket.engine.rules import rules_of
        from dealermarket.runs.session import acting_policies

        self.scenario, self._record, self._seed = scenario, record, seed
        self._kept = (*tables_of(record), *(("quotes",) if quotes else ()))
        self._policies = acting_policies(scenario, policies)
        self._rules = rules_of(scenario)

    def load(self, source: TapeSource) -> None:
        """Loads all that the first run would wait for: machine code, which may have to be compiled, and what makes tables."""
        self.run(range(0), source.draw([]), lambda _: None)
        arrow_table({"nothing": np.zeros(0)})  # imports pandas, which takes longer than many a run
        interrupt.check()

    def run(self, replicas: range, tape: Tape, report: Progress) -> Chunk:
        """The chunk of these replicas, whose tape this is."""
        from dealermarket.compiled import among
        from dealermarket.draws.arithmetic import most_orders
        from dealermarket.engine.advance import advance
        from dealermarket.engine.recorder import empty_record
        from dealermarket.engine.state import empty_state
        from dealermarket.runs.session import Session, check_mids

        steps, level = self.scenario.steps, tables_of(self._record)
        order_count = tape.order_start[:, -1] - tape.order_start[:, 0]
        record = empty_record(self._rules, order_count, steps, self._kept, in_turn=not self._policies)
        if self._policies and replicas:
            session = Session(self.scenario, self._rules, record, self._policies, len(replicas))
            session.restart(first_episodes(self._seed, replicas))
            session.use(tape.arrays())
            session.run(report)
        else:
            engine = among(advance, self._rules.of_the_papers)
            arrays = tape.arrays()
            engine(self._rules, empty_state(self._rules, 1, most_orders(arrays)), arrays, 0, 2 * steps, True, record)
            check_mids(record, replicas)
            report(len(replicas) * steps)
        kept = slice(0, steps if "steps" in level else 0)
        spreads, asked = tape.reference_spread[:, kept].copy(), tape.asked if "requests" in level else tape.asked[:0].copy()
        return Chunk(replicas.start, tape.capped, spreads, record, asked)
