"""Scenarios: what is refused and how, presets, TOML there and back, settings."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conftest import assert_says, raises
from dealermarket import (
    AlmgrenChriss,
    AverageYield,
    Exchange,
    InvestorAgent,
    InvestorGroup,
    LiveMarket,
    MarketMakerAgent,
    NoHedge,
    ParameterError,
    Scenario,
    ScenarioError,
    SimulationRunner,
    Tape,
    preset_names,
)
from dealermarket.study import varied
from dealermarket.values import short

INVESTOR = InvestorAgent(name="ann", trade_probability=0.5, mean_size=2.0)
LONE = MarketMakerAgent(name="solo", tiering=AverageYield(tiers=1), hedging=NoHedge())


@pytest.mark.parametrize("name", preset_names())
def test_presets_survive_toml_and_describe_themselves(name: str) -> None:
    preset = Scenario.load(name)
    assert preset.name == name
    assert preset.description
    assert Scenario.from_toml(preset.to_toml()) == preset


def test_presets_are_the_ones_promised() -> None:
    markets = ("bonds", "calibration", "contagion", "dealers", "fx", "hedging", "hedging-paths", "hot-potato", "informed")
    assert preset_names() == (*markets, "internalization", "learning", "paper", "price-sensitivity", "thousand")
    paper, dealers, thousand = (Scenario.load(name) for name in ("paper", "dealers", "thousand"))
    assert [len(paper.agents), len(paper.makers), paper.makers[0].tiering.tiers] == [10, 2, 5]
    assert [len(dealers.agents), len(dealers.makers)] == [50, 5]
    assert [len(thousand.agents), len(thousand.makers)] == [1000, 10]
    assert any(agent.oracle_probability > 0 for agent in Scenario.load("informed").agents)
    assert paper.agents[0].trade_probability == 1 / 8
    assert paper.agents[9].trade_probability == pytest.approx(1 / 192)


# setting: field, value, words that tell what would do
BAD: dict[str, tuple[str, object, list[str]]] = {
    "exchange.lam=1": ("exchange.lam", 1, ["be >= 1.01"]),
    "exchange.v_max=0": ("exchange.v_max", 0, [">= 1e-15"]),
    "exchange.v_max=7e296": ("exchange.v_max", "7e+296", ["<= 1e+15"]),
    "exchange.lam=1.01": ("makers.0.pricing.alpha", None, ["1.5", "exchange.lam = 1.01", "e^600", "raise exchange.lam"]),
    "exchange.vmax=3": ("exchange.vmax", None, ["unknown", "'v_max'"]),
    "steps=0": ("steps", 0, [">= 2"]),
    "steps=1": ("steps", 1, [">= 2"]),
    "steps=9223372036854775807": ("steps", 2**63 - 1, ["<= 1e+09"]),
    "market.steps_per_day=1" + 400 * "0": ("market.steps_per_day", None, ["<= 1e+09"]),
    "steps=2.5": ("steps", 2.5, ["whole"]),
    "reward_horizon=500": ("reward_horizon", 500, ["below", "steps = 500"]),
    "reward_horizon=0": ("reward_horizon", 0, [">= 1"]),
    "investors.0.trade_probability=1.5": ("investors.0.trade_probability", 1.5, ["<= 1"]),
    "investors.0.trade_probability=[0.5, -0.1]": ("investors.0: trade_probability", -0.1, [">= 0"]),
    "investors.0.buy_probability=-0.1": ("investors.0.buy_probability", -0.1, [">= 0"]),
    "investors.0.oracle_probability=nan": ("investors.0.oracle_probability", "nan", ["finite"]),
    "investors.0.log_std=-0.5": ("investors.0.log_std", -0.5, [">= 0"]),
    "investors.0.log_std=1e200": ("investors.0.log_std", "1e+200", ["<= 10"]),
    "investors.0.mean_size=1e-320": ("investors.0.mean_size", "1e-320", [">= 1e-15"]),
    "investors.0={name='a', count=1000000000, trade_probability=0.1, mean_size=1.0}": (
        "investors.0.count",
        10**9,
        ["<= 100000", "minutes"],
    ),
    "investors=[{name='a', count=100000, trade_probability=0.1, mean_size=1}, {name='b', trade_probability=0.1, mean_size=1}]": (
        "investors",
        "100,001",
        ["100,000"],
    ),
    "market.reference_spread={kind='log_ar1', mean=1e-300}": ("market.reference_spread.mean", "1e-300", [">= 1e-20"]),
    "investors.0={name='a', trade_probability=0.1, mean_size=1.0, log_mean=0.0}": (
        "investors.0: mean_size",
        None,
        ["mean_size or log_mean", "both"],
    ),
    "investors.0={name='a', trade_probability=0.1, mean_size=1.0, size={mean_size=1.0}}": (
        "investors.0: size",
        None,
        ["law of sizes", "mean_size or log_mean", "both"],
    ),
    "investors.0.mean_size=60.0": ("investors", None, ["10.5%", "'investor-0'", "0.99 v_max = 99", "raise exchange.v_max"]),
    "investors=[]": ("investors", None, ["empty"]),
    "makers.*.tiering.tiers=0": ("makers.0.tiering.tiers", 0, [">= 1"]),
    "makers.*.tiering.tiers=12": ("makers.1.tiering.tiers", None, ["12", "at most 11"]),
    "makers.0.tiering.kind=best": ("makers.0.tiering.kind", None, ["'best'", "average_yield"]),
    "makers.0.tiering.pins.nobody=0": ("makers.0.tiering.pins.nobody", None, ["participant", "investor-0"]),
    "makers.0.tiering.pins.maker-1=0": ("makers.0.tiering.pins.maker-1", None, ["itself", "'maker-2'"]),
    "makers.0.tiering.pins.maker-2=5": ("makers.0.tiering.pins.maker-2", 5, ["0..4"]),
    "makers.0.pricing.alpha=steep": ("makers.0.pricing.alpha", "'steep'", ["number"]),
    "makers.0.pricing.eps_buy=-1.5": ("makers.0.pricing.eps_buy", -1.5, [">= -1"]),
    "makers.0.hedging.horizon=0": ("makers.0.hedging.horizon", 0, [">= 1"]),
    "makers.0.hedging.risk_aversion=-1": ("makers.0.hedging.risk_aversion", -1, [">= 0"]),
    "makers.0.hedging.risk_aversion=nan": ("makers.0.hedging.risk_aversion", "nan", ["finite"]),
    "makers.0.hedging.risk_aversion=inf": ("makers.0.hedging.risk_aversion", "inf", ["kind = 'full'"]),
    "makers.0.hedging.venue=moon": ("makers.0.hedging.venue", "'moon'", ["'makers'", "'exchange'", "'best'"]),
    "makers.0.hedging=none": ("makers.0.hedging", "'none'", ["table"]),
    "makers.1.name=maker-1": ("investors, makers", None, ["'maker-1'", "unique"]),
    "makers.1.name=exchange": ("investors, makers", None, ["'exchange'", "reserved"]),
    "market.mid_price.volatility=inf": ("market.mid_price.volatility", "inf", ["finite"]),
    "market.reference_spread.minimum=0.01": ("market.reference_spread: minimum", 0.01, ["<= maximum = 0.0005"]),
}


@pytest.mark.parametrize("setting", BAD)
def test_bad_fields_are_named_with_value_and_way_out(setting: str) -> None:
    field, value, names = BAD[setting]
    with raises(ScenarioError, f"paper: {field}", value, names=names) as caught:
        Scenario.load("paper", [setting])
    assert all(line.startswith("paper: ") for line in str(caught.value).splitlines())


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("exchange.lam=1", "below"),
        ("exchange.lam=101", "above"),
        ("exchange.lam='abc'", ""),
        ("investors.0.count=0", ""),
        ("investors.0.count=1000000000", "let one stand for several"),
        ("steps=1", "a step later"),
        ("steps=1.5", ""),
        ("makers.0.hedging.risk_aversion=inf", "kind = 'full'"),
        ("makers.0.hedging.risk_aversion=-1", ""),
    ],
)
def test_a_reason_is_said_with_the_bound_that_it_explains(setting: str, reason: str) -> None:
    with raises(ScenarioError, f"paper: {setting.partition('=')[0]}") as caught:
        Scenario.load("paper", [setting])
    (line,) = str(caught.value).splitlines()
    assert reason in line if reason else "(" not in line


def test_all_problems_are_reported_at_once() -> None:
    with raises(ScenarioError, "paper: exchange.lam", 0.5) as caught:
        Scenario.load("paper", ["exchange.lam=0.5", "step=3", "makers.1.hedging.horizon=x", "investors.0.log_std=-1"])
    said = str(caught.value)
    assert len(said.splitlines()) == 4
    assert_says(said, "paper: step", names=["unknown", "'steps'"])
    assert_says(said, "paper: makers.1.hedging.horizon", "'x'")
    assert_says(said, "paper: investors.0.log_std", -1)


def test_a_maker_alone_cannot_hedge_with_makers() -> None:
    with raises(ParameterError, "makers.0.hedging.venue", names=["'makers'", "venue = 'exchange'"]):
        Scenario(investors=(INVESTOR,), makers=(LONE.replace(hedging=AlmgrenChriss()),))
    Scenario(investors=(INVESTOR,), makers=(LONE,))
    Scenario(investors=(INVESTOR,), makers=(LONE.replace(hedging=AlmgrenChriss(venue="exchange")),))
    Scenario(investors=(INVESTOR,), makers=(LONE.replace(hedging=AlmgrenChriss(venue="best")),))


def test_one_percent_of_sizes_may_be_capped_and_no_more() -> None:
    exchange = Exchange(v_max=100.0)
    edge = 99.0 / 2.718281828459045 ** (0.5 * 2.3263478740408408)  # log-mean whose 99 % quantile is 99, at log_std 0.5
    for factor, fine in ((0.999, True), (1.001, False)):
        agent = INVESTOR.replace(mean_size=edge * factor * 2.718281828459045**0.125)
        if fine:
            Scenario(investors=(agent,), makers=(LONE,), exchange=exchange)
        else:
            with raises(ParameterError, "investors", names=["1.0%", "'ann'", "v_max = 99"]):
                Scenario(investors=(agent,), makers=(LONE,), exchange=exchange)


@pytest.mark.parametrize(
    ("text", "field", "names"),
    [
        ("steps = ", None, ["TOML"]),
        ('name = "a', None, ["TOML"]),
        ("", "investors", ["required"]),
        (f"steps = {5000 * '1'}", None, ["digits"]),
        (f"steps = {20_000 * '['}", None, ["within each other"]),
        (f"steps = {20_000 * '{a='}", None, ["within each other"]),
    ],
    ids=lambda value: str(value)[:12],
)
def test_unreadable_toml(tmp_path: Path, text: str, field: str | None, names: list[str]) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(text)
    with raises(ScenarioError, file if field is None else f"{file}: {field}", names=names):
        Scenario.load(file)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with raises(ScenarioError, "papr", names=["preset", "'paper'"]):
        Scenario.load("papr")
    with raises(ScenarioError, tmp_path, names=["folder"]):
        Scenario.load(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with raises(ScenarioError, binary, names=["UTF-8"]):
        Scenario.load(binary)


@pytest.mark.parametrize("source", [5, None, 2.5, []], ids=str)
def test_what_names_no_scenario_is_refused(source: Any) -> None:
    with raises(ScenarioError, "scenario", source, names=["TOML"]):
        Scenario.load(source)
    for take in (SimulationRunner, Tape.draw, LiveMarket, partial(varied, path="steps", values=[20])):
        with raises(ParameterError, "scenario", source, names=["Scenario.load"]):
            take(source)


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    file = tmp_path / "marked.toml"
    file.write_text(Scenario.load("paper").to_toml(), encoding="utf-8-sig")
    assert Scenario.load(file) == Scenario.load("paper")


def test_a_list_of_names_that_is_cut_says_how_many_more_there_are() -> None:
    with raises(ScenarioError, "makers.0.tiering.pins.nobody", names=["investor-16", "42 more"]):
        Scenario.load("dealers", ["makers.0.tiering.pins.nobody=0"])
    near = Scenario.load("dealers").participants[-1]
    with raises(ScenarioError, f"makers.0.tiering.pins.{near}x", names=[f"{near!r}?"]):
        Scenario.load("dealers", [f"makers.0.tiering.pins.{near}x=0"])


def test_settings_by_number_name_and_star() -> None:
    changed = Scenario.load("paper", ["makers.0.pricing.alpha=1.2", "makers.maker-2.pricing.alpha=1.3", "steps=60"])
    assert [maker.pricing.alpha for maker in changed.makers] == [1.2, 1.3]
    assert changed.steps == 60
    both = changed.with_settings("makers.*.hedging.kind=none", "makers.0.tiering.pins.investor-3=2")
    assert [maker.hedging for maker in both.makers] == [NoHedge(), NoHedge()]
    assert both.makers[0].tiering.pins == {"investor-3": 2}
    apart = Scenario.load("paper", ["makers.*.pricing={alpha=1.3}", "makers.0.pricing.alpha=1.6"])
    assert [maker.pricing.alpha for maker in apart.makers] == [1.6, 1.3]
    hedging = Scenario.load("paper", ["makers.0.hedging.kind=full"]).makers[0].hedging
    assert hedging.kind == "full"  # the fields of the former kind are gone with it


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ("steps", ["path.to.field=value"]),
        ("makers.7.name=x", ["'7'", "0..1"]),
        ("steps.more=1", ["'more'", "500"]),
        ("makers.name.x=1", ["'name'", "0..1"]),
        ("makers.².x=1", ["'²'", "0..1"]),
        (f"steps={5000 * '1'}", ["digits"]),
        (f"steps={20_000 * '['}", ["within each other"]),
    ],
    ids=lambda value: str(value)[:12],
)
def test_settings_that_lead_nowhere(setting: str, names: list[str]) -> None:
    with raises(ScenarioError, f"setting {short(setting)}", names=names):
        Scenario.load("paper", [setting])


def test_groups_expand_linearly() -> None:
    group = InvestorGroup(name="g", count=3, trade_probability=(0.1, 0.3), log_mean=1.0, oracle_probability=(0.0, 1.0))
    members = group.members()
    assert [agent.name for agent in members] == ["g-0", "g-1", "g-2"]
    assert [agent.trade_probability for agent in members] == [0.1, pytest.approx(0.2), 0.3]
    assert [agent.oracle_probability for agent in members] == [0.0, 0.5, 1.0]
    alone = InvestorGroup(name="g", count=1, trade_probability=(0.1, 0.3), log_mean=1.0)
    assert alone.members()[0].trade_probability == 0.1
