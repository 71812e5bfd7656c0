"""A game as it is kept and shown: payoffs of all profiles, equilibria pure and mixed, and what makers would choose together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermarket.commands.asking import Answer, finite, numbers
from dealermarket.commands.tables import Column, split_tables
from dealermarket.disk import write_frame
from dealermarket.estimates import plus_minus
from dealermarket.plots.drawing import save
from dealermarket.plots.equilibrium import plot_game
from dealermarket.questions import Mixed, Played

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_SHOWN = 12
LEAST_SHARE = 0.005


class GameAnswer(Answer):
    """A game that was played."""

    def __init__(self, played: Played) -> None:
        self.played, self.game = played, played.game

    def write(self, folder: Path) -> list[Path]:
        """`game.csv`, and of two makers `game.png`."""
        written = [write_frame(self.played.frame(), folder / "game.csv")]
        if len(self.game.makers) == 2:
            marked = {"pure equilibrium": self.played.equilibria, "joint optimum": (self.played.joint_optimum,)}
            labels = [self.game.labels(maker) for maker in self.game.makers]
            picture = plot_game(self.played.payoffs.value, self.game.makers, labels, marked, str(self.game.objective))
            save(picture, folder / "game.png")
            written.append(folder / "game.png")
        return written

    def as_json(self) -> str:
        """Payoffs, equilibria, the joint optimum and what is lost against it; what is not a number is null."""
        played, game = self.played, self.game
        rows = [{str(key): finite(value) for key, value in row.items()} for row in played.frame().to_dict("records")]
        data: dict[str, Any] = {
            "scenario": game.scenario.name,
            "objective": str(game.objective),
            "seed": game.seed,
            "replicas": game.replicas,
            "makers": list(game.makers),
            "symmetric": played.is_symmetric,
            "equilibria": [self._entry(profile) for profile in played.equilibria],
            "mixed": self._mixed(played.mixed),
            "symmetric_mixed": None if played.symmetric is None else self._mixed(played.symmetric),
            "joint_optimum": self._entry(played.joint_optimum),
            "profiles": rows,
        }
        return json.dumps(data, indent=2, ensure_ascii=False)

    def shown(self, width: int) -> Iterable[RenderableType]:
        """The pure equilibria and the joint optimum with what each maker gets and would gain, then the mixed ones."""
        played, game = self.played, self.game
        yield f"{game.scenario.name}, {game.objective}: {len(game.points):,} profiles, {game.replicas:,} replicas each"
        marked = [
            *(("equilibrium", profile) for profile in played.equilibria[:MOST_SHOWN]),
            ("joint optimum", played.joint_optimum),
        ]
        if len(played.equilibria) > MOST_SHOWN:
            yield f"{len(played.equilibria):,} pure equilibria, of which {MOST_SHOWN} are shown"
        if not played.equilibria:
            yield "No pure equilibrium: from every profile some maker gains by moving."
        labels = [Column("", [what for what, _ in marked], "left")]
        labels += [
            Column(maker, [game.labels(maker)[profile[n]] for _, profile in marked], "left")
            for n, maker in enumerate(game.makers)
        ]
        columns = []
        for n, maker in enumerate(game.makers):
            columns.append(Column(f"{maker}\ngets", plus_minus([played.payoffs[(*profile, n)] for _, profile in marked])))
            columns.append(Column("gains by\nmoving", plus_minus([played.regret(profile)[n] for _, profile in marked])))
        lost = plus_minus([played.price_of_anarchy(profile) for _, profile in marked])
        columns.append(Column("all lose against\nthe joint optimum", lost))
        yield from split_tables("mean ± half of its 95 % interval; differences are paired", labels, columns, width)
        unsure = [profile for profile in played.equilibria if not played.is_sure(profile)]
        if unsure:
            number = "one" if len(unsure) == 1 else f"{len(unsure)}"
            yield f"Of the equilibria {number} may be none: an interval of a gain by moving holds 0; more --replicas tell."
        yield self._mixed_said("Mixed, by replicator dynamics", played.mixed)
        if played.symmetric is not None:
            yield self._mixed_said("The same for all makers, who are alike", played.symmetric)

    def _mixed_said(self, title: str, mixed: Mixed) -> str:
        alike = all(
            each.shape == mixed.shares[0].shape and (abs(each - mixed.shares[0]) < LEAST_SHARE).all() for each in mixed.shares
        )
        makers = self.game.makers[:1] if alike else self.game.makers
        parts = []
        for n, maker in enumerate(makers):
            labels = self.game.labels(maker)
            played = [f"{label} {share:.0%}" for label, share in zip(labels, mixed.shares[n], strict=True) if share > LEAST_SHARE]
            parts.append(f"{'all' if alike else maker}: {', '.join(played)}")
        rounding = 1e-9 * float(abs(mixed.value).max())
        gains = f"gains more than {mixed.gain:.2g}" if mixed.gain > rounding else "gains"
        return f"{title}: {'; '.join(parts)}. Nobody {gains} by another strategy, as the means tell."

    def _entry(self, profile: Sequence[int]) -> dict[str, Any]:
        played, makers = self.played, self.game.makers
        regret = played.regret(profile)
        return {
            "profile": {maker: self.game.labels(maker)[s] for maker, s in zip(makers, profile, strict=True)},
            "payoff": {maker: numbers(played.payoffs[(*profile, n)]) for n, maker in enumerate(makers)},
            "regret": {maker: numbers(regret[n]) for n, maker in enumerate(makers)},
            "lost_against_joint_optimum": numbers(played.price_of_anarchy(profile)),
        }

    def _mixed(self, mixed: Mixed) -> dict[str, Any]:
        shares = {
            maker: dict(zip(self.game.labels(maker), mixed.shares[n].tolist(), strict=True))
            for n, maker in enumerate(self.game.makers)
        }
        value = dict(zip(self.game.makers, mixed.value.tolist(), strict=True))
        return {"shares": shares, "payoff": value, "gain": mixed.gain}
