"""What is shown of a training while it goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dealermarket.commands.console import progress

if TYPE_CHECKING:
    from rich.console import Console

    from dealermarket.learning.training import Point, Training


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
    """The progress of a training, with reward, share and inventory over the last run of the markets.

    `done` market steps were done before."""
    recent = deque["Point"](maxlen=training.rollouts_of_a_run)
    before = done

    def standing() -> str:
        return described(mean_of(tuple(recent))) if recent else "the first rollout"

    with progress(console, training.market_steps, done, standing) as advance:

        def report(point: Point) -> None:
            nonlocal before
            recent.append(point)
            advance(point.steps - before)
            before = point.steps

        yield report


def described(point: Point) -> str:
    """A point in a few words."""
    return f"reward {point.reward:.4g}, share {100 * point.share:.1f} %, |z| {point.inventory:.3g}"


def mean_of(points: Collection[Point]) -> Point:
    """The mean of points, with the steps of the latest."""
    from dealermarket.learning.training import FIELDS, Point

    latest = max(point.steps for point in points)
    return Point(latest, *(sum(getattr(point, name) for point in points) / len(points) for name in FIELDS[1:]))
