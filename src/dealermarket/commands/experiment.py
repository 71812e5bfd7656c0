"""The command `experiment`."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from dealermarket.commands.console import open_console
from dealermarket.commands.options import repeated, whole
from dealermarket.commands.report import NEEDS_EXTRA, ReportOptions, begin_report, command_of, extent_of, resume_report
from dealermarket.errors import ParameterError

MOST_RUNS = 1_000_000


def experiment(
    name: Annotated[str | None, Parameter(help="The experiment; without it, they are listed.")] = None,
    /,
    *,
    scenario: Annotated[str | None, Parameter(help="A preset or a TOML file to ask in place of the experiment's own.")] = None,
    settings: Annotated[tuple[str, ...], repeated("--set", "Change a field, such as exchange.v_max=9000.")] = (),
    runs: Annotated[int | None, whole("Runs a point; the experiment's own number if not given.")] = None,
    options: ReportOptions | None = None,
) -> None:
    """Run one of the experiments, of the papers or beyond them: verdicts on the terminal, figures and tables in a report."""
    from dealermarket.estimates import FEWEST_RUNS
    from dealermarket.papers import Plan, experiment_named
    from dealermarket.papers.trained import is_trainable
    from dealermarket.values import whole_number

    options = options or ReportOptions()
    own = [f"--scenario {shlex.quote(scenario)}"] if scenario is not None else []
    own += [f"--set {shlex.quote(setting)}" for setting in settings]
    if runs is not None:
        whole_number("--runs", runs, FEWEST_RUNS, MOST_RUNS)
        if options.quick:
            raise ParameterError("--runs: give either --runs or --quick")
        own.append(f"--runs {runs}")
    if options.resume is not None:
        resume_report("experiment", options.resume, options, alone=name is None and not own)
    elif name is None:
        _list()
    else:
        chosen = experiment_named(name)
        if chosen.trains and not is_trainable():
            raise ParameterError(f"{name}: trains makers, which {NEEDS_EXTRA}")
        command = command_of(name, own, options)
        plan = Plan.of(chosen, chosen.load_scenario(scenario, settings), runs, options.quick, command)
        whole = command_of(name, own, replace(options, quick=False))
        begin_report("experiment", name, [plan], options, extent_of(options, whole))


def _list() -> None:
    from rich import box
    from rich.table import Table

    from dealermarket.papers import experiments

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("name", no_wrap=True)
    table.add_column("what it shows")
    table.add_column("asked in")
    table.add_column("runs a point", justify="right")
    for known in experiments().values():
        table.add_row(known.name, known.title, known.source, f"{known.runs:,}" if known.runs else "none")
    console = open_console()
    console.print(table)
    console.print("Run one with: dealermarket experiment NAME, or all with: dealermarket reproduce", highlight=False)
