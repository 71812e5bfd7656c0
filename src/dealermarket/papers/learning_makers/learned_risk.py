"""Learning to manage risk: what penalties for inventory do to prices, inventory and P&L."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Results, Table, TrainedStudy, Verdict, above, bracketed, number, overall
from dealermarket.papers.learning_makers import learned
from dealermarket.plots import COLOURS, Axis, Dots, Figure, Legend, Level, Line, Mark
from dealermarket.study import Array, mean

STEPS = 700_000
BINS = 12  # of positions, as many points in each
NEUTRAL = "no penalty"
PENALTIES = {
    NEUTRAL: {},
    "inventory P&L squared": {"inventory_pnl_squared": 0.02},
    "inventory squared": {"inventory_squared": 2.0},
    "inventory losses": {"inventory_loss": 0.3},
}
PENALISED = [label for label in PENALTIES if label != NEUTRAL]


class LearnedRisk(learned.LearnedExperiment):
    """The same maker trained on P&L alone, and with each of three risk penalties."""

    name = "learned-risk"
    title = "Learning to manage inventory"
    question = (
        "What does a maker learn when its reward is P&L less a penalty for risk: does it skew its prices against its inventory, "
        "and do penalties cut inventory and the spread of P&L?"
    )
    moves = ("makers.0.policy",)

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        return [self.trained(label, scenario, runs, STEPS, {"weights": "pnl", **penalty}) for label, penalty in PENALTIES.items()]

    def verdicts(self, scenario: Scenario, results: Results) -> Iterator[Verdict]:
        yield from (_skew(results, label) for label in PENALISED)
        yield from (_calmer(scenario, results, label) for label in PENALISED)

    def tables(self, scenario: Scenario, results: Results) -> Iterator[Table]:
        unit = learned.worth(scenario)

        def column(name: str, heading: str, digits: int, measure: str, unit: float = 1.0, scale: float = 1.0) -> Column:
            return Column(
                name, heading, digits, lambda label: learned.joint_mean(learned.over_seeds(results, label, measure) / unit), scale
            )

        yield Table.of(
            "penalties",
            "What a maker learns with and without a risk penalty. Money as a share of what the whole volume of a run is "
            "worth at ε = 0; 95 % intervals over the trainings in brackets.",
            PENALTIES,
            Column("penalty", "penalty for", value=str),
            Column("weight", "weight", value=lambda label: ", ".join(number(w, 2) for w in PENALTIES[label].values())),
            column("lean", "slope of ε_sell − ε_buy, a unit", 4, "lean"),
            Column("inventory", "mean |position| (units)", 1, lambda label: mean(_inventory(results, label))),
            Column("spread", "sd of P&L, %", 1, lambda label: mean(_spread(results, label) / unit), 100),
            column("income", "spread revenue, %", 1, "spread_revenue", unit, 100),
            column("hedging", "hedging cost, %", 1, "hedging_cost", unit, 100),
            column("hedge", "hedged, % of position", 1, "hedge_fraction", scale=100),
        )

    def figures(self, scenario: Scenario, results: Results) -> Iterator[Figure]:
        yield _skew_figure(results)
        caption = "Inventory while training, with and without a risk penalty, exploration included."
        yield learned.curves(results, {label: label for label in PENALTIES}, "inventory", caption)


def _skew(results: Results, label: str) -> Verdict:
    slopes = learned.over_seeds(results, label, "lean")
    slope, trainings = learned.joint_mean(slopes), ", ".join(number(float(own), 4) for own in slopes.mean(axis=1))
    return Verdict(
        f"skew: {label}",
        f"Penalised for {label}, it skews against its inventory: ε_sell − ε_buy rises with the position.",
        learned.unless_few_seeds(above(slope), results, label),
        f"Slope {bracketed(slope, 4)} a unit; {trainings} in the trainings.",
    )


def _calmer(scenario: Scenario, results: Results, label: str) -> Verdict:
    inventory = mean(_inventory(results, NEUTRAL) - _inventory(results, label))
    spread = mean((_spread(results, NEUTRAL) - _spread(results, label)) / learned.worth(scenario))
    return Verdict(
        f"calmer: {label}",
        f"Penalising {label} cuts the mean inventory and the spread of P&L.",
        learned.unless_few_seeds(overall(above(inventory), above(spread)), results, label),
        f"Mean |position| is {bracketed(inventory, 1)} units smaller, the standard deviation of a run's P&L smaller by "
        f"{bracketed(spread, 0, 100)} % of the volume's worth.",
    )


def _skew_figure(results: Results) -> Figure:
    marks: list[Mark] = []
    for label, colour in zip(PENALTIES, COLOURS, strict=False):
        points = np.concatenate([seed["points"] for seed in learned.by_seed(results, label)])
        position, lean = points[:, 0], points[:, 2] - points[:, 1]
        bins = np.array_split(np.argsort(position), BINS)
        middle = [position[own].mean() for own in bins], [lean[own].mean() for own in bins]
        marks += [Dots(position, lean, colour), Line(*middle, label, colour, 2)]
    widest = max(float(np.abs(seed["points"][:, 0]).max()) for seed in learned.by_seed(results, PENALISED[0]))
    return Figure(
        "skew",
        "The skew that trained makers choose, by their position: above 0, clients who sell to the maker pay more than "
        f"clients who buy. Dots: a sample of steps of all trainings; lines: means of {BINS} groups of them, by position. "
        "Positions beyond the frame are left out.",
        [*marks, Level(0, colour="#888888", width=0.6)],
        x=Axis("position (units)", limits=(-1.5 * widest - 1, 1.5 * widest + 1)),
        y=Axis("ε_sell − ε_buy"),
        legend=Legend(8, title="penalty for"),
    )


def _inventory(results: Results, label: str) -> Array:
    """Mean |position| of every training, (seeds,)."""
    return np.asarray(learned.over_seeds(results, label, "abs_position").mean(axis=1))


def _spread(results: Results, label: str) -> Array:
    """Standard deviation over the runs of a run's P&L, of every training, (seeds,)."""
    return np.asarray(learned.over_seeds(results, label, "pnl").std(axis=1, ddof=1))
