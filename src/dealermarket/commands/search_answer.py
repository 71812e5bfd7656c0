"""A search as it is kept and shown: the best scenario, what was tried, a picture, and what the best brings on new replicas."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dealermarket.commands.asking import Answer, numbers
from dealermarket.commands.tables import Column, split_tables
from dealermarket.disk import write_frame, write_text
from dealermarket.estimates import plus_minus
from dealermarket.plots.drawing import save
from dealermarket.plots.search import SearchedField, plot_search
from dealermarket.program import program
from dealermarket.questions import Range, Varied, short_names
from dealermarket.questions.search import BEST_OF_GRID, FOUND, START, Found

if TYPE_CHECKING:
    from rich.console import RenderableType

BEST = "best.toml"


class SearchAnswer(Answer):
    """What a search found."""

    def __init__(self, found: Found) -> None:
        self.found, self.search = found, found.search
        self.names = short_names([each.path for each in self.search.fields])
        self.points = {START: found.start, BEST_OF_GRID: found.coarse, FOUND: found.best}
        self.folder = Path()

    def write(self, folder: Path) -> list[Path]:
        """`best.toml`, `history.csv` and `search.png`."""
        self.folder = folder
        write_text(folder / BEST, self.found.scenario.to_toml())
        history = self.found.history()
        fields = [
            SearchedField(each.path, name, [setting.label for setting in each.settings] if isinstance(each, Varied) else None)
            for each, name in zip(self.search.fields, self.names, strict=True)
        ]
        shown = history.assign(**{each.path: self._places(each, history[each.path]) for each in self.search.fields})
        grid = [
            self._places(each, [point.settings[n].value for point in self.search.coarse])
            for n, each in enumerate(self.search.fields)
        ]
        logs = [isinstance(each, Range) and each.log for each in self.search.fields]
        title = f"{self.search.maker}: {self.search.objective}"
        picture = plot_search(shown, fields, logs, np.transpose(grid), self.found.on_grid, title)
        save(picture, folder / "search.png")
        return [folder / BEST, write_frame(history, folder / "history.csv"), folder / "search.png"]

    def as_json(self) -> str:
        """Points, values with intervals on fresh replicas, gains and the gap; what is not a number is null."""
        found = self.found
        data: dict[str, Any] = {
            "scenario": self.search.scenario.name,
            "maker": self.search.maker,
            "objective": str(self.search.objective),
            "seed": self.search.seed,
            "replicas": self.search.replicas,
            "fresh": self.search.fresh,
            "trials": len(found.trials),
            "best": str(self.folder / BEST),
            "points": {
                name: {"values": {each.path: each.value for each in point.settings}, "fresh": numbers(found.value(name))}
                for name, point in self.points.items()
            },
            "gain": {name: numbers(found.gain(name)) for name in (START, BEST_OF_GRID)},
            "searched": found.searched,
            "gap": found.gap,
        }
        return json.dumps(data, indent=2, ensure_ascii=False)

    def shown(self, width: int) -> Iterable[RenderableType]:
        """What was searched, the three points on fresh replicas, and how much less there is than the search saw."""
        search, found = self.search, self.found
        tried = f"{len(found.trials):,} points tried on {search.replicas:,} replicas of {search.scenario.steps:,} steps"
        yield f"{search.scenario.name}, {search.maker}, largest {search.objective}: {tried}"
        names = list(self.points)
        labels = [Column("", names, "left")]
        labels += [Column(name, [self.points[each].settings[n].label for each in names]) for n, name in enumerate(self.names)]
        values = plus_minus([found.value(each) for each in names])
        gains = [found.gain(each) for each in (START, BEST_OF_GRID)]
        marks = [" *" if gain.low > 0 or gain.high < 0 else "  " for gain in gains]
        columns = [
            Column(f"on {search.fresh:,} fresh replicas", values),
            Column("found has more by", [f"{text}{mark}" for text, mark in zip(plus_minus(gains), marks, strict=True)] + [""]),
        ]
        title = (
            f"mean ± half of its 95 % interval; the grid has {len(search.coarse):,} points; *: the paired interval leaves out 0"
        )
        yield from split_tables(title, labels, columns, width)
        why = ": by chance, and because it took the best of many" if found.gap > 0 else ""
        yield f"The search saw {found.searched:.4g} at what it found, {found.gap:+.3g} against fresh replicas{why}."
        if gains[1].high < 0:
            yield f"The grid has a better point: try more --evaluations, narrower ranges, or {found.coarse.as_arguments}"
        at_end = [
            name
            for name, each, setting in zip(self.names, search.fields, found.best.settings, strict=True)
            if isinstance(each, Range) and not 0.01 < each.place(float(setting.value)) < 0.99
        ]
        if at_end:
            yield f"At an end of its range: {', '.join(at_end)}; a wider one may hold better values."
        yield f"{program()} run {self.folder / BEST}"

    @staticmethod
    def _places(field: Range | Varied, values: Iterable[Any]) -> list[float]:
        """Where values stand on an axis: at themselves, or at their number."""
        return [float(field.values.index(value) if isinstance(field, Varied) else value) for value in values]
