"""Orders handed in from outside: rows of numbers, checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import TapeError
from dealermarket.model.scenario import Scenario
from dealermarket.values import short

Array = NDArray[Any]


def check_draws(name: str, draws: Array) -> None:
    """Raises TapeError unless all draws are in [0, 1)."""
    if not ((draws >= 0) & (draws < 1)).all():
        raise TapeError(f"{name}: must hold numbers in [0, 1), got {short(draws.tolist())}")


def order_rows(orders: Iterable[Sequence[float]], fields: str) -> tuple[Array, Array]:
    """Orders as an array (orders, fields + 1), the last column the tie draw, and which of them had one (orders,)."""
    count = len(fields.split(","))
    try:
        rows = [tuple(float(number) for number in order) for order in orders]
    except (TypeError, ValueError):
        raise TapeError(f"orders: must be rows of numbers ({fields}[, tie draw]), got {short(orders)}") from None
    for n, row in enumerate(rows):
        if len(row) not in (count, count + 1):
            raise TapeError(f"order {n}: must have {count} or {count + 1} numbers ({fields}[, tie draw]), got {row}")
    drawn = np.array([len(row) > count for row in rows], dtype=np.bool_)
    return np.array([(*row, 0.0)[: count + 1] for row in rows]).reshape(-1, count + 1), drawn


def check_orders(scenario: Scenario, rows: Array) -> None:
    """Raises TapeError, naming the first wrong order, unless all can be traded.

    `rows` (orders, 5): step, number of the investor, side, size and tie draw.
    """
    step, investor, side, size, tie = rows.T
    allowed = {
        f"step: must be a whole number in 0..{scenario.steps - 1}": (step == np.floor(step))
        & (step >= 0)
        & (step < scenario.steps),
        f"investor: must be a number in 0..{len(scenario.agents) - 1}": (investor == np.floor(investor))
        & (investor >= 0)
        & (investor < len(scenario.agents)),
        "side: must be +1 (buys) or -1 (sells)": np.abs(side) == 1,
        f"size: must be above 0 and at most 0.99 v_max = {scenario.exchange.largest_trade:g}": (size > 0)
        & (size <= scenario.exchange.largest_trade),
        "tie: must be in [0, 1)": (tie >= 0) & (tie < 1),
    }
    for rule, holds in allowed.items():
        if not holds.all():
            n = int(np.argmin(holds))
            order = (step[n], investor[n], side[n], size[n], tie[n])
            raise TapeError(f"order {n} (step, investor, side, size, tie) = {tuple(float(x) for x in order)}: {rule}")
    if len(np.unique(np.stack([step, investor]), axis=1).T) < len(step):
        raise TapeError("orders: an investor trades at most once a step; merge its orders or add an investor")
