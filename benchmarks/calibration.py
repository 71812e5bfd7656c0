"""Whether calibration finds what simulated desks were made with: prints the tables of docs/own-data.md.

Each desk is a market whose numbers are known, run with a seed of its own; its log is calibrated, and for every parameter it is
counted how often the 95 % interval holds the truth. Then the desk's prices are changed in the true market and in the one that
was made of its log, and what the latter foretells is held against the former. Usage: `python benchmarks/calibration.py
[DESKS] [--json FILE]`.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from dealermarket import (
    ConstantSpread,
    Exchange,
    FixedTiers,
    InvestorAgent,
    LogisticDemand,
    MarketEnvironment,
    MarketMakerAgent,
    NoHedge,
    PowerPricing,
    Scenario,
    SimulationRunner,
)
from dealermarket.data.calibration import Calibration, calibrate
from dealermarket.data.export import export
from dealermarket.policies import NormalMaker

REPLICAS, FORETOLD = 20, 100
TIERS = {f"client-{n}": n % 3 for n in range(12)}
RIVAL, RESERVATION, VOLATILITY = (0.4, 0.3), (1.9, 0.3), 0.1
CHANGES = ("pricing.alpha=1.7", "pricing.tier_penalty=1e-5")
MEASURES = ("hit_ratio", "client_volume", "client_revenue")


def arrival(n: int) -> float:
    """How often client n asks."""
    return 0.02 + 0.015 * n


def informed(n: int) -> float:
    """How often client n knows."""
    return 0.1 * (n % 4)


def market() -> Scenario:
    """A desk with three tiers, two rivals whose prices lie around a mean, and clients who may refuse."""
    clients = tuple(
        InvestorAgent(
            name=f"client-{n}",
            trade_probability=arrival(n),
            log_mean=1.0,
            log_std=0.8,
            oracle_probability=informed(n),
            demand=LogisticDemand(mean=RESERVATION[0], scale=RESERVATION[1]),
        )
        for n in range(12)
    )
    rivals = tuple(
        MarketMakerAgent(
            name=f"other-{n}",
            tiering=FixedTiers(tiers=1),
            pricing=PowerPricing(alpha=1.0, tier_penalty=0.0),
            hedging=NoHedge(),
            policy=NormalMaker(mean=RIVAL[0], std=RIVAL[1]),
        )
        for n in range(2)
    )
    pricing = PowerPricing(alpha=1.4, tier_penalty=2e-5)
    desk = MarketMakerAgent(name="ours", tiering=FixedTiers(tiers=3, table=TIERS), pricing=pricing, hedging=NoHedge())
    environment = MarketEnvironment(
        steps_per_day=1440, spreads_scale_with_price=True, reference_spread=ConstantSpread(mean=1.5e-4)
    )
    return Scenario(
        steps=480, reward_horizon=4, market=environment, exchange=Exchange(v_max=500.0), investors=clients, makers=(desk, *rivals)
    )


def truths() -> dict[str, float]:
    """What the market was made with, by field of the calibrated scenario."""
    found = {
        "makers.rival-1.policy.mean": RIVAL[0],
        "makers.rival-1.policy.std": RIVAL[1],
        "investors.*.demand.mean": RESERVATION[0],
        "investors.*.demand.scale": RESERVATION[1],
        "market.mid_price.volatility": VOLATILITY,
    }
    for n in range(12):
        found[f"investors.client-{n}.trade_probability"] = arrival(n)
        found[f"investors.client-{n}.oracle_probability"] = informed(n)
    return found


def calibrated(seed: int, folder: Path) -> Calibration:
    """What the log of a desk gives."""
    rfqs, mids = export(market(), "ours", REPLICAS, seed).write(folder, parquet=True)
    return calibrate(rfqs, mids, reward_horizon=4, v_max=500.0)


def kind_of(field: str) -> str:
    """Which parameter a field is, whosever it is."""
    return f"investors.{field.rpartition('.')[2]}" if "client-" in field else field


def foretold(found: Calibration, seed: int) -> dict[str, tuple[float, float]]:
    """Each measure after the change: in the true market, and in the one made of its log."""
    true = market().with_settings(*(f"makers.ours.{change}" for change in CHANGES))
    table = ", ".join(f"{name}={tier}" for name, tier in TIERS.items())
    ours = found.scenario.with_settings(
        *(f"makers.desk.{change}" for change in CHANGES),
        f"makers.desk.tiering={{kind='fixed', tiers=3, table={{{table}}}}}",
        "makers.desk.hedging={kind='none'}",
        "steps=480",
    )
    runs = [SimulationRunner(each, FORETOLD, seed).run().statistics()[name] for each, name in ((true, "ours"), (ours, "desk"))]
    return {name: (float(runs[0][name].value), float(runs[1][name].value)) for name in MEASURES}


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("desks", nargs="?", type=int, default=200)
    parser.add_argument("--json", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    inside: dict[str, list[bool]] = defaultdict(list)
    errors: dict[str, list[float]] = defaultdict(list)
    for seed in range(chosen.desks):
        with tempfile.TemporaryDirectory() as folder:
            found = calibrated(seed, Path(folder))
        estimates = {finding.field: finding.estimate for finding in found.findings}
        for field, truth in truths().items():
            estimate = estimates[field]
            inside[kind_of(field)].append(bool(estimate is not None and estimate.low <= truth <= estimate.high))
        for name, (true, ours) in foretold(found, 10_000 + seed).items():
            errors[name].append(ours / true - 1.0)
    print(f"{chosen.desks} desks, {REPLICAS} sessions of 480 steps each\n")
    print("| parameter | intervals | hold the truth | standard error |\n| --- | --- | --- | --- |")
    for kind, held in inside.items():
        share = float(np.mean(held))
        error = math.sqrt(0.95 * 0.05 / len(held))
        print(f"| `{kind}` | {len(held):,} | {100 * share:.1f} % | {100 * error:.1f} % |")
    print(f"\nAfter {', '.join(CHANGES)}, foretold / true - 1:\n")
    print("| measure | mean | standard deviation over desks |\n| --- | --- | --- |")
    for name, values in errors.items():
        print(f"| `{name}` | {100 * np.mean(values):+.2f} % | {100 * np.std(values):.2f} % |")
    if chosen.json is not None:
        chosen.json.write_text(json.dumps({"inside": inside, "errors": errors}, indent=2) + "\n")


if __name__ == "__main__":
    main()
