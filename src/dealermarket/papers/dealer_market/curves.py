"""Curves: the reference price curve and a maker's prices by size and tier (Figs 2 and 3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Experiment, Table, Verdict, basis_points, decided, number
from dealermarket.papers.glossary import words
from dealermarket.plots import COLOURS, Axis, Figure, Line, price_curves

# The paper's curves at its parameters, spreads in percent of the price.
REFERENCE = {0: 0.0075, 50: 0.008186, 100: 0.009022, 150: 0.010066, 200: 0.011411, 250: 0.013217, 300: 0.015788}
PENALISED = (300, 0.017008)
TIERS = (0.0075, 0.0085, 0.0095, 0.0105, 0.0115)
HALF_DIGIT = 0.5e-6


class Curves(Experiment):
    """The curves themselves: no simulation, only formulas against the paper's values."""

    name = "curves"
    title = "Price curves"
    source = "Figs 2 and 3"
    question = "Are the reference curve, the volume penalty and the tier penalty those that the paper draws?"
    words = words("reference curve", "α", "tier")
    preset = "paper"
    settings = ("exchange.v_max=500.0", "makers.0.pricing.alpha=1.1")
    runs = 0
    makers_needed = 1

    def needs(self, scenario: Scenario) -> str | None:
        largest, limit = PENALISED[0], scenario.exchange.v_max
        if limit <= largest:
            return f"an exchange.v_max above {largest}, the largest size compared; {scenario.name!r} has {limit:g}"
        return None

    def verdicts(self) -> Iterator[Verdict]:
        away = np.array([abs(point["here"] - point["paper"]) for point in self._points()])
        equal = away <= HALF_DIGIT
        yield Verdict(
            "points",
            "Every point of the curves that the paper gives is met, to its last digit.",
            decided(equal, ~equal),
            f"{int(equal.sum())} of {len(away)} points agree. The largest difference is {number(away.max(), 7)} % of the price; "
            f"the paper's last digit leaves {number(HALF_DIGIT, 7)} % open.",
        )

    def tables(self) -> Iterator[Table]:
        yield Table.of(
            "points",
            f"Spread per unit where the exchange's bid and ask for the smallest size are s0 = "
            f"{basis_points(self.scenario) / 100 * self._s0:g} % of the price apart.",
            self._points(),
            Column("curve", "curve"),
            Column("size", "size (units)", 0),
            Column("paper", "paper (% of price)", 6),
            Column("here", "here (% of price)", 6),
        )

    def figures(self) -> Iterator[Figure]:
        scenario, s0, percent = self.scenario, self._s0, basis_points(self.scenario) / 100
        exchange, maker = scenario.exchange, scenario.makers[0]
        size = np.linspace(0.0, 0.7 * exchange.v_max, 200)
        penalised = percent * maker.pricing.spread(size, 0, s0, exchange)
        of = "" if scenario.market.spreads_scale_with_price else " of the initial price"
        yield Figure(
            "figure-2",
            "Fig. 2. The reference curve, and a maker's curve with a volume penalty. Circles: the paper's values.",
            [
                Line(size, percent * exchange.reference_spread(size, s0), "reference curve", width=1.2, style="--"),
                Line(size, penalised, f"maker, α = {maker.pricing.power_of_reference:g}, best tier", COLOURS[0], 1.5),
                Line(list(REFERENCE), list(REFERENCE.values()), "paper", style="", marker="hollow"),
                Line([PENALISED[0]], [PENALISED[1]], colour=COLOURS[0], style="", marker="hollow"),
            ],
            x=Axis("size (units)"),
            y=Axis("spread per unit (% of price)"),
        )
        yield Figure(
            "figure-3",
            "Fig. 3. A maker's prices by tier. Circles: where the paper's curves start.",
            [
                *price_curves(scenario, maker.name, size, scale=1e2),
                Line(np.zeros(len(TIERS)), TIERS, "paper", style="", marker="hollow", beyond_frame=True),
            ],
            x=Axis("size (units)"),
            y=Axis(f"spread (%{of})"),
        )

    def _points(self) -> Iterator[dict[str, Any]]:
        """Every point that the paper gives, with its value and ours."""
        exchange, pricing, s0 = self.scenario.exchange, self.scenario.makers[0].pricing, self._s0
        percent, (largest, penalised) = basis_points(self.scenario) / 100, PENALISED
        sizes = np.array(list(REFERENCE), dtype=np.float64)
        reference = zip(sizes, REFERENCE.values(), exchange.reference_spread(sizes, s0), strict=True)
        points = [("reference", size, paper, here) for size, paper, here in reference]
        points += [(f"α = {pricing.power_of_reference:g}, tier 0", largest, penalised, pricing.spread(largest, 0, s0, exchange))]
        points += [(f"tier {tier}", 0, paper, pricing.spread(0.0, tier, s0, exchange)) for tier, paper in enumerate(TIERS)]
        for curve, size, paper, here in points:
            yield {"curve": curve, "size": float(size), "paper": paper, "here": float(percent * here)}

    @property
    def _s0(self) -> float:
        """The reference spread at which the curves are drawn: its mean, 0.015 % in the paper."""
        return self.scenario.market.mean_spread
