"""Settings and fixtures that all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # SciPy's small problems gain nothing from threads that wait

import matplotlib as mpl
import numpy as np
import pytest

from dealermarket import Scenario, slots
from dealermarket.commands.main import main

mpl.use("Agg")

UNCOMPILED = os.environ.get("NUMBA_DISABLE_JIT") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked slow need machine code to end in reasonable time."""
    if UNCOMPILED:
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="marked slow, and the engine runs uncompiled"))


@pytest.fixture
def small() -> Scenario:
    """The paper's market, shorter."""
    return Scenario.load("paper", ["steps=30", "reward_horizon=3"])


@pytest.fixture
def lists_as_they_were() -> Iterator[None]:
    """What a test registers is gone after it."""
    before = {slot: dict(slot._kinds) for slot in slots._REGISTRIES if isinstance(slot, slots.Slot)}
    yield
    for slot, kinds in before.items():
        if slot._kinds != kinds:
            slot._kinds.clear()
            slot._kinds.update(kinds)
            slot._adapter = None
            slots._count()


def assert_same_bits(first: dict[str, np.ndarray] | np.ndarray, second: dict[str, np.ndarray] | np.ndarray) -> None:
    """Equal to the bit, NaN included."""
    assert np.asarray(first).tobytes() == np.asarray(second).tobytes()


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a bad call says: in a line or two, with status 2, and without a traceback."""
    assert main(list(arguments)) == 2
    said = capsys.readouterr().err.strip()
    assert said
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 2
    return said
