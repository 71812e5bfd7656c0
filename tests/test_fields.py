"""What questions vary: fields and values as a user writes them, and the points that come of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conftest import raises
from dealermarket import ParameterError, Scenario
from dealermarket.policies import MakerPolicy, NormalMaker, Observation
from dealermarket.questions import Range, Varied, short_names, varied_from
from dealermarket.questions.points import by_tapes, grid, sampled

ALPHA, PENALTY = "makers.0.pricing.alpha", "makers.0.pricing.tier_penalty"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b=1,2.5,x", Varied("a.b", (1, 2.5, "x"))),
        ("a.b = [1, 2], [3, 4]", Varied("a.b", ([1, 2], [3, 4]))),
        (
            'a.b={kind="none"},{kind="optimal",risk_aversion=0.25}',
            Varied("a.b", ({"kind": "none"}, {"kind": "optimal", "risk_aversion": 0.25})),
        ),
        ("a.b=true", Varied("a.b", (True,))),
        ("a.b=0:1", Range("a.b", 0.0, 1.0)),
        ("a.b=0.1:10:log", Range("a.b", 0.1, 10.0, log=True)),
        ("a.b=-1:1:3", Varied("a.b", (-1.0, 0.0, 1.0))),
        ("a.b=0.01:100:3:log", Varied("a.b", (0.01, 1.0, 100.0))),
        (
            "makers.x.policy=heuristic,'normal:mean=0.1,std=0.2'",
            Varied("makers.x.policy", ("heuristic", "normal:mean=0.1,std=0.2")),
        ),
        ("makers.x.policy=skew:strength=0.3", Varied("makers.x.policy", ("skew:strength=0.3",))),
    ],
)
def test_values_and_ranges_are_read_as_settings_are(text: str, expected: Varied | Range) -> None:
    assert varied_from(text) == expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a.b", ["PATH"]),
        ("=1", ["PATH"]),
        ("a.b=", ["PATH"]),
        ("a.b=2:1", ["2:1"]),
        ("a.b=1:1:5", ["1:1"]),
        ("a.b=0:1:1", ["1"]),
        ("a.b=0:1:many", ["COUNT"]),
        ("a.b=0:1:log", ["logarithm", "0"]),
        ("a.b=1,2,1", ["1", "twice"]),
        ("a.b=1:nan", ["low:high"]),
    ],
)
def test_what_is_neither_is_refused(text: str, names: list[str]) -> None:
    with pytest.raises(ParameterError) as caught:
        varied_from(text)
    assert all(name in str(caught.value) for name in names)


def test_fields_are_called_by_what_tells_them_apart() -> None:
    assert short_names([ALPHA, "market.mid_price.volatility"]) == ["alpha", "volatility"]
    assert short_names(["makers.a.pricing.alpha", "makers.b.pricing.alpha"]) == ["a.alpha", "b.alpha"]
    assert short_names(["makers.a.hedging.kind", "makers.a.tiering.kind"]) == ["hedging.kind", "tiering.kind"]
    assert short_names(["makers.a.pricing.eps_buy+makers.a.pricing.eps_sell"]) == ["eps_buy+eps_sell"]


class Mine(MakerPolicy):
    """A policy that no file can name."""

    def act(self, _: Observation) -> Any:
        return None


def test_a_grid_has_every_combination_the_last_field_first() -> None:
    scenario, mine = Scenario.load("paper"), Mine()
    fields = [
        varied_from("makers.*.hedging.kind=none,full"),
        varied_from("makers.maker-2.pricing.eps_buy+makers.maker-2.pricing.eps_sell=-0.1,0.1"),
        Varied("makers.maker-1.policy", (mine, "normal:mean=0.1,std=0.2")),
    ]
    points = grid(scenario, fields)
    assert [point.label for point in points[:3]] == [
        "hedging.kind=none, eps_buy+eps_sell=-0.1, policy=Mine",
        "hedging.kind=none, eps_buy+eps_sell=-0.1, policy=normal:mean=0.1,std=0.2",
        "hedging.kind=none, eps_buy+eps_sell=0.1, policy=Mine",
    ]
    assert len(points) == 8
    last = points[-1].scenario
    assert [maker.hedging.kind for maker in last.makers] == ["full", "full"]
    assert (last.makers[1].pricing.eps_buy, last.makers[1].pricing.eps_sell) == (0.1, 0.1)  # type: ignore[attr-defined]
    assert last.makers[0].policy == NormalMaker(mean=0.1, std=0.2) and points[0].scenario.makers[0].policy == mine


def test_settings_of_a_point_make_its_scenario() -> None:
    scenario = Scenario.load("paper")
    for point in grid(scenario, [varied_from(f"{ALPHA}=1.2:1.8:4"), varied_from('makers.1.hedging={kind="full"},{kind="none"}')]):
        assert scenario.with_settings(*point.as_options) == point.scenario
    (point,) = grid(scenario, [varied_from("makers.0.policy=random"), varied_from('makers.1.hedging={kind="none"}')])
    assert point.as_arguments == '--policy 0=random --set \'makers.1.hedging={"kind" = "none"}\''


def test_all_points_that_cannot_be_are_said_at_once() -> None:
    scenario = Scenario.load("paper")
    with pytest.raises(ParameterError) as caught:
        grid(scenario, [varied_from(f"{ALPHA}=1.2,-1,0"), varied_from("reward_horizon=4,900")])
    said = str(caught.value)
    assert "5 points" in said and "got 900" in said
    assert [line.partition(":")[0] for line in said.splitlines()[1:]] == [
        "alpha=1.2, reward_horizon=900",
        *(f"alpha={alpha}, reward_horizon={horizon}" for alpha in (-1, 0) for horizon in (4, 900)),
    ]
    with raises(ParameterError, "grid", names=["100,000"]):
        grid(scenario, [Range(ALPHA, 1.0, 2.0).spaced(400), Range(PENALTY, 0.0, 1.0).spaced(400)])
    for same in (ALPHA, "makers.maker-1.pricing.alpha", "makers.*.pricing.alpha", f"{PENALTY}+{ALPHA}"):
        with raises(ParameterError, same, names=[ALPHA]):
            grid(scenario, [varied_from(f"{ALPHA}=1.2"), varied_from(f"{same}=1.3")])
    with raises(ParameterError, f"makers.0.policy+{ALPHA}"):
        varied_from(f"makers.0.policy+{ALPHA}=heuristic")
    with raises(ParameterError, ALPHA):
        Range(ALPHA, "1", 2.0)  # type: ignore[arg-type]


def test_sampled_points_fill_ranges_evenly_and_keep_whole_numbers_whole() -> None:
    scenario = Scenario.load("paper")
    fields = [Range(ALPHA, 1.0, 10.0, log=True), Range("makers.0.tiering.tiers", 1, 5)]
    points = sampled(scenario, fields, 64, seed=3)
    alphas = np.array([point.settings[0].value for point in points])
    tiers = [point.settings[1].value for point in points]
    assert np.bincount(np.floor(4 * np.log(alphas) / np.log(10)).astype(int), minlength=4).tolist() == [16] * 4
    assert all(isinstance(each, int) for each in tiers) and set(tiers) == {1, 2, 3, 4, 5}
    assert sampled(scenario, fields, 64, seed=3) == points != sampled(scenario, fields, 64, seed=4)


def test_points_share_tapes_unless_prices_or_orders_change() -> None:
    scenario = Scenario.load("paper")
    fields = [varied_from("market.mid_price.volatility=0.1,0.2"), varied_from(f"{ALPHA}=1.2,1.3")]
    assert by_tapes([point.scenario for point in grid(scenario, fields)]) == [[0, 1], [2, 3]]
