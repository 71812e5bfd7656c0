"""A checker of Gymnasium vector environments, for any test suite.

Gymnasium's `check_env` covers scalar environments only. `check_vector_env` plays a vector environment side by side with
scalar environments, and demands that every number agrees. It needs Gymnasium, and nothing else of this package::

    import gymnasium
    from gymnasium.vector import SyncVectorEnv
    from dealermarket.testing import check_vector_env

    make = lambda: gymnasium.make("CartPole-v1")
    check_vector_env(lambda: SyncVectorEnv([make] * 3), make)
"""

from dealermarket.testing.checker import check_vector_env
from dealermarket.testing.errors import VectorEnvError

__all__ = ["VectorEnvError", "check_vector_env"]
