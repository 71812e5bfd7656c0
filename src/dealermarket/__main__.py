"""The command as a program, and `python -m dealermarket`.

What is imported first answers Ctrl-C: until the command runs, it ends the process at once, with a word and no traceback.
What Python does before the first line of ours it answers in its own way.
"""

import os
import sys  # both are there already

INTERRUPTED = 130  # as `interrupt.STATUS`, which comes with imports of its own


def main() -> int:
    """Runs the command, Ctrl-C answered before its libraries are imported and until nothing is left to be done."""
    try:
        import signal

        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # neither ignored nor answered by others
            signal.signal(signal.SIGINT, _end)
    except KeyboardInterrupt:
        _end()
    from contextlib import suppress

    from dealermarket import interrupt
    from dealermarket.commands.main import main as command

    with interrupt.answered():
        status = command()
        for stream in filter(None, (sys.stdout, sys.stderr)):  # None where it is closed
            with suppress(OSError, ValueError):
                stream.flush()
        if interrupt.pressed():
            os._exit(interrupt.STATUS)  # libraries may have left threads that Python would wait for
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python only closes down now, and would show a traceback
    return status


def _end(*_: object) -> None:
    """Ends the process: nothing has begun yet."""
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
