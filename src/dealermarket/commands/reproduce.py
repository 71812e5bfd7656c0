"""The commands `experiment` and `reproduce`."""

from __future__ import annotations

import json
import math
import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealermarket import interrupt
from dealermarket.commands.console import announce_compiling, open_console, progress
from dealermarket.errors import ParameterError
from dealermarket.runs.chunks import cores

if TYPE_CHECKING:
    from rich.console import Console

    from dealermarket.papers import Plan, Section
    from dealermarket.papers.report_folder import ReportFolder

REPORTS = Path("reports")
NEEDS_EXTRA = "needs the extra `learn`: pip install 'dealermarket[learn]'"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Options:
    """What both commands take."""

    quick: Annotated[
        bool,
        Parameter(
            negative=(), show_default=False, help="A tenth of the runs, for a first look; reproduce then trains no makers."
        ),
    ] = False
    seed: Annotated[int | None, Parameter(help="Numbers depend on scenario, seed and replica alone; 0 if not given.")] = None
    threads: Annotated[int | None, Parameter(help="Threads; as many as there are cores if not given.")] = None
    out: Annotated[Path | None, Parameter(help="The new folder of the report; reports/NAME-1 and on if not given.")] = None
    resume: Annotated[Path | None, Parameter(help="Finish the report in this folder, which was interrupted, instead.")] = None
    as_json: Annotated[
        bool,
        Parameter(name="--json", negative=(), show_default=False, help="Print verdicts and tables as JSON, and nothing else."),
    ] = False


def experiment(
    name: Annotated[str | None, Parameter(help="The experiment; without it, they are listed.")] = None,
    /,
    *,
    scenario: Annotated[str | None, Parameter(help="A preset or a TOML file to ask in place of the experiment's own.")] = None,
    settings: Annotated[
        tuple[str, ...],
        Parameter(name="--set", negative=(), show_default=False, help="Change a field, such as exchange.v_max=9000."),
    ] = (),
    runs: Annotated[int | None, Parameter(help="Runs a point; the experiment's own number if not given.")] = None,
    options: Options | None = None,
) -> None:
    """Run one of the papers' experiments: verdicts on the terminal, figures and tables in a report."""
    from dealermarket.papers import Plan, experiment_named
    from dealermarket.papers.trained import is_trainable
    from dealermarket.study.estimates import FEWEST_RUNS
    from dealermarket.values import whole_number

    options = options or Options()
    own = [f"--scenario {shlex.quote(scenario)}"] if scenario is not None else []
    own += [f"--set {shlex.quote(setting)}" for setting in settings]
    if runs is not None:
        whole_number("--runs", runs, FEWEST_RUNS, 1_000_000)
        if options.quick:
            raise ParameterError("--runs: give either --runs or --quick")
        own.append(f"--runs {runs}")
    if options.resume is not None:
        _resume("experiment", options, alone=name is None and not own)
    elif name is None:
        _list()
    else:
        chosen = experiment_named(name)
        if chosen.trains and not is_trainable():
            raise ParameterError(f"{name}: trains makers, which {NEEDS_EXTRA}")
        command = _command(name, own, options)
        plan = Plan.of(chosen, chosen.scenario(scenario, settings), runs, options.quick, command)
        _begin("experiment", name, [plan], options)


def reproduce(*, options: Options | None = None) -> None:
    """Run every experiment of the papers and write the report in which their numbers stand beside ours."""
    from dealermarket.papers import Plan, experiments
    from dealermarket.papers.trained import is_trainable

    options = options or Options()
    if options.resume is not None:
        _resume("reproduce", options, alone=True)
        return
    chosen = {name: each for name, each in experiments().items() if not each.trains or (is_trainable() and not options.quick)}
    left_out = [name for name in experiments() if name not in chosen]
    if left_out:
        why = (
            "they train makers, too long for a quick look (a tenth of one: dealermarket experiment NAME --quick)"
            if options.quick
            else f"they train makers, which {NEEDS_EXTRA}"
        )
        open_console(stderr=True).print(f"Left out: {', '.join(left_out)}; {why}.", highlight=False, soft_wrap=True)
    plans = [Plan.of(each, quick=options.quick, command=_command(name, [], options)) for name, each in chosen.items()]
    _begin("reproduce", "reproduction", plans, options)


def _command(name: str, own: list[str], options: Options) -> str:
    """What to type to get an experiment again."""
    shared = [*(["--quick"] if options.quick else []), *([f"--seed {options.seed}"] if options.seed else [])]
    return " ".join(["dealermarket experiment", name, *own, *shared])


def _list() -> None:
    from rich import box
    from rich.table import Table

    from dealermarket.papers import experiments

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("name", no_wrap=True)
    table.add_column("what it shows")
    table.add_column("asked in")
    table.add_column("runs a point", justify="right")
    for each in experiments().values():
        table.add_row(each.name, each.title, each.source, f"{each.runs:,}" if each.runs else "none")
    console = open_console()
    console.print(table)
    console.print("Run one with: dealermarket experiment NAME, or all with: dealermarket reproduce", highlight=False)


def _begin(command: str, name: str, plans: Sequence[Plan], options: Options) -> None:
    """Begins a report and finishes it."""
    from dealermarket.papers.report_folder import ReportFolder
    from dealermarket.runs.work_folder import next_folder
    from dealermarket.values import whole_number

    seed = whole_number("--seed", options.seed or 0, 0)
    path = options.out if options.out is not None else next_folder(REPORTS, name)
    ReportFolder.check_free(path)
    _finish(command, path, options, lambda: ReportFolder.create(path, plans, seed))


def _resume(command: str, options: Options, alone: bool) -> None:
    """Finishes the report in a folder; `alone` says that nothing but options was given."""
    from dealermarket.papers.report_folder import ReportFolder
    from dealermarket.papers.trained import is_trainable

    if not alone or options.seed is not None or options.out is not None or options.quick:
        raise ParameterError("--resume: takes everything but --threads from the folder; leave the rest out")
    assert options.resume is not None
    path, folder = options.resume, ReportFolder.open(options.resume)
    if folder.complete:
        open_console(stderr=True).print(f"{path} is complete already: {path / 'report.html'}", highlight=False, soft_wrap=True)
        return
    trained = [plan.experiment.name for plan in folder.plans if plan.experiment.trains]
    if trained and not is_trainable():
        raise ParameterError(f"{path}: {', '.join(trained)}: trains makers, which {NEEDS_EXTRA}")
    _finish(command, path, options, lambda: folder)


def _finish(command: str, path: Path, options: Options, begin: Callable[[], ReportFolder]) -> None:
    """Measures what is to be measured, writes the report and prints the verdicts."""
    from dealermarket.values import whole_number

    threads = whole_number("--threads", options.threads, 1, 1024) if options.threads is not None else cores()
    quiet = open_console(stderr=True)
    announce_compiling(quiet)
    interrupt.keep(path, command)
    began = time.monotonic()
    folder = begin()
    with progress(quiet, folder.market_steps) if folder.market_steps else nullcontext() as report:
        sections = folder.measure(threads, report)
    quiet.print("Drawing the figures", highlight=False)
    folder.finish(sections, time.monotonic() - began)
    if options.as_json:
        print(json.dumps(_as_json(sections, path), indent=2, ensure_ascii=False))
        return
    console = open_console()
    _print_verdicts(sections, console)
    # the seconds of a resumed report are those of its last part
    steps = folder.market_steps if options.resume is None else 0
    took = f"{steps:,} market steps and the report in {folder.meta['seconds']:.0f} s; " if steps else ""
    console.print(f"{took}read {path / 'report.html'}", highlight=False, soft_wrap=True)


def _print_verdicts(sections: Sequence[Section], console: Console) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for heading in ("experiment", "claim", "outcome"):
        table.add_column(heading)
    for section in sections:
        for number, verdict in enumerate(section.verdicts):
            name = section.experiment.name if number == 0 else ""
            table.add_row(name, verdict.claim, f"{verdict.outcome.sign} {verdict.outcome}")
        if section.elsewhere:
            table.add_row("", f"under {len(section.varied)} other values of what the paper leaves open: {section.elsewhere}", "")
    console.print(table)


def _as_json(sections: Sequence[Section], path: Path) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        value = value.item() if hasattr(value, "item") else value
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {
        "folder": str(path),
        "experiments": [
            {
                "name": section.experiment.name,
                "outcome": str(section.outcome),
                "runs": section.plan.runs,
                "verdicts": [
                    {"name": v.name, "claim": v.claim, "outcome": str(v.outcome), "evidence": v.evidence}
                    for v in section.verdicts
                ],
                "tables": {
                    table.name: [{key: plain(value) for key, value in row.items()} for row in table.frame.to_dict("records")]
                    for table in section.tables
                },
            }
            for section in sections
        ],
    }
