"""The columns of the file that a training leaves."""

from __future__ import annotations

from dealermarket.runs.columns import Column
from dealermarket.runs.statistics import ASSET, PURE

PROGRESS = (
    Column("steps", "number of market steps so far", PURE),
    Column("reward", "mean of what is learned from, a step", "of the reward"),
    Column("share", "share of all investors' volume, as it is on average", PURE),
    Column("inventory", "mean size of the position", ASSET),
    Column("noise", "standard deviation of the actions", "of the actions"),
)
"""`progress.csv`: a row per rollout, with means over its steps, markets and learners."""
