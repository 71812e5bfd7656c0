"""The command `sensitivity`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealermarket.commands.asking import Answer, Asked, AskingOptions, Question, ask, finite
from dealermarket.commands.optimise import MEASURE, Measure, Over, Risk
from dealermarket.commands.options import whole
from dealermarket.errors import ParameterError
from dealermarket.runs.executors import Executor, Progress

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dealermarket.model.scenario import Scenario
    from dealermarket.questions import Sensitive, Sensitivity

SENSITIVITIES = Path("sensitivities")


def sensitivity(
    scenario: Asked = None,
    /,
    *,
    over: Over = (),
    maker: Annotated[str | None, Parameter(help="Whose measure; that of the first maker that varies if not given.")] = None,
    measure: Measure = None,
    risk: Risk = None,
    points: Annotated[int | None, whole("A power of 2; points (fields + 2) markets are run. 256 if not given.")] = None,
    replicas: Annotated[int | None, whole("Replicas of each point, the same for all; 20 if not given.")] = None,
    options: AskingOptions | None = None,
) -> None:
    """Say which fields a measure hangs on: Sobol indices of first and total order over ranges, with intervals."""
    own = {"over": list(over), "maker": maker, "measure": measure, "risk": risk, "points": points, "replicas": replicas}
    ask("sensitivity", SENSITIVITIES, _Sensitivity.of, scenario, own, options)


@dataclass(frozen=True)
class _Sensitivity(Question):
    question: Sensitivity

    @classmethod
    def of(cls, market: Scenario, asked: Mapping[str, Any]) -> _Sensitivity:
        from dealermarket.questions import Objective, Range, Sensitivity
        from dealermarket.questions.fields import makers_varied

        if not asked["over"]:
            raise ParameterError("--over: give a field and a range, such as --over makers.0.pricing.alpha=1.1:2")
        ranges = tuple(map(Range.parsed, asked["over"]))
        objective = Objective.parsed(MEASURE if asked["measure"] is None else asked["measure"], asked["risk"] or 0.0)
        maker = asked["maker"]
        if maker is None:
            maker = next(iter(makers_varied(market, (each.path for each in ranges))), market.maker_names[0])
        given = {name: asked[name] for name in ("points", "replicas", "seed") if asked[name] is not None}
        return cls(Sensitivity(market, ranges, objective, maker, **given))

    @property
    def market_steps(self) -> int:
        return self.question.market_steps

    def answer(self, executor: Executor, progress: Progress, keep: Path) -> Answer:
        return _SensitivityAnswer(self.question.run(progress=progress, keep=keep, executor=executor))


@dataclass(frozen=True)
class _SensitivityAnswer(Answer):
    found: Sensitive

    def write(self, folder: Path) -> list[Path]:
        from dealermarket.disk import write_frame
        from dealermarket.plots.comparison import save
        from dealermarket.plots.sensitivity import plot_sensitivity
        from dealermarket.questions import short_names

        asked, frame = self.found.asked, self.found.frame()
        names = short_names([each.path for each in asked.ranges])
        save(plot_sensitivity(frame, names, f"{asked.maker}: what {asked.objective} hangs on"), folder / "sensitivity.png")
        return [write_frame(frame, folder / "sensitivity.csv"), folder / "sensitivity.png"]

    def as_json(self) -> str:
        asked = self.found.asked
        rows = [{str(key): finite(value) for key, value in row.items()} for row in self.found.frame().to_dict("records")]
        data = {"scenario": asked.scenario.name, "maker": asked.maker, "objective": str(asked.objective), "seed": asked.seed}
        return json.dumps(
            data | {"points": asked.points, "replicas": asked.replicas, "fields": rows}, indent=2, ensure_ascii=False
        )

    def shown(self, width: int) -> Iterable[RenderableType]:
        import numpy as np

        from dealermarket.commands.tables import Column, split_tables
        from dealermarket.questions import short_names

        asked, found = self.found.asked, self.found.indices
        markets = f"{len(asked.design):,} markets of {asked.replicas:,} replicas"
        yield f"{asked.scenario.name}, {asked.maker}, {asked.objective}: {markets}"
        if np.isnan(found.first.value).all():
            yield f"{asked.objective} is the same at all of them: it does not hang on these fields."
            return
        names = short_names([each.path for each in asked.ranges])
        order = np.argsort(-found.total.value, kind="stable").tolist()

        def texts(estimate: Any) -> list[str]:
            return [f"{estimate.value[n]:.2f} [{estimate.low[n]:.2f}, {estimate.high[n]:.2f}]" for n in order]

        ranges = [f"{each.low:g} to {each.high:g}{', log' if each.log else ''}" for each in (asked.ranges[n] for n in order)]
        labels = [Column("field", [names[n] for n in order], "left"), Column("range", ranges, "left")]
        columns = [
            Column("alone\n(first order)", texts(found.first)),
            Column("with all it interacts\nwith (total)", texts(found.total)),
        ]
        yield from split_tables("Shares of the variance [95 % interval]", labels, columns, width)
