"""What the commands about an objective share: their options, and what is made of these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealermarket.commands.options import repeated
from dealermarket.errors import ParameterError

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario
    from dealermarket.questions import Objective, Range, Varied

MEASURE = "pnl"

Over = Annotated[
    tuple[str, ...],
    repeated("--over", "A field and the range it is searched in, PATH=low:high, or by its logarithm PATH=low:high:log."),
]
Measure = Annotated[
    str | None,
    Parameter(help=f"What is made largest: a statistic, or a sum such as 'pnl - 0.5*risk_cost'; {MEASURE} if not given."),
]
Risk = Annotated[
    float | None, Parameter(help="So many standard deviations of it, between replicas, are taken off; 0 if not given.")
]


def fields_of(asked: Mapping[str, Any], example: str) -> tuple[Range | Varied, ...]:
    """The fields of `--over`. Raises ParameterError where there is none, with an example."""
    from dealermarket.questions import varied_from

    if not asked["over"]:
        raise ParameterError(f"--over: give a field and a range, such as --over {example}")
    return tuple(map(varied_from, asked["over"]))


def objective_of(asked: Mapping[str, Any]) -> Objective:
    """What `--measure` and `--risk` say."""
    from dealermarket.questions import Objective

    return Objective.parsed(MEASURE if asked["measure"] is None else asked["measure"], asked["risk"] or 0.0)


def maker_of(market: Scenario, asked: Mapping[str, Any], fields: Iterable[Range | Varied]) -> str:
    """The maker of `--maker`; if it is not given the first one that a field names, or the first of all."""
    from dealermarket.questions.fields import makers_varied

    if asked["maker"] is not None:
        return str(asked["maker"])
    return next(iter(makers_varied(market, (each.path for each in fields))), market.maker_names[0])


def given(asked: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Of these what was given: the rest has its default elsewhere."""
    return {name: asked[name] for name in names if asked[name] is not None}
