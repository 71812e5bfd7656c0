"""The names that `dealermarket` shows, from where they stand."""

from __future__ import annotations

from dealermarket.draws.tape import Tape
from dealermarket.errors import (
    DataError,
    DealerMarketError,
    ExecutorError,
    ParameterError,
    PolicyError,
    RunFolderError,
    ScenarioError,
    TapeError,
)
from dealermarket.model.exchange import Exchange
from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.investors.demand.always import AlwaysTrades
from dealermarket.model.investors.demand.logistic import LogisticDemand
from dealermarket.model.investors.demand.normal import NormalDemand
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
from dealermarket.model.market.impact.linear import LinearImpact
from dealermarket.model.market.impact.none import NoImpact
from dealermarket.model.market.mid_price.gbm import GeometricBrownianMotion
from dealermarket.model.market.mid_price.jump_diffusion import JumpDiffusion
from dealermarket.model.market.mid_price.ornstein_uhlenbeck import OrnsteinUhlenbeck
from dealermarket.model.market.mid_price.recorded import RecordedMid
from dealermarket.model.market.reference_spread.clipped_normal import ClippedNormal
from dealermarket.model.market.reference_spread.constant import ConstantSpread
from dealermarket.model.market.reference_spread.log_ar1 import LogAR1
from dealermarket.model.market.reference_spread.recorded import RecordedSpread
from dealermarket.model.scenario import Scenario, preset_names
from dealermarket.policies import Action, MakerPolicy, Observation, PolicySetup
from dealermarket.runs.executors import Executor, executor_on
from dealermarket.runs.live import LiveMarket
from dealermarket.runs.result import SimulationResult
from dealermarket.runs.runner import SimulationRunner
from dealermarket.runs.trace import StepTrace, trace
from dealermarket.slots import register
from dealermarket.version import __version__

__all__ = [
    "Action",
    "AlmgrenChriss",
    "AlwaysTrades",
    "AverageYield",
    "ClippedNormal",
    "ConstantFraction",
    "ConstantSpread",
    "DataError",
    "DealerMarketError",
    "Exchange",
    "Executor",
    "ExecutorError",
    "FixedTiers",
    "FullHedge",
    "GeometricBrownianMotion",
    "InvestorAgent",
    "InvestorGroup",
    "JumpDiffusion",
    "LadderPricing",
    "LadderSize",
    "LinearImpact",
    "LinearSchedule",
    "LiveMarket",
    "LogAR1",
    "LogisticDemand",
    "MakerPolicy",
    "MarketEnvironment",
    "MarketMakerAgent",
    "NoHedge",
    "NoImpact",
    "NormalDemand",
    "Observation",
    "OrnsteinUhlenbeck",
    "ParameterError",
    "PolicyError",
    "PolicySetup",
    "PowerPricing",
    "RecordedMid",
    "RecordedSpread",
    "RevenueRate",
    "RunFolderError",
    "Scenario",
    "ScenarioError",
    "SimulationResult",
    "SimulationRunner",
    "StepTrace",
    "Tape",
    "TapeError",
    "__version__",
    "executor_on",
    "preset_names",
    "register",
    "trace",
]
