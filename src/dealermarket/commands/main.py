"""The command `dealermarket`: its commands put together, and what it answers to errors."""

from __future__ import annotations

import os
import sys

from cyclopts import App, CycloptsError
from cyclopts.exceptions import UnusedCliTokensError

from dealermarket import interrupt
from dealermarket.commands.analyse import analyse
from dealermarket.commands.calibrate import calibrate
from dealermarket.commands.check import check
from dealermarket.commands.compare import compare
from dealermarket.commands.console import open_console
from dealermarket.commands.equilibrium import equilibrium
from dealermarket.commands.evaluate import evaluate
from dealermarket.commands.experiment import experiment
from dealermarket.commands.explore import explore
from dealermarket.commands.export import export
from dealermarket.commands.inspect import inspect
from dealermarket.commands.optimise import optimise
from dealermarket.commands.own_kinds import registered_from
from dealermarket.commands.plain_text import for_every_encoding
from dealermarket.commands.plot import plot
from dealermarket.commands.regret import regret
from dealermarket.commands.reproduce import reproduce
from dealermarket.commands.run import run
from dealermarket.commands.scenarios import scenarios
from dealermarket.commands.sensitivity import sensitivity
from dealermarket.commands.sweep import sweep
from dealermarket.commands.trace import trace
from dealermarket.commands.train import train
from dealermarket.errors import DealerMarketError
from dealermarket.program import called, program
from dealermarket.version import __version__

BAD_INPUT = 2

app = App(
    name="dealermarket",
    version=__version__,
    help="Simulates a dealer market: makers who tier, price and hedge, investors who shop around. "
    "Kinds of your own: dealermarket --with FILE.py COMMAND ... runs a file that registers them first.",
    help_on_error=False,
    result_action="return_value",
    suppress_keyboard_interrupt=False,  # main answers it
)
for command in (
    run,
    explore,
    scenarios,
    check,
    plot,
    inspect,
    trace,
    compare,
    sweep,
    optimise,
    equilibrium,
    sensitivity,
    evaluate,
    regret,
    experiment,
    reproduce,
    train,
    calibrate,
    export,
    analyse,
):
    app.command(command)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status: 0, 2 for bad input, 130 when interrupted."""
    for_every_encoding()
    with interrupt.answered(), called():
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
        asked = registered_from(sys.argv[1:] if arguments is None else arguments)
        app(asked, exit_on_error=False, print_error=False, console=open_console(), error_console=problems)
    except (DealerMarketError, CycloptsError) as error:
        said = _unexpected(error) if isinstance(error, UnusedCliTokensError) else str(error).strip()
        problems.print(said, style="red", highlight=False, markup=False, soft_wrap=True)
        return BAD_INPUT
    except MemoryError:
        problems.print("not enough memory for this run; fewer --steps, or fewer investors", style="red", highlight=False)
        return BAD_INPUT
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        _drop_what_nobody_reads()
        return 0
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        problems.print(said, style="red", highlight=False, soft_wrap=True)
        return BAD_INPUT
    return 0


def _unexpected(error: UnusedCliTokensError) -> str:
    """What is said of words that stand where a command takes none."""
    words, command = error.unused_tokens or [], " ".join(error.command_chain or [])
    asked = error.root_input_tokens or []
    said = f"{' '.join(words)}: is more than {command} takes; {program()} {command} --help says what it does"
    if "--plot" in asked and asked[asked.index("--plot") + 1 :][:1] == words[:1]:
        said += ". --plot draws all figures, and takes no name; a single one is drawn in Python (docs/figures.md)"
    return said


def _drop_what_nobody_reads() -> None:
    """Lets streams whose reader is gone print nowhere, so that Python can close them."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
