"""What a first hedge costs more than the best schedule, against one rival and against several: for `hedging.py`.

The optimum against one rival is Newton's (`best_schedule`, from several starts), which tests hold against SciPy; against
several it is dynamic programming on the envelope, on a grid and then on finer ones around the best path.
"""

from __future__ import annotations

import numpy as np

from dealermarket.compiled import compiled
from dealermarket.engine.hedge_tables import CAP, best_schedule, best_trades, trade_cost
from dealermarket.engine.planning import planned_fraction
from dealermarket.laws import relative_spread
from dealermarket.model.makers.hedging import Situation

HALF_SPREAD = 7.5e-5
POINTS = 240  # of the grid over a position, about
TAUS = 24
FINE = 9  # points a step around the best path so far
NARROWEST = 1e-6


@compiled
def later(total, passed, risk, steps, alpha, k):
    """The least cost of trading `total` in so many steps, `passed` being the sum of squares of what was left before."""
    if total <= 1e-14:
        return 0.0
    left = np.maximum(total - CAP * np.arange(1, steps), 0.0)
    best = np.inf
    for ratio in (0.0, 0.1, 0.5, 0.9, 1.0):
        start = total * (1.0 - np.arange(1, steps) / steps) if ratio == 1.0 else total * ratio ** np.arange(1.0, steps)
        best = min(best, best_trades(np.maximum(start, left), total, passed, risk, alpha, k))
    return best


@compiled
def loss_of(first, q, risk, horizon, alpha, k):
    """What a first fraction and the best continuation cost more than the best schedule, as a share, against one rival."""
    fastest, best = np.maximum(q - CAP * np.arange(1, horizon), 0.0), np.inf
    for ratio in (0.0, 0.1, 0.5, 0.9, 1.0):
        start = q * (1.0 - np.arange(1, horizon) / horizon) if ratio == 1.0 else q * ratio ** np.arange(1.0, horizon)
        best = min(best, best_schedule(q, risk, horizon, alpha, k, np.maximum(start, fastest))[1])
    trade = min(first * q, CAP)
    left = q - trade if q - trade > 1e-15 * q else 0.0
    return (trade_cost(trade, alpha, k)[0] + later(left, left * left, risk, horizon - 1, alpha, k)) / q / best - 1.0


@compiled
def engine_first(rules, market, size, risk):
    """The engine's own first fraction for maker 0, who buys."""
    situation = Situation(-size, size, 1, 1.0, HALF_SPREAD, 1.0, 1.0, CAP * rules.v_max, 0, rules, market)
    return planned_fraction(situation, risk * HALF_SPREAD)


@compiled
def envelope_cost(v, alphas, extras, k):
    """What a trade of v costs with the cheapest rival, in half spreads times v_max."""
    if v <= 0.0:
        return 0.0
    if v > CAP * (1.0 + 1e-12):
        return np.inf
    curve, least = relative_spread(min(v, CAP), k), np.inf
    for n in range(len(alphas)):
        least = min(least, curve ** alphas[n] + extras[n])
    return v * least


@compiled
def path_cost(path, passed, risk, alphas, extras, k):
    """E + G sd of a path of what is left, from all to nothing."""
    cost, squares = 0.0, passed
    for n in range(len(path) - 1):
        cost += envelope_cost(path[n] - path[n + 1], alphas, extras, k)
        squares += path[n] ** 2 if n > 0 else 0.0
    return cost + risk * np.sqrt(squares)


@compiled
def coarse_path(q, passed, risk, steps, alphas, extras, k):
    """The best path on one grid, and its cost; for each tau the deviation sqrt(V) is taken as (V / tau + tau) / 2."""
    points = steps * max(POINTS // steps, 1)
    cost = np.array([envelope_cost(q * n / points, alphas, extras, k) for n in range(points + 1)])
    most = points
    while cost[most] == np.inf:
        most -= 1
    best = np.linspace(q, 0.0, steps + 1)
    least, value, path = path_cost(best, passed, risk, alphas, extras, k), np.empty((steps, points + 1)), np.empty(steps + 1)
    for t in range(TAUS):
        tau = np.sqrt(passed) + q * (0.5 / points) * (np.sqrt(steps) * points / 0.5) ** (t / (TAUS - 1))
        for n in range(steps - 1, 0, -1):
            row = value[n]
            if n == steps - 1:
                row[:] = cost
            else:
                row[:] = np.inf
                for trade in range(most + 1):
                    for y in range(trade, points + 1):
                        row[y] = min(row[y], cost[trade] + value[n + 1, y - trade])
            for y in range(points + 1):
                row[y] += 0.5 * risk / tau * (q * y / points) ** 2
        left, path[0] = points, q
        for n in range(steps):
            chosen = left
            if n < steps - 1:
                lowest = np.inf
                for trade in range(min(left, most) + 1):
                    total = cost[trade] + value[n + 1, left - trade]
                    if total < lowest:
                        lowest, chosen = total, trade
            left -= chosen
            path[n + 1] = q * left / points
        found = path_cost(path, passed, risk, alphas, extras, k)
        if found < least:
            least = found
            best[:] = path
    return least, best


@compiled
def refined(path, least, passed, risk, alphas, extras, k):
    """The cost of the path after it was improved, in place, on narrower and narrower grids around it."""
    steps, q = len(path) - 1, path[0]
    levels, value = np.empty((steps + 1, FINE)), np.empty((steps + 1, FINE))
    choice, candidate, width = np.empty((steps + 1, FINE), np.int64), np.empty(steps + 1), 2.0 * q / POINTS
    while width > NARROWEST * q:
        squares = passed
        for n in range(1, steps):
            squares += path[n] ** 2
        weight = 0.5 * risk / max(np.sqrt(squares), 1e-12 * q)
        for n in range(steps + 1):
            for f in range(FINE):
                levels[n, f] = min(max(path[n] + width * (f - FINE // 2) / (FINE // 2), 0.0), q)
        levels[0, :], levels[steps, :], value[steps, :] = q, 0.0, 0.0
        for n in range(steps - 1, -1, -1):
            for f in range(FINE):
                lowest, chosen = np.inf, 0
                for g in range(FINE):
                    if levels[n, f] - levels[n + 1, g] >= -1e-15 * q:
                        total = envelope_cost(levels[n, f] - levels[n + 1, g], alphas, extras, k) + value[n + 1, g]
                        if total < lowest:
                            lowest, chosen = total, g
                value[n, f] = lowest + (weight * levels[n, f] ** 2 if n > 0 else 0.0)
                choice[n, f] = chosen
        f, candidate[0] = 0, q
        for n in range(steps):
            f = choice[n, f]
            candidate[n + 1] = levels[n + 1, f]
        found = path_cost(candidate, passed, risk, alphas, extras, k)
        if found < least * (1.0 - 1e-13):
            least = found
            path[:] = candidate
        else:
            width *= 0.6
    return least


@compiled
def best_on_envelope(q, passed, risk, steps, alphas, extras, k, hint):
    """The least cost of trading q in so many steps, and its path; `hint` is another path to start from, if it has as many."""
    if q > CAP * steps * (1.0 - 1e-9) or steps == 1:
        path = np.linspace(q, 0.0, steps + 1)
        return path_cost(path, passed, risk, alphas, extras, k), path
    least, path = coarse_path(q, passed, risk, steps, alphas, extras, k)
    least = refined(path, least, passed, risk, alphas, extras, k)
    for n in range(12):  # all at once is a kink that grids do not leave; then the hint
        other = path.copy()
        if n == 11 and len(hint) == steps + 1 and hint[0] > 0.0:
            other = hint * (q / hint[0])
        elif path[1] == 0.0:
            other[1] = 0.5 * q / POINTS * 0.3**n
        found = path_cost(other, passed, risk, alphas, extras, k)
        if found < np.inf and (n == 11 or found < least):
            found = refined(other, found, passed, risk, alphas, extras, k)
            if found < least:
                least, path = found, other
    return least, path


@compiled
def loss_on_envelope(first, q, risk, horizon, alphas, extras, k):
    """What a first fraction and the best continuation cost more than the best schedule, as a share, against several."""
    best, path = best_on_envelope(q, 0.0, risk, horizon, alphas, extras, k, np.zeros(0))
    trade = min(first * q, CAP)
    left, cost = q - trade, envelope_cost(trade, alphas, extras, k)
    if left > 1e-13 * q:
        cost += best_on_envelope(left, left * left, risk, horizon - 1, alphas, extras, k, path[1:].copy())[0]
    return cost / min(best, cost) - 1.0
