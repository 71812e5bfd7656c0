"""The environments' names at Gymnasium."""

from __future__ import annotations

import gymnasium

ENV_ID = "dealermarket/Dealer-v0"


def register() -> None:
    """Makes Gymnasium know the environments; the length of a run is the scenario's, so no wrapper counts steps."""
    if ENV_ID not in gymnasium.registry:
        gymnasium.register(
            ENV_ID,
            entry_point="dealermarket.envs.dealer:DealerEnv",
            vector_entry_point="dealermarket.envs.vector:DealerVectorEnv",
        )
