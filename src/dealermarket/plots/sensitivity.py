"""The figure of a sensitivity: Sobol indices of each field as bars, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.plots.drawing import draw_panels
from dealermarket.plots.figure import Axis, Bars, Bounds, Figure, Mark, Panels, Whiskers
from dealermarket.plots.style import COLOURS, STYLE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Picture

Array = NDArray[Any]


def plot_sensitivity(frame: pd.DataFrame, names: Sequence[str], title: str) -> Picture:
    """Bars of `first` and `total` of each field, the largest total on top; `frame` is that of a sensitivity, `names` what its
    fields are called."""
    from matplotlib import rc_context

    order = np.argsort(frame["total"].to_numpy(), kind="stable")
    rows, places = frame.iloc[order], np.arange(len(frame), dtype=np.float64)
    marks: list[Mark] = []
    for name, label, colour, above in (("first", "alone", COLOURS[0], 0.2), ("total", "with interactions", COLOURS[1], -0.2)):
        estimate = Bounds.of(rows, name, f"{name}_low", f"{name}_high")
        marks += [
            Bars(places + above, estimate.value, label, colour, 0.38, across=True),
            Whiskers(places + above, estimate, across=True),
        ]
    y = Axis(ticks=[names[n] for n in order], limits=(-0.6, len(frame) - 0.4))
    figure = Figure("sensitivity", "Sobol indices", marks, Axis("share of the variance"), y)
    caption = "Sobol indices of first order and total; bars: 95 % intervals by bootstrap."
    panels = Panels("sensitivity", title, caption, [figure], heights=(max(2.0, 0.9 + 0.45 * len(frame)),), width=7.0)
    with rc_context(STYLE):
        return draw_panels(panels)
