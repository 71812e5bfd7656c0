"""The experiments on games: their claims on made-up payoffs, and what would turn each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

from conftest import raises
from dealermarket import ParameterError
from dealermarket.papers import Outcome, Plan, experiment_named
from dealermarket.papers.games.contagion import EPS, IMPACTS, KEPT, LASTING, NONE
from dealermarket.papers.games.hedging_game import EXCHANGE, OTHERS, PNL, REWARD
from dealermarket.papers.games.price_war import END, EVEN, PRICES, TOP
from dealermarket.papers.learning_makers import learned
from dealermarket.study import Measures, Study
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


@pytest.mark.compiled  # numbers for hundreds of pairs of prices, which are slow in plain Python
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


# --- contagion


@cache
def plan_of_dealers() -> tuple[Plan, Study]:
    plan = Plan.of(experiment_named("contagion"), runs=len(CHANCE))
    (study,) = plan.studies
    return plan, study


def dealers(
    stays: float = 1.0,
    externalizes: float = 5.0,
    paid: float = 0.1,
    moved: float = 2.0,
    added: float = 0.004,
    chance: float = 1.0,
    best: float = 0.0,
    vague: float = 0.0,
) -> tuple[Plan, dict[str, dict[str, Measures]]]:
    """Six dealers, of whom each earns 30 where nobody externalizes, `stays` more with each that does, and `moved` less where
    impact lasts, a quarter of that where it passes; who externalizes earns that. All quotes earn most at ε = 0.2 less `best` for
    each who externalizes, which chance blurs where it is `vague`. Clients pay ε, and `paid` more a unit with each who
    externalizes. What hedges add to the variance of the mid is `added` of it."""
    plan, study = plan_of_dealers()
    found = {}
    labels = iter(study.variants)
    for impact, count, eps in product(IMPACTS, range(7), EPS):
        hurt = 0.0 if impact == NONE or count == 0 else moved if impact == LASTING else moved / 4
        kinds = np.array([externalizes] * count + [30.0 + stays * count - hurt] * (6 - count))
        income = kinds - 10.0 * (eps - 0.2 + best * count) ** 2 + (chance * count + vague * eps) * CHANCE[:, None]
        each = np.full_like(income, 10.0 * (1.0 + eps + paid * count)) + chance * count * CHANCE[:, None]
        by_maker = {"income": 1e-4 * income, "paid": 1e-4 * each, "volume": np.full_like(each, 10.0)}
        squared = {"squared_move": np.full(10, 1e-7), "squared_shift": np.full(10, 1e-7 * added * (impact != NONE))}
        hedged = {"hedged": np.full_like(each, count)}
        found[next(labels)] = Measures(by_maker | hedged, plan.scenario.maker_names, squared)
    return plan, {study.name: found}


QUOTED = ("fixed", "re-optimised")
OF_DEALERS = {f"{what}, {quotes}": HOLDS for what in ("clients", "together", "who switches") for quotes in QUOTED}
OF_DEALERS |= {f"who stays, {quotes}": FAILS for quotes in QUOTED}
OF_DEALERS |= dict.fromkeys(["the first one costs all", "contagion", "volatility"], HOLDS)


def at_both(what: str, outcome: Outcome) -> dict[str, Outcome]:
    return {f"{what}, {quotes}": outcome for quotes in QUOTED}


@pytest.mark.parametrize(
    ("changes", "turned"),
    [
        ({}, {}),
        ({"stays": -1.0}, at_both("who stays", HOLDS)),
        ({"stays": 3.0}, {"the first one costs all": FAILS}),  # more than impact takes
        ({"externalizes": 40.0}, at_both("who switches", FAILS) | at_both("together", FAILS)),
        ({"paid": -0.1}, at_both("clients", FAILS)),
        ({"moved": -0.5}, {"contagion": FAILS, "the first one costs all": FAILS}),
        ({"added": 0.02}, {"volatility": FAILS}),
        ({"chance": 1e4}, dict.fromkeys(set(OF_DEALERS) - {"volatility", "contagion"}, UNDECIDED)),
    ],
    ids=["as built", "all lose", "worth more", "switching pays", "cheaper", "impact helps", "the mid moves", "chance"],
)
def test_verdicts_of_contagion(changes: dict[str, float], turned: dict[str, Outcome]) -> None:
    assert outcomes(*dealers(**changes)) == OF_DEALERS | turned


@pytest.mark.parametrize(("vague", "outcome"), [(0.0, FAILS), (-1000.0, UNDECIDED)])
def test_a_price_that_chance_may_have_chosen_refutes_nothing(vague: float, outcome: Outcome) -> None:
    """All charge less with each who externalizes, since that earns more: surely so, or by the runs that chose."""
    plan, found = dealers(paid=0.05, best=0.1, vague=vague)
    assert outcomes(plan, found)["clients, re-optimised"] == outcome


def test_contagion_is_shown() -> None:
    plan, found = dealers()
    section = plan.section(found)
    check_whole(section)
    frame = section.tables[0].frame
    assert set(frame["eps"][frame["quotes"] == "re-optimised"]) == {0.2}
    assert set(frame["eps"][frame["quotes"] == "fixed"]) == {EPS[KEPT]}
    row = frame.iloc[2]  # two externalize, without impact
    assert (row["externalizes"], row["internalizes"]) == pytest.approx((4.6, 31.6))
    assert row["paid"] == pytest.approx(1.2 + EPS[KEPT])


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("investors.*.demand={kind='always'}", "refuse"),
        ("makers.2.policy.hedge_fraction=0.5", "skew"),
        ("makers.*.hedging={kind='none'}", "exchange"),
        ("makers.1.hedging.volatility=0.2", "equal"),
        ("market.impact.kind=linear", "itself"),
    ],
)
def test_what_contagion_cannot_be_asked_of(setting: str, said: str) -> None:
    with raises(ParameterError, "contagion", names=[said]):
        experiment_named("contagion").load_scenario(None, [setting])
