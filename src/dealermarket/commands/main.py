"""The command `dealermarket`."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from dealermarket import interrupt
from dealermarket.commands.console import announce_compiling, maker_tables, open_console, progress, rate
from dealermarket.commands.evaluate import evaluate
from dealermarket.commands.reproduce import experiment, reproduce
from dealermarket.commands.train import train
from dealermarket.errors import DealerMarketError, ParameterError, RunFolderError, ScenarioError
from dealermarket.runs.chunks import cores
from dealermarket.runs.tables import RecordLevel
from dealermarket.version import __version__

if TYPE_CHECKING:
    from rich.console import Console

    from dealermarket.runs.result import SimulationResult

BAD_INPUT = 2
RUNS = Path("runs")

app = App(
    name="dealermarket",
    version=__version__,
    help="Simulates a dealer market: makers who tier, price and hedge, investors who shop around.",
    help_on_error=False,
    result_action="return_value",
    suppress_keyboard_interrupt=False,  # main answers it
)
scenarios = App(name="scenarios", help="The shipped scenarios: list them, show one, or write one out to edit.")
app.command(scenarios)
app.command(evaluate)
app.command(experiment)
app.command(reproduce)
app.command(train)

Run = Annotated[Path, Parameter(help="The folder of a run.")]
_set = Parameter(
    name="--set",
    negative=(),
    show_default=False,
    help="Change a field, such as makers.0.pricing.alpha=1.3 or makers.*.hedging.kind=none.",
)


@app.command
def run(
    scenario: Annotated[str | None, Parameter(help="A preset's name or a TOML file.")] = None,
    /,
    *,
    steps: Annotated[int | None, Parameter(help="Steps of each replica; the scenario's own if not given.")] = None,
    replicas: Annotated[int | None, Parameter(help="Independent replicas of the market; 100 if not given.")] = None,
    seed: Annotated[int | None, Parameter(help="Numbers depend on scenario, seed and replica alone; 0 if not given.")] = None,
    threads: Annotated[int | None, Parameter(help="Threads; as many as there are cores if not given.")] = None,
    record: Annotated[RecordLevel | None, Parameter(help="How much to keep; summary if not given.")] = None,
    out: Annotated[Path | None, Parameter(help="The new folder of the run; runs/NAME-1 and on if not given.")] = None,
    settings: Annotated[tuple[str, ...], _set] = (),
    policies: Annotated[
        tuple[str, ...],
        Parameter(
            name="--policy",
            negative=(),
            show_default=False,
            help="A maker's policy, MAKER=POLICY, such as maker-1=random, maker-1=skew:strength=0.3 or maker-1=FILE.npz.",
        ),
    ] = (),
    resume: Annotated[Path | None, Parameter(help="Finish an interrupted run instead.")] = None,
    plot: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Draw the figures into the run's folder, too.")
    ] = False,
    as_json: Annotated[
        bool, Parameter(name="--json", negative=(), show_default=False, help="Print the numbers as JSON, and nothing else.")
    ] = False,
) -> None:
    """Run a market and print the makers' rewards."""
    from dealermarket.model.scenario import Scenario
    from dealermarket.policies.named import with_policies
    from dealermarket.runs.folder import RunFolder
    from dealermarket.runs.runner import SimulationRunner
    from dealermarket.runs.work_folder import next_folder

    quiet = open_console(stderr=True)
    threads = threads if threads is not None else cores()
    if resume is not None:
        if any(given is not None for given in (scenario, steps, replicas, seed, record, out)) or settings or policies:
            raise ParameterError("--resume: takes the scenario and its options from the folder; leave them out")
        folder = resume
        result = _resumed(folder, threads, quiet)
    else:
        if scenario is None:
            raise ParameterError("SCENARIO: give a preset's name or a TOML file; dealermarket scenarios lists the presets")
        changes = (*settings, f"steps={steps}") if steps is not None else settings
        loaded = with_policies(Scenario.load(scenario, changes), policies)
        count = 100 if replicas is None else replicas
        runner = SimulationRunner(loaded, count, seed or 0, threads=threads, record=record or "summary")
        folder = out if out is not None else next_folder(RUNS, loaded.name)
        RunFolder.check_free(folder)
        interrupt.keep(folder, "run")
        announce_compiling(quiet)
        with progress(quiet, runner.market_steps) as report:
            result = runner.run(folder, report)
    if as_json:
        print(json.dumps(_as_json(result, folder), indent=2))
    else:
        _print_result(result, folder, resumed=resume is not None)
    if plot:
        _draw(result, folder / "plots", "png", 0, quiet)


@scenarios.default
@scenarios.command(name="list")
def list_scenarios() -> None:
    """List the shipped scenarios."""
    from rich import box
    from rich.table import Table

    from dealermarket.model.scenario import Scenario, preset_names

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("name", no_wrap=True)
    for heading in ("investors", "makers", "steps"):
        table.add_column(heading, justify="right")
    table.add_column("what it shows")
    for name in preset_names():
        preset = Scenario.load(name)
        table.add_row(name, str(len(preset.agents)), str(len(preset.makers)), str(preset.steps), preset.description)
    open_console().print(table)


@scenarios.command(name="show")
def show_scenario(name: Annotated[str, Parameter(help="A preset's name or a TOML file.")], /) -> None:
    """Print a scenario with its comments."""
    from dealermarket.model.scenario import read_source

    print(read_source(name), end="")


@scenarios.command(name="write")
def write_scenario(
    name: Annotated[str, Parameter(help="A preset's name.")],
    file: Annotated[Path, Parameter(help="The new file.")],
    /,
) -> None:
    """Write a scenario to a file to edit."""
    from dealermarket.model.scenario import read_source

    text = read_source(name)
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        raise ScenarioError(f"{file}: exists already and is left as it is; give another name") from None
    except OSError as error:
        raise ScenarioError(f"{file}: cannot be written: {error.strerror}") from None
    open_console().print(f"{file} written; edit it and try: dealermarket run {file}", highlight=False, soft_wrap=True)


@app.command
def check(
    file: Annotated[str, Parameter(help="A TOML file or a preset's name.")],
    /,
    *,
    settings: Annotated[tuple[str, ...], _set] = (),
) -> None:
    """Check a scenario: prints every error at once and exits with status 2, or says what it describes."""
    from dealermarket.model.scenario import Scenario

    scenario = Scenario.load(file, settings)
    investors, makers = len(scenario.agents), len(scenario.makers)
    open_console().print(
        f"{file}: fine; {investors} investors, {makers} makers, {scenario.steps} steps, t_m = {scenario.reward_horizon}",
        highlight=False,
        soft_wrap=True,
    )


@app.command
def plot(
    run: Run,
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Where to; the folder plots in the run's folder if not given.")] = None,
    kind: Annotated[Literal["png", "svg"], Parameter(name="--format", help="The files' format.")] = "png",
    replica: Annotated[int, Parameter(help="Whose path the net position shows.")] = 0,
) -> None:
    """Draw a run: net position, cumulative reward by component, market share, price curves by tier."""
    from dealermarket.runs.result import SimulationResult

    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunFolderError(f"{out}: exists and is not an empty folder; choose another --out")
    result = SimulationResult.load(run)
    _draw(result, out if out is not None else run / "plots", kind, replica, open_console())


@app.command
def inspect(
    run: Run,
    /,
    *,
    as_json: Annotated[
        bool, Parameter(name="--json", negative=(), show_default=False, help="Print the numbers as JSON.")
    ] = False,
) -> None:
    """Show what is in the folder of a run."""
    from rich.table import Table

    from dealermarket.runs.result import SimulationResult

    result = SimulationResult.load(run)
    if as_json:
        print(json.dumps(_as_json(result, run), indent=2))
        return
    meta = result.meta
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_row("scenario", f"{result.scenario.name}: {result.scenario.description}")
    table.add_row("state", "complete" if result.complete else f"incomplete; finish it with: dealermarket run --resume {run}")
    for name in ("replicas", "steps", "seed", "record", "version", "capped_orders", "seconds"):
        table.add_row(name.replace("_", " "), str(meta.get(name, "not known yet")))
    for file in sorted(path for path in run.iterdir() if path.suffix == ".parquet"):
        import pyarrow.parquet as pq

        rows = pq.read_metadata(file).num_rows
        table.add_row(file.name, f"{rows:,} rows, {file.stat().st_size / 1e6:,.2f} MB")
    console = open_console()
    console.print(table)
    _print_makers(result, console)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status: 0, 2 for bad input, 130 when interrupted."""
    with interrupt.answered():
        try:
            with interrupt.raising():
                status = _status_of(arguments)
        except BaseException as error:  # once Ctrl-C was pressed, any error may come of that
            if not (isinstance(error, KeyboardInterrupt) or interrupt.pressed()):
                raise
            status = interrupt.STATUS
        if interrupt.pressed():
            status = interrupt.STATUS
        if status == interrupt.STATUS:
            problems = open_console(stderr=True)
            problems.show_cursor()  # a progress bar hides it
            problems.print(interrupt.outcome(), style="yellow", highlight=False, soft_wrap=True)
        return status


def _status_of(arguments: list[str] | None) -> int:
    """Runs the command, and says what was wrong with what was asked for."""
    problems = open_console(stderr=True)
    try:
        app(arguments, exit_on_error=False, print_error=False, console=open_console(), error_console=problems)
    except (DealerMarketError, CycloptsError) as error:
        said = str(error).strip()
        problems.print(said, style="red", highlight=False, markup=False, soft_wrap=True)
        return BAD_INPUT
    except MemoryError:
        problems.print("not enough memory for this run; fewer --steps, or fewer investors", style="red", highlight=False)
        return BAD_INPUT
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        problems.print(said, style="red", highlight=False, soft_wrap=True)
        return BAD_INPUT
    return 0


def _resumed(folder: Path, threads: int, console: Console) -> SimulationResult:
    from dealermarket.runs.folder import RunFolder
    from dealermarket.runs.runner import SimulationRunner

    kept = RunFolder.open(folder)
    if kept.complete:
        console.print(f"{folder} is complete already", highlight=False, soft_wrap=True)
        return SimulationRunner.resume(folder)
    interrupt.keep(folder, "run")
    announce_compiling(console)
    done = sum(kept.replicas_of(first) for first in kept.chunks_done())
    with progress(console, kept.meta["replicas"] * kept.scenario.steps, done * kept.scenario.steps) as report:
        return SimulationRunner.resume(folder, threads, progress=report)


def _print_result(result: SimulationResult, folder: Path, resumed: bool) -> None:
    console = open_console()
    _print_makers(result, console)
    seconds = max(result.meta["seconds"], 1e-9)
    speed = rate(result.meta["replicas"] * result.scenario.steps / seconds)
    capped = result.meta["capped_orders"]
    note = f"; orders capped at 0.99 v_max: {capped:,}" if capped else ""
    took = "" if resumed else f"{speed} in {seconds:.2f} s; "  # the seconds of a resumed run are those of its last part
    console.print(f"{took}kept in {folder}{note}", highlight=False, soft_wrap=True)


def _print_makers(result: SimulationResult, console: Console) -> None:
    for table in maker_tables(result, console.width):
        console.print(table)
    console.print(
        "Rewards and P&L in price units times units of the asset; 1.23(45) is a mean of 1.23 with a standard error of 0.45.",
        style="dim",
        highlight=False,
    )


def _draw(result: SimulationResult, folder: Path, kind: str, replica: int, console: Console) -> None:
    from dealermarket.plots.run import save_plots

    written, left_out = save_plots(result, folder, kind, replica)
    for path in written:
        console.print(f"drew {path}", highlight=False, soft_wrap=True)
    for reason in left_out:
        console.print(f"left out {reason}", highlight=False, soft_wrap=True)


def _as_json(result: SimulationResult, folder: Path) -> dict[str, Any]:
    def number(value: float) -> float | None:
        return value if math.isfinite(value) else None

    makers = {
        maker: {
            name: {"mean": number(found.mean), "standard_error": number(found.standard_error)}
            for name, found in statistics.items()
        }
        for maker, statistics in result.statistics().items()
    }
    return {"folder": str(folder), **result.meta, "makers": makers}


if __name__ == "__main__":
    sys.exit(main())
