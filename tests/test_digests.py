"""Digests of what functions do."""

from __future__ import annotations

import math
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import ran
from dealermarket.digests import digest_of

PLAIN = """
import functools
import math
import numpy as np
RATE, TABLE = 2.0, np.array([1.0, 2.0])

def helper(x):
    return RATE * x

class Base:
    def shared(self):
        return 1

class Thing(Base):
    level = 3
    @property
    def value(self):
        return helper(self.level)
    @staticmethod
    def law(x):
        return math.sin(x) + TABLE[0]

class Holder:
    def __init__(self, weight):
        self.weight = weight
    def __call__(self, x):
        return self.weight * x

def decorator(function):
    @functools.wraps(function)
    def wrapper(x):
        return 2 * function(x)
    return wrapper

@decorator
def decorated(x):
    return x - RATE

NAMES, BY_NAME = {"a", "bc", "def"}, {"table": np.arange(5000.0)}

def by_name(x):
    return BY_NAME["table"][x] if x in NAMES else 0

def top(x, *, scale=1.0):
    inner = lambda y: helper(y) * scale
    return inner(x)
"""


def module(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "somebodys"}
    exec(compile(text, "somebodys.py", "exec"), names)
    return names


@pytest.mark.parametrize("name", ["top", "Thing", "helper"])
def test_comments_docstrings_and_places_change_nothing(name: str) -> None:
    moved = PLAIN.replace("    return RATE * x", '    """Says more."""\n    # and more\n    return RATE * x')
    assert digest_of(module(moved)[name]) == digest_of(module(PLAIN)[name])


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("top", "return inner(x)", "return inner(-x)"),
        ("top", "helper(y) * scale", "helper(y) + scale"),  # in a function within
        ("top", "return RATE * x", "return RATE + x"),  # in a function that it calls
        ("top", "RATE, TABLE = 2.0", "RATE, TABLE = 3.0"),  # a constant which that one names
        ("top", "scale=1.0", "scale=1.5"),
        ("Thing", "return RATE * x", "return RATE + x"),  # in a function that a property calls
        ("Thing", "np.array([1.0, 2.0])", "np.array([1.0, 2.5])"),
        ("Thing", "math.sin", "math.cos"),
        ("Thing", "level = 3", "level = 4"),
        ("Thing", "return 1", "return 2"),  # in its base
        ("decorated", "return x - RATE", "return x + RATE"),
        ("decorated", "return 2 * function(x)", "return 3 * function(x)"),  # around it
        ("by_name", "np.arange(5000.0)", "np.arange(5000.0) + 1e-9"),
        ("by_name", '"bc"', '"bd"'),
    ],
)
def test_whatever_a_thing_does_otherwise_changes_its_digest(name: str, old: str, new: str) -> None:
    assert PLAIN.count(old) == 1
    assert digest_of(module(PLAIN.replace(old, new))[name]) != digest_of(module(PLAIN)[name])


def test_what_a_callable_holds_counts() -> None:
    names = module(PLAIN)
    helper, holder = names["helper"], names["Holder"]
    things = [helper, partial(helper, 1.0), partial(helper, 2.0), partial(helper, x=2.0), partial(names["top"], 1.0)]
    things += [one.__call__ for one in (holder(1.0), holder(2.0))]
    things += [holder(1.0), holder(2.0), holder(np.ones(2)), np.negative, np.positive, math.sin]
    assert len({digest_of(thing) for thing in things}) == len(things)
    assert digest_of(holder(1.0)) == digest_of(module(PLAIN)["Holder"](1.0))


def test_digests_are_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "somebodys.py").write_text(PLAIN + "\nclass Odd: pass\nODD = Odd()\n\ndef odd():\n    return ODD\n")
    source = "from dealermarket.digests import digest_of\n"
    source += "from somebodys import Holder, Thing, by_name, decorated, odd, top\n"
    source += "print([digest_of(thing) for thing in (top, Thing, Holder(1.0), odd, by_name, decorated)])"
    first, second = (ran([sys.executable, "-c", source], cwd=tmp_path).stdout for _ in range(2))
    assert first == second
