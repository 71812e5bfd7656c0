"""Whether Ctrl-C ends every command, at whatever moment it comes: tries it, and prints what happened.

Each try begins a command in an empty folder, presses Ctrl-C at a random moment (as a terminal does: to the command and all its
processes), and looks at the seconds until the end, the exit status and what was said. A fifth of the tries has no compiled code
yet; a tenth presses again, a moment later. Where something was kept, it is resumed: to its end, or until Ctrl-C ends that, too.
Usage: `python benchmarks/interrupts.py [--tries 200] [--seed 0] [--minutes 60] [--at-once 2] [--json FILE]`; the status is 1
where a try failed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

SECONDS_TO_END = 5.0
SECONDS_AT_ONCE = 2.0  # for closing a large process on a busy machine
LONGEST = 60.0  # seconds until a command that did not end is killed
WARM, COLD = "warm", "cold"

# Each takes at least as long as the latest moment at which Ctrl-C comes, in seconds, on a fast machine with compiled code
COMMANDS: dict[str, tuple[str, float]] = {
    "run": ("run paper --replicas 40000 --record trades --plot", 12.0),
    "run with policies": ("run learning --replicas 3000 --policy learner=skew", 10.0),
    "reproduce": ("reproduce --quick", 30.0),
    "experiment": ("experiment markouts --runs 400", 15.0),
    "experiment that trains": ("experiment learned-drift --quick", 30.0),
    "train": ("train learning --steps 400000", 25.0),
    "evaluate": ("evaluate heuristic random adaptive skew --replicas 3000", 12.0),
}

# What Python does before the first line of the command is not the command's to answer. Ctrl-C reaches it where scripts run in
# the background, too, which ignores it.
PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); import dealermarket; "
    "from dealermarket.__main__ import main; print('begun', file=sys.stderr, flush=True); sys.exit(main())"
)


@dataclass(frozen=True)
class Try:
    """One press of Ctrl-C and what came of it."""

    name: str
    cache: str
    moment: float
    again: bool
    seconds: float  # from the last press to the end
    status: int
    resumed: str  # "", "to its end", "until Ctrl-C"
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    seconds: float
    status: int
    pressed: bool  # it had not ended by itself
    said: str


def ended(command: Sequence[str], folder: Path, cache: Path, moment: float, again: float | None = None) -> Ended:
    """Runs a command and presses Ctrl-C so many seconds after it began, and perhaps again."""
    environment = {**os.environ, "DEALERMARKET_CACHE_DIR": str(cache), "COLUMNS": "140"}
    with (folder / "said").open("w+") as said, (folder / "shown").open("w") as shown:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *command],
            cwd=folder,
            env=environment,
            stdout=shown,
            stderr=said,
            start_new_session=True,
        )
        while not (folder / "said").stat().st_size and process.poll() is None:
            time.sleep(0.01)
        pressed = True
        try:
            process.wait(moment)
            pressed = False
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
        began = time.monotonic()
        if pressed and again is not None:
            try:
                process.wait(again)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGINT)
                began = time.monotonic()
        try:
            process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        seconds = time.monotonic() - began
    left = is_alive(process.pid)
    text = (folder / "said").read_text()
    return Ended(seconds, process.returncode, pressed, text + ("\nprocesses were left\n" if left else ""))


def is_alive(group: int) -> bool:
    """Whether processes of a group are left some seconds after its first one ended; they are ended then."""
    for _ in range(50):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)
    return True


def faults_of(end: Ended, again: bool) -> list[str]:
    """What should not have happened."""
    found = []
    if end.seconds > (SECONDS_AT_ONCE if again else SECONDS_TO_END):
        found.append(f"took {end.seconds:.1f} s")
    if end.pressed and end.status not in {130, -signal.SIGINT}:  # the latter where Python only closes down, all being done
        found.append(f"status {end.status}")
    if not end.pressed and end.status != 0:
        found.append(f"status {end.status} without Ctrl-C")
    for word in ("Traceback", "Exception ignored", "processes were left"):
        if word in end.said:
            found.append(word)
    if end.pressed and end.status == 130 and "interrupted" not in end.said:
        found.append("did not say that it was interrupted")
    return found


def tried(number: int, seed: int, warm: Path) -> Try:
    """The try of this number."""
    rng = random.Random(f"{seed}-{number}")
    name = list(COMMANDS)[number % len(COMMANDS)]
    command, latest = COMMANDS[name]
    cold, again = rng.random() < 0.2, rng.random() < 0.1
    moment = rng.uniform(0.0, latest)
    folder = Path(tempfile.mkdtemp(prefix="interrupts-"))
    try:
        cache = folder / "cache" if cold else warm
        end = ended(command.split(), folder, cache, moment, rng.uniform(0.05, 0.5) if again else None)
        faults, resumed = faults_of(end, again), ""
        way_on = re.search(r"finish it with: dealermarket (.*)", end.said)
        if way_on:
            more = ended(shlex.split(way_on[1]), folder, warm, rng.uniform(1.0, 12.0))
            resumed = "until Ctrl-C" if more.pressed else "to its end"
            faults += [f"resumed: {fault}" for fault in faults_of(more, False)]
        found = Try(name, COLD if cold else WARM, moment, again, end.seconds, end.status, resumed, tuple(faults))
        if faults:
            print(f"--- {number}: {found}\n{end.said[-3000:]}", flush=True)
            print(f"--- resumed:\n{more.said[-3000:]}" if way_on else "", flush=True)
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Tries it and prints a table of what happened, and all of it as JSON where a file is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0, help="no try is begun after these")
    parser.add_argument("--at-once", type=int, default=2, help="tries side by side")
    parser.add_argument("--json", type=Path, help="a file for all of it")
    options = parser.parse_args()
    until = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="interrupts-cache-") as cache, ThreadPoolExecutor(options.at_once) as threads:
        for warm_up in ("run paper --steps 20 --replicas 2", "train learning --steps 200 --markets 4"):
            whole = Path(tempfile.mkdtemp(dir=cache))
            subprocess.run(
                [sys.executable, "-m", "dealermarket", *warm_up.split()],
                cwd=whole,
                env={**os.environ, "DEALERMARKET_CACHE_DIR": cache},
                check=True,
                capture_output=True,
            )

        def begin(number: int) -> Try | None:
            return tried(number, options.seed, Path(cache)) if time.monotonic() < until else None

        tries = [each for each in threads.map(begin, range(options.tries)) if each is not None]
    print("| command | tries | interrupted | median s | longest s | resumed to its end | until Ctrl-C | failed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in (*COMMANDS, "all"):
        own = [each for each in tries if name in (each.name, "all")]
        seconds = sorted(each.seconds for each in own if each.status == 130) or [float("nan")]
        ways = Counter(each.resumed for each in own)
        failed = sum(bool(each.faults) for each in own)
        cells = (name, len(own), len(seconds), f"{seconds[len(seconds) // 2]:.2f}", f"{seconds[-1]:.2f}")
        print("| " + " | ".join(map(str, (*cells, ways["to its end"], ways["until Ctrl-C"], failed))) + " |")
    pressed_again = [each.seconds for each in tries if each.again and each.status == 130]
    print(f"pressed again: {len(pressed_again)}, longest {max(pressed_again, default=0.0):.2f} s after the second")
    print(f"without compiled code: {sum(each.cache == COLD for each in tries)}")
    if options.json:
        options.json.write_text(json.dumps([vars(each) for each in tries], indent=2) + "\n")
    return int(any(each.faults for each in tries))


if __name__ == "__main__":
    sys.exit(main())
