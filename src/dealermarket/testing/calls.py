"""What is called and what it returns, in one form for vector and scalar environments."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dealermarket.testing.differences import leaves


class Call(NamedTuple):
    """One call of a vector environment: a step if there are actions, a reset otherwise."""

    at: str
    actions: Any = None
    seed: int | list[int | None] | None = None
    mask: np.ndarray | None = None


class Row(NamedTuple):
    """What one call returned for one sub-environment; a reset has reward 0 and no flag."""

    observation: Any
    reward: Any
    terminated: Any
    truncated: Any
    info: dict[str, Any]
    event: str = ""


# all calls of a run, and what each returned
Tape = list[tuple[Call, list[Row]]]


def which_ended(rows: list[Row]) -> np.ndarray:
    """Whether each sub-environment's episode ended with this call."""
    return np.array([bool(row.terminated or row.truncated) for row in rows])


def streams_of(tape: Tape) -> list[bytes]:
    """All that each sub-environment did, info apart, as bytes that are quick to compare."""
    return [
        b"".join(
            np.asarray(leaf).tobytes() for call, rows in tape if call.mask is None or call.mask[i] for leaf in leaves(rows[i][:4])
        )
        for i in range(len(tape[0][1]))
    ]


def first_repeat(streams: list[bytes]) -> tuple[int, int] | None:
    """The places of the first stream that occurs again, if any."""
    seen: dict[bytes, int] = {}
    for j, stream in enumerate(streams):
        if (i := seen.setdefault(stream, j)) != j:
            return i, j
    return None
