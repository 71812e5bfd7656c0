"""Hedging paths: a maker's net position with and without hedging (Fig. 4)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import in_steps
from dealermarket.papers import Column, Experiment, Table, Variation, Verdict, above, estimated, left_open, overall
from dealermarket.papers.glossary import words
from dealermarket.plots import COLOURS, Axis, Band, Figure, Legend, Line
from dealermarket.runs.statistics import quotient
from dealermarket.study import INFINITE, UNHEDGED, Array, Study, mean, observe, with_risk_aversion

PATIENT, HASTY = "γ = 0", ("γ = 1", "γ = ∞")
POLICIES = {UNHEDGED: UNHEDGED, PATIENT: "0", HASTY[0]: "1", HASTY[1]: INFINITE}
THOUSAND = 1000.0
DRAWN_RUNS, BAND_POINTS = 100, 300


class HedgingPaths(Experiment):
    """The same market four times, with four hedging policies of one maker."""

    name = "hedging-paths"
    title = "Net position with and without hedging"
    source = "Fig. 4"
    question = (
        "How does a maker's position z move without hedging, with patient hedging (γ = 0), and with hasty hedging (γ = 1 and ∞)?"
    )
    words = words("position z", "γ")
    preset = "hedging-paths"
    runs = 200
    moves = ("makers.0.hedging.kind", "makers.0.hedging.risk_aversion")
    variations = (
        *left_open(v_max=(5000.0, 20000.0), alpha=(1.1, 1.7), tier_penalty=(0.0, 1e-4)),
        *left_open(t_m=(1, 16), weight=(0.2,), log_std=(0.25, 0.75)),
        Variation("competitor's hedging", "makers.1.hedging.kind", ("optimal",)),
    )

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [Study("sizes", self._variants(scenario), runs, observe.position_sizes, "steps")]

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [Study("paths", self._variants(scenario), min(runs, DRAWN_RUNS), observe.paths, "steps")]

    def verdicts(self) -> Iterator[Verdict]:
        sizes = self._sizes
        largest = mean(sizes[UNHEDGED]["largest"])
        calmer = mean(sizes[UNHEDGED]["mean"] - sizes[PATIENT]["mean"])
        nearer = {label: mean(sizes[PATIENT]["median"] - sizes[label]["median"]) for label in HASTY}
        spikes = [mean(sizes[label]["spike"] - sizes[PATIENT]["spike"]) for label in HASTY]
        yield Verdict(
            "unhedged: thousands",
            "Without hedging the position reaches thousands of units.",
            above(largest, THOUSAND),
            f"The largest |z| of a run is {estimated(largest, 0)} units on average; the claim asks for more than "
            f"{THOUSAND:,.0f}.",
        )
        yield Verdict(
            "γ = 0: calmer",
            "Patient hedging keeps the position smaller than no hedging.",
            above(calmer),
            f"The mean |z| of a run is {estimated(calmer, 0)} units smaller (paired).",
        )
        gaps = ", ".join(f"{estimated(gap, 0)} units smaller at {label}" for label, gap in nearer.items())
        yield Verdict(
            "γ = 1, ∞: near 0",
            "Hasty hedging keeps the position nearer to 0 than patient hedging.",
            overall(*map(above, nearer.values())),
            f"The median |z| of a run is {gaps} than at {PATIENT} (paired).",
        )
        higher = ", and ".join(f"by {estimated(more, 0)} at {label}" for label, more in zip(HASTY, spikes, strict=True))
        yield Verdict(
            "γ = 1, ∞: spikes",
            "Hasty hedging leaves spikes: the largest |z| of a run, over its mean |z|, is higher than with patient hedging.",
            overall(*map(above, spikes)),
            f"It is {estimated(mean(sizes[PATIENT]['spike']), 0)} at {PATIENT}, and higher {higher} (paired).",
        )

    def tables(self) -> Iterator[Table]:
        yield Table.of(
            "positions",
            f"|z| at the beginning of a step (units), over the {self.scenario.steps:,} steps of a run: means over the runs.",
            [{"hedging": label} | {name: mean(size) for name, size in sizes.items()} for label, sizes in self._sizes.items()],
            Column("hedging", "hedging"),
            Column("mean", "mean of a run", 0),
            Column("median", "median of a run", 0),
            Column("largest", "largest of a run", 0),
            Column("spike", "largest / mean", 1),
        )

    def figures(self) -> Iterator[Figure]:
        unhedged = self.own("paths", UNHEDGED, "position")
        # of all panels
        widest = max(1.3 * max(np.abs(unhedged[0]).max(), np.quantile(np.abs(unhedged), 0.9, axis=0).max()), 1.0)
        steps = np.arange(unhedged.shape[1])
        times = steps[:: max(len(steps) // BAND_POINTS, 1)]
        yield Figure(
            "figure-4",
            "Fig. 4. Net position of the first run by hedging policy, at the same prices and orders. Policies with the same "
            "positions share a line.",
            [
                Line(steps, self.own("paths", labels[0], "position")[0], " and ".join(labels), colour, 0.8)
                for labels, colour in zip(self._distinct, COLOURS, strict=False)
            ],
            x=Axis(in_steps(self.scenario.market)),
            y=Axis("net position (units)", form="{x:,.0f}"),
            legend=Legend(below=True, columns=2),
            size=(4.8, 3.8),
        )
        for labels, colour in zip(self._distinct, COLOURS, strict=False):
            position = self.own("paths", labels[0], "position")
            low, high = np.quantile(position[:, times], [0.05, 0.95], axis=0)
            title = " and ".join(labels)
            name = labels[0].replace(" = ", "-").replace(" ", "-").replace("γ", "gamma").replace("∞", "infinite")
            same = " They hold the same positions in every run and are drawn once." if len(labels) > 1 else ""
            yield Figure(
                f"figure-4-{name}",
                f"Fig. 4, {title}: net position of the first run, and the band that holds 90 % of the runs drawn. Prices and "
                f"orders are the same in every panel.{same}",
                [
                    Band(times, low, high, "#BBBBBB", 0.6, f"5 to 95 % of {len(position)} runs"),
                    Line(steps, position[0], "the first run", colour, 0.7),
                ],
                x=Axis(in_steps(self.scenario.market)),
                y=Axis("net position (units)", limits=(-widest, widest), form="{x:,.0f}"),
                title=title,
                legend=Legend(below=True, columns=2),
                size=(4.8, 3.3),
            )

    def notes(self) -> Iterator[str]:
        for labels in self._distinct:
            if len(labels) > 1:
                why = ": γ = 1 already hedges everything at once" if labels == list(HASTY) else ""
                yield f"{' and '.join(labels)} hold the same positions in every run{why}."

    @property
    def _distinct(self) -> list[list[str]]:
        """The policies, in groups of those that hold the same positions in every run."""
        groups: list[list[str]] = []
        for label in POLICIES:
            own = self.own("sizes", label, "mean")
            same = next((group for group in groups if np.array_equal(own, self.own("sizes", group[0], "mean"))), None)
            if same is None:
                groups.append([label])
            else:
                same.append(label)
        return groups

    @property
    def _sizes(self) -> dict[str, dict[str, Array]]:
        """By policy, `mean`, `median` and `largest` |position| of the studied maker in a run, and `spike`, how many times the
        mean the largest is, NaN where nobody traded; each (replicas,)."""
        own = {label: measures.of(self.studied) for label, measures in self.results["sizes"].items()}
        return {label: sizes | {"spike": quotient(sizes["largest"], sizes["mean"])} for label, sizes in own.items()}

    def _variants(self, scenario: Scenario) -> dict[str, Scenario]:
        return {label: with_risk_aversion(scenario, self.studied, gamma) for label, gamma in POLICIES.items()}
