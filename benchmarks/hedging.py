"""How good the engine's first hedges are, on random cases: `python benchmarks/hedging.py`, in two to five minutes.

Each case is a position, a risk aversion and the prices of one or several rivals. The first trade is the one that the engine
makes, from its tables (`lookup`, `planned_fraction`); what is left is then traded as well as can be. The loss is what that costs
more than the best schedule of all (`hedging_optimum.py`).

- One rival: lam - 1 log-uniform in [.01, 99], alpha in [.7, 2], H log-uniform in 1..100, gamma s / half spread log-uniform in
  [1e-6, 1e5]; a third of the positions below .985 v_max, a third in [.985, 1.05] v_max, a third anywhere up to .99 H v_max.
- Two to five rivals: of different alphas, in tiers 0 to 4, with tier penalties log-uniform in [1e-6, 4e-4] for a half spread of
  7.5e-5. Where one of them is the cheapest for all sizes that can trade, there is nothing to choose: these cases count with a
  loss of 0 and are not solved.
"""

from __future__ import annotations

import argparse
import json
from typing import Any, NamedTuple

import numpy as np

from dealermarket import Exchange, MarketMakerAgent, Scenario
from dealermarket.compiled import among
from dealermarket.engine.hedge_tables import CAP, lookup, power_table, stacked
from dealermarket.engine.rules import Rules, rules_of
from dealermarket.engine.state import State, empty_state
from dealermarket.laws import curve_exponent, relative_spread
from dealermarket.model.makers.hedging import AlmgrenChriss, NoHedge
from dealermarket.model.makers.pricing import PowerPricing
from dealermarket.model.makers.tiering import FixedTiers
from hedging_optimum import HALF_SPREAD, engine_first, loss_of, loss_on_envelope

ALPHAS = (0.8, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 2.0)
HORIZONS = (2, 3, 5, 10, 20, 40)
LAMS = (1.05, 1.2, 1.6, 2.0, 3.0, 10.0)
AWAY = 1e100  # the tier penalty of rivals that do not take part

Case = dict[str, Any]
Markets = dict[tuple[float, int], tuple[Rules, Any]]


class Loss(NamedTuple):
    """One case and what its first trade costs more than the best, as a share."""

    loss: float
    case: Case


def one_rival(rng: np.random.Generator, tables: int, cases: int) -> dict[str, list[Loss]]:
    """Losses below, around and above the cap."""
    found: dict[str, list[Loss]] = {"below .985 v_max": [], ".985 to 1.05 v_max": [], ".99 to .99 H v_max": []}
    for _ in range(tables):
        lam, horizon = float(1.0 + 10.0 ** rng.uniform(-2, 2)), int(np.ceil(100 ** rng.random()))
        lam = min(max(lam, 1.01), 100.0)
        alpha = float(rng.uniform(0.7, min(2.0, Exchange(lam=lam).largest_alpha)))
        table = stacked([power_table(alpha, lam, horizon)])
        for n in range(cases):
            sizes = 10 ** rng.uniform(-4, np.log10(0.985)), rng.uniform(0.985, 1.05), CAP * (1 + (horizon - 1) * rng.random())
            q, risk = sizes[n % 3], 10 ** rng.uniform(-6, 5)
            if q < CAP * horizon * (1 - 1e-9):
                first, _ = lookup(table, 0, q, risk)
                loss = float(loss_of(first, q, risk, horizon, alpha, curve_exponent(lam)))
                case = {"lam": lam, "alpha": alpha, "H": horizon, "q": q, "G": risk, "x_0": first}
                list(found.values())[n % 3].append(Loss(loss, case))
    return found


# --- several rivals


def market_of(lam: float, horizon: int) -> tuple[Rules, Any]:
    """A hedger and a rival for each of ALPHAS, in whose tier 1 it is: rules, and the state of one market."""
    rivals = [
        MarketMakerAgent(
            name=f"alpha {alpha}",
            pricing=PowerPricing(alpha=alpha, tier_penalty=0.0),
            hedging=NoHedge(),
            tiering=FixedTiers(tiers=2),
        )
        for alpha in ALPHAS
    ]
    hedger = MarketMakerAgent(name="hedger", hedging=AlmgrenChriss(horizon=horizon), tiering=FixedTiers(tiers=2))
    paper = Scenario.load("paper", ["investors.0.mean_size=0.001"])
    rules = rules_of(paper.replace(exchange=Exchange(lam=lam, v_max=1.0), makers=(hedger, *rivals)))
    market = State(*(field[0] for field in empty_state(rules, 1)))
    market.pricing[:], market.tier[:] = rules.pricing, 1
    return rules, market


def several_rivals(rng: np.random.Generator, cases: int) -> list[Loss]:
    """Losses of all cases."""
    markets: Markets = {}
    found: list[Loss] = []
    while len(found) < cases:
        lam, horizon = float(rng.choice(LAMS)), int(rng.choice(HORIZONS))
        chosen = rng.choice(len(ALPHAS), int(rng.integers(2, 6)), replace=False)
        penalties = np.exp(rng.uniform(np.log(1e-6), np.log(4e-4), len(chosen))) * rng.integers(0, 5, len(chosen))
        where = rng.integers(0, 4)
        q = 10 ** rng.uniform(-3, np.log10(0.985)) if where < 2 else rng.uniform(0.985, 1.05)
        if where == 3:
            q = CAP * (1 + (horizon - 1) * rng.random() ** 2)
        risk = 10 ** rng.uniform(-3, 3)
        if q >= CAP * horizon * (1 - 1e-9):
            continue
        case = {
            "lam": lam,
            "H": horizon,
            "q": float(q),
            "G": float(risk),
            "alphas": [ALPHAS[n] for n in chosen],
            "extras": [float(penalty / HALF_SPREAD) for penalty in penalties],
        }
        found.append(Loss(loss_with(markets, case), case))
    return found


def first_with(markets: Markets, case: Case) -> float:
    """The engine's first fraction in a case with several rivals; `markets` keeps what was built."""
    key = case["lam"], case["H"]
    if key not in markets:
        markets[key] = market_of(*key)
    rules, market = markets[key]
    market.pricing["tier_penalty"][:] = AWAY
    for alpha, extra in zip(case["alphas"], case["extras"], strict=True):
        market.pricing["tier_penalty"][1 + ALPHAS.index(alpha)] = extra * HALF_SPREAD
    return float(among(engine_first, rules.of_the_papers)(rules, market, case["q"], case["G"]))


def loss_with(markets: Markets, case: Case) -> float:
    """The loss in such a case."""
    alphas, extras, k = np.array(case["alphas"]), np.array(case["extras"]), curve_exponent(case["lam"])
    curve = relative_spread(np.linspace(1e-6, min(case["q"], CAP), 200), k)
    cheapest = np.argmin(curve ** alphas[:, None] + extras[:, None], axis=0)
    if (cheapest == cheapest[0]).all():
        return 0.0
    case["x_0"] = first_with(markets, case)
    return float(loss_on_envelope(case["x_0"], case["q"], case["G"], case["H"], alphas, extras, k))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tables", type=int, default=60, help="tables against one rival, with 300 cases each")
    parser.add_argument("--cases", type=int, default=20_000, help="cases with several rivals")
    parser.add_argument("--worst", type=int, default=0, help="print so many of the worst cases of each kind, as JSON")
    chosen = parser.parse_args()
    rng = np.random.default_rng(chosen.seed)
    losses = {f"one rival, {name}": rows for name, rows in one_rival(rng, chosen.tables, 300).items()}
    losses["two to five rivals"] = several_rivals(rng, chosen.cases)
    print("| first hedge against | cases | mean loss | above .1 % | above 1 % | worst |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, rows in losses.items():
        loss = np.array([row.loss for row in rows])
        print(
            f"| {name} | {len(loss):,} | {loss.mean():.4%} | {(loss > 1e-3).sum()} | {(loss > 1e-2).sum()} | {loss.max():.2%} |"
        )
    for name, rows in losses.items():
        for row in sorted(rows, key=lambda row: -row.loss)[: chosen.worst]:
            print(name, f"{row.loss:.4%}", json.dumps(row.case))


if __name__ == "__main__":
    main()
