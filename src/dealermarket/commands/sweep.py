"""The command `sweep`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealermarket.commands.asking import Answer, Asked, AskingOptions, Question, ask
from dealermarket.commands.options import repeated, whole
from dealermarket.errors import ParameterError

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario
    from dealermarket.questions import Swept

SWEEPS = Path("sweeps")
MEASURES = ("pnl", "market_share", "mean_abs_position")
BEST = "best"


def sweep(
    scenario: Asked = None,
    /,
    *,
    vary: Annotated[
        tuple[str, ...],
        repeated(
            "--vary", "A field and its values, PATH=v1,v2,... or PATH=low:high:COUNT[:log]; with --sample PATH=low:high[:log]."
        ),
    ] = (),
    sample: Annotated[int | None, whole("So many points in the ranges, spread evenly, in place of a grid.")] = None,
    measure: Annotated[
        str | None, Parameter(help=f"Statistics to show, of which the first ranks the points; {','.join(MEASURES)} if not given.")
    ] = None,
    maker: Annotated[str | None, Parameter(help="Whose statistics; those of the first maker that varies if not given.")] = None,
    against: Annotated[
        str | None, Parameter(help="Show differences to this point: its values, such as 1.3,none, or best; else to SCENARIO.")
    ] = None,
    replicas: Annotated[int | None, whole("Independent replicas of each point; 1000 if not given.")] = None,
    options: AskingOptions | None = None,
) -> None:
    """Run a market at many points, fields varied: what each brings, with paired differences, as table, files and picture."""
    own = {"vary": list(vary), "sample": sample, "measure": measure, "maker": maker, "against": against, "replicas": replicas}
    ask("sweep", SWEEPS, _question, scenario, own, options)


def _question(market: Scenario, asked: Mapping[str, Any]) -> Question:
    from dealermarket.model.scenario import maker_index
    from dealermarket.questions import Sweep, varied_from
    from dealermarket.questions.objective import sign_of
    from dealermarket.questions.sweep import REPLICAS
    from dealermarket.runs.statistics import statistic_named

    text = asked["measure"]
    names = MEASURES if text is None else [name.strip() for name in text.split(",") if name.strip()]
    statistics = tuple(statistic_named(name).name for name in dict.fromkeys(names))
    if not statistics:
        raise ParameterError("--measure: must name a statistic, such as pnl")
    if not asked["vary"]:
        raise ParameterError("--vary: give a field and its values, such as --vary makers.0.pricing.alpha=1.2,1.3,1.4")
    count = REPLICAS if asked["replicas"] is None else asked["replicas"]
    fields = [varied_from(each) for each in asked["vary"]]
    made = Sweep.of(market, fields, sample=asked["sample"], replicas=count, seed=asked["seed"])
    maker = made.maker if asked["maker"] is None else market.maker_names[maker_index(market, asked["maker"])]
    against = asked["against"]
    if against == BEST:
        sign_of(statistic_named(statistics[0]))  # raises where nothing is the best
    elif against is not None:
        against = made.label_of(against)

    def answer(swept: Swept) -> Answer:
        from dealermarket.commands.sweep_answer import SweepAnswer

        return SweepAnswer(swept, statistics, maker, swept.best(statistics[0], maker) if against == BEST else against)

    return Question(made, answer)
