"""Golden runs: numbers of whole runs, kept in golden.json, and the paper's own where a run can be held against them.

Processors differ in the last bit of exp and log, so golden numbers compare at 1e-9. After a change that is meant to
alter results (say so in the changelog): `python tests/test_golden.py` writes the file anew.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dealermarket import Scenario, SimulationRunner, preset_names

GOLDEN = Path(__file__).with_name("golden.json")
COLUMNS = [
    "spread_revenue",
    "position_revenue",
    "hedging_cost",
    "risk_cost",
    "pnl",
    "volume",
    "hedge_volume",
    "trades",
    "market_share",
]


def numbers_of(name: str) -> list[list[float]]:
    scenario = Scenario.load(name, ["steps=60"])
    rows: list[list[float]] = SimulationRunner(scenario, replicas=2, seed=7).run().summary[COLUMNS].to_numpy(float).tolist()
    return rows


@pytest.mark.compiled
@pytest.mark.parametrize("name", preset_names())
def test_presets_still_give_their_numbers(name: str) -> None:
    golden = json.loads(GOLDEN.read_text())[name]
    np.testing.assert_allclose(numbers_of(name), golden, rtol=1e-9, atol=1e-12)


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("setting", "percentiles"),
    [
        ("makers.1.pricing.eps_buy=0.0", (0.08, 0.16, 0.28)),  # half the market
        ("makers.0.pricing={alpha=1.5, tier_penalty=1e-5, eps_buy=-0.1, eps_sell=-0.1}", (0.06, 0.11, 0.20)),  # all of it
    ],
)
def test_internalization_of_the_papers_table_2(setting: str, percentiles: tuple[float, ...]) -> None:
    """|position| / volume after 96 steps, 25th, 50th and 75th percentile; the paper has 1000 runs and two digits."""
    scenario = Scenario.load("internalization", ["steps=97", setting])
    summary = SimulationRunner(scenario, replicas=4000, threads=2).run().summary
    found = summary[summary["maker"] == "maker-1"]["internalization"].dropna()
    # standard error of a sample quantile of the paper's 1000 runs, plus half of its last digit
    density = [np.mean(np.abs(found - q) < 0.02) / 0.04 for q in percentiles]
    for level, paper, here in zip((0.25, 0.5, 0.75), percentiles, density, strict=True):
        error = np.sqrt(level * (1 - level) / 1000) / here
        assert abs(found.quantile(level) - paper) < 3 * error + 0.005


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({name: numbers_of(name) for name in preset_names()}, indent=1) + "\n")
