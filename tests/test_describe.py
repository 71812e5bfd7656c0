"""What is said of fields: each has a meaning, each number a unit and a slider, and docstrings and tables are made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

import dealermarket
from dealermarket import Exchange, InvestorGroup, MarketMakerAgent, PowerPricing, Scenario, preset_names
from dealermarket.describe import Bounds, FieldRow, Quantity, docstring, fields_of
from dealermarket.learning.training import Training
from dealermarket.model.makers.reward import Reward
from dealermarket.values import Value

FACES = ("control", "control.dealer", "data", "model", "papers", "policies", "questions", "study")


def described() -> list[type[Value]]:
    """The values that a scenario or a training can hold, and those that the faces show."""
    shown = [vars(module) for module in (dealermarket.public, *(import_module(f"dealermarket.{face}") for face in FACES))]
    found: dict[type[Any], None] = {}
    left = [Scenario, Training, *(thing for names in shown for thing in names.values() if isinstance(thing, type))]
    while left:
        model = left.pop()
        if model not in found and issubclass(model, Value):
            found[model] = None
            left += [held for row in fields_of(model) for held in row.models]
    return [model for model in found if model.__module__.startswith("dealermarket.")]


def rows() -> Iterator[tuple[str, FieldRow]]:
    for model in described():
        for row in fields_of(model):
            yield f"{model.__name__}.{row.name}", row


def numbers(value: Any) -> Iterator[float]:
    """The numbers that a field holds itself, and not in values of its own."""
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def held(value: Any) -> Iterator[tuple[str, FieldRow, Any]]:
    """Every field of a value, at any depth, with what it holds."""
    if isinstance(value, tuple):
        for part in value:
            yield from held(part)
    elif isinstance(value, Value):
        for row in fields_of(type(value)):
            yield f"{type(value).__name__}.{row.name}", row, getattr(value, row.name)
            yield from held(getattr(value, row.name))


def test_every_field_has_a_meaning() -> None:
    assert len(described()) > 40
    assert [name for name, row in rows() if not row.meaning.endswith(".")] == []


def test_every_number_has_a_slider_within_its_bounds() -> None:
    measured = 0
    for name, row in rows():
        if "number" not in row.words:
            assert row.quantity is None, name
            continue
        assert row.quantity is not None, name
        low, high = row.quantity.low, row.quantity.high
        assert low is not None, name
        assert high is not None, name
        assert low < high, name
        assert low in row.bounds, name
        assert high in row.bounds, name
        assert low > 0 or not row.quantity.log, name
        assert not row.whole or (isinstance(low, int) and isinstance(high, int)), name
        measured += 1
    assert measured > 80


@pytest.mark.parametrize("name", preset_names())
def test_the_numbers_of_presets_stand_on_their_sliders(name: str) -> None:
    for field, row, value in held(Scenario.load(name)):
        for number in numbers(value):
            low, high, log = row.quantity.low, row.quantity.high, row.quantity.log  # type: ignore[union-attr]
            assert low <= number <= high or (log and number == 0), f"{field} = {number:g}"  # type: ignore[operator]


class Widget(Value):
    """Says something.

    Notes
    -----
    It has a note.
    """

    kind: Literal["widget"] = "widget"
    wide: Annotated[
        Annotated[float, Field(gt=0, le=2), Quantity("bp", 0.5, 1.5)] | None, Field(description="How wide it is.")
    ] = None
    count: Annotated[int, Field(ge=1)]


def test_a_docstring_has_the_fields_as_parameters_before_other_sections() -> None:
    assert str(Widget.__doc__).splitlines() == [
        "Says something.",
        "",
        "Parameters",
        "----------",
        "wide : number in (0, 2] or None, default None",
        "    How wide it is. Unit: bp.",
        "count : whole number >= 1",
        "",
        "Raises",
        "------",
        "ParameterError",
        "    If a field is not as it must be; the message names every such field.",
        "",
        "Notes",
        "-----",
        "It has a note.",
    ]
    assert docstring(Reward).count("Raises\n------") == 1


def test_what_a_row_says_of_a_field() -> None:
    wide, count = fields_of(Widget)
    assert (wide.name, wide.required, wide.default, wide.optional) == ("wide", False, None, True)
    assert (wide.quantity, wide.unit, wide.bounds) == (Quantity("bp", 0.5, 1.5), "bp", Bounds(0, 2, low_open=True))
    assert (count.required, count.shown_default, count.whole, count.meaning) == (True, "", True, "")
    assert count.bounds == Bounds(1)
    pricing = {row.name: row for row in fields_of(MarketMakerAgent)}["pricing"]
    assert list(pricing.kinds) == ["power", "ladder"]
    assert pricing.shown_default == "PowerPricing(...)"
    assert PowerPricing in pricing.models
    assert {row.name: row for row in fields_of(Scenario)}["exchange"].models == (Exchange,)
    size = {row.name: row for row in fields_of(InvestorGroup)}["mean_size"]
    assert size.words == "number in [1e-15, 1e+15] or (number, number) or None"
    assert size.unit == "units of the asset"
    assert {row.name: row for row in fields_of(type(MarketMakerAgent(name="a").hedging))}["venue"].choices == (
        "makers",
        "exchange",
        "best",
    )


@pytest.mark.parametrize(
    ("bounds", "words", "inside", "outside"),
    [
        (Bounds(0, 10, low_open=True), "in (0, 10]", [1e-9, 10], [0, 11, math.nan]),
        (Bounds(-1, 1, high_open=True), "in [-1, 1)", [-1, 0.99], [1, -2]),
        (Bounds(low=0), ">= 0", [0, 1e300], [-1]),
        (Bounds(high=3, high_open=True), "< 3", [-1e300], [3]),
        (Bounds(), "", [-1e300], [math.nan]),
    ],
)
def test_bounds(bounds: Bounds, words: str, inside: list[float], outside: list[float]) -> None:
    assert str(bounds) == words
    assert all(number in bounds for number in inside)
    assert not any(number in bounds for number in outside)
