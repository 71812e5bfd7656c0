"""The command `run`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dealermarket import interrupt
from dealermarket.commands.console import announce_compiling, open_console, progress, rate
from dealermarket.commands.options import On, Policies, Seed, Settings, Threads, executor_of, flag, place, whole
from dealermarket.commands.run_summary import draw, print_json, print_makers
from dealermarket.errors import ParameterError
from dealermarket.runs.executors import Executor
from dealermarket.runs.tables import RecordLevel

if TYPE_CHECKING:
    from rich.console import Console

    from dealermarket.model.scenario import Scenario
    from dealermarket.runs.result import SimulationResult
    from dealermarket.runs.runner import SimulationRunner

RUNS = Path("runs")
REPLICAS = 100
MOST_RECORDED = 4_000_000  # rows of steps and trades that are kept unasked for, about 200 MB


def run(
    scenario: Annotated[str | None, Parameter(help="A preset's name or a TOML file.")] = None,
    /,
    *,
    steps: Annotated[int | None, whole("Steps of each replica; the scenario's own if not given.")] = None,
    replicas: Annotated[int | None, whole(f"Independent replicas of the market; {REPLICAS} if not given.")] = None,
    seed: Seed = None,
    threads: Threads = None,
    on: On = None,
    record: Annotated[RecordLevel | None, Parameter(help="How much to keep; summary if not given, trades with --plot.")] = None,
    out: Annotated[Path | None, place("The new folder of the run; runs/NAME-1 and on if not given.")] = None,
    settings: Settings = (),
    policies: Policies = (),
    orders: Annotated[Path | None, place("Replay the orders of this file, as [orders] in the scenario does.")] = None,
    resume: Annotated[Path | None, place("Finish an interrupted run instead.")] = None,
    plot: Annotated[bool, flag("Draw the figures into the run's folder, too.")] = False,
    as_json: Annotated[bool, flag("Print the numbers as JSON, and nothing else.", "--json")] = False,
    yes: Annotated[bool, flag("Run, though it takes more than an hour.")] = False,
) -> None:
    """Run a market and print what each maker earned: P&L and its parts, trading, and the paper's rewards."""
    from dealermarket.draws.files import read_from_files, replicas_there
    from dealermarket.model.scenario import Scenario
    from dealermarket.policies.named import with_policies
    from dealermarket.runs.runner import SimulationRunner
    from dealermarket.runs.work_folder import new_folder

    quiet = open_console(stderr=True)
    executor = executor_of(on, threads)
    if resume is not None:
        if any(given is not None for given in (scenario, steps, replicas, seed, record, out, orders)) or settings or policies:
            raise ParameterError("--resume: takes the scenario and its options from the folder; leave them out")
        folder = resume
        result = _resumed(folder, executor, quiet)
    else:
        if scenario is None:
            raise ParameterError("SCENARIO: give a preset's name or a TOML file; dealermarket scenarios lists the presets")
        changes = (*settings, f"steps={steps}") if steps is not None else settings
        if orders is not None:
            changes = (*changes, f"orders.file={json.dumps(str(orders), ensure_ascii=False)}")
        loaded = with_policies(Scenario.load(scenario, changes), policies)
        count = replicas_there(loaded, REPLICAS) if replicas is None else replicas
        level = record or (_pictured(loaded, count, quiet) if plot else "summary")
        runner = SimulationRunner(loaded, count, seed or 0, threads=executor.workers, record=level)
        for note in read_from_files(loaded, count):
            quiet.print(note, highlight=False, soft_wrap=True)
        if executor.is_here:
            _announce(runner, yes, quiet)
        began = time.monotonic()
        with executor, new_folder(out, RUNS, loaded.name) as folder:
            result = _begun(runner, folder, executor, quiet)
        starting = time.monotonic() - began - result.meta["seconds"]
    if as_json:
        print_json(result, folder)
    else:
        console = open_console()
        print_makers(result, console)
        speed = "" if resume is not None else _speed(result, starting)  # the seconds of a resumed run are those of its last part
        capped = result.meta["capped_orders"]
        note = f"; orders capped at 0.99 v_max: {capped:,}" if capped else ""
        console.print(f"{speed}kept in {folder}{note}", highlight=False, soft_wrap=True)
    if plot:
        draw(result, folder / "plots", "png", None, quiet)


def _pictured(scenario: Scenario, replicas: int, console: Console) -> RecordLevel:
    """How much is recorded for the figures: all, if that is not too much to keep."""
    from dealermarket.plots.pictured import rows_of

    rows = replicas * rows_of(scenario)
    if rows > MOST_RECORDED:
        reason = f"Steps and trades, {rows:,} rows, are too much to keep unasked for"
        console.print(f"{reason}: the first replicas are run again for the figures", highlight=False)
        return "summary"
    console.print("Recording steps and trades, for the figures (--record trades)", highlight=False)
    return "trades"


def _announce(runner: SimulationRunner, yes: bool, console: Console) -> None:
    """Says what a long run takes. Raises ParameterError for one that does not fit, and for one that a person has to agree to."""
    from dealermarket.runs.needs import LONG, WORTH_SAYING, check_memory

    needs = runner.needs()
    check_memory(needs, runner.record, runner.threads)
    if needs.seconds <= WORTH_SAYING:
        return
    if needs.seconds > LONG and sys.stderr.isatty() and not yes:
        raise ParameterError(f"--yes: this run takes {needs}; give --yes to start it, or run fewer --steps or --replicas")
    console.print(f"This run takes {needs}, as far as costs measured on another machine tell.", highlight=False, soft_wrap=True)


def _begun(runner: SimulationRunner, folder: Path, executor: Executor, console: Console) -> SimulationResult:
    """A new run, into a new folder."""
    interrupt.keep(folder, "run")
    announce_compiling(console, runner.scenario)
    with progress(console, runner.market_steps) as report:
        return runner.run(folder, report, executor=executor)


def _resumed(folder: Path, executor: Executor, console: Console) -> SimulationResult:
    """The run that was begun in a folder, finished."""
    from dealermarket.runs.folder import RunFolder
    from dealermarket.runs.runner import SimulationRunner

    if not RunFolder.open(folder).complete:
        with RunFolder.taken(folder) as kept:
            if not kept.complete:
                runner = SimulationRunner.of(kept, executor.workers)
                interrupt.keep(folder, "run")
                announce_compiling(console, kept.scenario)
                with executor, progress(console, runner.market_steps, runner.steps_done(kept)) as report:
                    return runner.finish(kept, report, executor)
    result = SimulationRunner.resume(folder)
    console.print(f"{folder} is complete already", highlight=False, soft_wrap=True)
    return result


def _speed(result: SimulationResult, starting: float) -> str:
    """How fast the markets ran, and apart from it how long the start took: loading, compiling, tables of hedges."""
    seconds = max(result.meta["seconds"], 1e-9)
    steps = result.meta["replicas"] * result.scenario.steps
    return f"{steps:,} market steps in {seconds:.2f} s ({rate(steps / seconds)}), after {max(starting, 0.0):.1f} s to start; "
