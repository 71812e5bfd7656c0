"""The command `optimise`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealermarket.commands.asking import Answer, Asked, AskingOptions, Question, ask
from dealermarket.commands.objective_options import Measure, Over, Risk, fields_of, given, maker_of, objective_of
from dealermarket.commands.options import whole

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario
    from dealermarket.questions import Found

SEARCHES = Path("searches")


def optimise(
    scenario: Asked = None,
    /,
    *,
    over: Over = (),
    maker: Annotated[
        str | None, Parameter(help="Whose objective; that of the first maker that is searched if not given.")
    ] = None,
    measure: Measure = None,
    risk: Risk = None,
    method: Annotated[
        str | None, Parameter(help="cobyqa, or optuna for many fields and for values, PATH=v1,v2; cobyqa if not given.")
    ] = None,
    evaluations: Annotated[int | None, whole("Points that are tried; 40 if not given.")] = None,
    replicas: Annotated[int | None, whole("Replicas of each point, the same for all; 60 if not given.")] = None,
    fresh: Annotated[int | None, whole("New replicas on which the best is judged; 1000 if not given.")] = None,
    grid: Annotated[int | None, whole("Values of each field on the grid beside; 21, 9 or 5 by fields if not given.")] = None,
    options: AskingOptions | None = None,
) -> None:
    """Search the values of fields that are best for one maker, the others being as they are, and judge them on new replicas."""
    own = {"over": list(over), "maker": maker, "measure": measure, "risk": risk, "method": method}
    own |= {"evaluations": evaluations, "replicas": replicas, "fresh": fresh, "grid": grid}
    ask("optimise", SEARCHES, _question, scenario, own, options)


def _question(market: Scenario, asked: Mapping[str, Any]) -> Question:
    from dealermarket.questions import Search

    def answer(found: Found) -> Answer:
        from dealermarket.commands.search_answer import SearchAnswer

        return SearchAnswer(found)

    fields = fields_of(asked, "makers.0.pricing.alpha=1.1:2")
    options = given(asked, "evaluations", "replicas", "fresh", "grid", "seed", "method")
    return Question(Search(market, fields, objective_of(asked), maker_of(market, asked, fields), **options), answer)
