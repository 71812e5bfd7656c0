"""A simulator of dealer (OTC) markets: makers who tier, price and hedge, investors who shop around.

Ten lines to a result::

    from dealermarket import Scenario, SimulationRunner

    scenario = Scenario.load("paper")
    result = SimulationRunner(scenario, replicas=1000, seed=0, threads=2).run()
    print(result.summary.groupby("maker").mean())
"""

from dealermarket.errors import DealerMarketError, ParameterError, PolicyError, RunFolderError, ScenarioError, TapeError
from dealermarket.exchange import Exchange
from dealermarket.investors import InvestorAgent, InvestorGroup
from dealermarket.live import LiveMarket
from dealermarket.makers.agent import MarketMakerAgent
from dealermarket.makers.hedging import AlmgrenChriss, ConstantFraction, FullHedge, LinearSchedule, NoHedge
from dealermarket.makers.pricing import PowerPricing
from dealermarket.makers.tiering import AverageYield, FixedTiers, RevenueRate
from dealermarket.market import ClippedNormal, GeometricBrownianMotion, MarketEnvironment
from dealermarket.policies import Action, MakerPolicy, Observation, PolicySetup
from dealermarket.results import SimulationResult
from dealermarket.runner import SimulationRunner
from dealermarket.scenario import Scenario, preset_names
from dealermarket.tape import Tape
from dealermarket.version import __version__

__all__ = [
    "Action",
    "AlmgrenChriss",
    "AverageYield",
    "ClippedNormal",
    "ConstantFraction",
    "DealerMarketError",
    "Exchange",
    "FixedTiers",
    "FullHedge",
    "GeometricBrownianMotion",
    "InvestorAgent",
    "InvestorGroup",
    "LinearSchedule",
    "LiveMarket",
    "MakerPolicy",
    "MarketEnvironment",
    "MarketMakerAgent",
    "NoHedge",
    "Observation",
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
]
