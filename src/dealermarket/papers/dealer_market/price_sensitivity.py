"""Price sensitivity: a maker's share of an investor's volume by the tier it gives it (Figs 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike

from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Experiment, Table, Variation, Verdict, below, decided, estimated, left_open, number
from dealermarket.papers.glossary import words
from dealermarket.plots import COLOURS, Axis, Figure, Heat, Legend, Line, Mark, Points, tall
from dealermarket.study import Array, Study, joint, mean, observe, slopes

COMPETITOR, STUDIED = 0, 1
# Fig. 5: the tier in which the competitor holds investors of rising size; 4, 4, 2, 1 for the paper's 0, 1, 5, 7.
FIXED_TIERS = (4, 4, 3, 3, 2, 2, 1, 1, 0, 0)
# Fig. 6: share with investors 0, 1, 5, 7 in tiers 0 to 4.
FIG_6 = {
    0: (1.00, 1.00, 0.95, 0.76, 0.19),
    1: (1.00, 1.00, 0.97, 0.28, 0.05),
    5: (0.82, 0.59, 0.46, 0.37, 0.10),
    7: (0.80, 0.52, 0.42, 0.38, 0.10),
}
MARGIN = 0.05  # a share must be known this well for one half to mean something


class PriceSensitivity(Experiment):
    """Every investor pinned to every tier, against a competitor with fixed tiers and one that tiers by revenue rate."""

    name = "price-sensitivity"
    source = "Figs 5 and 6"
    question = (
        "A maker keeps one investor in one tier for a whole run. What share of the investor's volume does it win against a "
        "competitor whose tiers never change, and against one that tiers its clients by the revenue they bring? Are larger "
        "investors more sensitive to the price?"
    )
    words = words("tier")
    headline = "share-adaptive"
    preset = "price-sensitivity"
    runs = 300
    studied = STUDIED
    variations = (
        *left_open(v_max=(100.0, 250.0, 1000.0, 10000.0), alpha=(1.1, 1.3, 1.7), tier_penalty=(3e-6, 2e-5, 5e-5), t_m=(2, 4, 8)),
        Variation("weight of the last trade", "makers.0.tiering.weight", (0.02, 0.1, 0.2)),
        *left_open(log_std=(0.25, 0.75), volatility=(0.0, 0.05, 0.1)),
    )

    def needs(self, scenario: Scenario) -> str | None:
        if len(scenario.makers) != self.makers_needed or len({maker.tiering.tiers for maker in scenario.makers}) != 1:
            return f"exactly two makers with the same number of tiers, {scenario.name!r} differs"
        return None

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [_pinned("adaptive", scenario, runs)]

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        table = ", ".join(f'"{agent.name}" = {tier}' for agent, tier in zip(scenario.agents, _fixed_tiers(scenario), strict=True))
        rival = f"makers.{COMPETITOR}.tiering"
        return [_pinned("fixed", scenario.with_settings(f"{rival}.kind=fixed", f"{rival}.table={{{table}}}"), runs)]

    def verdicts(self) -> Iterator[Verdict]:
        if "fixed" in self.results:
            yield self._by_comparison()
        shares = self._shares("adaptive")
        moves, averages = np.diff(shares, axis=2), shares.mean(axis=2)
        rises = mean(moves, joint(moves[0].size)).low > 0
        step, drop = mean(moves.mean(axis=1)), mean(shares[:, :, 0] - shares[:, :, -1])
        least = int(np.argmin(drop.low))
        yield Verdict(
            "adaptive: falls in the tier",
            "Against a competitor that tiers by revenue, the share falls from tier to tier over all investors, and for each of "
            "them from the best tier to the worst.",
            decided(np.all(step.high < 0) and np.all(drop.low > 0) and not rises.any(), rises.any() or np.any(step.low > 0)),
            f"From tier to tier the mean share of all investors changes by "
            f"{', '.join(estimated(step[n], 2) for n in range(len(step.value)))}. From the best tier to the worst the least sure "
            f"fall is that of {self.scenario.agents[least].name}: {estimated(drop[least], 2)}. Of {rises.size} single steps of "
            f"single investors {int(rises.sum())} rise (intervals widened for {rises.size} comparisons).",
        )
        slope = mean(slopes(averages, np.log(self._mean_sizes)))
        yield Verdict(
            "larger: more sensitive",
            "Larger investors are more price sensitive: their mean share over the tiers is smaller.",
            below(slope),
            f"Mean shares by rising size: {', '.join(number(value, 2) for value in mean(averages).value)}. The share changes by "
            f"{estimated(slope, 3)} where the logarithm of the size grows by 1.",
        )

    def _by_comparison(self) -> Verdict:
        shares, wanted = self._shares("fixed"), _shares_by_comparison(self.scenario)
        here, equal = mean(shares).value, wanted == 0.5
        half = mean(shares, joint(equal.sum()))[equal]
        exact = here == wanted
        wrong = np.concatenate([(~exact & ~np.isnan(here))[~equal], (half.low > 0.5) | (half.high < 0.5)])
        known = float(np.max(half.margin, initial=0.0))
        return Verdict(
            "fixed: 1, ½, 0",
            "Against fixed tiers the share is 1 where the maker's tier is better, one half where it is the same and 0 where it "
            "is worse.",
            decided(np.all(exact | equal) and not wrong.any() and known <= MARGIN, wrong),
            f"Where the tiers differ, {int(np.sum(exact & ~equal))} of {int(np.sum(~equal))} shares are exactly 1 or 0. Where "
            f"they are the same, {int(np.sum((half.low <= 0.5) & (half.high >= 0.5)))} of {int(equal.sum())} intervals contain "
            f"one half (widened for {int(equal.sum())} comparisons); the widest is ± {number(known, 3)}, and the claim needs ± "
            f"{MARGIN} or less.",
        )

    def tables(self) -> Iterator[Table]:
        if self._comparable:
            yield self._figure_6_table()
        competitor = Column("competitor", "competitor's tier", 0, _fixed_tiers(self.scenario))
        yield self._shares_table("fixed", "a competitor with fixed tiers", competitor)
        yield self._shares_table("adaptive", "a competitor that tiers by revenue rate")

    def _figure_6_table(self) -> Table:
        here, columns = mean(self._shares("adaptive")).value, []
        for tier, papers in enumerate(np.transpose(list(FIG_6.values()))):
            paper = dict(zip(FIG_6, papers, strict=True))
            columns.append(Column(f"paper_{tier}", f"tier {tier}: paper", 2, paper))
            columns.append(Column(f"tier_{tier}", "here", 2, here[:, tier]))
        return Table.of(
            "figure-6",
            f"Fig. 6: shares of the four investors that the paper shows. {_distance(here)}",
            FIG_6,
            Column("investor", "investor", 0, int),
            Column("mean_size", "mean size", 2, self._mean_sizes),
            *columns,
        )

    def _shares_table(self, study: str, rival: str, *further: Column) -> Table:
        shares = mean(self._shares(study))
        return Table.of(
            f"shares-{study}",
            f"Share of each investor's volume against {rival}, by the tier that the maker gives it.",
            range(len(shares.value)),
            Column("investor", "investor", value=lambda n: self.scenario.agents[n].name),
            Column("mean_size", "mean size", 2, self._mean_sizes),
            *further,
            *(Column(f"tier_{tier}", f"tier {tier}", 2, shares[:, tier]) for tier in range(shares.value.shape[1])),
        )

    def figures(self) -> Iterator[Figure]:
        yield self._heat("fixed", "with fixed tiers")
        yield self._heat("adaptive", "that tiers by revenue rate")
        yield self._lines("5", "fixed", "fixed tiers", _shares_by_comparison(self.scenario))
        yield self._lines("6", "adaptive", "tiers by revenue rate", FIG_6)

    def _heat(self, study: str, rival: str) -> Figure:
        shares = mean(self._shares(study)).value
        return Figure(
            f"share-{study}",
            f"The maker's share of every investor's volume against a competitor {rival}, by the tier that it gives the investor: "
            "mean over the runs.",
            [Heat(shares)],
            x=Axis("tier the maker gives the investor", ticks=[str(tier) for tier in range(shares.shape[1])]),
            y=Axis("investor (mean size)", ticks=self._investors),
            size=tall(len(shares)),
        )

    def _lines(self, figure: str, study: str, rival: str, papers: Mapping[int, ArrayLike] | Array) -> Figure:
        shares, sizes = mean(self._shares(study)), self._mean_sizes
        tiers = np.arange(shares.value.shape[1])
        marks: list[Mark] = []
        for k, (investor, colour) in enumerate(zip((n for n in FIG_6 if n < len(sizes)), COLOURS, strict=False)):
            x = tiers + 0.05 * (k - 1.5)
            marks.append(Points(x, shares[investor], self._investors[investor], colour))
            if self._comparable:
                marks.append(Line(x, papers[investor], colour=colour, width=1, style=":", marker="hollow"))
        circles = " Hollow circles on dotted lines: the paper's values." if self._comparable else ""
        return Figure(
            f"figure-{figure}",
            f"Fig. {figure}. Share of the investors that the paper shows, against a competitor with {rival}. Bars: 95 % "
            f"intervals.{circles}",
            marks,
            x=Axis("tier the maker gives the investor", ticks=[str(tier) for tier in tiers]),
            y=Axis("share of the investor's volume", limits=(-0.04, 1.04)),
            legend=Legend(title="investor (mean size)", below=True, columns=2),
            size=(4.8, 4.3),
        )

    def differences(self) -> Iterator[str]:
        if self._comparable:
            yield f"Shares of Fig. 6: {_distance(mean(self._shares('adaptive')).value)}"

    def notes(self) -> Iterator[str]:
        if self._comparable:
            yield "The paper gives no set-up for Fig. 6, and says that its values have a standard deviation of about 0.08."

    def _shares(self, study: str) -> Array:
        """Share of investor n's volume with the studied maker, which holds it in tier u: (replicas, N, K)."""
        tiers, agents = range(self.scenario.makers[STUDIED].tiering.tiers), enumerate(self.scenario.agents)
        shares = [[self.own(study, f"{agent.name} in {tier}", "share")[:, n] for tier in tiers] for n, agent in agents]
        return np.moveaxis(np.array(shares), -1, 0)

    @property
    def _mean_sizes(self) -> Array:
        largest = self.scenario.exchange.largest_trade
        return np.array([agent.size_moment(1, largest) for agent in self.scenario.agents])

    @property
    def _investors(self) -> list[str]:
        """Name and mean size of every investor."""
        return [f"{agent.name} ({size:g})" for agent, size in zip(self.scenario.agents, self._mean_sizes, strict=True)]

    @property
    def _comparable(self) -> bool:
        """Whether the scenario has the investors and tiers of Fig. 6."""
        tiers = self.scenario.makers[STUDIED].tiering.tiers
        return len(self.scenario.agents) > max(FIG_6) and tiers == len(FIG_6[0])


def _pinned(name: str, scenario: Scenario, runs: int) -> Study:
    """Every investor in every tier, one at a time."""
    variants = {
        f"{agent.name} in {tier}": _with_pin(scenario, agent.name, tier)
        for agent in scenario.agents
        for tier in range(scenario.makers[STUDIED].tiering.tiers)
    }
    return Study(name, variants, runs, observe.client_shares, "trades")


def _with_pin(scenario: Scenario, investor: str, tier: int) -> Scenario:
    """The studied maker pins an investor; the scenario itself where it has it there already, which spares a run."""
    maker = scenario.makers[STUDIED]
    if isinstance(maker.tiering, FixedTiers) and maker.tiering.fixed_tiers.get(investor, 0) == tier:
        return scenario
    pinned = maker.replace(tiering=maker.tiering.replace(pins={**maker.tiering.pins, investor: tier}))
    return scenario.replace(makers=tuple(pinned if n == STUDIED else other for n, other in enumerate(scenario.makers)))


def _fixed_tiers(scenario: Scenario) -> list[int]:
    """The competitor's tiers: best for the largest investor, as in Fig. 5, however many investors there are."""
    count, tiers = len(scenario.agents), scenario.makers[COMPETITOR].tiering.tiers
    if (count, tiers) == (len(FIXED_TIERS), max(FIXED_TIERS) + 1):
        return list(FIXED_TIERS)
    return [tiers - 1 - (n * tiers) // count for n in range(count)]


def _shares_by_comparison(scenario: Scenario) -> Array:
    """1, one half and 0 as the studied maker's tier is better than, equal to and worse than the competitor's, (N, K)."""
    rival = np.array(_fixed_tiers(scenario))[:, None]
    own = np.arange(scenario.makers[STUDIED].tiering.tiers)[None, :]
    return np.asarray(0.5 * (np.sign(rival - own) + 1))


def _distance(shares: Array) -> str:
    """How far shares (N, K) are from those of Fig. 6, in words."""
    away = np.array([shares[investor] - papers for investor, papers in FIG_6.items()])
    return (
        f"Between the paper's {away.size} values and these the typical distance (root mean square) is "
        f"{number(np.sqrt(np.mean(away**2)), 2)}, the largest {number(np.abs(away).max(), 2)}."
    )
