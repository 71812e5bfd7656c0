"""Whether calibration finds what simulated desks were made with, and foretells what other prices of theirs would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from dealermarket.estimates import share
from dealermarket.model.investors.demand.logistic import LogisticDemand
from dealermarket.model.makers.policies import NormalMaker
from dealermarket.model.makers.pricing import PowerPricing
from dealermarket.model.makers.tiering import FixedTiers
from dealermarket.model.market.mid_price import GeometricBrownianMotion
from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import comparisons
from dealermarket.papers import Column, Experiment, Table, Verdict, agrees, decided, estimated, number
from dealermarket.papers.desks import DesksStudy
from dealermarket.papers.glossary import words
from dealermarket.plots import COLOURS, Axis, Band, Figure, Legend, Level, Line, Mark, Points
from dealermarket.runs.statistics import statistic_named
from dealermarket.study import LEVEL, Array, Estimate, Study, joint, mean, observe, ratio

DESKS, MARKET = "desks", "market"  # the studies
BEFORE, AFTER = "before", "after"
SESSIONS, FORETOLD = 20, 100  # in a log, and in what is foretold
ALPHA = 1.7  # after the change
KNOWN, UNKNOWN = "known", "unknown"
MARGIN = 0.03  # how often intervals hold the truth must be known this well
NEEDED = f"the claim needs to know it to ± {100 * MARGIN:.0f} % or less"
CLOSE = 0.005  # what is foretold may be off by so much on average
MOST_CLIENTS = 100  # calibration estimates each by itself


@dataclass(frozen=True)
class Parameter:
    """What a log tells of, once or for each client; `truths` has the true values by field of the calibrated scenario."""

    name: str
    heading: str
    truths: Callable[[Scenario], dict[str, float]]


def _of_clients(attribute: str) -> Callable[[Scenario], dict[str, float]]:
    value = attrgetter(attribute)
    return lambda scenario: {f"investors.{agent.name}.{attribute}": value(agent) for agent in scenario.agents}


def _of_one(field: str, path: str) -> Callable[[Scenario], dict[str, float]]:
    return lambda scenario: {field: float(scenario.values_at(path)[0])}


RIVALS = Parameter("rival_mean", "rivals' mean ε", _of_one("makers.rival-1.policy.mean", "makers.1.policy.mean"))
PARAMETERS = (
    RIVALS,
    Parameter("rival_std", "rivals' sd of ε", _of_one("makers.rival-1.policy.std", "makers.1.policy.std")),
    Parameter("reservation_mean", "reservations' mean", _of_one("investors.*.demand.mean", "investors.*.demand.mean")),
    Parameter("reservation_scale", "reservations' scale", _of_one("investors.*.demand.scale", "investors.*.demand.scale")),
    Parameter("volatility", "volatility", _of_one("market.mid_price.volatility", "market.mid_price.volatility")),
    Parameter("trade_probability", "a client's trade probability", _of_clients("trade_probability")),
    Parameter("oracle_probability", "a client's oracle probability", _of_clients("oracle_probability")),
)


@dataclass(frozen=True)
class Measure:
    """What is foretold: a statistic, and how it is said."""

    name: str
    said: str


MEASURES = (
    Measure("hit_ratio", "hit ratio"),
    Measure("client_volume", "volume with clients"),
    Measure("client_revenue", "spread revenue from clients"),
)


def with_other_prices(scenario: Scenario) -> Scenario:
    """The scenario in which the desk, its first maker, has another alpha and half of its tier penalty."""
    desk, *others = scenario.makers
    assert isinstance(desk.pricing, PowerPricing)  # `needs` has seen to it, and calibration fits no other
    pricing = desk.pricing.replace(alpha=ALPHA, tier_penalty=desk.pricing.tier_penalty / 2)
    return scenario.replace(makers=(desk.replace(pricing=pricing), *others), choices={})


class Calibration(Experiment):
    """Logs of simulated desks, calibrated: how often intervals hold the truth, and what is foretold of other prices."""

    name = "calibration"
    title = "A desk's log, calibrated"
    source = "Named in the paper as future work: populations calibrated to real data (beyond both papers)"
    question = (
        "A desk has a log of the requests that it quoted, and mids; the command “calibrate” makes a market of them. Do its 95 % "
        "intervals hold the numbers of the market that the log comes from in 95 of 100 desks? And does the calibrated market "
        f"foretell what the desk would win with other prices, which its log has not seen: α = {ALPHA:g}, and half of the tier "
        "penalty?"
    )
    words = words("ε", "α", "tier", "oracle probability p", "reference curve", "reservation", "log", "hit ratio")
    long = True
    preset = "calibration"
    runs = 500  # desks: as many as tell whether 95 % is right to three percent, of all parameters at once
    headline = "coverage"

    def needs(self, scenario: Scenario) -> str | None:
        desk, *rivals = scenario.makers
        if not (
            isinstance(desk.pricing, PowerPricing) and desk.pricing.tier_penalty > 0 and isinstance(desk.tiering, FixedTiers)
        ):
            return "a first maker, the desk, with power pricing, a tier penalty above 0 and tiers from a table"
        law = rivals[0].policy
        if not isinstance(law, NormalMaker) or any(
            (rival.policy, rival.pricing) != (law, rivals[0].pricing) or getattr(rival.pricing, "alpha", None) != 1.0
            for rival in rivals
        ):
            return "rivals who all have the same policy of the kind normal and alpha 1: the law that is fitted"
        demand = scenario.agents[0].demand
        if not isinstance(demand, LogisticDemand) or any(agent.demand != demand for agent in scenario.agents):
            return "investors who all have the same logistic demand"
        if len(scenario.agents) > MOST_CLIENTS:
            return f"at most {MOST_CLIENTS} investors, has {len(scenario.agents)}: more become groups in a calibrated scenario"
        if not isinstance(scenario.market.mid_price, GeometricBrownianMotion) or not scenario.market.spreads_scale_with_price:
            return "a mid of the kind gbm and spreads that scale with the price: the laws that are fitted"
        return None

    # --- what is measured

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [Study(MARKET, {BEFORE: scenario, AFTER: with_other_prices(scenario)}, runs, observe.totals)]

    def desks(self, scenario: Scenario, runs: int) -> list[DesksStudy]:
        fields = tuple(field for parameter in PARAMETERS for field in parameter.truths(scenario))
        measures = tuple(measure.name for measure in MEASURES)
        return [DesksStudy(DESKS, scenario, runs, SESSIONS, FORETOLD, fields, with_other_prices, measures)]

    # --- claims

    def verdicts(self) -> Iterator[Verdict]:
        yield from map(self._covered, PARAMETERS)
        yield self._foretold()
        yield from map(self._next, range(len(MEASURES)))
        yield self._without_v_max()

    def _covered(self, parameter: Parameter) -> Verdict:
        held = self.coverage(parameter, KNOWN, joint(len(PARAMETERS)))
        return Verdict(
            parameter.heading,
            f"Where v_max is known, the 95 % intervals of {parameter.heading} hold the truth in 95 %.",
            agrees(held, LEVEL, float(held.margin), MARGIN),
            f"Of {self._inside(parameter, KNOWN).size:,} they do in {estimated(held, 1, 100)} % ({comparisons(len(PARAMETERS))}; "
            f"{NEEDED}).",
        )

    def _foretold(self) -> Verdict:
        errors = mean(self._errors(), joint(len(MEASURES)))
        each = "; ".join(f"{measure.said} {estimated(errors[n], 2, 100)} %" for n, measure in enumerate(MEASURES))
        moved = ", ".join(f"{measure.said} by {estimated(self._moved(measure), 1, 100)} %" for measure in MEASURES)
        return Verdict(
            "foretold on average",
            "What calibrated markets foretell of the desk's hit ratio, volume and spread revenue at the other prices is right to "
            f"{number(CLOSE, 1, 100)} %, on average over the desks.",
            decided(np.abs([errors.low, errors.high]) < CLOSE, [errors.low > CLOSE, errors.high < -CLOSE]),
            f"Foretold over true, less 1: {each} ({comparisons(len(MEASURES))}). In the true market the other prices move "
            f"{moved}.",
        )

    def _next(self, place: int) -> Verdict:
        said = MEASURES[place].said
        held = share(self._hold()[:, place], joint(len(MEASURES)))
        by_calibration = float(np.std(self._errors()[:, place], ddof=1))
        by_chance = float(np.mean(self._all("spread")[:, place] / self._all("foretold")[:, place])) / np.sqrt(SESSIONS)
        return Verdict(
            f"next sessions: {said}",
            f"The {said} of the {SESSIONS} sessions after a desk has changed its prices lies in the 95 % interval of what its "
            "calibrated market foretold, in 95 % of the desks.",
            agrees(held, LEVEL, float(held.margin), MARGIN),
            f"It does in {estimated(held, 1, 100)} % ({comparisons(len(MEASURES))}; {NEEDED}). The interval is that of the mean "
            f"of {SESSIONS} sessions foretold by {SESSIONS} others, as many as the log has. Calibration errs by "
            f"{number(by_calibration, 2, 100)} % (sd over the desks); by chance alone {SESSIONS} sessions do by "
            f"{number(by_chance, 2, 100)} %.",
        )

    def _without_v_max(self) -> Verdict:
        known, unknown = (self.coverage(RIVALS, name) for name in (KNOWN, UNKNOWN))
        return Verdict(
            "v_max not known",
            "Where v_max is not given, which no log tells, and ten times the largest size stands for it, the 95 % intervals of "
            "the rivals' mean price hold the truth in 95 %, too.",
            agrees(unknown, LEVEL, float(unknown.margin), MARGIN),
            f"They do in {estimated(unknown, 1, 100)} %, with v_max in {estimated(known, 1, 100)} % ({NEEDED}). "
            "Prices are estimated in units of the reference curve at the size of a "
            "request, and with another v_max large sizes have another curve: on average over the desks the mean is off by "
            f"{estimated(self._mean_off(RIVALS, UNKNOWN), 2)} half-widths of its interval, with v_max by "
            f"{estimated(self._mean_off(RIVALS, KNOWN), 2)}.",
        )

    def notes(self) -> Iterator[str]:
        yield (
            "The rivals of these desks are of the kind that is fitted, and so is the demand. Other rivals, such as those who "
            "tier their clients, are fitted by the normal law that comes nearest: nothing here says how well."
        )
        yield (
            "What the desk itself does is not estimated: its α and tier penalty are read off its quotes without error, its tiers "
            "and hedging it knows. Sizes and sides have no interval here."
        )

    # --- tables and figures

    def tables(self) -> Iterator[Table]:
        yield Table.of(
            "coverage",
            "How often the 95 % interval of a number holds the truth, where v_max is known and where ten times the largest size "
            "stands for it; and how far the estimate is off on average, in half-widths of its interval.",
            PARAMETERS,
            Column("parameter", "of", value=attrgetter("heading")),
            Column("intervals", "intervals", 0, lambda parameter: self._inside(parameter, KNOWN).size),
            Column("known", "v_max known: hold, %", 1, lambda parameter: self.coverage(parameter, KNOWN), 100),
            Column("known_off", "off by", 2, lambda parameter: self._mean_off(parameter, KNOWN)),
            Column("unknown", "not known: hold, %", 1, lambda parameter: self.coverage(parameter, UNKNOWN), 100),
            Column("unknown_off", "off by", 2, lambda parameter: self._mean_off(parameter, UNKNOWN)),
        )
        errors, held = self._errors(), self._hold()
        yield Table.of(
            "foretold",
            f"The other prices, α = {ALPHA:g} and half of the tier penalty: what they change in the true market, and what "
            "calibrated markets foretell of the hit ratio, volume and revenue that the desk then has, over what is true, less 1.",
            range(len(MEASURES)),
            Column("measure", "measure", value=lambda n: MEASURES[n].said),
            Column("moved", "moved by the change, %", 1, lambda n: self._moved(MEASURES[n]), 100),
            Column("error", "foretold / true − 1, %", 2, lambda n: mean(errors[:, n]), 100),
            Column("deviation", "its sd over the desks, %", 2, lambda n: float(np.std(errors[:, n], ddof=1)), 100),
            Column("held", "next sessions in the interval, %", 1, lambda n: share(held[:, n]), 100),
        )

    def figures(self) -> Iterator[Figure]:
        places = np.arange(len(PARAMETERS))[::-1]  # the first on top
        names = (KNOWN, "v_max known", COLOURS[0], 0.1), (UNKNOWN, "v_max not known", COLOURS[1], -0.1)
        marks: list[Mark] = [Level(100 * LEVEL, "x", style="--")]
        for name, said, colour, aside in names:
            found = Estimate.stacked(self.coverage(each, name).scaled(100) for each in PARAMETERS)
            marks.append(Points(places + aside, found, said, colour, "", across=True))
        yield Figure(
            "coverage",
            f"How often 95 % intervals hold the truth, over {len(self.results[DESKS]):,} desks; bars: 95 % intervals of that "
            "share. Dashed: 95 %.",
            marks,
            x=Axis("intervals that hold the truth (%)"),
            y=Axis("intervals of", ticks=[parameter.heading for parameter in reversed(PARAMETERS)]),
            legend=Legend(below=True, columns=2),
            size=(5.6, 3.8),
        )
        foretold = self._all("foretold")
        away, halves = 100 * (self._all("next") / foretold - 1.0), 100 * self._halves() / foretold
        for n, measure in enumerate(MEASURES):
            ordered = np.argsort(away[:, n])
            value, half, place = away[ordered, n], halves[ordered, n], np.arange(1, len(away) + 1)
            yield Figure(
                f"foretold-{measure.name.replace('_', '-')}",
                f"{measure.said.capitalize()} in the {SESSIONS} sessions after each desk has changed its prices, over what its "
                "calibrated market foretold, less 1; the desks in this order. Band: the 95 % interval of what each foretold.",
                [Band(place, -half, half, COLOURS[0]), Line(place, value, colour=COLOURS[0], width=1.6), Level(0.0)],
                x=Axis("desks, from what was least beside what was foretold to what was most"),
                y=Axis("true / foretold − 1 (%)"),
                title=measure.said.capitalize(),
            )

    # --- from the measures

    def _all(self, name: str) -> Array:
        """A measure of every desk, the desks first."""
        return np.concatenate([desk[name] for desk in self.results[DESKS].values()])

    def _of(self, parameter: Parameter, name: str) -> tuple[Array, Array]:
        """Estimates with bounds of a parameter, (desks, n, 3), and the truth, (n,)."""
        fields = [field for each in PARAMETERS for field in each.truths(self.scenario)]
        truths = parameter.truths(self.scenario)
        return self._all(name)[:, [fields.index(field) for field in truths]], np.array(list(truths.values()))

    def _inside(self, parameter: Parameter, name: str) -> Array:
        """Whether each interval holds the truth, (desks, n); one that is not there does not."""
        found, truth = self._of(parameter, name)
        return np.asarray((found[..., 1] <= truth) & (truth <= found[..., 2]))

    def coverage(self, parameter: Parameter, name: str, level: float = LEVEL) -> Estimate:
        """How often intervals of a parameter hold the truth."""
        return share(self._inside(parameter, name), level)

    def _off(self, parameter: Parameter, name: str) -> Array:
        """How far estimates are off, in half-widths of their intervals, (desks, n)."""
        found, truth = self._of(parameter, name)
        return np.asarray((found[..., 0] - truth) / (0.5 * (found[..., 2] - found[..., 1])))

    def _mean_off(self, parameter: Parameter, name: str) -> Estimate:
        return mean(np.nanmean(self._off(parameter, name), axis=1))

    def _errors(self) -> Array:
        """What was foretold over what is true, less 1, (desks, measures)."""
        return np.asarray(self._all("foretold") / self._all("true") - 1.0)

    def _hold(self) -> Array:
        """Whether the next sessions of the true market lie in the interval of what a desk foretold, (desks, measures)."""
        return np.asarray(np.abs(self._all("foretold") - self._all("next")) <= self._halves())

    def _halves(self) -> Array:
        """Half of the width of these intervals, (desks, measures): Student's prediction interval of the mean of the next sessions
        by as many in the log, with the spread between sessions of the calibrated market."""
        from scipy.special import stdtrit

        return np.asarray(stdtrit(SESSIONS - 1, 0.5 + LEVEL / 2) * self._all("spread") * np.sqrt(2.0 / SESSIONS))

    def _moved(self, measure: Measure) -> Estimate:
        """What the other prices do to a measure in the true market: after over before, less 1."""
        before, after = (
            statistic_named(measure.name).by_replica(self.results[MARKET][when].of(self.studied)) for when in (BEFORE, AFTER)
        )
        moved = ratio(after, before)
        return Estimate(moved.value - 1.0, moved.error, moved.low - 1.0, moved.high - 1.0)
