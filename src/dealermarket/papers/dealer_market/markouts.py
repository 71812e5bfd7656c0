"""Markouts: what trades are worth to the makers as time passes, by investor and by tier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from dealermarket.model.market.environment import duration
from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import comparisons
from dealermarket.papers import Column, Experiment, Table, Verdict, agrees, basis_points, below, estimated, left_open, number
from dealermarket.papers.dealer_market.sophistication import investor_columns, oracles
from dealermarket.papers.glossary import words
from dealermarket.plots import Axis, Band, Figure, Legend, Level, Line, Mark, drawn_once, sequence
from dealermarket.study import LEVEL, Array, Estimate, Study, joint, observe, ratio

LONGEST = 16
TELLING = 0.1  # the oracle probability that a study must be able to tell from none
SHOWN = (1, 2, 4, 8, 16)
MOST_LINES = 10  # that a reader tells apart; of more investors those at both ends are drawn


class Markouts(Experiment):
    """Position revenue per unit by horizon, held against what an oracle must be worth."""

    name = "markouts"
    source = "Not in the paper; the plot that a dealing desk looks at first"
    question = (
        "How much is a trade worth to its maker h steps later? Do the markouts of investors and of tiers show who knows where "
        "the price goes?"
    )
    words = words("markout", "oracle probability p", "t_m", "σ, dt", "tier", "basis point (bp)")
    preset = "informed"
    runs = 300
    variations = (
        *left_open(v_max=(50.0, 1000.0), alpha=(1.1, 1.7), tier_penalty=(1e-5, 3e-4), t_m=(1, 2, 8)),
        *left_open(weight=(0.01, 0.2), log_std=(0.25, 1.0), volatility=(0.02, 0.3)),
    )

    def needs(self, scenario: Scenario) -> str | None:
        if scenario.steps > LONGEST >= scenario.reward_horizon:
            return None
        return (
            f"more than {LONGEST} steps and a reward_horizon of at most {LONGEST}, {scenario.name!r} has {scenario.steps} and "
            f"{scenario.reward_horizon}"
        )

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [Study("trades", {"market": scenario}, runs, partial(observe.markouts, longest=LONGEST), "trades")]

    def verdicts(self) -> Iterator[Verdict]:
        oracle, horizon, points = oracles(self.scenario), self.scenario.reward_horizon, basis_points(self.scenario)
        at_once = self._markout("investor", joint(len(oracle)))[:, horizon]
        expected = _expected(self.scenario, oracle)[:, horizon]
        known, enough = float(np.max(at_once.margin)), float(-_expected(self.scenario, np.array([TELLING]))[0, horizon])
        inside = (at_once.low <= expected) & (expected <= at_once.high)
        with np.errstate(invalid="ignore", divide="ignore"):
            furthest = int(np.argmax(np.nan_to_num(np.abs(at_once.value - expected) / at_once.error, nan=-1.0)))
        yield Verdict(
            "as the theory",
            "t_m steps after a trade every investor's markout agrees with theory: −p σ √(2 dt t_m / π).",
            agrees(at_once, expected, known, enough),
            f"{int(np.sum(inside))} of {len(oracle)} intervals contain the theory's value ({comparisons(len(oracle))}). The "
            f"furthest from it is {self.scenario.agents[furthest].name}: {estimated(at_once[furthest], 2, points)} bp, where "
            f"theory says {number(expected[furthest], 2, points)}. The widest interval is ± {number(known, 2, points)} bp, and "
            f"the claim needs ± {number(enough, 2, points)} or less, the markout of an oracle probability of {TELLING:g}.",
        )
        if (oracle > 0).any():
            knowing = np.flatnonzero(oracle > 0)
            informed = self._markout("investor")[knowing, horizon]
            all_at_once = self._markout("investor", joint(len(knowing)))[knowing, horizon]
            nearest = int(np.argmax(np.nan_to_num(informed.high, nan=-np.inf)))
            yield Verdict(
                "informed: below 0",
                "t_m steps after them, trades with every informed investor have lost money, the spread left out.",
                below(informed, refuted_by=all_at_once),
                f"{int(np.sum(informed.high < 0))} of {len(knowing)} intervals lie below 0. The least sure is "
                f"{self.scenario.agents[knowing[nearest]].name}: {estimated(informed[nearest], 2, points)} bp.",
            )

    def tables(self) -> Iterator[Table]:
        points, horizon = basis_points(self.scenario), self.scenario.reward_horizon
        expected = _expected(self.scenario, oracles(self.scenario))
        theory = Column("expected", f"theory at h = {horizon}", 2, expected[:, horizon], points)
        yield self._table("investor", [*investor_columns(self.scenario), theory])
        yield self._table("tier", [Column("tier", "tier", 0, int)])

    def _table(self, group: str, first: list[Column]) -> Table:
        """The markouts of every investor or tier, by horizon; `first` are the columns that say which one it is."""
        markout, points = self._markout(group), basis_points(self.scenario)
        at = [Column(f"h_{h}", f"h = {h}" if h in SHOWN else "", 2, markout[:, h], points) for h in range(LONGEST + 1)]
        caption = f"Markouts h steps after the trade, by {group} (basis points), of all makers together."
        return Table.of(f"by-{group}", caption, range(len(markout.value)), *first, *at)

    def figures(self) -> Iterator[Figure]:
        horizon = self.scenario.reward_horizon
        bands = f"Bands: 95 % intervals. Dashed upright line: t_m = {horizon}."
        agents, expected = self.scenario.agents, _expected(self.scenario, oracles(self.scenario))
        informed = any(agent.oracle_probability for agent in agents)
        names = [f"{agent.name} ({100 * agent.oracle_probability:.0f} %)" if informed else agent.name for agent in agents]
        chosen, which = list(range(len(agents))), ""
        if len(agents) > MOST_LINES:
            ranked = np.argsort(np.nan_to_num(self._markout("investor").value[:, horizon]), kind="stable").tolist()
            ends = MOST_LINES // 2
            chosen = sorted([*ranked[:ends], *ranked[-ends:]])
            which = (
                f" In colour: of {len(agents)} investors the {ends} with the lowest and the {ends} with the highest markout "
                "there; grey: the others."
            )
        theory = basis_points(self.scenario) * expected
        lines = [theory[int(group[0])] for group in drawn_once({str(n): theory[n] for n in range(len(theory))})]
        yield self._figure(
            "investor",
            f"Markouts by investor{', with its oracle probability' if informed else ''}. Dotted: theory. {bands}{which}",
            "investor (oracle probability)" if informed else "investor",
            {n: names[n] for n in chosen},
            [Line(np.arange(LONGEST + 1), line, None if n else "theory", width=0.8, style=":") for n, line in enumerate(lines)],
        )
        traded = np.isfinite(self._markout("tier").value[:, horizon])
        tiers = {tier: f"tier {tier}" for tier in np.flatnonzero(traded).tolist()}
        yield self._figure("tier", f"Markouts by the tier in which the trade was quoted. {bands}", None, tiers)

    def _figure(
        self, group: str, caption: str, title: str | None, labels: Mapping[int, str], further: Sequence[Mark] = ()
    ) -> Figure:
        """The markouts of those that have labels, by number, and in grey those of all others."""
        markout, horizons = self._markout(group).scaled(basis_points(self.scenario)), np.arange(LONGEST + 1)
        others = [n for n in range(len(markout.value)) if n not in labels]
        marks: list[Mark] = [Line(horizons, markout.value[n], colour="#CCCCCC", width=0.7) for n in others]
        for (n, label), colour in zip(labels.items(), sequence(len(labels)), strict=True):
            own = markout[n]
            marks += [Band(horizons, own.low, own.high, colour, 0.25), Line(horizons, own.value, label, colour)]
        columns = 3 if group == "tier" else 2
        rows = -(-(len(labels) + len(further[:1])) // columns) + (title is not None)
        return Figure(
            f"by-{group}",
            caption,
            [*marks, *further, Level(0), Level(self.scenario.reward_horizon, "x", style="--")],
            x=Axis(f"horizon h (steps of {duration(self.scenario.market)})"),
            y=Axis("markout (basis points)"),
            legend=Legend(title=title, below=True, columns=columns),
            size=(4.8, 3.4 + 0.21 * rows),
        )

    def notes(self) -> list[str]:
        return [
            "The theory: with probability p the investor takes the side of a normal price move whose standard deviation is σ "
            "√(dt t_m). So the maker loses p σ √(2 dt / π) h / √t_m per unit until horizon h ≤ t_m, and no more after it. "
            "Spreads come on top.",
            f"Trades of the last {LONGEST} steps are left out, so that the markouts of all horizons are of the same trades.",
        ]

    def _markout(self, group: str, level: float = LEVEL) -> Estimate:
        """Position revenue per unit, (groups, horizons), price units."""
        trades = self.results["trades"]["market"]
        return ratio(trades[f"by_{group}"], trades[f"by_{group}_volume"][:, :, None], level)


def _expected(scenario: Scenario, oracle: Array) -> Array:
    """The markout that oracle probabilities (n,) imply, (n, horizons), price units."""
    horizon = scenario.reward_horizon
    mid, reached = scenario.market.initial_price, np.minimum(np.arange(LONGEST + 1), horizon)
    deviation = float(scenario.market.step_volatility(mid))
    return np.asarray(-oracle[:, None] * deviation * np.sqrt(2 / np.pi) * reached / np.sqrt(horizon))
