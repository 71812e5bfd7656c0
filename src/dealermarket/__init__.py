"""A simulator of dealer (OTC) markets: makers who tier, price and hedge, investors who shop around.

Ten lines to a result::

    from dealermarket import Scenario, SimulationRunner

    scenario = Scenario.load("paper")
    result = SimulationRunner(scenario, replicas=1000, seed=0, threads=2).run()
    print(result.summary.groupby("maker").mean())

What a market is, draws and runs is here. More in folders of its own, imported where they are first used:

- `dealermarket.model`: base classes for parts of a market of your own
- `dealermarket.policies`: how makers act, shipped policies and your own
- `dealermarket.study`: variants of a market on common prices and orders, compared; leagues of policies
- `dealermarket.plots`: figures of a run
- `dealermarket.envs`: the market as a learning environment (extra `envs`)
- `dealermarket.papers`: the papers' experiments, measured and reported
- `dealermarket.testing`: a checker of vector environments (extra `envs`)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dealermarket.draws.tape import Tape
from dealermarket.errors import DealerMarketError, ParameterError, PolicyError, RunFolderError, ScenarioError, TapeError
from dealermarket.model.exchange import Exchange
from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.investors.group import InvestorGroup
from dealermarket.model.investors.sizes.ladder import LadderSize
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging.fraction import ConstantFraction
from dealermarket.model.makers.hedging.full import FullHedge
from dealermarket.model.makers.hedging.linear import LinearSchedule
from dealermarket.model.makers.hedging.none import NoHedge
from dealermarket.model.makers.hedging.optimal import AlmgrenChriss
from dealermarket.model.makers.pricing.ladder import LadderPricing
from dealermarket.model.makers.pricing.power import PowerPricing
from dealermarket.model.makers.tiering.average_yield import AverageYield
from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.makers.tiering.revenue_rate import RevenueRate
from dealermarket.model.market.environment import MarketEnvironment
from dealermarket.model.market.mid_price.gbm import GeometricBrownianMotion
from dealermarket.model.market.mid_price.jump_diffusion import JumpDiffusion
from dealermarket.model.market.mid_price.ornstein_uhlenbeck import OrnsteinUhlenbeck
from dealermarket.model.market.reference_spread.clipped_normal import ClippedNormal
from dealermarket.model.market.reference_spread.constant import ConstantSpread
from dealermarket.model.market.reference_spread.log_ar1 import LogAR1
from dealermarket.model.scenario import Scenario, preset_names
from dealermarket.policies import Action, MakerPolicy, Observation, PolicySetup
from dealermarket.runs.live import LiveMarket
from dealermarket.runs.result import SimulationResult
from dealermarket.runs.runner import SimulationRunner
from dealermarket.slots import register
from dealermarket.version import __version__

__all__ = [
    "Action",
    "AlmgrenChriss",
    "AverageYield",
    "ClippedNormal",
    "ConstantFraction",
    "ConstantSpread",
    "DealerMarketError",
    "Exchange",
    "FixedTiers",
    "FullHedge",
    "GeometricBrownianMotion",
    "InvestorAgent",
    "InvestorGroup",
    "JumpDiffusion",
    "LadderPricing",
    "LadderSize",
    "LinearSchedule",
    "LiveMarket",
    "LogAR1",
    "MakerPolicy",
    "MarketEnvironment",
    "MarketMakerAgent",
    "NoHedge",
    "Observation",
    "OrnsteinUhlenbeck",
    "ParameterError",
    "PolicyError",
    "PolicySetup",
    "PowerPricing",
    "RevenueRate",
    "RunFolderError",
    "Scenario",
    "ScenarioError",
    "SimulationResult",
    "SimulationRunner",
    "Tape",
    "TapeError",
    "__version__",
    "preset_names",
    "register",
]

_FOLDERS = ("envs", "model", "papers", "plots", "policies", "study", "testing")


if TYPE_CHECKING:
    from dealermarket import envs as envs
    from dealermarket import model as model
    from dealermarket import papers as papers
    from dealermarket import plots as plots
    from dealermarket import policies as policies
    from dealermarket import study as study
    from dealermarket import testing as testing
else:  # a type checker would take any name for a folder

    def __getattr__(name):
        if name not in _FOLDERS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            return import_module(f"{__name__}.{name}")
        except ImportError as error:  # of an extra that is not installed
            raise AttributeError(str(error)) from error


def __dir__() -> list[str]:
    return sorted([*__all__, *_FOLDERS])
