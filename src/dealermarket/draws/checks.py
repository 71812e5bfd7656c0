"""What is handed in from outside, checked before the engine sees it: prices, orders, draws, and whole tapes.

The engine trusts its arrays, since looking at them again at every step would cost more than the step. What the program has
drawn itself is as it must be; everything else comes through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket import laws
from dealermarket.errors import TapeError
from dealermarket.model.scenario import Scenario
from dealermarket.values import short

if TYPE_CHECKING:
    from dealermarket.draws.tape import Tape

Array = NDArray[Any]

SMALLEST_PRICE, LARGEST_PRICE = 1e-100, 1e100
"""Between these, no product of prices, spreads and volatilities leaves what a computer holds."""


def numbers(name: str, given: object, shapes: Sequence[tuple[int, ...]]) -> Array:
    """Finite numbers of one of the shapes, as new array of float64. Raises TapeError."""
    try:
        array = np.asarray(given)
    except (TypeError, ValueError):  # lists of unequal lengths
        array = np.empty(0, np.object_)
    if array.dtype.kind not in "iuf" or np.ma.isMaskedArray(given):  # no complex ones, nor texts
        raise TapeError(f"{name}: must hold numbers, got {short(given)}")
    check_shape(name, array, shapes)
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise TapeError(f"{name}: must hold finite numbers, got {_first(array, ~np.isfinite(array))}")
    return array


def check_shape(name: str, array: Array, shapes: Sequence[tuple[int, ...]]) -> None:
    """Raises TapeError unless the array has one of the shapes."""
    if array.shape not in shapes:
        raise TapeError(f"{name}: must have shape {' or '.join(map(str, shapes))}, got {array.shape}")


def _first(array: Array, wrong: Array) -> str:
    """The first number that is wrong, and where it stands."""
    place = tuple(int(n) for n in np.argwhere(wrong)[0])
    return f"{array[place]!s}{f' at {list(place)}' if place else ''}"


def are_prices(prices: Array) -> bool:
    """Whether all are above 0 and far from the ends of what a computer holds."""
    # NaN fails both comparisons
    return bool(np.min(prices, initial=1.0) >= SMALLEST_PRICE and np.max(prices, initial=1.0) <= LARGEST_PRICE)


def check_prices(name: str, prices: Array) -> None:
    """Raises TapeError unless `are_prices`."""
    if not are_prices(prices):
        found = _first(prices, ~((prices >= SMALLEST_PRICE) & (prices <= LARGEST_PRICE)))
        raise TapeError(f"{name}: must hold finite numbers above 0, from {SMALLEST_PRICE:g} to {LARGEST_PRICE:g}, got {found}")


def check_draws(name: str, draws: Array) -> None:
    """Raises TapeError unless all draws are in [0, 1)."""
    if not (np.min(draws, initial=0.0) >= 0 and np.max(draws, initial=0.0) < 1):
        raise TapeError(f"{name}: must hold numbers in [0, 1), got {_first(draws, ~((draws >= 0) & (draws < 1)))}")


def reservations(given: object, count: int) -> Array:
    """Reservations (count,), which may be infinite, as a new array. Raises TapeError."""
    try:
        limits = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise TapeError(f"reservation: must hold numbers, got {short(given)}") from None
    check_shape("reservation", limits, [(count,)])
    check_reservations(limits)
    return limits


def check_reservations(limits: Array) -> None:
    """Raises TapeError where one is NaN."""
    if np.isnan(limits).any():
        raise TapeError(f"reservation: must hold numbers, got {_first(limits, np.isnan(limits))}; inf takes every quote")


def panels_of(given: object, shape: tuple[int, int]) -> Array:
    """Which makers are asked, as a new array of booleans. Raises TapeError."""
    panels = np.array(given)
    if panels.dtype.kind != "b":
        raise TapeError(f"asked: must hold true or false for each maker, got {short(given)}")
    check_shape("asked", panels, [shape])
    check_panels(panels)
    return panels


def check_panels(panels: Array) -> None:
    """Raises TapeError where nobody is asked."""
    if not panels.any(axis=1).all():
        raise TapeError(f"asked: every order must ask a maker, got none for order {int(np.argmin(panels.any(axis=1)))}")


def order_rows(orders: Iterable[Sequence[float]], fields: str) -> tuple[Array, Array]:
    """Orders as an array (orders, fields + 1), the last column the tie draw, and which of them had one (orders,)."""
    count = len(fields.split(","))
    try:
        rows = [tuple(_number(number) for number in order) for order in orders]
    except (TypeError, ValueError, OverflowError):
        raise TapeError(f"orders: must be rows of numbers ({fields}[, tie draw]), got {short(orders)}") from None
    for n, row in enumerate(rows):
        if len(row) not in (count, count + 1):
            raise TapeError(f"order {n}: must have {count} or {count + 1} numbers ({fields}[, tie draw]), got {row}")
    drawn = np.array([len(row) > count for row in rows], dtype=np.bool_)
    return np.array([(*row, 0.0)[: count + 1] for row in rows]).reshape(-1, count + 1), drawn


def _number(given: Any) -> float:
    if isinstance(given, (complex, str, bytes)):  # of which Python or NumPy would make some number
        raise TypeError
    return float(given)


def check_orders(scenario: Scenario, step: Array, investor: Array, side: Array, size: Array, tie: Array) -> None:
    """Raises TapeError, naming the first wrong order, unless all can be traded; each array is (orders,)."""
    largest, investors = scenario.exchange.largest_trade, len(scenario.agents)
    allowed = {
        f"step: must be a whole number in 0..{scenario.steps - 1}": (step == np.floor(step))
        & (step >= 0)
        & (step < scenario.steps),
        f"investor: must be a number in 0..{investors - 1}": (investor == np.floor(investor))
        & (investor >= 0)
        & (investor < investors),
        "side: must be +1 (buys) or -1 (sells)": (side == 1) | (side == -1),
        f"size: must be above 0 and at most 0.99 v_max = {largest:g}": (size > 0) & (size <= largest),
        "tie: must be in [0, 1)": (tie >= 0) & (tie < 1),
    }
    for rule, holds in allowed.items():
        if not holds.all():
            n = int(np.argmin(holds))
            order = (step[n], investor[n], side[n], size[n], tie[n])
            raise TapeError(f"order {n} (step, investor, side, size, tie) = {tuple(float(x) for x in order)}: {rule}")


def fitted(tape: Tape, scenario: Scenario) -> Tape:
    """The tape as the scenario's engine may read it: checked, and with the prices of its own exchange for every order.

    The tape may have been drawn for a scenario with another exchange, or made by hand. Raises TapeError."""
    from dealermarket.draws.arithmetic import log_curves

    replicas, steps, horizon = len(tape.reference_spread), scenario.steps, scenario.reward_horizon
    makers, participants, count = len(scenario.makers), len(scenario.participants), len(tape.investor)
    shapes = {
        "mid": (replicas, steps + horizon),
        "reference_spread": (replicas, steps),
        "order_start": (replicas, steps + 1),
        "hedge_tie": (replicas, steps, makers),
        "tie_order": (replicas, makers, participants),
        "capped": (replicas,),
    } | dict.fromkeys(("side", "size", "tie"), (count,))
    shapes |= {"reservation": (len(tape.reservation) and count,), "asked": (len(tape.asked) and count, makers)}  # or none
    for name, shape in shapes.items():
        found = getattr(tape, name).shape
        if replicas == 0 or found != shape:
            raise TapeError(
                f"tape: does not fit a scenario of {steps} steps, t_m = {horizon}, {makers} makers, {participants} participants: "
                f"{name} must have shape {shape}, got {found}"
            )
    for name in ("mid", "reference_spread"):
        check_prices(name, getattr(tape, name))
    check_draws("hedge_tie", tape.hedge_tie)
    check_tie_order("tie_order", tape.tie_order)
    starts = tape.order_start
    rises = starts[0, 0] == 0 and starts[-1, -1] == count and (starts[:, 1:] >= starts[:, :-1]).all()
    if not (rises and (starts[1:, 0] == starts[:-1, -1]).all()):
        raise TapeError(
            f"order_start: must rise from 0 to the number of orders, {count}, step by step and replica by replica, "
            f"got {short(starts.tolist())}"
        )
    check_orders(scenario, tape.orders[:, 1], tape.investor, tape.side, tape.size, tape.tie)
    check_reservations(tape.reservation)
    asked = tape.asked.view(np.uint8) > 0  # other bytes than 0 and 1 are not the same to all who read them
    check_panels(asked)
    exchange = scenario.exchange
    return replace(tape, asked=asked, log_curve=log_curves(tape.size, exchange.v_max, laws.curve_exponent(exchange.lam)))


def check_tie_order(name: str, order: Array) -> None:
    """Raises TapeError unless each row, along the last axis, holds every participant's number once."""
    wrong = np.sort(order, axis=-1) != np.arange(order.shape[-1])
    if wrong.any():
        row = order[np.nonzero(wrong.any(axis=-1))][0]
        raise TapeError(f"{name}: each maker's row must hold the numbers 0..{len(row) - 1} once each, got {short(row.tolist())}")
