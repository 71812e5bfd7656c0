"""Values keep their word: frozen all through, equal by content, hashable, made by name, and short to read."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import pydoc
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dealermarket
from dealermarket import (
    AlmgrenChriss,
    AverageYield,
    Exchange,
    FixedTiers,
    InvestorGroup,
    MarketMakerAgent,
    NoHedge,
    ParameterError,
    PowerPricing,
    RevenueRate,
    Scenario,
    preset_names,
)
from dealermarket.frozen import FrozenMapping
from dealermarket.learning.training import Training
from dealermarket.model.makers.reward import Reward
from dealermarket.policies.controls import Controls
from dealermarket.values import Value

TABLE = {"client-1": 2, "client-0": 1}
WEIGHTS = {"spread_revenue": 1.0, "hedging_cost": 0.5}
ROOT = Path(__file__).parent.parent


def market() -> Scenario:
    """A new scenario that holds a table wherever one can stand."""
    return Scenario(
        steps=20,
        investors=[InvestorGroup(name="client", count=3, trade_probability=[0.1, 0.3], mean_size=2.0)],
        makers=[
            MarketMakerAgent(name="a", tiering=AverageYield(tiers=3, pins=dict(TABLE))),
            MarketMakerAgent(name="b", tiering=FixedTiers(tiers=3, table=dict(TABLE), pins={"a": 1}), hedging=NoHedge()),
        ],
        choices={"steps": "few"},
    )


def training() -> Training:
    return Training(scenario=market(), makers=["a"], reward=Reward(weights=dict(WEIGHTS)), controls=Controls(alpha=[1.0, 2.0]))


def parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Everything that a value holds, at any depth."""
    yield path, value
    if isinstance(value, Value):
        for name in type(value).model_fields:
            yield from parts(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, tuple):
        for n, part in enumerate(value):
            yield from parts(part, f"{path}.{n}")
    elif isinstance(value, FrozenMapping):
        for name, part in value.items():
            yield from parts(part, f"{path}.{name}")


def public_values() -> list[type[Value]]:
    shown = [getattr(dealermarket, name) for name in dealermarket.__all__]
    return [kind for kind in (*shown, Controls, Reward, Training) if isinstance(kind, type) and issubclass(kind, Value)]


# --- frozen


@pytest.mark.parametrize(
    "value", [*map(Scenario.load, preset_names()), market(), training()], ids=lambda value: type(value).__name__
)
def test_nothing_that_a_value_holds_can_be_changed(value: Value) -> None:
    seen = set()
    for path, part in parts(value, "value"):
        seen.add(type(part))
        assert isinstance(part, (Value, FrozenMapping, tuple, str, int, float, type(None))), f"{path} is a {type(part)}"
    assert seen & {FrozenMapping, tuple}
    hash(value)


def test_a_table_of_a_scenario_cannot_be_changed() -> None:
    scenario = market()
    tables: list[Any] = [scenario.makers[0].tiering.pins, scenario.makers[1].tiering.table, scenario.choices, scenario.policies]
    for table in tables:
        before = dict(table)
        with pytest.raises(TypeError):
            table["x"] = 99
        for change in ("pop", "update", "clear", "setdefault"):
            assert not hasattr(table, change)
        with pytest.raises(AttributeError):
            table._items = {}
        assert table == before


@pytest.mark.parametrize("field", ["steps", "agents", "policies", "participants", "unknown"])
def test_neither_a_field_nor_what_follows_from_it_can_be_set(field: str) -> None:
    scenario = market()
    before = getattr(scenario, field, None)
    with pytest.raises(ParameterError, match=rf"^Scenario\.{field}: "):
        setattr(scenario, field, before)
    with pytest.raises(ParameterError, match=rf"^Scenario\.{field}: "):
        delattr(scenario, field)
    assert getattr(scenario, field, None) == before


def test_a_value_keeps_what_it_was_given_whatever_becomes_of_that() -> None:
    given, makers = {"bob": 1}, [MarketMakerAgent(name="a", tiering=AverageYield(tiers=2), hedging=NoHedge())]
    policy, scenario = FixedTiers(table=given), market().replace(makers=makers)
    given["bob"] = 4
    makers.clear()
    assert policy.table == {"bob": 1}
    assert scenario.maker_names == ("a",)


# --- tables


def test_a_table_behaves_as_a_dict_that_nobody_changes() -> None:
    table = FrozenMapping({"b": 1, "a": 2})
    assert table == {"a": 2, "b": 1}
    assert {"a": 2, "b": 1} == table  # noqa: SIM300, the other side is asked, too
    assert table != {"a": 2}
    assert table != [("b", 1), ("a", 2)]
    assert list(table) == ["b", "a"]
    assert hash(table) == hash(FrozenMapping({"a": 2, "b": 1}))
    assert repr(table) == "{'b': 1, 'a': 2}"
    assert table | {"c": 3} == {"b": 1, "a": 2, "c": 3}
    assert {"a": 0, "c": 3} | table == {"a": 2, "b": 1, "c": 3}
    assert isinstance(table | {}, FrozenMapping)
    with pytest.raises(TypeError):
        table | [("c", 3)]  # type: ignore[operator]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
@pytest.mark.parametrize("value", [FrozenMapping(TABLE), market(), training()], ids=["table", "scenario", "training"])
def test_copies_are_equal_and_frozen_too(value: Any, copied: Any) -> None:
    hash(value)
    again = copied(value)
    assert again == value
    assert hash(again) == hash(value)
    tables = [part for _, part in parts(again, "again") if isinstance(part, FrozenMapping)]
    assert tables
    assert all(isinstance(table, FrozenMapping) for table in tables)


def test_tables_are_written_as_plain_ones() -> None:
    scenario = market()
    for content in (scenario.model_dump(), tomllib.loads(scenario.to_toml()), json.loads(scenario.model_dump_json())):
        pins, table = content["makers"][0]["tiering"]["pins"], content["makers"][1]["tiering"]["table"]
        assert (type(pins), type(table), type(content["choices"])) == (dict, dict, dict)
        assert (pins, table, content["choices"]) == (TABLE, TABLE, {"steps": "few"})
    assert type(Reward(weights=WEIGHTS).model_dump()["weights"]) is dict
    assert Scenario.from_toml(scenario.to_toml()) == scenario
    assert Reward(**Reward(weights=WEIGHTS).model_dump()) == Reward(weights=WEIGHTS)


def test_a_table_may_be_given_as_any_dict_or_as_another_values_table() -> None:
    first = AverageYield(pins=TABLE)
    assert AverageYield(pins=first.pins) == first
    assert RevenueRate(pins=first.pins | {"other": 0}).pins == {**TABLE, "other": 0}
    with pytest.raises(ParameterError) as caught:
        FixedTiers(table={"a": -1, "b": 0.5}, pins=[1])  # type: ignore[arg-type, dict-item]
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["pins", "table.a", "table.b"]


# --- equality


def test_equal_fields_make_equal_values_whatever_was_left_out() -> None:
    assert Exchange() == Exchange(lam=1.6, v_max=10_000)
    assert hash(Exchange()) == hash(Exchange(lam=1.6, v_max=10_000))
    written_out = Scenario.from_toml(market().to_toml())
    assert written_out == market()
    assert hash(written_out) == hash(market())
    assert {written_out: "one"}[market()] == "one"
    assert hash(FixedTiers(table=TABLE)) == hash(FixedTiers(table=dict(reversed(TABLE.items()))))


def test_what_was_worked_out_of_a_value_does_not_count() -> None:
    asked, new = market(), market()
    assert asked.agents
    assert asked.policies == {}
    assert asked == new
    assert hash(asked) == hash(new)
    first, second = Controls(), Controls(eps_buy=(-1.0, 1.0))
    assert np.array_equal(first.ranges[0], second.ranges[0])
    assert first == second
    assert hash(first) == hash(second)
    assert first != Controls(eps_buy=(-0.5, 1.0))


def test_other_fields_or_another_kind_make_another_value() -> None:
    assert market() != market().replace(steps=21)
    assert market() != market().with_settings("makers.0.tiering.pins.client-0=0")
    assert AverageYield() != RevenueRate()
    assert PowerPricing() != {"alpha": 1.5}
    assert len({AverageYield(), RevenueRate(), AverageYield(weight=0.05)}) == 2


# --- made by name, and typed so


def test_signatures_say_what_is_taken() -> None:
    assert str(inspect.signature(Exchange)) == "(*, lam: float = 1.6, v_max: float = 10000.0) -> None"
    group = inspect.signature(InvestorGroup).parameters
    assert group["count"].default is inspect.Parameter.empty
    assert group["mean_size"].annotation == float | tuple[float, float] | None


@pytest.mark.parametrize("kind", public_values())
def test_all_fields_and_nothing_else_are_in_signature_and_docstring(kind: type[Value]) -> None:
    signature = inspect.signature(kind)
    assert list(signature.parameters) == list(kind.model_fields)
    assert {parameter.kind for parameter in signature.parameters.values()} <= {inspect.Parameter.KEYWORD_ONLY}
    assert kind.__doc__ is not None
    section = re.search(r"^Parameters\n-+\n(.*?)(?:\n\n|\Z)", kind.__doc__, re.MULTILINE | re.DOTALL)
    listed = re.findall(r"^(\w+) : ", section[1] if section else "", re.MULTILINE)
    assert listed == [name for name in kind.model_fields if name != "kind"]


def test_values_are_made_by_name_alone() -> None:
    with pytest.raises(TypeError):
        Exchange(1.7)  # type: ignore[misc]


def test_all_problems_are_told_at_once_with_their_paths() -> None:
    with pytest.raises(ParameterError) as caught:
        MarketMakerAgent(
            pricing={"kind": "power", "alpha": 0.0},
            tiering=AverageYield().model_dump() | {"pins": {"a": -1}},
            hedging=AlmgrenChriss(),
        )  # type: ignore[call-arg, arg-type]
    assert sorted(line.split(":")[0] for line in str(caught.value).splitlines()) == ["name", "pricing.alpha", "tiering.pins.a"]


@pytest.mark.slow
def test_a_type_checker_understands_constructors_and_frozen_fields() -> None:
    """Each line of the file that ends in `# error: CODE` is refused, and no other."""
    api = pytest.importorskip("mypy.api")
    file = Path(__file__).parent / "typing_of_values.py"
    wanted = {
        (number, found[1])
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (found := re.search(r"# error: ([\w-]+)$", line))
    }
    said, problems, _ = api.run(["--config-file", str(ROOT / "pyproject.toml"), "--no-pretty", "--no-error-summary", str(file)])
    assert problems == ""
    assert len(wanted) > 5
    assert {(int(n), code) for n, code in re.findall(r"^[^:]+:(\d+):.* error: .*\[([\w-]+)\]$", said, re.MULTILINE)} == wanted


# --- at a prompt


def test_values_show_what_makes_them() -> None:
    assert repr(Exchange(lam=1.7)) == str(Exchange(lam=1.7)) == "Exchange(lam=1.7, v_max=10000.0)"
    assert repr(FixedTiers(table={"a": 1})) == "FixedTiers(tiers=5, pins={}, table={'a': 1})"
    maker = market().makers[1]
    assert eval(repr(maker), vars(dealermarket) | {"HeuristicMaker": type(maker.policy)}) == maker
    assert repr(market()) == "<Scenario 'scenario': 20 steps, 3 investors, 2 makers>"


@pytest.mark.parametrize("kind", public_values())
def test_help_is_short_and_shows_fields_and_methods_alone(kind: type[Value]) -> None:
    text = pydoc.render_doc(kind, renderer=pydoc.plaintext)
    assert len(text.splitlines()) < 150
    assert not re.search(r"^ \|  (model_|__pydantic|copy|json|dict)", text, re.MULTILINE)
    public = {name for base in kind.__mro__[: kind.__mro__.index(Value)] for name in vars(base) if not name.startswith("_")}
    assert public <= {*dir(kind), *kind.model_fields, "model_config", "model_fields", "model_computed_fields"}
    assert not [name for name in dir(kind) if name.startswith("model_")]


def test_help_says_bounds_and_defaults() -> None:
    said = pydoc.render_doc(AlmgrenChriss, renderer=pydoc.plaintext)
    assert "risk_aversion : number in [0, 1e+12], default 0.25" in said
    assert "volatility : 'market' or number in [0, 100], default 'market'" in said
    assert "lam : number in [1.01, 100], default 1.6" in str(Exchange.__doc__)
    assert "makers : tuple of MarketMakerAgent" in str(Scenario.__doc__)


def test_the_fields_of_an_instance_are_listed() -> None:
    shown = dir(Exchange())
    assert {"lam", "v_max", "largest_trade", "replace"} <= set(shown)
    assert "model_dump" not in shown
    assert Exchange().model_dump() == {"lam": 1.6, "v_max": 10_000.0}
