"""The figure of regret: what policies quote and hedge where they hold a position, beside what is optimal there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dealermarket.plots.drawing import draw_panels
from dealermarket.plots.figure import Axis, Figure, Level, Line, Mark, Panels
from dealermarket.plots.style import COLOURS, STYLE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Picture

_PANELS = {"eps_buy": "ε for clients who buy", "eps_sell": "ε for clients who sell", "hedge_size": "hedge in a step"}


def plot_regret(actions: Mapping[str, pd.DataFrame], optimum: str, title: str) -> Picture:
    """A panel for each of the two prices and one for the hedge, over the position held into a step: the mean of what each policy
    did there, the optimum's in black. `actions` are those of regrets, by label; `optimum` is the label of the optimum."""
    from matplotlib import rc_context

    figures = []
    for column, name in _PANELS.items():
        marks: list[Mark] = [Level(0.0)]
        others = [label for label in actions if label != optimum]
        for n, label in enumerate(others):
            frame = actions[label]
            marks.append(Line(frame["position"].to_numpy(), frame[column].to_numpy(), label, COLOURS[n % len(COLOURS)]))
        best = actions[optimum]
        marks.append(Line(best["position"].to_numpy(), best[column].to_numpy(), optimum, "black", 2.0, "--"))
        unit = " (units of the asset)" if column == "hedge_size" else ""
        figures.append(Figure(column, name, marks, Axis("position (units of the asset)"), Axis(name + unit), name))
    caption = "Means of what each policy did, over the positions that it held. A hedge below 0 sells."
    panels = Panels("regret", title, caption, figures, columns=3, share_y=False, share_x=False)
    with rc_context(STYLE):
        return draw_panels(panels)
