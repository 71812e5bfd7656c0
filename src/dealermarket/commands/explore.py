"""The command `explore`."""

from __future__ import annotations

import threading
import webbrowser
from importlib.util import find_spec
from typing import Annotated

from cyclopts import Parameter

from dealermarket import interrupt
from dealermarket.commands.console import announce_compiling, open_console
from dealermarket.commands.options import Policies, Settings, flag, whole
from dealermarket.errors import ParameterError
from dealermarket.values import whole_number

_LOOK = 0.2  # seconds between looks for Ctrl-C


def explore(
    source: Annotated[str, Parameter(help="A preset's name, a TOML file, or the folder of a run or of a sweep.")] = "paper",
    /,
    *,
    settings: Settings = (),
    policies: Policies = (),
    port: Annotated[int, whole("The port; one that is free if not given.")] = 0,
    no_browser: Annotated[bool, flag("Print the address, and open no browser.", "--no-browser")] = False,
) -> None:
    """Open a live page: a market's makers and prices as sliders, and what comes of them, at once. It ends with Ctrl-C.

    The page is for this machine alone, and asks nothing of any other. Trained policies of the current folder can be chosen.
    """
    whole_number("--port", port, 0, 65535)
    _check_installed()
    from dealermarket.explorer.opened import opened
    from dealermarket.explorer.server import Server

    console, what = open_console(), opened(source, settings, policies)
    announce_compiling(console, what.scenario)
    with Server(what, port) as server:
        console.print(f"{what.scenario.name}: {server.address}", highlight=False, soft_wrap=True)
        console.print("Open this address in a browser; Ctrl-C ends it.", highlight=False, soft_wrap=True)
        if not no_browser:
            threading.Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
        over = threading.Event()
        while not over.wait(_LOOK):
            interrupt.check()


def _check_installed() -> None:
    """Raises ParameterError where the extra is not installed."""
    missing = [name for name in ("starlette", "uvicorn", "websockets") if find_spec(name) is None]
    if missing:
        raise ParameterError(
            f"explore: {missing[0]} is not installed; the page needs the extra `explore`: pip install 'dealermarket[explore]'"
        )
