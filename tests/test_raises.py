"""What the tests' own `raises` lets pass."""

from __future__ import annotations

import pytest

from conftest import raises
from dealermarket.errors import ParameterError, ScenarioError

SAID = """paper: makers.0.pricing.alpha: must be > 0, got -1.0
paper: steps: must be >= 1, got 0; run more
horizon: must be <= 1000, got 2000"""


def test_a_line_on_the_field_with_its_value_and_names_passes() -> None:
    with raises(ScenarioError, "makers.0.pricing.alpha", -1.0, names=["> 0"]) as caught:
        raise ScenarioError(SAID)
    assert str(caught.value) == SAID
    with raises((ParameterError, ScenarioError), "steps", 0):
        raise ScenarioError(SAID)


@pytest.mark.parametrize(
    ("kind", "field", "value", "names"),
    [
        (ParameterError, "steps", 0, []),  # a kind above
        (ScenarioError, "alpha", None, []),  # not the whole path
        (ScenarioError, "steps", -1.0, []),  # another field's value
        (ScenarioError, "makers.0.pricing.alpha", -1, []),  # got -1.0
        (ScenarioError, "steps", 0, ["> 0"]),  # another field's bound
        (ScenarioError, "horizon", 2000, ["<= 10"]),  # a bound that begins like it
    ],
)
def test_anything_else_does_not(kind: type[Exception], field: str, value: object, names: list[str]) -> None:
    with pytest.raises(AssertionError), raises(kind, field, value, names=names):
        raise ScenarioError(SAID)


def test_no_error_is_a_failure() -> None:
    with pytest.raises(pytest.fail.Exception), raises(ScenarioError, "steps"):
        pass
