"""A grid of constant prices of two makers whose clients may refuse, each against each: best answers, and where they end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from dealermarket.model.investors.demand.logistic import LogisticDemand
from dealermarket.model.scenario import Scenario
from dealermarket.papers import Results
from dealermarket.papers.learning_makers import learned
from dealermarket.papers.learning_makers.best_price import LEARNER, constant, playing
from dealermarket.questions.game import until_again
from dealermarket.runs.tables import Chunk
from dealermarket.study import LEVEL, Array, Estimate, Measures, Study, mean

ALL, ONE = "both asked", "one asked"
ASKS = {ALL: "all", ONE: 1}
EQUAL = "equal prices"
LOWEST, HIGHEST = -1.0, 1.0  # eps that makers may charge
PRICES = np.round(np.linspace(LOWEST, HIGHEST, 11), 1) + 0.0  # eps of each pair
FINE = np.round(np.linspace(LOWEST, HIGHEST, 21), 1) + 0.0  # eps that both charge
STEP = 0.2  # of PRICES


def income(scenario: Scenario, chunk: Chunk) -> Measures:
    """`income`: spread revenue less hedging cost of each maker, (B, M); price units times units."""
    totals = chunk.record.totals
    return Measures({"income": totals["spread_revenue"] + totals["hedging_cost"]}, scenario.maker_names)


def grid_studies(scenario: Scenario, runs: int) -> list[Study]:
    """Every pair of PRICES, where both makers are asked and where one is; and every price of FINE that both charge."""

    def charging(market: Scenario, own: float, other: float) -> Scenario:
        return playing(market, constant(float(other)), constant(float(own)))

    def every_pair(market: Scenario) -> dict[str, Scenario]:
        return {_pair(*eps): charging(market, *eps) for eps in product(PRICES, PRICES)}

    both = asking(scenario, ALL)
    equal = {f"{eps:g}": charging(both, eps, eps) for eps in FINE}
    pairs = [Study(_pairs(asked), every_pair(asking(scenario, asked)), runs, income) for asked in ASKS]
    return [*pairs, Study(EQUAL, equal, runs, income)]


def asking(scenario: Scenario, asked: str) -> Scenario:
    """The market in which clients ask both makers, or one of them."""
    return scenario.with_settings(f"investors.*.asks={ASKS[asked]}")


@dataclass(frozen=True)
class PriceGrid:
    """What was measured of `grid_studies` in a scenario, beside what theory says of it."""

    scenario: Scenario
    results: Results

    # --- what theory says

    def theory(self, eps: Array) -> Array:
        """What both makers earn together whose best quote is eps, of the worth of the volume."""
        return np.asarray((1.0 + eps) * self.demand.trade_share(1.0 + eps))

    @property
    def demand(self) -> LogisticDemand:
        """The demand of all investors."""
        demand = self.scenario.agents[0].demand
        assert isinstance(demand, LogisticDemand)  # `needs` has seen to it
        return demand

    @property
    def optimum(self) -> float:
        """The eps of the joint optimum, or the highest allowed if that is lower: docs/model.md, "Requests"."""
        from scipy.special import wrightomega  # W(exp(z)), also where exp(z) is beyond what a computer holds

        demand = self.demand
        return float(min(demand.scale * (1.0 + wrightomega(demand.mean / demand.scale - 1.0).real) - 1.0, HIGHEST))

    # --- from the measures

    def income(self, asked: str, own: float, other: float) -> Array:
        """Income of the first maker of a pair in each run, (replicas,)."""
        return np.asarray(self.results[_pairs(asked)][_pair(own, other)].of(LEARNER)["income"])

    def together(self, eps: float) -> Array:
        """Income of both where both charge eps, (replicas,)."""
        return np.asarray(self.results[EQUAL][f"{eps:g}"]["income"].sum(axis=1))

    def shares(self, level: float = LEVEL) -> Estimate:
        """The same of every eps of FINE, as a share of the worth of the volume."""
        worth = learned.worth(self.scenario)
        return Estimate.stacked(mean(self.together(eps) / worth, level) for eps in FINE)

    @property
    def joint(self) -> float:
        """Income of both at the joint optimum, by theory; price units times units."""
        return float(self.theory(np.array(self.optimum)) * learned.worth(self.scenario))

    def expected(self, asked: str, other: float) -> float:
        """The best answer by what the claims say."""
        best = best_of(PRICES, self.theory(PRICES))
        if asked == ONE or other > best:
            return best
        lower = [float(eps) for eps in PRICES if eps < other]
        return lower[-1] if len(lower) > 1 else other

    def answer(self, asked: str, other: float) -> float:
        """The price of the highest mean income against a price of the other maker."""
        return float(PRICES[np.argmax([self.income(asked, own, other).mean() for own in PRICES])])

    def only_answer(self, asked: str, other: float) -> float:
        """The same; NaN where no price earns anything."""
        answer = self.answer(asked, other)
        return answer if self.income(asked, answer, other).any() else math.nan

    def earned_by_the_answer(self, asked: str, other: float) -> Estimate:
        """What that price earns, of the joint optimum."""
        return mean(self.income(asked, self.answer(asked, other), other) / self.joint)

    def war(self, asked: str) -> list[float]:
        """The best answer to the best answer, and so on, from the joint optimum to the first price that comes again."""
        best = best_of(PRICES, self.theory(PRICES))
        return until_again(best, partial(self.answer, asked))


def best_of(prices: Array, worth: Array) -> float:
    """The price that is worth most."""
    return float(prices[np.argmax(worth)])


def but(price: float, prices: Array) -> list[float]:
    """All other prices."""
    return [float(other) for other in prices if other != price]


def _pairs(asked: str) -> str:
    """The name of the study of pairs of constant prices."""
    return f"pairs, {asked}"


def _pair(own: float, other: float) -> str:
    return f"{own:g} / {other:g}"
