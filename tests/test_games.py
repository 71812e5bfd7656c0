"""The experiments on games: their claims on made-up payoffs, and what would turn each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conftest import raises
from dealermarket import ParameterError
from dealermarket.papers import Outcome, Plan, experiment_named
from dealermarket.papers.games.hedging_game import EXCHANGE, OTHERS, PNL, REWARD
from dealermarket.papers.games.price_war import END, EVEN, PRICES, TOP
from dealermarket.papers.learning_makers import learned
from dealermarket.study import Measures
from test_experiments import check_whole

HOLDS, FAILS, UNDECIDED = Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED
Array = np.ndarray[Any, Any]
CHANCE = 0.01 * np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 0.0, -1.0, 1.0, -1.5, 1.5])
"""What ten replicas differ by; its mean is 0."""


def measured(name: str, payoffs: dict[str, dict[str, Array]]) -> tuple[Plan, dict[str, dict[str, Measures]]]:
    """A plan, and payoffs (replicas, profiles, 2) by study and statistic as its measures."""
    plan = Plan.of(experiment_named(name), runs=len(CHANCE))
    found = {}
    for study in plan.studies:
        own = payoffs[study.name.split(" / ")[-1]]
        found[study.name] = {
            label: Measures({statistic: values[:, n] for statistic, values in own.items()}, variant.maker_names)
            for n, (label, variant) in enumerate(study.variants.items())
        }
    return plan, found


def outcomes(plan: Plan, found: dict[str, dict[str, Measures]]) -> dict[str, Outcome]:
    results = {name.split(" / ")[-1]: measures for name, measures in found.items()}
    return {verdict.name: verdict.outcome for verdict in plan.experiment.with_results(plan.scenario, results).verdicts()}


# --- price war


def incomes(half: Callable[[Array], Array] = lambda x: x / 2, chance: float = 1.0) -> Array:
    """Of all pairs of prices (replicas, pairs, 2), as shares of the worth of the volume: the cheaper maker has all clients; of
    equal prices each has `half`, which chance moves from one maker to the other."""
    x = 1.0 + PRICES
    own, other = np.meshgrid(x, x, indexing="ij")
    equal = own == other
    first = np.where(own < other, own, np.where(equal, half(own), 0.0))
    second = np.where(other < own, other, np.where(equal, half(own), 0.0))
    moved = chance * CHANCE[:, None, None, None] * np.where(equal, own, 0.0)[..., None] * np.array([1.0, -1.0])
    return np.asarray((np.stack([first, second], axis=-1) + moved).reshape(len(CHANCE), -1, 2))


def war(payoffs: Array) -> Any:
    worth = learned.worth(experiment_named("price-war").load_scenario())
    return measured("price-war", {"game": {"client_revenue": worth * payoffs}})


WAR = dict.fromkeys(["undercut", "two steps", "end", "nowhere else", "joint optimum"], HOLDS)


def with_income(pair: tuple[int, int], first: float, second: float) -> Array:
    """The theory's incomes, but at one pair of prices."""
    payoffs = incomes()
    payoffs[:, pair[0] * len(PRICES) + pair[1]] = [first, second]
    return payoffs


@pytest.mark.parametrize(
    ("payoffs", "turned"),
    [
        (incomes(), {}),
        # clients who share themselves out, but are all lost at two steps: to undercut there pays, and nowhere else it changes
        (with_income(EVEN, 0.0, 0.0), {"two steps": FAILS}),
        (with_income(TOP, 0.5, 0.5), {"joint optimum": FAILS}),
        # nobody loses clients to an equal price: undercutting never pays, and every price is as good as no equilibrium can be
        (incomes(lambda x: x), {"undercut": FAILS, "two steps": FAILS, "end": FAILS, "nowhere else": FAILS}),
        # the single step is undone: who goes up by a step has more
        (with_income((END[0], END[1] + 1), 0.1, 0.2), {"end": FAILS, "nowhere else": UNDECIDED}),
        (incomes(chance=10.0), dict.fromkeys(["undercut", "two steps", "nowhere else"], UNDECIDED)),
    ],
    ids=["theory", "nothing at two steps", "nothing at the top", "no loss by equal prices", "no end", "chance"],
)
def test_verdicts_of_a_price_war(payoffs: Array, turned: dict[str, Outcome]) -> None:
    assert outcomes(*war(payoffs)) == WAR | turned


def test_a_price_war_is_shown() -> None:
    plan, payoffs = war(incomes())
    found = plan.section(payoffs)
    check_whole(found)
    frame = found.tables[0].frame
    np.testing.assert_allclose(frame["gain_1"][1:], frame["gain_theory"][1:], atol=1e-12)
    np.testing.assert_allclose(frame["answer_2"][3:], PRICES[2:-1])


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("investors.*.demand={kind='logistic', mean=1.5, scale=0.3}", "trade at any price"),
        ("makers.0.pricing.alpha=1.2", "alpha 1"),
        ("makers.1.policy={kind='random'}", "heuristic"),
        ("makers.*.pricing.eps_buy=0.1", "itself"),
    ],
)
def test_markets_without_a_price_war_are_refused(setting: str, said: str) -> None:
    with raises(ParameterError, "price-war", names=[said]):
        experiment_named("price-war").load_scenario(None, [setting])


# --- the hot potato

REWARDS = np.array(  # of the first maker, by its own choice and the other's: as the paper's market has them, rounded
    [[-3.0, -4.0, -4.1, -4.1], [-0.6, -2.05, -3.9, -3.9], [-0.1, -0.25, -2.4, -2.5], [-0.1, -0.25, -2.35, -2.95]]
)
ALONE = np.array([-3.0, -0.6, -0.1, -0.1])  # of either maker with an exchange, by its own choice


def potato(rewards: Array = REWARDS, alone: Array = ALONE, pnl: float = 0.0) -> Any:
    """Makers who are alike; P&L of both is 1, and that of one pair of choices by `pnl` more."""

    def of_both(first: Array) -> Array:
        payoffs = np.stack([first, first.T], axis=-1).reshape(1, -1, 2)
        return np.asarray(payoffs + CHANCE[:, None, None] * np.arange(payoffs.shape[1])[:, None] / 100)

    money = np.full((len(CHANCE), len(REWARDS) ** 2, 2), 0.5)
    more = money.copy()
    more[:, 0, 0] += pnl
    both = np.repeat(alone[:, None], len(alone), axis=1)
    return measured(
        "hedging-game", {OTHERS: {REWARD: of_both(rewards), PNL: more}, EXCHANGE: {REWARD: of_both(both), PNL: money}}
    )


POTATO = dict.fromkeys(
    ["equilibria", "no others", "waiting is undone", "price of anarchy", "not in P&L", "none with an exchange"], HOLDS
) | {"an exchange is worth it": HOLDS}


def with_reward(own: int, other: int, reward: float) -> Array:
    rewards = REWARDS.copy()
    rewards[own, other] = reward
    return rewards


@pytest.mark.parametrize(
    ("changes", "turned"),
    [
        ({}, {}),
        ({"rewards": with_reward(3, 3, -2.3)}, {"equilibria": FAILS, "no others": FAILS}),  # who is alone in hedging less loses
        ({"rewards": with_reward(2, 2, -2.2)}, {"equilibria": FAILS, "no others": FAILS}),
        ({"rewards": with_reward(1, 1, 0.0)}, {"waiting is undone": FAILS, "no others": FAILS, "an exchange is worth it": FAILS}),
        ({"rewards": with_reward(1, 1, -2.6)}, {"price of anarchy": FAILS}),
        ({"pnl": 0.02}, {"not in P&L": FAILS}),
        ({"pnl": -0.005}, {}),
        ({"alone": np.array([-3.0, -0.05, -0.1, -0.1])}, {"none with an exchange": FAILS}),
        ({"alone": np.array([-3.0, -2.6, -2.5, -2.5])}, {"an exchange is worth it": FAILS}),
    ],
)
def test_verdicts_of_the_hot_potato(changes: dict[str, Any], turned: dict[str, Outcome]) -> None:
    assert outcomes(*potato(**changes)) == POTATO | turned


def test_the_hot_potato_is_shown() -> None:
    plan, payoffs = potato()
    found = plan.section(payoffs)
    check_whole(found)
    ends = found.tables[-1].frame
    lost = ends[(ends["venue"] == "each other") & (ends["what"] == "pure equilibrium")]["lost"]
    best = (REWARDS + REWARDS.T).max()
    np.testing.assert_allclose(lost, best - (REWARDS[2, 3] + REWARDS[3, 2]), atol=1e-3)
