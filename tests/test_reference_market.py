"""The plain reference market against numbers worked by hand.

Most markets here have lam = 3, where S_ref(v) = S_ref(0) (2 / vt) (1 - sqrt(1 - vt)) is rational at the sizes used, with
v_max = 100 and s0 = 2, so S_ref(0) = 1: S_ref(19) = 20/19, S_ref(36) = 10/9, S_ref(64) = 5/4, S_ref(75) = 4/3,
S_ref(96) = 5/3, S_ref(99) = 20/11. Participants 0 and 1 are investors, 2 and up makers.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import pytest

from dealermarket.model.exchange import Exchange
from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging.fraction import ConstantFraction
from dealermarket.model.makers.hedging.full import FullHedge
from dealermarket.model.makers.hedging.linear import LinearSchedule
from dealermarket.model.makers.hedging.none import NoHedge
from dealermarket.model.makers.hedging.optimal import AlmgrenChriss
from dealermarket.model.makers.pricing.power import PowerPricing
from dealermarket.model.makers.tiering.average_yield import AverageYield
from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.makers.tiering.revenue_rate import RevenueRate
from dealermarket.model.market.environment import MarketEnvironment
from dealermarket.model.market.mid_price.gbm import GeometricBrownianMotion
from dealermarket.model.scenario import Scenario
from reference_market import Action, History, MakerStep, Order, ReplicaTape, Trade, largest_trade, reference_curve, simulate

ANN, BOB, FIRST, SECOND, THIRD = range(5)  # participants of a market with three makers
TINY = 1e-9


def approx(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-12, abs=1e-12)


def maker(
    name: str,
    *,
    alpha: float = 1.0,
    delta: float = 0.0,
    eps_buy: float = 0.0,
    eps_sell: float = 0.0,
    tiering: AverageYield | RevenueRate | FixedTiers | None = None,
    hedging: AlmgrenChriss | LinearSchedule | ConstantFraction | FullHedge | NoHedge | None = None,
) -> MarketMakerAgent:
    return MarketMakerAgent(
        name=name,
        tiering=tiering or FixedTiers(tiers=3),
        pricing=PowerPricing(alpha=alpha, tier_penalty=delta, eps_buy=eps_buy, eps_sell=eps_sell),
        hedging=hedging or NoHedge(),
    )


def market(*makers: MarketMakerAgent, steps: int = 3, reward_horizon: int = 1, **fields: Any) -> Scenario:
    investors = tuple(InvestorAgent(name=name, trade_probability=0.5, mean_size=1.0) for name in ("ann", "bob"))
    fields = {"exchange": Exchange(lam=3.0, v_max=100.0)} | fields
    return Scenario(steps=steps, reward_horizon=reward_horizon, investors=investors, makers=makers, **fields)


def tape(
    scenario: Scenario,
    orders: dict[int, list[Order]],
    mid: Sequence[float] | None = None,
    ranking: list[list[float]] | None = None,
    hedge_tie: float = 0.0,
) -> ReplicaTape:
    """A tape with s0 = 2, P = 100 unless given, and participants ranked as they stand."""
    length = scenario.steps + scenario.reward_horizon
    mids = list(mid or [100.0]) + [mid[-1] if mid else 100.0] * length
    return ReplicaTape(
        mid=mids[:length],
        reference_spread=[2.0] * scenario.steps,
        orders=[orders.get(t, []) for t in range(scenario.steps)],
        hedge_tie=[[hedge_tie] * len(scenario.makers) for _ in range(scenario.steps)],
        ranking=ranking or [[float(j) for j in range(len(scenario.participants))] for _ in scenario.makers],
    )


def column(history: History, index: int, name: str) -> list[Any]:
    return [getattr(step[index], name) for step in history.steps]


# --- the exchange's curve


@pytest.mark.parametrize(
    ("size", "expected"), [(0, 1), (19, 20 / 19), (36, 10 / 9), (64, 5 / 4), (75, 4 / 3), (96, 5 / 3), (99, 20 / 11)]
)
def test_curve_at_lam_3_is_rational(size: float, expected: float) -> None:
    assert reference_curve(size, 2.0, Exchange(lam=3.0, v_max=100.0)) == approx(expected)


def test_curve_at_lam_2_is_the_logarithm() -> None:
    assert reference_curve(50.0, 2.0, Exchange(lam=2.0, v_max=100.0)) == approx(2 * math.log(2))


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, 0.0075), (50, 0.008186), (100, 0.009022), (150, 0.010066), (200, 0.011411), (250, 0.013217), (300, 0.015788)],
)
def test_curve_of_figure_2(size: float, expected: float) -> None:
    assert reference_curve(size, 0.015, Exchange(lam=1.6, v_max=500.0)) == pytest.approx(expected, abs=5e-7)


def test_curve_of_tiny_sizes_keeps_its_digits() -> None:
    for lam in (1.6, 2.0, 3.0):
        for size in (1e-30, 1e-15, 1e-9):  # S_ref(v) = (s0/2) (1 + lam vt / (2 lam - 2) + ...), close to s0/2
            assert reference_curve(size, 2.0, Exchange(lam=lam, v_max=100.0)) == pytest.approx(1.0, rel=1e-10)


# --- pricing and the investor's choice


def test_quotes_and_the_cheapest_maker() -> None:
    """At size 64 alpha 1 costs 5/4 and alpha 2 costs 25/16; skewing the first by a half makes it 15/8 for buyers."""
    scenario = market(maker("a", alpha=1.0, eps_buy=0.5), maker("b", alpha=2.0))
    history = simulate(scenario, tape(scenario, {0: [Order(ANN, +1, 64.0, 0.0), Order(BOB, -1, 64.0, 0.99)]}))
    buy, sell = history.trades
    assert (buy.taker, buy.maker, buy.side, buy.size, buy.kind) == (ANN, SECOND, 1, 64.0, "order")
    assert buy.spread == approx(25 / 16)
    assert (sell.taker, sell.maker, sell.side) == (BOB, FIRST, -1)
    assert sell.spread == approx(5 / 4)
    assert history.final_position == [64.0, -64.0]
    assert column(history, 0, "position") == [0.0, 64.0, 64.0]
    assert column(history, 0, "spread_revenue") == approx([80.0, 0.0, 0.0])
    assert column(history, 1, "spread_revenue") == approx([100.0, 0.0, 0.0])


def test_tier_penalty_and_eps_of_minus_one() -> None:
    """eps = -1 leaves the tier penalty alone: delta times tier 2."""
    tiering = FixedTiers(tiers=3, table={"ann": 2})
    scenario = market(maker("a", delta=0.125, eps_buy=-1.0, tiering=tiering), maker("b"))
    trades = simulate(scenario, tape(scenario, {0: [Order(ANN, +1, 64.0, 0.0), Order(ANN, -1, 64.0, 0.99)]})).trades
    assert (trades[0].maker, trades[0].tier, trades[0].spread) == (FIRST, 2, 0.25)
    assert (trades[1].maker, trades[1].tier) == (SECOND, 0)  # a sale costs 5/4 + 1/4 at the first


@pytest.mark.parametrize(("tie", "of_two", "of_three", "without_first"), [(0.0, 0, 0, 1), (0.5, 1, 1, 2), (0.99, 1, 2, 2)])
def test_ties(tie: float, of_two: int, of_three: int, without_first: int) -> None:
    """Of n equal makers, number floor(U n) in scenario order wins."""
    for makers, expected in (
        ([maker("a"), maker("b")], of_two),
        ([maker("a"), maker("b"), maker("c")], of_three),
        ([maker("a", eps_buy=0.5), maker("b"), maker("c")], without_first),
    ):
        scenario = market(*makers)
        trades = simulate(scenario, tape(scenario, {0: [Order(ANN, +1, 36.0, tie)]})).trades
        assert [trade.maker for trade in trades] == [FIRST + expected]


def test_spreads_that_scale_with_the_price() -> None:
    """s0 and delta are multiplied by P_t = 100: 100 * (5/4 + 3 * .25); s = sigma sqrt(dt) P_t = .32 * .25 * 100."""
    environment = MarketEnvironment(
        mid_price=GeometricBrownianMotion(volatility=0.32), steps_per_day=4, days_per_year=4, spreads_scale_with_price=True
    )
    tiering = FixedTiers(tiers=3, table={"ann": 1})
    scenario = market(
        maker("a", delta=0.75, tiering=tiering, hedging=FullHedge()),
        maker("b", eps_buy=9.0, hedging=FullHedge(volatility=0.64)),
        maker("c", eps_buy=9.0),
        market=environment,
    )
    history = simulate(scenario, tape(scenario, {0: [Order(ANN, +1, 64.0, 0.0)]}))
    assert history.trades[0].spread == approx(200.0)
    assert [step.step_volatility for step in history.steps[0]] == approx([8.0, 16.0, 0.0])


# --- maturation and tiers


def test_maturation_after_one_step() -> None:
    """Ann buys 64 at step 0 for 5/4, P goes 100, 101, 103: position revenue -64, yield 1/4; psi is known at step 1.

    At step 1 she sells 36 for 10/9, P goes up by 2: yield 10/9 + 2 = 28/9; psi moves half way: (1/4 + 28/9) / 2 = 121/72.
    """
    tiering = AverageYield(tiers=3, weight=0.5)
    scenario = market(maker("a", tiering=tiering), maker("b", alpha=3.0, tiering=tiering))
    orders = {0: [Order(ANN, +1, 64.0, 0.0)], 1: [Order(ANN, -1, 36.0, 0.0)], 2: [Order(ANN, +1, 19.0, 0.0)]}
    history = simulate(scenario, tape(scenario, orders, mid=[100.0, 101.0, 103.0, 90.0]))
    assert column(history, 0, "position_revenue") == approx([0.0, -64.0, 72.0])
    assert column(history, 0, "psi") == [[0.0] * 4, [0.25, 0.0, 0.0, 0.0], approx([121 / 72, 0.0, 0.0, 0.0])]
    assert column(history, 1, "psi") == [[0.0] * 4] * 3
    assert [trade.yield_ for trade in history.trades[:2]] == approx([0.25, 28 / 9])
    assert [trade.position_revenue for trade in history.trades[:2]] == approx([-64.0, 72.0])
    assert math.isnan(history.trades[2].yield_) and math.isnan(history.trades[2].position_revenue)  # never matures
    # risk cost: short 64 while P rises by 1, then short 28 while it rises by 2
    assert column(history, 0, "risk_cost") == approx([0.0, -64.0, -56.0])
    # P&L: +80 of spread; +80 - 64 + 40; then - 56 + 20 (19 * 20/19)
    assert column(history, 0, "pnl") == approx([80.0, 56.0, 20.0])


def test_maturation_after_two_steps_and_risk_cost_counts_losses_alone() -> None:
    """The same trade with t_m = 2: known at step 2, with the move from P_0 to P_2; the gain at step 2 costs no risk."""
    tiering = AverageYield(tiers=3)
    scenario = market(maker("a", tiering=tiering), maker("b", alpha=3.0), reward_horizon=2)
    history = simulate(scenario, tape(scenario, {0: [Order(ANN, +1, 64.0, 0.0)]}, mid=[100.0, 103.0, 101.0]))
    assert column(history, 0, "position_revenue") == approx([0.0, 0.0, -64.0])
    assert column(history, 0, "psi") == [[0.0] * 4, [0.0] * 4, [0.25, 0.0, 0.0, 0.0]]
    assert column(history, 0, "risk_cost") == approx([0.0, -192.0, 0.0])


def test_psi_takes_trades_in_the_order_done() -> None:
    """Two trades of one participant that mature together: the first sets psi, the second moves it by w."""
    scenario = market(maker("a", tiering=AverageYield(tiers=3, weight=0.25)), maker("b", alpha=3.0))
    history = simulate(scenario, tape(scenario, {0: [Order(ANN, +1, 64.0, 0.0), Order(ANN, -1, 75.0, 0.0)]}))
    assert history.steps[1][0].psi[ANN] == approx(5 / 4 + (4 / 3 - 5 / 4) / 4)


def test_tiers_are_quantiles_of_psi() -> None:
    """Three others in two tiers: ranks 0, 1, 2 get floor(2 r / 3) = 0, 0, 1; equal psi are ordered by `ranking`.

    Before any trade the ranking alone decides. Bob's trade loses money (psi < 0): he falls behind those never met.
    Ann then earns the maker some: she comes first. At the step a trade matures, the new tiers hold already.
    """
    scenario = market(maker("a", delta=0.5, tiering=AverageYield(tiers=2)), maker("b", eps_buy=9.0, eps_sell=9.0), steps=4)
    orders = {0: [Order(BOB, +1, 36.0, 0.0)], 1: [Order(ANN, -1, 36.0, 0.0)], 3: [Order(BOB, -1, 36.0, 0.0)]}
    ranking = [[0.9, 0.1, 0.0, 0.2], [0.0] * 4]  # bob, maker b, ann; the maker's own entry plays no role
    history = simulate(scenario, tape(scenario, orders, mid=[100.0, 105.0, 106.0, 106.0], ranking=ranking))
    assert column(history, 0, "tiers") == [[1, 0, -1, 0], [0, 1, -1, 0], [0, 1, -1, 0], [0, 1, -1, 0]]
    assert history.steps[1][0].psi == approx([0.0, 10 / 9 - 5, 0.0, 0.0])
    assert history.steps[2][0].psi == approx([10 / 9 + 1, 10 / 9 - 5, 0.0, 0.0])
    assert [trade.tier for trade in history.trades] == [0, 0, 1]
    assert history.trades[2].spread == approx(10 / 9 + 0.5)


def test_tiers_of_four_others() -> None:
    """J - 1 = 4 in K = 3: floor(3 r / 4) = 0, 0, 1, 2; in K = 4 each rank has its own."""
    for tiers, expected in ((3, [0, 0, -1, 1, 2]), (4, [0, 1, -1, 2, 3]), (1, [0, 0, -1, 0, 0])):
        scenario = market(maker("a", tiering=AverageYield(tiers=tiers)), maker("b"), maker("c"))
        assert simulate(scenario, tape(scenario, {})).steps[0][0].tiers == expected


def test_a_pin_replaces_the_tier_and_nothing_else() -> None:
    """Ann is pinned to the worst tier but still ranked first, so the others' tiers are as without the pin."""
    free, pinned = AverageYield(tiers=3), AverageYield(tiers=3, pins={"ann": 2})
    for tiering, expected in ((free, [0, 1, -1, 2]), (pinned, [2, 1, -1, 2])):
        scenario = market(maker("a", tiering=tiering), maker("b"))
        assert simulate(scenario, tape(scenario, {})).steps[0][0].tiers == expected


def test_fixed_tiers_and_pins() -> None:
    tiering = FixedTiers(tiers=3, table={"ann": 1, "b": 2}, pins={"ann": 2})
    scenario = market(maker("a", tiering=tiering), maker("b"))
    history = simulate(scenario, tape(scenario, {0: [Order(ANN, +1, 36.0, 0.0)]}))
    assert column(history, 0, "tiers") == [[2, 0, -1, 2]] * 3
    assert column(history, 0, "psi") == [[0.0] * 4] * 3


def test_revenue_rate_ranks_by_yield_times_volume() -> None:
    """Flat price: Ann yields 4/3 on 75, then 20/19 on 19; Bob 10/9 on 36, then 10/9 on 96, sold at 5/3 less a third.

    By yield Ann always leads. By revenue she leads at first, 100 against 40, and trails in the end: psi is 1.319 by then,
    times 94 is 124.0, against 10/9 times 132, which is 146.7.
    """
    orders = {
        0: [Order(ANN, +1, 75.0, 0.0), Order(BOB, +1, 36.0, 0.0)],
        1: [Order(BOB, -1, 96.0, 0.0), Order(ANN, +1, 19.0, 0.0)],
    }
    expected: dict[type, list[list[int]]] = {
        AverageYield: [[0, 1, -1, 2], [0, 1, -1, 2], [0, 1, -1, 2]],
        RevenueRate: [[0, 1, -1, 2], [0, 1, -1, 2], [1, 0, -1, 2]],
    }
    for policy in (AverageYield, RevenueRate):
        scenario = market(maker("a", eps_sell=-1 / 3, tiering=policy(tiers=3)), maker("b", eps_buy=9.0, eps_sell=9.0))
        history = simulate(scenario, tape(scenario, orders))
        assert column(history, 0, "tiers") == expected[policy]
        assert history.steps[2][0].psi == approx([4 / 3 + (20 / 19 - 4 / 3) / 20, 10 / 9, 0.0, 0.0])


# --- hedging


def test_full_hedge_with_the_other_makers() -> None:
    """A is left short 36 and buys it from b at step 1, who earns 40 on it and tiers a by it; b does not hedge."""
    b = maker("b", alpha=1.0, eps_sell=9.0, delta=0.125, tiering=AverageYield(tiers=3))
    scenario = market(maker("a", alpha=0.5, hedging=FullHedge()), b, steps=4)
    history = simulate(scenario, tape(scenario, {0: [Order(ANN, +1, 36.0, 0.0)]}, mid=[100.0, 100.0, 101.0, 101.0]))
    order, hedge = history.trades
    assert (order.maker, order.spread) == (FIRST, approx(math.sqrt(10 / 9)))
    assert (hedge.step, hedge.taker, hedge.maker, hedge.side, hedge.size, hedge.kind) == (1, FIRST, SECOND, 1, 36.0, "hedge")
    # b ranks ann, bob, a (equal psi, as they stand): a is in tier 2 and pays 10/9 + 2/8
    assert hedge.tier == 2
    assert hedge.spread == approx(10 / 9 + 0.25)
    assert column(history, 0, "hedge_fraction") == [0.0, 1.0, 0.0, 0.0]
    assert column(history, 0, "hedge_size") == [0.0, 36.0, 0.0, 0.0]
    assert column(history, 0, "hedging_cost") == approx([0.0, -49.0, 0.0, 0.0])
    assert column(history, 1, "spread_revenue") == approx([0.0, 49.0, 0.0, 0.0])
    assert column(history, 1, "hedging_cost") == [0.0] * 4
    assert column(history, 0, "position") == [0.0, -36.0, 0.0, 0.0]
    assert column(history, 1, "position") == [0.0, 0.0, -36.0, -36.0]
    # the hedge matures at step 2 for both: a gains 36 on it, b loses as much and learns a yield of 49/36 - 1
    assert column(history, 0, "position_revenue") == approx([0.0, 0.0, 36.0, 0.0])
    assert column(history, 1, "position_revenue") == approx([0.0, 0.0, -36.0, 0.0])
    assert history.steps[2][1].psi == approx([0.0, 0.0, 13 / 36, 0.0])
    assert column(history, 1, "tiers") == [[0, 1, 2, -1], [0, 1, 2, -1], [1, 2, 0, -1], [1, 2, 0, -1]]
    assert column(history, 0, "psi") == [[0.0] * 4] * 4  # a is nobody's quoting side in its own hedge


def test_the_hedger_pays_the_skew_of_its_own_side_and_ties_by_its_draw() -> None:
    """Long 36, a sells: to b or c, whichever its draw says; the skew for sellers counts, that for buyers does not."""
    for tie, expected in ((0.0, SECOND), (0.5, THIRD), (0.99, THIRD)):
        rivals = [maker(name, eps_sell=0.5, eps_buy=7.0) for name in "bc"]
        scenario = market(maker("a", hedging=FullHedge()), *rivals)
        history = simulate(scenario, tape(scenario, {0: [Order(ANN, -1, 36.0, 0.0)]}, hedge_tie=tie))
        hedge = history.trades[1]
        assert (hedge.maker, hedge.side, hedge.spread) == (expected, -1, approx(1.5 * 10 / 9))
        assert history.steps[1][0].hedge_size == -36.0


@pytest.mark.parametrize(
    ("venue", "eps", "counterparty"),
    [("makers", 0.5, SECOND), ("exchange", -0.5, THIRD), ("best", 0.5, THIRD), ("best", 0.0, SECOND), ("best", -0.5, SECOND)],
)
def test_venues(venue: Any, eps: float, counterparty: int) -> None:
    """Of two makers; participant 4 is the exchange. At eps = 0, alpha = 1 and size 64 the maker quotes S_ref exactly."""
    scenario = market(maker("a", alpha=0.5, eps_sell=-0.6, hedging=FullHedge(venue=venue)), maker("b", eps_sell=eps))
    history = simulate(scenario, tape(scenario, {0: [Order(ANN, -1, 64.0, 0.0)]}, mid=[100.0, 100.0, 99.0]))
    assert history.trades[0].maker == FIRST
    hedge = history.trades[1]
    assert hedge.maker == counterparty
    assert hedge.spread == approx(1.25 if counterparty == THIRD else 1.25 * (1 + eps))
    assert hedge.tier == 0
    assert history.final_position == [0.0, 64.0 if counterparty == SECOND else 0.0]
    assert math.isnan(hedge.yield_) == math.isnan(hedge.position_revenue) == (counterparty == THIRD)
    assert history.steps[2][0].position_revenue == 64.0  # its own hedge matures at either counterparty


def test_a_single_maker_hedges_at_the_exchange() -> None:
    for venue in ("exchange", "best"):
        scenario = market(maker("a", tiering=FixedTiers(tiers=2), hedging=ConstantFraction(venue=venue, fraction=0.25)))
        history = simulate(scenario, tape(scenario, {0: [Order(ANN, +1, 76.0, 0.0)]}))
        assert column(history, 0, "hedge_size") == [0.0, 19.0, 14.25]
        assert [trade.maker for trade in history.trades] == [FIRST, 3, 3]
        assert history.trades[1].spread == approx(20 / 19)
        assert history.final_position == [-42.75]


def test_nothing_above_the_largest_trade_is_hedged_at_once() -> None:
    """Two orders leave a short 150: `full` trades 99 of it and the rest at the next step; S_ref(99) = 20/11."""
    scenario = market(maker("a", hedging=FullHedge()), maker("b", eps_buy=0.1), steps=4)
    orders = {0: [Order(ANN, +1, 75.0, 0.0), Order(BOB, +1, 75.0, 0.0)]}
    history = simulate(scenario, tape(scenario, orders))
    assert column(history, 0, "hedge_fraction") == approx([0.0, 0.66, 1.0, 0.0])
    assert column(history, 0, "hedge_size") == approx([0.0, 99.0, 51.0, 0.0])
    assert history.trades[2].spread == approx(1.1 * 20 / 11)
    # `fraction` is clipped to the same, and so is what an action asks for
    scenario = market(maker("a", hedging=ConstantFraction(fraction=0.8)), maker("b", eps_buy=0.1), steps=4)
    assert column(simulate(scenario, tape(scenario, orders)), 0, "hedge_size") == approx([0.0, 99.0, 40.8, 8.16])
    scenario = market(maker("a"), maker("b", eps_buy=0.1))
    history = simulate(scenario, tape(scenario, orders), actions=[{}, {0: Action(hedge_fraction=0.9)}, {}])
    assert column(history, 0, "hedge_fraction") == approx([0.0, 0.66, 0.0])


def linear_market(policy: LinearSchedule, **fields: Any) -> History:
    """Maker a short 76 at step 1; dt = 1/16 and sigma = .04 make s = 1; b quotes S_ref."""
    environment = MarketEnvironment(mid_price=GeometricBrownianMotion(volatility=0.04), steps_per_day=4, days_per_year=4)
    scenario = market(maker("a", alpha=0.5, hedging=policy), maker("b", eps_sell=9.0), market=environment, steps=2, **fields)
    return simulate(scenario, tape(scenario, {0: [Order(ANN, +1, 76.0, 0.0)]}))


def test_linear_hedge_takes_the_best_number_of_pieces() -> None:
    """With s = 1 the objective of n pieces is c(76 / n) + gamma sqrt(sum y^2):

    n = 1: 1.342374 + 0 gamma; 2: 1.118943 + .5 gamma; 3: 1.072903 + .745356 gamma; 4: 1.052632 + .935414 gamma.
    The best n changes at gamma = .10666 (4 to 3), .18765 (3 to 2) and .44686 (2 to 1).
    """
    for gamma, pieces in ((0.0, 4), (0.106, 4), (0.107, 3), (0.187, 3), (0.188, 2), (0.446, 2), (0.447, 1), (5.0, 1)):
        history = linear_market(LinearSchedule(risk_aversion=gamma, horizon=4))
        assert history.steps[1][0].step_volatility == approx(1.0)
        assert history.steps[1][0].hedge_fraction == 1 / pieces, gamma
    # less volatility in the maker's own view is less risk: s = .25, so gamma = 1 weighs like .25
    history = linear_market(LinearSchedule(risk_aversion=1.0, horizon=4, volatility=0.01))
    assert history.steps[1][0].hedge_fraction == 1 / 2
    assert linear_market(LinearSchedule(risk_aversion=0.0, horizon=1)).steps[1][0].hedge_fraction == 1.0


def test_linear_hedge_skips_pieces_that_are_too_large() -> None:
    """Short 150, v_max 100: at once is not allowed, so even an extreme risk aversion takes two pieces; H = 1 trades 99."""
    for horizon, expected in ((20, 0.5), (2, 0.5), (1, 0.66)):
        scenario = market(maker("a", hedging=LinearSchedule(risk_aversion=1e6, horizon=horizon)), maker("b", eps_buy=0.1))
        orders = {0: [Order(ANN, +1, 75.0, 0.0), Order(BOB, +1, 75.0, 0.0)]}
        history = simulate(scenario, tape(scenario, orders, mid=[100.0, 100.0, 100.0]))
        assert history.steps[1][0].hedge_fraction == approx(expected)


def test_linear_hedge_prices_the_envelope() -> None:
    """b (alpha 4) is the cheaper for small sizes, c (alpha 1/2, plus .2 for the tier) for large ones.

    At 64 b asks 2.441 and c 1.318, at 32 1.444 and 1.247, at 21.3 1.262 and 1.230, at 16 1.186 and 1.222. Without risk
    aversion pieces of 16 are the cheapest and go to b; with it all goes to c at once.
    """
    b = maker("b", alpha=4.0, eps_sell=9.0)
    c = maker("c", alpha=0.5, delta=0.2, eps_sell=9.0, tiering=FixedTiers(tiers=3, table={"a": 1, "ann": 2}))
    for gamma, pieces, counterparty in ((0.0, 4, SECOND), (1e6, 1, THIRD)):
        scenario = market(maker("a", alpha=0.25, hedging=LinearSchedule(risk_aversion=gamma, horizon=4)), b, c, steps=2)
        history = simulate(scenario, tape(scenario, {0: [Order(ANN, +1, 64.0, 0.0)]}))
        assert history.steps[1][0].hedge_fraction == 1 / pieces
        assert history.trades[1].maker == counterparty
    assert history.trades[1].spread == approx(math.sqrt(1.25) + 0.2)


def test_optimal_fractions_are_taken_as_given() -> None:
    scenario = market(maker("a", hedging=AlmgrenChriss()), maker("b", eps_buy=0.5))
    given = tape(scenario, {0: [Order(ANN, +1, 64.0, 0.0)]})
    history = simulate(scenario, given, hedge_fractions=[[0.7, 0.7], [0.25, 0.7], [0.5, 0.7]])
    assert column(history, 0, "hedge_fraction") == [0.0, 0.25, 0.5]  # no position, no trade
    assert column(history, 0, "hedge_size") == [0.0, 16.0, 24.0]
    assert column(history, 1, "hedge_fraction") == [0.0, 0.0, 0.0]  # b does not hedge
    with pytest.raises(ValueError, match="hedges optimally"):
        simulate(scenario, given)


def test_hedges_are_simultaneous() -> None:
    """a is short 36, b long 64: each hands its position to the other at step 1, so they swap."""
    scenario = market(
        maker("a", eps_sell=0.5, alpha=1.0, hedging=FullHedge()), maker("b", eps_buy=0.5, alpha=1.0, hedging=FullHedge())
    )
    orders = {0: [Order(ANN, +1, 36.0, 0.0), Order(BOB, -1, 64.0, 0.0)]}
    history = simulate(scenario, tape(scenario, orders))
    assert [[step.position for step in row] for row in history.steps] == [[0.0, 0.0], [-36.0, 64.0], [64.0, -36.0]]
    assert [(trade.taker, trade.maker) for trade in history.trades[2:4]] == [(FIRST, SECOND), (SECOND, FIRST)]


# --- actions


def test_actions_replace_what_the_maker_would_do_for_one_step() -> None:
    tiering = AverageYield(tiers=3, pins={"bob": 0})
    scenario = market(maker("a", delta=0.5, eps_buy=0.5, tiering=tiering), maker("b", eps_buy=9.0, eps_sell=9.0))
    orders = {t: [Order(ANN, +1, 64.0, 0.0), Order(BOB, -1, 64.0, 0.0)] for t in range(2)}
    orders[0].pop()
    actions = [{}, {0: Action(tiers=[2, 1, 7, 0], eps_buy=1.0, hedge_fraction=0.25)}, {}]
    history = simulate(scenario, tape(scenario, orders), actions=actions)
    assert column(history, 0, "tiers") == [[0, 0, -1, 2], [2, 1, -1, 0], [0, 0, -1, 2]]
    first, ann, bob, hedge = history.trades
    assert first.spread == approx(1.5 * 1.25)
    assert (ann.spread, bob.spread) == (approx(2 * 1.25 + 1.0), approx(1.25 + 0.5))
    assert (hedge.taker, hedge.maker, hedge.size, hedge.side) == (FIRST, SECOND, 16.0, +1)
    with pytest.raises(ValueError, match="hedge_fraction"):
        simulate(scenario, tape(scenario, orders), actions=[{}, {0: Action(hedge_fraction=1.5)}, {}])


def test_the_eps_of_an_action_holds_for_hedgers_too() -> None:
    scenario = market(maker("a", hedging=FullHedge()), maker("b", eps_buy=0.5))
    history = simulate(scenario, tape(scenario, {0: [Order(ANN, +1, 64.0, 0.0)]}), actions=[{}, {1: Action(eps_buy=0.25)}, {}])
    assert history.trades[1].spread == approx(1.25 * 1.25)


# --- what always holds


def random_market(rng: random.Random) -> tuple[Scenario, ReplicaTape, list[list[float]], list[dict[int, Action]]]:
    def draw_maker(index: int) -> MarketMakerAgent:
        venue: Any = rng.choice(["makers", "exchange", "best"])
        tierings: list[Any] = [
            AverageYield(tiers=3),
            RevenueRate(tiers=2, pins={"bob": 1}),
            FixedTiers(tiers=3, table={"ann": 2}),
        ]
        hedgings: list[Any] = [
            AlmgrenChriss(venue=venue),
            LinearSchedule(venue=venue, risk_aversion=rng.choice([0.0, 0.1, 1.0]), horizon=6),
            ConstantFraction(venue=venue, fraction=rng.random()),
            FullHedge(venue=venue),
            NoHedge(),
        ]
        return maker(
            f"maker-{index}",
            alpha=rng.uniform(1.0, 1.7),
            delta=rng.uniform(0.0, 1e-2),
            eps_buy=rng.choice([0.0, 0.0, rng.uniform(-0.5, 0.5)]),
            eps_sell=rng.choice([0.0, 0.0, rng.uniform(-0.5, 0.5)]),
            tiering=rng.choice(tierings),
            hedging=rng.choice(hedgings),
        )

    scenario = market(
        *[draw_maker(i) for i in range(rng.choice([2, 3]))],
        steps=12,
        reward_horizon=rng.choice([1, 2, 5]),
        exchange=Exchange(lam=rng.choice([1.6, 2.0, 3.0]), v_max=100.0),
        market=MarketEnvironment(spreads_scale_with_price=rng.random() < 0.5),
    )
    mid = [100.0]
    while len(mid) < scenario.steps + scenario.reward_horizon:
        mid.append(mid[-1] * math.exp(rng.gauss(0.0, 0.01)))
    orders = [
        [Order(j, rng.choice([-1, 1]), rng.uniform(1.0, 99.0), rng.random()) for j in (ANN, BOB) if rng.random() < 0.7]
        for _ in range(scenario.steps)
    ]
    hedge_tie = [[rng.random() for _ in scenario.makers] for _ in range(scenario.steps)]
    ranking = [[rng.random() for _ in scenario.participants] for _ in scenario.makers]
    spreads = [rng.uniform(0.01, 0.04) for _ in range(scenario.steps)]
    fractions = [[rng.uniform(0.0, 0.1) for _ in scenario.makers] for _ in range(scenario.steps)]
    actions = [
        {
            i: Action(
                tiers=rng.choice([None, [rng.randrange(2) for _ in scenario.participants]]),
                eps_buy=rng.choice([None, rng.uniform(-0.2, 0.2)]),
                eps_sell=rng.choice([None, rng.uniform(-0.2, 0.2)]),
                hedge_fraction=rng.choice([None, 0.0, rng.random()]),
            )
            for i in range(len(scenario.makers))
            if rng.random() < 0.2
        }
        for _ in range(scenario.steps)
    ]
    return scenario, ReplicaTape(mid, spreads, orders, hedge_tie, ranking), fractions, actions


@pytest.mark.parametrize("seed", range(100))
def test_identities(seed: int) -> None:
    scenario, drawn, fractions, actions = random_market(random.Random(seed))
    history = simulate(scenario, drawn, fractions, actions)
    makers = range(len(scenario.makers))
    exchange = len(scenario.participants)

    # 1. Positions of makers, investors and the exchange sum to zero; the makers' are the sums of their trades.
    position = [0.0] * (exchange + 1)
    for trade in history.trades:
        position[trade.taker] += trade.side * trade.size
        position[trade.maker] -= trade.side * trade.size
    assert sum(position) == pytest.approx(0.0, abs=TINY)
    assert history.final_position == pytest.approx(position[2:exchange], abs=TINY)

    for t, row in enumerate(history.steps):
        done = [trade for trade in history.trades if trade.step == t]
        # 2. Every unit of spread revenue is paid by an investor or by a hedger; what the exchange earns is nobody's revenue.
        paid = sum(trade.spread * trade.size for trade in done if trade.kind == "order") - sum(s.hedging_cost for s in row)
        to_exchange = sum(trade.spread * trade.size for trade in done if trade.maker == exchange)
        assert sum(step.spread_revenue for step in row) + to_exchange == pytest.approx(paid, rel=TINY, abs=TINY)
        for i in makers:
            _check_one_maker(scenario, drawn, history, t, i, row[i], done)

    # 3. Trades of the last t_m steps never mature, nor for anybody those at the exchange; all others do.
    for trade in history.trades:
        matured = trade.step + scenario.reward_horizon < scenario.steps and trade.maker != exchange
        assert math.isnan(trade.yield_) == math.isnan(trade.position_revenue) == (not matured)
        if matured:
            move = drawn.mid[trade.step + scenario.reward_horizon] - drawn.mid[trade.step]
            assert trade.yield_ == pytest.approx(trade.spread - trade.side * move, rel=1e-10, abs=TINY)


def _check_one_maker(
    scenario: Scenario, drawn: ReplicaTape, history: History, t: int, i: int, step: MakerStep, done: list[Trade]
) -> None:
    mine = [row[i] for row in history.steps[: t + 1]]
    mid, t_m, participant = drawn.mid, scenario.reward_horizon, i + 2
    # P&L is the sum of spread revenue, hedging cost and the moves of the position held.
    moves = [past.position * (mid[k] - mid[k - 1]) for k, past in enumerate(mine) if k > 0]
    formula = sum(past.spread_revenue + past.hedging_cost for past in mine) + sum(moves)
    assert step.pnl == pytest.approx(formula, rel=TINY, abs=1e-7)
    assert step.risk_cost == (0.0 if t == 0 else min(step.position * (mid[t] - mid[t - 1]), 0.0))
    # Position revenue is what the position's change over step t - t_m has earned since, own hedges included.
    if t >= t_m:
        after = history.steps[t - t_m + 1][i].position
        traded = after - history.steps[t - t_m][i].position
        assert step.position_revenue == pytest.approx(traded * (mid[t] - mid[t - t_m]), abs=1e-7)
    else:
        assert step.position_revenue == 0.0
    # A hedge is a trade against the position, of the fraction reported and not above the largest trade.
    hedges = [trade for trade in done if trade.kind == "hedge" and trade.taker == participant]
    assert sum(trade.side * trade.size for trade in hedges) == approx(step.hedge_size)
    assert step.hedge_size == approx(-step.position * step.hedge_fraction)
    assert all(trade.size <= largest_trade(scenario.exchange) * (1 + 1e-12) for trade in hedges)
    assert all(trade.maker != participant and trade.maker >= 2 for trade in hedges)
    assert step.tiers[participant] == -1 and step.psi[participant] == 0.0
    # The tier on a trade is the one quoted.
    assert all(trade.tier == step.tiers[trade.taker] for trade in done if trade.maker == participant)
