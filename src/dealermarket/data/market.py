"""The market of a log: the volatility of recorded mids, and the law of their spreads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from dealermarket.estimates import LEVEL, Estimate
from dealermarket.model.market.reference_spread import ClippedNormal, ConstantSpread, LogAR1, ReferenceSpread
from dealermarket.reading.prices import Recording

Array = NDArray[Any]

_Z = float(stats.norm.ppf((1.0 + LEVEL) / 2.0))
_LONGER = 5  # steps of the returns beside which those of one step are held
_CLEAR = 3.0  # standard errors from which on a finding counts


def normal_estimate(value: float, error: float) -> Estimate:
    """A value with its 95 % interval of two standard errors, about."""
    return Estimate(*map(np.asarray, (value, error, value - _Z * error, value + _Z * error)))


def realised_volatility(returns: Array, dt: float) -> Estimate:
    """The annual volatility of log returns (returns,) over steps of `dt` years; its standard error is that of the mean of squared
    returns, whatever their law."""
    squares = returns**2
    variance, error = float(np.mean(squares)), float(np.std(squares) / np.sqrt(len(squares)))
    volatility = np.sqrt(variance / dt)
    return normal_estimate(volatility, 0.5 * volatility * error / variance if variance > 0 else 0.0)


def annual_volatility(recording: Recording, dt: float) -> tuple[Estimate, str]:
    """The annual volatility, from realised variance at the step, and what longer returns say of it.

    Where noise moves prices to and fro, returns
    over five steps have a lower variance a step; where they trend, a higher one: that is said (Zhang, Mykland and Aït-Sahalia
    2005)."""
    returns = recording.log_returns
    realised = realised_volatility(returns, dt)
    variance = float(np.mean(returns**2))
    whole = len(returns) // _LONGER
    longer = returns[: whole * _LONGER].reshape(whole, _LONGER).sum(axis=1)
    ratio = float(np.mean(longer**2) / (_LONGER * variance)) if len(longer) and variance > 0 else 1.0
    spread = np.sqrt(2.0 / max(len(longer), 1))
    odd = abs(ratio - 1.0) > _CLEAR * spread
    said = f"the variance of {_LONGER} steps is {ratio:.2f} times that of {_LONGER} single ones"
    note = f"{said}: prices {'go to and fro' if ratio < 1 else 'trend'}, and no random walk does" if odd else said
    return realised, note


def spread_law(recording: Recording) -> tuple[ReferenceSpread, dict[str, Estimate], str]:
    """The law of bid-ask spreads over mids: constant, log-normal with memory where neighbours are alike, else clipped normal.

    Also the estimates of its parameters with intervals, and what decided."""
    assert recording.spread is not None
    spread = recording.spread / recording.mid
    mean, std, count = float(np.mean(spread)), float(np.std(spread)), len(spread)
    if std < 1e-3 * mean:
        return ConstantSpread(mean=mean), {"mean": normal_estimate(mean, std / np.sqrt(count))}, "spreads hardly vary"
    logs = np.log(spread) - np.mean(np.log(spread))
    follows = np.ones(count, np.bool_)
    follows[recording.sessions[:-1]] = False
    before, after = logs[:-1][follows[1:]], logs[1:][follows[1:]]
    memory = float(np.clip(np.sum(before * after) / np.sum(before**2), -0.999, 0.999)) if len(before) else 0.0
    error = np.sqrt((1.0 - memory**2) / max(len(before), 1))
    slack = np.sqrt((1.0 + max(memory, 0.0)) / (1.0 - max(memory, 0.0)))  # neighbours that are alike count less
    found = {
        "mean": normal_estimate(mean, slack * std / np.sqrt(count)),
        "std": normal_estimate(std, slack * std / np.sqrt(2.0 * count)),
    }
    if memory > _CLEAR * error:
        found["autocorrelation"] = normal_estimate(memory, error)
        return LogAR1(mean=mean, std=std, autocorrelation=memory), found, f"neighbours are alike: autocorrelation {memory:.3f}"
    law = ClippedNormal(mean=mean, std=std, minimum=float(spread.min()), maximum=float(spread.max()))
    return law, found, "neighbours are not alike"
