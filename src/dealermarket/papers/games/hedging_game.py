"""The hot potato as a game: each maker chooses how it hedges, and gets rid of its risk at the expense of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import combinations_with_replacement, product

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import comparisons
from dealermarket.papers import Column, Experiment, Table, Verdict, above, below, decided, estimated, number, overall
from dealermarket.papers.games.moves import Profile, more_together, nobody_gains, somebody_gains
from dealermarket.papers.glossary import words
from dealermarket.papers.learning_makers.best_price import two_makers
from dealermarket.plots import COLOURS, Axis, Bars, Figure, Legend, Mark, Whiskers
from dealermarket.plots.figure import Region, Surface, row_places, rows_axis
from dealermarket.questions import Game, Mixed, Objective, Played, Varied
from dealermarket.study import Estimate, Study, joint, mean

NAMES = ("none", "γ 0", "γ .25", "full")  # the strategies as they are shown
WAITING, MUCH, FULL = 1, 2, 3
EITHER = ((MUCH, FULL), (FULL, MUCH))
BOTH_WAIT: Profile = (WAITING, WAITING)
OTHERS, EXCHANGE = "makers", "exchange"  # whom makers hedge with
VENUES = (OTHERS, EXCHANGE)
REWARD, PNL = "total_reward", "pnl"
SAME = 0.01  # of P&L: what differs by less is the same
NOTHING = 0.001  # of total reward: who gains less gains nothing


class HedgingGame(Experiment):
    """Two makers and four ways to hedge, each against each; with each other, and with the exchange."""

    name = "hedging-game"
    title = "The hot potato as a game"
    source = "The paper's market, asked as a game (beyond both papers)"
    question = (
        "Two makers hedge with each other: what one gets rid of the other has. Each chooses how much: nothing, γ = 0, γ = 0.25, "
        "or everything at once. Which choices are an equilibrium of total reward, and what do both lose by it against what would "
        "be best for them together? And if they can hedge with an exchange?"
    )
    words = words("γ", "equilibrium", "price of anarchy", "hot potato", "total reward", "P&L", "price × units")
    preset = "hot-potato"
    runs = 1000
    moves = ("makers.*.hedging",)

    def needs(self, scenario: Scenario) -> str | None:
        return two_makers(scenario)

    # --- what is measured

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [replace(game(scenario, venue).study, name=venue, replicas=runs) for venue in VENUES]

    def played(self, venue: str = OTHERS, objective: str = REWARD) -> Played:
        """The game that was measured, at a venue, of what makers want."""
        return game(self.scenario, venue, objective).played(self.results[venue])

    # --- claims

    def verdicts(self) -> Iterator[Verdict]:
        played, anonymous = self.played(), self.played(EXCHANGE)
        yield self._equilibria(played)
        yield self._nowhere_else(played)
        yield self._waiting(played)
        yield self._both_would_gain(played)
        yield self._same_pnl(self.played(objective=PNL))
        yield self._no_anarchy(anonymous)
        yield self._exchange_is_better(played, anonymous)

    def _equilibria(self, played: Played) -> Verdict:
        found = nobody_gains(played, EITHER)
        return Verdict(
            "equilibria",
            "One maker with γ = 0.25 and the other that hedges everything at once are an equilibrium, whoever is which: each "
            "loses by any other choice.",
            found.outcome,
            f"The least bad move is that of {_who(found.maker)} at {_said(found.profile)}: it changes its total reward by "
            f"{estimated(found.gain, 3)} (paired, {comparisons(found.count)}). By the means the pure equilibria are: "
            f"{'; '.join(map(_said, played.equilibria)) or 'none'}.",
        )

    def _nowhere_else(self, played: Played) -> Verdict:
        profiles = [profile for profile in every_profile() if profile not in EITHER]
        found = somebody_gains(played, profiles)
        return Verdict(
            "no others",
            "There is no other pure equilibrium: from all other pairs of choices some maker gains by moving alone.",
            found.outcome,
            f"Of {len(profiles)} pairs the least is gained at {_said(found.profile)}: {estimated(found.gain, 3)} "
            f"({comparisons(found.count)}).",
        )

    def _waiting(self, played: Played) -> Verdict:
        gain = Estimate.stacked(played.gains(BOTH_WAIT, maker, joint(2))[MUCH - 1] for maker in range(2))
        return Verdict(
            "waiting is undone",
            "That both wait (γ = 0) is no equilibrium: each gains by γ = 0.25.",
            above(gain),
            f"It gains {' and '.join(estimated(gain[n], 2) for n in range(2))} (paired, {comparisons(2)}); by that the other "
            f"loses {' and '.join(estimated(lost, 2) for lost in self._lost_by(played))}.",
        )

    def _lost_by(self, played: Played) -> list[Estimate]:
        """What the other loses where a maker alone stops waiting."""
        before = played.at(BOTH_WAIT)
        return [
            mean(before[:, 1] - played.at((MUCH, WAITING))[:, 1], joint(2)),
            mean(before[:, 0] - played.at((WAITING, MUCH))[:, 0], joint(2)),
        ]

    def _both_would_gain(self, played: Played) -> Verdict:
        more = np.concatenate([played.at(BOTH_WAIT) - played.at(profile) for profile in EITHER], axis=1)
        by_maker = mean(more, joint(more.shape[1]))
        outcome, together = more_together(played, BOTH_WAIT, EITHER)
        best = self.best_for_both(played)
        return Verdict(
            "price of anarchy",
            "Each maker has more where both wait than at either equilibrium.",
            overall(above(by_maker), outcome),
            f"At {_said(EITHER[0])} they have {_each(by_maker[:2])} less, at {_said(EITHER[1])} {_each(by_maker[2:])} "
            f"({comparisons(4)}); together {_each(together)} ({comparisons(2)}). Best for both by the means "
            f"is {_said(best[0])}; what cannot be told from it: {'; '.join(map(_said, best[1:])) or 'nothing'}.",
        )

    def best_for_both(self, played: Played) -> list[Profile]:
        """The joint optimum, and what cannot be told from it."""
        best = played.joint_optimum
        others = [profile for profile in every_profile() if profile != best]
        _, more = more_together(played, best, others)
        return [best, *(profile for profile, low in zip(others, more.low.tolist(), strict=True) if low <= 0)]

    def _same_pnl(self, played: Played) -> Verdict:
        waiting = played.at(BOTH_WAIT).sum(axis=-1)
        level, worth = joint(len(every_profile()) - 1), float(mean(waiting).value)
        apart = [mean(played.at(profile).sum(axis=-1) - waiting, level) for profile in every_profile() if profile != BOTH_WAIT]
        every = Estimate.stacked(apart)
        furthest = int(np.argmax(np.maximum(np.abs(every.low), np.abs(every.high))))
        bound = SAME * abs(worth)
        return Verdict(
            "not in P&L",
            f"P&L of both together is the same whatever they choose, to {number(SAME, 0, 100)} %: what one pays the other has.",
            decided((every.low > -bound) & (every.high < bound), (every.low > bound) | (every.high < -bound)),
            f"Where both wait it is {estimated(mean(waiting), 3)} (price × units); of the others the furthest "
            f"from that differs by {estimated(every[furthest], 5)} (paired, {comparisons(len(apart))}). What the equilibria lose "
            "is risk cost, which counts losses and no gains.",
        )

    def _no_anarchy(self, played: Played) -> Verdict:
        profiles = list(product((MUCH, FULL), repeat=2))
        others = [profile for profile in every_profile() if profile not in profiles]
        outcomes, least = [], []
        for profile in profiles:
            outcome, more = more_together(played, profile, others)
            outcomes.append(outcome)
            least.append(more[int(np.argmin(more.low))])
        regrets = Estimate.stacked(_most(played, profile) for profile in profiles)
        surest = min(least, key=lambda more: float(more.low))
        return Verdict(
            "none with an exchange",
            "Where makers hedge with an exchange the price of anarchy is nothing: with γ = 0.25 or everything at once nobody "
            f"gains {NOTHING:g} or more by another choice, and no other pair of choices is as good for both together.",
            overall(*outcomes, below(regrets, NOTHING)),
            f"The next best pair has {estimated(surest, 3)} less together (paired, {comparisons(len(others))}). γ = 0.25 and "
            f"everything at once differ by {estimated(self._between(played), 4)}: there γ = 0.25 hedges nearly all at once. What "
            "one maker chooses changes nothing for the other.",
        )

    def _between(self, played: Played) -> Estimate:
        """What both together have more with γ .25 than with everything at once."""
        return mean((played.at((MUCH, MUCH)) - played.at((FULL, FULL))).sum(axis=-1))

    def _exchange_is_better(self, played: Played, with_exchange: Played) -> Verdict:
        theirs, best = (at.sum(axis=-1) for at in (with_exchange.at((FULL, FULL)), played.at(played.joint_optimum)))
        more = mean(theirs - best)
        pnl = self.played(OTHERS, PNL).at(BOTH_WAIT), self.played(EXCHANGE, PNL).at((FULL, FULL))
        paid = mean((pnl[0] - pnl[1]).sum(axis=-1))
        return Verdict(
            "an exchange is worth it",
            "With an exchange both makers that hedge everything at once have more together than the best they could have with "
            "each other.",
            above(more),
            f"They have {estimated(mean(theirs), 2)} instead of {estimated(mean(best), 2)}: {estimated(more, 2)} more (paired). "
            f"The exchange takes the risk, and {estimated(paid, 3)} of their P&L.",
        )

    def notes(self) -> Iterator[str]:
        yield (
            "What makers hedge with each other changes nothing of what both hold together. Their losses are least where both "
            "hold the same side, as they do where one of them waits. Two that hedge at once hand a position back and forth, "
            "often hold opposite sides, and then one of them loses at every move of the price, whichever way it goes."
        )
        yield (
            "Who waits, against one who hedges, is left with the risk of both: so nobody waits. γ = 0.25 hedges nearly all at "
            "once here; where both would hedge everything, it is better for each to be the one that hedges a little less."
        )
        yield (
            "In P&L the game is one of constant sum, and what one maker gains by another choice is small beside what chance does "
            "to a position: the table has the intervals."
        )

    # --- tables and figures

    def tables(self) -> Iterator[Table]:
        for objective, said in ((REWARD, "total reward"), (PNL, "P&L")):
            yield self._payoffs(objective, said)
        yield self._ends()

    def _payoffs(self, objective: str, said: str) -> Table:
        digits = 2 if objective == REWARD else 3
        columns: list[Column] = []
        for venue, heading in ((OTHERS, "with each other"), (EXCHANGE, "exchange")):
            played = self.played(venue, objective)
            columns += [
                Column(f"{venue}_first", f"{heading}: first", digits, _by_profile(played.payoffs[..., 0])),
                Column(f"{venue}_second", "second", digits, _by_profile(played.payoffs[..., 1])),
                Column(f"{venue}_together", "both", digits, partial(_together, played)),
                Column(f"{venue}_gain", "most gained alone", digits, partial(_most, played)),
            ]
        return Table.of(
            objective.replace("_", "-"),
            f"{said[0].upper()}{said[1:]} of each maker and of both (price × units a run), by what they choose, where they hedge "
            "with each other and where with the exchange; and the most that one of them gains by another choice, below 0 in an "
            "equilibrium.",
            every_profile(),
            Column("first", "first maker", value=lambda profile: NAMES[profile[0]]),
            Column("second", "second maker", value=lambda profile: NAMES[profile[1]]),
            *columns,
        )

    def _ends(self) -> Table:
        rows: list[tuple[str, str, str, Estimate | float, Estimate | float]] = []
        for venue, where in ((OTHERS, "each other"), (EXCHANGE, "the exchange")):
            played = self.played(venue)
            best = played.joint_optimum
            rows.append((where, "best for both", _said(best), _together(played, best), float("nan")))
            rows += [
                (where, "pure equilibrium", _said(profile), _together(played, profile), played.price_of_anarchy(profile))
                for profile in played.equilibria
            ]
            for name, mixed in (("mixed equilibrium", played.mixed), ("mixed, both alike", played.symmetric)):
                if mixed is not None:
                    together = float(mixed.value.sum())
                    lost = float(played.payoffs.value[best].sum()) - together
                    rows.append((where, name, _mixed(mixed), together, lost))
        return Table.of(
            "ends",
            "What is best for both, and the equilibria of total reward, by the means of the runs; what both have there together, "
            "and what they lose against the best: the price of anarchy. Mixed ones, by replicator dynamics, are choices drawn "
            "with these shares.",
            rows,
            Column("venue", "hedging with", value=lambda row: row[0]),
            Column("what", "what", value=lambda row: row[1]),
            Column("choices", "choices of first / second", value=lambda row: row[2]),
            Column("together", "both have", 2, lambda row: row[3]),
            Column("lost", "price of anarchy", 2, lambda row: row[4]),
        )

    def figures(self) -> Iterator[Figure]:
        played = self.played()
        limits = float(played.payoffs.value.min()), float(played.payoffs.value.max())
        for maker, who in enumerate(("first", "second")):
            regions = [
                Region(_cells(played.equilibria), "pure equilibrium", COLOURS[5], "-"),
                Region(_cells(self.best_for_both(played)), "best for both", "black", "--"),
            ]
            values = played.payoffs.value[..., maker]
            yield Figure(
                f"{who}-maker",
                f"Total reward of the {who} maker by what each chooses, where they hedge with each other: mean over the runs "
                "(price × units). Dashed: what is best for both, and what cannot be told from it.",
                [Surface(values, limits, "total reward", regions, form="{:.2f}")],
                x=Axis("second maker", ticks=NAMES),
                y=Axis("first maker", ticks=NAMES),
                title=f"What the {who} maker gets",
                legend=Legend(below=True, columns=2),
                size=(5.2, 4.2),
            )
        yield self._bars()

    def _bars(self) -> Figure:
        pairs = list(combinations_with_replacement(range(len(NAMES)), 2))
        marks: list[Mark] = []
        for venue, label, colour, aside in (
            (OTHERS, "with each other", COLOURS[0], 0.2),
            (EXCHANGE, "with the exchange", COLOURS[1], -0.2),
        ):
            played, places = self.played(venue), row_places(len(pairs)) + aside
            have = Estimate.stacked(_together(played, pair) for pair in pairs)
            marks += [Bars(places, have.value, label, colour, 0.38, across=True), Whiskers(places, have, across=True)]
        return Figure(
            "together",
            "Total reward of both makers together by what they choose, the first of each pair by the first maker; black bars: 95 "
            "% intervals.",
            marks,
            x=Axis("total reward of both (price × units)"),
            y=replace(rows_axis([_said(pair) for pair in pairs]), label="first / second maker"),
            legend=Legend(below=True, columns=2),
            size=(5.2, 4.6),
        )


@lru_cache(maxsize=16)  # claims, tables and figures ask for the same few
def game(scenario: Scenario, venue: str, objective: str = REWARD) -> Game:
    """Four ways to hedge at a venue, for each maker."""
    hedging = (
        {"kind": "none"},
        {"kind": "optimal", "risk_aversion": 0.0, "venue": venue},
        {"kind": "optimal", "risk_aversion": 0.25, "venue": venue},
        {"kind": "full", "venue": venue},
    )
    return Game(scenario, (Varied("makers.*.hedging", hedging),), Objective.parsed(objective))


def every_profile() -> list[Profile]:
    """All pairs of choices, by their places."""
    return list(product(range(len(NAMES)), repeat=2))


def _together(played: Played, profile: Profile) -> Estimate:
    """What both makers get at a profile."""
    return mean(played.at(profile).sum(axis=-1))


def _most(played: Played, profile: Profile) -> Estimate:
    """What is gained by the maker that gains most by moving alone."""
    regret = played.regret(profile)
    return regret[int(np.argmax(regret.value))]


def _by_profile(payoffs: Estimate) -> Callable[[Profile], Estimate]:
    return payoffs.__getitem__


def _cells(profiles: Sequence[Profile]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    cells = np.zeros((len(NAMES), len(NAMES)), dtype=bool)
    for profile in profiles:
        cells[profile] = True
    return cells


def _said(profile: Sequence[int]) -> str:
    return " / ".join(NAMES[n] for n in profile)


def _who(maker: int) -> str:
    return ("the first maker", "the second maker")[maker]


def _each(estimates: Estimate) -> str:
    return " and ".join(estimated(each, 2) for each in estimates.rows())


def _mixed(mixed: Mixed) -> str:
    """The shares of each maker's choices, those that are played."""
    return " / ".join(
        ", ".join(f"{number(share, 0, 100)} % {name}" for name, share in zip(NAMES, own, strict=True) if share >= 0.005)
        for own in mixed.shares
    )
