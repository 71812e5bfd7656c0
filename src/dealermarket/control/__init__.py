"""The best that can be done, by dynamic programming: the optimum of one maker's market (`Decision`, `Optimum`), and the FX
dealer's problem in continuous time (`dealer`)."""

from dealermarket.control import dealer
from dealermarket.control.decision import Decision
from dealermarket.control.optimum import Advantage, Optimum
from dealermarket.model.makers.reward import Reward

__all__ = ["Advantage", "Decision", "Optimum", "Reward", "dealer"]


def __dir__() -> list[str]:
    return sorted(__all__)
