"""What a page asks for: a change of the opened scenario, how much of it to simulate, and what to show."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dealermarket.frozen import Frozen, FrozenMapping
from dealermarket.model.investors.agent import Name
from dealermarket.values import Value

Setting = Annotated[bool, Field(strict=True)] | int | float | Annotated[str, Field(max_length=200)]
"""The value of a control."""
Path = Annotated[str, Field(min_length=1, max_length=300)]
Panel = Literal["makers", "position", "rewards", "prices", "tiers", "markouts", "pnl"]
MOST_SETTINGS, MOST_MAKERS = 1000, 50


class AddedMaker(Value):
    """A maker that the opened scenario has not: a copy of another one under a name of its own."""

    name: Name
    like: Name


class Variant(Value):
    """How a market differs from the opened scenario.

    `settings` are values by the paths of their fields, with makers and investors by name; `added` makers come after the
    scenario's own, without those `removed`.
    """

    settings: Annotated[Frozen[Path, Setting], Field(max_length=MOST_SETTINGS)] = FrozenMapping()
    added: Annotated[tuple[AddedMaker, ...], Field(strict=False, max_length=MOST_MAKERS)] = ()
    removed: Annotated[tuple[Name, ...], Field(strict=False, max_length=MOST_MAKERS)] = ()


class State(Variant):
    """All that a page shows, as its address holds it.

    `replica` and `step` are those of the path and of the step that are shown, `maker` whose P&L, tiers and rewards; `pin` is what
    every number is compared with, on the same prices and orders.
    """

    replicas: Annotated[int, Field(ge=1)] = 200
    seed: Annotated[int, Field(ge=0, le=2**63)] = 0
    replica: Annotated[int, Field(ge=0)] = 0
    step: Annotated[int, Field(ge=0)] = 0
    maker: Annotated[str, Field(max_length=200)] = ""
    pin: Variant | None = None

    @property
    def variant(self) -> Variant:
        """How its market differs from the opened scenario."""
        return Variant(settings=self.settings, added=self.added, removed=self.removed)


class Question(Value):
    """One message of a page; `id` is what its answer names."""

    id: Annotated[int, Field(ge=0, le=2**53)]
    do: Literal["open", "ask", "trace", "texts", "stop", "load"]
    state: State = State()
    panels: Annotated[tuple[Panel, ...], Field(strict=False, max_length=20)] = ()
    point: Annotated[int, Field(ge=0)] = 0
