"""What is best: makers' decision problems, solved without simulation."""

from __future__ import annotations

from dealermarket.control.decision import Decision
from dealermarket.control.optimum import Advantage, Optimum
from dealermarket.model.makers.reward import Reward

__all__ = ["Advantage", "Decision", "Optimum", "Reward"]


def __dir__() -> list[str]:
    return sorted(__all__)
