"""What every replaceable part of a market is whose formulas the engine compiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.slots import applied
from dealermarket.values import Value

Array = NDArray[Any]
Draw = Literal["normal", "uniform"]
"""A kind of random number: standard normal, or uniform on [0, 1)."""


class Clock(NamedTuple):
    """How long a step is."""

    dt: float = float("nan")  # in years
    days: float = float("nan")  # in trading days


class Part(Value):
    """A frozen value with formulas: static methods that the engine compiles and the public methods call as they stand.

    `formulas` names them and what each may take; a kind's formula takes those of the arguments that it needs, by name. They
    are numbers, or arrays that broadcast, but for `rule`, which holds the part's own numbers as `rule.NAME` for every name
    in `parameters`, and `numbers`, the row of what does not fit in single numbers. A formula may call functions of its module,
    NumPy's functions and the `math` that Numba compiles; it neither allocates nor keeps anything.
    """

    if TYPE_CHECKING:

        @property
        def kind(self) -> str:
            """The name by which the kind is chosen: a field of every kind."""

    formulas: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    parameters: ClassVar[tuple[str, ...]] = ()
    reserved: ClassVar[tuple[str, ...]] = ()  # a slot's own numbers, which no kind may name as parameters
    also_needed: ClassVar[tuple[str, ...]] = ()  # what every kind of a slot has besides, as a field or a property

    def rule(self, clock: Clock) -> Mapping[str, float]:
        """The value of each of `parameters`, given the length of a step. Fields or properties of these names."""
        return {name: float(getattr(self, name)) for name in self.parameters}

    @property
    def numbers(self) -> Array:
        """The row that formulas read as `numbers`, (n,)."""
        return np.empty(0)


class Numbers:
    """The parameters of a part where a formula is called in Python: `rule.NAME`."""

    def __init__(self, part: Part, clock: Clock = Clock()) -> None:  # noqa: B008, it cannot be changed
        self.__dict__.update(part.rule(clock))


class SingleDraw(Part):
    """A part whose `law(draw, rule, numbers)` makes one random number into another: `draw` says whether it takes a standard
    normal one, or one that is uniform on [0, 1)."""

    reserved: ClassVar = ("uniform",)
    formulas: ClassVar = {"law": ("draw", "rule", "numbers")}
    law: ClassVar[Callable[..., Any]]
    draw: ClassVar[Draw]

    @property
    def uniform(self) -> bool:
        """Whether the law takes a uniform number."""
        return self.draw == "uniform"

    def drawn_values(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """`count` values of the law, shape (count,)."""
        values = applied(self.law, draw=drawn(rng, self.draw, (count,)), rule=Numbers(self), numbers=self.numbers)
        return np.array(np.broadcast_to(values, (count,)), dtype=np.float64)


def drawn(rng: np.random.Generator, kind: Draw, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Random numbers of a kind."""
    return rng.standard_normal(shape) if kind == "normal" else rng.random(shape)


def drawn_by_step(rng: np.random.Generator, kinds: Sequence[Draw], steps: int, replicas: int) -> NDArray[np.float64]:
    """Random numbers of some kinds for every step and replica, (steps, kinds, replicas)."""
    draw = np.empty((steps, len(kinds), replicas))
    for n, kind in enumerate(kinds):
        draw[:, n] = drawn(rng, kind, (steps, replicas))
    return draw
