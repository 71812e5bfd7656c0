"""Studies of trained policies: the same training from several seeds, each played afterwards on common random numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.papers.parts import PartedStudy
from dealermarket.runs.executors.base import Progress
from dealermarket.study.labelled import Measures

if TYPE_CHECKING:
    from dealermarket.learning.training import Training

Array = NDArray[Any]
SAMPLE = 400  # points kept of what was decided at which position


@dataclass(frozen=True)
class TrainedStudy(PartedStudy):
    """A training from several seeds; each policy is then played in markets that are common to all.

    Its measures have a variant for each seed, "0" and on: what is measured of the policy, (replicas, learners) each, and `curve`,
    the course of its training.

    Parameters
    ----------
    name : str
        By which its measures are found.
    training : Training
        What is trained, on what, and how.
    seeds : int
        From how many different seeds.
    replicas : int
        In how many markets each policy is played.

    Notes
    -----
    Measured are, as sums over a run, `spread_revenue`, `hedging_cost`, `inventory_pnl`, `reward` and `pnl`; as means over its
    steps, `position`, `abs_position`, `eps_buy`, `eps_sell` and `hedge_fraction`; and `lean`, the least-squares slope of the
    skew, eps_sell less eps_buy, on the position. `points` are up to 400 triples of a position, eps_buy and eps_sell of the first
    learner.
    """

    name: str
    training: Training
    seeds: int
    replicas: int

    @property
    def market_steps(self) -> int:
        return self.seeds * self.training.steps

    def key(self, seed: int) -> str:
        return hashlib.sha256(f"{seed}\0{self.seeds}\0{self.replicas}\0{self.training.key}".encode()).hexdigest()

    def trainings(self, seed: int) -> list[Training]:
        """One for each seed, with streams of their own."""
        drawn = np.random.SeedSequence(seed, spawn_key=(0, 0)).generate_state(self.seeds, np.uint64)
        return [self.training.replace(seed=int(each >> np.uint64(1))) for each in drawn]

    def parts(self, seed: int) -> list[Trained]:
        return [Trained(training, self.replicas, seed) for training in self.trainings(seed)]


@dataclass(frozen=True)
class Trained:
    """One training, and the markets of a seed in which its policy is played."""

    training: Training
    replicas: int
    seed: int

    @property
    def market_steps(self) -> int:
        """Those of the training."""
        return self.training.steps

    def measured(self, report: Progress) -> Measures:
        """The learning curve and what `played` measures."""
        from dealermarket.learning.trainer import train
        from dealermarket.learning.training import Point

        points: list[Point] = []

        def tell(point: Point) -> None:
            before = points[-1].steps if points else 0
            points.append(point)
            report(min(point.steps, self.training.steps) - min(before, self.training.steps))

        policy = train(self.training, tell)
        curve = np.array([tuple(vars(point).values()) for point in points])
        after = played(self.training, policy.numbers, self.seed, self.replicas)
        return Measures(after.by_maker, after.makers, {"curve": curve, **after.others})


def is_trainable() -> bool:
    """Whether the libraries that training needs are there."""
    return all(find_spec(name) is not None for name in ("gymnasium", "stable_baselines3", "torch"))


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
