"""The columns of the files that `compare`, `evaluate` and `regret` write."""

from __future__ import annotations

from dealermarket.runs.columns import UNIT_OF_STATISTIC, Column, with_bounds
from dealermarket.runs.statistics import ASSET, PURE

_REWARD = "of the reward"
_MAKER = Column("maker", "name of the maker")
_POLICY = Column("policy", "name of the policy")
_PAIRED = (
    Column("a", "mean over the replicas in market a", UNIT_OF_STATISTIC),
    Column("b", "mean over the replicas in market b", UNIT_OF_STATISTIC),
    Column("difference", "b less a", UNIT_OF_STATISTIC),
    Column("low", "lower end of the paired 95 % interval of the difference", UNIT_OF_STATISTIC),
    Column("high", "upper end of the paired 95 % interval of the difference", UNIT_OF_STATISTIC),
)

MAKERS = (_MAKER, Column("statistic", "name of the statistic"), *_PAIRED)
"""`makers.csv` of `compare`: a row per maker and statistic."""
CLIENTS = (
    _MAKER,
    Column("client", "name of the investor"),
    Column("measure", "volume, share, yield or yield_bp: of the trades of this client with this maker"),
    *_PAIRED,
)
"""`clients.csv` of `compare`: a row per maker, client and measure."""
STANDINGS = (
    Column("rank", "place of the policy, 1 being the best", PURE),
    _POLICY,
    Column("measure", "name of the statistic"),
    *with_bounds("mean", "mean over the replicas", UNIT_OF_STATISTIC),
    Column("standard_deviation", "standard deviation between replicas", UNIT_OF_STATISTIC),
    Column("tail", "value that one replica in 20 stays below", UNIT_OF_STATISTIC),
    *with_bounds("difference", "what the policy has more of than the one that it is compared with, paired", UNIT_OF_STATISTIC),
)
"""The file of `evaluate --out`: a row per policy and statistic. All differences hold at once at 95 %."""
REGRETS = (
    _POLICY,
    *with_bounds("reward", "mean reward of a step", _REWARD),
    *with_bounds("difference", "the optimum's mean reward of a step less the policy's, as simulated", _REWARD),
    *with_bounds("regret", "what the policy loses a step against the optimum", _REWARD),
    *with_bounds("prices", "of the regret, what prices lose", _REWARD),
    *with_bounds("hedging", "of the regret, what hedges lose", _REWARD),
    *with_bounds("share", "share of the optimum that the policy gets", PURE),
    Column("value", "the optimum's mean reward of a step, as solved", _REWARD),
)
"""`regret.csv`: a row per policy, the least regret first."""
ACTIONS = (
    _POLICY,
    Column("position", "mean position of the bin", ASSET),
    Column("eps_buy", "mean skew of prices for clients who buy", PURE),
    Column("eps_sell", "mean skew of prices for clients who sell", PURE),
    Column("hedge_size", "mean hedge, negative where the maker sells", ASSET),
    Column("steps", "number of steps in which the maker held such a position", PURE),
)
"""`actions.csv` of `regret`: a row per policy and bin of positions."""
