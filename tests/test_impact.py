"""Market impact: what hedges at the exchange do to the mid, what a round trip there brings, and that everybody sees one mid."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pydantic import Field

from conftest import assert_says, raises
from dealermarket import (
    Action,
    ConstantFraction,
    Exchange,
    FixedTiers,
    FullHedge,
    GeometricBrownianMotion,
    InvestorAgent,
    LinearImpact,
    LiveMarket,
    MakerPolicy,
    MarketEnvironment,
    MarketMakerAgent,
    Observation,
    ParameterError,
    Scenario,
    SimulationResult,
    SimulationRunner,
    Tape,
    laws,
    register,
    trace,
)
from dealermarket.commands.main import main
from dealermarket.data.export import export
from dealermarket.draws.pairing import unlike_tapes
from dealermarket.envs import DealerEnv
from dealermarket.model import MarketImpact
from dealermarket.policies.features import PLACES

LINEAR = {"kind": "linear", "permanent": 1e-6, "transient": 4e-6, "decay": 0.8}
SETTINGS = [f"market.impact.{field}={value}" for field, value in LINEAR.items()]


def paper(*settings: str, impact: bool = True) -> Scenario:
    """The paper's market where both makers hedge a third at the exchange, and hedges move the mid or not."""
    hedging = ["makers.*.hedging.kind=fraction", "makers.*.hedging.fraction=0.3", "makers.*.hedging.venue=exchange"]
    return Scenario.load("paper", ["steps=60", *hedging, *(SETTINGS if impact else []), *settings])


@pytest.fixture(scope="module")
def recorded() -> SimulationResult:
    return SimulationRunner(paper(), 3, seed=4, record="requests").run()


def mids(result: SimulationResult, name: str = "mid") -> np.ndarray[Any, Any]:
    """A column of the steps, (B, T)."""
    makers = len(result.scenario.makers)
    return np.array(result.steps[name]).reshape(-1, result.scenario.steps, makers)[:, :, 0]


# --- what a round trip brings


def at_exchange(impact: LinearImpact, volumes: list[float], hedging: Any = None) -> SimulationResult:
    """A maker whose client buys these volumes, a step each (below 0: sells), and who hedges them all in the step after; at prices
    that impact alone moves."""
    steps = len(volumes) + 40
    scenario = Scenario(
        steps=steps,
        reward_horizon=1,
        exchange=Exchange(v_max=100.0),
        market=MarketEnvironment(mid_price=GeometricBrownianMotion(volatility=0.0), impact=impact),
        investors=(InvestorAgent(name="client", trade_probability=1.0, mean_size=5.0),),
        makers=(MarketMakerAgent(name="maker", tiering=FixedTiers(tiers=1), hedging=hedging or FullHedge(venue="exchange")),),
    )
    orders = [(t, 0, np.sign(volume), abs(volume)) for t, volume in enumerate(volumes) if volume]
    tape = Tape.from_orders(scenario, np.ones(steps), np.full(steps, 1.5e-4), orders)
    return SimulationRunner(scenario, record="trades").run(tape=tape)


def earned_at_exchange(result: SimulationResult) -> float:
    """The money that its trades at the exchange brought the maker at the mid, before the spread."""
    trades = result.trades[result.trades["maker"] == "exchange"]
    return float(-(trades["side"] * trades["size"] * mids(result)[0, trades["step"]]).sum())


ROUND_TRIPS = [[30.0, -30.0], [30.0, 0.0, 0.0, -30.0], [10.0, 20.0, -5.0, -25.0], [50.0, *[-10.0] * 5], [10.0] * 5 + [-10.0] * 5]


@pytest.mark.parametrize("volumes", ROUND_TRIPS)
def test_a_round_trip_with_permanent_impact_brings_what_each_trade_did_not_pay_for_itself(volumes: list[float]) -> None:
    """-sum_t w_t k sum_{s<t} w_s = (k/2) (sum w^2 - (sum w)^2): a trade is done before its own impact; sliced finely, nothing is
    left of this."""
    k, w = 2e-4, np.array(volumes)
    result = at_exchange(LinearImpact(permanent=k), volumes)
    assert earned_at_exchange(result) == pytest.approx(0.5 * k * (w**2).sum(), rel=1e-10)
    assert_allclose(mids(result)[0, -1], 1.0, rtol=1e-13)  # what was bought and sold again leaves the mid where it was


def test_slices_take_the_gain_away_and_the_spread_of_a_small_impact_is_above_it() -> None:
    k, volume = 2e-6, 60.0
    gains = []
    for slices in (1, 2, 10, 60):
        result = at_exchange(LinearImpact(permanent=k), [volume / slices] * slices + [-volume / slices] * slices)
        gains.append(earned_at_exchange(result))
        paid = -float(result.summary["hedging_cost"].sum())
        assert gains[-1] < paid  # k v / 2 per unit, and at least S_ref(0) = 7.5e-5 is paid
    assert_allclose(gains, k * volume**2 / np.array([1, 2, 10, 60]), rtol=1e-9)


@pytest.mark.parametrize("volumes", ROUND_TRIPS)
@pytest.mark.parametrize("decay", [0.0, 0.6, 0.95])
def test_a_round_trip_with_transient_impact_costs_the_exponential_kernel(volumes: list[float], decay: float) -> None:
    eta, w = 3e-4, np.array(volumes)
    since = np.arange(len(w))[:, None] - np.arange(len(w)) - 1  # steps since what was bought first moved the mid
    kernel = np.where(since >= 0, eta * decay ** np.maximum(since, 0), 0.0)
    result = at_exchange(LinearImpact(transient=eta, decay=decay), volumes)
    assert earned_at_exchange(result) == pytest.approx(-w @ kernel @ w, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("impact", [LinearImpact(permanent=3.0), LinearImpact(permanent=1.0, transient=2.0, decay=0.7)])
def test_the_gain_of_round_trips_has_a_least_upper_bound(impact: LinearImpact) -> None:
    """Of all trades that sum to 0, those whose gain before spreads is largest per squared volume: an eigenvector."""
    steps = np.arange(600)
    since = np.abs(steps[:, None] - steps) - 1
    kernel = np.where(since >= 0, impact.permanent + impact.transient * impact.decay ** np.maximum(since, 0), 0.0) / 2
    to_zero = np.eye(600) - 1 / 600
    largest = np.linalg.eigvalsh(-to_zero @ kernel @ to_zero)[-1]
    assert largest == pytest.approx(impact.round_trip_gain, rel=1e-4)
    assert largest <= impact.round_trip_gain * (1 + 1e-12)


def test_check_says_where_round_trips_pay_and_where_impact_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    exchange = ("--set", "makers.*.hedging.venue=exchange")
    linear = ("--set", "market.impact.kind=linear", "--set")
    said = {}
    for permanent in ("5.2e-6", "5.3e-6"):  # v_max 100 and a mean spread of 1.5e-4: twice 3.485 * 7.5e-5 / 100
        main(["check", "paper", *linear, f"market.impact.permanent={permanent}", *exchange])
        said[permanent] = capsys.readouterr().out
    assert "market.impact" in said["5.3e-6"] and "market.impact" not in said["5.2e-6"]
    main(["check", "paper", *linear, "market.impact.permanent=5.2e-6"])
    assert "market.impact" in capsys.readouterr().out


@pytest.mark.parametrize("fraction", [0.25, 0.5, 1.0])
def test_a_makers_own_hedges_move_the_mid_against_what_it_still_holds(fraction: float) -> None:
    """It holds -v (1 - x)^n after n hedges of x v (1 - x)^(n-1), which add up to k v^2 (1 - x) / (2 - x)."""
    k, volume = 1e-4, 20.0
    result = at_exchange(LinearImpact(permanent=k), [volume], ConstantFraction(fraction=fraction, venue="exchange"))
    row = result.summary.iloc[0]
    cost = k * volume**2 * (1 - fraction) / (2 - fraction)
    assert row["impact_pnl"] == pytest.approx(-cost, rel=1e-4, abs=1e-15)  # a little is not hedged yet
    assert row["inventory_pnl"] == pytest.approx(row["impact_pnl"], rel=1e-9, abs=1e-15)


# --- one mid for all


def test_impact_is_what_the_mid_has_beyond_the_tapes(recorded: SimulationResult) -> None:
    tape = Tape.draw(paper(impact=False), 4, 3)
    without = SimulationRunner(paper(impact=False), 3, seed=4, record="steps").run()
    assert_array_equal(mids(without), tape.mid[:, :60])
    assert not mids(without, "impact").any() and not without.summary["impact_pnl"].any()
    assert np.abs(mids(recorded, "impact")[:, 2:]).max() > 1e-6
    assert_allclose(mids(recorded) - mids(recorded, "impact"), tape.mid[:, :60], rtol=1e-14)
    position, shift = np.array(recorded.steps["position"]).reshape(3, 60, 2), np.diff(mids(recorded, "impact"), prepend=0.0)
    assert_allclose(recorded.summary["impact_pnl"], (position * shift[..., None]).sum(axis=1).ravel(), rtol=1e-9, atol=1e-12)


def test_prices_and_orders_of_the_tape_stay_those_that_they_are() -> None:
    """What an oracle knows is the move without impact: two markets that differ in impact have common tapes."""
    informed = "investors.*.oracle_probability=1"
    assert unlike_tapes(paper(informed), paper(informed, impact=False)) == []
    (change,) = unlike_tapes(paper("market.mid_price.volatility=0.2"), paper(impact=False))
    assert change.path == "market.mid_price.volatility"
    first, second = (Tape.draw(paper(informed, impact=impact), 1, 2) for impact in (True, False))
    assert first == second


class Watching(MakerPolicy):
    """Keeps the mids that it sees."""

    def __init__(self) -> None:
        self.seen: list[np.ndarray[Any, Any]] = []

    def act(self, observation: Observation) -> Action:
        self.seen.append(observation.mid)
        return Action()


def test_policies_and_learners_see_the_mid_with_impact(recorded: SimulationResult) -> None:
    watching = Watching()
    acted = SimulationRunner(paper(), 3, seed=4, record="steps", policies={"maker-1": watching}).run()
    assert_array_equal(np.stack(watching.seen, axis=1), mids(recorded))
    assert_array_equal(mids(acted), mids(recorded))
    market = Scenario.load("learning", ["steps=20", *SETTINGS, "market.impact.transient=1e-4"])
    env = DealerEnv(market, render_mode="rgb_array")
    env.reset(seed=2)
    hedge_all, seen, live = np.array([0.0, 0.0, 1.0], np.float32), [], []
    for _ in range(19):
        features, *_ = env.step(hedge_all)
        seen.append(float(features[PLACES["return_0"]]))
        live.append(float(env.unwrapped._play._session.state.price[0, 0]["mid"]))
    scale = float(market.market.step_volatility(1.0))
    assert_allclose(seen[1:], np.diff(np.log(live)) / scale, rtol=1e-5, atol=1e-6)
    assert_array_equal(env.unwrapped._play.log.day(0).mid[1:], live)
    env.close()


def test_a_live_market_adds_impact_to_the_mids_that_are_handed_in(recorded: SimulationResult) -> None:
    scenario, tape = paper(), Tape.draw(paper(), 4, 1)
    live = LiveMarket(scenario, seed=4)
    assert live.mid is None
    for t in range(scenario.steps):
        live.begin(tape.mid[0, t], tape.reference_spread[0, t])
        assert live.mid == mids(recorded)[0, t]
        chosen = range(tape.order_start[0, t], tape.order_start[0, t + 1])
        orders = [(tape.investor[n], tape.side[n], tape.size[n], tape.tie[n]) for n in chosen]
        live.finish(orders, hedge_tie=tape.hedge_tie[0, t])
    row = recorded.summary.query("replica == 0 and maker == 'maker-1'").iloc[0]
    assert live.rewards["maker-1"]["pnl"] == row["pnl"]


@pytest.mark.compiled
def test_a_trace_tells_the_impact(recorded: SimulationResult, capsys: pytest.CaptureFixture[str]) -> None:
    impact = mids(recorded, "impact")[1]
    told = trace(paper(), 4, replica=1, step=30)
    assert (told.mid, told.impact.total, told.next_impact.total) == (mids(recorded)[1, 30], impact[30], impact[31])
    assert told.move == mids(recorded)[1, 30] - mids(recorded)[1, 29]
    settings = [argument for setting in SETTINGS for argument in ("--set", setting)]
    shown = {}
    for name, given in (("with", settings), ("without", [])):
        main(["trace", "paper", *given, "--set", "makers.*.hedging.venue=exchange", "--step", "30"])
        shown[name] = capsys.readouterr().out
    assert "Impact of hedges" in shown["with"] and "mpact" not in shown["without"]


def test_a_desks_files_have_the_mid_with_impact(recorded: SimulationResult) -> None:
    files = export(paper(), "maker-1", replicas=3, seed=4)
    assert_array_equal(files.mids["mid"], mids(recorded).ravel())
    half = 0.5 * np.array(recorded.steps["reference_spread"])[::2]
    assert_allclose(files.mids["ask"] - files.mids["mid"], half, rtol=1e-9)
    assert_array_equal(files.rfqs["mid"], recorded.requests["mid"])


def test_spreads_that_scale_do_so_with_the_mid_with_impact() -> None:
    settings = ["market.spreads_scale_with_price=true", "market.impact.permanent=1e-3"]
    result = SimulationRunner(paper(*settings), 1, seed=4, record="requests").run()
    half_spread = 0.5 * mids(result)[0] * mids(result, "reference_spread")[0]
    trades = result.trades.query("maker == 'exchange'")
    for rows, column in ((result.requests, "reference"), (trades, "spread")):
        curve = laws.relative_spread(rows["size"] / 100.0, laws.curve_exponent(1.6))
        assert_allclose(rows[column], half_spread[rows["step"]] * curve, rtol=1e-12)
    assert np.ptp(mids(result, "impact")) > 0.01


# --- what is refused


def test_bounds_of_linear_impact() -> None:
    with raises(ParameterError, "decay", "1.0") as caught:
        LinearImpact(permanent=-1e-6, decay=1.0)
    assert_says(str(caught.value), "permanent", "-1e-06", names=["0"])
    assert isinstance(Scenario.load("paper", ["market.impact.kind=linear"]).market.impact, LinearImpact)


TOO_MUCH = ["market.impact.permanent=10", "makers.*.hedging.kind=full"]


@pytest.mark.parametrize("policies", [{}, {"maker-1": Watching()}], ids=["rules", "policy"])
def test_a_mid_that_impact_moves_to_0_stops_the_run_and_says_what_to_change(policies: dict[str, MakerPolicy]) -> None:
    with raises(ParameterError, "market.impact", names=["step 2", "replica 0", "permanent"]):
        SimulationRunner(paper(*TOO_MUCH), 5, policies=policies).run()


def test_a_live_market_whose_mid_impact_moves_to_0_says_so() -> None:
    live = LiveMarket(paper(*TOO_MUCH, "makers.0.pricing.eps_sell=9.0"))
    live.begin(1.0, 1.5e-4)
    live.finish([(0, -1, 5.0)])  # a maker is long, and sells
    live.begin(1.0, 1.5e-4)
    live.finish()
    with raises(ParameterError, "market.impact", names=["step 2"]):
        live.begin(1.0, 1.5e-4)


# --- kinds from outside


@pytest.mark.compiled
@pytest.mark.usefixtures("lists_as_they_were")
def test_a_law_of_impact_from_outside_the_package() -> None:
    @register
    class SquareRoot(MarketImpact):
        """Grows with the root of the volume of a step, and is gone after it."""

        kind: Literal["square_root"] = "square_root"
        scale: Annotated[float, Field(ge=0)] = 0.0
        parameters: ClassVar = ("scale",)

        @staticmethod
        def next_permanent(before: Any) -> Any:
            return before

        @staticmethod
        def next_transient(volume: Any, rule: Any) -> Any:
            return rule.scale * np.sign(volume) * np.sqrt(np.abs(volume))

    scenario = paper(impact=False).with_settings("market.impact.kind=square_root", "market.impact.scale=1e-5")
    assert Scenario.from_toml(scenario.to_toml()) == scenario
    result = SimulationRunner(scenario, 2, seed=4, record="trades").run()
    trades = result.trades.query("maker == 'exchange'")
    net = (trades["side"] * trades["size"]).groupby([trades["replica"], trades["step"]]).sum()
    expected = np.zeros((2, 61))
    for (replica, step), volume in net.items():  # type: ignore[misc]
        expected[replica, step + 1] = 1e-5 * np.sign(volume) * abs(volume) ** 0.5
    assert_allclose(mids(result, "impact"), expected[:, :60], rtol=1e-9, atol=1e-15)
