"""From policies, which are values, to actors, which have memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dealermarket.errors import PolicyError
from dealermarket.model.makers.policies import (
    AdaptiveMaker,
    HeuristicMaker,
    NormalMaker,
    OptimalMaker,
    PersistentMaker,
    Policy,
    RandomMaker,
    SkewMaker,
    TrainedMaker,
)
from dealermarket.policies.adaptive import AdaptiveActor
from dealermarket.policies.baselines import HeuristicActor, NormalActor, PersistentActor, RandomActor, SkewActor
from dealermarket.policies.optimal import OptimalActor
from dealermarket.policies.policy import Actor, MakerPolicy, PolicySetup
from dealermarket.policies.shipped import ShippedActor
from dealermarket.policies.trained import TrainedActor
from dealermarket.values import short

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario

ACTORS: Mapping[type[Policy], type[ShippedActor[Any]]] = {
    HeuristicMaker: HeuristicActor,
    RandomMaker: RandomActor,
    NormalMaker: NormalActor,
    PersistentMaker: PersistentActor,
    AdaptiveMaker: AdaptiveActor,
    SkewMaker: SkewActor,
    TrainedMaker: TrainedActor,
    OptimalMaker: OptimalActor,
}
"""What acts for each kind that ships."""


def start(policy: Policy, setup: PolicySetup) -> Actor:
    """What acts for a policy in markets that are about to start.

    Parameters
    ----------
    policy : Policy
        A policy that ships, or a `MakerPolicy`.
    setup : PolicySetup
        The scenario, the maker and the B markets.

    Returns
    -------
    Actor
        An object with a method `act(observation)`, with a memory of its own.

    Raises
    ------
    PolicyError
        If nothing acts for it, or the file of a trained policy cannot be read.

    """
    if not isinstance(policy, MakerPolicy):
        return _shipped_actor(policy, setup.maker)(policy, setup)
    actor = policy.start(setup)
    if not callable(getattr(actor, "act", None)):
        raise PolicyError(
            f"policy of {setup.maker!r}: start must return an object with a method act(observation), got {short(actor)}"
        )
    return actor


def check(policy: Policy, scenario: Scenario, maker: str) -> None:
    """Raises a DealerMarketError unless this is a policy, and can act as this maker of the scenario."""
    if not isinstance(policy, MakerPolicy):
        _shipped_actor(policy, maker).check(policy, scenario, maker)
        return
    kind = type(policy)
    if kind.start is MakerPolicy.start:
        if hasattr(kind, "reset"):
            raise PolicyError(
                f"policy of {maker!r}: {kind.__name__} has a method reset, which nobody calls any more; implement start(setup), "
                "which returns an object of its own for the memory, with the method act"
            )
        if kind.act is MakerPolicy.act:
            raise PolicyError(f"policy of {maker!r}: {kind.__name__} implements neither act nor start")
    policy.check(scenario, maker)


def _shipped_actor(policy: Policy, maker: str) -> type[ShippedActor[Any]]:
    if type(policy) not in ACTORS:
        raise PolicyError(
            f"policies: that of {maker!r} must be an instance of a MakerPolicy, or of a kind that ships, got {short(policy)}"
        )
    return ACTORS[type(policy)]
