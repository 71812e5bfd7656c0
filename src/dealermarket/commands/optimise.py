"""The command `optimise`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealermarket.commands.asking import Answer, Asked, AskingOptions, Question, ask
from dealermarket.commands.options import repeated, whole
from dealermarket.errors import ParameterError
from dealermarket.runs.executors import Executor, Progress

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario
    from dealermarket.questions import Search

SEARCHES = Path("searches")
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
    ask("optimise", SEARCHES, _Optimise.of, scenario, own, options)


@dataclass(frozen=True)
class _Optimise(Question):
    search: Search

    @classmethod
    def of(cls, market: Scenario, asked: Mapping[str, Any]) -> _Optimise:
        from dealermarket.questions import Objective, Search, varied_from
        from dealermarket.questions.fields import makers_varied

        if not asked["over"]:
            raise ParameterError("--over: give a field and a range, such as --over makers.0.pricing.alpha=1.1:2")
        fields = tuple(map(varied_from, asked["over"]))
        objective = Objective.parsed(MEASURE if asked["measure"] is None else asked["measure"], asked["risk"] or 0.0)
        maker = asked["maker"]
        if maker is None:
            maker = next(iter(makers_varied(market, (each.path for each in fields))), market.maker_names[0])
        names = ("evaluations", "replicas", "fresh", "grid", "seed", "method")
        return cls(Search(market, fields, objective, maker, **{name: asked[name] for name in names if asked[name] is not None}))

    @property
    def market_steps(self) -> int:
        return self.search.market_steps

    def answer(self, executor: Executor, progress: Progress, keep: Path) -> Answer:
        from dealermarket.commands.search_answer import SearchAnswer

        return SearchAnswer(self.search.run(progress=progress, keep=keep, executor=executor))
