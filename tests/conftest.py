"""Settings and fixtures that all tests share."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # SciPy's small problems gain nothing from threads that wait

import matplotlib as mpl
import numpy as np
import pytest

from dealermarket import Scenario, interrupt, slots
from dealermarket.commands.main import main
from dealermarket.commands.train import NEEDED
from dealermarket.runs import chunks
from dealermarket.runs.work_folder import META, digest_of_meta

mpl.use("Agg")

UNCOMPILED = os.environ.get("NUMBA_DISABLE_JIT") == "1"

MISSING = [name for name in NEEDED if find_spec(name) is None]
"""What of the extra `learn` is not installed."""

needs_learn = pytest.mark.skipif(bool(MISSING), reason=f"needs the extra `learn`: not installed are {', '.join(MISSING)}")
"""Of tests that use its libraries without training anybody; those marked `training` are skipped without it anyway."""

DEADLINE = 900.0
"""Seconds that a test waits for another process: far beyond what any of them takes, on a machine that is busy, too."""

# All that is compiled for more than a few tests, so that it lies in the cache on disk
WARM = """
from importlib.util import find_spec
from dealermarket import Scenario, SimulationRunner
for record in ("summary", "trades"):
    SimulationRunner(Scenario.load("paper", ["steps=20"]), 2, record=record).run()
SimulationRunner(Scenario.load("learning", ["steps=20"]), 2).run()
beyond = ["market.mid_price.kind=ornstein_uhlenbeck", "makers.0.hedging.kind=full"]
for maker in range(2):
    beyond += [f"makers.{maker}.pricing.kind=ladder", f"makers.{maker}.pricing.spreads=[[1, 1, 1, 1, 1]]"]
SimulationRunner(Scenario.load("paper", ["steps=20", *beyond]), 2).run()
if find_spec("gymnasium"):
    from dealermarket.envs import DealerVectorEnv
    env = DealerVectorEnv(2, Scenario.load("learning", ["steps=20"]))
    env.reset(seed=0)
    env.step(env.action_space.sample())
"""


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compiles once what the workers need, before there are any: each would do it, and their tests would wait for it."""
    config = session.config
    if config.getoption("tx", None) and not hasattr(config, "workerinput") and not UNCOMPILED:
        ran([sys.executable, "-c", WARM])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `compiled` or `slow` need machine code to end in reasonable time; `training` needs the extra `learn`."""
    for item in items:
        if UNCOMPILED and {"compiled", "slow"} & set(item.keywords):
            item.add_marker(pytest.mark.skip(reason="needs machine code, and the engine runs uncompiled"))
        if item.get_closest_marker("training"):
            item.add_marker(needs_learn)


def ran(command: list[str] | str, **options: Any) -> subprocess.CompletedProcess[str]:
    """A command that has come to its end, with status 0; where it has not, what it said is shown."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False, **options)
    assert done.returncode == 0, f"status {done.returncode} of {command}\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
    return done


class Counter:
    """Counts what an observer is asked. A number or a list that it changes would make it another observer, whose measures
    are other ones; an object like this does not."""

    def __init__(self) -> None:
        self.count = 0


@pytest.fixture
def small() -> Scenario:
    """The paper's market, shorter."""
    return Scenario.load("paper", ["steps=30", "reward_horizon=3"])


def kinds_now() -> dict[slots.Slot, dict[str, Any]]:
    """All kinds that are registered, by their slots."""
    return {slot: dict(slot._kinds) for slot in slots._REGISTRIES if isinstance(slot, slots.Slot)}


@contextmanager
def kinds_as_they_were(within: dict[slots.Slot, dict[str, Any]] | None = None) -> Iterator[None]:
    """What is registered within is gone after it. Begins with the kinds of `within`, if it is given, in place of those of now."""
    before = kinds_now()
    _make_known(within or before)
    try:
        yield
    finally:
        _make_known(before)


def _make_known(wanted: dict[slots.Slot, dict[str, Any]]) -> None:
    for slot, kinds in wanted.items():
        if slot._kinds != kinds:
            slot._kinds.clear()
            slot._kinds.update(kinds)
            slot._adapter = None
            slots._count()


@pytest.fixture
def lists_as_they_were() -> Iterator[None]:
    """What a test registers is gone after it."""
    with kinds_as_they_were():
        yield


def assert_same_bits(first: dict[str, np.ndarray] | np.ndarray, second: dict[str, np.ndarray] | np.ndarray) -> None:
    """Equal to the bit, NaN included."""
    assert np.asarray(first).tobytes() == np.asarray(second).tobytes()


def edit_meta(folder: Path, **changes: Any) -> None:
    """Changes the `meta.json` of a folder of work as its own program would have written it: the digest fits."""
    path = folder / META
    meta = json.loads(path.read_text(encoding="utf-8")) | changes
    del meta["digest"]
    path.write_text(json.dumps(meta | {"digest": digest_of_meta(meta)}), encoding="utf-8")


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a bad call says, for `assert_says`: in a line or two, with status 2, and without a traceback."""
    assert main(list(arguments)) == 2
    said = capsys.readouterr().err.strip()
    assert said
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 2
    return said


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Presses Ctrl-C. Tests may run where it is ignored: in the background, and in the workers of pytest-xdist."""
    monkeypatch.setattr(interrupt, "GRACE", DEADLINE)  # on a busy machine, too, it is the command that ends and not the tests
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, former)


def assert_says(text: str, field: object, value: object = None, *, names: Sequence[str] = ()) -> None:
    """A line of an error's text is about the field (a path, an option, a file) and says what was found.

    `value` is what was found, as it is shown; `names` are single words that tell the error from others on the same
    field: a bound, an option, another field. Sentences may be put better without a test to change.
    """
    about = [line for line in text.splitlines() if re.search(rf"(^|[\s:]){re.escape(str(field))}: ", line)]
    assert about, f"nothing about {field}: {text}"
    wanted = [rf"{re.escape(name)}(?!\.?\d)" for name in names]  # a bound of 1 is not one of 10
    if value is not None:
        wanted.append(rf"\bgot {re.escape(str(value))}(?![\w.])")
    missing = [pattern for pattern in wanted if not any(re.search(pattern, line) for line in about)]
    assert not missing, f"{missing} not in: {text}"


@contextmanager
def raises(
    kind: type[Exception] | tuple[type[Exception], ...], field: object, value: object = None, *, names: Sequence[str] = ()
) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """An error of exactly this kind that says so of the field: see `assert_says`."""
    with pytest.raises(kind) as caught:
        yield caught
    assert caught.type in (kind if isinstance(kind, tuple) else (kind,))
    assert_says(str(caught.value), field, value, names=names)


@pytest.fixture(autouse=True)
def _no_figure_stays_open() -> Iterator[None]:
    """What a test, or an example that it runs, leaves open in pyplot is closed: other tests count the figures there."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def tiny_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two replicas of the small market a chunk."""
    monkeypatch.setattr(chunks, "_CHUNK_NUMBERS", 2 * 30 * 30)
