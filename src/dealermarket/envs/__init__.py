"""The market as a learning environment: Gymnasium's Env and VectorEnv, PettingZoo's ParallelEnv.

Importing this module makes `gymnasium.make("dealermarket/Dealer-v0")` and `gymnasium.make_vec` work.
"""

from __future__ import annotations

from dealermarket.envs.dealer import DealerEnv
from dealermarket.envs.registration import ENV_ID, register
from dealermarket.envs.vector import DealerVectorEnv
from dealermarket.policies.controls import Controls
from dealermarket.policies.features import FEATURES
from dealermarket.policies.rewards import Reward

register()

__all__ = ["ENV_ID", "FEATURES", "Controls", "DealerEnv", "DealerVectorEnv", "Reward"]
