"""What a run needs of a machine, before it begins: time and memory, about.

Time is a sum of costs: so many nanoseconds for each step, order, quote, hedge and row of a table, as they were measured with the
presets on one core, times how much slower or faster this machine draws random numbers now than that one. On eight
presets the sum was 1.0 to 1.6 of what was measured. It knows nothing of policies and kinds of one's own.
Memory is a sum of sizes of arrays: .7 to 1.5 of what was measured.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache

import numpy as np

from dealermarket.draws.files import Recorded, orders_of_a_step
from dealermarket.errors import ParameterError
from dealermarket.memory import machine_memory
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.scenario import Scenario
from dealermarket.runs.chunks import chunks_of
from dealermarket.runs.tables import RecordLevel, tables_of

WATCHED = 0.08  # seconds: several turns of what else runs on the machine
LONG = 3600.0  # seconds, beyond which a person is asked first
WORTH_SAYING = 300.0  # seconds, beyond which it is said how long a run takes
LOADED = 250_000_000  # bytes of the program and its libraries
_BYTES_OF_A_PRICE = 300  # of a file, while it is read
PROBE, PROBE_SECONDS = 100_000, 0.00092  # standard normal draws, and what they took where the costs below were measured


@dataclass(frozen=True)
class Needs:
    """What a run takes: `work`, the seconds where costs were measured, and `memory` at its height, bytes."""

    work: float
    memory: float

    @property
    def seconds(self) -> float:
        """How long it takes here, once it has started."""
        return self.work / speed()

    def __str__(self) -> str:
        return f"about {in_time_units(self.seconds)} and {self.memory / 1e9:,.1f} GB of memory"


def needs_of(
    scenario: Scenario,
    replicas: int,
    threads: int = 1,
    record: RecordLevel = "summary",
    policies: int | None = None,
    in_memory: bool = False,
) -> Needs:
    """What a run takes. `policies` is how many of the makers' act in Python, the scenario's own if not given; `in_memory`: all
    that is recorded stays there until the end of the run."""
    acting = len(scenario.policies) if policies is None else policies
    chunks = chunks_of(scenario, range(replicas), bool(acting))
    markets, threads = len(chunks[0]), min(threads, len(chunks))
    steps = scenario.steps * replicas
    playing, joining = (1e-9 * steps * cost for cost in _nanoseconds_of_a_step(scenario, record))
    # policies act for all markets of a chunk at once: what that costs is in part the same for many as for one
    of_chunks = len(chunks) * (4e-3 + 60e-6 * acting * scenario.steps)
    playing += 1e-6 * steps * acting + of_chunks
    work = playing / threads + joining
    working, kept = _bytes_of_a_step(scenario, record)
    of_a_chunk = markets * scenario.steps * (working + kept) + _bytes_of_state(scenario, markets, bool(acting))
    recording = scenario.market.recording
    read = 0 if recording is None else _BYTES_OF_A_PRICE * len(recording.mid)
    return Needs(work, LOADED + read + threads * of_a_chunk + (steps * kept if in_memory else 0))


def fits(needs: Needs) -> bool:
    """Whether this machine has the memory, as far as it says how much it has."""
    most = machine_memory()
    return most is None or needs.memory <= most


def check_memory(needs: Needs, record: RecordLevel, threads: int) -> None:
    """Raises ParameterError where a run does not fit into the memory of this machine."""
    if not fits(needs):
        ways = ["record less", "use fewer threads", "run fewer steps or investors"]
        possible = ways[(0 if record != "summary" else 1 if threads > 1 else 2) :]
        needed, most = needs.memory / 1e9, (machine_memory() or 0) / 1e9
        raise ParameterError(
            f"memory: this run needs about {needed:,.0f} GB, and this machine has {most:,.0f}; {', or '.join(possible)}"
        )


@cache
def speed() -> float:
    """How many times as fast as where costs were measured this machine, as busy as it is, draws random numbers."""
    draws, room = np.random.Generator(np.random.PCG64(0)), np.empty(PROBE)
    draws.standard_normal(out=room)
    began, rounds, elapsed = time.perf_counter(), 0, 0.0
    while elapsed < WATCHED:
        draws.standard_normal(out=room)
        rounds += 1
        elapsed = time.perf_counter() - began
    return float(np.clip(rounds * PROBE_SECONDS / elapsed, 0.05, 20.0))


def in_time_units(seconds: float) -> str:
    """A duration in the unit that suits it."""
    for unit, length in (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:.0f} seconds" if seconds >= 1.5 else "a second"


def _nanoseconds_of_a_step(scenario: Scenario, record: RecordLevel) -> tuple[float, float]:
    """The cost of a step of one market: of drawing, playing and writing it, and of joining what was written."""
    investors, makers = len(scenario.agents), len(scenario.makers)
    orders, hedges = _trades_of_a_step(scenario)
    drawing = (75 if scenario.market.recording is None else 25) + 1.4 * investors + 30 * orders + 2 * makers
    playing = 20 + 15 * makers + orders * (45 + 9 * makers)
    hedging = sum(_nanoseconds_of_a_hedge(maker, makers) for maker in scenario.makers) * hedges / max(makers, 1)
    rows = {"summary": 0.0, "steps": 1300.0 * makers, "trades": 630.0 * (orders + hedges), "requests": 800.0 * orders}
    writing = sum(rows[table] for table in tables_of(record))
    return drawing + playing + hedging + writing, writing  # to join is to read and to write again


def _nanoseconds_of_a_hedge(maker: MarketMakerAgent, makers: int) -> float:
    rivals, hedging = makers - 1, maker.hedging
    if not hedging.plans:
        pieces = getattr(hedging, "horizon", 0)  # of equal trades, each at quotes of its own
        return 80.0 + 12 * rivals + pieces * (30 + 12 * rivals)
    return 110.0 + 25 * rivals


def _trades_of_a_step(scenario: Scenario) -> tuple[float, float]:
    """How many orders there are in a step on average, and how many hedges there may be."""
    orders = orders_of_a_step(scenario)
    hedgers = sum(maker.hedging.kind != "none" for maker in scenario.makers)
    return orders, hedgers * min(1.0, 10 * orders)  # where hardly anybody trades, there is hardly anything to hedge


def _bytes_of_a_step(scenario: Scenario, record: RecordLevel) -> tuple[float, float]:
    """For a step of one market: its tape and the table that is made of it, and what is recorded of it."""
    makers = len(scenario.makers)
    orders, hedges = _trades_of_a_step(scenario)
    tape = 8 * (3 + makers) + 35 * orders
    rows = {"summary": 0.0, "steps": 300.0 * makers, "trades": 190.0 * (orders + hedges), "requests": 250.0 * orders}
    kept = {"summary": 0.0, "steps": 64.0 * makers + 24, "trades": 56.0 * (orders + makers), "requests": 80.0 * orders}
    levels = tables_of(record)
    return tape + max(rows[table] for table in levels), sum(kept[table] for table in levels)


def _bytes_of_state(scenario: Scenario, markets: int, side_by_side: bool) -> float:
    """The accounts that makers keep of participants, and the trades that have not matured."""
    makers, participants = len(scenario.makers), len(scenario.participants)
    replayed = Recorded.of(scenario).orders
    waiting = participants if replayed is None else max(participants, makers + replayed.most_of_a_step)  # trades of a step
    state = 56.0 * waiting * scenario.reward_horizon + 52.0 * participants * makers
    return (markets if side_by_side else 1) * state + markets * makers * (12.0 * participants + 200)
