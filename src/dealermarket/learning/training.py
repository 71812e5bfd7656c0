"""What is trained, on what, and how."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dealermarket.describe import Quantity
from dealermarket.errors import ParameterError, ScenarioError
from dealermarket.model.makers.reward import Reward
from dealermarket.model.scenario import Scenario, maker_index, preset_names, read_source
from dealermarket.model.settings import apply_setting, forget_changed_choices, parsed, validated
from dealermarket.policies.controls import NO_RANGE, Controls
from dealermarket.slots import from_outside
from dealermarket.values import Value, short, suggestion
from dealermarket.version import __version__

MOST_SAMPLES = 10_000_000


class Hyperparameters(Value):
    """How PPO (or A2C, which knows no batches, epochs and clipping) learns.

    The defaults were chosen on the `learning` scenario."""

    learning_rate: Annotated[
        float, Field(gt=0, le=1, description="Learning rate at the start."), Quantity("", 1e-5, 0.1, log=True)
    ] = 0.004
    slowest: Annotated[
        float,
        Field(gt=0, le=1, description="The share of the learning rate that is left at the end, to which it falls."),
        Quantity("", 0.01, 1.0, log=True),
    ] = 0.05
    rollout: Annotated[
        int,
        Field(ge=1, le=100_000, description="How long every market is played before what happened is learned from."),
        Quantity("steps", 4, 512, log=True),
    ] = 16
    batch: Annotated[
        int,
        Field(ge=2, le=10_000_000, description="How many steps an update of the network looks at."),
        Quantity("steps", 64, 65_536, log=True),
    ] = 4096
    epochs: Annotated[
        int, Field(ge=1, le=1000, description="How many times a rollout is learned from."), Quantity("passes", 1, 20)
    ] = 4
    discount: Annotated[
        float, Field(ge=0, le=1, description="What a reward one step later is worth now, gamma."), Quantity("", 0.8, 1.0)
    ] = 0.95
    gae: Annotated[
        float, Field(ge=0, le=1, description="Lambda of the generalized advantage estimates."), Quantity("", 0.0, 1.0)
    ] = 0.7
    clip: Annotated[
        float,
        Field(gt=0, le=1, description="By how much an update may change the probability of an action, PPO's clip range."),
        Quantity("", 0.05, 0.5),
    ] = 0.2
    entropy: Annotated[
        float,
        Field(ge=0, le=10, description="Weight of the entropy, which keeps actions noisy while chance hides what is better."),
        Quantity("", 1e-4, 0.1, log=True),
    ] = 0.02
    noise: Annotated[
        float,
        Field(gt=0, le=10, description="Standard deviation of the noise of actions at the start; actions are in [-1, 1]."),
        Quantity("", 0.1, 2.0),
    ] = 1.0
    width: Annotated[
        int, Field(ge=1, le=4096, description="Size of both hidden layers of the network."), Quantity("units", 8, 256, log=True)
    ] = 32


class Training(Value):
    """One policy to be trained. Equal trainings give equal policies, on one machine and set of libraries."""

    scenario: Annotated[
        Scenario,
        Field(
            description="The market to learn in; in TOML, a preset's name, a file's (as seen from the training's file), or the "
            "scenario itself as a table."
        ),
    ]
    makers: Annotated[
        tuple[str, ...],
        Field(strict=False, min_length=1, description="The makers that the policy acts for, by name; several share it."),
    ]
    algorithm: Annotated[Literal["ppo", "a2c"], Field(description="How it learns.")] = "ppo"
    steps: Annotated[
        int,
        Field(ge=1, le=10**12, description="How many steps of the market each of the makers plays."),
        Quantity("steps", 10_000, 10_000_000, log=True),
    ] = 2_000_000
    seed: Annotated[int, Field(ge=0, description="Seed of all that is drawn."), Quantity("", 0, 100)] = 0
    markets: Annotated[
        int, Field(ge=1, le=100_000, description="How many markets run side by side."), Quantity("markets", 16, 1024, log=True)
    ] = 256
    controls: Annotated[Controls, Field(description="What it decides, and over which ranges.")] = Controls()
    reward: Annotated[Reward, Field(description="What it learns to earn.")] = Reward()
    hyperparameters: Annotated[Hyperparameters, Field(description="How the algorithm is set.")] = Hyperparameters()

    # --- reading and writing

    @classmethod
    def load(cls, source: str | Path, settings: Iterable[str] = ()) -> Self:
        """The training in a TOML file, or the one that is usual on a scenario: a preset's name, or its file.

        `settings` such as "reward.weights=pnl" change the training, those such as "scenario.steps=48" its scenario. Without
        `makers` the scenario's first one learns. Raises ParameterError naming the file and the problems in it.
        """
        folder = Path() if str(source) in preset_names() else Path(source).parent
        return cls.from_toml(read_source(source), settings, str(source), folder)

    @classmethod
    def from_toml(cls, text: str, settings: Iterable[str] = (), where: str = "training", folder: Path = Path()) -> Self:
        """As `load`, from the text of a file in a `folder`; `where` names it in errors."""
        content = parsed(text, where)
        if "scenario" not in content:
            if "investors" not in content:
                raise ParameterError(f"{where}: scenario: is required; give a preset's name, a file, or a table")
            content = {"scenario": content}
        table = content["scenario"] = _scenario_table(content["scenario"], folder)
        before = copy.deepcopy(table)
        for setting in (settings,) if isinstance(settings, str) else settings:
            cls._check_path(setting)
            apply_setting(cls, content, setting)
            if content["scenario"] is not table:  # the setting put another one in its place
                table = content["scenario"] = _scenario_table(content["scenario"], Path())
                before = copy.deepcopy(table)
        forget_changed_choices(before, table)
        scenario = validated(Scenario, table, where, ScenarioError, "scenario.")
        makers = content.get("makers", list(scenario.maker_names[:1]))
        if isinstance(makers, list) and all(isinstance(maker, str) for maker in makers):
            makers = [scenario.maker_names[maker_index(scenario, maker)] for maker in makers]
        return validated(cls, content | {"scenario": scenario, "makers": makers}, where, ParameterError)

    def to_toml(self, scenario: str | None = None) -> str:
        """The training as TOML, every default written out; `from_toml` of it is equal to this training.

        The scenario is a table in it, or only named: the preset or file that `scenario` says. Raises ScenarioError where
        it has a policy that no file can name."""
        import tomli_w

        self.scenario.check_writable()
        content = self.model_dump(exclude_none=True)
        content["controls"] = {name: getattr(self.controls, name) or NO_RANGE for name in Controls.model_fields}
        return tomli_w.dumps(content | ({} if scenario is None else {"scenario": scenario}))

    @classmethod
    def _check_path(cls, setting: str) -> None:
        """Raises ScenarioError for a setting that is meant for the scenario and does not say so."""
        path = setting.partition("=")[0].strip()
        field, inner, _ = path.partition(".")
        if field in Scenario.model_fields and (field not in cls.model_fields or (field == "makers" and inner)):
            raise ScenarioError(f"setting {setting!r}: {path} is of the scenario, not of the training; write scenario.{setting}")

    # --- checks that span fields

    @model_validator(mode="after")
    def _consistent(self) -> Training:
        for maker in self.makers:
            if maker not in self.scenario.maker_names:
                known = suggestion(maker, self.scenario.maker_names)
                raise ValueError(f"maker: there is no {maker!r} in {self.scenario.name!r}{known}")
            self.controls.check(self.scenario, maker)
        if len(set(self.makers)) < len(self.makers):
            raise ValueError(f"makers: must be different ones, got {', '.join(self.makers)}")
        if not 2 <= self.samples <= MOST_SAMPLES:
            raise ValueError(
                f"markets: {self.markets:,} with rollouts of {self.hyperparameters.rollout:,} steps are {self.samples:,} samples "
                f"to learn from at once; must be 2 to {MOST_SAMPLES:,}"
            )
        if self.algorithm == "a2c":
            for name in ("batch", "epochs", "clip"):
                if getattr(self.hyperparameters, name) != Hyperparameters.model_fields[name].default:
                    raise ValueError(f"hyperparameters.{name}: a2c knows none; leave it out, or learn with ppo")
        return self

    # --- what follows from the fields

    @property
    def samples(self) -> int:
        """Of a rollout: steps of all markets and learners."""
        return self.hyperparameters.rollout * self.markets * len(self.makers)

    @property
    def batch(self) -> int:
        """Samples of a batch: as asked for, or the number nearest to it, in proportion, that divides those of a rollout."""
        wanted, samples = self.hyperparameters.batch, self.samples
        divisors = {size for low in range(1, math.isqrt(samples) + 1) if samples % low == 0 for size in (low, samples // low)}
        return min(divisors - {1}, key=lambda size: max(size / wanted, wanted / size))

    @property
    def market_steps(self) -> int:
        """Steps of all markets until it ends: rollouts are played to their end."""
        played = self.hyperparameters.rollout * self.markets
        return -(-self.steps // played) * played

    @property
    def rollouts_of_a_run(self) -> int:
        """Rollouts in which every market is played from its beginning to its end; rewards early and late in it differ."""
        return -(-self.scenario.steps // self.hyperparameters.rollout)

    @property
    def learned_from(self) -> Reward:
        """The reward; where the mid moves by chance, without that chance."""
        return self.reward.without_chance if self.scenario.moves_by_chance else self.reward

    @property
    def start(self) -> NDArray[np.float64]:
        """What the policy decides before it has learnt anything, as numbers in [-1, 1], (controls,): what the scenario's
        maker does, and where its hedging depends on the market, no hedging."""
        maker = self.scenario.makers[self.scenario.maker_names.index(self.makers[0])]
        hedged = {"full": 1.0, "fraction": getattr(maker.hedging, "fraction", 0.0)}.get(maker.hedging.kind, 0.0)
        own = {name: getattr(maker.pricing, name) for name in ("eps_buy", "eps_sell", "alpha", "tier_penalty")}
        return self.controls.numbers(own | {"hedge_fraction": hedged})

    @property
    def key(self) -> str:
        """A digest of all that the trained policy depends on. Raises ScenarioError where no file can name a rival's policy."""
        self.scenario.check_writable()
        return hashlib.sha256("\0".join([__version__, self.model_dump_json(), *from_outside()]).encode()).hexdigest()

    @property
    def about(self) -> dict[str, Any]:
        """What a policy file says of where it comes from."""
        return self.model_dump(mode="json", exclude={"scenario", "controls"}) | {"scenario": self.scenario.name}


def _scenario_table(scenario: Any, folder: Path) -> dict[str, Any]:
    """The scenario's content: a table as it is, or that of the preset or file which is named."""
    if isinstance(scenario, dict):
        return scenario
    if not isinstance(scenario, str):
        raise ParameterError(f"scenario: must be a preset's name, a file's, or a table, got {short(scenario)}")
    source = scenario if scenario in preset_names() else folder / scenario
    return parsed(read_source(source), str(source))


@dataclass(frozen=True)
class Point:
    """How a training stands after a rollout: means over its steps, markets and learners."""

    steps: int  # market steps so far
    reward: float  # of what is learned from, in the unit of the reward
    share: float  # of all investors' volume, as it is on average
    inventory: float  # absolute position, units of the asset
    noise: float  # standard deviation of the actions, in the units of the action space


FIELDS = tuple(Point.__dataclass_fields__)
