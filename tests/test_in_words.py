"""The sentences under the tables of a run."""

from __future__ import annotations

import pytest

from dealermarket import Scenario, SimulationRunner
from dealermarket.commands.in_words import in_words
from dealermarket.commands.makers_tables import makers_tables
from dealermarket.runs.result import SimulationResult

pytestmark = pytest.mark.compiled


def told(name: str, *settings: str, replicas: int = 50) -> tuple[str, SimulationResult]:
    result = SimulationRunner(Scenario.load(name, ["steps=200", *settings]), replicas=replicas).run()
    return " ".join(in_words(result)), result


def test_who_earned_most_is_said_where_it_is_known() -> None:
    text, result = told("dealers", replicas=200)
    flat = result.statistics()["flat"]
    assert f"flat earned most: {flat['pnl']}" in text
    assert f"{100 * float(flat['market_share'].value):.0f} % of all" in text
    alike, _ = told("paper", "makers.*.hedging.kind=none")
    assert "do not tell" in alike
    assert "earned most" not in told("dealers", replicas=1)[0]
    assert "Every maker lost" in told("paper", "investors.0.oracle_probability=1")[0]


def test_where_the_risk_went() -> None:
    text, result = told("paper")
    total = result.summary.sum(numeric_only=True)
    assert f"{(total['volume'] - total['client_volume']) / total['client_volume']:.0f} times" in text
    assert "hot-potato" in text
    outside, result = told("paper", "makers.*.hedging.venue=exchange")
    total = result.summary.sum(numeric_only=True)
    assert f"makers hedged {total['hedge_volume'] / total['client_volume']:.2f} at the exchange." in outside
    among, _ = told("paper", "makers.0.hedging.kind=none")
    assert "with each other." in among and "exchange" not in among and "-0.00" not in among
    assert "hedged" not in told("paper", "makers.*.hedging.kind=none")[0]


def test_makers_without_clients_are_named() -> None:
    dear = ("makers.0.pricing.eps_buy=9", "makers.0.pricing.eps_sell=9")
    text, result = told("paper", "makers.*.hedging.kind=none", *dear, replicas=2)
    assert "Without any client: maker-1." in text
    for table in makers_tables(result, 140):
        rows = list(table.columns[0].cells)
        assert rows == ["maker-1 (no clients)", "maker-2"]  # whose P&L of 0 is no result
    assert "Without" not in told("paper", replicas=2)[0]
    assert told("paper", "investors.*.trade_probability=0", replicas=2)[0] == "No client traded."
