"""The command as a program, and `python -m dealermarket`."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from dealermarket import interrupt


def main() -> int:
    """Runs the command, Ctrl-C answered before its libraries are imported and until nothing is left to be done."""
    with interrupt.answered():
        from dealermarket.commands.main import main as command

        status = command()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        if interrupt.pressed():
            os._exit(interrupt.STATUS)  # libraries may have left threads that Python would wait for
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python only closes down now, and would show a traceback
    return status


if __name__ == "__main__":
    sys.exit(main())
