"""What damage does to run folders: tries it, and prints what became of each.

Each try takes the folder of a run, complete or unfinished, and damages a file in it: a bit is flipped, the end is cut off, a
block is zeroed, the file is deleted, or another file, of this run or of another one, is put in its place. Then the folder is
used: loaded, shown by `inspect`, drawn by `plot` and resumed. Every use must refuse the folder, naming a file, or give the
numbers that an undamaged run gives.
Usage: `python benchmarks/damage.py [--tries 2000] [--seed 0]`; the status is 1 where a number was wrong, where an error was not
a message, or where a message named no file.
"""

from __future__ import annotations

import argparse
import io
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from dealermarket import DealerMarketError, Scenario, SimulationResult, SimulationRunner
from dealermarket.commands.main import main as command
from dealermarket.runs.folder import RunFolder
from dealermarket.runs.tables import tables_of

REFUSED, HARMLESS, WRONG, CRASHED, UNNAMED = "refused by name", "harmless", "WRONG NUMBER", "TRACEBACK", "NO FILE NAMED"
REPLICAS = 7
_RUNS = {"first": (0.1, 1), "other seed": (0.1, 2), "other market": (0.2, 1)}  # volatility and seed
_Frames = dict[str, pd.DataFrame]


class Laboratory:
    """Whole and unfinished runs, to be damaged, and what their tables must say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.truth: dict[tuple[str, int], _Frames] = {}
        for name, (volatility, seed) in _RUNS.items():
            scenario = Scenario.load("paper", ["steps=12", "reward_horizon=2", f"market.mid_price.volatility={volatility}"])
            runner = SimulationRunner(scenario, REPLICAS, seed, record="trades")
            with small_chunks():
                whole = runner.run(folder / "complete" / name)
                with patch.object(RunFolder, "finish", lambda *_: None):
                    runner.run(folder / "unfinished" / name)
            # of the fourth chunk, the last one, nothing is there
            for part in (folder / "unfinished" / name / "parts").glob(f"*-{6:010d}.*"):
                part.unlink()
            self.truth[scenario.to_toml(), seed] = {table: getattr(whole, table) for table in tables_of("trades")}

    def check(self, result: SimulationResult) -> str:
        """Whether a result is that of its own scenario and seed, of the replicas that it has."""
        truth = self.truth.get((result.scenario.to_toml(), result.meta["seed"]))
        if truth is None or result.meta["replicas"] != REPLICAS or result.meta["record"] != "trades":
            return WRONG
        replicas = set(result.summary["replica"])
        if result.complete and len(replicas) != REPLICAS:
            return WRONG
        for table, frame in truth.items():
            if not frame[frame["replica"].isin(replicas)].reset_index(drop=True).equals(getattr(result, table)):
                return WRONG
        result.statistics()
        return HARMLESS

    def uses(self, folder: Path) -> dict[str, Callable[[], str]]:
        """What is done with a folder, in this order; each returns what came of it."""
        uses = {
            "load": lambda: self.check(SimulationResult.load(folder)),
            "inspect": lambda: _said("inspect", str(folder)),
            "plot": lambda: _said("plot", str(folder), "--out", str(folder.parent / "plots")),
            "resume": lambda: self.check(SimulationRunner.resume(folder)),
            "resume by command": lambda: _said("run", "--resume", str(folder)),
            "load what was resumed": lambda: self.check(SimulationResult.load(folder)),
        }
        if not (folder / "summary.parquet").exists():
            del uses["plot"]  # drawing takes long, and reads what loading reads
        return uses


@dataclass(frozen=True)
class Try:
    """One damage, and what came of every use of the folder."""

    state: str
    damage: str
    file: str
    outcomes: dict[str, str]


def tries(laboratory: Laboratory, count: int, seed: int) -> Iterator[Try]:
    """Damages and uses as many folders; the same ones for the same seed."""
    chance = random.Random(seed)
    for number in range(count):
        state = ("complete", "unfinished")[number % 2]
        subject = laboratory.folder / "subject" / "run"
        shutil.rmtree(subject.parent, ignore_errors=True)
        shutil.copytree(laboratory.folder / state / "first", subject)
        file = chance.choice(sorted(path for path in subject.rglob("*") if path.is_file()))
        damage = chance.choice(list(DAMAGES))
        known = {file.name}
        if damage == "another file" and file.name == "meta.json":  # then all else is what does not belong to it
            known = {str(subject)}
        DAMAGES[damage](file, laboratory.folder, chance)
        outcomes = {}
        with small_chunks():
            for name, use in laboratory.uses(subject).items():
                outcomes[name] = _outcome(use, known)
        yield Try(state, damage, str(file.relative_to(subject)), outcomes)


def _outcome(use: Callable[[], str], names: set[str]) -> str:
    try:
        return use()
    except DealerMarketError as error:
        return REFUSED if any(name in str(error) for name in names) else f"{UNNAMED}: {error}"
    except Exception as error:  # what must not happen
        return f"{CRASHED}: {error!r}"


def _said(*arguments: str) -> str:
    """Runs a command; its refusals are raised."""
    errors = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(errors):
        status = command(list(arguments))
    if status != 0:
        raise DealerMarketError(errors.getvalue())
    return HARMLESS


def _flip(file: Path, _: Path, chance: random.Random) -> None:
    content = bytearray(file.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)


def _cut(file: Path, _: Path, chance: random.Random) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: chance.randrange(len(content))])


def _zero(file: Path, _: Path, chance: random.Random) -> None:
    content = file.read_bytes()
    first = chance.randrange(len(content))
    file.write_bytes(content[:first] + bytes(min(512, len(content) - first)) + content[first + 512 :])


def _delete(file: Path, *_: object) -> None:
    file.unlink()


def _replace(file: Path, folder: Path, chance: random.Random) -> None:
    """By a file of the same name, or any of the same kind, of any run; often of the same size, too."""
    runs = [path for state in ("complete", "unfinished") for path in sorted((folder / state).iterdir())]
    others = [path for run in runs for path in sorted(run.rglob(f"*{file.suffix}"))]
    namesakes = [path for path in others if path.name.split(".")[0] == file.name.split(".")[0]]
    shutil.copyfile(chance.choice(namesakes if chance.random() < 0.7 else others), file)


DAMAGES: dict[str, Callable[[Path, Path, random.Random], None]] = {
    "a bit flipped": _flip,
    "the end cut off": _cut,
    "a block zeroed": _zero,
    "deleted": _delete,
    "another file": _replace,
}


@contextmanager
def small_chunks() -> Iterator[None]:
    """Two replicas of these markets a chunk."""
    with patch("dealermarket.runs.chunks._CHUNK_NUMBERS", 2 * 12 * 30):
        yield


def main() -> int:
    """Tries, and prints counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts: Counter[tuple[str, str, str]] = Counter()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for each in tries(Laboratory(Path(folder)), options.tries, options.seed):
            for use, outcome in each.outcomes.items():
                counts[each.state, use, outcome.partition(":")[0]] += 1
            bad = {use: outcome for use, outcome in each.outcomes.items() if outcome not in (REFUSED, HARMLESS)}
            if bad:
                failed += 1
                print(f"{each.state} run, {each.damage}, {each.file}: {bad}", flush=True)
    for (state, use, outcome), count in sorted(counts.items()):
        print(f"{state:<12}{use:<24}{outcome:<18}{count:>6}")
    print(f"{options.tries} damages, {failed} with an outcome that must not be")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
