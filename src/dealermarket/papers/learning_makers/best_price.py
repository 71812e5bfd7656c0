"""The best constant price: what the market pays for a price that never changes, beside what theory says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import comparisons
from dealermarket.papers import Column, Experiment, Table, Verdict, above, agrees, estimated, number, overall
from dealermarket.papers.glossary import words
from dealermarket.plots import COLOURS, Axis, Figure, Legend, Level, Line, Mark, Points
from dealermarket.study import LEVEL, Array, Estimate, Study, joint, mean, observe, ratio

FOLLOW_UP = "Follow-up paper (Ganesh et al., arXiv 1911.05892)"
LEARNER, COMPETITOR = 0, 1
ALONE = "alone"  # the learner at eps 0, and nobody else worth a look: what the market's volume is worth
MARGIN = 0.05  # a share must be known this well for agreement to mean something
ROUNDING = 1e-9


@dataclass(frozen=True)
class Rival:
    """A competitor with eps of a known distribution: `beyond` is the share of clients that a price keeps, 1 - F(eps)."""

    label: str
    words: str  # the same in a sentence
    policy: str  # its kind and fields
    beyond: Callable[[Array], Array]
    best: float  # eps, among those of the grid

    @property
    def short(self) -> str:
        """The words without the competitor."""
        return self.words.removeprefix("a competitor ")

    def theory(self, eps: Array) -> Array:
        """What constant prices earn of what the whole volume is worth at eps 0."""
        return np.asarray((1.0 + eps) * self.beyond(eps))


def _uniform(width: float) -> Callable[[Array], Array]:
    return lambda eps: np.clip((width - eps) / (2.0 * width), 0.0, 1.0)


HELD = 0.3
RIVALS = (
    Rival("random, U[−1, 1]", "a competitor with a random ε between −1 and 1", "random low=-1.0 high=1.0", _uniform(1.0), 0.0),
    Rival("random, U[−½, ½]", "a competitor with a random ε between −½ and ½", "random low=-0.5 high=0.5", _uniform(0.5), -0.25),
    Rival(
        f"persistent, {HELD:g}",
        f"a competitor that stays at ε = {HELD:g}",
        f"persistent low={HELD} high={HELD}",
        lambda eps: (np.sign(HELD - eps) + 1.0) / 2.0,
        0.25,
    ),
)
GRID = np.unique(np.round(np.concatenate([np.arange(-0.9, 1.0, 0.1), np.arange(-0.45, 0.5, 0.05)]), 2)) + 0.0


class BestPrice(Experiment):
    """Constant prices on common random numbers, against competitors whose prices have a known distribution."""

    name = "best-price"
    title = "The best constant price"
    source = FOLLOW_UP
    question = (
        "Clients pay S_ref (1 + ε) and go to the cheaper maker. Which ε, kept for ever, earns most against a competitor whose ε "
        "is drawn anew at each step, or also stays? Theory says: the one with the largest (1 + ε)(1 − F(ε))."
    )
    words = words("ε", "F(ε)", "worth of the volume")
    preset = "learning"
    settings = ("investors.0.count=4", "steps=500", "description='Four investors of one unit, and two makers who set ε'")
    runs = 800
    studied = LEARNER
    moves = ("makers.*.policy",)

    def needs(self, scenario: Scenario) -> str | None:
        return decided_by_eps(scenario)

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [Study(rival.label, _variants(scenario, rival), runs, observe.totals) for rival in RIVALS]

    def verdicts(self) -> list[Verdict]:
        return [verdict for rival in RIVALS for verdict in (self._best(rival), self._curve(rival))]

    def _best(self, rival: Rival) -> Verdict:
        best = self._revenue(rival, rival.best)
        others = [eps for eps in GRID if eps != rival.best]
        ahead = [mean(best - self._revenue(rival, eps), joint(len(others))) for eps in others]
        behind = [bool(lead.high < 0) for lead in ahead]
        nearest = min(range(len(others)), key=lambda n: float(ahead[n].high if any(behind) else ahead[n].low))
        lead = ahead[nearest].scaled(1 / float(np.mean(best)))
        highest = GRID[np.argmax([np.mean(self._revenue(rival, eps)) for eps in GRID])]
        return Verdict(
            f"best against {rival.label}",
            f"Against {rival.words} the best of the ε tried is {number(rival.best, 2)}, as theory says.",
            overall(*map(above, ahead)),
            f"ε = {number(rival.best, 2)} earns more than {sum(bool(lead.low > 0) for lead in ahead)} of the "
            f"{len(others)} others; those that earn more than it: {sum(behind) or 'none'} (paired, {comparisons(len(others))}). "
            f"{'Furthest ahead of it' if any(behind) else 'The hardest to tell from it'} is ε = {number(others[nearest], 2)}: "
            f"the theory's earns {estimated(lead, 2, 100)} % more. The highest mean is that of ε = {number(highest, 2)}.",
        )

    def _curve(self, rival: Rival) -> Verdict:
        share, expected = self._shares(rival, joint(len(GRID))), rival.theory(GRID)
        known = float(np.max(share.margin))
        # where every run says the same the interval is a point, and equal up to rounding is equal
        allowed = Estimate(share.value, share.error, share.low - ROUNDING, share.high + ROUNDING)
        inside = (allowed.low <= expected) & (expected <= allowed.high)
        return Verdict(
            f"curve against {rival.label}",
            f"Against {rival.words} every ε tried earns what theory says: (1 + ε)(1 − F(ε)) of the worth of the volume.",
            agrees(allowed, expected, known, MARGIN),
            f"{int(inside.sum())} of {len(inside)} intervals contain the theory's value ({comparisons(len(GRID))}). The widest "
            f"is ± {number(known, 3)}, and the claim needs ± {MARGIN} or less.",
        )

    def tables(self) -> Iterator[Table]:
        columns = [Column("eps", "ε", 2, GRID)]
        for k, rival in enumerate(RIVALS):
            columns.append(Column(f"found_{k}", rival.short, 3, self._shares(rival)))
            columns.append(Column(f"theory_{k}", "theory", 3, rival.theory(GRID)))
        yield Table.of(
            "revenue",
            "Spread revenue of a constant ε, as a share of the worth of the volume, against each competitor.",
            range(len(GRID)),
            *columns,
        )

    def figures(self) -> Iterator[Figure]:
        fine = np.linspace(-1.0, 1.0, 801)
        marks: list[Mark] = []
        for rival, colour in zip(RIVALS, COLOURS, strict=False):
            marks += [
                Line(fine, rival.theory(fine), colour=colour, width=1.0, style=":"),
                Points(GRID, self._shares(rival), rival.short, colour, style=""),
                Level(rival.best, "x", colour, 0.5),
            ]
        yield Figure(
            "revenue",
            "What a constant ε earns against three competitors. Points: these runs, with 95 % intervals. Dotted: theory, "
            "(1 + ε)(1 − F(ε)). Upright lines: the best of the ε tried, by theory.",
            marks,
            x=Axis("constant ε"),
            y=Axis("revenue / worth of the volume"),
            legend=Legend(title="against a competitor", below=True, columns=1),
            size=(4.8, 4.3),
        )

    def _revenue(self, rival: Rival, eps: float) -> Array:
        """Spread revenue of the learner in each run, (replicas,)."""
        return self.own(rival.label, f"{eps:g}", "spread_revenue")

    def _shares(self, rival: Rival, level: float = LEVEL) -> Estimate:
        """The same over what the whole volume earns at eps 0, of every eps of the grid."""
        whole = self.own(rival.label, ALONE, "spread_revenue")
        return Estimate.stacked(ratio(self._revenue(rival, eps), whole, level) for eps in GRID)


def decided_by_eps(scenario: Scenario) -> str | None:
    """What is needed so that clients go by eps alone and there is one competitor, and the theory applies; None if it does."""
    if any(maker.tiering.tiers > 1 or maker.pricing != scenario.makers[LEARNER].pricing for maker in scenario.makers):
        return "makers with one tier and equal pricing, so that eps alone decides"
    return two_makers(scenario)


def two_makers(scenario: Scenario) -> str | None:
    """What is needed where there are not two makers."""
    return f"two makers, {scenario.name!r} has {len(scenario.makers)}" if len(scenario.makers) != 2 else None


def playing(scenario: Scenario, competitor: str, learner: str = "") -> Scenario:
    """The scenario in which its makers have these policies: a kind and its fields, such as "random low=-1.0 high=1.0"."""
    described = [(maker, f"kind={text}".split()) for maker, text in ((COMPETITOR, competitor), (LEARNER, learner)) if text]
    return scenario.with_settings(*(f"makers.{maker}.policy.{field}" for maker, fields in described for field in fields))


def constant(eps: float) -> str:
    """The policy of a maker with a constant eps."""
    return f"persistent low={eps} high={eps}"


def _variants(scenario: Scenario, rival: Rival) -> dict[str, Scenario]:
    alone = playing(scenario, constant(1e6), constant(0.0))
    return {f"{eps:g}": playing(scenario, rival.policy, constant(float(eps))) for eps in GRID} | {ALONE: alone}
