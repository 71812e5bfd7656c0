"""Contagion: some of six equal dealers hedge all at once at the exchange, the others wait for clients; who pays for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product

import numpy as np

from dealermarket.estimates import ratio_by_replica
from dealermarket.model.investors.demand.always import AlwaysTrades
from dealermarket.model.makers.policies import SkewMaker
from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import comparisons
from dealermarket.papers import Column, Experiment, Table, Verdict, above, below, estimated, number
from dealermarket.papers.games.contagion_market import (
    DECAY,
    IMPACTS,
    LASTING,
    NONE,
    PASSING,
    STRENGTH,
    largest_gain,
    market,
    measures,
)
from dealermarket.papers.glossary import words
from dealermarket.plots import COLOURS, Axis, Figure, Legend, Line, Mark, Points
from dealermarket.plots.figure import Style
from dealermarket.study import Array, Estimate, Study, joint, mean

STYLES: tuple[Style, ...] = ("-", "--", ":")  # of lines, one for each of them
ADDED = 0.01  # of the variance of the mid
FIXED, CHOSEN = "fixed", "re-optimised"
QUOTES = (FIXED, CHOSEN)
EPS = np.round(np.linspace(0.0, 0.8, 9), 1)
KEPT = 4  # place of the fixed one: the preset's
BASIS_POINT = 1e-4
Case = tuple[str, str, int]
"""Impact, quotes, and how many dealers externalize."""


class Contagion(Experiment):
    """None to all of the dealers externalize, without impact and with two kinds of it, at fixed and at re-optimised quotes."""

    name = "contagion"
    title = "Contagion: to internalize or to externalize"
    source = "What the abstract of arXiv:2606.06413 (2026) says of its own model, asked of this market (beyond both papers)"
    question = (
        "Six equal dealers compete for clients who may refuse. Each internalizes (it holds what it takes, and shades its quotes "
        "against its position) or externalizes (it hedges all at once at the exchange, at equal quotes for both sides). In the "
        "paper's model internalizers who compete with externalizers must externalize more themselves; all dealers then have much "
        "higher hedging costs, and clients much wider spreads. Here nobody changes sides by itself. Who pays for each dealer "
        "that does: clients, all dealers together, those who go on to internalize? And does it matter that hedges move the mid, "
        "for good or for a while?"
    )
    words = words("ε", "P&L", "basis point (bp)", "reservation", "internalize, externalize", "impact", "P&L without luck")
    preset = "contagion"
    runs = 200
    moves = (
        "market.impact",
        "makers.*.policy.eps",
        "makers.*.pricing.eps_buy",
        "makers.*.pricing.eps_sell",
    )
    headline = "pnl"

    def needs(self, scenario: Scenario) -> str | None:
        if any(isinstance(agent.demand, AlwaysTrades) for agent in scenario.agents):
            return "clients who may refuse: another demand than always"
        if any(not isinstance(maker.policy, SkewMaker) or maker.policy.hedge_fraction != 0.0 for maker in scenario.makers):
            return "dealers with the policy skew and a hedge_fraction of 0, who internalize"
        if any(maker.hedging.kind != "full" or getattr(maker.hedging, "venue", "") != "exchange" for maker in scenario.makers):
            return "dealers whose hedging is full at the exchange, which those who externalize do"
        if any(maker.replace(name="one") != scenario.makers[0].replace(name="one") for maker in scenario.makers):
            return "dealers who are equal in all but their names"
        return None

    # --- what is measured

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        every = product(IMPACTS, range(len(scenario.makers) + 1), range(len(EPS)))
        variants = {_label(impact, count, place): market(scenario, impact, count, EPS[place]) for impact, count, place in every}
        return [Study("dealers", variants, runs, measures, record="steps")]

    @property
    def dealers(self) -> int:
        """How many there are."""
        return len(self.scenario.makers)

    def cases(self, impacts: Sequence[str] = IMPACTS, quotes: Sequence[str] = QUOTES, first: int = 0) -> list[Case]:
        """All cases, those with `first` and more externalizers."""
        return list(product(impacts, quotes, range(first, self.dealers + 1)))

    def eps(self, case: Case) -> int:
        """The place of the common ε: where all together earn most in the runs with even numbers, if it is re-optimised."""
        impact, quotes, count = case
        if quotes == FIXED:
            return KEPT
        every = [self.results["dealers"][_label(impact, count, place)].total("income")[::2].mean() for place in range(len(EPS))]
        return int(np.argmax(every))

    def measured(self, case: Case, name: str, place: int | None = None) -> Array:
        """A measure by run, and by dealer if it is one of them, at an ε other than the case's own if that is said; where ε was
        re-optimised, of the runs with odd numbers alone."""
        impact, quotes, count = case
        found = self.results["dealers"][_label(impact, count, self.eps(case) if place is None else place)][name]
        return found if quotes == FIXED else found[1::2]

    def of_kind(self, externalizes: bool, case: Case) -> Array:
        """P&L without luck of a dealer that externalizes, or of one that does not, (runs,); NaN where there is none."""
        income, count = self.measured(case, "income"), case[2]
        own = income[:, :count] if externalizes else income[:, count:]
        return own.mean(axis=1) if own.shape[1] else np.full(len(income), np.nan)

    def together(self, case: Case) -> Array:
        """P&L without luck of all dealers, (runs,)."""
        return np.asarray(self.measured(case, "income").sum(axis=1))

    def paid(self, case: Case) -> Array:
        """What clients pay per unit over the mid: numbers of each run whose mean it is."""
        return ratio_by_replica(self.measured(case, "paid").sum(axis=1), self.measured(case, "volume").sum(axis=1))

    # --- claims

    def verdicts(self) -> Iterator[Verdict]:
        for quotes in QUOTES:
            yield self._rises(quotes)
            yield self._falls_together(quotes)
            yield self._switching_costs(quotes)
            yield self._everybody_loses(quotes)
        yield self._first_one_costs_the_others()
        yield self._contagion()
        yield self._volatility()

    def _changes(self, of: Callable[[Case], Array], before: Callable[[Case], Array], cases: Sequence[Case]) -> Estimate:
        """What one more externalizer changes, from the case with one less to each of `cases`, bp; at a joint level."""
        level = joint(len(cases))
        return Estimate.stacked(mean((of(case) - before(_one_less(case))) / self._unit, level) for case in cases)

    def _refuting(self, change: Estimate, cases: Sequence[Case]) -> Estimate:
        """The same changes; without bounds where they come with another ε and the runs do not tell that it is better: chance may
        have chosen it."""
        unsure = np.array([not self._surely_chosen(case, joint(len(cases))) for case in cases])
        low, high = np.where(unsure, -np.inf, change.low), np.where(unsure, np.inf, change.high)
        return Estimate(change.value, change.error, low, high)

    def _surely_chosen(self, case: Case, level: float) -> bool:
        """Whether the ε of a case is that of the case with one externalizer less, or earns more than that one."""
        own, former = self.eps(case), self.eps(_one_less(case))
        if own == former:
            return True
        at_own, at_former = (self.measured(case, "income", place).sum(axis=1) for place in (own, former))
        return bool(mean(at_own - at_former, level).low > 0)

    @property
    def _unit(self) -> float:
        return BASIS_POINT * self.scenario.market.initial_price

    def _rises(self, quotes: str) -> Verdict:
        cases = self.cases(quotes=[quotes], first=1)
        change = self._changes(self.paid, self.paid, cases)
        least = int(np.argmin(change.low))
        ends = [mean(self.paid((NONE, quotes, count)) / self._unit) for count in (0, self.dealers)]
        return Verdict(
            f"clients, {quotes}",
            f"Clients pay more with each dealer more that externalizes, with impact or without; quotes {_said(quotes)}.",
            above(change, refuted_by=self._refuting(change, cases)),
            f"Without impact they pay {estimated(ends[0], 3)} bp over the mid where all internalize, {estimated(ends[1], 3)} "
            f"where nobody does. The least change is {estimated(change[least], 4)} bp, at {_case(cases[least])} (paired, "
            f"{comparisons(len(cases))}).",
        )

    def _falls_together(self, quotes: str) -> Verdict:
        cases = self.cases(quotes=[quotes], first=1)
        change = self._changes(self.together, self.together, cases)
        least = int(np.argmax(change.high))
        ends = [mean(self.together((NONE, quotes, count)) / self._unit) for count in (0, self.dealers)]
        return Verdict(
            f"together, {quotes}",
            "All dealers together earn less with each dealer more that externalizes, with impact or without; quotes "
            f"{_said(quotes)}.",
            below(change, refuted_by=self._refuting(change, cases)),
            f"Without impact they earn {estimated(ends[0], 1)} bp × units where all internalize, {estimated(ends[1], 1)} where "
            f"nobody does. The least loss is at {_case(cases[least])}: {estimated(change[least], 1)} (paired, "
            f"{comparisons(len(cases))}).",
        )

    def _switching_costs(self, quotes: str) -> Verdict:
        cases = self.cases(quotes=[quotes], first=1)
        change = self._changes(partial(self.of_kind, True), partial(self.of_kind, False), cases)
        least = int(np.argmax(change.high))
        return Verdict(
            f"who switches, {quotes}",
            f"A dealer that goes over to externalize earns less than before, however many do so already; quotes {_said(quotes)}.",
            below(change, refuted_by=self._refuting(change, cases)),
            f"It loses least at {_case(cases[least])}: {estimated(change[least], 1)} bp × units (paired, "
            f"{comparisons(len(cases))}).",
        )

    def _everybody_loses(self, quotes: str) -> Verdict:
        cases = [case for case in self.cases([NONE], [quotes], 1) if case[2] < self.dealers]
        stay = partial(self.of_kind, False)
        change = self._changes(stay, stay, cases)
        least = int(np.argmax(change.low))
        ends = [mean(stay((NONE, quotes, count)) / self._unit) for count in (0, self.dealers - 1)]
        return Verdict(
            f"who stays, {quotes}",
            "It costs everybody: without impact, too, those who go on to internalize earn less with each dealer more that "
            f"externalizes; quotes {_said(quotes)}.",
            below(change, refuted_by=self._refuting(change, cases)),
            f"Among internalizers alone each earns {estimated(ends[0], 1)} bp × units; the last one who internalizes earns "
            f"{estimated(ends[1], 1)}. The largest change is {estimated(change[least], 1)}, at {_case(cases[least])} (paired, "
            f"{comparisons(len(cases))}).",
        )

    def _first_one_costs_the_others(self) -> Verdict:
        cases = [(LASTING, quotes, 1) for quotes in QUOTES]
        stay = partial(self.of_kind, False)
        change = self._changes(stay, stay, cases)
        others = self._changes(stay, stay, [(impact, FIXED, 1) for impact in (NONE, PASSING)])
        return Verdict(
            "the first one costs all",
            "With permanent impact the first dealer that externalizes costs every other one, too.",
            below(change),
            f"It changes what each of them earns by {estimated(change[0], 2)} bp × units at fixed quotes, by "
            f"{estimated(change[1], 2)} at re-optimised ones (paired, {comparisons(2)}). Without impact it is "
            f"{estimated(others[0], 2)}, with transient impact {estimated(others[1], 2)}, at fixed quotes.",
        )

    def _contagion(self) -> Verdict:
        cases = [case for case in self.cases([LASTING, PASSING], [FIXED], 1) if case[2] < self.dealers]
        level = joint(len(cases))

        def lost(case: Case) -> Estimate:
            without = self.of_kind(False, (NONE, *case[1:]))
            return mean((self.of_kind(False, case) - without) / self._unit, level)

        change = Estimate.stacked(map(lost, cases))
        least, most = int(np.argmax(change.high)), int(np.argmin(change.value))
        return Verdict(
            "contagion",
            "At fixed quotes those who internalize earn less where hedges move the mid than where they do not, as soon as "
            "somebody externalizes.",
            below(change),
            f"They lose most at {_case(cases[most])}, {estimated(change[most], 2)} bp × units each, and least at "
            f"{_case(cases[least])}, {estimated(change[least], 2)} (paired, {comparisons(len(cases))}).",
        )

    def _volatility(self) -> Verdict:
        cases = self.cases([LASTING, PASSING], [FIXED], 1)
        level = joint(len(cases))
        own = mean(self.measured((NONE, FIXED, 0), "squared_move"))
        added = Estimate.stacked(mean(self.measured(case, "squared_shift") / own.value, level) for case in cases)
        most = int(np.argmax(added.value))
        return Verdict(
            "volatility",
            f"What hedges add to the variance of the mid is less than {number(ADDED, 0, 100)} % of it, whoever externalizes.",
            below(added, ADDED),
            f"Without impact the mean square of the mid's moves in a step is {estimated(own.scaled(self._unit**-2), 2)} bp². "
            f"What impact moves adds most at {_case(cases[most])}, {estimated(added[most], 2, 100)} % of that "
            f"({comparisons(len(cases))}).",
        )

    def notes(self) -> Iterator[str]:
        gain = largest_gain(self.scenario)
        yield (
            "P&L is given without luck: spreads earned, less spreads paid for hedges, and what impact did to positions. Other "
            "moves of the mid are on average worth nothing to anybody here, for no client knows them, and would drown the rest."
        )
        yield (
            f"Impact is {number(STRENGTH, 0, 100)} % of what would let a round trip at the exchange earn more than its spread: "
            f"permanent {2.0 * gain:.3g} per unit, or transient {(1.0 + DECAY) * gain:.3g} with a decay of {DECAY:g} a step. "
            "More would pay dealers to trade to and fro."
        )
        yield (
            "A dealer that externalizes is a rival less who shades its quotes: those who go on to internalize find clients who "
            "trade the other way at better prices. Against that stands what its hedges do to the mid while they hold positions."
        )
        yield (
            f"Fixed quotes have ε = {number(float(EPS[KEPT]), 1)}. Re-optimised ones have the common ε, one of {len(EPS)} from "
            f"{number(float(EPS[0]), 1)} to {number(float(EPS[-1]), 1)}, at which all dealers together earn most, chosen on one "
            "half of the runs and judged on the other. It is what dealers who hold together would charge, and not an "
            "equilibrium, which “price-war” asks for."
        )
        yield (
            "The paper solves a game in continuous time, in which each dealer chooses how much it externalizes. Here that is all "
            "or nothing and set by hand, so that internalizers are driven to externalize is not asked; "
            "“who switches” says what it would bring by P&L alone. What a dealer saves by it is risk, which P&L leaves out."
        )

    # --- tables and figures

    def tables(self) -> Iterator[Table]:
        yield Table.of(
            "dealers",
            "By impact, quotes and the number of dealers who externalize: P&L without luck of a dealer of each kind and of all "
            "(bp × units a run), what clients pay over the mid per unit, the volume that they trade and the volume that is "
            "hedged, and the root mean square of the mid's moves in a step.",
            self.cases(),
            Column("impact", "impact", value=lambda case: case[0]),
            Column("quotes", "quotes", value=lambda case: case[1]),
            Column("externalizers", "externalizers", 0, lambda case: case[2]),
            Column("eps", "ε", 1, lambda case: float(EPS[self.eps(case)])),
            Column("externalizes", "externalizes", 1, lambda case: mean(self.of_kind(True, case) / self._unit), interval=False),
            Column("internalizes", "internalizes", 1, lambda case: mean(self.of_kind(False, case) / self._unit), interval=False),
            Column("together", "all", 1, lambda case: mean(self.together(case) / self._unit)),
            Column("paid", "clients pay, bp", 3, lambda case: mean(self.paid(case) / self._unit)),
            Column("volume", "volume", 0, lambda case: mean(self.measured(case, "volume").sum(axis=1)), interval=False),
            Column("hedged", "hedged", 0, lambda case: mean(self.measured(case, "hedged").sum(axis=1)), interval=False),
            Column("moves", "mid moves, bp", 3, self._root_mean_square),
        )

    def _root_mean_square(self, case: Case) -> float:
        return float(np.sqrt(self.measured(case, "squared_move").mean())) / self._unit

    def figures(self) -> Iterator[Figure]:
        counts = np.arange(self.dealers + 1)
        for quotes in QUOTES:
            marks: list[Mark] = []
            for impact, style in zip(IMPACTS, STYLES, strict=True):
                for externalizes, colour in ((False, COLOURS[0]), (True, COLOURS[1])):
                    kind = "externalizes" if externalizes else "internalizes"
                    there = counts[1:] if externalizes else counts[:-1]
                    own = [mean(self.of_kind(externalizes, (impact, quotes, int(n))) / self._unit) for n in there]
                    label = f"{kind}: {impact}"
                    marks.append(Points(there, Estimate.stacked(own), label, colour, style))
            yield Figure(
                "pnl" if quotes == FIXED else "pnl-re-optimised",
                f"P&L without luck of one dealer of each kind by how many externalize; quotes {_said(quotes)}. Behind the "
                "colon: the impact of hedges. Bars: 95 % intervals.",
                marks,
                x=Axis("dealers who externalize", at=counts.tolist()),
                y=Axis("P&L of a dealer (bp × units)"),
                title=f"What a dealer earns, quotes {_said(quotes)}",
                legend=Legend(below=True, columns=2),
                size=(5.4, 4.6),
            )
        lines: list[Mark] = [
            Line(
                counts,
                [mean(self.paid((impact, quotes, int(n))) / self._unit).value for n in counts],
                f"{quotes}: {impact}",
                COLOURS[QUOTES.index(quotes)],
                style=style,
                marker="filled",
            )
            for quotes in QUOTES
            for impact, style in zip(IMPACTS, STYLES, strict=True)
        ]
        yield Figure(
            "paid",
            "What clients pay over the mid per unit, by how many dealers externalize, at fixed and at re-optimised quotes. "
            "Behind the colon: the impact of hedges, which does not matter to it at fixed quotes.",
            lines,
            x=Axis("dealers who externalize", at=counts.tolist()),
            y=Axis("spread paid (bp)"),
            legend=Legend(below=True, columns=2),
            size=(5.4, 4.6),
        )


def _label(impact: str, externalizers: int, place: int) -> str:
    return f"impact {impact}, {externalizers} externalize, ε = {EPS[place]:g}"


def _one_less(case: Case) -> Case:
    impact, quotes, count = case
    return impact, quotes, count - 1


def _case(case: Case) -> str:
    impact, _, count = case
    return f"{count} who externalize{'s' if count == 1 else ''}, impact {impact}"


def _said(quotes: str) -> str:
    return "fixed" if quotes == FIXED else "re-optimised in common"
