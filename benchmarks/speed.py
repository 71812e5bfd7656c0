"""How fast, beside what: prints the tables of docs/performance.md.

Every figure is the median of several runs in this one process; ratios compare figures of the same run. Usage:
`python benchmarks/speed.py [PART ...] [--json FILE]` (`make bench`), with Mesa installed for the comparison with it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from dealermarket import Action, MakerPolicy, Observation, Scenario, SimulationRunner, laws
from dealermarket.arrays import PIECE, pieces
from dealermarket.compiled import Compiled
from dealermarket.draws import arithmetic
from dealermarket.draws.philox import fill_normal, fill_uniform, fill_words
from dealermarket.draws.streams import Stream, first_episodes, places_of
from dealermarket.draws.tape import Tape

REPEATS = 5
REPLICAS = {"paper": 2660, "dealers": 400, "thousand": 30}
TARGETS = {"paper": 2.5e6, "dealers": 600e3, "thousand": 80e3}


class Skewing(MakerPolicy):
    """Skews against the position and hedges a third of it: a policy of the size people write."""

    def act(self, observation: Observation) -> Action:
        """One step for all replicas."""
        lean = 0.02 * np.tanh(observation.position / 10.0)
        return Action(eps_buy=lean, eps_sell=-lean, hedge_fraction=0.3)


def median_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The median time of some runs, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def floor(scenario: Scenario, replicas: int, orders: int) -> None:
    """What no implementation can leave out: the tape's random numbers, and the laws' logarithms and powers, in bulk.

    All numbers of a kind, whosever they are, piece by piece, so that they stay in the caches."""
    steps, investors, makers = replicas * scenario.steps, len(scenario.agents), len(scenario.makers)
    k, place = laws.curve_exponent(scenario.exchange.lam), places_of(first_episodes(0, range(1)))[0]
    for count in _lengths(steps * investors):
        fill_words(place, Stream.ARRIVAL, 0, _WORDS[:count])
    for count in _lengths(2 * steps + orders):  # prices, reference spreads, sizes
        fill_normal(place, Stream.PRICE, _NUMBERS[:count])
    for count in _lengths(steps + orders):
        np.exp(_NUMBERS[:count], out=_RESULTS[:count])
    for count in _lengths(2 * orders + steps * makers + replicas * makers * (investors + makers)):  # sides, ties, rankings
        fill_uniform(place, Stream.TIE, 0, _NUMBERS[:count])
    for trades, quotes in ((orders, makers), (steps * makers, makers - 1)):
        for count in _lengths(trades):
            log_curve = np.log(np.expm1(k * np.log1p(-np.minimum(_NUMBERS[:count], 0.9))))
            for _ in range(quotes):
                np.exp(1.5 * log_curve)


_WORDS, _NUMBERS, _RESULTS = np.empty(PIECE, np.uint32), np.empty(PIECE), np.empty(PIECE)


def _lengths(count: int) -> Iterator[int]:
    return (piece.stop - piece.start for piece in pieces(count))


Table = list[list[str]]
TABLES: dict[str, Table] = {}
"""All that was printed, by title; the first row of a table is its header."""


def title(text: str) -> None:
    """The title of the table that comes."""
    print(f"\n### {text}\n")
    TABLES[text] = []


def row(*cells: object) -> None:
    """One line of a Markdown table."""
    texts = [str(cell) for cell in cells]
    print("| " + " | ".join(texts) + " |", flush=True)
    next(reversed(TABLES.values())).append(texts)


def header(*cells: str) -> None:
    """The first two lines of a Markdown table."""
    row(*cells)
    print("| " + " | ".join(["---"] * len(cells)) + " |")


def print_parts(parts: dict[str, Callable[[], object]], about: str) -> None:
    """Prints the tables of the parts that the command names, or of all; with `--json FILE` they are written there, too."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", help=f"which tables, of {', '.join(parts)}; all if none is named")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the tables there: by title, rows of texts")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(parts):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    print(about)
    for name in chosen.parts or parts:
        parts[name]()
    if chosen.json is not None:
        chosen.json.write_text(json.dumps({"about": about, "tables": TABLES}, indent=2) + "\n")


def rate(steps_per_second: float) -> str:
    """Thousands of market steps a second."""
    return f"{steps_per_second / 1e3:,.0f} k"


def presets() -> None:
    """Steps per second of the presets, against the floor and on two threads."""
    title("Markets: one core, 500 steps a replica, summary recorded, tape drawing included")
    header("market", "target", "1 thread", "floor", "share of the floor's speed", "2 threads", "2 threads / 1")
    for name, replicas in REPLICAS.items():
        scenario = Scenario.load(name)
        steps = replicas * scenario.steps
        orders = len(Tape.draw(scenario, 0, replicas).size)
        with np.errstate(all="ignore"):
            least = steps / median_seconds(lambda s=scenario, r=replicas, o=orders: floor(s, r, o))  # type: ignore[misc]
        one, two = (steps / median_seconds(SimulationRunner(scenario, replicas, threads=n).run) for n in (1, 2))
        row(f"`{name}`", rate(TARGETS[name]), rate(one), rate(least), f"{one / least:.2f}", rate(two), f"{two / one:.2f}")


class Stopwatch:
    """Adds up the seconds spent in functions."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timed(self, function: Callable[..., object]) -> Callable[..., object]:
        """The same function, timed."""

        def wrapped(*arguments: object) -> object:
            began = time.perf_counter()
            result = function(*arguments)
            self.seconds += time.perf_counter() - began
            return result

        return wrapped  # a plain function, and so a method where a class has it


def locks() -> None:
    """How much of a run is machine code and NumPy's arithmetic, which hold no lock, and what cores can do about it."""
    title("What does not go side by side: 500 steps, 1,000 replicas, one thread, summary included")
    header("market", "target", "with the lock or alone", *(f"at most so many times as fast on {n} cores" for n in (8, 32, 128)))
    for name in REPLICAS:
        watch, runner = Stopwatch(), SimulationRunner(Scenario.load(name), 1000)
        free = [(Compiled, "__call__"), (arithmetic, "log_curves")]
        former = [getattr(owner, attribute) for owner, attribute in free]
        shares = []
        try:
            for (owner, attribute), function in zip(free, former, strict=True):
                setattr(owner, attribute, watch.timed(function))
            for _ in range(4):
                watch.seconds, began = 0.0, time.perf_counter()
                _ = runner.run().summary
                shares.append(1.0 - watch.seconds / (time.perf_counter() - began))
        finally:
            for (owner, attribute), function in zip(free, former, strict=True):
                setattr(owner, attribute, function)
        share = statistics.median(shares[1:])
        speedups = (1.0 / (share + (1.0 - share) / cores) for cores in (8, 32, 128))
        row(f"`{name}`", "2 %", f"{100 * share:.1f} %", *(f"{speedup:.1f}" for speedup in speedups))


def mesa() -> None:
    """The same market as a person would write it in Mesa."""
    title("The same market in Mesa (benchmarks/mesa_market.py, BLAS on one thread)")
    if find_spec("mesa") is None:
        print("Mesa is not installed: `pip install mesa`.")
        return
    ours = 1000 * 500 / median_seconds(SimulationRunner(Scenario.load("paper"), 1000).run)
    header("`paper`", "steps/s", "dealermarket / Mesa")
    for hedging, steps in (("linear", 4000), ("scipy", 100)):
        code = (
            "import sys, time; sys.path.insert(0, sys.argv[1]); from mesa_market import run; from dealermarket import Scenario\n"
            "scenario, steps = Scenario.load('paper'), int(sys.argv[3]); run(scenario, 20, hedging=sys.argv[2])\n"
            "began = time.perf_counter(); run(scenario, steps, hedging=sys.argv[2]); print(steps / (time.perf_counter() - began))"
        )
        arguments = [sys.executable, "-c", code, str(Path(__file__).parent), hedging, str(steps)]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(arguments, check=True, capture_output=True, text=True, env=environment)
        theirs = float(done.stdout)
        row(f"Mesa, hedging by {'equal pieces' if hedging == 'linear' else 'SLSQP'}", f"{theirs:,.0f}", f"{ours / theirs:,.0f}")
    row("dealermarket, optimal hedging", f"{ours:,.0f}", 1)


def policies() -> None:
    """A policy written in Python in the loop."""
    title("A Python policy in the loop (`paper`, one maker)")
    header("replicas", "target", "market steps/s")
    for replicas, target in ((1, 30e3), (1024, 500e3)):
        runner = SimulationRunner(Scenario.load("paper"), replicas, policies={"maker-1": Skewing()})
        times = 10 if replicas == 1 else 1
        seconds = median_seconds(lambda r=runner, n=times: [r.run() for _ in range(n)]) / times  # type: ignore[misc]
        row(replicas, rate(target), rate(runner.market_steps / seconds))


def memory() -> None:
    """Peak memory of many replicas."""
    title("Memory and start-up")
    header("what", "target", "measured")
    code = (  # what the process itself had at most: `ru_maxrss` begins with that of the process which started it
        "from dealermarket import Scenario, SimulationRunner; SimulationRunner(Scenario.load('paper'), 10000, threads=2).run(); "
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    row("10,000 replicas of `paper`, 500 steps, summary: peak memory", "300 MB", f"{float(done.stdout) / 1e3:.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            command = [sys.executable, "-m", "dealermarket", "run", "paper"]
            process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            assert process.stderr is not None
            while process.stderr.readline().startswith(("0 of", "Compiling")):
                pass
            times.append(time.perf_counter() - began)
            process.communicate()
        row("`dealermarket run paper`, compiled before: to its first progress", "2 s", f"{statistics.median(times):.2f} s")


def growth() -> None:
    """How cost grows with the size of the market."""
    title("Growth: time of a market step, in microseconds")
    header("investors (2 makers)", "µs", "makers (50 investors)", "µs", "steps (`paper`)", "µs")
    columns = [[], [], []]  # type: list[list[tuple[int, float]]]
    for investors in (10, 100, 1000, 10000):
        settings = [f"investors.0.count={investors}", "exchange.v_max=10000.0"]
        columns[0].append((investors, microseconds(Scenario.load("paper", settings), max(1, 2000 // investors))))
    dealers = Scenario.load("dealers")
    for makers in (2, 5, 10, 20):
        several = [dealers.makers[n % 5].replace(name=f"maker-{n}") for n in range(makers)]
        columns[1].append((makers, microseconds(dealers.replace(makers=tuple(several)), 400 // makers)))
    for steps in (50, 500, 5000, 50000):
        columns[2].append((steps, microseconds(Scenario.load("paper", [f"steps={steps}"]), max(1, 50000 // steps))))
    for cells in zip(*columns, strict=True):
        row(*(text for size, cost in cells for text in (f"{size:,}", f"{cost:.2f}")))


def microseconds(scenario: Scenario, replicas: int) -> float:
    """Time of one market step."""
    return 1e6 * median_seconds(SimulationRunner(scenario, replicas).run, 3) / (replicas * scenario.steps)


def main() -> None:
    """Prints all tables."""
    parts = (presets, locks, mesa, policies, memory, growth)
    about = f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores, {platform.machine()}"
    print_parts({part.__name__: part for part in parts}, about)


if __name__ == "__main__":
    main()
