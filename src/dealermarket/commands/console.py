"""What the command shows: progress, tables, and numbers with their errors."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dealermarket.commands.plain_text import readable
from dealermarket.commands.tables import Column, split_tables
from dealermarket.runs.statistics import REWARDS, registered_statistics, statistic_named

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from dealermarket.model.scenario import Scenario
    from dealermarket.runs.result import Average, SimulationResult

# the statistics of a run's table; those registered follow
SHOWN = (*REWARDS, "total_reward", "pnl", "market_share", "internalization")


def open_console(stderr: bool = False) -> Console:
    """Where the command prints, in characters that the stream's encoding has."""
    from rich.console import Console
    from rich.text import Text

    class Readable(Console):
        def render_str(self, text: str, **options: Any) -> Text:  # before a table is laid out
            return super().render_str(readable(text, self.encoding), **options)

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # main answers it; Rich would end with status 1

    chosen = Readable(stderr=stderr, markup=False)  # names are texts, whatever brackets they have
    # a table that is not looked at on a terminal may be as wide as it needs to be
    return chosen if chosen.is_terminal else Readable(stderr=stderr, width=140, markup=False)


def announce_compiling(console: Console, scenario: Scenario | None = None) -> None:
    """Says so before the first run of a scenario, or of one of the papers', is silent for half a minute."""
    from dealermarket.compiled import among, is_cached
    from dealermarket.engine.advance import advance
    from dealermarket.engine.rules import makers_of_the_papers

    if not is_cached(among(advance, scenario is None or makers_of_the_papers(scenario))):
        console.print("Compiling the engine, once: about half a minute. Later runs start at once.", highlight=False)


@contextmanager
def progress(
    console: Console, total: int, done: int = 0, standing: Callable[[], str] = lambda: ""
) -> Iterator[Callable[[int], None]]:
    """A bar with rate and time left; on a stream that is no terminal, a line every few seconds.

    What is yielded takes the market steps that were done since its last call; `done` of the `total` were done before.
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
        yield lambda steps: bar.advance(task, steps)


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
            if now - shown < every and done < total:
                return
            shown = now
            speed = (done - lately[0][1]) / max(now - lately[0][0], 1e-9)
            lately.append((now, done))
            parts = [standing(), rate(speed), f"{(total - done) / max(speed, 1e-9):.0f} s left"]
            console.print(f"{done:,} of {total:,} market steps: {', '.join(filter(None, parts))}", highlight=False)

    return report


def rate(steps_per_second: float) -> str:
    """Market steps per second, short."""
    for unit, factor in (("M", 1e6), ("k", 1e3)):
        if steps_per_second >= factor:
            return f"{steps_per_second / factor:.2f} {unit} steps/s"
    return f"{steps_per_second:.0f} steps/s"


def maker_tables(result: SimulationResult, width: int) -> list[Table]:
    """A row a maker: average over the replicas, and its standard error in the last digits shown.

    One table, or several where the columns do not fit beside each other in `width` characters."""
    averages = result.statistics()
    columns = [
        Column(shown.column_heading, [with_error(of_maker[shown.name], shown.scale) for of_maker in averages.values()])
        for shown in (*(statistic_named(name) for name in SHOWN), *registered_statistics())
    ]
    replicas = result.meta["replicas"]
    title = f"{result.scenario.name}: per replica of {result.scenario.steps} steps, mean (standard error) of {replicas} replicas"
    return split_tables(title, [Column("maker", list(averages), "left")], columns, width)


def with_error(average: Average, scale: float = 1.0) -> str:
    """`1.234(56)`: the mean times `scale`, with the standard error in units of its last digits; `-` where there is none."""
    mean, error = scale * average.mean, scale * average.standard_error
    if math.isnan(mean):
        return "-"
    if not math.isfinite(error) or error == 0.0:
        return f"{mean:.4g}"
    error = float(f"{error:.1e}")  # two digits, so that 0.0996 is 0.10
    digits = max(1 - math.floor(math.log10(error)), 0)
    shown = round(error * 10**digits)
    return f"{mean:.{digits}f}({shown})" if digits else f"{mean:.0f}({error:.0f})"
