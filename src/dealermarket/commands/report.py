"""What `experiment` and `reproduce` share: a report is begun or resumed, measured, written, and its verdicts are printed."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealermarket import interrupt
from dealermarket.commands.console import announce_compiling, open_console, progress
from dealermarket.commands.options import On, Seed, Threads, executor_of, flag, place
from dealermarket.errors import ParameterError
from dealermarket.program import program
from dealermarket.values import whole_number

if TYPE_CHECKING:
    from rich.console import Console

    from dealermarket.papers import Plan, Section
    from dealermarket.papers.report_folder import ReportFolder

REPORTS = Path("reports")
NEEDS_EXTRA = "needs the extra `learn`: pip install 'dealermarket[learn]'"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """What both commands take."""

    quick: Annotated[bool, flag("A tenth of the runs, for a first look; reproduce then leaves out what takes minutes.")] = False
    seed: Seed = None
    threads: Threads = None
    on: On = None
    out: Annotated[Path | None, place("The new folder of the report; reports/NAME-1 and on if not given.")] = None
    resume: Annotated[Path | None, place("Finish the report in this folder, which was interrupted, instead.")] = None
    as_json: Annotated[bool, flag("Print verdicts and tables as JSON, and nothing else.", "--json")] = False


def command_of(name: str, own: list[str], options: ReportOptions) -> str:
    """What to type to get an experiment again."""
    shared = [*(["--quick"] if options.quick else []), *([f"--seed {options.seed}"] if options.seed else [])]
    return " ".join([program(), "experiment", name, *own, *shared])


def extent_of(options: ReportOptions, whole: str, left_out: str = "") -> str:
    """What a report says of what it lacks, and of the command `whole` that has all of it; "" where it lacks nothing."""
    quick = "A quick look, with a tenth of the runs." if options.quick else ""
    told = " ".join(filter(None, [quick, left_out]))
    return f"{told} All of it: {whole}" if told else ""


def begin_report(command: str, name: str, plans: Sequence[Plan], options: ReportOptions, extent: str = "") -> None:
    """Begins a report and finishes it; `extent` says what it lacks."""
    from dealermarket.papers.report_folder import ReportFolder
    from dealermarket.runs.work_folder import new_folder

    seed = whole_number("--seed", options.seed or 0, 0)
    with new_folder(options.out, REPORTS, name) as path:
        _finish(command, path, options, lambda: ReportFolder.create(path, plans, seed, extent))


def resume_report(command: str, path: Path, options: ReportOptions, alone: bool) -> None:
    """Finishes the report in a folder; `alone` says that nothing but options was given."""
    from dealermarket.papers.report_folder import ReportFolder
    from dealermarket.papers.trained import is_trainable

    if not alone or options.seed is not None or options.out is not None or options.quick:
        raise ParameterError("--resume: takes everything but --threads and --on from the folder; leave the rest out")
    folder = ReportFolder.open(path)
    if folder.complete:
        folder.check_files()
        open_console(stderr=True).print(f"{path} is complete already: {path / 'report.html'}", highlight=False, soft_wrap=True)
        return
    trained = [plan.experiment.name for plan in folder.plans if plan.experiment.trains]
    if trained and not is_trainable():
        raise ParameterError(f"{path}: {', '.join(trained)}: trains makers, which {NEEDS_EXTRA}")
    _finish(command, path, options, lambda: ReportFolder.taken(path))


def _finish(command: str, path: Path, options: ReportOptions, begin: Callable[[], ReportFolder]) -> None:
    """Measures what is to be measured, writes the report and prints the verdicts."""
    executor = executor_of(options.on, options.threads)
    quiet = open_console(stderr=True)
    announce_compiling(quiet)
    interrupt.keep(path, command)
    began = time.monotonic()
    with executor, begin() as folder:
        with progress(quiet, folder.market_steps) if folder.market_steps else nullcontext() as report:
            sections = folder.measure(executor.workers, report, executor)
        quiet.print("Drawing the figures", highlight=False)
        folder.finish(sections, time.monotonic() - began)
    if options.as_json:
        print(json.dumps(_as_json(sections, path), indent=2))
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
            table.add_row("", section.elsewhere, "")
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
