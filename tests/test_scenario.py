"""Scenarios: what is refused and how, presets, TOML there and back, settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from dealermarket import (
    AlmgrenChriss,
    AverageYield,
    Exchange,
    InvestorAgent,
    InvestorGroup,
    MarketMakerAgent,
    NoHedge,
    ParameterError,
    Scenario,
    ScenarioError,
    preset_names,
)

INVESTOR = InvestorAgent(name="ann", trade_probability=0.5, mean_size=2.0)
LONE = MarketMakerAgent(name="solo", tiering=AverageYield(tiers=1), hedging=NoHedge())


@pytest.mark.parametrize("name", preset_names())
def test_presets_survive_toml_and_describe_themselves(name: str) -> None:
    preset = Scenario.load(name)
    assert preset.name == name
    assert preset.description
    assert Scenario.from_toml(preset.to_toml()) == preset


def test_presets_are_the_ones_promised() -> None:
    markets = ("dealers", "hedging", "hedging-paths", "informed", "internalization", "learning", "paper", "price-sensitivity")
    assert preset_names() == (*markets, "thousand")
    paper, dealers, thousand = (Scenario.load(name) for name in ("paper", "dealers", "thousand"))
    assert [len(paper.agents), len(paper.makers), paper.makers[0].tiering.tiers] == [10, 2, 5]
    assert [len(dealers.agents), len(dealers.makers)] == [50, 5]
    assert [len(thousand.agents), len(thousand.makers)] == [1000, 10]
    assert any(agent.oracle_probability > 0 for agent in Scenario.load("informed").agents)
    assert paper.agents[0].trade_probability == 1 / 8
    assert paper.agents[9].trade_probability == pytest.approx(1 / 192)


BAD = {
    "exchange.lam=1": ("exchange.lam", "> 1", "got 1"),
    "exchange.v_max=0": ("exchange.v_max", "> 0", "got 0"),
    "exchange.lam=1.001": ("makers.0.pricing.alpha", "e^600", "raise exchange.lam"),
    "exchange.vmax=3": ("exchange.vmax", "unknown field", "did you mean 'v_max'"),
    "steps=0": ("steps", ">= 1", "got 0"),
    "steps=2.5": ("steps", "whole number", "2.5"),
    "reward_horizon=500": ("reward_horizon", "below steps = 500", "500"),
    "reward_horizon=0": ("reward_horizon", ">= 1", "0"),
    "investors.0.trade_probability=1.5": ("investors.0.trade_probability", "<= 1", "1.5"),
    "investors.0.trade_probability=[0.5, -0.1]": ("investors.0", "trade_probability", "-0.1"),
    "investors.0.buy_probability=-0.1": ("investors.0.buy_probability", ">= 0", "-0.1"),
    "investors.0.oracle_probability=nan": ("investors.0.oracle_probability", "finite", "nan"),
    "investors.0.log_std=-0.5": ("investors.0.log_std", ">= 0", "-0.5"),
    "investors.0={name='a', trade_probability=0.1, mean_size=1.0, log_mean=0.0}": ("investors.0", "mean_size or log_mean", ""),
    "investors.0={name='a', trade_probability=0.1, mean_size=1.0, size={mean_size=1.0}}": ("investors.0", "law of sizes", ""),
    "investors.0.mean_size=60.0": ("investors", "0.99 v_max", "raise exchange.v_max"),
    "investors=[]": ("investors", "must not be empty", ""),
    "makers.*.tiering.tiers=0": ("makers.0.tiering.tiers", ">= 1", "0"),
    "makers.*.tiering.tiers=12": ("makers.1.tiering.tiers", "at most 11", "12"),
    "makers.0.tiering.kind=best": ("makers.0.tiering.kind", "'best'", "average_yield"),
    "makers.0.tiering.pins.nobody=0": ("makers.0.tiering.pins.nobody", "no participant", ""),
    "makers.0.tiering.pins.maker-1=0": ("makers.0.tiering.pins.maker-1", "the maker itself", ""),
    "makers.0.tiering.pins.maker-2=5": ("makers.0.tiering.pins.maker-2", "0..4", "5"),
    "makers.0.pricing.alpha=steep": ("makers.0.pricing.alpha", "number", "'steep'"),
    "makers.0.pricing.eps_buy=-1.5": ("makers.0.pricing.eps_buy", ">= -1", "-1.5"),
    "makers.0.hedging.horizon=0": ("makers.0.hedging.horizon", ">= 1", "0"),
    "makers.0.hedging.risk_aversion=-1": ("makers.0.hedging.risk_aversion", ">= 0", "-1"),
    "makers.0.hedging.risk_aversion=nan": ("makers.0.hedging.risk_aversion", "finite", "nan"),
    "makers.0.hedging.risk_aversion=inf": ("makers.0.hedging.risk_aversion", "kind = 'full'", "inf"),
    "makers.0.hedging.venue=moon": ("makers.0.hedging.venue", "'exchange'", "'moon'"),
    "makers.0.hedging=none": ("makers.0.hedging", "table", "'none'"),
    "makers.1.name=maker-1": ("makers", "unique", "'maker-1'"),
    "makers.1.name=exchange": ("makers", "reserved", "'exchange'"),
    "market.mid_price.volatility=inf": ("market.mid_price.volatility", "finite", "inf"),
    "market.reference_spread.minimum=0.01": ("market.reference_spread", "<= maximum", "0.01"),
}


@pytest.mark.parametrize("setting", BAD)
def test_bad_fields_are_named_with_value_and_way_out(setting: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        Scenario.load("paper", [setting])
    for word in BAD[setting]:
        assert word in str(caught.value)
    assert all(line.startswith("paper: ") for line in str(caught.value).splitlines())


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        Scenario.load("paper", ["exchange.lam=0.5", "step=3", "makers.1.hedging.horizon=x", "investors.0.log_std=-1"])
    said = str(caught.value)
    assert len(said.splitlines()) == 4
    for field in ("exchange.lam", "step: unknown field; did you mean 'steps'", "makers.1.hedging.horizon", "investors.0.log_std"):
        assert field in said


def test_a_maker_alone_cannot_hedge_with_makers() -> None:
    with pytest.raises(ParameterError, match="single maker leaves nobody to hedge with; set venue = 'exchange'"):
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
            with pytest.raises(ParameterError, match=r"1.0% of the sizes of 'ann'"):
                Scenario(investors=(agent,), makers=(LONE,), exchange=exchange)


@pytest.mark.parametrize(
    ("text", "said"),
    [("steps = ", "not a valid TOML file, perhaps cut short"), ('name = "a', "not a valid TOML"), ("", "investors: is required")],
)
def test_unreadable_toml(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        Scenario.load(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no preset and no file of this name; did you mean 'paper'"):
        Scenario.load("papr")
    with pytest.raises(ScenarioError, match="is a folder"):
        Scenario.load(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioError, match="not a text file in UTF-8"):
        Scenario.load(binary)


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
    ("setting", "said"),
    [
        ("steps", "must look like path.to.field=value"),
        ("makers.7.name=x", "no entry '7'; give 0..1"),
        ("steps.more=1", "which has no fields"),
        ("makers.name.x=1", "no entry 'name'"),
    ],
)
def test_settings_that_lead_nowhere(setting: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        Scenario.load("paper", [setting])
    assert said in str(caught.value)
    assert setting in str(caught.value)


def test_groups_expand_linearly() -> None:
    group = InvestorGroup(name="g", count=3, trade_probability=(0.1, 0.3), log_mean=1.0, oracle_probability=(0.0, 1.0))
    members = group.members()
    assert [agent.name for agent in members] == ["g-0", "g-1", "g-2"]
    assert [agent.trade_probability for agent in members] == [0.1, pytest.approx(0.2), 0.3]
    assert [agent.oracle_probability for agent in members] == [0.0, 0.5, 1.0]
    alone = InvestorGroup(name="g", count=1, trade_probability=(0.1, 0.3), log_mean=1.0)
    assert alone.members()[0].trade_probability == 0.1
