"""The command `sensitivity`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealermarket.commands.asking import Answer, Asked, AskingOptions, Question, ask, finite
from dealermarket.commands.objective_options import Measure, Over, Risk, fields_of, given, maker_of, objective_of
from dealermarket.commands.options import whole
from dealermarket.errors import ParameterError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dealermarket.model.scenario import Scenario
    from dealermarket.questions import Sensitive

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
    """Say which fields a measure depends on: Sobol indices of first and total order over ranges, with intervals."""
    own = {"over": list(over), "maker": maker, "measure": measure, "risk": risk, "points": points, "replicas": replicas}
    ask("sensitivity", SENSITIVITIES, _question, scenario, own, options)


def _question(market: Scenario, asked: Mapping[str, Any]) -> Question:
    from dealermarket.questions import Range, Sensitivity

    fields = fields_of(asked, "makers.0.pricing.alpha=1.1:2")
    ranges = tuple(each for each in fields if isinstance(each, Range))
    if len(ranges) < len(fields):
        raise ParameterError(f"{next(each.path for each in fields if each not in ranges)}: has values; give a range, low:high")
    maker, options = maker_of(market, asked, fields), given(asked, "points", "replicas", "seed")
    return Question(Sensitivity(market, ranges, objective_of(asked), maker, **options), _SensitivityAnswer)


@dataclass(frozen=True)
class _SensitivityAnswer(Answer):
    found: Sensitive

    def write(self, folder: Path) -> list[Path]:
        from dealermarket.disk import write_frame
        from dealermarket.plots.drawing import save
        from dealermarket.plots.sensitivity import plot_sensitivity
        from dealermarket.questions import short_names

        asked, frame = self.found.asked, self.found.frame()
        names = short_names([each.path for each in asked.ranges])
        save(plot_sensitivity(frame, names, f"{asked.maker}: what {asked.objective} depends on"), folder / "sensitivity.png")
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
            yield f"{asked.objective} is the same at all of them: it does not depend on these fields."
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
