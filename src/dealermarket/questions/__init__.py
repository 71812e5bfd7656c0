"""Questions to a market: what follows from other values of its fields, which are best, and what if others answer.

A sweep, every statistic of every maker at every point, on common prices and orders::

    from dealermarket import Scenario
    from dealermarket.questions import Sweep

    sweep = Sweep.of(Scenario.load("paper"), {"makers.0.pricing.alpha": (1.3, 1.5, 1.7)}, replicas=200)
    swept = sweep.run(threads=2)
    print(swept.best("pnl"))
    print(swept.frame().query("statistic == 'pnl'"))
"""

from dealermarket.questions.equilibrium import BestResponses, Equilibrium
from dealermarket.questions.fields import Range, Setting, Varied, short_names, varied_from
from dealermarket.questions.game import Game, Mixed, Played
from dealermarket.questions.objective import Objective
from dealermarket.questions.points import Point
from dealermarket.questions.search import Found, Search, Trial
from dealermarket.questions.sensitivity import Indices, Sensitive, Sensitivity
from dealermarket.questions.sweep import Sweep, Swept

__all__ = [
    "BestResponses",
    "Equilibrium",
    "Found",
    "Game",
    "Indices",
    "Mixed",
    "Objective",
    "Played",
    "Point",
    "Range",
    "Search",
    "Sensitive",
    "Sensitivity",
    "Setting",
    "Sweep",
    "Swept",
    "Trial",
    "Varied",
    "short_names",
    "varied_from",
]


def __dir__() -> list[str]:
    return sorted(__all__)
