"""A traced step as tables on a terminal, in the order in which things happen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from dealermarket.commands.tables import Column, split_tables
from dealermarket.estimates import fixed
from dealermarket.runs.trace import Gap, Quote, StepTrace, TracedHedge, TracedRequest

if TYPE_CHECKING:
    from rich.table import Table

BASIS_POINT = 1e-4
DIGITS = 4  # of the largest number of a column
PLANNED = 6  # steps of a plan that are shown
UNITS = (
    "Spreads and yields in bp of the mid, metrics as makers rank by them, in price units; sizes in units of the asset, money in "
    "price × units. Curve: the quote of the best tier without skew; skew and tier: what these add."
)

Shown = Iterator["Table | str"]


class StepTables:
    """The tables and sentences of a traced step for a terminal of some `width`.

    With a `maker`, of a trace of what concerns it, each request shows its quote beside the best one, and why it lost."""

    def __init__(self, trace: StepTrace, maker: str | None, width: int) -> None:
        self._trace, self._maker, self._width = trace, maker, width
        asked = (*trace.requests, *trace.hedges)
        self._decimals = _decimals(self._in_bp(quote.spread) for each in asked for quote in each.quotes)

    def prices(self) -> str:
        """The prices of the step, in a sentence."""
        trace = self._trace
        moved = f", {self._in_bp(trace.move):+.3g} bp since the step before" if trace.step else ""
        impact = f", of which former hedges {self._in_bp(trace.impact.total):+.3g} bp" if trace.impact.total else ""
        spreads = f"reference spread as drawn {trace.reference_spread:.4g}, S_ref(0) {self._in_bp(trace.half_spread):.4g} bp"
        return f"mid {trace.mid:.7g}{impact}{moved}; {spreads}"

    def all(self) -> Shown:
        """Everything, in the order of the steps in docs/model.md, "One step"."""
        yield from self._held()
        yield from self._matured()
        yield from self._tiers()
        yield from self._requests()
        yield from self._hedges()
        yield from self._positions()

    def _held(self) -> Shown:
        holders = [maker for maker in self._trace.makers if maker.position]
        columns = [
            Column("held", aligned([maker.position for maker in holders])),
            Column("risk cost", aligned([maker.risk_cost for maker in holders])),
        ]
        labels = [_names("maker", [maker.maker for maker in holders])]
        yield from self._titled("1. Positions held into the step, and what the move of the mid costs them", labels, columns)

    def _matured(self) -> Shown:
        trades, horizon, move = self._trace.matured, self._trace.reward_horizon, self._trace.matured_move
        columns = [
            _names("with", [trade.maker for trade in trades]),
            _names("kind", [trade.kind for trade in trades]),
            Column("tier", ["-" if trade.trade_yield is None else str(trade.tier) for trade in trades]),
            Column("spread", aligned([self._in_bp(trade.spread) for trade in trades])),
            Column("position\nrevenue", aligned([trade.position_revenue for trade in trades])),
            Column("yield", aligned([None if trade.trade_yield is None else self._in_bp(trade.trade_yield) for trade in trades])),
        ]
        since = "" if move is None else f", since when the mid moved by {self._in_bp(move):+.3g} bp"
        title = f"2. What matures: trades of {horizon:,} step{'s' if horizon > 1 else ''} ago{since}"
        labels = [_names("trade", [_told(trade.taker, trade.side, trade.size) for trade in trades])]
        yield from self._titled(title, labels, columns)

    def _tiers(self) -> Shown:
        changed = self._trace.standings
        columns = [
            Column("metric\nbefore", aligned([each.metric_before for each in changed])),
            Column("metric\nnow", aligned([each.metric for each in changed])),
            Column("tier\nbefore", [str(each.tier_before) for each in changed]),
            Column("tier\nnow", [str(each.tier) for each in changed]),
        ]
        labels = [_names("maker", [each.maker for each in changed]), _names("of", [each.participant for each in changed])]
        yield from self._titled("3. Tiers: with whom trades matured, or whose tier changed", labels, columns)

    def _requests(self) -> Shown:
        rows = [
            (_told(request.client, request.side, request.size), quote, self._outcome(request, quote))
            for request in self._trace.requests
            for quote in request.quotes
            if self._maker in (None, quote.maker) or quote.maker == request.best_maker
        ]
        yield from self._quotes("4. Requests and quotes", rows)
        if self._maker is not None:
            yield from _lines(self._why_lost(self._maker))

    def _outcome(self, request: TracedRequest, quote: Quote) -> str:
        """What became of a request, beside one of its quotes."""
        if quote.maker != request.best_maker:
            return self._behind(request.behind(quote.maker), "tied, lost the draw")
        if not request.traded and request.reservation is not None:
            return f"not traded: at most {self._fixed(request.reservation)}"
        if request.tied:
            return "won, by a draw"
        return "won, alone asked" if request.ahead is None else f"won, {self._least(request.ahead)} ahead"

    def _why_lost(self, maker: str) -> Iterator[str]:
        """A sentence for each request that a maker did not win."""
        for request in self._trace.requests:
            outcome, why = request.outcome_of(maker), self._why(request.behind(maker))
            told = f"{_told(request.client, request.side, request.size)}: {maker}"
            if outcome == "not traded":
                best = f", from {request.best_maker}," if why else ""
                yield f"{told} could not win, for the best quote{best} was above the reservation{why and f'; it was {why}'}"
            elif outcome == "traded away":
                yield f"{told} lost to {request.best_maker}, {why or 'by a draw among equal quotes'}"

    def _why(self, gap: Gap | None) -> str:
        """By how much a quote was behind, and what of that comes from where; empty where it was not."""
        if gap is None or not gap.spread:
            return ""
        parts = {"curve": gap.parts.curve, "skew": gap.parts.skew, "tier": gap.parts.tier}
        decimals = self._decimals
        told = ", ".join(f"{name} {round(self._in_bp(part), decimals) + 0.0:+.{decimals}f}" for name, part in parts.items())
        return f"{self._least(gap.spread)} bp behind: {told}"

    def _hedges(self) -> Shown:
        hedges = [hedge for hedge in self._trace.hedges if hedge.size]
        rows = [
            (_hedge_told(hedge), quote, self._got(hedge, quote))
            for hedge in hedges
            for quote in hedge.quotes
            if self._maker in (None, hedge.maker, quote.maker) or quote.maker == hedge.winner
        ]
        yield from self._quotes("5. Hedges, and what others charge for them", rows)
        own = [hedge for hedge in hedges if self._maker in (None, hedge.maker)]
        yield from _lines(f"{hedge.maker} plans {_plan(hedge.schedule)}" for hedge in own if hedge.schedule is not None)

    def _got(self, hedge: TracedHedge, quote: Quote) -> str:
        """Who got a hedge, beside one of its quotes."""
        if quote.maker == hedge.winner:
            return "got it"
        if hedge.venue == ("makers" if quote.tier is None else "exchange"):
            return "not its venue"
        return self._behind(hedge.behind(quote.maker), "tied")

    def _positions(self) -> Shown:
        makers = self._trace.makers
        columns = [
            Column("held\nbefore", aligned([maker.position for maker in makers])),
            Column("held\nafter", aligned([maker.position_after for maker in makers])),
            Column("spread\nrevenue", aligned([maker.spread_revenue for maker in makers])),
            Column("position\nrevenue", aligned([maker.position_revenue for maker in makers])),
            Column("hedging\ncost", aligned([maker.hedging_cost for maker in makers])),
            Column("risk\ncost", aligned([maker.risk_cost for maker in makers])),
        ]
        labels = [_names("maker", [maker.maker for maker in makers])]
        yield from self._titled("6. Positions after the step, and its rewards", labels, columns)
        yield from _lines(self._moved())

    def _moved(self) -> Iterator[str]:
        """What hedges do to the next mid, where there is impact."""
        now, later = self._trace.impact, self._trace.next_impact
        if now.total or later.total:
            parts = {"permanent": (now.permanent, later.permanent), "transient": (now.transient, later.transient)}
            told = ", ".join(f"{name} {self._in_bp(a):+.3g} bp now, {self._in_bp(b):+.3g} next" for name, (a, b) in parts.items())
            yield f"Impact of hedges at the exchange on the mid: {told}"

    def _quotes(self, title: str, rows: Sequence[tuple[str, Quote, str]]) -> Shown:
        """A row a quote; who asked stands in the first of its rows alone."""
        quotes = [quote for _, quote, _ in rows]
        columns = [
            Column("tier", ["-" if quote.tier is None else str(quote.tier) for quote in quotes]),
            Column("spread", [self._fixed(quote.spread) for quote in quotes]),
            Column("= curve", [self._fixed(quote.parts.curve) for quote in quotes]),
            Column("+ skew", [self._fixed(quote.parts.skew) for quote in quotes]),
            Column("+ tier", [self._fixed(quote.parts.tier) for quote in quotes]),
            _names("outcome", [outcome for _, _, outcome in rows]),
        ]
        once = ["" if n and asked == rows[n - 1][0] else asked for n, (asked, _, _) in enumerate(rows)]
        yield from self._titled(title, [_names("asked by", once), _names("quote of", [quote.maker for quote in quotes])], columns)

    def _titled(self, title: str, labels: Sequence[Column], columns: Sequence[Column]) -> Shown:
        """A title that may be wider than its table, and the table; or that there is nothing."""
        if not labels[0].texts:
            yield f"{title}: none\n"
            return
        yield title
        yield from split_tables("", labels, columns, self._width)

    # --- numbers

    def _in_bp(self, value: float) -> float:
        return value / (BASIS_POINT * self._trace.mid)

    def _fixed(self, spread: float) -> str:
        """A spread in bp, with the decimals that all quotes of the step have."""
        return fixed(self._in_bp(spread), self._decimals)

    def _least(self, difference: float) -> str:
        """A difference above 0 of spreads, or that it is too small for the decimals."""
        told, least = self._fixed(difference), 10.0**-self._decimals
        return told if float(told.replace(",", "")) else f"under {fixed(least, self._decimals)}"

    def _behind(self, gap: Gap | None, tied: str) -> str:
        return f"{self._least(gap.spread)} behind" if gap and gap.spread else tied


def _lines(lines: Iterable[str]) -> Iterator[str]:
    """Sentences, one a line, as one text."""
    text = "\n".join(lines)
    if text:
        yield f"{text}\n"


def _hedge_told(hedge: TracedHedge) -> str:
    held = f"{abs(hedge.position):.4g} {'long' if hedge.position > 0 else 'short'}"
    return f"{_told(hedge.maker, hedge.side, hedge.size)}, {100 * hedge.fraction:.3g} % of {held}"


def _plan(schedule: Sequence[float]) -> str:
    steps = max((n + 1 for n, part in enumerate(schedule) if part > 0), default=0)
    shown = ", ".join(f"{100 * part:.3g}" for part in schedule[: min(steps, PLANNED)])
    if steps <= 1:
        return f"to trade {shown} % at once"
    return f"to trade {shown}{' ...' if steps > PLANNED else ''} % of its position in {steps} steps"


def _told(who: str, side: int, size: float) -> str:
    return f"{who} {'buys' if side > 0 else 'sells'} {size:.4g}"


def _names(heading: str, texts: Sequence[str]) -> Column:
    return Column(heading, texts, "left")


def aligned(values: Sequence[float | None]) -> list[str]:
    """The numbers of a column, all with the decimals that give the largest DIGITS digits; - for what is none."""
    decimals = _decimals(value for value in values if value is not None)
    return ["-" if value is None else fixed(value, decimals) for value in values]


def _decimals(values: Iterable[float]) -> int:
    largest = max((abs(value) for value in values), default=0.0)
    return max(DIGITS - 1 - math.floor(math.log10(largest)), 0) if largest > 0 else 0
