"""What happened in a run, in a few sentences: who earned most, where the risk went, who had no clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dealermarket.commands.makers_tables import makers_without_clients
from dealermarket.estimates import mean

if TYPE_CHECKING:
    from dealermarket.runs.result import SimulationResult

HOT_POTATO = 2.0  # hedges among makers per unit of client volume from which on risk goes round and round


def in_words(result: SimulationResult) -> list[str]:
    """Sentences about a run; of a run in which nobody traded, that."""
    idle = makers_without_clients(result)
    if len(idle) == len(result.scenario.makers):
        return ["No client traded."]
    without = [f"Without any client: {', '.join(idle)}."] if idle else []
    return [*_earnings(result), *_hedges(result), *without]


def _earnings(result: SimulationResult) -> list[str]:
    """Who earned most, as far as the replicas tell."""
    makers = result.scenario.maker_names
    pnl = result.summary["pnl"].to_numpy().reshape(-1, len(makers))
    if len(pnl) < 2 or len(makers) < 2:
        return []
    best, second = np.argsort(-pnl.mean(axis=0), kind="stable")[:2]
    of_best = result.statistics()[makers[best]]
    if of_best["pnl"].high < 0:
        return ["Every maker lost money."]
    lead = mean(pnl[:, best] - pnl[:, second])
    if not lead.low > 0:
        pair = f"{makers[best]} or {makers[second]}"
        return [f"Whether {pair} earned most, {len(pnl)} replicas do not tell: the difference is {lead}."]
    share, margin = 100 * float(of_best["market_share"].value), float(of_best["pnl_bp"].value)
    clients = f", {margin:.2g} bp of its clients' volume, which is {share:.0f} % of all" if share > 0 else ""
    return [f"{makers[best]} earned most: {of_best['pnl']}{clients}."]


def _hedges(result: SimulationResult) -> list[str]:
    """How much of the client volume makers passed on, and to whom."""
    sums = result.summary.sum(numeric_only=True)
    clients, hedged = sums["client_volume"], sums["hedge_volume"]
    between = sums["volume"] - clients
    if hedged == 0:
        return []
    if between < HOT_POTATO * clients:
        volumes = {"with each other": between, "at the exchange": hedged - between}
        shares = {where: f"{volume / clients:.2f}" for where, volume in volumes.items()}
        told = [f"{share} {where}" for where, share in shares.items() if float(share) > 0]  # sums may be off in the last digit
        return [f"Of each unit that clients traded, makers hedged {' and '.join(told) or 'less than 0.01'}."]
    paid = 100 * sums["interdealer_revenue"] / sums["spread_revenue"]
    return [
        f"A hot potato: the makers passed each unit of client volume on {between / clients:.0f} times to each other, and "
        f"{paid:.0f} % of the spread revenue is what they paid each other. The preset hot-potato shows why, and what ends it."
    ]
