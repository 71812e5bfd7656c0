"""Price sensitivity: a maker's share of an investor's volume by the tier it gives it (Figs 5 and 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dealermarket.errors import ParameterError
from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Experiment, Results, Variation
from dealermarket.papers.findings import (
    Column,
    Figure,
    Table,
    Verdict,
    bracketed,
    interval_column,
    judged,
    number,
    signed,
    with_interval,
)
from dealermarket.plots.run import COLOURS, heat_map, marked_line
from dealermarket.study import measures as observe
from dealermarket.study.estimates import joint, mean, p_not_above_zero, slopes
from dealermarket.study.study import Array, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
PAPERS_INVESTORS = tuple(FIG_6)
MARGIN = 0.05  # a share must be known this well for one half to mean something


class PriceSensitivity(Experiment):
    """Every investor pinned to every tier, against a competitor with fixed tiers and one that tiers by revenue rate."""

    name = "price-sensitivity"
    title = "Price sensitivity"
    source = "Figs 5 and 6"
    question = (
        "A maker pins one investor to a tier for a whole run. What share of the investor's volume does it win, against a "
        "competitor whose tiers stand still, and against one that answers by tiering its clients by the revenue they bring? "
        "Are larger investors more sensitive to the price?"
    )
    preset = "price-sensitivity"
    runs = 300
    variations = (
        Variation("v_max", "exchange.v_max", (100.0, 250.0, 1000.0, 10000.0)),
        Variation("alpha", "makers.*.pricing.alpha", (1.1, 1.3, 1.7)),
        Variation("tier penalty", "makers.*.pricing.tier_penalty", (3e-6, 2e-5, 5e-5)),
        Variation("t_m", "reward_horizon", (2, 4, 8)),
        Variation("EWMA weight", "makers.0.tiering.weight", (0.02, 0.1, 0.2)),
        Variation("sd of log size", "investors.*.log_std", (0.25, 0.75)),
        Variation("volatility", "market.mid_price.volatility", (0.0, 0.05, 0.1)),
    )

    def checked(self, scenario: Scenario) -> Scenario:
        scenario = super().checked(scenario)
        tiers = {scenario.makers[index].tiering.tiers for index in (COMPETITOR, STUDIED)}
        if len(scenario.makers) != self.makers_needed or len(tiers) != 1:
            raise ParameterError(
                f"{self.name}: needs exactly two makers with the same number of tiers, {scenario.name!r} differs"
            )
        return scenario

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [self._pinned("adaptive", scenario, runs)]

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        table = ", ".join(f'"{agent.name}" = {tier}' for agent, tier in zip(scenario.agents, _fixed_tiers(scenario), strict=True))
        rival = f"makers.{COMPETITOR}.tiering"
        return [self._pinned("fixed", scenario.with_settings(f"{rival}.kind=fixed", f"{rival}.table={{{table}}}"), runs)]

    def _pinned(self, name: str, scenario: Scenario, runs: int) -> Study:
        variants = {
            f"{agent.name} in {tier}": _with_pin(scenario, agent.name, tier)
            for agent in scenario.agents
            for tier in range(scenario.makers[STUDIED].tiering.tiers)
        }
        return Study(name, variants, runs, observe.client_shares, "trades")

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        fixed = [self._fixed_verdict(scenario, results)] if "fixed" in results else []
        return [*fixed, *self._adaptive_verdicts(scenario, results)]

    def _fixed_verdict(self, scenario: Scenario, results: Results) -> Verdict:
        shares, wanted = _shares(scenario, results, "fixed"), _by_comparison(scenario)
        here, equal = mean(shares), wanted == 0.5
        at_once = mean(shares, joint(equal.sum()))[equal]
        exact = here.value == wanted
        wrong = bool(np.any(~exact & ~equal & ~np.isnan(here.value)) or np.any((at_once.low > 0.5) | (at_once.high < 0.5)))
        known = float(np.max((at_once.high - at_once.low) / 2, initial=0.0))
        furthest = float(np.max(np.abs(here.value - wanted)[equal], initial=0.0))
        return Verdict(
            "fixed: 1, ½, 0",
            "Against fixed tiers the share is 1 where the maker's tier is better, one half where it is equal and 0 where it is "
            "worse.",
            judged(bool(np.all(exact | equal)) and not wrong and known <= MARGIN, wrong),
            f"{int(np.sum(exact & ~equal))} of {int(np.sum(~equal))} points with unequal tiers are exactly 1 or 0; the "
            f"{int(equal.sum())} with equal tiers are within {number(furthest, 3)} of one half and known to ±{number(known, 3)} "
            f"(to say more than undecided: ±{MARGIN}).",
        )

    def _adaptive_verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        shares = _shares(scenario, results, "adaptive")
        moves = np.diff(shares, axis=2)
        each, together = mean(moves, joint(moves[0].size)), mean(moves.mean(axis=1))
        drop = mean(shares[:, :, 0] - shares[:, :, -1])
        middle = shares.mean(axis=2)
        slope = slopes(middle, np.log(_mean_sizes(scenario)))
        averages = ", ".join(number(value, 2) for value in mean(middle).value)
        return [
            Verdict(
                "adaptive: falls in the tier",
                "Against a competitor that answers, the share falls with every worse tier, over all investors and for each of "
                "them.",
                judged(
                    bool(np.all(together.high < 0) and np.all(drop.low > 0) and not np.any(each.low > 0)),
                    bool(np.any(each.low > 0) or np.any(together.low > 0)),
                ),
                f"Over all investors it changes by {', '.join(bracketed(together[n], 2) for n in range(len(together.value)))} "
                f"from tier to tier; from best to worst it falls by {number(drop.value.min(), 2)} at least and "
                f"{number(drop.value.max(), 2)} at most; {int(np.sum(each.low > 0))} of {each.value.size} single steps rise "
                "significantly.",
            ),
            signed(
                "larger: more sensitive",
                "Larger investors are more price sensitive: the mean share over the tiers falls with log size (one-sided p < "
                "0.01).",
                p_not_above_zero(-slope),
                f"Mean shares by rising size: {averages}; slope {bracketed(mean(slope), 3)} a unit of log size",
            ),
        ]

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        here = mean(_shares(scenario, results, "adaptive"))
        tiers = range(here.value.shape[1])
        found = []
        if _comparable(scenario):
            rows = [
                {
                    "investor": investor,
                    "mean_size": _mean_sizes(scenario)[investor],
                    **{f"paper_{tier}": FIG_6[investor][tier] for tier in tiers},
                    **{f"tier_{tier}": here.value[investor, tier] for tier in tiers},
                }
                for investor in PAPERS_INVESTORS
            ]
            columns = [Column("investor", "investor", 0), Column("mean_size", "mean size", 2)]
            for tier in tiers:
                columns += [Column(f"paper_{tier}", f"tier {tier}: paper", 2), Column(f"tier_{tier}", "here", 2)]
            caption = f"Fig. 6: share of the four investors that the paper shows, adaptive competitor; {_distance(here.value)}."
            found.append(Table("figure-6", caption, pd.DataFrame(rows), tuple(columns)))
        for study, what in (("fixed", "a competitor with fixed tiers"), ("adaptive", "a competitor that tiers by revenue rate")):
            estimate = mean(_shares(scenario, results, study))
            rows = [
                {"investor": agent.name, "mean_size": size}
                | {key: value for tier in tiers for key, value in with_interval(f"tier_{tier}", estimate[n, tier]).items()}
                for n, (agent, size) in enumerate(zip(scenario.agents, _mean_sizes(scenario), strict=True))
            ]
            if study == "fixed":
                for row, tier in zip(rows, _fixed_tiers(scenario), strict=True):
                    row["competitor"] = tier
            found.append(
                Table(
                    f"shares-{study}",
                    f"Share of each investor's volume against {what}, by the tier that the maker gives it; 95 % intervals in "
                    "brackets.",
                    pd.DataFrame(rows),
                    (
                        Column("investor", "investor"),
                        Column("mean_size", "mean size", 2),
                        *([Column("competitor", "competitor's tier", 0)] if study == "fixed" else []),
                        *(interval_column(f"tier_{tier}", f"tier {tier}", 2) for tier in tiers),
                    ),
                )
            )
        return found

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        def heat(study: str) -> Figure:
            shares = mean(_shares(scenario, results, study)).value

            def draw(ax: Axes) -> None:
                heat_map(ax, shares, "{:.2f}")
                sizes = _mean_sizes(scenario)
                ax.set_yticks(range(len(shares)), labels=[f"{n} ({size:g})" for n, size in enumerate(sizes)])
                ax.set_xticks(range(shares.shape[1]))
                ax.set(xlabel="tier the maker gives the investor", ylabel="investor (mean size)")

            against = "with fixed tiers" if study == "fixed" else "that tiers by revenue rate"
            return Figure(
                f"share-{study}", f"Share of every investor's volume against a competitor {against}: mean over the runs.", draw
            )

        figures = [heat("fixed"), heat("adaptive")]
        chosen = [n for n in PAPERS_INVESTORS if n < len(scenario.agents)]
        for figure, study in (("5", "fixed"), ("6", "adaptive")):
            figures.append(self._lines(scenario, results, figure, study, chosen))
        return figures

    def _lines(self, scenario: Scenario, results: Results, figure: str, study: str, investors: list[int]) -> Figure:
        estimate, sizes = mean(_shares(scenario, results, study)), _mean_sizes(scenario)
        papers = None if not _comparable(scenario) else FIG_6 if study == "adaptive" else _by_comparison(scenario)

        def draw(ax: Axes) -> None:
            tiers = np.arange(estimate.value.shape[1])
            for k, (investor, colour) in enumerate(zip(investors, COLOURS, strict=False)):
                here, shift = estimate[investor], 0.05 * (k - 1.5)
                label = f"{investor} (mean size {sizes[investor]:g})"
                marked_line(ax, tiers + shift, here.value, here.high, color=colour, label=label)
                if papers is not None:
                    ax.plot(tiers + shift, papers[investor], ls=":", marker="o", mfc="white", color=colour, lw=1, ms=5)
            ax.set(xlabel="tier the maker gives the investor", ylabel="share of the investor's volume", ylim=(-0.04, 1.04))
            ax.set_xticks(tiers)
            ax.legend(title="investor", fontsize=8, title_fontsize=8)

        what = "fixed tiers" if study == "fixed" else "tiers by revenue rate"
        paper = " Hollow circles on dotted lines: the paper's values." if papers is not None else ""
        caption = (
            f"Fig. {figure}. Share with the investors that the paper shows, competitor with {what}; bars: 95 % intervals.{paper}"
        )
        return Figure(f"figure-{figure}", caption, draw)

    def differences(self, scenario: Scenario, results: Results) -> list[str]:
        if not _comparable(scenario):
            return []
        here = mean(_shares(scenario, results, "adaptive")).value
        return [f"Shares of Fig. 6 beside those here: {_distance(here)}."]

    def notes(self, scenario: Scenario, results: Results) -> list[str]:
        if not _comparable(scenario):
            return []
        return ["The paper gives no set-up for Fig. 6, and says that its values have a standard deviation of about 0.08."]


def _with_pin(scenario: Scenario, investor: str, tier: int) -> Scenario:
    """The studied maker pins an investor; the scenario itself where it has it there already, which spares a run."""
    maker = scenario.makers[STUDIED]
    if isinstance(maker.tiering, FixedTiers) and maker.tiering.fixed_tiers.get(investor, 0) == tier:
        return scenario
    pinned = maker.replace(tiering=maker.tiering.replace(pins={**maker.tiering.pins, investor: tier}))
    return scenario.replace(makers=tuple(pinned if n == STUDIED else other for n, other in enumerate(scenario.makers)))


def _shares(scenario: Scenario, results: Results, study: str) -> Array:
    """Share of investor n's volume with the studied maker, which holds it in tier u: (replicas, N, K)."""
    tiers = scenario.makers[STUDIED].tiering.tiers
    columns = [
        [results[study][f"{agent.name} in {tier}"]["share"][:, n, STUDIED] for tier in range(tiers)]
        for n, agent in enumerate(scenario.agents)
    ]
    return np.moveaxis(np.array(columns), -1, 0)


def _fixed_tiers(scenario: Scenario) -> list[int]:
    """The competitor's tiers: best for the largest investor, as in Fig. 5, however many investors there are."""
    count, tiers = len(scenario.agents), scenario.makers[COMPETITOR].tiering.tiers
    if (count, tiers) == (len(FIXED_TIERS), max(FIXED_TIERS) + 1):
        return list(FIXED_TIERS)
    return [tiers - 1 - (n * tiers) // count for n in range(count)]


def _by_comparison(scenario: Scenario) -> Array:
    """1, one half and 0 as the studied maker's tier is better than, equal to and worse than the competitor's, (N, K)."""
    rival = np.array(_fixed_tiers(scenario))[:, None]
    own = np.arange(scenario.makers[STUDIED].tiering.tiers)[None, :]
    return np.asarray(0.5 * (np.sign(rival - own) + 1))


def _comparable(scenario: Scenario) -> bool:
    """Whether the scenario has the investors and tiers of Fig. 6."""
    return len(scenario.agents) > max(PAPERS_INVESTORS) and scenario.makers[STUDIED].tiering.tiers == len(FIG_6[0])


def _distance(shares: Array) -> str:
    """How far shares (N, K) are from those of Fig. 6, in words."""
    away = np.array([shares[investor] - papers for investor, papers in FIG_6.items()])
    return (
        f"root mean square distance of its {away.size} values {number(np.sqrt(np.mean(away**2)), 2)}, "
        f"largest {number(np.abs(away).max(), 2)}"
    )


def _mean_sizes(scenario: Scenario) -> Array:
    return np.array([agent.size_moment(1, scenario.exchange.largest_trade) for agent in scenario.agents])
