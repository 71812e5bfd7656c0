"""Undercutting: two makers of one good, clients who take the best price, and the prices at which nobody moves any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product

import numpy as np

from dealermarket.model.investors.demand.always import AlwaysTrades
from dealermarket.model.makers.policies import HeuristicMaker
from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import comparisons
from dealermarket.papers import Column, Experiment, Outcome, Table, Verdict, agrees, estimated, number, overall
from dealermarket.papers.games.moves import Profile, more_together, nobody_gains, somebody_gains
from dealermarket.papers.glossary import words
from dealermarket.papers.learning_makers import learned
from dealermarket.papers.learning_makers.best_price import decided_by_eps
from dealermarket.plots import COLOURS, Axis, Band, Figure, Legend, Level, Line, Mark
from dealermarket.questions import Game, Objective, Played, Varied
from dealermarket.study import Array, Estimate, Study, joint, mean

LOWEST, HIGHEST, STEP = -1.0, 1.0, 0.1  # of the eps that makers may charge; at the lowest nothing is earned
PRICES = np.round(np.linspace(LOWEST, HIGHEST, 21), 1) + 0.0
NOTHING, END, EVEN = (0, 0), (1, 1), (2, 2)  # common prices of 0, of one step and of two
TOP = (len(PRICES) - 1, len(PRICES) - 1)
_MARKED = (-1.0, -0.5, 0.0, 0.5, 1.0)  # at the axes
MARGIN = 0.01  # shares of the worth of the volume must be known this well


class PriceWar(Experiment):
    """Two makers with constant prices, each price against each: best answers, and where they end."""

    name = "price-war"
    source = "Bertrand's competition in prices (1883), on a grid (beyond both papers)"
    question = (
        "Clients trade one unit at any price and take the better of two. Each maker keeps one ε for ever, one of "
        f"{len(PRICES)} from {number(LOWEST, 0)}, where nothing is earned, to {number(HIGHEST, 0)}. Who undercuts the other by a "
        "step has all clients, who charges the same has half of them. Where does it end if each answers the other? Theory says: "
        "where the price, 1 + ε, is a single step, for to undercut pays as long as half of the price is more than a step."
    )
    words = words("ε", "equilibrium", "worth of the volume")
    preset = "learning"
    settings = (
        "makers.*.policy={kind='heuristic'}",
        "description='Twenty investors of one unit, and two makers with constant ε'",
    )
    runs = 100
    moves = ("makers.*.pricing.eps_buy", "makers.*.pricing.eps_sell")
    headline = "answers"

    def needs(self, scenario: Scenario) -> str | None:
        if any(agent.demand != AlwaysTrades() or agent.asks != "all" for agent in scenario.agents):
            return "investors who ask both makers and trade at any price"
        if any(
            getattr(maker.pricing, "alpha", None) != 1.0 or not isinstance(maker.policy, HeuristicMaker)
            for maker in scenario.makers
        ):
            return "makers with alpha 1 and the policy heuristic, so that a quote is 1 + eps times the reference curve"
        return decided_by_eps(scenario)

    # --- what is measured

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [replace(game(scenario).study, replicas=runs)]

    @property
    def played(self) -> Played:
        """The game that was measured; payoffs are shares of the worth of the volume."""
        asked = game(self.scenario)
        found = asked.played(self.results[asked.study.name])
        return Played(asked, found.by_replica / learned.worth(self.scenario))

    # --- claims

    def verdicts(self) -> Iterator[Verdict]:
        played = self.played
        yield self._answers(played)
        yield self._even(played)
        yield self._end(played)
        yield self._nowhere_else(played)
        yield self._joint(played)

    def _answers(self, played: Played) -> Verdict:
        above_two = range(EVEN[0] + 1, len(PRICES))
        first = nobody_gains(played, [(other - 1, other) for other in above_two], [0])
        second = nobody_gains(played, [(other, other - 1) for other in above_two], [1])
        nearest = max(first, second, key=lambda found: float(found.gain.high))
        other = nearest.profile[1 - nearest.maker]
        return Verdict(
            "undercut",
            f"The best answer to every price of the other maker above two steps (ε = {_eps(EVEN[0])}) is the next lower one.",
            overall(first.outcome, second.outcome),
            f"Of {first.count + second.count} comparisons with other answers the closest is one to ε = {_eps(other)}: it changes "
            f"what a maker earns by {estimated(nearest.gain, 2, 100)} % of the worth of the volume (paired, "
            f"{comparisons(first.count)} of each maker).",
        )

    def _even(self, played: Played) -> Verdict:
        gain = self._undercutting(played, EVEN[0], joint(2))
        return Verdict(
            "two steps",
            f"At two steps (ε = {_eps(EVEN[0])} for both) a maker that undercuts earns what it had: all clients at half of the "
            "price.",
            agrees(gain, 0.0, float(np.max(gain.margin)), MARGIN),
            f"It gains {' and '.join(estimated(gain[n], 2, 100) for n in range(2))} % of the worth of the volume (paired, "
            f"{comparisons(2)}; the claim needs ± {number(MARGIN, 0, 100)} % or less).",
        )

    def _end(self, played: Played) -> Verdict:
        path = played.answers(TOP)
        found = nobody_gains(played, [END])
        ends = Outcome.HOLDS if path[-1] == END else Outcome.FAILS
        return Verdict(
            "end",
            f"From the highest price of both, answer by answer, the makers come to a single step (ε = {_eps(END[0])}), and there "
            "each loses by any other price: an equilibrium.",
            overall(found.outcome, ends),
            f"After {len(path) - 1} moves they are at ε = {' and '.join(_eps(n) for n in path[-1])}. From ε = {_eps(END[0])} for "
            f"both the least bad move changes what a maker earns by {estimated(found.gain, 2, 100)} % of the worth of the volume "
            f"(paired, {comparisons(found.count)}).",
        )

    def _nowhere_else(self, played: Played) -> Verdict:
        profiles = [profile for profile in every_profile() if profile not in (NOTHING, END, EVEN)]
        found = somebody_gains(played, profiles)
        return Verdict(
            "nowhere else",
            "From every other pair of prices some maker gains by moving alone, but where both charge nothing or two steps.",
            found.outcome,
            f"Of {len(profiles)} pairs the least is gained at ε = {' and '.join(_eps(n) for n in found.profile)}: "
            f"{estimated(found.gain, 2, 100)} % of the worth of the volume ({comparisons(found.count)}).",
        )

    def _joint(self, played: Played) -> Verdict:
        outcome, more = more_together(played, TOP, [profile for profile in every_profile() if profile != TOP])
        least = int(np.argmin(more.low))
        together = [mean(played.at(profile).sum(axis=-1)) for profile in (TOP, END)]
        return Verdict(
            "joint optimum",
            "Together both makers earn most at the highest price.",
            outcome,
            f"There they earn {estimated(together[0], 2)} of the worth of the volume, and {estimated(together[1], 2)} where "
            f"undercutting ends. The next best pair of prices earns {estimated(more[least], 2)} less (paired, "
            f"{comparisons(len(more.value))}).",
        )

    def notes(self) -> Iterator[str]:
        yield (
            "With smaller steps undercutting ends lower, and with steps as small as one likes where nothing is earned. Then "
            "there is no best answer any more, for every lower price is better than the one before. The command “equilibrium” on "
            "a range of prices ends where its search cannot tell prices apart; its regret says what a maker would still gain."
        )
        yield (
            "Of two equal prices each client takes one by a fair draw of its own. So where both charge two steps, the maker that "
            "chance gave less than half of the clients gains by undercutting, by the means of these runs, and goes on to the "
            "single step. Theory leaves open whether it does."
        )
        yield (
            "The experiment “elastic-learners” has the same war where clients may refuse; there a lower price also brings a few "
            "clients more, which decides the tie at two steps."
        )

    # --- tables and figures

    def tables(self) -> Iterator[Table]:
        played = self.played
        gains = [self._undercutting(played, n) for n in range(len(PRICES))]
        yield Table.of(
            "common",
            "Where both makers charge the same: what they earn together, and what a maker gains that charges one step less, in "
            "percent of the worth of the volume; theory beside it. And the best answer of each to this price, by the means of "
            "the runs.",
            range(len(PRICES)),
            Column("eps", "ε of both", 1, PRICES),
            Column("together", "together", 1, lambda n: mean(played.by_replica[:, n, n].sum(axis=-1)), 100),
            Column("together_theory", "theory", 1, 1.0 + PRICES, 100),
            Column("gain_1", "first gains", 2, lambda n: gains[n][0], 100),
            Column("gain_2", "second gains", 2, lambda n: gains[n][1], 100),
            Column("gain_theory", "theory", 1, theory(), 100),
            Column("answer_1", "first answers", 1, self._curve(played, 0)),
            Column("answer_2", "second answers", 1, self._curve(played, 1)),
        )

    def figures(self) -> Iterator[Figure]:
        played = self.played
        path = played.answers(TOP)
        first, second = (self._curve(played, maker) for maker in (0, 1))
        at = PRICES[np.array(path)]
        yield Figure(
            "answers",
            "The best answer of each maker to every price of the other, by mean income; to ε = −1 every answer earns nothing. "
            "Dashed: equal prices. Black: where they go from the highest price, answer by answer; the circle is where nobody "
            "moves any more.",
            [
                Line([LOWEST, HIGHEST], [LOWEST, HIGHEST], colour="0.5", width=0.8, style="--"),
                Line(PRICES, first, "first maker's answer", COLOURS[0], marker="filled"),
                Line(second, PRICES, "second maker's answer", COLOURS[1], marker="filled"),
                Line(at[:, 1], at[:, 0], "answer by answer", width=0.9),
                Line(at[-1:, 1], at[-1:, 0], "end", style="", marker="hollow"),
            ],
            x=Axis("ε of the second maker", at=_MARKED),
            y=Axis("ε of the first maker", at=_MARKED),
            legend=Legend(below=True, columns=2),
            size=(4.8, 5.2),
        )
        gains = Estimate.stacked(self._undercutting(played, n) for n in range(len(PRICES)))
        marks: list[Mark] = [Level(0.0), Level(float(PRICES[EVEN[0]]), "x", style="--")]
        for maker, colour in ((0, COLOURS[0]), (1, COLOURS[1])):
            own = gains[:, maker].scaled(100)
            name = ("first", "second")[maker]
            marks += [Band(PRICES, own.low, own.high, colour), Line(PRICES, own.value, f"{name} maker", colour, marker="filled")]
        yield Figure(
            "gain",
            "What a maker gains by charging one step less, where both charge the same. Bands: 95 % intervals. Dotted: theory, "
            "half of the price less a step. Upright: two steps, where it is nothing.",
            [*marks, Line(PRICES[1:], 100 * theory()[1:], colour="black", width=1.0, style=":")],
            x=Axis("ε of both makers"),
            y=Axis("gained (% of the worth of the volume)"),
            legend=Legend(below=True, columns=2),
            size=(4.8, 4.0),
        )

    # --- from the measures

    def _undercutting(self, played: Played, price: int, level: float = 0.95) -> Estimate:
        """What each maker gains by charging one step less than a common price, (2,); NaN at the lowest."""
        payoffs, lower = played.by_replica, price - 1
        if lower < 0:
            return mean(np.full((len(payoffs), 2), np.nan), level)
        moved = np.stack([payoffs[:, lower, price, 0], payoffs[:, price, lower, 1]], axis=1)
        return mean(moved - payoffs[:, price, price], level)

    def _curve(self, played: Played, maker: int) -> Array:
        """The best answer of a maker to each of the prices, eps; NaN where no answer earns anything."""
        answers = [played.answer((price, price), maker) for price in range(len(PRICES))]
        curve = PRICES[answers].astype(float)
        curve[0] = np.nan
        return curve


@lru_cache(maxsize=4)  # hundreds of scenarios, which claims, tables and figures ask for
def game(scenario: Scenario) -> Game:
    """Every pair of PRICES; what counts is the income from clients."""
    price = Varied("makers.*.pricing.eps_buy+makers.*.pricing.eps_sell", tuple(PRICES.tolist()))
    return Game(scenario, (price,), Objective.parsed("client_revenue"))


def theory() -> Array:
    """What is gained by charging one step less than a common price, as a share of the worth of the volume, (prices,): all
    clients at 1 + eps less a step, instead of half of them at 1 + eps; NaN at the lowest price."""
    gain = (1.0 + PRICES) / 2 - STEP
    return np.asarray(np.where(np.arange(len(PRICES)) == 0, np.nan, gain))


def every_profile() -> Sequence[Profile]:
    """All pairs of prices, by their places."""
    return list(product(range(len(PRICES)), repeat=2))


def _eps(place: int) -> str:
    return number(float(PRICES[place]), 1)
