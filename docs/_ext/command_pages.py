"""The reference of the command: a page for each of its commands, with every argument and option, from the program itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from cyclopts import App, Argument
from pages import code, escape, heading, plain, summary_of, table

from dealermarket.commands.main import app

WORDS = {bool: "", int: "whole number", float: "number", str: "text"}


def commands() -> dict[str, App]:
    """The commands by name, in the order of `--help`."""
    return {name: app[name] for name in app if not name.startswith("-")}


def arguments_of(command: App) -> list[Argument]:
    """What a command takes."""
    return [argument for argument in command.assemble_argument_collection(parse_docstring=True) if argument.show]


def _takes(argument: Argument) -> str:
    choices = argument.get_choices()
    if choices:
        return " or ".join(map(code, choices))
    return _words(argument.hint)


def _words(hint: Any) -> str:
    if get_origin(hint) is tuple or get_origin(hint) is list:
        return f"{_words(get_args(hint)[0])}, several times"
    parts = [part for part in get_args(hint) if part is not type(None)]
    if parts:
        return " or ".join(dict.fromkeys(map(_words, parts)))
    return WORDS.get(hint, "path" if hint.__name__ == "Path" else hint.__name__)


def _default(argument: Argument) -> str:
    default = argument.field_info.default
    if argument.required:
        return "required"
    shown = default is not None and default not in ((), False) and isinstance(default, (int, float, str, bool))
    return code(str(default)) if shown else ""


def _usage(name: str, arguments: list[Argument]) -> str:
    places = [argument for argument in arguments if not argument.name.startswith("-")]
    shown = [each.name if each.required else f"[{each.name}]" for each in places]
    return " ".join(["dealermarket", name, *shown, *(["[OPTIONS]"] if len(places) < len(arguments) else [])])


def page_of(name: str) -> str:
    """The page of a command."""
    command = commands()[name]
    arguments = arguments_of(command)
    lines = heading(f"dealermarket {name}", "=")[1:]
    said = str(command.help).splitlines()
    escape(said)
    lines += [*said, "", "::", "", f"    {_usage(name, arguments)}", ""]
    if arguments:
        lines += _table([_row(argument) for argument in arguments])
    return "\n".join(lines) + "\n"


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """With a column of defaults only where there are some: most are told with what the option means."""
    if any(default for *_, default in rows):
        return table(("Option", "Takes", "Meaning", "Default"), rows, (22, 20, 44, 14), "options")
    return table(("Option", "Takes", "Meaning"), [row[:-1] for row in rows], (22, 22, 56), "options")


def _row(argument: Argument) -> tuple[str, ...]:
    names = ", ".join(map(code, argument.names))
    return names, _takes(argument), plain(argument.parameter.help or ""), _default(argument)


def _front() -> Iterator[str]:
    yield from heading("Commands", "=")[1:]
    yield plain(str(app.help))
    yield ""
    rows = [(f":doc:`{name} <{name}>`", summary_of(str(command.help))) for name, command in commands().items()]
    yield from table((), rows, (20, 80), "names")
    yield "Every command answers ``--help``. It ends with status 0, 2 for bad input, and 130 when interrupted."
    yield ""
    yield ".. toctree::"
    yield "   :hidden:"
    yield ""
    yield from (f"   {name}" for name in commands())


def pages() -> dict[str, str]:
    """The pages, name -> text."""
    return {"commands/index.rst": "\n".join(_front()) + "\n"} | {f"commands/{name}.rst": page_of(name) for name in commands()}
