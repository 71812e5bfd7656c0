"""What a log tells of its clients: when they ask, how much, who behaves alike, and in which tiers the desk holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from dealermarket import AverageYield, FixedTiers, LadderSize, Scenario
from dealermarket.data.arrivals import FEWEST_DAYS, day_profile, fit_arrivals
from dealermarket.data.calibration import Calibration, calibrate
from dealermarket.data.groups import Trait, groups_of, mean_trait
from dealermarket.data.pricing import fit_pricing
from dealermarket.data.sizes import size_laws
from dealermarket.data.tiers import find_tiers
from dealermarket.model.investors.sizes import LogNormalSize
from dealermarket.reading.prices import Recording

Array = np.ndarray[Any, Any]

DAY, PROFILE = 1440, np.resize([1.0, 1.0, 2.0, 4.0], 24)


def minutes(days: int, seconds: float | None = 60.0) -> Recording:
    """Mids of whole days."""
    count = days * DAY
    return Recording(np.ones(count), None, np.arange(count, dtype=float), np.array([0, count]), (), "", seconds)


def asked(probability: Array, seed: int) -> tuple[Array, Array]:
    """Whose each request is, and its step, where clients ask with these probabilities, (steps, clients)."""
    place, client = np.nonzero(np.random.default_rng(seed).random(probability.shape) < probability)
    return client, place


RATES = np.array([0.01, 0.03, 0.1, 0.3])


def by_hour(recording: Recording) -> Array:
    return np.asarray((PROFILE / PROFILE.mean())[(recording.at.astype(int) % DAY) // 60])


# --- arrivals


def test_clusters_are_told_from_what_the_market_draws() -> None:
    recording, ones = minutes(10), np.ones(4, np.int64)
    client, place = asked(np.tile(RATES, (10 * DAY, 1)), 1)
    alone = fit_arrivals(recording, client, place, ones, None)
    assert not alone.clustered.any() and not alone.all_clustered
    assert_allclose(alone.dispersion, 1.0, atol=4.5 * np.sqrt(2 / 99))
    first = place[(client == 0) & (place < 10 * DAY - 4)]
    followed = np.unique(np.concatenate([first + more for more in range(4)]))  # who asks does so four times
    others = client != 0
    both = fit_arrivals(
        recording,
        np.concatenate([np.zeros(len(followed), np.int64), client[others]]),
        np.concatenate([followed, place[others]]),
        ones,
        None,
    )
    assert both.clustered.tolist() == [True, False, False, False]
    assert both.dispersion[0] == pytest.approx(4.0, abs=4.5 * 4 * np.sqrt(2 / 99))
    share = len(followed) / (10 * DAY)
    assert both.probability.error[0] > 1.6 * np.sqrt(share * (1 - share) / (10 * DAY))  # about the root of 4


def test_hours_of_the_day_are_found() -> None:
    recording = minutes(8)
    client, place = asked(RATES * by_hour(recording)[:, np.newaxis], 2)
    profile, _ = day_profile(recording, place)
    assert profile is not None and profile.significant
    truth = PROFILE / PROFILE.mean()
    assert np.mean((profile.factor.low <= truth) & (truth <= profile.factor.high)) > 0.8
    assert_allclose(profile.factor.value, truth, rtol=0.2)
    found = fit_arrivals(recording, client, place, np.ones(4, np.int64), profile)
    assert_allclose(found.probability.value, RATES, rtol=0.15)  # the mean over a day
    assert not found.clustered.any() and fit_arrivals(recording, client, place, np.ones(4, np.int64), None).clustered.any()


def test_hours_that_are_alike_are_not_told_apart() -> None:
    """Also where days are busy and quiet, or where half of the hours have no mids."""
    recording = minutes(8)
    rng = np.random.default_rng(3)
    busy = np.repeat(rng.uniform(0.3, 1.7, 8), DAY)
    flat, on_busy_days = (asked(RATES * each[:, np.newaxis], 4)[1] for each in (np.ones(8 * DAY), busy))
    for place in (flat, on_busy_days):
        profile, _ = day_profile(recording, place)
        assert profile is not None and not profile.significant
    half = np.flatnonzero(recording.at % DAY < DAY / 2)
    office = Recording(np.ones(len(half)), None, half.astype(float), np.arange(9) * DAY // 2, (), "", 60.0)
    place = asked(RATES * by_hour(office)[:, np.newaxis], 5)[1]
    profile, _ = day_profile(office, place)
    assert profile is not None and profile.significant
    assert_array_equal(profile.steps[12:], 0)
    assert_allclose(profile.factor.value[12:], 1.0, rtol=1e-9)
    for few in (minutes(FEWEST_DAYS - 1), minutes(8, None), minutes(8, 7200.0)):
        profile, why = day_profile(few, np.arange(100))
        assert profile is None and why


def log_of_a_desk(days: int, probability: Array, seed: int, **columns: Array) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Requests and mids of whole days, from the probability of each client at each minute, (steps, clients)."""
    rng, steps = np.random.default_rng(seed), days * DAY
    client, place = asked(probability, seed)
    mid = 1.1 * np.exp(np.cumsum(1e-5 * rng.standard_normal(steps)))
    half = 2e-5 * np.exp(0.2 * rng.standard_normal(steps))
    side, size = rng.choice([-1, 1], len(place)), np.exp(rng.normal(1.0, 0.7, len(place)))
    spread = mid[place] * half[place] * (1.0 + 0.01 * size)
    best, reserve = (mid * half)[place] * rng.normal(1.1, 0.3, (2, len(place))) + [[0], [1e-5]]
    outcome = np.where(np.minimum(spread, best) > reserve, "not_traded", np.where(spread <= best, "won", "traded_away"))
    start = np.datetime64("2024-01-01", "s")
    rfqs = pd.DataFrame({"time": start + 60 * place + 1, "client": np.char.add("c", client.astype(str))})
    rfqs = rfqs.assign(side=np.where(side > 0, "buy", "sell"), size=size, quote=mid[place] + side * spread, mid=mid[place])
    mids = pd.DataFrame({"time": start + 60 * np.arange(steps), "bid": mid * (1 - half), "ask": mid * (1 + half)})
    return rfqs.assign(outcome=outcome), mids


def test_a_calibrated_market_has_the_hours_of_its_log() -> None:
    """One client asks at all hours alike, so often that the market's busiest hour is too much for it."""
    profile = by_hour(minutes(6))
    found = calibrate(*log_of_a_desk(6, np.column_stack([np.outer(profile, RATES[1:]), np.full(len(profile), 0.9)]), 6))
    weights = np.array(found.scenario.market.activity)
    assert weights.shape == (24,) and found.profile is not None and found.scenario.steps == DAY
    assert np.corrcoef(weights, PROFILE)[0, 1] > 0.98 and "differ" in found.scenario.choices["market.activity"]
    steady = found.scenario.agents[3]
    assert steady.trade_probability < 0.9 and any(steady.name in text and "busiest" in text for text in found.unknown)
    assert Scenario.from_toml(found.scenario.to_toml()) == found.scenario


def test_a_log_whose_hours_are_alike_has_none_and_repeats_are_said() -> None:
    rfqs, mids = log_of_a_desk(6, np.tile(RATES, (6 * DAY, 1)), 7)
    again = rfqs.iloc[:500].assign(size=1.0)
    found = calibrate(pd.concat([rfqs, again], ignore_index=True), mids)
    assert found.scenario.market.activity == () and "do not differ" in found.scenario.choices["market.activity"]
    assert any("asked before" in note for note in found.notes)
    assert not any("clusters" in note for note in found.notes)


# --- sizes


def test_rounded_sizes_are_no_ladder() -> None:
    rng, member = np.random.default_rng(8), np.repeat([0, 1], 3000)
    exact = np.exp(rng.normal([1.0, 1.4], 0.45, (6000, 2))[np.arange(6000), member])
    for grid in (1.0, 0.5):
        rounded = grid * np.maximum(np.round(exact / grid), 1)
        laws, why = size_laws(member, 2, rounded)
        assert "BIC" in why
        for law, truth in zip(laws, (1.0, 1.4), strict=True):
            assert isinstance(law, LogNormalSize) and law.log_std is not None and law.log_mean is not None
            assert_allclose([law.log_mean, law.log_std], [truth, 0.45], atol=0.04)  # what rounding adds is not in it
    for sizes in ([1.0, 2.0, 5.0, 10.0], [1e6, 2e6, 3e6, 5e6, 1e7], [5.0], list(range(1, 11))):
        laws, _ = size_laws(member, 2, rng.choice(np.array(sizes, dtype=float), 6000))
        assert all(isinstance(law, LadderSize) and list(law.sizes) == sizes for law in laws)


# --- groups


def test_clients_who_differ_in_one_thing_are_told_apart_by_it() -> None:
    rng, client = np.random.default_rng(9), np.arange(300 * 150) % 300
    informed = np.arange(300) % 3 == 0
    agrees = np.where(rng.random(len(client)) < np.where(informed[client], 0.75, 0.5), 1.0, -1.0)
    traits = [
        Trait(np.log(np.full(300, 150.0)), np.full(300, 150**-0.5), "rare", "frequent"),
        mean_trait(rng.standard_normal(len(client)), client, 300, "small", "large"),
        mean_trait(agrees, client, 300, "uninformed", "informed"),
    ]
    group, names = groups_of(traits, np.full(300, 150))
    assert [name.partition("-")[2].partition("-")[2] for name in names] == ["uninformed", "informed"]
    assert np.mean((group == 1) == informed) > 0.97
    same, one = groups_of(traits[:2], np.full(300, 150))
    assert one == ["group-1-usual"] and not same.any()


def test_a_log_of_many_clients_becomes_groups_of_those_who_behave_alike() -> None:
    """120 clients, two thirds of whom know where the mid goes; half of each kind are in a worse tier. All ask alike."""
    days, clients = 6, 120
    rfqs, mids = log_of_a_desk(days, np.full((days * DAY, clients), 0.03), 10)
    number = rfqs["client"].str[1:].astype(int).to_numpy()
    mid = 0.5 * (mids["bid"] + mids["ask"]).to_numpy()
    place = ((rfqs["time"] - mids["time"][0]).dt.total_seconds() // 60).astype(int).to_numpy()
    move = mid[np.minimum(place + 2, len(mid) - 1)] - mid[place]
    knows, dear = number % 3 > 0, number % 2 == 1
    side = np.where(knows & (np.random.default_rng(11).random(len(number)) < 0.5) & (move != 0), np.sign(move), 0)
    before = np.where(rfqs["side"] == "buy", 1, -1)
    side = np.where(side == 0, before, side)
    spread = (rfqs["quote"] - rfqs["mid"]) * before + 2e-5 * dear * rfqs["mid"]
    rfqs = rfqs.assign(side=np.where(side > 0, "buy", "sell"), quote=rfqs["mid"] + side * spread)
    found = calibrate(rfqs, mids, reward_horizon=2)
    members = found.members
    assert sum(members.counts) == clients and len(members) < 10
    names = np.array(members.names)[members.of_request]
    assert np.mean(np.char.find(names, "-informed") >= 0) == pytest.approx(np.mean(knows), abs=0.03)
    assert np.mean((np.char.find(names, "-informed") >= 0) == knows) > 0.97
    desk = found.scenario.makers[0].tiering
    assert isinstance(desk, FixedTiers) and desk.tiers == 2
    assert len(desk.table) == pytest.approx(clients / 2, abs=3)
    assert sum(agent.oracle_probability > 0.3 for agent in found.scenario.agents) == pytest.approx(80, abs=3)


# --- tiers


def quoted(clients: int, tiers: int, noise: float, seed: int) -> tuple[Array, ...]:
    """Quotes in half spreads, log curve, what a surcharge raises them by, whose they are, and the tiers of the clients."""
    rng, count = np.random.default_rng(seed), 100 * clients
    client, tier = np.arange(count) % clients, np.arange(clients) % tiers
    curve, half = rng.exponential(0.15, count), rng.lognormal(0.0, 0.2, count)
    quote = 1.05 * np.exp(1.4 * curve) * rng.normal(1.0, noise, count) + 0.25 * tier[client] / half
    return quote, curve, 1.0 / half, client, tier


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize(("clients", "tiers"), [(12, 1), (12, 3), (200, 1), (200, 5)])
def test_tiers_are_found_from_quotes(clients: int, tiers: int, noise: float) -> None:
    quote, curve, rise, client, tier = quoted(clients, tiers, noise, 12)
    found = find_tiers(quote, curve, rise, client)
    assert_array_equal(found.tier, tier)
    assert found.levels.value == tiers and found.levels.low <= tiers <= found.levels.high <= tiers + 1


def test_levels_that_are_not_evenly_apart_leave_tiers_out() -> None:
    quote, curve, rise, client, tier = quoted(60, 3, 0.02, 13)
    higher = quote + 0.5 * (tier[client] == 2) * rise  # 0, 1 and 4 steps
    assert_array_equal(find_tiers(higher, curve, rise, client).tier, np.array([0, 1, 4])[tier])


def test_clients_who_move_between_tiers_have_no_table() -> None:
    quote, curve, rise, client, tier = quoted(20, 4, 0.02, 14)
    half = 1e-5 / rise
    stays = fit_pricing(quote * half, half, curve, 1.0 + tier[client], client)  # a desk that counts its tiers from 1
    assert stays.tier_of is not None and stays.tiers == 4 and stays.levels is None
    assert_array_equal(stays.tier_of, tier)
    moving = np.random.default_rng(15).integers(0, 4, len(quote)).astype(float)
    assert fit_pricing(quote * half, half, curve, moving, client).tier_of is None


@pytest.fixture(scope="module")
def of_a_table() -> Calibration:
    rfqs, mids = log_of_a_desk(6, np.tile(RATES, (6 * DAY, 1)), 16)
    return calibrate(rfqs.assign(tier=rfqs["client"].map({"c0": 0, "c1": 0, "c2": 1, "c3": 2})), mids)


def test_the_tiers_of_a_log_become_a_table(of_a_table: Calibration) -> None:
    tiering = of_a_table.scenario.makers[0].tiering
    assert isinstance(tiering, FixedTiers) and dict(tiering.table) == {"c2": 1, "c3": 2}
    assert not any(text.startswith("makers.desk.tiering:") for text in of_a_table.unknown)
    rfqs, mids = log_of_a_desk(6, np.tile(RATES, (6 * DAY, 1)), 16)
    moving = calibrate(rfqs.assign(tier=np.arange(len(rfqs)) % 3), mids)
    assert isinstance(moving.scenario.makers[0].tiering, AverageYield)
    assert any(text.startswith("makers.desk.tiering:") for text in moving.unknown)


def test_alpha_is_said_to_hang_on_the_depth_of_the_exchange(of_a_table: Calibration) -> None:
    assert "times the depth" in of_a_table.scenario.choices["makers.desk.pricing.alpha"]
    rfqs, mids = log_of_a_desk(6, np.tile(RATES, (6 * DAY, 1)), 16)
    given = calibrate(rfqs, mids, v_max=500.0)
    assert "depth" not in given.scenario.choices["makers.desk.pricing.alpha"]
    deep = calibrate(rfqs, mids, v_max=1e4)  # alpha would be some 100 there, which no scenario has
    assert any(text.startswith("alpha: ") and "v_max" in text for text in deep.unknown)
