"""What is trained, on what, and how."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from dealermarket.policies.controls import Controls
from dealermarket.policies.rewards import Reward
from dealermarket.scenario import Scenario
from dealermarket.values import Value, suggestion
from dealermarket.version import __version__


class Hyperparameters(Value):
    """How PPO (or A2C, which knows no batches, epochs and clipping) learns; defaults found on the `learning` scenario.

    `rollout` steps of every market are played, then learned from in `epochs` passes of batches of `batch`; `discount` is a
    step's, `gae` the lambda of the advantage estimates; the noise begins with a standard deviation of `noise`, in the units
    of the action space; `width` the size of both hidden layers.
    """

    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    rollout: Annotated[int, Field(ge=1, le=100_000)] = 32
    batch: Annotated[int, Field(ge=2, le=10_000_000)] = 2048
    epochs: Annotated[int, Field(ge=1, le=1000)] = 4
    discount: Annotated[float, Field(ge=0, le=1)] = 0.95
    gae: Annotated[float, Field(ge=0, le=1)] = 0.9
    clip: Annotated[float, Field(gt=0, le=1)] = 0.2
    entropy: Annotated[float, Field(ge=0, le=10)] = 0.0
    noise: Annotated[float, Field(gt=0, le=10)] = 0.37
    width: Annotated[int, Field(ge=1, le=4096)] = 64


class Training(Value):
    """One policy to be trained: in the seat of `makers` (several share it) of a scenario, for `steps` market steps of each.

    `markets` run side by side. Equal trainings give equal policies, on one machine and set of libraries.
    """

    scenario: Scenario
    makers: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    algorithm: Literal["ppo", "a2c"] = "ppo"
    steps: Annotated[int, Field(ge=1, le=10**12)] = 1_000_000
    seed: Annotated[int, Field(ge=0)] = 0
    markets: Annotated[int, Field(ge=1, le=100_000)] = 256
    controls: Controls = Controls()
    reward: Reward = Reward()
    hyperparameters: Hyperparameters = Hyperparameters()

    @model_validator(mode="after")
    def _consistent(self) -> Training:
        for maker in self.makers:
            if maker not in self.scenario.maker_names:
                known = suggestion(maker, self.scenario.maker_names)
                raise ValueError(f"maker: there is no {maker!r} in {self.scenario.name!r}{known}")
        return self

    @property
    def batch(self) -> int:
        """Samples of a batch: as asked for, or the next smaller number that divides those of a rollout."""
        samples = self.hyperparameters.rollout * self.markets * len(self.makers)
        return next(size for size in range(min(self.hyperparameters.batch, samples), 0, -1) if samples % size == 0)

    @property
    def key(self) -> str:
        """A digest of all that the trained policy depends on."""
        return hashlib.sha256(f"{__version__}\0{self.model_dump_json()}".encode()).hexdigest()

    @property
    def about(self) -> dict[str, Any]:
        """What a policy file says of where it comes from."""
        return self.model_dump(mode="json", exclude={"scenario", "controls"}) | {"scenario": self.scenario.name}


@dataclass(frozen=True)
class Point:
    """How a training stands after a rollout: means over its steps, markets and learners."""

    steps: int  # market steps so far
    reward: float  # in the unit of the reward
    share: float  # of all investors' volume
    inventory: float  # absolute position, units of the asset
    noise: float  # standard deviation of the actions, in the units of the action space


FIELDS = tuple(Point.__dataclass_fields__)
