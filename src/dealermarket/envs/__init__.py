"""The market as a learning environment: Gymnasium's Env and VectorEnv, PettingZoo's ParallelEnv.

Importing this module makes `gymnasium.make("dealermarket/Dealer-v0")` and `gymnasium.make_vec` work. Needs the extra
`envs`::

    from dealermarket.envs import DealerVectorEnv

    env = DealerVectorEnv(num_envs=8, scenario="learning", reward="pnl")
    observations, infos = env.reset(seed=0)
    observations, rewards, terminations, truncations, infos = env.step(env.action_space.sample())
    print(observations.shape, rewards.mean(), infos["position"])
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if find_spec("gymnasium") is None:
    raise ImportError("the environments need the extra `envs`: pip install 'dealermarket[envs]'")

from dealermarket.envs.dealer import DealerEnv
from dealermarket.envs.registration import ENV_ID, register
from dealermarket.envs.spaces import INFO
from dealermarket.envs.vector import DealerVectorEnv
from dealermarket.model.makers.reward import Reward
from dealermarket.policies.controls import Controls
from dealermarket.policies.features import FEATURES, PLACES

register()

if TYPE_CHECKING:
    from dealermarket.envs.parallel import DealerParallelEnv

__all__ = ["ENV_ID", "FEATURES", "INFO", "PLACES", "Controls", "DealerEnv", "DealerParallelEnv", "DealerVectorEnv", "Reward"]


def __getattr__(name: str) -> Any:
    if name == "DealerParallelEnv":  # the only one that needs PettingZoo
        from dealermarket.envs.parallel import DealerParallelEnv

        return DealerParallelEnv
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
