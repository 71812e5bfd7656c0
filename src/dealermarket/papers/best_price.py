"""The best constant price: what the market pays for a price that never changes, beside what theory says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Experiment, Results
from dealermarket.papers.findings import Column, Figure, Table, Verdict, interval_column, judged, number, with_interval
from dealermarket.plots.run import COLOURS, marked_line
from dealermarket.study import measures as observe
from dealermarket.study.estimates import LEVEL, Estimate, joint, mean, ratio
from dealermarket.study.study import Array, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLLOW_UP = "Follow-up paper (Ganesh et al., arXiv 1911.05892)"
LEARNER, COMPETITOR = 0, 1
ALONE = "alone"  # the learner at eps 0, and nobody else worth a look: what the market's volume is worth


@dataclass(frozen=True)
class Rival:
    """A competitor with eps of a known distribution: `beyond` is the share of clients that a price keeps, 1 - F(eps)."""

    label: str
    policy: str  # as settings
    beyond: Callable[[Array], Array]
    best: float  # eps, among those of the grid


def _uniform(width: float) -> Callable[[Array], Array]:
    return lambda eps: np.clip((width - eps) / (2.0 * width), 0.0, 1.0)


HELD = 0.3
RIVALS = (
    Rival("random, U[−1, 1]", "random low=-1.0 high=1.0", _uniform(1.0), 0.0),
    Rival("random, U[−½, ½]", "random low=-0.5 high=0.5", _uniform(0.5), -0.25),
    Rival(f"persistent, {HELD:g}", f"persistent low={HELD} high={HELD}", lambda eps: (np.sign(HELD - eps) + 1.0) / 2.0, 0.25),
)
GRID = np.unique(np.round(np.concatenate([np.arange(-0.9, 1.0, 0.1), np.arange(-0.45, 0.5, 0.05)]), 2)) + 0.0


class BestPrice(Experiment):
    """Constant prices on common random numbers, against competitors whose prices have a known distribution."""

    name = "best-price"
    title = "The best constant price"
    source = FOLLOW_UP
    question = (
        "Clients pay S_ref (1 + ε), and go to whoever is cheaper. Which constant ε earns most against a competitor whose ε "
        "has the distribution function F? Theory: the one with the largest (1 + ε)(1 − F(ε))."
    )
    preset = "learning"
    settings = ("investors.0.count=4", "steps=500")
    runs = 800
    moves = ("makers.*.policy",)

    def checked(self, scenario: Scenario) -> Scenario:
        return decided_by_eps(self.name, super().checked(scenario))

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [Study(rival.label, _variants(scenario, rival), runs, observe.totals) for rival in RIVALS]

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        return [verdict for rival in RIVALS for verdict in (self._best(results, rival), self._curve(results, rival))]

    def _best(self, results: Results, rival: Rival) -> Verdict:
        best = _revenue(results, rival, rival.best)
        others = [eps for eps in GRID if eps != rival.best]
        ahead = [mean(best - _revenue(results, rival, eps), joint(len(others))) for eps in others]
        nearest = min(range(len(others)), key=lambda n: float(ahead[n].value))
        gap = float(ahead[nearest].value / np.mean(best))
        found = GRID[np.argmax([np.mean(_revenue(results, rival, eps)) for eps in GRID])]
        return Verdict(
            f"best against {rival.label}",
            f"Against {rival.label} the best ε of the grid is {number(rival.best, 2)}, the theory's.",
            judged(all(bool(gap.low > 0) for gap in ahead), any(bool(gap.high < 0) for gap in ahead)),
            f"The best found is {number(found, 2)}; it earns more than {sum(bool(gap.low > 0) for gap in ahead)} of the "
            f"{len(others)} others, in paired runs with all intervals right at once. The strongest of them, "
            f"{number(others[nearest], 2)}, earns {number(abs(gap), 2, 100)} % {'less' if gap >= 0 else 'more'}.",
        )

    def _curve(self, results: Results, rival: Rival) -> Verdict:
        found = [_relative(results, rival, eps, joint(len(GRID))) for eps in GRID]
        expected = (1.0 + GRID) * rival.beyond(GRID)
        inside = [bool(e.low <= x <= e.high) or abs(e.value - x) < 1e-9 for e, x in zip(found, expected, strict=True)]
        known = max(float(e.high - e.value) for e in found)
        return Verdict(
            f"curve against {rival.label}",
            f"Against {rival.label} every constant ε earns (1 + ε)(1 − F(ε)) of what the volume is worth at ε = 0.",
            judged(all(inside) and known < 0.05, not all(inside)),
            f"{sum(inside)} of {len(inside)} points agree; all are known to ±{number(known, 3)}.",
        )

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        rows = []
        for eps in GRID:
            row = {"eps": eps}
            for n, rival in enumerate(RIVALS):
                row |= with_interval(f"found_{n}", _relative(results, rival, eps))
                row[f"theory_{n}"] = float((1.0 + eps) * rival.beyond(np.array(eps)))
            rows.append(row)
        columns = [Column("eps", "ε", 2)]
        for n, rival in enumerate(RIVALS):
            columns += [interval_column(f"found_{n}", rival.label, 3), Column(f"theory_{n}", "theory", 3)]
        return [
            Table(
                "revenue",
                "Spread revenue of a constant ε, as a share of what the whole volume earns at ε = 0; 95 % intervals over the "
                "runs in brackets.",
                pd.DataFrame(rows),
                tuple(columns),
            )
        ]

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        def draw(ax: Axes) -> None:
            fine = np.linspace(-1.0, 1.0, 801)
            for rival, colour in zip(RIVALS, COLOURS, strict=False):
                ax.plot(fine, (1.0 + fine) * rival.beyond(fine), color=colour, lw=1.0, ls=":")
                found = [_relative(results, rival, eps) for eps in GRID]
                values, highs = np.array([e.value for e in found]), np.array([e.high for e in found])
                marked_line(ax, GRID, values, highs, color=colour, ls="", label=rival.label)
                ax.axvline(rival.best, color=colour, lw=0.5)
            ax.set(xlabel="constant ε", ylabel="revenue / volume at ε = 0")
            ax.legend(fontsize=8, title="competitor", title_fontsize=8)

        caption = (
            "What a constant ε earns against three competitors. Marks: the market, with 95 % intervals; dotted: "
            "(1 + ε)(1 − F(ε)); upright lines: the theory's best of the grid."
        )
        return [Figure("revenue", caption, draw)]


def decided_by_eps(name: str, scenario: Scenario) -> Scenario:
    """The scenario, if clients go by eps alone and there is one competitor, so that the theory applies. Raises ParameterError."""
    if any(maker.tiering.tiers > 1 or maker.pricing != scenario.makers[LEARNER].pricing for maker in scenario.makers):
        raise ParameterError(f"{name}: needs makers with one tier and equal pricing, so that eps alone decides")
    if len(scenario.makers) != 2:
        raise ParameterError(f"{name}: needs two makers, {scenario.name!r} has {len(scenario.makers)}")
    return scenario


def rival_settings(rival: Rival, maker: str = "1") -> list[str]:
    """The settings that put a rival into the competitor's seat."""
    kind, *fields = rival.policy.split()
    return [f"makers.{maker}.policy.kind={kind}", *(f"makers.{maker}.policy.{field}" for field in fields)]


def constant(eps: float, maker: str = "0") -> list[str]:
    """The settings of a maker with a constant eps."""
    return [f"makers.{maker}.policy.kind=persistent", f"makers.{maker}.policy.low={eps}", f"makers.{maker}.policy.high={eps}"]


def _variants(scenario: Scenario, rival: Rival) -> dict[str, Scenario]:
    met = scenario.with_settings(*rival_settings(rival))
    alone = scenario.with_settings(*constant(0.0), *constant(1e6, "1"))
    return {f"{eps:g}": met.with_settings(*constant(float(eps))) for eps in GRID} | {ALONE: alone}


def _revenue(results: Results, rival: Rival, eps: float) -> Array:
    """Spread revenue of the learner in each run, (replicas,)."""
    return np.asarray(results[rival.label][f"{eps:g}"]["spread_revenue"][:, LEARNER])


def _relative(results: Results, rival: Rival, eps: float, level: float = LEVEL) -> Estimate:
    """The same over what the whole volume earns at eps 0."""
    return ratio(_revenue(results, rival, eps), results[rival.label][ALONE]["spread_revenue"][:, LEARNER], level)
