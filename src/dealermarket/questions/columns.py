"""The columns of the files that questions leave: `sweep`, `optimise`, `equilibrium` and `sensitivity`."""

from __future__ import annotations

from dealermarket.runs.columns import FIELDS, UNIT_OF_STATISTIC, Column, with_bounds
from dealermarket.runs.statistics import PURE

_MEASURE = "of the measure"
_MAKER = Column("maker", "name of the maker")

SWEEP = (
    Column("point", "label of the point; the scenario as it is comes first"),
    Column(FIELDS, "value of a field, in a column under its path", "of the field"),
    _MAKER,
    Column("statistic", "name of the statistic"),
    Column("mean", "mean over the replicas", UNIT_OF_STATISTIC),
    Column("low", "lower end of its 95 % interval", UNIT_OF_STATISTIC),
    Column("high", "upper end of its 95 % interval", UNIT_OF_STATISTIC),
    *with_bounds("difference", "paired difference to the point that others are compared with", UNIT_OF_STATISTIC),
)
"""`sweep.csv`: a row per point, maker and statistic."""
TRIALS = (
    Column("trial", "number of the trial, from 1", PURE),
    Column(FIELDS, "value of a field, in a column under its path", "of the field"),
    Column("value", "the measure there", _MEASURE),
    Column("replicas", "number of replicas that it was measured on", PURE),
    Column("best", "highest value so far of those measured on all replicas", _MEASURE),
)
"""`history.csv` of `optimise`: a row per trial, in order."""
TURNS = (
    Column("round", "number of the round", PURE),
    _MAKER,
    Column(FIELDS, "value of a field, in a column under its path", "of the field"),
    Column(f"best {FIELDS}", "value of the best response, in a column of its own", "of the field"),
    Column("gain", "what the maker gains by its best response", _MEASURE),
)
"""`history.csv` of `equilibrium`: a row per turn, in order."""
GAME = (
    Column("MAKER", "strategy of a maker in the profile, in a column under the maker's name"),
    _MAKER,
    Column("payoff", "what the maker gets", _MEASURE),
    Column("low", "lower end of its 95 % interval", _MEASURE),
    Column("high", "upper end of its 95 % interval", _MEASURE),
    *with_bounds("regret", "what the maker would gain by its best answer to the others", _MEASURE),
    Column("equilibrium", "whether nobody would gain by moving alone"),
)
"""`game.csv` of `equilibrium`: a row per profile and maker."""
INDICES = (
    Column("field", "path of the field"),
    Column("low", "lower end of its range", "of the field"),
    Column("high", "upper end of its range", "of the field"),
    *with_bounds("first", "share of the measure's variance that the field alone accounts for (first order)", PURE),
    *with_bounds("total", "share of the variance in which the field has a part (total order)", PURE),
)
"""`sensitivity.csv`: a row per field."""
