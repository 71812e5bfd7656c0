"""The policies that ship: their laws, their repeatability, the adaptive maker's rule, and what an action may change."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest, pearsonr

import dealermarket.runs.chunks
from conftest import assert_says, raises, refused
from dealermarket import Action, MakerPolicy, Observation, ParameterError, PolicyError, PolicySetup, Scenario, SimulationRunner
from dealermarket.draws.streams import first_episodes
from dealermarket.policies import Actor, AdaptiveMaker, HeuristicMaker, PersistentMaker, Policy, RandomMaker, SkewMaker, start
from dealermarket.policies.adaptive import FlowTable

SHIPPED = ("heuristic", "random", "persistent", "skew", "adaptive")

# The follow-up paper's market: 20 investors, unit trades, one in every step from each; nothing but prices matters.
FOLLOW_UP = """
steps = 40
reward_horizon = 3
[[investors]]
name = "investor"
count = 20
mean_size = 1.0
log_std = 0.0
trade_probability = 1.0
[[makers]]
name = "studied"
tiering = {kind = "fixed", tiers = 1}
pricing = {tier_penalty = 0.0}
hedging = {kind = "fraction", fraction = 0.0, venue = "exchange"}
[[makers]]
name = "rival"
tiering = {kind = "fixed", tiers = 1}
pricing = {tier_penalty = 0.0}
hedging = {kind = "fraction", fraction = 0.0, venue = "exchange"}
"""


def follow_up(*settings: str, alone: bool = False) -> Scenario:
    scenario = Scenario.from_toml(FOLLOW_UP, settings)
    return scenario.replace(makers=scenario.makers[:1]) if alone else scenario


def setup_of(scenario: Scenario, maker: str, replicas: int, seed: int = 0) -> PolicySetup:
    return PolicySetup(scenario, maker, first_episodes(seed, range(replicas)))


def prices(policy: RandomMaker | PersistentMaker, setup: PolicySetup, steps: int) -> np.ndarray:
    """The policy's eps at every step: (steps, B, 2)."""
    actor = start(policy, setup)
    actions = [actor.act(SimpleNamespace()) for _ in range(steps)]  # type: ignore[arg-type]
    return np.array([[action.eps_buy, action.eps_sell] for action in actions]).transpose(0, 2, 1)


def assert_same_runs(one: SimulationRunner, other: SimulationRunner) -> None:
    """The same summaries, steps and trades to the bit."""
    first, second = one.run(), other.run()
    for table in ("summary", "steps", "trades"):
        pd.testing.assert_frame_equal(getattr(first, table), getattr(second, table), check_exact=True)


class Delegate(MakerPolicy):
    """Acts as another policy does; the runner does not know which."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def start(self, setup: PolicySetup) -> Actor:
        return start(self.policy, setup)


class Constant(MakerPolicy):
    def __init__(self, **parts: Any) -> None:
        self.action = Action(**parts)

    def act(self, observation: Observation) -> Action:
        return self.action


# --- every policy that ships


@pytest.mark.parametrize("kind", SHIPPED)
def test_a_scenario_names_its_policies(kind: str) -> None:
    scenario = Scenario.load("paper", [f"makers.1.policy.kind={kind}", "steps=12"])
    assert scenario.makers[1].policy.kind == kind
    assert Scenario.from_toml(scenario.to_toml()) == scenario
    assert list(scenario.policies) == ([] if kind == "heuristic" else ["maker-2"])
    named = SimulationRunner(scenario, replicas=2, record="trades")
    plain = scenario.with_settings("makers.1.policy.kind=heuristic")
    handed_in = SimulationRunner(plain, replicas=2, record="trades", policies={"maker-2": Delegate(scenario.makers[1].policy)})
    assert_same_runs(named, handed_in)
    same_as_plain = named.run().summary.equals(SimulationRunner(plain, replicas=2).run().summary)
    assert same_as_plain == (kind == "heuristic")


def test_parameters_are_kept_in_a_file() -> None:
    adaptive = AdaptiveMaker(eta=0.4, weight=0.5, risk_aversion=0.1, tolerance=0.02, low=-0.5, high=0.75, points=11)
    assert (adaptive.eta, adaptive.weight, adaptive.risk_aversion, adaptive.tolerance) == (0.4, 0.5, 0.1, 0.02)
    makers: tuple[Any, ...] = (
        adaptive,
        SkewMaker(eps=0.1, strength=0.2, scale=30.0, hedge_fraction=0.5),
        RandomMaker(low=-0.5, high=0.5),
        PersistentMaker(low=0.1, high=0.1),
    )
    scenario = Scenario.load("paper")
    for policy in makers:
        changed = scenario.replace(makers=(scenario.makers[0].replace(policy=policy), scenario.makers[1]))
        assert changed != scenario
        assert Scenario.from_toml(changed.to_toml()) == changed
        assert Scenario.from_toml(changed.to_toml()).makers[0].policy == policy


@pytest.mark.parametrize("kind", SHIPPED)
def test_a_replica_is_the_same_among_few_and_many_and_on_any_thread(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = [f"makers.*.policy.kind={kind}", "makers.*.hedging={kind='linear', risk_aversion=0.25, horizon=5}"]
    scenario = Scenario.load("paper", ["steps=12", *settings])
    many = SimulationRunner(scenario, replicas=7, seed=5, threads=1).run().summary
    few = SimulationRunner(scenario, replicas=2, seed=5, threads=1).run().summary
    pd.testing.assert_frame_equal(few, many[:4], check_exact=True)
    other_seed = SimulationRunner(scenario, replicas=2, seed=6, threads=1).run().summary
    assert not few.equals(other_seed)
    for chunk in ("_CHUNK_NUMBERS", "_CHUNK_NUMBERS_WITH_POLICIES"):
        monkeypatch.setattr(dealermarket.runs.chunks, chunk, 2 * 12 * 30)  # two replicas a chunk
    threaded = SimulationRunner(scenario, replicas=7, seed=5, threads=3).run().summary
    pd.testing.assert_frame_equal(many, threaded, check_exact=True)


def test_two_makers_of_one_policy_share_nothing() -> None:
    scenario = follow_up("makers.*.policy.kind=adaptive", "steps=12")
    shared = scenario.makers[0].policy
    own = {"studied": AdaptiveMaker(), "rival": AdaptiveMaker()}
    together = SimulationRunner(scenario, replicas=2, policies={"studied": shared, "rival": shared}).run().summary
    pd.testing.assert_frame_equal(together, SimulationRunner(scenario, replicas=2, policies=own).run().summary, check_exact=True)


def test_the_heuristic_maker_is_no_policy_to_the_bit(small: Scenario) -> None:
    plain = SimulationRunner(small, replicas=3, record="trades")
    for policy in (HeuristicMaker(), Delegate(HeuristicMaker())):
        both: dict[str, Policy] = {"maker-1": policy, "maker-2": policy}
        assert_same_runs(plain, SimulationRunner(small, replicas=3, record="trades", policies=both))


# --- drawn prices


def test_random_prices_are_uniform_and_new_at_every_step() -> None:
    low, high, steps, replicas = -0.5, 0.25, 150, 40
    setup = setup_of(follow_up(), "studied", replicas)
    eps = prices(RandomMaker(low=low, high=high), setup, steps)
    count = eps.size
    assert eps.min() >= low
    assert eps.max() <= high
    assert abs(eps.mean() - (low + high) / 2) < 4 * (high - low) / math.sqrt(12 * count)
    assert abs(eps.var() / ((high - low) ** 2 / 12) - 1) < 4 * math.sqrt(0.8 / count)  # Var of the variance of a uniform
    assert kstest(eps.ravel(), "uniform", (low, high - low)).pvalue > 0.001
    for one, other in ((eps[..., 0], eps[..., 1]), (eps[1:], eps[:-1]), (eps[:, 1:], eps[:, :-1])):  # sides, steps, replicas
        assert abs(pearsonr(one.ravel(), other.ravel()).statistic) < 4 / math.sqrt(one.size)
    assert len(np.unique(eps)) == count
    assert_array_equal(prices(RandomMaker(low=low, high=high), setup_of(follow_up(), "studied", replicas), steps), eps)


def test_persistent_prices_are_uniform_and_the_same_all_day() -> None:
    low, high, replicas = -1.0, 0.5, 600
    eps = prices(PersistentMaker(low=low, high=high), setup_of(follow_up(), "studied", replicas), 30)
    assert_array_equal(eps, np.broadcast_to(eps[0], eps.shape))
    drawn = eps[0]
    assert abs(drawn.mean() - (low + high) / 2) < 4 * (high - low) / math.sqrt(12 * drawn.size)
    assert kstest(drawn.ravel(), "uniform", (low, high - low)).pvalue > 0.001
    assert abs(pearsonr(drawn[:, 0], drawn[:, 1]).statistic) < 4 / math.sqrt(replicas)
    assert len(np.unique(drawn)) == drawn.size
    constant = prices(PersistentMaker(low=0.3, high=0.3), setup_of(follow_up(), "studied", 3), 2)
    assert_array_equal(constant, np.full((2, 3, 2), 0.3))


@pytest.mark.parametrize("kind", [RandomMaker, PersistentMaker])
def test_draws_differ_by_seed_replica_and_maker(kind: type[RandomMaker | PersistentMaker]) -> None:
    scenario = follow_up()
    base = prices(kind(), setup_of(scenario, "studied", 3), 4)
    assert_array_equal(prices(kind(), setup_of(scenario, "studied", 2), 4), base[:, :2])
    for other in (setup_of(scenario, "studied", 3, seed=1), setup_of(scenario, "rival", 3)):
        assert not np.isin(prices(kind(), other, 4), base).any()


def test_drawn_prices_are_what_clients_pay() -> None:
    scenario = follow_up("steps=10", "makers.0.policy.kind=random", "makers.0.hedging={kind='none'}", alone=True)
    trades = SimulationRunner(scenario, replicas=2, seed=3, record="trades").run().trades
    eps = prices(RandomMaker(), setup_of(scenario, "studied", 2, seed=3), 10)
    steps = SimulationRunner(scenario, replicas=2, seed=3, record="trades").run().steps.set_index(["replica", "step"])
    half = steps.loc[list(zip(trades["replica"], trades["step"], strict=True)), "reference_spread"].to_numpy() / 2
    level = float(scenario.exchange.relative_spread(1.0)) ** 1.5
    paid = trades["spread"].to_numpy() / (half * level) - 1.0
    drawn = eps[trades["step"], trades["replica"], (trades["side"] < 0).astype(int)]
    assert_allclose(paid, drawn, rtol=0, atol=1e-12)


# --- the skewed maker


def skewed(policy: SkewMaker, seen: Any) -> Action:
    return start(policy, setup_of(follow_up(), "studied", len(seen.position))).act(seen)


def test_the_skewed_maker_prices_against_its_position() -> None:
    policy = SkewMaker(eps=0.1, strength=0.5, scale=20.0, hedge_fraction=0.25)
    seen = SimpleNamespace(position=np.array([0.0, 20.0, -20.0, 5.0, 1e9]))
    action = skewed(policy, seen)
    lean = 0.5 * np.array([0.0, 0.761594155955765, -0.761594155955765, 0.244918662403709, 1.0])  # tanh
    assert_allclose(np.asarray(action.eps_buy), 0.1 - lean, rtol=1e-14)  # long: cheaper for clients who buy
    assert_allclose(np.asarray(action.eps_sell), 0.1 + lean, rtol=1e-14)
    assert action.hedge_fraction == 0.25
    assert skewed(SkewMaker(), seen).hedge_fraction is None
    steep = skewed(SkewMaker(eps=-0.9, strength=0.5), seen)
    assert_allclose(np.asarray(steep.eps_buy)[[1, 4]], -1.0)  # never below a spread of 0
    far = skewed(SkewMaker(eps=1e6, strength=1e6), seen)
    assert np.max(far.eps_sell) == 1e6  # type: ignore[arg-type]


def test_skewing_keeps_positions_small() -> None:
    sizes = {}
    for strength in (0.0, 0.5):
        policies = {"studied": SkewMaker(strength=strength, hedge_fraction=0.0)}
        scenario = follow_up("steps=60", "makers.1.policy={kind='random', low=-0.2, high=0.2}")
        summary = SimulationRunner(scenario, replicas=4, policies=policies).run().summary
        sizes[strength] = summary.loc[summary["maker"] == "studied", "mean_abs_position"].mean()
    assert sizes[0.5] < 0.6 * sizes[0.0]


# --- the adaptive maker: its table


def table_of(grid: list[float], weight: float, volume: float, replicas: int = 1) -> FlowTable:
    return FlowTable(np.array(grid), weight, volume, replicas)


def test_the_table_starts_with_a_rival_who_may_ask_any_price() -> None:
    table = table_of([-1.0, 0.0, 1.0], 0.5, 8.0)
    assert_allclose(table.moments[0, :, :, 0].T, [[4, 2, 0], [4, 2, 0]])  # of 4 a side
    assert_allclose(table.moments[1, :, :, 0].T, [[16, 8, 0], [16, 8, 0]])  # all 4, or nothing
    assert_allclose(table.share()[:, 0], [1, 0.5, 0])
    mean, variance = table.of(np.array([False]))
    assert_allclose(mean[:, 0], [4, 2, 0])
    assert_allclose(variance[:, 0], [0, 4, 0])


def test_the_table_forgets_and_learns_by_hand() -> None:
    table = table_of([-1.0, 0.0, 1.0], 0.5, 8.0)
    # 3 bought from us at eps 0, nobody sold; others traded 3 more, 1.5 a side: of 4.5 buyers' units 3, of 1.5 sellers' none
    table.learn(np.array([[1], [1]]), np.array([[3.0], [0.0]]), np.array([6.0]))
    assert_allclose(table.moments[0, :, :, 0].T, [[(4 + 4.5) / 2, (2 + 3) / 2, 0], [(4 + 1.5) / 2, 1, 0]])
    assert_allclose(table.moments[1, :, :, 0].T, [[(16 + 20.25) / 2, (8 + 9) / 2, 0], [(16 + 2.25) / 2, 4, 0]])
    assert_allclose(table.market, [7.0])
    assert_allclose(table.share()[:, 0], [1, 0.5, 0])
    mean, variance = table.of(np.array([True]))
    assert_allclose(mean[:, 0], [2.75, 1, 0])
    assert_allclose(variance[:, 0], [9.125 - 2.75**2, 3, 0])
    for number in range(3):
        at_one = [part[0] for part in table.at(np.array([number]), np.array([True]))]
        assert_allclose(at_one, [mean[number, 0], variance[number, 0]])


@pytest.mark.parametrize(
    ("quoted", "volume", "means", "squares"),
    [  # of 6 in all, at the five prices from -1 to 1
        (1, 2.0, [6, 2, 4 / 3, 2 / 3, 0], [36, 4, 8 / 3, 4 / 3, 0]),
        (2, 0.0, [6, 3, 0, 0, 0], [36, 18, 0, 0, 0]),
        (3, 6.0, [6, 6, 6, 6, 0], [36, 36, 36, 36, 0]),
        (3, 3.0, [6, 5, 4, 3, 0], [36, 27, 18, 9, 0]),
        (0, 3.0, [3, 2.25, 1.5, 0.75, 0], [9, 6.75, 4.5, 2.25, 0]),
        (4, 3.0, [6, 5.25, 4.5, 3.75, 3], [36, 29.25, 22.5, 15.75, 9]),
    ],
)
def test_what_a_price_teaches_about_the_others(quoted: int, volume: float, means: list[float], squares: list[float]) -> None:
    table = table_of([-1.0, -0.5, 0.0, 0.5, 1.0], 1.0, 100.0)  # weight 1: it remembers the last step alone
    table.learn(np.full((2, 1), quoted), np.full((2, 1), volume), np.array([12.0]))
    for side in range(2):
        assert_allclose(table.moments[0, :, side, 0], means, atol=1e-14)
        assert_allclose(table.moments[1, :, side, 0], squares, atol=1e-14)


def test_what_was_known_fades() -> None:
    table = table_of([-1.0, 0.0, 1.0], 0.35, 8.0)
    for _ in range(3):
        table.learn(np.full((2, 1), 1), np.full((2, 1), 4.0), np.array([8.0]))
    assert_allclose(table.moments[0, 1, :, 0], 4 - 0.65**3 * 2)
    table.learn(np.full((2, 1), 2), np.zeros((2, 1)), np.array([0.0]))  # an hour without orders
    assert_allclose(table.market, 0.65 * 8.0)
    assert_allclose(table.moments[0, 1, :, 0], 0.65 * (4 - 0.65**3 * 2))


def test_the_table_is_right_on_average_against_uniform_prices() -> None:
    grid = np.linspace(-0.5, 1.0, 16)
    won, lost = (FlowTable(grid, 1.0, 20.0, 16) for _ in range(2))
    every = np.tile(np.arange(16), (2, 1))  # each price in a replica of its own
    won.learn(every, np.full((2, 16), 10.0), np.full(16, 20.0))
    lost.learn(every, np.zeros((2, 16)), np.full(16, 20.0))
    chance = (1.0 - grid) / 1.5
    expected = np.broadcast_to(chance[:, None, None], (16, 2, 16))
    assert_allclose((chance * won.moments + (1 - chance) * lost.moments)[0], 10 * expected, atol=1e-12)
    assert_allclose((chance * won.moments + (1 - chance) * lost.moments)[1], 100 * expected, atol=1e-11)


def test_a_cheaper_price_never_attracts_less() -> None:
    rng = np.random.default_rng(2)
    table = FlowTable(np.linspace(-1, 1, 9), 0.35, 12.0, 50)
    for _ in range(30):
        volume = rng.exponential(3.0, (2, 50)) * rng.integers(0, 2, (2, 50))
        table.learn(rng.integers(0, 9, (2, 50)), volume, volume.sum(axis=0) + rng.exponential(5.0, 50))
        assert np.all(np.diff(table.moments, axis=1) <= 1e-12)
        assert np.all(table.moments >= 0)
        assert np.all(table.share() <= 1 + 1e-12)
        assert np.all(table.moments[1] - table.moments[0] ** 2 > -1e-9)


# --- the adaptive maker: its rule


class PlainAdaptive:
    """The rule for one replica, written down again from its description, with loops and signs."""

    def __init__(self, maker: AdaptiveMaker, scenario: Scenario, name: str) -> None:
        self.maker, self.scenario = maker, scenario
        own = scenario.makers[scenario.maker_names.index(name)]
        self.can_hedge = len(scenario.makers) > 1 or own.hedging.kind != "none"
        self.grid = [maker.low + k * (maker.high - maker.low) / (maker.points - 1) for k in range(maker.points)]
        self.market = sum(a.trade_probability * (a.mean_size or math.exp(a.log_mean + a.log_std**2 / 2)) for a in scenario.agents)
        start = self.lesson(maker.points - 1, 0.0, self.market / 2)
        self.known = {side: list(start) for side in ("buy", "sell")}
        self.quoted: dict[str, int] = {}

    def lesson(self, quoted: int, volume: float, demand: float) -> list[tuple[float, float]]:
        """Volume and volume squared at every price, from what one of them got."""
        found = []
        for k, eps in enumerate(self.grid):
            if k == quoted:
                all_of_it, as_much = 0.0, 1.0
            elif k < quoted:
                all_of_it = (self.grid[quoted] - eps) / (self.grid[quoted] - self.grid[0])
                as_much = 1 - all_of_it
            else:
                all_of_it, as_much = 0.0, (self.grid[-1] - eps) / (self.grid[-1] - self.grid[quoted])
            found.append((all_of_it * demand + as_much * volume, all_of_it * demand**2 + as_much * volume**2))
        return found

    def learn(self, bought: float, sold: float, market: float) -> None:
        weight, others = self.maker.weight, market - bought - sold
        for side, volume in (("buy", bought), ("sell", sold)):
            new = self.lesson(self.quoted[side], volume, volume + others / 2)
            pairs = zip(self.known[side], new, strict=True)
            self.known[side] = [tuple((1 - weight) * a + weight * b for a, b in zip(*pair, strict=True)) for pair in pairs]  # type: ignore[misc]
        self.market = (1 - weight) * self.market + weight * market

    def flow(self, side: str, k: int) -> tuple[float, float]:
        mean, square = self.known[side][k]
        return mean, max(square - mean**2, 0.0)

    def reference(self, size: float, half: float) -> float:
        """S_ref as the paper writes it."""
        lam, part = self.scenario.exchange.lam, size / self.scenario.exchange.v_max
        omega = (lam - 1) / (lam - 2)
        return half * omega / part * (1 - (1 - part) ** (1 / omega)) if size else half

    def act(self, step: int, seen: dict[str, float]) -> tuple[float, float, float]:
        if step:
            self.learn(seen["bought"], seen["sold"], seen["market_volume"])
        market, gamma, z = self.scenario.market, self.maker.risk_aversion, seen["position"]
        half = seen["reference_spread"] / 2 * (seen["mid"] if market.spreads_scale_with_price else 1)
        sigma = market.mid_price.volatility / math.sqrt(market.steps_per_day * market.days_per_year) * seen["mid"]

        def distance(k: int) -> float:
            return abs(self.maker.eta - (self.known["buy"][k][0] + self.known["sell"][k][0]) / self.market)

        points = range(self.maker.points)
        least = min(distance(k) for k in points)
        star = max(k for k in points if distance(k) <= least + self.maker.tolerance + 1e-9)

        def flows(buy: int, sell: int) -> tuple[float, float, float, float]:
            """Mean and variance of net flow and of income in half spreads."""
            (bought, bought_var), (sold, sold_var) = self.flow("buy", buy), self.flow("sell", sell)
            buyers, sellers = 1 + self.grid[buy], 1 + self.grid[sell]
            income = buyers * bought + sellers * sold
            return sold - bought, bought_var + sold_var, income, buyers**2 * bought_var + sellers**2 * sold_var

        def loss(pair: tuple[int, int]) -> float:
            nu, nu_var, income, income_var = flows(*pair)
            return -half * income + gamma * math.sqrt(half**2 * income_var + sigma**2 * ((z + nu) ** 2 + nu_var))

        pairs = [(k, star) if z > 0 else (star, k) for k in range(star + 1)] if z else [(star, star)]
        buy, sell = min(pairs, key=loss)
        self.quoted = {"buy": buy, "sell": sell}
        nu, nu_var, _, _ = flows(buy, sell)

        def hedge_loss(x: float) -> float:
            size = abs(x * z)
            return size * self.reference(size, half) + gamma * math.sqrt(sigma**2 * ((z * (1 - x) + nu) ** 2 + nu_var))

        most = min(1.0, 0.99 * self.scenario.exchange.v_max / abs(z)) if z else 1.0
        x = min((most * i / 20 for i in range(21)), key=hedge_loss) if self.can_hedge and z else 0.0
        return self.grid[buy], self.grid[sell], x


class Twins(MakerPolicy):
    """Acts as the adaptive maker, and asks the plain one at every step whether it would have done the same."""

    def __init__(self, policy: AdaptiveMaker) -> None:
        self.policy = policy
        self.done: list[tuple[float, ...]] = []

    def start(self, setup: PolicySetup) -> Actor:
        return Comparison(self, setup)


class Comparison:
    """Does what the adaptive maker does, after it has compared that."""

    def __init__(self, twins: Twins, setup: PolicySetup) -> None:
        self.actor, self.done = start(twins.policy, setup), twins.done
        self.plain = [PlainAdaptive(twins.policy, setup.scenario, setup.maker) for _ in setup.episodes]

    def act(self, observation: Observation) -> Action:
        action = self.actor.act(observation)
        names = ("position", "bought", "sold", "market_volume", "mid", "reference_spread")
        seen = np.stack([getattr(observation, name) for name in names], axis=1).tolist()
        parts = (action.eps_buy, action.eps_sell, action.hedge_fraction)
        found = np.stack([np.broadcast_to(np.asarray(part), len(seen)) for part in parts], axis=1).tolist()
        for plain, row, done in zip(self.plain, seen, found, strict=True):
            view = dict(zip(names, row, strict=True))
            assert done == pytest.approx(plain.act(observation.step, view), rel=1e-12, abs=1e-12), (observation.step, view)
            self.done.append(tuple(done))
        return action


RUNS: dict[str, tuple[AdaptiveMaker, Callable[[], Scenario]]] = {
    "random rival": (AdaptiveMaker(), lambda: follow_up("makers.1.policy.kind=random")),
    "adaptive rival": (AdaptiveMaker(), lambda: follow_up("makers.1.policy.kind=adaptive")),
    "carefree": (AdaptiveMaker(risk_aversion=0.0), lambda: follow_up("makers.1.policy.kind=random")),
    "other grid": (
        AdaptiveMaker(eta=0.3, weight=0.7, risk_aversion=0.2, tolerance=0.0, low=-0.5, high=0.7, points=8),
        lambda: follow_up("makers.1.policy.kind=random"),
    ),
    "one investor": (AdaptiveMaker(weight=1.0), lambda: follow_up("investors.0.count=1", "makers.1.policy.kind=random")),
    "dear asset": (
        AdaptiveMaker(risk_aversion=0.1),
        lambda: follow_up(
            "makers.1.policy.kind=skew",
            "market.spreads_scale_with_price=true",
            "market.mid_price.initial=50.0",
            "exchange.v_max=30.0",
        ),
    ),
    "thin book": (
        AdaptiveMaker(risk_aversion=0.2),
        lambda: follow_up("makers.1.policy={kind='persistent', low=0.9, high=0.9}", "exchange.v_max=3.0", "steps=120"),
    ),
    "alone": (AdaptiveMaker(), lambda: follow_up("makers.0.hedging={kind='none'}", alone=True)),
    "paper": (
        AdaptiveMaker(risk_aversion=0.2),
        lambda: Scenario.load(
            "paper", ["steps=80", "makers.*.hedging={kind='linear', risk_aversion=0.25, horizon=5}", "makers.0.name=studied"]
        ),
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_adaptive_maker_does_what_its_rule_says(name: str) -> None:
    maker, build = RUNS[name]
    scenario, twins = build(), Twins(maker)
    SimulationRunner(scenario, replicas=3, seed=4, threads=1, policies={"studied": twins}).run()
    assert len(twins.done) == 3 * scenario.steps
    buys, sells, fractions = (set(part) for part in zip(*twins.done, strict=True))
    assert len(buys | sells) > 2
    if name in ("carefree", "alone"):
        assert fractions == {0.0}
    else:
        assert len(fractions) > (1 if name == "one investor" else 2)
    if name == "thin book":
        assert any(0 < fraction < 1 and fraction * 20 % 1 > 1e-6 for fraction in fractions)  # cut to what can trade at once


def first_action(maker: AdaptiveMaker, scenario: Scenario, position: list[float], spread: float = 1.5e-4) -> Action:
    """What it does in the first step, a replica for each position."""
    replicas = len(position)
    actor = start(maker, setup_of(scenario, "studied", replicas))
    seen = {"mid": np.ones(replicas), "reference_spread": np.full(replicas, spread), "position": np.array(position)}
    return actor.act(SimpleNamespace(step=0, **seen))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("eta", "tolerance", "eps"),
    [(0.5, 0.05, 0.1), (0.5, 0.0, 0.0), (0.25, 0.05, 0.6), (0.5, 0.2, 0.4), (0.48, 0.0, 0.0), (0.47, 0.0, 0.1), (0.0, 0.0, 1.0)],
)
def test_the_first_price_is_the_largest_near_the_target(eta: float, tolerance: float, eps: float) -> None:
    action = first_action(AdaptiveMaker(eta=eta, tolerance=tolerance), follow_up(), [0.0])  # share (1 - eps) / 2
    assert action.eps_buy == pytest.approx([eps], abs=1e-12)
    assert action.eps_sell == pytest.approx([eps], abs=1e-12)
    assert_array_equal(np.asarray(action.hedge_fraction), [0.0])


def test_only_the_side_that_sheds_inventory_is_skewed_and_more_for_more() -> None:
    positions = [-30.0, -8.0, -3.0, 0.0, 3.0, 8.0, 30.0]
    action = first_action(AdaptiveMaker(risk_aversion=0.1), follow_up(), positions)
    buy, sell = np.asarray(action.eps_buy), np.asarray(action.eps_sell)
    assert_allclose(buy[:4], 0.1, atol=1e-12)  # short or flat: eps* for clients who buy
    assert_allclose(sell[3:], 0.1, atol=1e-12)
    assert_allclose(buy, sell[::-1])
    assert np.all(np.diff(buy) <= 0)
    assert buy[-1] < buy[4] < 0.1
    assert_allclose(np.asarray(action.hedge_fraction), np.asarray(action.hedge_fraction)[::-1])


@pytest.mark.parametrize(("gamma", "v_max"), [(2.0, 1e4), (0.12, 1e4), (0.2, 40.0), (1.0, 40.0)])
def test_the_hedge_is_the_best_of_all(gamma: float, v_max: float) -> None:
    scenario = follow_up(f"exchange.v_max={v_max}")
    positions = [-500.0, -60.0, -12.0, -3.0, 3.0, 12.0, 39.0, 60.0, 500.0]
    maker = AdaptiveMaker(risk_aversion=gamma)
    action = first_action(maker, scenario, positions)
    sigma = 0.1 / math.sqrt(252 * 96)
    for z, x, buy, sell in zip(positions, action.hedge_fraction, action.eps_buy, action.eps_sell, strict=True):  # type: ignore[arg-type]
        chances = (1 - sell) / 2, (1 - buy) / 2  # of 10 clients each, all or nothing
        nu, variance = 10 * (chances[0] - chances[1]), sum(100 * p * (1 - p) for p in chances)
        tried = np.linspace(0.0, min(1.0, 0.99 * v_max / abs(z)), 4001)
        sizes = abs(z) * np.append(tried, x)
        cost = sizes * scenario.exchange.reference_spread(sizes, 1.5e-4)
        value = cost + gamma * sigma * np.sqrt((z * (1 - np.append(tried, x)) + nu) ** 2 + variance)
        best = tried[np.argmin(value[:-1])]
        assert abs(x - best) <= 0.05 * tried[-1] + 1e-9  # the objective is convex: the best of 21 is next to the best
        assert value[-1] <= value[:-1:200].min() * (1 + 1e-12)
        assert abs(x * z) <= 0.99 * v_max * (1 + 1e-12)


def test_a_carefree_maker_never_hedges_and_the_anxious_one_hedges_all_it_can() -> None:
    positions = [-200.0, -5.0, 0.0, 5.0, 200.0]
    carefree = first_action(AdaptiveMaker(risk_aversion=0.0), follow_up(), positions)
    assert_array_equal(np.asarray(carefree.hedge_fraction), np.zeros(5))
    anxious = first_action(AdaptiveMaker(risk_aversion=1e6), follow_up("exchange.v_max=100.0"), positions)
    assert_allclose(np.asarray(anxious.hedge_fraction)[[0, 4]], 99 / 200)
    no_risk = first_action(AdaptiveMaker(), follow_up("market.mid_price.volatility=0.0"), positions)
    assert_array_equal(np.asarray(no_risk.hedge_fraction), np.zeros(5))


def test_who_has_nobody_to_hedge_with_does_not() -> None:
    def fraction(hedging: str) -> Any:
        return first_action(AdaptiveMaker(), follow_up(f"makers.0.hedging={hedging}", alone=True), [50.0]).hedge_fraction

    assert fraction("{kind='none'}") == 0.0
    for venue in ("exchange", "best"):
        assert fraction(f"{{kind='full', venue='{venue}'}}") > 0.5
    assert first_action(AdaptiveMaker(), follow_up("makers.*.hedging={kind='none'}"), [50.0]).hedge_fraction > [0.5]  # type: ignore[operator]


def test_a_market_without_orders_is_no_division_by_zero() -> None:
    scenario = follow_up("investors.0.trade_probability=0.0", "makers.*.policy.kind=adaptive", "steps=5")
    assert (SimulationRunner(scenario, replicas=2).run().summary["volume"] == 0).all()


# --- the adaptive maker: how it fares


class Diary(MakerPolicy):
    """Acts as another policy, and writes down position, prices, and what the prices of the step before attracted."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.pages: list[np.ndarray] = []

    def start(self, setup: PolicySetup) -> Actor:
        return Writing(start(self.policy, setup), self.pages)


class Writing:
    def __init__(self, actor: Actor, pages: list[np.ndarray]) -> None:
        self.actor, self.pages = actor, pages

    def act(self, observation: Observation) -> Action:
        action = self.actor.act(observation)
        seen = (observation.position, observation.bought, observation.sold, observation.market_volume)
        self.pages.append(np.array([action.eps_buy, action.eps_sell, *seen]))
        return action


def fared(maker: AdaptiveMaker, rival: str, replicas: int = 24, steps: int = 200, skip: int = 50) -> dict[str, np.ndarray]:
    """What an adaptive maker does against a rival: each (steps - skip - 1, B), the volumes those that the prices attracted."""
    scenario, diary = follow_up(f"steps={steps}", f"makers.1.policy={rival}"), Diary(maker)
    SimulationRunner(scenario, replicas=replicas, threads=1, policies={"studied": diary}).run()
    pages = np.stack(diary.pages, axis=1)
    buy, sell, position = pages[:3, skip:-1]
    bought, sold, market = pages[3:, skip + 1 :]
    long = position > 0
    held_volume, shed_volume = np.where(long, sold, bought), np.where(long, bought, sold)
    shed = np.where(long, buy, sell)
    return {
        "eps": np.maximum(buy, sell),
        "shed": shed,
        "position": position,
        "share": (bought + sold).sum(axis=0) / market.sum(axis=0),
        "held_share": held_volume.sum(axis=0) / market.sum(axis=0) * 2,
        "shed_share": shed_volume.sum(axis=0) / market.sum(axis=0) * 2,
    }


@pytest.mark.compiled
def test_against_random_prices_it_finds_half_of_the_market() -> None:
    carefree = fared(AdaptiveMaker(risk_aversion=0.0), "{kind='random'}")
    averse = fared(AdaptiveMaker(), "{kind='random'}")
    for found in (carefree, averse):
        assert abs(found["eps"].mean()) < 0.08
        assert 0.43 < found["held_share"].mean() < 0.53
    assert 0.48 < carefree["share"].mean() < 0.58
    assert averse["shed"].mean() < carefree["shed"].mean() - 0.3  # it pays for getting rid of inventory
    assert averse["shed_share"].mean() > 0.85
    assert np.abs(averse["position"]).mean() < 0.5 * np.abs(carefree["position"]).mean()


@pytest.mark.compiled
@pytest.mark.parametrize("price", [-0.53, 0.03, 0.5])
def test_it_finds_a_persistent_rivals_price_and_shares(price: float) -> None:
    found = fared(AdaptiveMaker(risk_aversion=0.0), f"{{kind='persistent', low={price}, high={price}}}")
    assert abs(found["eps"].mean() - price) < 0.15
    assert found["eps"].std() < 0.2
    assert 0.35 < found["share"].mean() < 0.65
    assert found["share"].std() < 0.1  # in every replica, not half of them all and half nothing


@pytest.mark.compiled
def test_two_adaptive_makers_share_the_market_and_undercut_the_more_the_more_averse() -> None:
    carefree = fared(AdaptiveMaker(risk_aversion=0.0), "{kind='adaptive', risk_aversion=0.0}")
    averse = fared(AdaptiveMaker(), "{kind='adaptive'}")
    for found in (carefree, averse):
        assert abs(found["share"].mean() - 0.5) < 0.02
    assert -0.3 < carefree["eps"].mean() < 0.0
    assert -0.9 < averse["eps"].mean() < -0.55
    assert averse["shed"].mean() < -0.95


# --- errors


@pytest.mark.parametrize(
    ("kind", "parameters", "field", "value", "rule"),
    [
        ("adaptive", "low=0.5, high=-0.5", ": low", 0.5, "< high = -0.5"),
        ("adaptive", "low=1.0", ": low", 1, "< high = 1"),
        ("adaptive", "low=-1.5", ".low", -1.5, ">= -1"),
        ("adaptive", "weight=0.0", ".weight", 0.0, "> 0"),
        ("adaptive", "weight=1.5", ".weight", 1.5, "<= 1"),
        ("adaptive", "points=1", ".points", 1, ">= 2"),
        ("adaptive", "points=5.5", ".points", 5.5, "whole"),
        ("adaptive", "eta=1.5", ".eta", 1.5, "<= 1"),
        ("adaptive", "tolerance=-0.1", ".tolerance", -0.1, ">= 0"),
        ("adaptive", "risk_aversion=-1.0", ".risk_aversion", -1.0, ">= 0"),
        ("adaptive", "risk_aversion=inf", ".risk_aversion", "inf", "finite"),
        ("adaptive", "gamma=1.0", ".gamma", None, "unknown"),
        ("random", "low=0.5, high=0.2", ": low", 0.5, "<= high = 0.2"),
        ("persistent", "low=2.0", ": low", 2, "<= high = 1"),
        ("persistent", "high=nan", ".high", "nan", "finite"),
        ("skew", "scale=0.0", ".scale", 0.0, "> 0"),
        ("skew", "strength=-1.0", ".strength", -1.0, ">= 0"),
        ("skew", "hedge_fraction=2.0", ".hedge_fraction", 2.0, "<= 1"),
        ("heuristic", "eps=1.0", ".eps", None, "unknown"),
        ("adaptiv", "", ".kind", None, "'adaptiv'"),
    ],
)
def test_bad_parameters_are_refused(
    capsys: pytest.CaptureFixture[str], kind: str, parameters: str, field: str, value: object, rule: str
) -> None:
    policy = f"{{kind='{kind}'{', ' if parameters else ''}{parameters}}}"
    said = refused(capsys, "run", "paper", "--set", f"makers.1.policy={policy}")
    assert_says(said, f"paper: makers.1.policy{field}", value, names=[rule])


def test_bad_parameters_are_refused_in_python_too() -> None:
    with raises(ParameterError, "low", 0, names=["< high = 0"]):
        AdaptiveMaker(low=0.0, high=0.0)
    with raises(ParameterError, "weight", 0.0, names=["> 0"]):
        AdaptiveMaker(weight=0.0)
    with raises(ParameterError, "points", 1, names=[">= 2"]):
        AdaptiveMaker(points=1)
    with raises(ParameterError, "low", 0.5, names=["<= high = 0"]):
        RandomMaker(low=0.5, high=0.0)


# --- actions on the volume penalty and the tier penalty


def test_acting_with_the_scenarios_own_penalties_or_with_none_changes_no_bit(small: Scenario) -> None:
    settings = ("makers.*.hedging={kind='linear', horizon=5}", "makers.0.pricing={alpha=1.3, tier_penalty=3e-5}")
    for scenario in (small, small.with_settings(*settings)):
        own = scenario.makers[0].pricing
        plain = SimulationRunner(scenario, replicas=3, record="trades")
        for acting in (Constant(alpha=own.alpha, tier_penalty=own.tier_penalty), Constant()):
            assert_same_runs(plain, SimulationRunner(scenario, replicas=3, record="trades", policies={"maker-1": acting}))


@pytest.mark.parametrize("hedging", ["{kind='none'}", "{kind='fraction', fraction=0.3}"])
@pytest.mark.parametrize(
    "parts", [{"alpha": 1.2}, {"tier_penalty": 7e-5}, {"alpha": 3.0, "tier_penalty": 0.0}, {"alpha": 1.1, "tier_penalty": 4e-5}]
)
def test_acting_with_penalties_is_a_scenario_with_them(small: Scenario, hedging: str, parts: dict[str, float]) -> None:
    base = small.with_settings(f"makers.*.hedging={hedging}")
    same = base.with_settings(*(f"makers.0.pricing.{name}={value}" for name, value in parts.items()))
    built_in = SimulationRunner(same, replicas=3, record="trades")
    assert_same_runs(built_in, SimulationRunner(base, replicas=3, record="trades", policies={"maker-1": Constant(**parts)}))
    assert not built_in.run().summary.equals(SimulationRunner(base, replicas=3).run().summary)


def test_each_replica_has_its_own_penalties(small: Scenario) -> None:
    base = small.with_settings("makers.*.hedging={kind='none'}")
    alphas, penalties = [1.1, 1.5, 2.0], [0.0, 1e-5, 5e-5]
    acting = {"maker-2": Constant(alpha=alphas, tier_penalty=np.array(penalties))}
    together = SimulationRunner(base, replicas=3, policies=acting).run().summary
    for replica, (alpha, penalty) in enumerate(zip(alphas, penalties, strict=True)):
        same = base.with_settings(f"makers.1.pricing.alpha={alpha}", f"makers.1.pricing.tier_penalty={penalty}")
        alone = SimulationRunner(same, replicas=3).run().summary
        rows = slice(2 * replica, 2 * replica + 2)
        pd.testing.assert_frame_equal(together[rows], alone[rows], check_exact=True)


class EveryOther(MakerPolicy):
    """Acts in one way in even steps and in another in odd ones."""

    def __init__(self, even: Action, odd: Action) -> None:
        self.actions = (even, odd)

    def act(self, observation: Observation) -> Action:
        return self.actions[observation.step % 2]


def test_a_penalty_left_out_is_the_scenarios_again(small: Scenario) -> None:
    own = {"alpha": 1.3, "tier_penalty": 3e-5}
    scenario = small.with_settings("makers.*.hedging={kind='none'}", "makers.0.pricing={alpha=1.3, tier_penalty=3e-5}")
    dear = Action(alpha=3.0, tier_penalty=1e-3)
    runners = [
        SimulationRunner(scenario, replicas=3, record="trades", policies={"maker-1": EveryOther(dear, odd)})
        for odd in (Action(**own), Action())
    ]
    assert_same_runs(*runners)
    trades = runners[1].run().trades
    trades = trades[trades["maker"] == "maker-1"]
    at_even, at_odd = (trades[trades["step"] % 2 == odd] for odd in (0, 1))
    assert (at_even.loc[at_even["tier"] > 0, "spread"] > 1e-3).all()
    assert len(at_odd) > len(at_even)
    assert (at_odd["spread"] < 1e-3).all()


@pytest.mark.parametrize(
    ("action", "value", "names"),
    [
        (Action(alpha=0.0), 0.0, ["alpha", "[1e-06, 10]"]),
        (Action(alpha=11.0), 11.0, ["alpha", "[1e-06, 10]"]),
        (Action(alpha=[1.5, float("nan")]), "[1.5, nan]", ["alpha", "[1e-06, 10]"]),
        (Action(alpha=[1.0, 1.0, 1.0]), "[1.0, 1.0, 1.0]", ["alpha", "(2,)"]),
        (Action(tier_penalty=-1e-9), -1e-9, ["tier_penalty", "[0, 1e+12]"]),
        (Action(tier_penalty=np.inf), "inf", ["tier_penalty", "[0, 1e+12]"]),
        (Action(tier_penalty="none"), "'none'", ["tier_penalty", "text"]),
    ],
)
def test_penalties_out_of_range_are_refused(small: Scenario, action: Action, value: object, names: list[str]) -> None:
    class Bad(MakerPolicy):
        def act(self, observation: Observation) -> Action:
            return action

    with raises(PolicyError, "policy of 'maker-1'", value, names=names):
        SimulationRunner(small, replicas=2, policies={"maker-1": Bad()}).run()


def test_penalties_are_limited_where_the_book_is_steep(small: Scenario) -> None:
    steep = small.with_settings("exchange.lam=1.05", "makers.*.hedging={kind='none'}")
    assert 7 < steep.exchange.largest_alpha < 8
    SimulationRunner(steep, replicas=2, policies={"maker-1": Constant(alpha=7.0)}).run()
    with raises(PolicyError, "policy of 'maker-1'", 8.0, names=["alpha", f"[1e-06, {steep.exchange.largest_alpha:g}]"]):
        SimulationRunner(steep, replicas=2, policies={"maker-1": Constant(alpha=8.0)}).run()
