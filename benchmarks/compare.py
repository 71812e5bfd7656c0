"""Speed of two revisions of this repository, measured side by side in one run: `python benchmarks/compare.py HEAD~1`.

Both are taken out of git into a folder of their own, or are the files as they are (`.`), and run by this Python with its
libraries, in turns: old, new, old, new. Each turn is a process that runs every market several times and tells its fastest
run in seconds of this process's own processor time, which other work on the machine disturbs less than the clock. A ratio
is new / old of the same round; below 1 the new one is faster. `--json` prints the numbers of every round.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MARKETS = {  # preset, settings, replicas
    "paper": ("paper", [], 1200),
    "dealers": ("dealers", [], 240),
    "thousand": ("thousand", [], 24),
    "learning": ("learning", ["makers.competitor.policy.kind=heuristic", "steps=500"], 300),
    "ten thousand investors": ("paper", ["investors.0.count=10000", "exchange.v_max=10000.0"], 4),
}
MEASURE = """
import json, sys, time
from dealermarket import Scenario, SimulationRunner
markets, repeats, fastest = json.loads(sys.argv[1]), int(sys.argv[2]), {}
for name, (preset, settings, count) in markets.items():
    runner = SimulationRunner(Scenario.load(preset, settings), count)
    SimulationRunner(runner.scenario, 1).run()  # compiles, or loads what was compiled
    seconds = []
    for _ in range(repeats):
        began = time.process_time()
        runner.run()
        seconds.append(time.process_time() - began)
    fastest[name] = min(seconds) / (count * runner.scenario.steps)
print(json.dumps(fastest))
"""

Markets = dict[str, tuple[str, list[str], int]]
Round = dict[str, float]
"""Market -> seconds of processor time a market step."""


def taken_out(revision: str, folder: Path) -> Path:
    """The sources of a revision, in `folder`; those of the working tree for "."."""
    if revision == ".":
        return ROOT / "src"
    folder.mkdir()
    archive = subprocess.run(["git", "archive", revision, "src"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    return folder / "src"


def measured(sources: Path, cache: Path, markets: Markets, repeats: int) -> Round:
    """One turn: a process with these sources."""
    environment = {**os.environ, "PYTHONPATH": str(sources), "DEALERMARKET_CACHE_DIR": str(cache)}
    command = [sys.executable, "-c", MEASURE, json.dumps(markets), str(repeats)]
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    result: Round = json.loads(output)
    return result


def compared(old: str, new: str, rounds: int, repeats: int, markets: Markets) -> dict[str, list[Round]]:
    """Every round of both revisions, after one of each that is not counted."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        sources = {"old": taken_out(old, place / "old"), "new": taken_out(new, place / "new")}
        for side, path in sources.items():
            measured(path, place / f"cache-{side}", {name: (*market[:2], 1) for name, market in markets.items()}, 1)
        rounds_of: dict[str, list[Round]] = {"old": [], "new": []}
        for number in range(rounds):
            for side, path in sources.items():
                rounds_of[side].append(measured(path, place / f"cache-{side}", markets, repeats))
            print(f"round {number + 1} of {rounds} done", file=sys.stderr)
        return rounds_of


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="a revision of git")
    parser.add_argument("new", nargs="?", default=".", help="another; the working tree if not given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5, help="runs of every market in a round; the fastest counts")
    parser.add_argument("--markets", nargs="+", choices=list(MARKETS), default=list(MARKETS))
    parser.add_argument("--json", action="store_true", help="print the numbers of every round as JSON")
    chosen = parser.parse_args()
    markets = {name: MARKETS[name] for name in chosen.markets}
    rounds_of = compared(chosen.old, chosen.new, chosen.rounds, chosen.repeats, markets)
    rows = {}
    for name in markets:
        pairs = zip(rounds_of["old"], rounds_of["new"], strict=True)
        ratios = sorted(new[name] / old[name] for old, new in pairs)
        best = {side: min(one[name] for one in rounds_of[side]) for side in rounds_of}
        rows[name] = {
            "old_ns_per_step": 1e9 * best["old"],
            "new_ns_per_step": 1e9 * best["new"],
            "ratio_median": statistics.median(ratios),
            "ratio_lowest": ratios[0],
            "ratio_highest": ratios[-1],
            "ratio_of_fastest": best["new"] / best["old"],
        }
    if chosen.json:
        print(json.dumps({"old": chosen.old, "new": chosen.new, "markets": rows, "rounds": rounds_of}, indent=2))
        return
    print("| market | old, ns a step | new, ns a step | new / old, median | lowest to highest | of the fastest |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, row in rows.items():
        print(
            f"| `{name}` | {row['old_ns_per_step']:,.0f} | {row['new_ns_per_step']:,.0f} | {row['ratio_median']:.3f} | "
            f"{row['ratio_lowest']:.3f} to {row['ratio_highest']:.3f} | {row['ratio_of_fastest']:.3f} |"
        )


if __name__ == "__main__":
    main()
