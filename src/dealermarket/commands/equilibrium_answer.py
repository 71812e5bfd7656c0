"""Best responses as they are kept and shown: where makers ended, what each still gains, the path, and the response curves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dealermarket.commands.asking import Answer, numbers
from dealermarket.commands.tables import Column, split_tables
from dealermarket.disk import write_frame, write_text
from dealermarket.estimates import plus_minus
from dealermarket.plots.drawing import save
from dealermarket.plots.equilibrium import plot_equilibrium
from dealermarket.program import program
from dealermarket.questions import Equilibrium, Range, Setting, short_names
from dealermarket.questions.equilibrium import CONVERGED, CYCLE, STANDING

if TYPE_CHECKING:
    from rich.console import RenderableType

END = "end.toml"


class ResponsesAnswer(Answer):
    """Where makers ended who answered each other."""

    def __init__(self, found: Equilibrium) -> None:
        self.found, self.asked, self.folder = found, found.asked, Path()

    def write(self, folder: Path) -> list[Path]:
        """`end.toml`, `history.csv` and `equilibrium.png`."""
        self.folder = folder
        write_text(folder / END, self.found.scenario.to_toml())
        paths = {each.path: name for own in self.asked.own.values() for each, name in zip(own, _names(own), strict=True)}
        picture = plot_equilibrium(self.found.history(), paths, self.found.curves, str(self.asked.objective))
        save(picture, folder / "equilibrium.png")
        return [folder / END, write_frame(self.found.history(), folder / "history.csv"), folder / "equilibrium.png"]

    def as_json(self) -> str:
        """Where it ended, values, regrets and responses; what is not a number is null."""
        found, asked = self.found, self.asked
        makers = {
            maker: {
                "values": {
                    each.path: each.value for each in found.end.settings if each.path in {own.path for own in asked.own[maker]}
                },
                "objective": numbers(found.value[maker]),
                "best_response": {each.path: each.value for each in found.best[maker]},
                "regret": numbers(found.regret[maker]),
            }
            for maker in asked.makers
        }
        data = {"scenario": asked.scenario.name, "objective": str(asked.objective), "seed": asked.seed, "outcome": found.outcome}
        data |= {"cycle": found.cycle, "rounds": found.path[-1].round, "end": str(self.folder / END), "makers": makers}
        return json.dumps(data, indent=2, ensure_ascii=False)

    def shown(self, width: int) -> Iterable[RenderableType]:
        """How it ended, and a row a maker: its values, its best response, and the regret, which is what it would gain by that."""
        found, asked = self.found, self.asked
        ended = {
            CONVERGED: "nobody moves any more",
            STANDING: "moves are below a thousandth of the ranges, though gains are left,",
            CYCLE: f"a cycle of {found.cycle} {'round' if found.cycle == 1 else 'rounds'}",
        }.get(found.outcome, "still moving")
        rounds = found.path[-1].round
        yield f"{asked.scenario.name}, {asked.objective}: {ended} after {rounds} {'round' if rounds == 1 else 'rounds'}"
        labels = [Column("maker", list(asked.makers), "left")]
        here = [[each for each in found.end.settings if each.path in {own.path for own in asked.own[m]}] for m in asked.makers]
        columns = [
            Column("at", [_said(settings) for settings in here], "left"),
            Column("best response", [_said(found.best[maker]) for maker in asked.makers], "left"),
            Column("objective", plus_minus([found.value[maker] for maker in asked.makers])),
            Column("regret", plus_minus([found.regret[maker] for maker in asked.makers])),
        ]
        title = f"mean ± half of its 95 % interval on {asked.fresh:,} fresh replicas"
        yield from split_tables(title, labels, columns, width)
        yield (
            "Regret: what a maker gains by its best response, the others staying. It says how near an equilibrium this is; "
            "below 0 where the response, found on other replicas, is no better."
        )
        yield f"{program()} run {self.folder / END}"


def _names(own: Iterable[Range | Setting]) -> list[str]:
    return short_names([each.path for each in own])


def _said(settings: Sequence[Setting]) -> str:
    return ", ".join(f"{name}={each.label}" for name, each in zip(_names(settings), settings, strict=True))
