"""Solutions that are kept on disk, by a digest of all that they depend on."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dealermarket import laws
from dealermarket.cache import cache_folder
from dealermarket.control import competition, flow, numbers, prices, quoting, recursion
from dealermarket.control.numbers import Numbers
from dealermarket.control.recursion import solved
from dealermarket.disk import replacing
from dealermarket.engine import scales
from dealermarket.errors import RunFolderError
from dealermarket.model import exchange
from dealermarket.model.investors.demand import logistic, normal
from dealermarket.model.investors.sizes import ladder, lognormal
from dealermarket.model.makers.policies import HeuristicMaker
from dealermarket.model.market import environment
from dealermarket.model.market.mid_price import gbm, jump_diffusion
from dealermarket.model.market.reference_spread import clipped_normal, log_ar1
from dealermarket.version import __version__

Floats = NDArray[np.float64]

_MODULES = (
    *(competition, flow, laws, numbers, prices, quoting, recursion),
    *(environment, exchange, gbm, jump_diffusion, clipped_normal, log_ar1, lognormal, ladder, logistic, normal, scales),
)
"""What a solution follows from."""


def kept_values(problem: Numbers) -> Floats:
    """`solved(problem)` from the cache on disk, which it joins if it was not there; a broken file, or one of another problem, is
    replaced."""
    folder, digest = cache_folder(), digest_of_problem(problem)
    if folder is None:
        return solved(problem)
    path = folder / "optimal" / f"{digest}.npz"
    values = _read(path, digest, (problem.steps + 1, len(problem.positions)))
    if values is not None:
        return values
    values = solved(problem)
    with suppress(OSError, RunFolderError):  # a full disk costs the cache, not the run
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, values=values, digest=np.array(digest))
    return values


def digest_of_problem(problem: Numbers) -> str:
    """Of the market without names of its own, of the maker, of its reward, and of what solves it."""
    scenario = problem.scenario.with_policies({problem.scenario.maker_names[problem.index]: HeuristicMaker()})
    content = scenario.as_table()
    for name in ("name", "description", "choices"):
        content.pop(name, None)
    parts = [content, problem.index, problem.reward.model_dump(mode="json"), _code()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


@cache
def _code() -> str:
    code = b"".join(Path(str(module.__file__)).read_bytes() for module in _MODULES)
    return f"{__version__} {np.__version__} {hashlib.sha256(code).hexdigest()}"


def _read(path: Path, digest: str, shape: tuple[int, int]) -> Floats | None:
    """The values in a file; None where there is none, or a broken one, or that of another problem."""
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            values, owner = file["values"], str(file["digest"])
    except Exception:
        return None
    return values if owner == digest and values.shape == shape and np.isfinite(values).all() else None
