"""Tables of the optimal first hedge against one rival, in dimensionless numbers.

Against a rival who quotes `half_spread (S_ref(v)/S_ref(0))^alpha + constant`, the best schedule depends on
q = |z| / v_max, G = gamma s / half_spread, alpha, lam and the horizon H alone (section 3.3, eq. 7). For each (alpha,
lam, H) a table over (q, G) holds the first fraction x_0 and the value of the optimum; the engine interpolates.

The optimum itself is found exactly. In units of v_max, with F(v) = v g(v)^alpha and Y_k the size left after trade k,
sum F(Y_{k-1} - Y_k) + G sqrt(sum Y_k^2) is convex in the Y_k; its Hessian is tridiagonal plus a rank-one term, so a Newton
step costs O(H). Trades fall from step to step: those at the cap of 0.99 v_max come first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket import interrupt, laws
from dealermarket.cache import cache_folder
from dealermarket.compiled import COMPILES, compiled, kernel
from dealermarket.disk import replacing
from dealermarket.errors import RunFolderError
from dealermarket.laws import marginal_spread, relative_spread

Floats = NDArray[np.float64]

CAP = laws.LARGEST_TRADE
BELOW_CAP = 64  # intervals in sqrt(q) over [0, CAP], where the whole position can trade at once
SMOOTH = 60  # of which so many are used
STEEP_FROM = CAP * (SMOOTH / BELOW_CAP) ** 2
NEAR_CAP = 16  # intervals in log(1 - q) over [STEEP_FROM, CAP], where the curve gets steep
ABOVE_CAP = 32  # intervals in sqrt(q / CAP - 1) over [CAP, CAP H]
AT_CAP = SMOOTH + NEAR_CAP  # the row of q = CAP
SIZES = AT_CAP + ABOVE_CAP + 1  # rows
RISKS = 96  # intervals in the risk axis, see `risk_coordinate`
LARGEST_RISK = 1e7  # stands for infinity, in units of the scale
STEEP = 300.0  # the largest scale of the risk axis, in half spreads: steep curves are told apart below it


class Table(NamedTuple):
    """One table: x_0 and the logarithm of the optimum's value, over sizes and risks."""

    horizon: int
    least: float  # the least price of the curve, in units of its level
    scale: Floats  # (sizes,): the scale of the risk axis over q
    nodes: Floats  # (sizes, risks, 2): see `write_node`
    alpha: float = 0.0  # of the curve, where it is a power of the reference curve, else 0, and
    k: float = 0.0  # the exponent of the latter
    jumps: Floats = np.empty(0)  # (n,): the sizes beyond which the price jumps, as shares of v_max, rising


class HedgeTables(NamedTuple):
    """What `interpolate` reads: tables one behind the other."""

    horizon: Floats  # (tables,)
    least: Floats  # (tables,)
    scale: Floats  # (tables, sizes)
    nodes: Floats  # (tables, sizes, risks, 2)
    alpha: Floats  # (tables,)
    k: Floats  # (tables,)
    jumps: Floats  # (tables, as many as the most has), infinite beyond a table's own


@compiled
def trade_cost(v, alpha, k):
    """F(v) = v g(v)^alpha with F' and F''; continued as a parabola below 0 and above CAP, where no optimum lies."""
    inside = min(max(v, 0.0), CAP)
    g = relative_spread(inside, k)
    price = marginal_spread(inside, k)
    slope = (price - g) / inside if inside > 1e-5 else 0.5 * (1.0 - k)  # g'(v)
    mixed = (1.0 - alpha) * g + alpha * price
    power = g ** (alpha - 1.0)
    first = power * mixed
    bend = (1.0 - k) * price / (1.0 - inside)  # the slope of `price`
    second = power * ((alpha - 1.0) * slope / g * mixed + (1.0 - alpha) * slope + alpha * bend)
    beyond = v - inside
    return inside * power * g + first * beyond + 0.5 * second * beyond * beyond, first + second * beyond, second


@compiled
def schedule_value(left, total, passed, risk, alpha, k):
    """Cost sum F + G sqrt(sum Y^2) of the trades that leave `left`; `passed` is the sum of Y^2 before them."""
    cost, squares, before = 0.0, passed, total
    for n in range(len(left)):
        cost += trade_cost(before - left[n], alpha, k)[0]
        before = left[n]
        squares += before * before
    return cost + trade_cost(before, alpha, k)[0] + risk * np.sqrt(squares)


@compiled
def newton_step(left, total, passed, risk, alpha, k, step):
    """Writes the Newton step of `schedule_value` to `step`; returns its slope along the step (< 0 but at the optimum)."""
    count = len(left)
    squares = passed
    for n in range(count):
        squares += left[n] * left[n]
    norm = max(np.sqrt(squares), 1e-200)
    gradient, pull = np.empty(count), np.empty(count)  # `pull`: the tridiagonal part's answer to the rank-one vector
    upper = np.empty(count)
    _, first, second = trade_cost(total - left[0], alpha, k)
    for n in range(count):
        after = left[n + 1] if n + 1 < count else 0.0
        _, next_first, next_second = trade_cost(left[n] - after, alpha, k)
        gradient[n] = next_first - first + risk * left[n] / norm
        diagonal = second + next_second + risk / norm
        pivot = diagonal + (second * upper[n - 1] if n > 0 else 0.0)
        upper[n] = -next_second / pivot
        step[n] = (-gradient[n] + (second * step[n - 1] if n > 0 else 0.0)) / pivot
        pull[n] = (left[n] / norm + (second * pull[n - 1] if n > 0 else 0.0)) / pivot
        first, second = next_first, next_second
    for n in range(count - 2, -1, -1):
        step[n] -= upper[n] * step[n + 1]
        pull[n] -= upper[n] * pull[n + 1]
    along, own = 0.0, 0.0
    for n in range(count):
        along += left[n] / norm * step[n]
        own += left[n] / norm * pull[n]
    weight = risk / norm
    factor = weight * along / max(1.0 - weight * own, 1e-12)
    slope = 0.0
    for n in range(count):
        step[n] += factor * pull[n]
        slope += gradient[n] * step[n]
    return slope


@compiled
def minimise(left, total, passed, risk, alpha, k):
    """Moves `left` to the minimum of `schedule_value` by Newton's method; returns the value there."""
    step, trial = np.empty_like(left), np.empty_like(left)
    value = schedule_value(left, total, passed, risk, alpha, k)
    for _ in range(200):
        slope = newton_step(left, total, passed, risk, alpha, k, step)
        if slope > -1e-13 * value:
            break
        length, reached = 1.0, np.inf
        while length > 1e-9:
            for n in range(len(left)):
                trial[n] = left[n] + length * step[n]
            reached = schedule_value(trial, total, passed, risk, alpha, k)
            if reached <= value + 1e-4 * length * slope:
                break
            length *= 0.5
        if not reached < value:
            break
        left[:] = trial
        value = reached
    return value


@compiled
def best_trades(left, total, passed, risk, alpha, k):
    """Cost sum F + G sqrt(sum Y^2) of the best len(left) + 1 trades of `total`, none beyond CAP; `passed` is the sum of Y^2
    before them, this total's included.

    `left` is where the search starts and receives the optimum. The first trades are at CAP: as few as leave none beyond it."""
    too_few, enough, capped = -1, min(len(left), int(np.ceil(total / CAP))), 0
    while True:
        cost, remaining, squares = 0.0, total, passed
        for n in range(capped):
            cost += trade_cost(CAP, alpha, k)[0]
            remaining = max(remaining - CAP, 0.0)
            squares += remaining * remaining
            left[n] = remaining
        for n in range(capped, len(left)):
            left[n] = min(left[n], remaining)
        if capped == len(left):
            return cost + trade_cost(remaining, alpha, k)[0] + risk * np.sqrt(squares)
        value = cost + minimise(left[capped:], remaining, squares, risk, alpha, k)
        if capped == enough or remaining - left[capped] <= CAP * (1.0 + 1e-9):
            enough = capped
        else:
            too_few = capped
        if enough == too_few + 1 and capped == enough:
            return value
        capped = max(min((too_few + enough) // 2, 2 * too_few + 1), too_few + 1)  # few, as a rule


@compiled
def best_schedule(total, risk, horizon, alpha, k, left):
    """First fraction x_0 and value E + G sd (in half spreads) of the best schedule of `total` = q at `risk` = G.

    `left` (horizon - 1,) is where the search starts, in units of v_max, and receives the optimum.
    """
    if total <= CAP and (horizon == 1 or risk >= trade_cost(total, alpha, k)[1] - 1.0):
        return 1.0, relative_spread(total, k) ** alpha
    if total >= CAP * horizon:
        return CAP / total, np.inf  # cannot be done within the horizon
    # sqrt(sum Y^2) has a kink at Y = 0, all traded at once, that Newton's method could fall into and not leave; it never
    # goes up, so it need only start below. Not all at once is better, thus a small and quickly falling Y is.
    ratio = 0.5
    while total <= CAP and ratio > 1e-15 and schedule_value(left, total, 0.0, risk, alpha, k) >= trade_cost(total, alpha, k)[0]:
        for n in range(horizon - 1):
            left[n] = total * ratio ** (n + 1)
        ratio *= 0.5
    value = best_trades(left, total, 0.0, risk, alpha, k)
    return min((total - left[0]) / total, 1.0), value / total


@kernel
def risk_coordinate(risk, scale):
    """Position of a risk in the risk axis, in intervals: r / (1 + r) with r = (risk / scale)^(1/4), fine at both ends."""
    r = np.sqrt(np.sqrt(risk / max(scale, 1e-300)))
    return RISKS * (1.0 - 1.0 / (1.0 + r))


def size_of_row(i, horizon):
    """Q of a row of a table."""
    if i <= SMOOTH:
        q = max(CAP * (i / BELOW_CAP) ** 2, 1e-6)
    elif i < AT_CAP:
        q = 1.0 - (1.0 - STEEP_FROM) * ((1.0 - CAP) / (1.0 - STEEP_FROM)) ** ((i - SMOOTH) / NEAR_CAP)
    else:
        q = CAP * (1.0 + (horizon - 1.0) * ((i - AT_CAP) / ABOVE_CAP) ** 2)
    return min(q, CAP * horizon * (1.0 - 1e-9))


@kernel
def unavoidable_deviation(q):
    """The least sqrt(sum y_k^2) of all schedules: that of trading CAP as long as more is left; 0 up to CAP."""
    if q <= CAP:
        return 0.0
    n = np.ceil(q / CAP) - 1.0  # trades that leave something
    last = max(q - n * CAP, 0.0)
    squares = n * (last * (last + (n - 1.0) * CAP) + (n - 1.0) * (2.0 * n - 1.0) / 6.0 * CAP * CAP)
    return np.sqrt(squares) / q


@kernel
def growth(q, horizon, alpha, k):
    """The logarithm of what equal trades of q cost, each, in units of what those of CAP do; 0 up to CAP."""
    if q <= CAP or alpha == 0.0:
        return 0.0
    return alpha * np.log(relative_spread(q / horizon, k) / relative_spread(CAP / horizon, k))


@kernel
def write_node(node, q, risk, first, value, least, grown):
    """What a table holds of an optimum, so that it is interpolated well on both sides of CAP: what the first trade leaves of
    the largest that is possible, as a share of it, and the logarithm of the value without the risk that no schedule avoids,
    less `growth`. `least` is the least of all values without risk."""
    node[0] = min(max(1.0 - first / min(1.0, CAP / q), 0.0), 1.0)
    node[1] = np.log(max(value - risk * unavoidable_deviation(q), least)) - grown


@kernel
def value_beyond_cap(held, q, risk, horizon, alpha, k):
    """The value of an optimum for q above CAP, from what a table holds of it."""
    return np.exp(held + growth(q, horizon, alpha, k)) + risk * unavoidable_deviation(q)


@kernel
def first_trade(left, size):
    """The first trade of a position of `size`, where a table has `left` of the largest that is possible; in its unit."""
    return (1.0 - left) * min(size, CAP)


@compiled
def fill_row(i, horizon, alpha, k, scale, nodes):
    """Fills row i of a table: of `scale` (sizes,) and of `nodes` (sizes, risks, 2)."""
    q = size_of_row(i, horizon)
    # the risk at which a small position trades at once, softened where the curve gets steep
    scale[i] = min(trade_cost(q / (1.0 + q), alpha, k)[1] - 1.0, STEEP) / q
    left = q * (1.0 - np.arange(1, horizon) / horizon)
    evenly = relative_spread(q / horizon, k) ** alpha
    fastest = np.maximum(q - CAP * np.arange(1, horizon), 0.0)
    for j in range(RISKS + 1):
        r = j / (RISKS - j) if j < RISKS else np.inf
        risk = scale[i] * q * min(r**4, LARGEST_RISK)
        # the search starts at the optimum of the last node, or where that is better at once at the fastest schedule
        if q > CAP and schedule_value(fastest, q, 0.0, risk, alpha, k) < schedule_value(left, q, 0.0, risk, alpha, k):
            left[:] = fastest
        first, value = best_schedule(q, risk, horizon, alpha, k, left)
        write_node(nodes[i, j], q, risk, first, value, evenly, growth(q, horizon, alpha, k))


@kernel
def size_cell(q, horizon):
    """The rows i and i + 1 that q lies between, and how far in, as a share; q below CAP H."""
    if q <= CAP:
        u = BELOW_CAP * np.sqrt(q / CAP)
        if u >= SMOOTH:
            u = SMOOTH + NEAR_CAP * np.log((1.0 - STEEP_FROM) / (1.0 - q)) / np.log((1.0 - STEEP_FROM) / (1.0 - CAP))
        i = min(int(u), AT_CAP - 1)
        return i, u - i
    u = ABOVE_CAP * np.sqrt((q / CAP - 1.0) / (horizon - 1.0))
    n = min(int(u), ABOVE_CAP - 1)
    a = u - n
    return AT_CAP + n, a * (2.0 * n + a) / (2.0 * n + 1.0)  # in q: equal trades are interpolated exactly


@kernel
def interpolate(tables, table, i, a, q, risk, level):
    """x_0 and the value of the optimum (in `level`, the half spread) at `risk` = gamma s, in size cell (i, a) of q."""
    scale, nodes = tables.scale[table], tables.nodes[table]
    w = risk_coordinate(risk, level * q * ((1.0 - a) * scale[i] + a * scale[i + 1]))
    j = min(int(w), RISKS - 1)
    b = w - j
    here, next_risk = (1.0 - a) * (1.0 - b), (1.0 - a) * b
    next_size, both = a * (1.0 - b), a * b
    left = here * nodes[i, j, 0] + next_risk * nodes[i, j + 1, 0] + next_size * nodes[i + 1, j, 0] + both * nodes[i + 1, j + 1, 0]
    value = (
        here * nodes[i, j, 1] + next_risk * nodes[i, j + 1, 1] + next_size * nodes[i + 1, j, 1] + both * nodes[i + 1, j + 1, 1]
    )
    if q <= CAP:
        return 1.0 - left, np.exp(value)
    return (1.0 - left) * CAP / q, value_beyond_cap(
        value, q, risk / max(level, 1e-200), tables.horizon[table], tables.alpha[table], tables.k[table]
    )


@compiled
def lookup(tables, table, q, risk):
    """x_0 and the value of the optimum (in half spreads) for a position of `q` = |z| / v_max at `risk` = G."""
    if q >= CAP * tables.horizon[table]:
        return CAP / q, np.inf
    i, a = size_cell(q, tables.horizon[table])
    return interpolate(tables, table, i, a, q, risk, 1.0)


def build_table(alpha: float, lam: float, horizon: int) -> tuple[Floats, Floats]:
    """`scale` and `nodes` of one table, computed. Ctrl-C is answered between its rows."""
    scale, nodes = np.empty(SIZES), np.empty((SIZES, RISKS + 1, 2))
    for i in range(SIZES):
        interrupt.check()
        fill_row(i, horizon, float(alpha), laws.curve_exponent(lam), scale, nodes)
    return scale, nodes


def stored(name: str, build: Callable[[], tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    """`scale` and `nodes` from the cache on disk, which they join if they were not there; a broken file is replaced.

    Plain Python takes what machine code has made, but keeps its own apart, whose last bits are others."""
    folder = cache_folder()
    if folder is None:
        return build()
    made, plain = (folder / "hedging" / f"{name}{suffix}.npz" for suffix in ("", "-plain"))
    for path in (made,) if COMPILES else (made, plain):
        known = _read(path)
        if known is not None:
            return known
    path = made if COMPILES else plain
    scale, nodes = build()
    with suppress(OSError, RunFolderError):  # a full disk costs the cache, not the run
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, scale=scale, nodes=nodes)
    return scale, nodes


def _read(path: Path) -> tuple[Floats, Floats] | None:
    """A table's `scale` and `nodes`; None where there is no file, or a broken one."""
    try:
        with path.open("rb") as content, np.load(content) as kept:
            scale, nodes = kept["scale"], kept["nodes"]
    except Exception:
        return None
    return (scale, nodes) if scale.shape == (SIZES,) and nodes.shape == (SIZES, RISKS + 1, 2) else None


def table_name(*parts: object) -> str:
    """The name of a table that depends on these and on the text of this module."""
    code = Path(__file__).read_bytes() + Path(laws.__file__).read_bytes()
    return hashlib.sha256(code + repr(parts).encode()).hexdigest()[:24]


@lru_cache(maxsize=64)  # a study has hundreds of variants with the same few tables
def power_table(alpha: float, lam: float, horizon: int) -> Table:
    """The table against the reference curve to the power `alpha`."""
    name = table_name(float(alpha), float(lam), horizon)
    scale, nodes = stored(name, lambda: build_table(alpha, lam, horizon))
    return Table(horizon, 1.0, scale, nodes, float(alpha), laws.curve_exponent(float(lam)))


def stacked(tables: Sequence[Table]) -> HedgeTables:
    """Tables one behind the other, in order; one unused where there are none."""
    made = list(tables) or [power_table(1.0, 2.0, 1)]
    jumps = np.full((len(made), max(len(table.jumps) for table in made)), np.inf)
    for row, table in zip(jumps, made, strict=True):
        row[: len(table.jumps)] = table.jumps
    return HedgeTables(
        np.array([table.horizon for table in made], dtype=np.float64),
        np.array([table.least for table in made]),
        np.stack([table.scale for table in made]),
        np.stack([table.nodes for table in made]),
        np.array([table.alpha for table in made]),
        np.array([table.k for table in made]),
        jumps,
    )
