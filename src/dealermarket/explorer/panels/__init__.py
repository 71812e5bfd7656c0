"""What the page shows of a market: a file a panel, each a function of a `View` that returns plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dealermarket.explorer.panels.makers import makers
from dealermarket.explorer.panels.markouts import markouts
from dealermarket.explorer.panels.pnl import pnl
from dealermarket.explorer.panels.position import position
from dealermarket.explorer.panels.prices import prices
from dealermarket.explorer.panels.rewards import rewards
from dealermarket.explorer.panels.tiers import tiers
from dealermarket.explorer.panels.view import View

PANELS: Mapping[str, Callable[[View], dict[str, Any]]] = {
    panel.__name__: panel for panel in (makers, position, rewards, prices, tiers, markouts, pnl)
}
"""By name, as a page asks for them."""

__all__ = ["PANELS", "View"]
