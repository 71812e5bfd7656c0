"""Figures of prices: what makers quote by size beside the exchange, and the sizes that clients trade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.plots.drawing import drawn
from dealermarket.plots.figure import Axis, Bars, Figure, Line, Mark, Panels
from dealermarket.plots.pictured import PicturedRun, together
from dealermarket.plots.style import COLOURS, looks, shade
from dealermarket.runs.result import SimulationResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]
BASIS_POINTS = 1e4
_FEW = 5  # makers whose prices in the deepest tier are drawn, too
_BINS = 40


def plot_price_curves(scenario: Scenario, ax: Axes | None = None) -> Axes:
    """What every maker quotes by size at the mean reference spread, without skew, and the exchange's curve.

    Lines: the best tier; bands: up to the deepest. Makers with the same prices have one line. Spreads in basis points."""
    return drawn(all_price_curves(scenario), ax)


def plot_client_sizes(run: SimulationResult | PicturedRun, ax: Axes | None = None) -> Axes:
    """Which sizes clients trade: the share of the orders, and of the volume, by size."""
    return drawn(client_sizes(PicturedRun.of(run)), ax)


def all_price_curves(scenario: Scenario) -> Figure:
    """The figure of `plot_price_curves`."""
    size, s0 = _sizes(scenario), scenario.market.reference_spread.mean
    scale = _scale(scenario, BASIS_POINTS)
    reference = scale * scenario.exchange.reference_spread(size, s0)
    quotes: dict[tuple[bytes, bytes], tuple[Array, Array, list[str]]] = {}
    for maker in scenario.makers:
        best, deepest = (scale * maker.pricing.spread(size, tier, s0, scenario.exchange) for tier in (0, maker.tiering.tiers - 1))
        quotes.setdefault((best.tobytes(), deepest.tobytes()), (best, deepest, []))[2].append(maker.name)
    lines, tiers = [], ""
    for (best, deepest, names), (colour, style) in zip(quotes.values(), looks(len(quotes)), strict=True):
        lines.append(Line(size, best, together(names), colour, 1.6, style))
        if len(quotes) <= _FEW and (deepest != best).any():
            lines.append(Line(size, deepest, None, colour, 1.0, "--"))
            tiers = " dashed: its deepest;"
    lines.append(Line(size, reference, "exchange", width=2.2, style=":"))
    caption = (
        f"Cost per unit at the mean reference spread, without skew. Lines: each maker's best tier;{tiers} dotted: the exchange. "
        f"{_why([(names, best < reference * (1 - 1e-12)) for best, _, names in quotes.values()])}"
    )
    of = "" if scenario.market.spreads_scale_with_price else " of the initial price"
    return Figure("price_curves", caption, lines, _axis_of(size), Axis(f"spread (bp{of})"))


def client_sizes(run: PicturedRun) -> Figure:
    """The figure of `plot_client_sizes`."""
    traded = run.paths.orders["size"]
    grid = _sizes(run.scenario)
    edges = np.linspace(grid[0], grid[-1], _BINS + 1)
    within = np.minimum(traded, edges[-1])
    orders, volume = (100 * np.histogram(within, edges, weights=w)[0] / max(w.sum(), 1e-300) for w in (traded**0, traded))
    middle = (edges[:-1] + edges[1:]) / 2
    marks: list[Mark] = [
        Bars(middle, volume, "clients' volume", COLOURS[4], edges[1]),
        Line(middle, orders, "clients' orders", "0.3", 1.2),
    ]
    caption = f"The sizes of {len(traded):,} orders of {run.replicas}; the last bar holds what lies beyond."
    return Figure("client_sizes", caption, marks, _axis_of(edges), Axis("share (%)"))


def price_curves_panels(run: PicturedRun) -> Panels:
    """Prices by size, and beneath them the sizes that are traded."""
    curves, sizes = all_price_curves(run.scenario), client_sizes(run)
    caption = f"{curves.caption} Below: {sizes.caption[0].lower()}{sizes.caption[1:]}"
    return Panels("price_curves", "Prices and sizes", caption, [curves, sizes], 1, (4.0, 1.5), share_y=False)


def price_curves(scenario: Scenario, maker: str, size: Array | None = None, scale: float = BASIS_POINTS) -> list[Line]:
    """One maker's curves by tier, five tiers at most, and the reference curve.

    `size` (n,) are the sizes drawn, those that are traded if not given; spreads in 1 / `scale` of the price, by default basis
    points. Raises ParameterError for a maker that is not there."""
    agent = next((agent for agent in scenario.makers if agent.name == maker), None)
    if agent is None:
        raise ParameterError(f"maker: must be one of {', '.join(scenario.maker_names)}, got {maker!r}")
    exchange, s0 = scenario.exchange, scenario.market.reference_spread.mean
    size, scale, tiers = _sizes(scenario) if size is None else size, _scale(scenario, scale), agent.tiering.tiers
    deepest = max(maker.tiering.tiers for maker in scenario.makers) - 1
    lines = []
    for tier in sorted({*np.linspace(0, tiers - 1, min(tiers, 5)).astype(int).tolist()}):
        colour = shade(0.25 + 0.7 * tier / max(deepest, 1))
        lines.append(Line(size, scale * agent.pricing.spread(size, tier, s0, exchange), f"tier {tier}", colour, 1.5))
    return [*lines, Line(size, scale * exchange.reference_spread(size, s0), "reference", width=1.2, style="--")]


def _sizes(scenario: Scenario) -> Array:
    """Sizes that clients trade, from 0 to large ones, (n,)."""
    typical = max(agent.order_size.typical_largest for agent in scenario.agents)
    return np.linspace(0.0, min(typical, 0.9 * scenario.exchange.v_max), 200)


def _axis_of(sizes: Array) -> Axis:
    return Axis("size (units)", limits=(0.0, float(sizes[-1])))


def _scale(scenario: Scenario, scale: float) -> float:
    """What a spread is multiplied by to be in 1 / `scale` of the price."""
    return scale / (1.0 if scenario.market.spreads_scale_with_price else scenario.market.mid_price.initial)


def _why(cheaper: Sequence[tuple[list[str], Array]]) -> str:
    """Why anybody trades with a maker that is dearer than the exchange."""
    below = [name for names, where in cheaper if where.any() for name in names]
    question = "Why trade with a maker that is dearer than the exchange? Clients cannot reach the exchange, makers can."
    if below:
        return f"{question} Cheaper than it, for some sizes: {together(below)}."
    return (
        f"{question} No maker is cheaper than it (where α ≥ 1 none can be), so that hedging at the venue best is hedging at the "
        "exchange."
    )
