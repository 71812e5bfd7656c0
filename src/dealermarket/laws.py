"""The laws of the market, one plain function each: the only place where a formula of the model is written.

Every function takes numbers or NumPy arrays that broadcast. The public methods call them as they stand; the engine
compiles the same functions. Section and equation numbers are those of Ganesh et al. (2019), *Multi-Agent Simulation
for Pricing and Hedging in a Dealer Market*. Prices, spreads and costs are in price units, sizes in units of the
asset, time in years unless a name says otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LARGEST_TRADE = 0.99
"""The largest size that can trade at once, as a share of v_max: the reference curve has no liquidity at v_max."""

ROUNDING = 1e-12
"""The largest position that rounding alone leaves, as a share of the volume that made it."""

_TINY = 1e-300  # stands for 0 where 0/0 has the limit 1: log1p and expm1 return it unchanged


def curve_exponent(lam: Any) -> Any:
    """`k = (lam - 2) / (lam - 1)`, the reciprocal of the paper's omega (section 3.1); 0 at lam = 2."""
    return (lam - 2.0) / (lam - 1.0)


def relative_spread(fraction: Any, k: Any) -> Any:
    """S_ref(v) / S_ref(0) for `fraction` = v / v_max in [0, 1) and `k` of :func:`curve_exponent` (section 3.1, A.1).

    The paper's two branches in one form, exact to a few 1e-16 for every lam and size
    (a little more where the curve is steep: rounding of k L):
    `(-L / vt) exprel(k L)` with `L = log(1 - vt)` and `exprel(x) = (e^x - 1) / x`.
    """
    fraction = fraction + (fraction == 0) * _TINY
    log_left = np.log1p(-fraction)
    x = k * log_left
    x = x + (x == 0) * _TINY
    return (-log_left / fraction) * (np.expm1(x) / x)


def marginal_spread(fraction: Any, k: Any) -> Any:
    """The price of the next unit, d(v S_ref(v))/dv / S_ref(0) = (1 - v/v_max)^(k - 1) (Appendix A.1)."""
    return (1.0 - fraction) ** (k - 1.0)


def power_curve(log_curve: Any, alpha: Any) -> Any:
    """(S_ref(v) / S_ref(0))^alpha, the paper's quote in units of S_ref(0) (section 3.3, eq. 5).

    `log_curve` = log(S_ref(v) / S_ref(0)).
    """
    return np.exp(alpha * log_curve)


def skewed_level(level: Any, skew: Any) -> Any:
    """The level times 1 + eps: what a maker's curve is a multiple of for clients on one side (follow-up paper).

    `level` is S_ref(0), as a rule; the heuristic maker has no skew."""
    return level * (1.0 + skew)


def quoted_spread(level: Any, relative: Any, surcharge: Any) -> Any:
    """A maker's cost per unit for a trade (section 3.3, eq. 5).

    `relative` is the maker's curve in units of the skewed `level`; `surcharge` = delta u for the paper's maker.
    """
    return level * relative + surcharge


def log_drift(drift: Any, volatility: Any, dt: Any) -> Any:
    """(mu - sigma^2 / 2) dt: the mean of log(P_t / P_{t-1}) of a geometric Brownian motion (section 3.1)."""
    return (drift - 0.5 * volatility * volatility) * dt


def log_growth(normal: Any, mean: Any, std: Any) -> Any:
    """P_t / P_{t-1} for a standard normal draw, where its logarithm is normal with this mean and deviation (section 3.1)."""
    return np.exp(mean + std * normal)


def clipped_normal(normal: Any, mean: float, std: float, minimum: float, maximum: float) -> Any:
    """The reference spread s0_t for a standard normal draw (section 3.1)."""
    return np.minimum(np.maximum(mean + std * normal, minimum), maximum)


def order_size(normal: Any, log_mean: Any, log_std: Any) -> Any:
    """A log-normal order size for a standard normal draw (section 3.2)."""
    return np.exp(log_mean + log_std * normal)


def logistic_quantile(uniform: Any, mean: Any, scale: Any) -> Any:
    """The number that a logistic one stays below with probability `uniform`: mean + scale log(U / (1 - U))."""
    return mean + scale * (np.log(uniform) - np.log1p(-uniform))


def trades_at(spread: Any, reference: Any, reservation: Any) -> Any:
    """Whether a request whose best quote is `spread` trades: where that is at most `reservation` times the `reference` curve at
    its size, both in price units (docs/model.md, "Requests")."""
    return spread <= reservation * reference


def order_side(side_draw: Any, oracle_draw: Any, buy_probability: Any, oracle_probability: Any, future_move: Any) -> Any:
    """+1 where the investor buys, -1 where it sells (section 3.2).

    The oracle, asked with `oracle_probability`, trades in the direction of `future_move` = P_{t+t_m} - P_t; without it,
    or where the price does not move, a coin with `buy_probability` decides. Draws are uniform on [0, 1).
    """
    coin = 2.0 * (side_draw < buy_probability) - 1.0
    informed = (oracle_draw < oracle_probability) & (future_move != 0)
    return informed * np.sign(future_move) + (1 - informed) * coin


def tied_winner(draw: Any, ties: Any) -> Any:
    """Which of `ties` equally cheap makers, counted in scenario order, gets the trade: floor(U n)."""
    return np.minimum(np.floor(draw * ties), ties - 1)


def tier_of_rank(rank: Any, tiers: Any, ranked: Any) -> Any:
    """The quantile of `rank` (0 is best) among `ranked` participants cut into `tiers` (section 3.3)."""
    return rank * tiers // ranked


def trade_yield(spread: Any, side: Any, move: Any) -> Any:
    """A maker's revenue per unit of a matured trade: spread plus position revenue (section 3.3).

    `side` is +1 where the client bought, `move` = P_t - P_{t-t_m}.
    """
    return spread - side * move


def updated_average(average: Any, value: Any, weight: Any, first: Any) -> Any:
    """Exponentially weighted average `psi += w (yield - psi)`, set by the first value."""
    return value if first else average + weight * (value - average)


def affected_mid(unaffected: Any, permanent: Any, transient: Any) -> Any:
    """P_t = M_t + I_t + J_t: the mid that the market would have without makers' trades, and what these have added."""
    return unaffected + permanent + transient


def permanent_impact(before: Any, volume: Any, permanent: Any) -> Any:
    """I_{t+1} = I_t + k w for a net `volume` w bought at the exchange (Almgren and Chriss 2000, section 1.2: linear)."""
    return before + permanent * volume


def transient_impact(before: Any, volume: Any, transient: Any, decay: Any) -> Any:
    """J_{t+1} = rho J_t + eta w: an exponential kernel in steps (Obizhaeva and Wang 2013)."""
    return decay * before + transient * volume


def round_trip_gain(permanent: Any, transient: Any, decay: Any) -> Any:
    """The gain g = k/2 + eta / (1 + rho): before spreads, trades w_t at the exchange that sum to 0 bring at most g sum w_t^2.

    They bring -sum_t w_t sum_{s<t} (k + eta rho^{t-1-s}) w_s, since each is done before its own impact. The permanent part is
    (k/2) sum w^2 exactly. The transient one is a quadratic form whose spectrum, -eta sum_{n>=1} rho^{n-1} cos(n x), is largest at
    x = pi: many equal trades, to and fro."""
    return 0.5 * permanent + transient / (1.0 + decay)


def risk_cost(position: Any, move: Any) -> Any:
    """min(z (P_t - P_{t-1}), 0): a position's losing moves alone count (section 3.4)."""
    return np.minimum(position * move, 0.0)


def counts_as_zero(position: Any, traded: Any) -> Any:
    """Whether a position is nothing to hedge: 0, or what rounding leaves of trades that cancel, whose volume is `traded`."""
    return abs(position) <= ROUNDING * traded


def position_revenue(traded: Any, move: Any) -> Any:
    """(P_t - P_{t-t_m}) times the volume traded at t - t_m, signed from the maker's side (section 3.4)."""
    return traded * move


def uniform_variance(pieces: Any) -> Any:
    """Sum of y_k^2 of the schedule of `pieces` equal trades: (n - 1)(2n - 1) / (6n) (section 3.3, linear hedging)."""
    return (pieces - 1.0) * (2.0 * pieces - 1.0) / (6.0 * pieces)


def mean_plus_risk(expected: Any, variance: Any, risk_aversion: Any) -> Any:
    """The hedger's objective E[C] + gamma sqrt(Var[C]) (section 3.3, Almgren-Chriss)."""
    return expected + risk_aversion * np.sqrt(variance)


def weighted(components: Any, weights: Any, money: Any) -> Any:
    """What a learner's reward has of what its maker earned in a step (follow-up paper): the components, each times its weight,
    in multiples of `money`. Both have the fields of `model.makers.reward.Components`; components are price units times asset."""
    return (
        weights.spread_revenue * components.spread_revenue / money
        + weights.position_revenue * components.position_revenue / money
        + weights.hedging_cost * components.hedging_cost / money
        + weights.risk_cost * components.risk_cost / money
        + weights.inventory_pnl * components.inventory_pnl / money
    )


def risk_penalty(inventory_pnl: Any, position: Any, weights: Any) -> Any:
    """What a learner's reward loses for risk (follow-up paper): `weights` (3,) times the square of the inventory P&L, the
    square of the inventory, and the inventory's losses, each in a unit of its own."""
    return (
        weights[0] * inventory_pnl * inventory_pnl
        + weights[1] * position * position
        + weights[2] * np.maximum(-inventory_pnl, 0.0)
    )
