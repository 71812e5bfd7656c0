"""The optimum of our own market: known values, a brute force in plain Python, simulation in the engine, and what is refused."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from dealermarket import ParameterError, Scenario, SimulationRunner
from dealermarket.control import Decision, Optimum, Reward
from dealermarket.control.flow import kernel, on_lattice
from dealermarket.control.numbers import Numbers
from dealermarket.control.prices import moves, reference_spreads
from dealermarket.control.recursion import solved
from dealermarket.engine.scales import scales_of
from dealermarket.model.investors.sizes import LogNormalSize
from dealermarket.model.makers.policies import AdaptiveMaker, HeuristicMaker, OptimalMaker, RandomMaker, SkewMaker
from dealermarket.policies.named import policy_named

LEARNING = Scenario.load("learning")
NO_HEDGE = "makers.0.hedging.kind=none"
NARROW = ("makers.1.policy.low=-0.5", "makers.1.policy.high=0.5")
BEST = "makers.0.hedging.venue=best"
PERSISTENT = "makers.1.policy={kind='persistent', low=0.3, high=0.3}"


def penalised(weight: float) -> Reward:
    return Reward(weights="pnl", inventory_squared=weight)


def optimum(*settings: str, reward: Reward) -> Optimum:
    return Decision.of(LEARNING.with_settings(*settings), reward=reward).solve()


@pytest.mark.parametrize(
    ("settings", "reward", "value", "tolerance"),
    [
        ((), penalised(0.0), 0.500286, 1e-4),
        ((), penalised(0.5), 0.439023, 1e-4),
        ((), penalised(2.0), 0.367034, 1e-4),
        ((), penalised(8.0), 0.199033, 1e-4),
        ((NO_HEDGE,), penalised(0.5), 0.438031, 1e-4),
        ((NO_HEDGE,), penalised(2.0), 0.365290, 1e-4),
        ((NO_HEDGE,), penalised(8.0), 0.196807, 1e-4),
        (NARROW, penalised(0.5), 0.523111, 1e-4),
        (NARROW, penalised(2.0), 0.476599, 1e-4),
        ((BEST,), penalised(2.0), 0.369987, 1e-4),
        ((BEST,), penalised(8.0), 0.200946, 1e-4),
        ((PERSISTENT,), penalised(2.0), 1.212235, 2e-4),
        ((PERSISTENT,), penalised(8.0), 1.113557, 2e-4),
        (("market.mid_price.volatility=0.1",), Reward(), 0.005220, 5e-5),
        (("market.mid_price.volatility=0.05",), Reward(), 0.029761, 2e-4),
        (("market.mid_price.volatility=0.02",), Reward(), 0.218872, 2e-4),
        (("market.mid_price.volatility=0.01",), Reward(), 0.328551, 2e-4),
        (("market.mid_price.volatility=0.005",), Reward(), 0.395596, 2e-4),
        ((), Reward(weights="pnl", inventory_pnl_squared=0.02), 0.216845, 1e-4),
        ((), Reward(weights="pnl", inventory_loss=0.3), 0.131037, 1e-4),
    ],
)
def test_the_optimum_of_the_learning_market(settings: tuple[str, ...], reward: Reward, value: float, tolerance: float) -> None:
    assert optimum(*settings, reward=reward).value == pytest.approx(value, abs=tolerance)


@pytest.mark.parametrize(
    ("weight", "heuristic", "skew", "gain"),
    [(0.5, -0.196902, 0.432378, 0.437542), (2.0, -2.288464, 0.314049, 0.365767), (8.0, -10.654714, -0.159270, 0.198235)],
)
def test_policies_that_are_functions_of_state_are_evaluated(weight: float, heuristic: float, skew: float, gain: float) -> None:
    best = optimum(reward=penalised(weight))
    assert best.evaluate(HeuristicMaker()) == pytest.approx(heuristic, abs=1e-5)
    assert best.evaluate(SkewMaker()) == pytest.approx(skew, abs=1e-4)
    assert best.stationary_gain == pytest.approx(gain, abs=1e-4)


def test_quotes_lean_against_the_position() -> None:
    best = optimum(reward=penalised(2.0))
    eps_buy, eps_sell, hedge = best.quotes(0, [0.0, 5.0, 10.0, -10.0], 1.5e-4)
    assert eps_buy == pytest.approx([0.0306, -0.1620, -0.3510, 0.4108], abs=0.002)
    assert eps_sell == pytest.approx([0.0306, 0.2220, 0.4108, -0.3510], abs=0.002)
    assert hedge.tolist() == [0.0] * 4
    assert best.quotes(0, 40.0, 1e-4)[2] > 0.5  # far out it hedges, and more where that is cheaper
    assert best.quotes(0, 40.0, 1e-4)[2] > best.quotes(0, 40.0, 3e-4)[2]


def test_what_an_action_loses_is_its_share_of_what_a_policy_loses() -> None:
    """With s0 constant: the losses of a policy, weighed by where it is, add up to what it earns less than the optimum."""
    scenario = LEARNING.with_settings("market.reference_spread={kind='constant'}", "steps=6")
    best = Decision.of(scenario, reward=penalised(2.0)).solve()

    def act(z: float) -> tuple[float, float, float]:
        return 0.1, -0.1 * math.tanh(z), 1.0  # hedges everything, so that positions are whole

    worse = best.evaluate(lambda _, z, __: (0.1, -0.1 * np.tanh(z), 1.0)) - best.value
    lost, density = 0.0, {0: 1.0}
    for step in range(6):
        after: dict[int, float] = dict.fromkeys(range(-20, 21), 0.0)
        for z, chance in density.items():
            eps_buy, eps_sell, _ = act(z)
            lost += chance * float(best.advantage(step, z, 1.5e-4, act(z)).total)
            for buy, sell, bought in itertools.product((0, 1), (0, 1), range(21)):
                wins = (0.5 - 0.5 * eps_buy if buy else 0.5 + 0.5 * eps_buy) * (
                    0.5 - 0.5 * eps_sell if sell else 0.5 + 0.5 * eps_sell
                )
                after[sell * (20 - bought) - buy * bought] += chance * wins * math.comb(20, bought) * 0.5**20
        density = after
    assert lost / 6 == pytest.approx(worse, abs=2e-5)


def test_the_best_action_loses_nothing_and_others_do() -> None:
    best = optimum(reward=penalised(2.0))
    rng = np.random.default_rng(5)
    z, s0 = rng.uniform(-40.0, 40.0, 300), rng.uniform(2e-5, 5e-4, 300)
    eps_buy, eps_sell, hedge = best.quotes(3, z, s0)
    own = best.advantage(3, z, s0, (eps_buy, eps_sell, hedge))
    assert own.total.min() > -1e-4 and own.total.max() <= 0.0
    dearer = best.advantage(3, z, s0, (eps_buy + 0.1, eps_sell, hedge))
    hedged = best.advantage(3, z, s0, (eps_buy, eps_sell, np.minimum(hedge + 0.3, 1.0)))
    assert (dearer.prices[eps_buy < 0.9] < -1e-6).all() and (dearer.hedging <= 0.0).all()  # beyond, nothing is won anyway
    assert hedged.prices.min() > -1e-4 and hedged.hedging.mean() < -0.01


def test_a_tiny_market_solved_by_brute_force() -> None:
    """Three steps, two orders of one unit, s0 one number: all prices of a fine grid and all hedges, by plain recursion."""
    scenario = LEARNING.with_settings(
        "steps=3",
        "reward_horizon=1",
        "investors.0.count=2",
        "investors.0.trade_probability=0.7",
        "investors.0.buy_probability=0.4",
    ).with_settings("market.reference_spread={kind='constant', mean=0.0002}", "exchange.v_max=12.0")
    reward = Reward(inventory_squared=3.0)
    best = Decision.of(scenario, reward=reward).solve()
    scales = scales_of(scenario, reward)
    curve = float(scenario.exchange.relative_spread(1.0))
    orders = [(0, 0.3), (-1, 0.7 * 0.4), (1, 0.7 * 0.6)]  # the position's move, where both sides are won
    sigma = 0.1 * math.sqrt(1.0 / (252 * 96))
    move = 2.0 * math.erf(sigma / 2 / math.sqrt(2))  # E|P_t - P_{t-1}|, in closed form
    grid = np.linspace(-1.0, 1.0, 401)
    wins = (1.0 - grid) / 2

    def to_go(step: int, z: float) -> float:
        if step == 3:
            return 0.0
        values = []
        for kept in {round(z * part / 8, 9) for part in range(9)} if z else {0.0}:
            size = abs(z - kept)
            cost = 1e-4 * size * float(scenario.exchange.relative_spread(size)) / scales.money
            later = {}
            for win_buy, win_sell in itertools.product((0, 1), repeat=2):
                total = 0.0
                for (first, p), (second, q) in itertools.product(orders, repeat=2):
                    after = kept
                    for moved in (first, second):
                        after += moved * (win_buy if moved < 0 else win_sell)
                    held = 3.0 * (after / scales.position) ** 2
                    held += 0.5 * move * abs(after) / scales.money if step < 2 else 0.0
                    total += p * q * (known(step + 1, after) - held)
                later[win_buy, win_sell] = total
            income = 2 * 0.7 * 1e-4 * curve / scales.money * (1.0 + grid) * wins
            p, q = wins[:, None], wins
            worth = 0.4 * income[:, None] + 0.6 * income
            worth = worth + p * q * later[1, 1] + p * (1 - q) * later[1, 0] + (1 - p) * q * later[0, 1]
            values.append(float(np.max(worth + (1 - p) * (1 - q) * later[0, 0])) - cost)
        return max(values)

    memory: dict[tuple[int, float], float] = {}

    def known(step: int, z: float) -> float:
        if (step, z) not in memory:
            memory[step, z] = to_go(step, z)
        return memory[step, z]

    assert best.value == pytest.approx(known(0, 0.0) / 3, abs=3e-4)
    assert best.value >= known(0, 0.0) / 3 - 1e-6  # the brute force tries less


def test_spreads_and_moves_of_prices() -> None:
    nodes, weights = reference_spreads(LEARNING.market)
    assert nodes @ weights == pytest.approx(1.50073e-4, rel=1e-5)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    for mid in ("{kind='gbm', initial=2.0, volatility=2.0}", "{kind='jump_diffusion', intensity=50.0, jump_std=0.05}"):
        market = LEARNING.with_settings(f"market.mid_price={mid}").market
        paths, _ = market.sample(np.random.default_rng(1), 4, 400_000)
        change = np.diff(paths, axis=1)
        distance, square = moves(market, 3)
        assert np.abs(change).mean(axis=0) == pytest.approx([distance] * 3, rel=0.01)
        assert (change**2).mean(axis=0) == pytest.approx(square, rel=0.05)


def test_orders_keep_their_moments_on_the_lattice() -> None:
    law = on_lattice(LogNormalSize(mean_size=2.0, log_std=0.5), 0.5, 1e6)
    assert law @ (0.5 * np.arange(len(law))) == pytest.approx(2.0, rel=1e-6)
    numbers = Numbers.of(LEARNING, 0, Reward())
    moved = kernel(numbers.investors, 1.0, 1.0, 0.0)
    position = numbers.step * (np.arange(len(moved)) - len(moved) // 2)
    assert moved @ position == pytest.approx(-10.0) and moved @ position**2 == pytest.approx(105.0)


SIMULATED = {
    "penalised": ((), penalised(2.0)),
    "no hedge": ((NO_HEDGE,), penalised(8.0)),
    "persistent": ((PERSISTENT,), penalised(8.0)),
    "best": ((BEST,), penalised(8.0)),
    "four parts": (("market.mid_price.volatility=0.02",), Reward()),
    "ladder": (
        ("investors.0={name='a', count=8, trade_probability=0.5, size={kind='ladder', sizes=[1.0, 5.0], weights=[5, 1]}}",),
        penalised(2.0),
    ),
    "one side more": (
        ("investors.0.buy_probability=0.6", "investors.0.trade_probability=0.4", "market.activity=[1.0, 3.0]"),
        penalised(2.0),
    ),
}


@pytest.mark.compiled
@pytest.mark.slow
@pytest.mark.parametrize("name", SIMULATED)
def test_the_optimal_maker_earns_its_value_in_the_engine(name: str) -> None:
    settings, reward = SIMULATED[name]
    scenario, replicas = LEARNING.with_settings(*settings), 10_000
    best = Decision.of(scenario, reward=reward).solve()
    run = SimulationRunner(scenario.with_policies({"learner": OptimalMaker(reward=reward)}), replicas=replicas, seed=3, threads=2)
    earned = simulated_reward(run.run().summary.query("maker == 'learner'"), scenario, reward)
    assert abs(earned.mean() - best.value) < 3.5 * earned.std() / math.sqrt(replicas)


def simulated_reward(summary, scenario: Scenario, reward: Reward):
    """The mean reward of a step of each replica, without what is 0 in the mean whatever a maker does: gains by the mid."""
    scales, weights = scales_of(scenario, reward), reward.component_weights
    money = sum(summary[name] * weights[name] for name in ("spread_revenue", "hedging_cost", "risk_cost")) / scales.money
    squares = summary.mean_squared_position * scenario.steps + summary.last_abs_position**2  # from a flat position
    return (money - reward.inventory_squared * squares / scales.position**2) / scenario.steps


@pytest.mark.compiled
def test_an_optimal_maker_is_one_among_others() -> None:
    policy = policy_named("optimal:reward.weights=pnl,reward.inventory_squared=2")
    assert policy == OptimalMaker(reward=penalised(2.0))
    scenario = LEARNING.with_policies({"learner": policy, "competitor": RandomMaker()})
    assert Scenario.from_toml(scenario.to_toml()) == scenario
    first, second = (SimulationRunner(scenario, replicas=40, seed=0, threads=n).run().summary for n in (1, 2))
    assert first.equals(second)
    rival = LEARNING.with_policies({"competitor": policy, "learner": RandomMaker()})
    assert SimulationRunner(rival, replicas=40, seed=0).run().summary.query("maker == 'competitor'").hedge_volume.sum() > 0


def test_all_reasons_are_named_at_once() -> None:
    scenario = LEARNING.with_policies({"competitor": AdaptiveMaker()}).with_settings(
        "market.mid_price.drift=0.1",
        "investors.0.oracle_probability=0.5",
        "makers.1.hedging.venue=makers",
        "makers.1.hedging.fraction=0.5",
    )
    with pytest.raises(ParameterError) as caught:
        Decision.of(scenario, "learner", Reward(weights={"hedging_cost": -1.0, "spread_revenue": 1.0}))
    for field in (
        "market.mid_price.drift",
        "oracle_probability",
        "makers.1.policy",
        "makers.1.hedging",
        "reward.weights.hedging_cost",
    ):
        assert field in str(caught.value)


def test_the_nearest_problem_says_what_was_replaced() -> None:
    scenario = LEARNING.with_policies({"competitor": AdaptiveMaker()}).with_settings("market.mid_price.drift=0.1")
    with pytest.raises(ParameterError, match="approximate"):
        Decision.of(scenario)
    best = Decision.of(scenario, reward=penalised(2.0), approximate=True).solve()
    assert not best.exact and len(best.replaced) == 2
    assert best.value == optimum(reward=penalised(2.0)).value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("investors.0.size={kind='ladder', sizes=[1.0, 1.3, 400.0], weights=[1, 1, 1]}", "positions"),
        ("makers.1.policy={kind='persistent', low=0.0, high=0.3}", "makers.1.policy"),
        ("market.mid_price.kind=ornstein_uhlenbeck", "market.mid_price.kind"),
        ("market.reference_spread.kind=log_ar1", "autocorrelation"),
        ("investors.0.asks=1", "asks"),
        ("market.impact={kind='linear', permanent=1e-6}", "market.impact"),
        ("makers.1.pricing.tier_penalty=1e-5", ""),
    ],
)
def test_what_is_not_solved_is_refused(change: str, said: str) -> None:
    scenario = Scenario.load("learning").with_settings(change)
    if not said:
        Decision.of(scenario)  # nobody is in a tier that pays more
        return
    with pytest.raises(ParameterError, match=said):
        Decision.of(scenario)


def test_wrong_questions_are_refused() -> None:
    best = optimum(reward=penalised(2.0))
    for ask, said in (
        (lambda: best.advantage(0, 5.0, 1.5e-4, (0.0, 0.0)), "action"),  # type: ignore[arg-type]
        (lambda: best.quotes(96, 0.0, 1e-4), "step"),
        (lambda: best.quotes(0, math.nan, 1e-4), "finite"),
        (lambda: best.quotes(0, 1e9, 1e-4), "position"),
        (lambda: best.evaluate(RandomMaker()), "random"),
        (lambda: best.evaluate(lambda *_: (0.0, -2.0, 0.0)), "eps_sell"),
        (lambda: best.evaluate("skew"), "policy"),  # type: ignore[arg-type]
        (lambda: Decision.of(LEARNING, "nobody"), "nobody"),
        (lambda: Decision.of("learning"), "Scenario"),  # type: ignore[arg-type]
        (lambda: Decision.of(LEARNING, reward="pnl"), "reward"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ParameterError, match=said):
            ask()


def test_solutions_are_kept_and_broken_ones_made_anew(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALERMARKET_CACHE_DIR", str(tmp_path))
    scenario = LEARNING.with_settings("steps=5", NO_HEDGE)
    decision = Decision.of(scenario, reward=penalised(1.0))
    first = decision.solve()
    (kept,) = (tmp_path / "optimal").glob("*.npz")
    kept.write_bytes(kept.read_bytes()[:100])
    assert np.array_equal(decision.solve().values, first.values)
    other = Decision.of(scenario, reward=penalised(3.0))
    other.solve()
    (foreign,) = set((tmp_path / "optimal").glob("*.npz")) - {kept}
    foreign.write_bytes(kept.read_bytes())  # of another problem
    assert np.array_equal(other.solve().values, solved(other.numbers))
    named = scenario.replace(name="another", description="the same market")
    Decision.of(named, reward=penalised(1.0)).solve()
    assert len(list((tmp_path / "optimal").glob("*.npz"))) == 2


def test_the_lattice_is_among_the_reasons_and_then_nothing_helps() -> None:
    with pytest.raises(ParameterError) as caught:
        Decision.of(Scenario.load("dealers"))
    said = str(caught.value)
    assert all(reason in said for reason in ("makers.0.tiering", "makers.1.pricing.alpha", "positions"))
    assert "approximate" not in said


def test_optima_of_other_rewards_are_evaluated() -> None:
    best = Decision.of(LEARNING.with_settings("steps=8"), reward=penalised(2.0)).solve()
    assert best.evaluate(OptimalMaker(reward=penalised(2.0))) == pytest.approx(best.value, abs=2e-6)
    assert 0.3 < best.evaluate(OptimalMaker(reward=penalised(8.0))) < best.value - 1e-3
