"""A sweep as it is kept and shown: every number as CSV and Parquet, a picture, and the table of the points."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dealermarket.commands.asking import Answer
from dealermarket.commands.tables import Column, Together, split_tables
from dealermarket.disk import write_frame
from dealermarket.estimates import plus_minus
from dealermarket.plots.drawing import save
from dealermarket.plots.sweep import SweptField, plot_sweep
from dealermarket.questions import Swept, Varied, short_names
from dealermarket.questions.sweep import AS_IT_IS
from dealermarket.runs.statistics import statistic_named

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_ROWS = 24
WHAT = "mean ± half of its 95 % interval; differences are paired, *: their interval leaves out 0"


class SweepAnswer(Answer):
    """A sweep and how it is looked at: statistics of a maker, and the point that differences are to, the scenario if None."""

    def __init__(self, swept: Swept, statistics: Sequence[str], maker: str, against: str | None) -> None:
        self.swept, self.statistics, self.maker = swept, tuple(statistics), maker
        self.against = AS_IT_IS if against is None else against
        self.first = statistic_named(self.statistics[0])
        ranked = self.first.more_is_better is not None and not np.isnan(swept.estimates(self.first.name, maker).value).all()
        self.best = swept.best(self.first.name, maker) if ranked else None
        self.equals = swept.as_good_as_the_best(self.first.name, maker) if ranked else None
        self.frame = swept.frame(self.against)

    def write(self, folder: Path) -> list[Path]:
        """`sweep.csv`, `sweep.parquet`, and `sweep.png` of as many fields as a picture can show."""
        written = [write_frame(self.frame, folder / f"sweep.{kind}") for kind in ("csv", "parquet")]
        fields, points = self.swept.sweep.fields, self.swept.sweep.points
        names = short_names([field.path for field in fields])
        drawn = [
            SweptField(field.path, name, _brief(list(dict.fromkeys(point.settings[n].label for point in points))))
            for n, (field, name) in enumerate(zip(fields, names, strict=True))
        ]
        sampled = not all(isinstance(field, Varied) for field in fields)
        picture = plot_sweep(
            self.frame, drawn, self.statistics, self.maker, best=self.equals, against=self.against, drawn_points=sampled
        )
        if picture is not None:
            save(picture, folder / "sweep.png")
            written.append(folder / "sweep.png")
        return written

    def as_json(self) -> str:
        """All numbers; what is not a number is null."""
        sweep, equals = self.swept.sweep, [] if self.equals is None else self.equals.tolist()
        data = {
            "scenario": sweep.scenario.name,
            "replicas": sweep.replicas,
            "seed": sweep.seed,
            "maker": self.maker,
            "best": self.best,
            "as_good_as_the_best": [label for label, equal in zip(self.swept.labels, equals, strict=False) if equal],
            "against": self.against,
            "rows": json.loads(self.frame.to_json(orient="records", double_precision=15)),
        }
        return json.dumps(data, indent=2, ensure_ascii=False)

    def shown(self, width: int) -> Iterable[RenderableType]:
        """What was asked in a line, and a row a point, the scenario as it is first; of many points the best."""
        sweep = self.swept.sweep
        replicas = f"{sweep.replicas:,} {'replica' if sweep.replicas == 1 else 'replicas'}"
        common = "on common prices and orders" if len(sweep.studies) == 1 else f"on {len(sweep.studies)} sets of tapes"
        what = f"{len(sweep.points):,} points, {replicas} of {sweep.scenario.steps:,} steps, {common}"
        yield f"{sweep.scenario.name}, {self.maker}: {what}"
        rows, title = self._rows()
        settings = [sweep.points[n].settings for n in rows]
        names = short_names([field.path for field in sweep.fields])
        labels = [Column("", ["", *map(self._mark, rows)], "left")]
        labels += [
            Column(name, [AS_IT_IS if k == 0 else "", *(each[k].label for each in settings)]) for k, name in enumerate(names)
        ]
        yield from split_tables(title, labels, [self._columns(name, rows) for name in self.statistics], width)
        if self.equals is not None:
            said = f"best, and =, what is as good by {self.first.label} as far as {replicas} tell"
            wider = "all differences to the best at once, so with wider intervals than those of *"
            yield f"{said}: {wider}" if sweep.replicas > 1 else "One replica has no intervals, so that nothing is told apart."

    def _columns(self, name: str, rows: Sequence[int]) -> Together:
        """A statistic at some points, and of the first one its differences."""
        statistic, found = statistic_named(name), self.swept.estimates(name, self.maker)
        estimates = [self.swept.estimate_as_it_is(name, self.maker), *(found[n] for n in rows)]
        columns = [Column(statistic.column_heading, plus_minus(estimates, statistic.scale))]
        if name == self.first.name:
            difference = self.swept.differences(name, self.maker, self.against)
            texts = plus_minus([difference[n] for n in rows], statistic.scale)
            marks = ["*" if difference.low[n] > 0 or difference.high[n] < 0 else " " for n in rows]
            to = "the scenario" if self.against == AS_IT_IS else self.against
            columns.append(Column(f"difference to\n{to}", ["", *(f"{t} {m}" for t, m in zip(texts, marks, strict=True))]))
        return Together(columns)

    def _rows(self) -> tuple[Sequence[int], str]:
        """Numbers of the points to show, and what they are."""
        count = len(self.swept.labels)
        if count <= MOST_ROWS:
            return range(count), WHAT
        if self.first.more_is_better is None:
            return range(MOST_ROWS), f"The first {MOST_ROWS} of {count:,} points: {WHAT}"
        values = self.swept.estimates(self.first.name, self.maker).value
        order = np.argsort(-values if self.first.more_is_better else values, kind="stable")
        return order[:MOST_ROWS].tolist(), f"The best {MOST_ROWS} of {count:,} points by {self.first.label}: {WHAT}"

    def _mark(self, n: int) -> str:
        if self.equals is None:
            return ""
        return "best" if self.swept.labels[n] == self.best else "=" if self.equals[n] else ""


def _brief(labels: list[str]) -> list[str]:
    """Labels for an axis: numbers with three digits, where these tell them apart."""
    try:
        brief = [f"{float(label):.3g}" for label in labels]
    except ValueError:
        return labels
    return brief if len({*brief}) == len(labels) else labels
