"""The yardstick: how near the policies that ship come to the best that can be done, which is known exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import product

import numpy as np

from dealermarket.control import Decision, Optimum
from dealermarket.errors import ParameterError
from dealermarket.model.makers.policies import AdaptiveMaker, HeuristicMaker, Policy, SkewMaker
from dealermarket.model.makers.reward import Reward
from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import comparisons
from dealermarket.papers import Column, Experiment, Outcome, Table, Verdict, above, agrees, estimated, number, overall
from dealermarket.papers.glossary import words
from dealermarket.papers.learning_makers.best_price import FOLLOW_UP
from dealermarket.plots import COLOURS, Axis, Figure, Legend, Level, Line, Mark
from dealermarket.study import Array, Estimate, Regret, Regrets, Study, Yardstick, joint, mean
from dealermarket.study.regret import OPTIMUM

PENALTIES = (0.5, 2.0, 8.0)
SHOWN = 2.0  # the penalty of the figures
HEURISTIC, SKEW, BEST_SKEW, ADAPTIVE = "heuristic", "default skew", "best skew", "adaptive"
EXACT = (HEURISTIC, SKEW, BEST_SKEW)  # functions of the state: what they earn is known without simulation
LABELS = (*EXACT, ADAPTIVE)
NEAR = 0.97
SHARPER = 2.0  # times
MARGIN = 0.05  # in V*: what is simulated must be known this well for agreement to mean something
_LEANS = tuple(product((0.5, 1.0, 2.0, 3.0), (0.01, 0.02, 0.03, 0.04, 0.06, 0.08)))  # strength, and lean a unit of position
_EPS = (0.0, 0.02, 0.05, 0.1, 0.15)


class YardstickLeague(Experiment):
    """Policies measured by their regret to the exact optimum of one maker's market, for three penalties on inventory."""

    name = "yardstick"
    title = "A yardstick: regret to the optimum"
    source = f"{FOLLOW_UP}, its market; the optimum is ours (docs/control.md)"
    question = (
        "A maker competes with a random one and is rewarded for P&L less a penalty on inventory. Against such a competitor the "
        "best that can be done is known exactly. How much of it do the policies that ship get, and do they lose by their prices "
        "or by their hedges?"
    )
    words = words("ε", "position z", "reward", "λ", "V*", "regret")
    preset = "learning"
    runs = 400
    moves = ("makers.0.policy",)
    headline = "actions"

    def needs(self, scenario: Scenario) -> str | None:
        try:
            Decision.of(scenario)
        except ParameterError as error:
            return f"a market whose optimum is exact: {'; '.join(str(error).splitlines())}"
        return None

    # --- what is measured

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [replace(yardstick(scenario, penalty).study, name=_study(penalty), replicas=runs) for penalty in PENALTIES]

    def regrets(self, penalty: float) -> Regrets:
        """What was measured with one penalty."""
        return Regrets(yardstick(self.scenario, penalty), self.results[_study(penalty)])

    # --- claims

    def verdicts(self) -> Iterator[Verdict]:
        yield self._simulated()
        yield self._exact()
        yield self._sharper()
        yield self._nobody()
        yield self._near()
        yield self._hedges()

    def _simulated(self) -> Verdict:
        level, found = joint(len(PENALTIES)), []
        for penalty in PENALTIES:
            regrets = self.regrets(penalty)
            earned = mean(regrets.samples[OPTIMUM]["without_chance"], level)
            value = regrets.optimum.value
            found.append((penalty, earned, value, agrees(earned, value, float(earned.margin) / value, MARGIN)))
        return Verdict(
            "the optimum earns its value",
            "Simulated in the market, the optimal maker earns what its value says, for each penalty. (Without what the mid's "
            "moves bring, whose mean is 0.)",
            overall(*(outcome for *_, outcome in found)),
            "Simulated, and V*: "
            + "; ".join(f"λ = {penalty:g} {estimated(earned, 3)}, {number(value, 4)}" for penalty, earned, value, _ in found)
            + f" ({comparisons(len(found))}; the claim needs ± {number(MARGIN, 0, 100)} % of V* or less).",
        )

    def _exact(self) -> Verdict:
        level, found = joint(len(PENALTIES) * len(EXACT)), []
        for penalty in PENALTIES:
            regrets = self.regrets(penalty)
            for label in EXACT:
                lost = regret_at(regrets, label, level)
                exact = regrets.optimum.value - regrets.optimum.evaluate(regrets.yardstick.policies[label])
                outcome = agrees(lost, exact, float(lost.margin) / exact, 1.0)
                found.append((penalty, label, lost, exact, outcome))
        worst = max(found, key=lambda row: abs(float(row[2].value) - row[3]) / float(row[2].error))
        penalty, label, lost, exact, _ = worst
        return Verdict(
            "regret is what is missing",
            "Of policies that are functions of the state, regret by the sum of advantages is V* less what they earn, which is "
            "known without simulation.",
            overall(*(outcome for *_, outcome in found)),
            f"Of {len(found)} comparisons the furthest apart is {label} at λ = {penalty:g}: {estimated(lost, 4)}, and exactly "
            f"{number(exact, 4)} ({comparisons(len(found))}).",
        )

    def _sharper(self) -> Verdict:
        ratios = {
            (penalty, each.label): float(each.difference.error) / float(each.regret.error)
            for penalty in PENALTIES
            for each in self.regrets(penalty).ranked()
            if each.label != HEURISTIC  # whose position is anywhere: its penalty varies as much as its P&L
        }
        (penalty, label), least = min(ratios.items(), key=lambda item: item[1])
        return Verdict(
            "advantages are sharper",
            "Regret by advantages is known better than by rewards paired with the optimum's: its standard error is less than "
            "half of the other.",
            Outcome.HOLDS if least > SHARPER else Outcome.FAILS,
            f"The error of the paired difference is {number(least, 1)} to {number(max(ratios.values()), 1)} times that of the "
            f"sum, least for {label} at λ = {penalty:g}.",
        )

    def _nobody(self) -> Verdict:
        level = joint(len(PENALTIES) * len(LABELS))
        lost = {(penalty, label): self._lost(penalty, label, level) for penalty in PENALTIES for label in LABELS}
        (penalty, label), least = min(lost.items(), key=lambda item: float(item[1].value))
        return Verdict(
            "nobody is optimal",
            "Every policy loses against the optimum, with every penalty.",
            above(Estimate.stacked(lost.values())),
            f"The least is lost by {label} at λ = {penalty:g}: {estimated(least, 4)} a step ({comparisons(len(lost))}).",
        )

    def _near(self) -> Verdict:
        shares = {penalty: self._share(penalty) for penalty in PENALTIES}
        return Verdict(
            "a skew is nearly optimal",
            f"Prices that lean against the position, without any hedge, get {number(NEAR, 0, 100)} % of V* where their strength "
            f"is chosen best, with the penalties λ = {PENALTIES[0]:g} and {PENALTIES[1]:g}, and less with {PENALTIES[2]:g}.",
            Outcome.HOLDS
            if shares[PENALTIES[0]] > NEAR and shares[PENALTIES[1]] > NEAR > shares[PENALTIES[2]]
            else Outcome.FAILS,
            "The best skew gets "
            + ", ".join(f"{number(shares[penalty], 1, 100)} % at λ = {penalty:g}" for penalty in PENALTIES)
            + f", exactly; it is the best on a grid of {len(_LEANS)} strengths and scales, and then of {len(_EPS)} prices.",
        )

    def _hedges(self) -> Verdict:
        regrets = self.regrets(SHOWN)
        own = regrets.samples[SKEW]
        more = mean(own["hedging"] - own["prices"])
        found = regrets.of(SKEW)
        return Verdict(
            "hedges, not prices",
            f"At λ = {SHOWN:g} the default skew loses more by never hedging than by its prices.",
            above(more),
            f"By its hedges {estimated(found.hedging, 4)}, by its prices {estimated(found.prices, 4)} a step; the difference is "
            f"{estimated(more, 4)} (paired).",
        )

    def notes(self) -> Iterator[str]:
        yield (
            "Makers that were trained stand beside the optimum by the command: dealermarket regret FILE.npz --scenario learning "
            f"--penalty inventory_squared={SHOWN:g}."
        )
        for penalty in PENALTIES:
            policy = best_skew(self.scenario, penalty)
            yield (
                f"The best skew at λ = {penalty:g}: ε {policy.eps:.3f}, strength {policy.strength:.2f}, scale {policy.scale:.1f} "
                "units."
            )

    # --- tables and figures

    def tables(self) -> Iterator[Table]:
        rows = [(regrets, each) for regrets in map(self.regrets, PENALTIES) for each in regrets.ranked()]

        def of(name: str) -> Callable[[tuple[Regrets, Regret]], Estimate]:
            return lambda row: getattr(row[1], name)

        yield Table.of(
            "regret",
            "What policies earn and lose a step, in the unit of the reward, by the penalty λ on inventory.",
            rows,
            Column("penalty", "λ", 1, lambda row: row[0].yardstick.reward.inventory_squared),
            Column("policy", "policy", value=lambda row: row[1].label),
            Column("value", "V*", 4, lambda row: row[0].optimum.value),
            Column("reward", "reward", 3, of("reward")),
            Column("regret", "regret", 4, of("regret")),
            Column("prices", "by prices", 4, of("prices")),
            Column("hedging", "by hedges", 4, of("hedging")),
            Column("share", "share of V*, %", 1, of("share"), 100),
        )

    def figures(self) -> Iterator[Figure]:
        regrets = self.regrets(SHOWN)
        where = np.linspace(-30.0, 30.0, 61)
        spread = self.scenario.market.mean_spread
        eps_buy, _, fraction = regrets.optimum.quotes(self.scenario.steps // 2, where, spread)
        marks: list[Mark] = [Level(0.0)]
        hedges: list[Mark] = [Level(0.0)]
        for label, colour in zip(LABELS, COLOURS, strict=False):
            seen = regrets.actions(label)
            near = seen[(seen["position"].abs() <= where[-1]) & (seen["steps"] >= 20)]
            marks.append(Line(near["position"].to_numpy(), near["eps_buy"].to_numpy(), label, colour))
            hedges.append(Line(near["position"].to_numpy(), near["hedge_size"].to_numpy(), label, colour))
        marks.append(Line(where, eps_buy, OPTIMUM, "black", 2.0, "--"))
        hedges.append(Line(where, -fraction * where, OPTIMUM, "black", 2.0, "--"))
        caption = f"λ = {SHOWN:g}. Lines: means of what each policy did where it held the position. Dashed: the optimum half-way "
        x, legend = Axis("position held into the step (units)"), Legend(below=True, columns=2)
        yield Figure(
            "actions",
            f"{caption}through the day, at the mean reference spread. What clients who buy pay; for clients who sell it is the "
            "mirror image.",
            marks,
            x=x,
            y=Axis("ε for clients who buy"),
            legend=legend,
            size=(4.8, 4.1),
        )
        yield Figure(
            "hedges",
            f"{caption}through the day. Below 0 the maker sells.",
            hedges,
            x=x,
            y=Axis("hedged in the step (units)"),
            legend=legend,
            size=(4.8, 4.1),
        )

    # --- from the measures

    def _lost(self, penalty: float, label: str, level: float) -> Estimate:
        return regret_at(self.regrets(penalty), label, level)

    def _share(self, penalty: float) -> float:
        """What the best skew gets of V*, exactly."""
        optimum = self.regrets(penalty).optimum
        return optimum.evaluate(best_skew(self.scenario, penalty)) / optimum.value


def regret_at(regrets: Regrets, label: str, level: float) -> Estimate:
    """A policy's regret with the interval of a level."""
    own: Mapping[str, Array] = regrets.samples[label]
    return mean(own["prices"] + own["hedging"], level)


@lru_cache(maxsize=8)
def yardstick(scenario: Scenario, penalty: float) -> Yardstick:
    """The league of one penalty."""
    policies: dict[str, Policy] = {
        HEURISTIC: HeuristicMaker(),
        SKEW: SkewMaker(),
        BEST_SKEW: best_skew(scenario, penalty),
        ADAPTIVE: AdaptiveMaker(),
    }
    return Yardstick(scenario, policies, reward=_reward(penalty))


@lru_cache(maxsize=8)
def best_skew(scenario: Scenario, penalty: float) -> SkewMaker:
    """The skew that earns most of those without a hedge, by its exact value."""
    optimum: Optimum = Decision.of(scenario, reward=_reward(penalty)).solve()
    leaning = [SkewMaker(strength=strength, scale=strength / slope, hedge_fraction=0.0) for strength, slope in _LEANS]
    best = max(leaning, key=optimum.evaluate)
    return max((best.replace(eps=eps) for eps in _EPS), key=optimum.evaluate)


def _reward(penalty: float) -> Reward:
    return Reward(weights="pnl", inventory_squared=penalty)


def _study(penalty: float) -> str:
    return f"lambda {penalty:g}"
