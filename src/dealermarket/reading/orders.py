"""Recorded orders: a file of what clients asked for, and when."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import DataError
from dealermarket.frozen import FrozenMapping
from dealermarket.reading.codes import sides_of
from dealermarket.reading.columns import PLAIN, Rows, Wanted, digest_of_file, read_columns, state_of_file
from dealermarket.reading.format import Format
from dealermarket.reading.times import TIME, Times, times_of
from dealermarket.values import listed

Array = NDArray[Any]

_NEEDED = (
    TIME,
    Wanted("client", ("investor", "customer", "counterparty", "cpty", "client id", "client name")),
    Wanted("side", ("direction", "buy sell", "way", "client side")),
    Wanted("size", ("quantity", "qty", "volume", "amount", "notional")),
)
COLUMNS = (*_NEEDED, Wanted("reservation"), Wanted("asked", ("makers asked", "panel")))
"""What is looked for in a file of orders."""


@dataclass(frozen=True, eq=False)
class Names:
    """A column of names: the number of each row's among those that there are, -1 where a cell is empty, (rows,)."""

    number: Array
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class OrderLog:
    """The orders of a file, as they stand there."""

    rows: Rows
    times: Times
    client: Names
    side: Array  # (orders,) +1 the client buys, -1 it sells
    size: Array  # (orders,)
    reservation: Array | None  # (orders,) in units of the reference curve, infinite where a cell is empty; None without a column
    asked: Names | None  # each name a list of makers
    notes: tuple[str, ...]  # what was read
    digest: str  # SHA-256 of the file


def read_orders(
    file: str,
    columns: Mapping[str, str],
    written: Format = PLAIN,
    sides: Mapping[str, tuple[str, ...]] = FrozenMapping(),
) -> OrderLog:
    """The orders of a file; `sides` are its words for `buy` and `sell`. Raises DataError with all that is wrong in it, column by
    column."""
    return _read(file, tuple(sorted(columns.items())), written, tuple(sorted(sides.items())), state_of_file(file))


def makers_in(cell: str) -> list[str]:
    """The names in a list of makers."""
    return [name.strip() for name in re.split("[,;]", cell) if name.strip()]


@lru_cache(maxsize=4)
def _read(
    file: str,
    columns: tuple[tuple[str, str], ...],
    written: Format,
    sides: tuple[tuple[str, tuple[str, ...]], ...],
    _state: tuple[int, int],
) -> OrderLog:
    rows = read_columns(file, COLUMNS, dict(columns), written)
    missing = [repr(column.name) for column in _NEEDED if column.name not in rows]
    if missing:
        raise DataError(f"{file}: has no column {listed(missing)}; call it so, or say in columns what the file calls it")
    found: dict[str, Any] = {}
    problems = []
    readers: dict[str, Callable[[Rows, str], Any]] = {**_READERS, "side": partial(_sides, given=dict(sides))}
    for name, read in readers.items():
        try:
            found[name] = read(rows, name) if name in rows else None
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n".join(problems))
    times: Times = found.pop("time")
    read_them = f"{len(rows):,} orders of {len(found['client'].names):,} clients in {file}"
    again = _repeated(times.values, found["client"].number, found["side"], found["size"])
    repeats = [f"{rows.rows(again)}: the same time, client, side and size as a row before; played as well"] if again.any() else []
    notes = (read_them, *times.notes(np.ones(len(rows), np.bool_)), *repeats)
    return OrderLog(rows, times, notes=notes, digest=digest_of_file(file), **found)


def _repeated(*columns: Array) -> Array:
    """Which rows (rows,) are equal to an earlier one."""
    import pandas as pd

    return np.asarray(pd.DataFrame(dict(enumerate(columns))).duplicated())


def _times(rows: Rows, name: str) -> Times:
    times = times_of(rows, name)
    rows.refuse(name, np.isnan(times.values), "empty cells")
    return times


def _clients(rows: Rows, name: str) -> Names:
    clients = _names(rows, name)
    rows.refuse(name, clients.number < 0, "empty cells")
    return clients


def _names(rows: Rows, name: str) -> Names:
    import pandas as pd

    number, names = pd.factorize(rows.words(name))
    return Names(number, tuple(names))


def _sides(rows: Rows, name: str, given: Mapping[str, tuple[str, ...]]) -> Array:
    return sides_of(rows, name, given, needed=True).astype(np.int8)


def _sizes(rows: Rows, name: str) -> Array:
    sizes = rows.numbers(name)
    rows.refuse(name, np.isnan(sizes), "empty cells")
    rows.refuse(name, sizes <= 0, "sizes that are not above 0", way_out="; the side stands in a column of its own")
    return sizes


def _reservations(rows: Rows, name: str) -> Array:
    limits = rows.numbers(name)
    return np.where(np.isnan(limits), np.inf, limits)


_READERS: Mapping[str, Callable[[Rows, str], Any]] = {
    "time": _times,
    "client": _clients,
    "size": _sizes,
    "reservation": _reservations,
    "asked": _names,
}
