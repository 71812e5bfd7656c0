"""The command `equilibrium`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealermarket.commands.asking import Answer, Asked, AskingOptions, Question, ask
from dealermarket.commands.objective_options import Measure, Risk, fields_of, given, objective_of
from dealermarket.commands.options import repeated, whole
from dealermarket.errors import ParameterError

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario
    from dealermarket.questions import Equilibrium, Played

EQUILIBRIA = Path("equilibria")


def equilibrium(
    scenario: Asked = None,
    /,
    *,
    over: Annotated[
        tuple[str, ...],
        repeated(
            "--over",
            "A field of every maker and its range, makers.*.FIELD=low:high[:log]; or, for a game of all profiles, values.",
        ),
    ] = (),
    makers: Annotated[str | None, Parameter(help="Who moves, names with commas between them; all makers if not given.")] = None,
    measure: Measure = None,
    risk: Risk = None,
    epsilon: Annotated[
        float | None, Parameter(help="A gain that is worth no move, in units of the measure; 0 if not given.")
    ] = None,
    damping: Annotated[
        float | None, Parameter(help="The share of the way to its best response that a maker goes; 0.5 if not given.")
    ] = None,
    rounds: Annotated[int | None, whole("Rounds at most, in which each maker moves once; 20 if not given.")] = None,
    evaluations: Annotated[int | None, whole("Points tried for each response; 20 if not given.")] = None,
    replicas: Annotated[int | None, whole("Replicas of each point; 200 if not given, 1000 of a game.")] = None,
    fresh: Annotated[int | None, whole("New replicas on which regrets are judged; 1000 if not given.")] = None,
    options: AskingOptions | None = None,
) -> None:
    """Let makers answer each other until nobody gains by moving; say what each still would; or play all profiles of a game."""
    own = {"over": list(over), "makers": makers, "measure": measure, "risk": risk, "epsilon": epsilon, "damping": damping}
    own |= {"rounds": rounds, "evaluations": evaluations, "replicas": replicas, "fresh": fresh}
    ask("equilibrium", EQUILIBRIA, _question, scenario, own, options)


def _question(market: Scenario, asked: Mapping[str, Any]) -> Question:
    """Best responses over ranges, or a game of values."""
    from dealermarket.questions import BestResponses, Game, Range, Varied

    fields, objective = fields_of(asked, "makers.*.pricing.alpha=1.1:2"), objective_of(asked)
    makers = tuple(name.strip() for name in (asked["makers"] or "").split(",") if name.strip())
    values = tuple(each for each in fields if isinstance(each, Varied))
    ranges = tuple(each for each in fields if isinstance(each, Range))
    if values and ranges:
        raise ParameterError(
            f"{ranges[0].path}: is a range beside values; give a COUNT, low:high:COUNT, for a game of all profiles"
        )
    own, responses = given(asked, "replicas", "seed"), given(asked, "epsilon", "damping", "rounds", "evaluations", "fresh")
    if not values:
        return Question(BestResponses(market, ranges, objective, makers, **own, **responses), _of_responses)
    if responses:
        raise ParameterError(f"--{next(iter(responses))}: is about best responses over ranges, and a game of values has none")
    return Question(Game(market, values, objective, makers, **own), _of_a_game)


def _of_responses(found: Equilibrium) -> Answer:
    from dealermarket.commands.equilibrium_answer import ResponsesAnswer

    return ResponsesAnswer(found)


def _of_a_game(played: Played) -> Answer:
    from dealermarket.commands.game_answer import GameAnswer

    return GameAnswer(played)
