"""Searching many or categorical fields: Optuna's tree-structured Parzen estimator, which leaves poor points early."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket import interrupt
from dealermarket.errors import ParameterError
from dealermarket.estimates import mean
from dealermarket.questions.climb import Trial

Array = NDArray[Any]

_STAGES = (0.25, 0.5, 1.0)
"""Shares of the replicas after which a point may be left."""


def check_installed() -> None:
    """Raises ParameterError without Optuna."""
    if find_spec("optuna") is None:
        raise ParameterError("method: 'optuna' needs the extra `search`: pip install 'dealermarket[search]'")


def parzen(
    payoffs_of: Callable[[Array, range], Array],
    choices: Sequence[int | None],
    start: Array | None,
    evaluations: int,
    replicas: int,
    seed: int = 0,
    leaves_early: bool = True,
) -> list[Trial]:
    """The places that were tried, in order, `start` first (Bergstra et al., Advances in Neural Information Processing Systems 24,
    2011). A place has of each field a number in 0..1 or, where `choices` has how many values there are, that of a value.

    `payoffs_of` gives those of a place on some replicas. A place is left after a quarter or a half of all `replicas` where the
    paired 95 % interval of its difference to the best so far lies below 0; its value is then of these replicas alone. Without
    `leaves_early` all are measured: of what is no mean over replicas, such as a deviation, parts do not add up."""
    check_installed()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    names = [str(n) for n in range(len(choices))]
    if start is not None:
        given = [float(place) if count is None else int(place) for place, count in zip(start.tolist(), choices, strict=True)]
        study.enqueue_trial(dict(zip(names, given, strict=True)))
    trials: list[Trial] = []
    best: Array | None = None
    for _ in range(evaluations):
        interrupt.check()
        asked = study.ask()
        place = np.array(
            [
                asked.suggest_float(name, 0.0, 1.0) if count is None else asked.suggest_categorical(name, range(count))
                for name, count in zip(names, choices, strict=True)
            ],
            dtype=np.float64,
        )
        numbers = _until_behind(payoffs_of, place, replicas, best, _STAGES if leaves_early else (1.0,))
        value, whole = float(np.mean(numbers)), len(numbers) == replicas
        trials.append(Trial(place, value, len(numbers)))
        if np.isnan(value):
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
            continue
        asked.report(value, len(numbers))
        study.tell(asked, value if whole else None, None if whole else optuna.trial.TrialState.PRUNED)
        if whole and (best is None or value > float(np.mean(best))):
            best = numbers
    return trials


def _until_behind(
    payoffs_of: Callable[[Array, range], Array], place: Array, replicas: int, best: Array | None, stages: Sequence[float]
) -> Array:
    """The payoffs of a place on all replicas, or on the first of them, where these show that it is behind the best."""
    numbers, first = np.zeros(0), 0
    for share in stages:
        last = max(round(share * replicas), first + 1) if share < 1 else replicas
        if last > first:
            numbers = np.concatenate([numbers, payoffs_of(place, range(first, last))])
            first = last
        if best is not None and last < replicas and float(mean(numbers - best[:last]).high) < 0:
            break
    return numbers
