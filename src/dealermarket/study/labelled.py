"""Measures: arrays by name, of every replica, in which a maker is read by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.arrays import same
from dealermarket.errors import ParameterError
from dealermarket.values import suggestion

Array = NDArray[Any]


class Measures(Mapping[str, Array]):
    """What was measured of a market: arrays by name, whose first axis is the replica.

    A mapping::

        measures["pnl"]                  # (replicas, makers)
        measures.of("maker-1")["pnl"]    # (replicas,)
        measures.total("pnl")            # (replicas,), the sum over the makers

    Parameters
    ----------
    by_maker : mapping of str to array, each (replicas, ..., makers), optional
        The arrays that tell makers apart, on their last axis.
    makers : sequence of str
        The names of the makers.
    others : mapping of str to array, each (replicas, ...), optional
        The arrays that do not tell makers apart.

    Raises
    ------
    ParameterError
        The last axis of an array has not one entry for each maker.
    """

    def __init__(
        self, by_maker: Mapping[str, Array] | None = None, makers: Sequence[str] = (), others: Mapping[str, Array] | None = None
    ) -> None:
        self.by_maker, self.makers, self.others = dict(by_maker or {}), tuple(makers), dict(others or {})
        for name, values in self.by_maker.items():
            if values.shape[-1] != len(self.makers):
                raise ParameterError(f"{name}: its last axis has {values.shape[-1]} entries, for {len(self.makers)} makers")

    def __getitem__(self, name: str) -> Array:
        return self.by_maker[name] if name in self.by_maker else self.others[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.by_maker
        yield from self.others

    def __len__(self) -> int:
        return len(self.by_maker) + len(self.others)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Measures):
            return NotImplemented
        return self.makers == other.makers and all(
            mine.keys() == theirs.keys() and all(same(mine[name], theirs[name]) for name in mine)
            for mine, theirs in ((self.by_maker, other.by_maker), (self.others, other.others))
        )

    __hash__ = None  # type: ignore[assignment]  # as that of an array

    def of(self, maker: str | int) -> dict[str, Array]:
        """The arrays of one maker.

        Parameters
        ----------
        maker : str or int
            Its name, or its place.

        Returns
        -------
        dict of str to array, each (replicas, ...)
            By name, those that tell makers apart, without their last axis.

        Raises
        ------
        ParameterError
            There is no maker of this name.
        """
        if isinstance(maker, str):
            if maker not in self.makers:
                raise ParameterError(f"maker: there is no {maker!r}{suggestion(maker, self.makers)}")
            maker = self.makers.index(maker)
        return {name: values[..., maker] for name, values in self.by_maker.items()}

    def total(self, name: str) -> Array:
        """The sum over the makers."""
        return np.asarray(self.by_maker[name].sum(axis=-1))

    def first(self, replicas: int) -> Measures:
        """The measures of the first replicas alone."""
        by_maker, others = ({n: values[:replicas] for n, values in part.items()} for part in (self.by_maker, self.others))
        return Measures(by_maker, self.makers, others)

    @classmethod
    def of_observer(cls, observed: Mapping[str, Array]) -> Measures:
        """What an observer returned; arrays that it gives by name alone do not tell makers apart."""
        return observed if isinstance(observed, Measures) else cls(others=observed)

    @classmethod
    def joined(cls, parts: Sequence[Measures]) -> Measures:
        """One after the other, replica by replica."""
        first = parts[0]
        by_maker = {name: np.concatenate([part.by_maker[name] for part in parts]) for name in first.by_maker}
        others = {name: np.concatenate([part.others[name] for part in parts]) for name in first.others}
        return cls(by_maker, first.makers, others)
