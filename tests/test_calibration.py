"""From a log to a market and back: what is read, what is estimated, and that simulated desks find what they were made with."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special, stats

from conftest import raises, refused
from dealermarket import (
    ClippedNormal,
    ConstantSpread,
    DataError,
    FixedTiers,
    InvestorAgent,
    LadderSize,
    LogAR1,
    LogisticDemand,
    MarketEnvironment,
    MarketMakerAgent,
    NoHedge,
    ParameterError,
    PowerPricing,
    RunFolderError,
    Scenario,
    SimulationResult,
    SimulationRunner,
    Tape,
)
from dealermarket.commands.main import main
from dealermarket.data.calibration import Calibration, calibrate
from dealermarket.data.competition import fit_competition
from dealermarket.data.export import DeskFiles, export
from dealermarket.data.informed import oracle_probabilities
from dealermarket.data.log import Mapped, RequestLog, read_requests
from dealermarket.data.market import annual_volatility, spread_law
from dealermarket.data.outcomes import NOT_TRADED, OUTCOMES, TRADED_AWAY, WON
from dealermarket.data.pricing import fit_pricing
from dealermarket.data.shares import shares
from dealermarket.data.sizes import size_laws
from dealermarket.estimates import Estimate
from dealermarket.model.investors.sizes import LogNormalSize
from dealermarket.policies import NormalMaker
from dealermarket.reading.prices import Recording

Array = np.ndarray[Any, Any]


def near(estimate: Estimate | None, truth: float, errors: float = 4.5) -> bool:
    """Whether a truth lies within so many standard errors, as far as the interval says how large these are."""
    assert estimate is not None
    half = errors / stats.norm.ppf(0.975)
    low = estimate.value - half * (estimate.value - estimate.low)
    return bool(low <= truth <= estimate.value + half * (estimate.high - estimate.value))


# --- reading


ROWS = (
    "2024-01-02T10:00:00Z,ann,buy,5,1.10010,1.10000,won",
    "2024-01-02T10:01:00Z,bob,sell,2,1.09980,1.10000,traded_away",
    "2024-01-02T10:02:00Z,ann,sell,1,1.09990,1.10000,not_traded",
)
HEADER = "time,client,side,size,quote,mid,outcome"


def log_of(folder: Path, *rows: str, header: str = HEADER, **options: Any) -> RequestLog:
    path = folder / "rfqs.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return read_requests(path, **options)


def test_a_log_is_read_from_the_clients_side(tmp_path: Path) -> None:
    log = log_of(tmp_path, *ROWS)
    assert log.clients == ("ann", "bob") and log.client.tolist() == [0, 1, 0]
    assert log.side.tolist() == [1, -1, -1] and log.size.tolist() == [5.0, 2.0, 1.0]
    assert_allclose(log.spread, [1e-4, 2e-4, 1e-4], rtol=1e-9)
    assert log.outcome.tolist() == [WON, TRADED_AWAY, NOT_TRADED]
    assert np.isnan(log.asked).all() and np.isnan(log.cover).all() and np.isnan(log.tier).all()


def test_a_mapping_says_what_a_file_calls_things(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(
        'side = "desk"\nquote = "spread"\nunit = "bp"\n[columns]\nclient = "who"\nquote = "shown"\n'
        '[sides]\nbuy = ["we buy"]\nsell = ["we sell"]\n[outcomes]\nwon = ["OK"]\ntraded_away = ["gone"]\nnot_traded = ["?"]\n'
    )
    rows = ("0,ann,we sell,5,2.0,1.1,OK", "1,bob,We Buy,2,3.0,1.1,gone", "2,ann,we buy,1,1.0,1.1,?")
    header = "time,who,side,size,shown,mid,outcome"
    log = log_of(tmp_path, *rows, header=header, mapped=Mapped.load(tmp_path / "mapping.toml"))
    assert log.side.tolist() == [1, -1, -1]
    assert_allclose(log.spread, [2.2e-4, 3.3e-4, 1.1e-4], rtol=1e-12)
    assert log.outcome.tolist() == [WON, TRADED_AWAY, NOT_TRADED]
    pips = log_of(tmp_path, *rows, header=header, mapped=Mapped.load(tmp_path / "mapping.toml").replace(unit="pips"))
    assert_allclose(pips.spread, [2e-4, 3e-4, 1e-4], rtol=1e-12)


def test_what_is_left_out_of_a_log_is_counted(tmp_path: Path) -> None:
    more = (
        ROWS[0],
        "2024-01-02T09:59:00Z,ann,buy,3,1.10010,1.10000,won",
        "2024-01-02T10:03:00Z,ann,buy,-3,1.10010,1.10000,won",
        "2024-01-02T10:04:00Z,ann,buy,3,1.09000,1.10000,won",
        "2024-01-02T10:05:00Z,,buy,3,1.10010,1.10000,won",
    )
    log = log_of(tmp_path, *ROWS, *more)
    assert log.size.tolist() == [3.0, 5.0, 2.0, 1.0]
    said = "\n".join(log.notes)
    for words in (
        "1 row: 9: a cell is empty",
        "1 row: 7 (-3.0): a size that is not above 0",
        "1 row: 8 (1.09): a quote on the wrong side",
        "1 row: 5: the same as another row",
        "1 rows came before",
        "4 requests of 2 clients",
    ):
        assert words in said, (words, said)


@pytest.mark.parametrize(
    ("rows", "header", "words"),
    [
        ((), HEADER, ["no rows"]),
        (ROWS, "time,client,side,size,price,mid,what", ["outcome"]),
        ((ROWS[0].replace("won", "maybe"),), HEADER, ["'outcome'", "1 row: 2 ('maybe')", "traded_away"]),
        ((ROWS[0].replace("buy", "up"),), HEADER, ["'side'", "1 row: 2 ('up')", "sell"]),
        ((ROWS[0], ROWS[1].replace("sell", "Offer")), HEADER, ["'side'", "1 row: 3 ('Offer')", "sides = {"]),
        (ROWS, HEADER.replace(",mid", ",middle"), ["'mid'", "--mids"]),
        ((ROWS[0].replace("2024-01-02T10:00:00Z", "31/01/2024 10:00"),), HEADER, ["'time'", "time = '%d/%m/%Y %H:%M'"]),
        ((ROWS[0].replace("2024-01-02T10:00:00Z", "20240131"),), HEADER, ["'time'", "time = '%Y%m%d'"]),
        ((f"{ROWS[0][:-4]},y,n", f"{ROWS[1][:-12]},n,y"), f"{HEADER[:-8]},won,traded", ["'traded'", "1 row: 2 ('n')"]),
        ((ROWS[0].replace(",5,", ",five,"),), HEADER, ["'size'", "1 row: 2 ('five')"]),
        ((ROWS[0].replace("2024-01-02T", ""),), HEADER, ["'time'", "10:00:00Z"]),
        ((ROWS[0].replace(",5,", ",-5,"),), HEADER, ["no request is left", "not above 0"]),
        ((ROWS[0] + ",EURUSD", ROWS[1] + ",GBPUSD"), HEADER + ",pair", ["2 instruments", "--instrument"]),
    ],
)
def test_logs_that_will_not_do_are_refused(tmp_path: Path, rows: tuple[str, ...], header: str, words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        log_of(tmp_path, *rows, header=header)
    for word in words:
        assert word in str(caught.value)


def test_outcomes_as_flags(tmp_path: Path) -> None:
    rows = [row.rsplit(",", 1)[0] for row in ROWS]
    header = HEADER.replace("outcome", "is_won")
    alone = log_of(tmp_path, *(f"{row},{flag}" for row, flag in zip(rows, ("TRUE", "false", "0"), strict=True)), header=header)
    assert alone.outcome.tolist() == [WON, TRADED_AWAY, TRADED_AWAY] and "all count as traded away" in alone.notes[1]
    flags = (("y", ""), ("n", "Y"), ("n", "N"))
    both = log_of(
        tmp_path, *(f"{row},{','.join(pair)}" for row, pair in zip(rows, flags, strict=True)), header=f"{header},traded"
    )
    assert both.outcome.tolist() == [WON, TRADED_AWAY, NOT_TRADED] and len(both.notes) == 1
    table = pd.DataFrame([row.split(",") for row in rows], columns=HEADER.split(",")[:-1]).astype(
        {"quote": float, "mid": float, "size": int}
    )
    table.assign(did=[True, False, False], any=[True, True, False]).to_parquet(tmp_path / "log.parquet")
    mapped = Mapped(columns={"won": "did", "traded": "any"})
    assert read_requests(tmp_path / "log.parquet", mapped).outcome.tolist() == [WON, TRADED_AWAY, NOT_TRADED]


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8-sig", None), ("utf-16", None), ("cp1252", "cp1252"), ("utf-16-le", "utf-16-le")]
)
def test_texts_of_other_encodings(tmp_path: Path, encoding: str, said: str | None) -> None:
    rows = [row.replace("bob", "Zoë") for row in ROWS]
    (tmp_path / "log.csv").write_text("\n".join([HEADER, *rows, ""]), encoding=encoding)
    if said is not None:
        with raises(DataError, tmp_path / "log.csv", names=["encoding"]):
            read_requests(tmp_path / "log.csv")
    assert read_requests(tmp_path / "log.csv", Mapped(format={"encoding": said})).clients == ("Zoë", "ann")  # type: ignore[arg-type]


def sizes_of(
    folder: Path, *cells: str, written: dict[str, str] | None = None, prices: tuple[str, str] = ("1.1001", "1.1000")
) -> list[float]:
    rows = [f"{n};ann;buy;{cell};{prices[0]};{prices[1]};won" for n, cell in enumerate(cells)]
    return log_of(folder, *rows, header=HEADER.replace(",", ";"), mapped=Mapped(format=written or {})).size.tolist()  # type: ignore[arg-type]


def test_commas_before_decimals_and_between_thousands(tmp_path: Path) -> None:
    comma = ("1,1001", "1,1000")
    assert sizes_of(tmp_path, "1,5", "1,234", "7", prices=comma) == [1.5, 1.234, 7.0]
    assert sizes_of(tmp_path, "1.234,5", "1.234", "+7", prices=comma) == [1234.5, 1234.0, 7.0]
    assert sizes_of(tmp_path, "1,234,567", "1,234", "12") == [1234567.0, 1234.0, 12.0]
    assert sizes_of(tmp_path, "1,234", "12") == [1234.0, 12.0]  # prices have decimal points
    assert sizes_of(tmp_path, "1,234", "12", prices=comma) == [1.234, 12.0]
    whole = ("1101", "1100")
    assert sizes_of(tmp_path, "1,234", prices=whole, written={"decimal": ","}) == [1.234]
    assert sizes_of(tmp_path, "1,234", prices=whole, written={"thousands": ","}) == [1234.0]
    assert sizes_of(tmp_path, "1 234,5", "1\u202f234", prices=whole, written={"thousands": " ", "decimal": ","}) == [
        1234.5,
        1234.0,
    ]
    for cells, words in (
        (("7", "1,234"), "1 row: 3 ('1,234')"),
        (("1,5", "1.25"), "1 row: 2 ('1,5')"),
        (("1,23,4",), "1 row: 2 ('1,23,4')"),
    ):
        with raises(DataError, f"{tmp_path / 'rfqs.csv'}: column 'size'", names=[words]):
            sizes_of(tmp_path, *cells, prices=whole)


def test_times_in_a_zone_and_a_format(tmp_path: Path) -> None:
    def log(*times: str, **written: str) -> RequestLog:
        rows = [ROWS[0].replace("2024-01-02T10:00:00Z", time) for time in times]
        return log_of(tmp_path, *rows, mapped=Mapped(format=written))  # type: ignore[arg-type]

    def seconds(read: RequestLog) -> list[float]:
        return np.asarray(read.time.values, dtype=np.float64).tolist()

    summer = log("31.07.2024 10:00", time="%d.%m.%Y %H:%M", timezone="Europe/London")
    assert seconds(summer) == [pd.Timestamp("2024-07-31T09:00Z").timestamp()]
    assert "times without a time zone are taken as Europe/London" in summer.notes
    assert seconds(log("2024-07-31T10:00", timezone="Asia/Tokyo")) == [pd.Timestamp("2024-07-31T01:00Z").timestamp()]
    zoned = log("31/07/24 10:00 +0200", time="%d/%m/%y %H:%M %z", timezone="Asia/Tokyo")
    assert seconds(zoned) == [pd.Timestamp("2024-07-31T08:00Z").timestamp()] and len(zoned.notes) == 1
    for twice_or_never in ("2024-10-27T01:30", "2024-03-31T01:30"):
        with raises(DataError, f"{tmp_path / 'rfqs.csv'}: column 'time'", names=["1 row: 3", twice_or_never]):
            log("2024-07-31T10:00", twice_or_never, timezone="Europe/London")
    with raises(DataError, f"{tmp_path / 'rfqs.csv'}: column 'time'", names=["'%d.%m.%Y'", "1 row: 2"]):
        log("2024-07-31", time="%d.%m.%Y")
    for field, wrong in (("time", "%d.%m"), ("timezone", "Mars/Here"), ("encoding", "base64")):
        with raises(ParameterError, f"format.{field}", repr(wrong)):
            Mapped(format={field: wrong})  # type: ignore[arg-type]


def test_one_instrument_of_several(tmp_path: Path) -> None:
    rows = (ROWS[0] + ",EURUSD", ROWS[1] + ",GBPUSD")
    assert len(log_of(tmp_path, *rows, header=HEADER + ",pair", instrument="GBPUSD")) == 1
    with pytest.raises(DataError, match="EURUSD"):
        log_of(tmp_path, *rows, header=HEADER + ",pair", instrument="USDJPY")


# --- estimates, against what samples were made with


def test_shares_are_drawn_towards_what_they_have_in_common() -> None:
    rng = np.random.default_rng(1)
    truth, trials = rng.beta(2.0, 38.0, 400), rng.choice([20, 200, 2000], 400)
    successes = rng.binomial(trials, truth)
    found = shares(successes, trials)
    inside = (found.low <= truth) & (truth <= found.high)
    assert abs(inside.mean() - 0.95) < 4.5 * math.sqrt(0.95 * 0.05 / 400)
    assert np.mean((found.value - truth) ** 2) < 0.5 * np.mean((successes / trials - truth) ** 2)
    alone = shares(np.array([3]), np.array([10]))  # Jeffreys
    assert_allclose([alone.value[0], alone.low[0]], [3.5 / 11, stats.beta(3.5, 7.5).ppf(0.025)], rtol=1e-12)


@pytest.mark.parametrize("buyers", [0.5, 0.8])
def test_oracle_probabilities_are_found(buyers: float) -> None:
    rng = np.random.default_rng(2)
    truth = np.repeat([0.0, 0.1, 0.4, 0.9], 50)
    client = np.repeat(np.arange(200), 800)
    move = rng.standard_normal(len(client))
    asks = rng.random(len(client)) < truth[client]
    side = np.where(asks, np.sign(move), np.where(rng.random(len(client)) < buyers, 1, -1)).astype(int)
    found, buying = oracle_probabilities(client, 200, side, np.where(rng.random(len(client)) < 0.1, np.nan, move))
    inside = (found.low <= truth) & (truth <= found.high)
    assert 0.9 < inside.mean() < 0.99
    assert abs(buying[truth < 0.5].mean() - buyers) < 0.02
    assert (found.high <= 1).all() and (found.low >= 0).all() and (found.low[truth == 0.4] > 0).all()


def rivalry(requests: int, seed: int, rivals: int = 2) -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(seed)
    quote, theirs = rng.uniform(0.6, 2.2, requests), rng.normal(1.4, 0.3, (requests, rivals))
    reservation = 1.6 + 0.25 * stats.logistic.rvs(size=requests, random_state=rng)
    best = theirs.min(axis=1)
    outcome = np.where(np.minimum(quote, best) > reservation, NOT_TRADED, np.where(quote <= best, WON, TRADED_AWAY))
    return quote, outcome, np.full(requests, rivals), np.where(outcome == WON, best, np.nan)


@pytest.mark.parametrize("covers", [True, False])
@pytest.mark.parametrize("rivals", [1, 3])
def test_rivals_and_reservations_are_found(rivals: int, covers: bool) -> None:
    quote, outcome, asked, cover = rivalry(8000, 3, rivals)
    found = fit_competition(quote, outcome, asked, cover if covers else np.full(8000, np.nan))
    truths = {"rival_mean": 1.4, "rival_std": 0.3, "reservation_mean": 1.6, "reservation_scale": 0.25}
    for name, truth in truths.items():
        estimate = getattr(found, name)
        assert near(estimate, truth), name
        assert estimate.high - estimate.low < 0.2
    assert found.unknown == ()
    shares_found = np.bincount(outcome, minlength=3) / len(outcome)
    assert_allclose(found.predicted.mean(axis=0), shares_found, atol=0.01)


def test_probabilities_of_outcomes_are_the_integrals() -> None:
    quote, outcome, asked, cover = rivalry(400, 4, 1)
    found = fit_competition(quote, outcome, asked, cover)
    mean, std, reserve, scale = (
        float(getattr(found, name).value) for name in ("rival_mean", "rival_std", "reservation_mean", "reservation_scale")
    )
    for n in (0, 7, 50):
        won = stats.norm.sf(quote[n], mean, std) * special.expit((reserve - quote[n]) / scale)
        away, _ = integrate.quad(
            lambda b: stats.norm.pdf(b, mean, std) * special.expit((reserve - b) / scale), mean - 9 * std, quote[n]
        )
        assert_allclose(found.predicted[n], [won, away, 1 - won - away], atol=2e-5)


def test_what_a_log_cannot_tell_of_competition_is_said() -> None:
    quote, outcome, asked, _ = rivalry(3000, 5)
    none = np.full(3000, np.nan)
    nobody_lost = fit_competition(quote, np.where(outcome == TRADED_AWAY, WON, outcome), asked, none)
    assert nobody_lost.rival_mean is None and nobody_lost.reservation_mean is not None and "rivals" in nobody_lost.unknown[0]
    all_trade = fit_competition(quote, np.where(outcome == NOT_TRADED, TRADED_AWAY, outcome), asked, none)
    assert all_trade.reservation_mean is None and all_trade.rival_mean is not None and "reservations" in all_trade.unknown[0]
    never = fit_competition(np.full(3000, 1.3), outcome, asked, none)
    assert never.rival_mean is never.reservation_mean is None and "vary by 0.0 %" in never.unknown[0]
    assert np.isnan(never.predicted).all()


def test_a_desks_prices_are_found_from_its_quotes() -> None:
    rng = np.random.default_rng(6)
    half, curve, tier = rng.uniform(4e-6, 8e-6, 500), rng.exponential(0.2, 500), rng.integers(0, 4, 500).astype(float)
    client = np.arange(500) % 20
    quote = half * 1.1 * np.exp(1.3 * curve) + 5e-6 * tier
    exact = fit_pricing(quote, half, curve, tier, client)
    assert exact.alpha is not None and exact.tier_penalty is not None
    assert_allclose([exact.alpha.value, exact.tier_penalty.value, exact.eps.value], [1.3, 5e-6, 0.1], rtol=1e-7)
    assert (exact.tiers, exact.unknown) == (4, ()) and exact.residual < 1e-9
    noisy = fit_pricing(quote * rng.normal(1.0, 0.05, 500), half, curve, tier, client)
    assert near(noisy.alpha, 1.3) and near(noisy.tier_penalty, 5e-6) and near(noisy.eps, 0.1)
    flat = fit_pricing(half * 1.1, half, 0 * curve, np.full(500, np.nan), client)
    assert flat.alpha is flat.tier_penalty is None and flat.tiers == 1
    assert_allclose(flat.eps.value, 0.1, rtol=1e-9)
    assert any("alpha" in text for text in flat.unknown) and any("tier penalty" in text for text in flat.unknown)
    odd = fit_pricing(quote * rng.uniform(0.3, 3.0, 500), half, curve, tier, client)
    assert any("unexplained" in text for text in odd.unknown)


def recording(mid: Array, spread: Array | None = None) -> Recording:
    return Recording(mid, spread, np.arange(len(mid), dtype=float), np.array([0, len(mid)]), (), "")


def test_volatility_and_what_longer_returns_say_of_it() -> None:
    rng, dt = np.random.default_rng(7), 1 / (252 * 96)
    path = np.exp(np.cumsum(0.2 * math.sqrt(dt) * rng.standard_normal(20_000)))
    volatility, note = annual_volatility(recording(path), dt)
    assert near(volatility, 0.2) and volatility.margin < 0.003
    assert "no random walk" not in note
    bouncing = annual_volatility(recording(path * np.exp(1e-3 * rng.standard_normal(20_000))), dt)[1]
    assert "to and fro" in bouncing


def test_laws_of_spreads() -> None:
    rng = np.random.default_rng(8)
    mid = np.full(4000, 2.0)
    logs = np.zeros(4000)
    for t in range(1, 4000):
        logs[t] = 0.9 * logs[t - 1] + math.sqrt(1 - 0.81) * 0.2 * rng.standard_normal()
    law, found, _ = spread_law(recording(mid, 2e-4 * np.exp(logs)))
    assert isinstance(law, LogAR1) and near(found["autocorrelation"], 0.9) and near(found["mean"], 1e-4 * math.exp(0.02))
    law, found, _ = spread_law(recording(mid, 2.0 * rng.normal(1e-4, 1e-5, 4000)))
    assert isinstance(law, ClippedNormal) and near(found["mean"], 1e-4) and near(found["std"], 1e-5)
    assert isinstance(spread_law(recording(mid, np.full(4000, 2e-4)))[0], ConstantSpread)


def test_laws_of_sizes() -> None:
    rng, member = np.random.default_rng(9), np.repeat([0, 1, 2], [600, 600, 3])
    laws, _ = size_laws(member, 3, rng.choice([1.0, 5.0, 10.0], 1203, p=[0.6, 0.3, 0.1]))
    assert all(isinstance(law, LadderSize) and law.sizes == (1.0, 5.0, 10.0) for law in laws)
    assert_allclose(laws[0].probabilities, [0.6, 0.3, 0.1], atol=0.07)  # type: ignore[attr-defined]
    laws, _ = size_laws(member, 3, np.exp(rng.normal([0.0, 2.0, 1.0], 0.5, (1203, 3))[np.arange(1203), member]))
    assert all(isinstance(law, LogNormalSize) for law in laws)
    levels = [law.log_mean for law in laws]  # type: ignore[attr-defined]
    assert abs(levels[0]) < 0.1 and abs(levels[1] - 2.0) < 0.1 and 0.8 < levels[2] < 1.2  # too few of its own


# --- simulated desks


def true_market() -> Scenario:
    """A desk with three tiers, two rivals whose prices lie around a mean, and clients who may refuse."""
    demand = LogisticDemand(mean=1.9, scale=0.3)
    clients = tuple(
        InvestorAgent(
            name=f"client-{n}",
            trade_probability=0.05 + 0.02 * n,
            log_mean=1.0,
            log_std=0.8,
            oracle_probability=0.15 * (n == 5),
            demand=demand,
        )
        for n in range(6)
    )
    table = {f"client-{n}": n % 3 for n in range(6)}
    rivals = tuple(
        MarketMakerAgent(
            name=f"other-{n}",
            tiering=FixedTiers(tiers=1),
            pricing=PowerPricing(alpha=1.0, tier_penalty=0.0),
            hedging=NoHedge(),
            policy=NormalMaker(mean=0.4, std=0.3),
        )
        for n in range(2)
    )
    tiering, pricing = FixedTiers(tiers=3, table=table), PowerPricing(alpha=1.4, tier_penalty=2e-5)
    desk = MarketMakerAgent(name="ours", tiering=tiering, pricing=pricing, hedging=NoHedge())
    market = MarketEnvironment(steps_per_day=1440, spreads_scale_with_price=True)
    return Scenario(steps=480, reward_horizon=4, market=market, investors=clients, makers=(desk, *rivals))


@pytest.fixture(scope="module")
def files() -> DeskFiles:
    return export(true_market(), "ours", replicas=40, seed=3)


@pytest.fixture(scope="module")
def calibrated(files: DeskFiles, tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    folder = tmp_path_factory.mktemp("desk")
    rfqs, mids = files.write(folder)
    return calibrate(rfqs, mids)


def test_a_simulated_desk_finds_what_its_market_was_made_with(calibrated: Calibration) -> None:
    found = {finding.field: finding.estimate for finding in calibrated.findings}
    truths = {
        "makers.rival-1.policy.mean": 0.4,
        "makers.rival-1.policy.std": 0.3,
        "investors.*.demand.mean": 1.9,
        "investors.*.demand.scale": 0.3,
        "market.mid_price.volatility": 0.1,
    }
    truths |= {f"investors.client-{n}.trade_probability": 0.05 + 0.02 * n for n in range(6)}
    truths |= {f"investors.client-{n}.oracle_probability": 0.15 * (n == 5) for n in range(6)}
    for field, truth in truths.items():
        assert near(found[field], truth), field
    desk = calibrated.scenario.makers[0]
    assert_allclose([desk.pricing.tier_penalty, desk.pricing.eps_buy], [2e-5, 0.0], rtol=1e-6, atol=1e-3)  # type: ignore[attr-defined]
    assert desk.tiering.tiers == 3 and calibrated.scenario.reward_horizon in (4, 5, 6)
    assert [maker.name for maker in calibrated.scenario.makers] == ["desk", "rival-1", "rival-2"]
    law = calibrated.scenario.agents[0].order_size
    assert isinstance(law, LogNormalSize) and law.log_mean == pytest.approx(1.0, abs=0.1)


@pytest.mark.compiled
def test_it_foretells_a_change_of_prices_that_its_log_never_saw(calibrated: Calibration) -> None:
    """Hit ratio and traded away after the desk's tier penalty is halved, in the true market and in the one made of its log."""
    true = true_market().with_settings("makers.ours.pricing.tier_penalty=1e-5")
    ours = calibrated.scenario.with_settings(
        "makers.desk.pricing.tier_penalty=1e-5",
        "makers.desk.hedging={kind='none'}",
        "steps=480",
    )
    runs = [SimulationRunner(each, 60, seed=9).run().statistics()[maker] for each, maker in ((true, "ours"), (ours, "desk"))]
    before = SimulationRunner(true_market(), 60, seed=9).run().statistics()["ours"]
    for name in ("hit_ratio", "traded_away", "not_traded"):
        truth, foretold = (run[name] for run in runs)
        assert abs(truth.value - foretold.value) < 0.02
    assert runs[0]["hit_ratio"].value - before["hit_ratio"].value > 0.04  # and the change is not small beside that


def test_a_depth_that_sizes_exceed_is_refused(files: DeskFiles, tmp_path: Path) -> None:
    rfqs, mids = files.write(tmp_path)
    with raises(ParameterError, "v_max", 2):
        calibrate(rfqs, mids, v_max=2.0)
    given = calibrate(rfqs, mids, v_max=1e4)
    assert given.scenario.exchange.v_max == 1e4 and not any("v_max" in text for text in given.unknown)


def test_a_calibrated_scenario_says_where_its_numbers_come_from(calibrated: Calibration) -> None:
    choices = calibrated.scenario.choices
    assert "95 % interval" in choices["investors.client-3.trade_probability"]
    assert choices["exchange.v_max"].startswith("not in the log")
    assert Scenario.from_toml(calibrated.scenario.to_toml()) == calibrated.scenario
    assert_array_equal(calibrated.predicted.sum(axis=1).round(9), 1.0)


def test_a_calibrated_desk_takes_recorded_prices_by_settings_alone(
    calibrated: Calibration, files: DeskFiles, tmp_path: Path
) -> None:
    _, mids = files.write(tmp_path)
    settings = (f"mid_price.file={mids}", "mid_price.kind=recorded", "reference_spread.kind=recorded")
    scenario = calibrated.scenario.with_settings("steps=470", *(f"market.{each}" for each in settings))
    assert set(scenario.choices) == {
        path for path in calibrated.scenario.choices if not path.startswith(("market.mid_price", "market.reference_spread"))
    }
    assert_array_equal(Tape.draw(scenario, replicas=1).mid[0], files.mids["mid"].to_numpy()[: 470 + scenario.reward_horizon])


def test_a_maker_writes_down_what_it_could_know(files: DeskFiles) -> None:
    scenario = Scenario.load("fx", ["steps=60"])
    requests = SimulationRunner(scenario, 3, seed=2, record="requests").run().requests
    rfqs = export(scenario, "core", 3, seed=2).rfqs
    asked = requests[requests["asked"].str.contains("core")].reset_index(drop=True)
    for ours, theirs in (("client", "client"), ("size", "size"), ("mid", "mid"), ("dealers_asked", "makers_asked")):
        assert rfqs[ours].tolist() == asked[theirs].tolist()
    won = (asked["best_maker"] == "core") & (asked["outcome"] == "traded")
    expected = np.where(won, OUTCOMES[WON], np.where(asked["outcome"] == "traded", OUTCOMES[TRADED_AWAY], OUTCOMES[NOT_TRADED]))
    assert rfqs["outcome"].tolist() == expected.tolist()
    assert rfqs["cover"].notna().tolist() == won.tolist()
    spread = (rfqs["quote"] - rfqs["mid"]) * np.where(rfqs["side"] == "buy", 1, -1)
    assert_allclose(spread[won], asked["best_spread"][won], rtol=1e-6)
    assert (spread[~won] >= asked["best_spread"][~won] * (1 - 1e-6)).all()
    assert rfqs["time"].is_monotonic_increasing and files.mids["time"].is_monotonic_increasing
    assert (files.mids["ask"] > files.mids["bid"]).all()


def test_export_refuses_what_it_cannot_run_again(tmp_path: Path) -> None:
    scenario = Scenario.load("paper", ["steps=20"])
    with raises(ParameterError, "maker", names=["maker-9"]):
        export(scenario, "maker-9")
    result = SimulationRunner(scenario, 2).run()
    meta = {**result.meta, "policies": ["maker-1"]}
    with raises(RunFolderError, "paper", names=["maker-1"]):
        export(SimulationResult(scenario, meta, []), "maker-1")


def test_commands_from_a_run_to_a_market(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    SimulationRunner(true_market(), 6, seed=1).run(out=tmp_path / "run")
    assert main(["export", "run", "--maker", "ours", "--out", "desk"]) == 0
    assert main(["calibrate", "desk/rfqs.csv", "--mids", "desk/mids.csv", "--out", "desk.toml"]) == 0
    out = capsys.readouterr().out
    assert "makers.desk.pricing.alpha" in out and "not in the log: exchange.v_max" in out
    assert main(["run", "desk.toml", "--replicas", "2", "--steps", "20"]) == 0
    capsys.readouterr()
    assert "exists already" in refused(capsys, "calibrate", "desk/rfqs.csv", "--mids", "desk/mids.csv", "--out", "desk.toml")
    assert "cannot be read" in refused(capsys, "calibrate", "desk/none.csv", "--mids", "desk/mids.csv", "--out", "b.toml")
    assert "maker" in refused(capsys, "export", "run", "--maker", "nobody", "--out", "c")
    assert not (tmp_path / "b.toml").exists() and not (tmp_path / "c").exists()


# --- logs that are not what they seem


def test_logs_whose_numbers_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    swapped = [row.replace("buy", "SIDE").replace("sell", "buy").replace("SIDE", "sell") for row in ROWS]
    with pytest.raises(DataError, match="better for the client than the mid"):
        log_of(tmp_path, *swapped)
    log_of(tmp_path, *swapped, mapped=Mapped(side="desk"))
    fine = [ROWS[0].replace("T10:00", f"T{11 + n // 60}:{n % 60:02}") for n in range(100)]
    turned = [row.replace("1.10010", "1.09990") for row in fine]
    mostly_bought = [*fine, *(row.replace("buy", "sell") for row in fine[:25])]  # the sells are in truth buys
    with raises(DataError, tmp_path / "rfqs.csv", names=["sell", "100 %", "sides"]):
        log_of(tmp_path, *mostly_bought)
    assert len(log_of(tmp_path, *fine, *turned[:25])) == 125
    with pytest.raises(DataError, match="the mid itself"):
        log_of(tmp_path, *(row.replace("1.10010", "1.10000").replace("1.09980", "1.10000") for row in ROWS[:2]))
    for wrong in ("0", "2.5", "500"):
        with pytest.raises(DataError, match=r"'dealers_asked'.*1 row: 2"):
            log_of(tmp_path, f"{ROWS[0]},{wrong}", f"{ROWS[1]},3", header=f"{HEADER},dealers_asked")
    with pytest.raises(DataError, match="no column of instruments"):
        log_of(tmp_path, *ROWS, instrument="EURUSD")
    with pytest.raises(DataError, match="'done' stands for two things"):
        log_of(tmp_path, *ROWS, mapped=Mapped(outcomes={"won": ("done",), "traded_away": ("DONE",)}))
    with raises(ParameterError, "unit", "'bp'"):
        Mapped(unit="bp")
    far = log_of(tmp_path, *ROWS, ROWS[0].replace("1.10010", "1.5"), ROWS[0].replace("1.10010", "-1.1"))
    assert len(far) == 3 and "more than 100 median spreads" in far.notes[-1] and "a price that is not above 0" in far.notes[1]


def test_too_little_to_learn_from_is_refused(files: DeskFiles, tmp_path: Path) -> None:
    rfqs, mids = files.write(tmp_path / "whole")
    with raises(ParameterError, "step_seconds"):
        calibrate(rfqs, mids, step_seconds=0.0)
    with raises(DataError, mids, names=["two steps"]):
        calibrate(rfqs, mids, step_seconds=7.0)
    with pytest.raises(DataError, match=r"[0-9]+ steps from one mid to the next, 50 or more are needed"):
        calibrate(rfqs, mids, step_seconds=200_000.0)
    with raises(ParameterError, "reward_horizon", 480, names=["479"]):
        calibrate(rfqs, mids, reward_horizon=480)
    few, _ = DeskFiles(files.rfqs[:30], files.mids).write(tmp_path / "few")
    with pytest.raises(DataError, match="30 requests are left"):
        calibrate(few, mids)
    shifted = files.rfqs.assign(mid=files.rfqs["mid"] * 1.01, quote=files.rfqs["quote"] * 1.01)
    far, _ = DeskFiles(shifted, files.mids).write(tmp_path / "far")
    with pytest.raises(DataError, match="bp from those of the file of mids"):
        calibrate(far, mids)
    rfqs.unlink()
    with raises(DataError, mids):  # the other file is there
        files.write(tmp_path / "whole")


def test_without_mids_those_of_the_log_stand_for_them(files: DeskFiles, calibrated: Calibration, tmp_path: Path) -> None:
    found = calibrate(files.rfqs, step_seconds=60.0, reward_horizon=4)
    volatility = {finding.field: finding.estimate for finding in found.findings}["market.mid_price.volatility"]
    assert near(volatility, 0.1) and "no file of mids" in found.notes[0]
    assert [maker.name for maker in found.scenario.makers] == [maker.name for maker in calibrated.scenario.makers]
    with raises(DataError, "rfqs.parquet", names=["--mids"]):
        calibrate(files.rfqs.drop(columns="mid"))


def test_a_mapping_names_the_columns_of_mids_too(files: DeskFiles, calibrated: Calibration) -> None:
    mids = files.mids.assign(when=files.mids["time"].dt.strftime("%d.%m.%Y %H:%M:%S"))[["when", "mid", "bid", "ask"]]
    told = Mapped(mids={"columns": {"time": "when"}, "format": {"time": "%d.%m.%Y %H:%M:%S"}})  # type: ignore[arg-type]
    assert calibrate(files.rfqs, mids, mapped=told).scenario == calibrated.scenario


def test_one_client_makes_a_market(files: DeskFiles, tmp_path: Path) -> None:
    alone = files.rfqs[files.rfqs["client"] == "client-5"]
    found = calibrate(*DeskFiles(alone, files.mids).write(tmp_path))
    frames = calibrate(alone, files.mids)
    assert frames.scenario.makers[1:] == found.scenario.makers[1:] and "rfqs.parquet" in "".join(frames.notes)
    with raises(ParameterError, "mids"):
        calibrate(alone, 5)  # type: ignore[arg-type]
    assert [agent.name for agent in found.scenario.agents] == ["client-5"]
    assert SimulationRunner(found.scenario, 2).run().summary["requests"].sum() > 0
