"""Where the command prints, and how it shows progress."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dealermarket.commands.plain_text import readable
from dealermarket.runs.needs import in_time_units

if TYPE_CHECKING:
    from rich.console import Console

    from dealermarket.model.scenario import Scenario


def open_console(stderr: bool = False) -> Console:
    """Where the command prints, in characters that the stream's encoding has."""
    from rich.console import Console
    from rich.text import Text

    class Readable(Console):
        def render_str(self, text: str, **options: Any) -> Text:  # before a table is laid out
            return super().render_str(readable(text, self.encoding), **options)

        def print(self, *objects: Any, **options: Any) -> None:
            if self.is_terminal:
                super().print(*objects, **options)
                return
            with self.capture() as captured:
                super().print(*objects, **options)
            self.file.write(re.sub(r"[ ]+$", "", captured.get(), flags=re.MULTILINE))  # nobody pads what is read as a file
            self.file.flush()

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # main answers it; Rich would end with status 1

    chosen = Readable(stderr=stderr, markup=False)  # names are texts, whatever brackets they have
    # a table that is not looked at on a terminal may be as wide as it needs to be
    return chosen if chosen.is_terminal else Readable(stderr=stderr, width=140, markup=False)


def announce_compiling(console: Console, scenario: Scenario | None = None) -> None:
    """Says so before the first run of a scenario, or of one of the papers', is silent for a minute."""
    from dealermarket.cache import why_nothing_is_kept
    from dealermarket.runs.chunks import is_compiled

    if not is_compiled(scenario):
        why = why_nothing_is_kept()
        said = (
            "Compiling the engine, once: about a minute. Later runs start at once."
            if why is None
            else f"Compiling the engine: about a minute, at every start, for it cannot be kept ({why}). "
            "Make room there, or name another folder: DEALERMARKET_CACHE_DIR=FOLDER."
        )
        console.print(said, highlight=False, soft_wrap=True)


@contextmanager
def progress(
    console: Console, total: int, done: int = 0, standing: Callable[[], str] = lambda: ""
) -> Iterator[Callable[[int], None]]:
    """A bar with rate and time left; on a stream that is no terminal, a line every few seconds.

    What is yielded takes the market steps that were done since its last call; `done` of the `total` were done before. Called
    with 0 it starts the clock anew, so that a rate leaves out what was waited for until then.
    `standing` says in a few words, whenever something is shown, how what is worked at stands."""
    if not console.is_terminal:
        yield _lines(console, total, done, standing)
        return
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(rate(task.finished_speed or task.speed or 0.0))

    class Standing(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(standing())

    columns = (
        TextColumn("{task.percentage:3.0f} %"),
        BarColumn(bar_width=None),
        Standing(),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("elapsed,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=total, completed=done)
        yield lambda steps: bar.advance(task, steps) if steps else bar.reset(task, completed=done)


def _lines(console: Console, total: int, before: int, standing: Callable[[], str], every: float = 5.0) -> Callable[[int], None]:
    shown = time.monotonic()
    done, lock = before, threading.Lock()
    lately = deque([(shown, before)], maxlen=7)  # the lines of the last half minute: not all steps take alike
    console.print(f"{done:,} of {total:,} market steps", highlight=False)

    def report(steps: int) -> None:
        nonlocal done, shown
        with lock:
            done += steps
            now = time.monotonic()
            if steps == 0:  # all is loaded: the rate counts from here on
                shown = now
                lately.clear()
                lately.append((now, done))
                return
            if now - shown < every and done < total:
                return
            shown = now
            speed = (done - lately[0][1]) / max(now - lately[0][0], 1e-9)
            lately.append((now, done))
            left = f"{in_time_units((total - done) / speed)} left" if speed > 0 and done < total else ""
            parts = [standing(), rate(speed) if speed > 0 else "", left]
            told = ", ".join(filter(None, parts))
            console.print(f"{done:,} of {total:,} market steps" + (f": {told}" if told else ""), highlight=False)

    return report


def rate(steps_per_second: float) -> str:
    """Market steps per second, short."""
    for unit, factor in (("M", 1e6), ("k", 1e3)):
        if steps_per_second >= factor:
            return f"{steps_per_second / factor:.2f} {unit} steps/s"
    return f"{steps_per_second:.0f} steps/s"
