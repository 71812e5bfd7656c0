"""The best that can be done, by dynamic programming: the FX dealer's problem in continuous time (`dealer`)."""

from dealermarket.control import dealer

__all__ = ["dealer"]


def __dir__() -> list[str]:
    return sorted(__all__)
