"""Two makers whose clients may refuse: where undercutting ends, by grid and by learning, and what stops it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

from dealermarket.model.investors.demand.logistic import LogisticDemand
from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import comparisons
from dealermarket.papers import Column, Table, TrainedStudy, Verdict, above, agrees, below, estimated, number
from dealermarket.papers.glossary import words
from dealermarket.papers.learning_makers import learned, price_grid, two_learners
from dealermarket.papers.learning_makers.best_price import LEARNER, decided_by_eps
from dealermarket.papers.learning_makers.price_grid import ALL, ASKS, LOWEST, ONE, STEP, PriceGrid
from dealermarket.plots import COLOURS, Axis, Figure, Heat, Legend, Level, Line, Mark, Points
from dealermarket.study import Estimate, Study, joint, mean

ALWAYS = "both asked, no reservation"
TRAINED = (ALWAYS, ALL, ONE)
MARGIN = 0.05  # shares of the worth of the volume must be known this well
SAME = 0.1  # mean eps of two trainings that differ by less than this would be the same price of the grid
REACHED = 0.95  # share of the joint optimum


class ElasticLearners(learned.LearnedExperiment):
    """Constant prices of two makers, each against each, and makers who learn, where requests have reservations."""

    name = "elastic-learners"
    title = "Two learners, clients who may refuse"
    source = "The market of the follow-up paper, with requests that may be refused (beyond both papers)"
    question = (
        "A client trades only if the best quote is good enough: at x times the reference curve with probability "
        "F̄(x) = 1 / (1 + exp((x − m) / s)). Two makers who hold together then charge the joint optimum, "
        "x* = s (1 + W(exp(m/s − 1))). "
        "Does the reservation also give a floor to two makers who undercut each other? Where do two makers end who learn "
        f"at the same time, from ε = {learned.START:g}, if clients ask both of them, and if each request asks one of them, "
        "drawn at random?"
    )
    settings = ("investors.*.demand={kind='logistic', mean=1.5, scale=0.3}",)
    words = words("ε", "x, F̄(x)", "joint optimum", "worth of the volume", "training", "reward")
    moves = ("makers.*.policy", "makers.*.pricing.eps_buy", "makers.*.pricing.eps_sell", "investors.*.asks")
    studied = LEARNER

    def needs(self, scenario: Scenario) -> str | None:
        demand = scenario.agents[0].demand
        if not isinstance(demand, LogisticDemand) or any(agent.demand != demand for agent in scenario.agents):
            return "investors who all have the same logistic demand"
        if any(getattr(maker.pricing, "alpha", None) != 1.0 for maker in scenario.makers):
            return "makers with alpha 1, so that a quote is 1 + eps times the reference curve"
        return decided_by_eps(scenario)

    # --- what is measured

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return price_grid.grid_studies(scenario, runs)

    @property
    def grid(self) -> PriceGrid:
        """What was measured of constant prices."""
        return PriceGrid(self.scenario, self.results)

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        markets = {asked: price_grid.asking(scenario, asked) for asked in ASKS} | {ALWAYS: without_reservation(scenario)}
        return [
            self.trained(name, learned.started(market, [0, 1]), runs, two_learners.STEPS, learned.INCOME, scenario.maker_names)
            for name, market in markets.items()
        ]

    def notes(self) -> Iterator[str]:
        demand, end = self.grid.demand, LOWEST + STEP
        yield (
            f"Reservations have m = {demand.mean:g} and s = {demand.scale:g}: at the reference curve (ε = 0) "
            f"{number(float(demand.trade_share(1.0)), 0, 100)} % of the requests trade, at the joint optimum "
            f"{number(float(demand.trade_share(1.0 + self.grid.optimum)), 0, 100)} %. The papers know none; 1.5 and 0.3 were "
            "chosen so that the joint optimum lies among the prices that makers may charge, and is not where their learning "
            "starts."
        )
        yield (
            f"By the grid undercutting ends one step of it, {STEP:g}, above the price at which nothing is earned: who goes "
            "lower by another gives up all income, and who stays has half of it. With smaller steps it ends lower, and with "
            "steps as small as one likes where nothing is earned. The reservation does not change that, for near there hardly "
            f"anybody refuses: at ε = {number(end, 1)} {number(float(demand.trade_share(1.0 + end)), 0, 100)} % of the requests "
            "trade."
        )
        yield from super().notes()

    # --- claims

    def verdicts(self) -> Iterator[Verdict]:
        yield self._best_together()
        yield self._curve()
        yield self._answers(
            ALL,
            "no floor",
            "Where clients ask both makers, the best answer to a price above the joint optimum is the joint optimum, and to "
            f"every other the next lower one, down to ε = {number(LOWEST + STEP, 1)}, the lowest price tried that earns "
            "anything: a reservation is no floor.",
        )
        yield self._answers(
            ONE,
            "a floor",
            "Where a request asks one maker, the best answer to every price is the joint optimum, which nobody undercuts.",
        )
        yield from self._trained_verdicts()

    def _best_together(self) -> Verdict:
        best = price_grid.best_of(price_grid.FINE, self.grid.theory(price_grid.FINE))
        others = price_grid.but(best, price_grid.FINE)
        leads = Estimate.stacked(mean(self.grid.together(best) - self.grid.together(eps), joint(len(others))) for eps in others)
        nearest = int(np.argmin(leads.low))
        return Verdict(
            "joint optimum",
            f"Where both makers charge the same, ε = {number(best, 1)} earns most of the prices tried, as theory says.",
            above(leads),
            f"Theory has the optimum at ε = {number(self.grid.optimum, 3)}. The hardest to tell from ε = {number(best, 1)} is ε "
            f"= {number(others[nearest], 1)}, which earns {estimated(leads[nearest].scaled(100 / self.grid.joint), 2)} % of the "
            f"joint optimum less (paired, {comparisons(len(others))}).",
        )

    def _curve(self) -> Verdict:
        count = len(price_grid.FINE)
        found, expected = self.grid.shares(joint(count)), self.grid.theory(price_grid.FINE)
        inside = (found.low <= expected) & (expected <= found.high)
        known = float(np.max(found.margin))
        furthest = int(np.argmax(np.abs(found.value - expected)))
        return Verdict(
            "curve",
            "Every equal price earns both makers together what theory says: x F̄(x) of the worth of the volume, with x = 1 + ε.",
            agrees(found, expected, known, MARGIN),
            f"{int(inside.sum())} of {count} intervals contain the theory's value ({comparisons(count)}). The widest is "
            f"± {number(known, 3)}, and the claim needs ± {MARGIN} or less. The furthest from theory is ε = "
            f"{number(price_grid.FINE[furthest], 1)}, with {estimated(found[furthest], 4)} where theory has "
            f"{number(float(expected[furthest]), 4)}.",
        )

    def _answers(self, asked: str, name: str, claim: str) -> Verdict:
        """That the best answer to each price of the other maker is the expected one."""
        others = [eps for eps in price_grid.PRICES if asked == ONE or eps > LOWEST]  # at the lowest nobody earns anything
        count = len(others) * (len(price_grid.PRICES) - 1)
        leads, told = [], []
        for other in others:
            answer = self.grid.expected(asked, other)
            for eps in price_grid.but(answer, price_grid.PRICES):
                lead = self.grid.income(asked, answer, other) - self.grid.income(asked, eps, other)
                leads.append(mean(lead, joint(count)))
                told.append(f"ε = {number(answer, 1)} instead of {number(eps, 1)} against {number(other, 1)}")
        every = Estimate.stacked(leads)
        nearest = int(np.argmin(every.low))
        return Verdict(
            name,
            claim,
            above(every),
            f"It earns more than another in {int((every.low > 0).sum())} of {count} comparisons, and less in "
            f"{int((every.high < 0).sum()) or 'none'} (paired, {comparisons(count)}). The closest is {told[nearest]}: it earns "
            f"{estimated(every[nearest].scaled(100 / self.grid.joint), 2)} % of the joint optimum more. From the joint optimum "
            f"the best answers go: {' → '.join(number(eps, 1) for eps in self.grid.war(asked))}.",
        )

    def _trained_verdicts(self) -> Iterator[Verdict]:
        prices, earned = self.charged(ALL), self.incomes(ALL).mean(axis=1) / self.grid.joint
        middle = (LOWEST + self.grid.optimum) / 2
        yield Verdict(
            "below joint optimum",
            "Two makers who learn, and are both asked, earn less than they could together.",
            self.unless_few_seeds(below(mean(earned), 1), ALL),
            f"They earn {estimated(mean(earned), 1, 100)} % of the joint optimum, over the trainings; in each: "
            f"{learned.listed(earned, 1, 100)}.",
        )
        yield Verdict(
            "undercutting",
            f"The prices of two makers who learn, and are both asked, end nearer to ε = {number(LOWEST, 0)}, where "
            "nothing is earned, than to the joint optimum.",
            self.unless_few_seeds(below(mean(prices), middle), ALL),
            f"The mean ε is {estimated(mean(prices), 3)}; half-way it is {number(middle, 3)}.",
        )
        higher = mean(prices - self.charged(ALWAYS))
        yield Verdict(
            "no floor learned",
            f"With reservations the prices of two makers who learn, and are both asked, end at most {SAME:g} higher "
            "than without.",
            self.unless_few_seeds(below(higher, SAME), ALL),
            f"Without reservations the mean ε is {estimated(mean(self.charged(ALWAYS)), 3)}; with them it is "
            f"{estimated(higher, 3)} higher (paired by training).",
        )
        reached = mean((self.incomes(ONE) / self.grid.joint).T, joint(len(self.results[ONE])))
        each = ", ".join(estimated(reached[n], 1, 100) for n in range(len(reached.value)))
        yield Verdict(
            "floor learned",
            f"Where a request asks one of them, makers who learn earn at least {100 * REACHED:.0f} % of the joint optimum in "
            "every training.",
            self.unless_few_seeds(above(reached, REACHED, or_equal=True), ONE),
            f"They earn {each} % ({comparisons(len(reached.value))}), at a mean ε of {estimated(mean(self.charged(ONE)), 3)}.",
        )

    # --- tables and figures

    def tables(self) -> Iterator[Table]:
        yield self._levels()
        columns = [Column("other", "ε of the other maker", 1, float)]
        for asked, short in ((ALL, "both"), (ONE, "one")):
            columns += [
                Column(f"{short}_answer", f"{asked}: best answer", 1, partial(self.grid.only_answer, asked)),
                Column(f"{short}_earns", "it earns, %", 1, partial(self.grid.earned_by_the_answer, asked), 100),
            ]
        yield Table.of(
            "answers",
            "The best of the prices tried, by mean income, against each price of the other maker, and what it earns in percent "
            "of the joint optimum of both.",
            price_grid.PRICES,
            *columns,
        )
        yield Table.of(
            "equal",
            "What two makers who charge the same earn together, as a share of the worth of the volume.",
            range(len(price_grid.FINE)),
            Column("eps", "ε of both", 1, price_grid.FINE),
            Column("found", "earned together", 4, self.grid.shares()),
            Column("theory", "theory", 4, self.grid.theory(price_grid.FINE)),
        )

    def _levels(self) -> Table:
        best = price_grid.best_of(price_grid.FINE, self.grid.theory(price_grid.FINE))
        end = self.grid.war(ALL)[-1]
        rows: list[tuple[Any, ...]] = [
            ("undercutting ends, by grid", end, mean(self.grid.together(end) / self.grid.joint), math.nan, math.nan),
            ("joint optimum, by grid", best, mean(self.grid.together(best) / self.grid.joint), math.nan, math.nan),
            ("joint optimum, theory", self.grid.optimum, 1.0, math.nan, math.nan),
        ]
        for study in TRAINED:
            rows += self.level_rows(study, self.incomes(study).mean(axis=1) / self.grid.joint, f"{study}: ")
        return Table.of(
            "levels",
            "What two makers charge and earn together: where undercutting ends and at the joint optimum, by grid; and makers who "
            "learn. All is in percent of the joint optimum with reservations. Intervals are over the runs, and over the "
            "trainings.",
            rows,
            Column("who", "where", value=itemgetter(0)),
            *learned.level_columns("joint optimum"),
        )

    def figures(self) -> Iterator[Figure]:
        yield self._ends()
        for asked in ASKS:
            yield self._matrix(asked)
        yield replace(
            self.curves(
                {study: study for study in TRAINED},
                "reward",
                "Reward of each of the two makers in the course of the training, with what they try at random.",
            ),
            legend=Legend(below=True, columns=1),
        )

    def _ends(self) -> Figure:
        fine = np.linspace(LOWEST, price_grid.HIGHEST, 401)
        marks: list[Mark] = [
            Level(self.grid.war(ALL)[-1], "x", "black", 0.8, "--"),
            Level(self.grid.optimum, "x", "black", 0.8),
            Line(fine, self.grid.theory(fine), colour="black", width=1.0, style=":"),
            Points(price_grid.FINE, self.grid.shares(), "equal prices", style=""),
        ]
        for study, colour in zip(TRAINED, COLOURS, strict=False):
            earned = self.incomes(study).mean(axis=1) / learned.worth(self.scenario)
            marks.append(Line(self.charged(study), earned, f"trained, {study}", colour, style="", marker="hollow"))
        return Figure(
            "ends",
            "What two makers earn together, by what they charge. Points: both charge the same, with 95 % intervals. Dotted: "
            "theory. Circles: makers who learnt, one for each training, at their mean ε. Upright lines: where undercutting ends "
            "by the grid of prices (dashed), and the joint optimum.",
            marks,
            x=Axis("mean ε"),
            y=Axis("earned together / worth of the volume"),
            legend=Legend(below=True, columns=2),
            size=(4.8, 4.0),
        )

    def _matrix(self, asked: str) -> Figure:
        shares = [
            [self.grid.income(asked, own, other).mean() / self.grid.joint for other in price_grid.PRICES]
            for own in price_grid.PRICES
        ]
        names = [number(eps, 1) for eps in price_grid.PRICES]
        who = "both makers" if asked == ALL else "one of the two, drawn for each request"
        return Figure(
            f"pairs-{asked.partition(' ')[0]}",
            f"What the first maker earns by its own price and the other's, where clients ask {who}: mean over the runs, in "
            "percent of the joint optimum of both.",
            [Heat(100 * np.array(shares), "{:.0f}", 100.0)],
            x=Axis("ε of the other maker", ticks=names),
            y=Axis("own ε", ticks=names),
            size=(5.6, 4.2),
        )


def without_reservation(scenario: Scenario) -> Scenario:
    """The same market with clients who trade at any price, and ask both makers."""
    return price_grid.asking(scenario, ALL).with_settings("investors.*.demand={kind='always'}")
