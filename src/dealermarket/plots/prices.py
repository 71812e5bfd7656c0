"""Figures of prices: what makers quote by size beside the exchange, and the sizes that clients trade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.model.makers.hedging.base import TradingPolicy
from dealermarket.model.scenario import Scenario
from dealermarket.plots.drawing import drawn
from dealermarket.plots.figure import Axis, Bars, Figure, Line, Mark, Panels
from dealermarket.plots.pictured import PicturedRun, together
from dealermarket.plots.style import COLOURS, looks, sequence, shade
from dealermarket.runs.result import SimulationResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]
BASIS_POINTS = 1e4
_FEW = 5  # makers whose prices in the deepest tier are drawn, too
_BINS = 40
_VISIBLE = 0.05  # of an axis, over which lines can be told apart
_ALIKE = 0.01  # of the spread: prices that lie nearer are about the same


class _Quotes(NamedTuple):
    """What makers with the same prices quote by size in their best and in their deepest tier, (n,)."""

    best: Array
    deepest: Array
    makers: list[str]


def plot_price_curves(scenario: Scenario, ax: Axes | None = None) -> Axes:
    """What every maker quotes by size at the mean reference spread, without skew, and the exchange's curve.

    In basis points of the initial price, or of the mid where spreads scale with it. Solid: the best tier; dashed, of few makers:
    the deepest. Makers with the same prices have one line.

    Parameters
    ----------
    scenario : Scenario
        The market.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    return drawn(all_price_curves(scenario), ax)


def plot_client_sizes(run: SimulationResult | PicturedRun, ax: Axes | None = None) -> Axes:
    """Which sizes clients trade: the share of the orders, and of the volume, by size.

    Parameters
    ----------
    run : SimulationResult or PicturedRun
        A run. Where it did not record what is drawn, its first replicas are run again.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    RunFolderError
        What is drawn was not recorded, and the run cannot be run again.
    """
    return drawn(client_sizes(PicturedRun.of(run)), ax)


def all_price_curves(scenario: Scenario) -> Figure:
    """The figure of `plot_price_curves`."""
    size, s0 = traded_sizes(scenario), scenario.market.mean_spread
    scale = per_price(scenario, BASIS_POINTS)
    reference = scale * scenario.exchange.reference_spread(size, s0)
    quotes: dict[tuple[bytes, bytes], _Quotes] = {}
    for maker in scenario.makers:
        best, deepest = (scale * maker.pricing.spread(size, tier, s0, scenario.exchange) for tier in (0, maker.tiering.tiers - 1))
        quotes.setdefault((best.tobytes(), deepest.tobytes()), _Quotes(best, deepest, [])).makers.append(maker.name)
    drawn = list(quotes.values())
    colours, order = [colour for colour, _ in looks(len(drawn))], ""
    if len(drawn) > len(COLOURS):  # more than have a colour of their own
        drawn.sort(key=lambda each: float(each.best[-1]))
        colours, order = sequence(len(drawn)), ", the darker the dearer for large sizes"
    best_tiers = np.stack([reference, *(each.best for each in drawn)])
    tiers, apart = _deepest_tiers(drawn, best_tiers)
    marks: list[Mark] = []
    for each, colour in zip(drawn, colours, strict=True):
        marks.append(Line(size, each.best, together(each.makers), colour, 1.6 if len(drawn) <= len(COLOURS) else 1.0))
        if apart and (each.deepest != each.best).any():
            marks.append(Line(size, each.deepest, None, colour, 1.0, "--"))
    marks.append(Line(size, reference, "exchange", width=2.2, style=":"))
    caption = (
        f"Cost per unit at the mean reference spread, without skew. Solid: each maker's best tier{order}; {tiers}dotted: the "
        f"exchange. {_near(scenario, size, best_tiers)}{_why(scenario, drawn, reference)}"
    )
    of = "" if scenario.market.spreads_scale_with_price else " of the initial price"
    return Figure("price_curves", caption, marks, _axis_of(size), Axis(f"spread (bp{of})", plain=True))


def client_sizes(run: PicturedRun) -> Figure:
    """The figure of `plot_client_sizes`."""
    traded = run.paths.orders["size"]
    grid = traded_sizes(run.scenario)
    edges = np.linspace(grid[0], grid[-1], _BINS + 1)
    within = np.minimum(traded, edges[-1])
    orders, volume = (100 * np.histogram(within, edges, weights=w)[0] / max(w.sum(), 1e-300) for w in (traded**0, traded))
    middle = (edges[:-1] + edges[1:]) / 2
    marks: list[Mark] = [
        Bars(middle, volume, "clients' volume", COLOURS[4], edges[1]),
        Line(middle, orders, "clients' orders", "0.3", 1.2),
    ]
    caption = (
        f"The sizes of {len(traded):,} orders of {run.replicas}: of all orders, and of all volume, the share in each bar; "
        "the last holds what lies beyond."
    )
    return Figure("client_sizes", caption, marks, _axis_of(edges), Axis("% of all\norders, volume"))


def price_curves_panels(run: PicturedRun) -> Panels:
    """Prices by size, and beneath them the sizes that are traded."""
    curves, sizes = all_price_curves(run.scenario), client_sizes(run)
    caption = f"{curves.caption} Below: {sizes.caption[0].lower()}{sizes.caption[1:]}"
    return Panels("price_curves", "Prices and sizes", caption, [curves, sizes], 1, (4.0, 1.5), share_y=False)


def price_curves(scenario: Scenario, maker: str, size: Array | None = None, scale: float = BASIS_POINTS) -> list[Line]:
    """One maker's price curves by tier, five tiers at most, and the exchange's curve, as lines of a figure.

    Parameters
    ----------
    scenario : Scenario
        The market, at its mean reference spread.
    maker : str
        The name of the maker.
    size : array, (n,), optional
        The sizes, in units of the asset. Where left out, those that clients trade.
    scale : float
        Spreads are drawn in 1 / `scale` of the price: basis points by default.

    Returns
    -------
    list of Line
        One for each tier that is drawn, then that of the exchange.

    Raises
    ------
    ParameterError
        There is no such maker.
    """
    agent = next((agent for agent in scenario.makers if agent.name == maker), None)
    if agent is None:
        raise ParameterError(f"maker: must be one of {', '.join(scenario.maker_names)}, got {maker!r}")
    exchange, s0 = scenario.exchange, scenario.market.mean_spread
    size, scale, tiers = traded_sizes(scenario) if size is None else size, per_price(scenario, scale), agent.tiering.tiers
    deepest = max(maker.tiering.tiers for maker in scenario.makers) - 1
    lines = []
    for tier in sorted({*np.linspace(0, tiers - 1, min(tiers, 5)).astype(int).tolist()}):
        colour = shade(0.25 + 0.7 * tier / max(deepest, 1))
        lines.append(Line(size, scale * agent.pricing.spread(size, tier, s0, exchange), f"tier {tier}", colour, 1.5))
    return [*lines, Line(size, scale * exchange.reference_spread(size, s0), "reference", width=1.2, style="--")]


def traded_sizes(scenario: Scenario, count: int = 200) -> Array:
    """Sizes that clients trade, from 0 to large ones, (count,)."""
    typical = max(agent.order_size.typical_largest for agent in scenario.agents)
    return np.linspace(0.0, min(typical, 0.9 * scenario.exchange.v_max), count)


def _axis_of(sizes: Array) -> Axis:
    return Axis("size (units)", limits=(0.0, float(sizes[-1])))


def per_price(scenario: Scenario, scale: float) -> float:
    """What a spread is multiplied by to be in 1 / `scale` of the price."""
    return scale / (1.0 if scenario.market.spreads_scale_with_price else scenario.market.initial_price)


def _deepest_tiers(quotes: Sequence[_Quotes], best_tiers: Array) -> tuple[str, bool]:
    """What a caption says of the deepest tiers, and whether they are drawn: of few makers, where all can still be told apart."""
    deepest = np.stack([each.deepest for each in quotes])
    if len(quotes) > _FEW or (deepest == best_tiers[1:]).all():
        return "", False
    if np.ptp(best_tiers) < _VISIBLE * np.ptp(np.concatenate([best_tiers, deepest])):
        above = (deepest - best_tiers[1:]).max(axis=1)
        low, high = float(above.min()), float(above.max())
        between = f"{high:.2g} bp" if f"{low:.2g}" == f"{high:.2g}" else f"{low:.2g} to {high:.2g} bp"
        return f"their deepest tiers lie {between} above, beyond the axis; ", False
    return "dashed: its deepest tier; ", True


def _near(scenario: Scenario, size: Array, best_tiers: Array) -> str:
    """A sentence where all best tiers cost about the same, which is so where sizes are small to the exchange."""
    apart, spread = float(np.ptp(best_tiers, axis=0).max()), float(best_tiers[0, 0])
    if apart >= _ALIKE * spread:
        return ""
    if apart < 1e-9 * spread:
        return "All best tiers are at the price of the exchange. "
    share = size[-1] / scenario.exchange.v_max
    return (
        f"All best tiers lie within {apart:.1g} bp, since sizes are small: the largest drawn is {100 * share:.1g} % of the "
        "exchange's v_max. "
    )


def _why(scenario: Scenario, quotes: Sequence[_Quotes], reference: Array) -> str:
    """What the exchange is to clients and makers of this scenario, and so why anybody trades with a maker that is dearer."""
    hedging = {maker.name: maker.hedging.venue for maker in scenario.makers if isinstance(maker.hedging, TradingPolicy)}
    reaching = [name for name, venue in hedging.items() if venue != "makers"]
    below = [name for each in quotes if (each.best < reference * (1 - 1e-12)).any() for name in each.makers]
    clients = "Why trade with a maker that is dearer than the exchange? Clients cannot reach the exchange"
    if len(reaching) == len(scenario.makers):
        sentences = [f"{clients}, makers can."]
    elif reaching:
        sentences = [f"{clients}; of the makers, only {together(reaching)} can."]
    elif hedging:
        sentences = [f"{clients}, nor do makers hedge there, but with each other: it is what prices are made from."]
    else:
        sentences = [f"{clients}, and no maker hedges: it is what prices are made from."]
    if below:
        sentences.append(f"Cheaper than it, for some sizes: {together(below)}.")
    elif any(venue == "best" for venue in hedging.values()):
        sentences.append("No maker is cheaper than it, so that hedging at the venue best is hedging at the exchange.")
    return " ".join(sentences)
