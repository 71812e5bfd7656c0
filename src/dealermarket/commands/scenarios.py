"""The command `scenarios`, and its commands `list`, `show` and `write`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from dealermarket.commands.console import open_console
from dealermarket.commands.options import place
from dealermarket.disk import check_new, write_text
from dealermarket.program import program

scenarios = App(name="scenarios", help="The shipped scenarios: list them, show one, or write one out to edit.")


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
    file: Annotated[Path, place("The new file.")],
    /,
) -> None:
    """Write a scenario to a file to edit."""
    from dealermarket.model.scenario import read_source

    text = read_source(name)
    check_new(file, "give another name")
    write_text(file, text, "give another name")
    open_console().print(f"{file} written; edit it and try: {program()} run {file}", highlight=False, soft_wrap=True)
