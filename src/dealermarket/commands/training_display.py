"""What is shown of a training while it goes on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermarket.commands.console import rate

if TYPE_CHECKING:
    from rich.console import Console

    from dealermarket.learning.training import Point, Training

SECONDS_BETWEEN_LINES = 5.0


def introduce(path: Path, training: Training, done: int, console: Console) -> None:
    """What is about to be done, before it takes its time."""
    learned_from = training.hyperparameters.rollout * training.markets
    who = training.makers[0] if len(training.makers) == 1 else f"one policy for {', '.join(training.makers)}"
    before = f", {done:,} of them done before" if done else ""
    said = (
        f"Training {who} of {training.scenario.name} by {training.algorithm.upper()}: {training.market_steps:,} market steps"
        f"{before}, {training.markets:,} markets side by side, learning every {learned_from:,} steps; in {path}"
    )
    console.print(said, highlight=False, soft_wrap=True)
    played, whole = training.market_steps // training.markets, training.scenario.steps
    if played < whole:
        console.print(
            f"Each market is played for {played:,} of its {whole:,} steps only, so that nothing is learned of the later ones: "
            "take more --steps or fewer --markets",
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )
    console.print("Loading PyTorch: a few seconds", highlight=False)


@contextmanager
def training_progress(console: Console, training: Training, done: int) -> Iterator[Callable[[Point], None]]:
    """Reward, share and inventory over the last run of the markets, rate and time left: a bar, or a line every few seconds
    where there is no terminal. `done` market steps were done before."""
    total, recent = training.market_steps, deque["Point"](maxlen=training.rollouts_of_a_run)

    def said(point: Point) -> str:
        recent.append(point)
        return described(mean_of(recent))

    if not console.is_terminal:
        yield _lines(console, total, said)
        return
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(rate(task.finished_speed or task.speed or 0.0))

    columns = (
        TextColumn("{task.percentage:3.0f} %"),
        BarColumn(bar_width=None),
        TextColumn("{task.description}"),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("the first rollout", total=total, completed=done)
        yield lambda point: bar.update(task, completed=point.steps, description=said(point))


def _lines(console: Console, total: int, words: Callable[[Point], str]) -> Callable[[Point], None]:
    began = shown = 0.0  # when the first rollout was done: it takes longer, since everything is loaded for it
    first = 0

    def report(point: Point) -> None:
        nonlocal began, shown, first
        now, said = time.monotonic(), words(point)
        if shown and now - shown < SECONDS_BETWEEN_LINES and point.steps < total:
            return
        speed = (point.steps - first) / max(now - began, 1e-9)
        pace = f", {rate(speed)}, {(total - point.steps) / max(speed, 1e-9):.0f} s left" if shown else ""
        console.print(f"{point.steps:,} of {total:,} market steps: {said}{pace}", highlight=False)
        if not shown:
            began, first = now, point.steps
        shown = now

    return report


def described(point: Point) -> str:
    """A point in a few words."""
    return f"reward {point.reward:.4g}, share {100 * point.share:.1f} %, |z| {point.inventory:.3g}"


def mean_of(points: Collection[Point]) -> Point:
    """The mean of points, with the steps of the latest."""
    from dealermarket.learning.training import FIELDS, Point

    latest = max(each.steps for each in points)
    return Point(latest, *(sum(getattr(each, name) for each in points) / len(points) for name in FIELDS[1:]))
