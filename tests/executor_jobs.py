"""Jobs that go wrong, for the tests of executors: in a module of its own, which workers can import."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dealermarket import Action, MakerPolicy, Observation, Scenario
from dealermarket.runs.executors import Job, Progress, Work
from dealermarket.runs.statistics import ASSET, Statistic, Sums
from dealermarket.runs.tables import Chunk

ODD = 3  # the replica whose chunk goes wrong


def traded(scenario: Scenario, sums: Sums) -> np.ndarray:
    """The function of a statistic."""
    return sums.totals["volume"]


TRADED = Statistic(name="traded", heading="traded", unit=ASSET, meaning="quoted volume", function=traded)


def positions(scenario: Scenario, chunk: Chunk) -> dict[str, np.ndarray]:
    """An observer."""
    return {"position": chunk.record.position.copy()}


class OwnError(Exception):
    """An error of a user's own, which pickle cannot make again."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other}")


@dataclass(frozen=True)
class Odd(Job[int]):
    """Sums the numbers of replicas; with one of them something happens at the first tries. Each leaves a file."""

    folder: Path
    what: str
    times: int = 1

    def prepare(self) -> Work[int]:
        return self.work

    def work(self, replicas: range, report: Progress) -> int:
        if ODD in replicas:
            tried = len(list(self.folder.iterdir()))
            (self.folder / str(tried)).touch()
            if tried < self.times:
                self.go_wrong()
        report(len(replicas))
        return sum(replicas)

    def go_wrong(self) -> None:
        """Does what goes wrong."""
        if self.what == "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.what == "hangs":
            threading.Event().wait()
        if self.what == "raises":
            raise ZeroDivisionError("a chunk of one's own")
        if self.what == "raises its own":
            raise OwnError("this", "that")


class Cautious(MakerPolicy):
    """A policy of a user's own."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cautious)

    def __hash__(self) -> int:
        return 0

    def act(self, observation: Observation) -> Action:
        return Action(eps_buy=0.25, eps_sell=0.5, hedge_fraction=0.5)
