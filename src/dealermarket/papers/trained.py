"""Studies of trained policies: the same training from several seeds, each played afterwards on common random numbers."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket import interrupt
from dealermarket.checksums import Parts
from dealermarket.errors import DealerMarketError
from dealermarket.runs.executors.base import Progress
from dealermarket.study.labelled import Measures
from dealermarket.study.study import Measured, keep_measures, kept

if TYPE_CHECKING:
    from dealermarket.learning.training import Training

Array = NDArray[Any]
SAMPLE = 400  # points kept of what was decided at which position

_steps_done: Any = None  # in a worker: where it says how far it is
_saying = Lock()  # and what it holds meanwhile


@dataclass(frozen=True)
class TrainedStudy:
    """`training` from `seeds` different seeds; each policy is then played in `replicas` markets, which are common to all.

    The measures of a seed are those of `played`."""

    name: str
    training: Training
    seeds: int
    replicas: int

    @property
    def market_steps(self) -> int:
        """Steps of markets in all, those of the training."""
        return self.seeds * self.training.steps

    def key(self, seed: int) -> str:
        """A digest of all that the measures depend on."""
        return hashlib.sha256(f"{seed}\0{self.seeds}\0{self.replicas}\0{self.training.key}".encode()).hexdigest()

    def trainings(self, seed: int) -> list[Training]:
        """One for each seed, with streams of their own."""
        drawn = np.random.SeedSequence(seed, spawn_key=(0, 0)).generate_state(self.seeds, np.uint64)
        return [self.training.replace(seed=int(each >> np.uint64(1))) for each in drawn]


def is_trainable() -> bool:
    """Whether the libraries that training needs are there."""
    return all(find_spec(name) is not None for name in ("gymnasium", "stable_baselines3", "torch"))


def measure_trained(
    studies: Sequence[TrainedStudy], seed: int, workers: int = 1, progress: Progress | None = None, keep: Path | None = None
) -> Measured:
    """Trains and plays in processes of their own; with `keep`, a folder, those that it holds are read, and each is kept there.

    The label of a seed is its number, "0" and on. Equal calls give equal numbers, whatever the number of workers."""
    report, parts = progress or (lambda _: None), None if keep is None else Parts(keep)
    keys = {study.name: study.key(seed) for study in studies}
    distinct = {keys[study.name]: study for study in studies}  # what two studies would train alike is trained once
    for study in studies:
        if study is not distinct[keys[study.name]]:
            report(study.market_steps)
    found: dict[str, dict[str, Measures]] = {key: {} for key in distinct}
    jobs: dict[tuple[str, int], tuple[Training, int, str]] = {}
    for key, study in distinct.items():
        for number, training in enumerate(study.trainings(seed)):
            file = f"{key}-{number}.npz"
            known = None if parts is None else kept(parts, file)
            if known is None:
                jobs[key, number] = training, study.replicas, file
            else:
                found[key][str(number)] = known["trained"]
                report(training.steps)

    def by_name() -> Measured:
        return {name: dict(sorted(found[key].items())) for name, key in keys.items()}

    if not jobs:
        return by_name()
    context = multiprocessing.get_context("spawn")
    lifeline, parents_end = context.Pipe(duplex=False)
    with _told(context, report) as steps_done:
        executor = ProcessPoolExecutor(min(workers, len(jobs)), context, _begin_worker, (steps_done, lifeline))
        try:
            with interrupt.spared():
                futures: dict[Future[Measures], tuple[str, int]] = {
                    executor.submit(_trained, training, seed, replicas): job for job, (training, replicas, _) in jobs.items()
                }
            for future in as_completed(futures):
                interrupt.check()
                key, number = futures[future]
                found[key][str(number)] = future.result()
                if parts is not None:
                    keep_measures(parts, jobs[key, number][2], {"trained": future.result()})
        except BaseException as error:
            parents_end.close()  # nobody waits for what is under way, or in a worker's queue
            if isinstance(error, BrokenProcessPool):
                raise DealerMarketError(
                    "a training's process was ended from outside, perhaps for memory; try fewer --threads"
                ) from None
            raise
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
            parents_end.close()
            lifeline.close()
    return by_name()


@contextmanager
def _told(context: Any, report: Callable[[int], None]) -> Iterator[Any]:
    """A queue for numbers of steps done, which are reported as they come."""
    queue = context.SimpleQueue()

    def pass_on() -> None:
        while (steps := queue.get()) is not None:
            report(steps)

    thread = Thread(target=pass_on, daemon=True)
    thread.start()
    try:
        yield queue
    finally:
        queue.put(None)
        thread.join()
        queue.close()


def _begin_worker(queue: Any, lifeline: Any) -> None:
    global _steps_done  # noqa: PLW0603 (a pool hands nothing else to its workers)
    _steps_done = queue
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all; the parent answers it
    Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()


def _end_with_parent(lifeline: Any) -> None:
    """Ends the worker when the parent closes its end, or is gone: at once, for importing and compiling take long."""
    lifeline.poll(None)
    with _saying:  # others wait for the lock that a worker holds while it puts something into their queue
        os._exit(1)


def _trained(training: Training, seed: int, replicas: int) -> Measures:
    """In a worker: the learning curve and what `played` measures."""
    from dealermarket.learning.trainer import train
    from dealermarket.learning.training import Point

    points: list[Point] = []

    def report(point: Point) -> None:
        before = points[-1].steps if points else 0
        points.append(point)
        with _saying:
            _steps_done.put(min(point.steps, training.steps) - min(before, training.steps))

    policy = train(training, report)
    curve = np.array([tuple(vars(point).values()) for point in points])
    after = played(training, policy.numbers, seed, replicas)
    return Measures(after.by_maker, after.makers, {"curve": curve, **after.others})


def played(training: Training, decide: Callable[[Array], Array], seed: int, replicas: int) -> Measures:
    """What is measured of a policy, of every learner: arrays (replicas, learners).

    Sums over the run: `spread_revenue`, `hedging_cost`, `inventory_pnl`, `reward`, `pnl`. Means over its steps: `position`,
    `abs_position`, `eps_buy`, `eps_sell`, `hedge_fraction`. `lean` is the least-squares slope of eps_sell - eps_buy on the
    position. `points` (SAMPLE, 3) are a position, eps_buy and eps_sell of the first learner each."""
    from dealermarket.envs.arena import Arena
    from dealermarket.learning.playing import play

    arena = Arena(training.scenario, training.makers, training.controls, training.reward)
    log = play(arena, decide, seed, range(replicas))
    names = ("spread_revenue", "hedging_cost", "inventory_pnl", "reward")
    measured = {name: log.earned(name).sum(axis=1) for name in names}
    measured["pnl"] = measured["spread_revenue"] + measured["hedging_cost"] + measured["inventory_pnl"]
    measured["position"], measured["abs_position"] = log.positions.mean(axis=1), np.abs(log.positions).mean(axis=1)
    decided = {name: log.values[..., n] for n, name in enumerate(arena.controls.names)}
    measured |= {name: values.mean(axis=1) for name, values in decided.items()}
    lean = decided["eps_sell"] - decided["eps_buy"]
    centred = log.positions - log.positions.mean(axis=1, keepdims=True)
    measured["lean"] = (centred * lean).sum(axis=1) / np.maximum((centred**2).sum(axis=1), 1e-300)
    rows = np.stack([log.positions[..., 0], decided["eps_buy"][..., 0], decided["eps_sell"][..., 0]], axis=-1).reshape(-1, 3)
    # drawn, for evenly spaced ones would be those of the same few steps of every run
    points = np.random.default_rng(seed).choice(rows, min(SAMPLE, len(rows)), replace=False)
    return Measures(measured, training.makers, {"points": points})
