"""The scenario: a whole experiment as one frozen, validated value, read from and written to TOML."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Self, TypeGuard

import numpy as np
from pydantic import Discriminator, Field, Tag, model_validator

from dealermarket.describe import Quantity
from dealermarket.errors import ParameterError, ScenarioError
from dealermarket.frozen import Frozen, FrozenMapping
from dealermarket.model.exchange import Exchange
from dealermarket.model.investors.agent import InvestorAgent, Name
from dealermarket.model.investors.group import MOST_INVESTORS, InvestorGroup
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging import TradingPolicy
from dealermarket.model.makers.policies import POLICIES, HeuristicMaker, Policy
from dealermarket.model.market.environment import MarketEnvironment
from dealermarket.model.market.impact import NoImpact
from dealermarket.model.market.mid_price import RecordedMid
from dealermarket.model.orders import RecordedOrders
from dealermarket.model.settings import apply_setting, copy_of, forget_changed_choices, not_too_deep, parsed, validated, values_at
from dealermarket.values import Value, short, suggestion

RESERVED_NAME = "exchange"
LARGEST_CAPPED_SHARE = 0.01


def _agent_or_group(value: Any) -> str:
    is_group = "count" in value if isinstance(value, Mapping) else isinstance(value, InvestorGroup)
    return "InvestorGroup" if is_group else "InvestorAgent"


Investor = Annotated[
    Annotated[InvestorAgent, Tag("InvestorAgent")] | Annotated[InvestorGroup, Tag("InvestorGroup")],
    Discriminator(_agent_or_group),
]


class Scenario(Value):
    """What is simulated: the market, the exchange, the investors, the makers, for how many steps.

    `Scenario.load` reads a preset or a TOML file. `agents` has every investor, groups expanded.
    """

    name: Annotated[Name, Field(description="Name of the scenario, for tables, figures and folders.")] = "scenario"
    description: Annotated[str, Field(description="What the scenario is, in one line.")] = ""
    steps: Annotated[
        int,
        Field(
            ge=2,
            le=1_000_000_000,
            description="How long a run is; 96 steps are a day where a step is 15 minutes.",
            json_schema_extra={"reasons": {"ge": "a trade's revenue is known a step later at the earliest"}},
        ),
        Quantity("steps", 20, 5000, log=True),
    ] = 500
    reward_horizon: Annotated[
        int,
        Field(ge=1, le=1_000_000_000, description="After how long a trade's position revenue is known, t_m of section 3.3."),
        Quantity("steps", 1, 48),
    ] = 4
    exchange: Annotated[Exchange, Field(description="The order book from whose prices all quotes start.")] = Exchange()
    market: Annotated[
        MarketEnvironment, Field(description="Mid-price, reference spread, clock, and how trades move the mid.")
    ] = MarketEnvironment()
    investors: Annotated[
        tuple[Investor, ...], Field(strict=False, description="Who trades with the makers: single investors and groups.")
    ]
    makers: Annotated[tuple[MarketMakerAgent, ...], Field(strict=False, description="The market makers, in order.")]
    orders: Annotated[RecordedOrders | None, Field(description="Orders from a file in place of drawn ones.")] = None
    choices: Annotated[
        Frozen[str, str],
        Field(
            description="Why a value was chosen where nothing dictates it, by path of its field. A setting that changes a value "
            "takes its reason away."
        ),
    ] = FrozenMapping()

    def __repr__(self) -> str:
        return f"<Scenario {self.name!r}: {self.steps:,} steps, {len(self.agents):,} investors, {len(self.makers):,} makers>"

    # --- what follows from the fields

    @cached_property
    def agents(self) -> tuple[InvestorAgent, ...]:
        """Every investor, groups expanded, in order."""
        return tuple(
            agent for entry in self.investors for agent in (entry.members() if isinstance(entry, InvestorGroup) else (entry,))
        )

    @cached_property
    def maker_names(self) -> tuple[str, ...]:
        """Names of the makers, in order."""
        return tuple(maker.name for maker in self.makers)

    @cached_property
    def participants(self) -> tuple[str, ...]:
        """Names of all participants: investors first, then makers; the order of every participant axis."""
        return tuple(agent.name for agent in self.agents) + self.maker_names

    @cached_property
    def selective(self) -> bool:
        """Whether requests may leave makers out, or trade with nobody, as recorded ones may; else every maker is asked, and one
        wins."""
        return self.orders is not None or any(agent.selective for agent in self.agents)

    @property
    def moves_by_chance(self) -> bool:
        """Whether the mid's next move has the mean 0 whatever has happened: nobody knows it beforehand, and no hedge moves it."""
        known = any(agent.oracle_probability > 0.0 for agent in self.agents)
        return self.market.mid_price.is_martingale and isinstance(self.market.impact, NoImpact) and not known

    def volume_moment(self, order: int) -> float:
        """The sum over the investors of the mean of size^`order` that each draws in a step: of order 0 the number of orders, of
        order 1 their volume. `draws.files.volume_moment` knows recorded orders, too."""
        largest = self.exchange.largest_trade
        return self._mean_activity * sum(agent.trade_probability * agent.size_moment(order, largest) for agent in self.agents)

    @cached_property
    def _mean_activity(self) -> float:
        """The mean factor of the market's activity over the steps; with recorded prices, which begin at any time, over a day."""
        drawn = self.market.activity and not isinstance(self.market.mid_price, RecordedMid)
        return float(np.mean(self.market.activity_at(np.arange(self.steps)))) if drawn else 1.0

    @cached_property
    def policies(self) -> Mapping[str, Policy]:
        """The policies that act in Python, by maker: every one but the paper's own, which the engine knows."""
        return FrozenMapping({maker.name: maker.policy for maker in self.makers if not isinstance(maker.policy, HeuristicMaker)})

    @property
    def unregistered_policies(self) -> Mapping[str, Policy]:
        """The policies that no file can name, by maker: their class is not registered as a kind."""
        return FrozenMapping({maker.name: maker.policy for maker in self.makers if not _is_registered(maker.policy)})

    def with_policies(self, policies: Mapping[str, Policy]) -> Self:
        """A copy in which some makers, by name, have other policies, validated again.

        Raises ParameterError for what is no policy, or for a name that no maker has."""
        unknown = [name for name in policies if name not in self.maker_names]
        if unknown:
            raise ParameterError(f"policies: there is no maker {unknown[0]!r}{suggestion(unknown[0], self.maker_names)}")
        before, content = self.as_table(), self.as_table()
        for maker in content["makers"]:
            if maker["name"] in policies:
                maker["policy"] = _policy_table(policies[maker["name"]])
        forget_changed_choices(before, content)
        return type(self)(**content)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again, without the `choices` for what is no longer the same.

        Raises ParameterError where the copy would not be valid."""
        if "choices" in changes or not self.choices:
            return super().replace(**changes)
        changed = super().replace(choices=FrozenMapping(), **changes)
        content = {**changed.as_table(), "choices": dict(self.choices)}
        forget_changed_choices(self.as_table(), content)
        return changed.replace(choices=content["choices"])

    def pinned(self) -> Self:
        """The same, with the digests of the files that prices and orders are recorded in: other files of their names are then
        refused.

        Raises DataError where a file cannot be read."""
        changed: dict[str, Value] = {}
        recording, orders = self.market.recording, self.orders
        if recording is not None:
            mid_price = self.market.mid_price.replace(digest=recording.digest)
            changed["market"] = self.market.replace(mid_price=mid_price)
        if orders is not None:
            changed["orders"] = orders.replace(digest=orders.log().digest)
        return self.replace(choices=self.choices, **changed) if changed else self

    def values_at(self, path: str) -> list[Any]:
        """What stands at a path such as "makers.*.pricing.alpha", one value for each entry it names. Raises ScenarioError."""
        return values_at(self.as_table(exclude_none=False), path)

    # --- reading and writing

    @classmethod
    def load(cls, source: str | Path, settings: Iterable[str] = ()) -> Self:
        """A preset by name or a TOML file by path, with `settings` such as "makers.0.pricing.alpha=1.3" applied.

        Raises ScenarioError naming the file and every problem in it.
        """
        return cls.from_toml(read_source(source), settings, where=str(source))

    @classmethod
    def from_toml(cls, text: str, settings: Iterable[str] = (), where: str = "scenario") -> Self:
        """A scenario from the text of a TOML file; `where` names it in errors."""
        return cls._from_table(parsed(text, where), settings, where)

    def to_toml(self) -> str:
        """The scenario as TOML, every default written out; `from_toml` of it is equal to this scenario.

        Raises ScenarioError where a maker has a policy that no file can name."""
        import tomli_w

        self.check_writable()
        return tomli_w.dumps(self.as_table())

    def check_writable(self) -> None:
        """Raises ScenarioError where a maker has a policy that no file can name."""
        problems = [
            f"{self.name}: the policy of {maker!r} cannot be written: {type(policy).__name__} is no registered kind; make it a "
            f"Value with a `kind` of its own and call dealermarket.register({type(policy).__name__})"
            for maker, policy in self.unregistered_policies.items()
        ]
        if problems:
            raise ScenarioError("\n".join(problems))

    def as_table(self, exclude_none: bool = True) -> dict[str, Any]:
        """The fields as a file has them, plain tables and lists; new ones at every call.

        A policy that no file can name stands there itself."""
        content = self.model_dump(mode="json", exclude_none=exclude_none, exclude={"makers": {"__all__": {"policy"}}})
        for table, maker in zip(content["makers"], self.makers, strict=True):
            table["policy"] = _policy_table(maker.policy, exclude_none)
        return content

    def with_settings(self, *settings: str) -> Self:
        """A copy with settings such as "makers.*.hedging.risk_aversion=0.5" applied, validated again."""
        return self._from_table(self.as_table(), settings, where=self.name)

    @classmethod
    def _from_table(cls, content: dict[str, Any], settings: Iterable[str], where: str) -> Self:
        """A scenario from plain tables and lists, which settings change; `where` names them in errors."""
        with not_too_deep(where):
            before = copy_of(content)
            for setting in (settings,) if isinstance(settings, str) else settings:
                apply_setting(cls, content, setting)
            forget_changed_choices(before, content)
            return validated(cls, content, where, ScenarioError)

    # --- checks that span components

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [*self._extent_problems()] or [
            *self._clock_problems(),
            *self._name_problems(),
            *self._arrival_problems(),
            *self._size_problems(),
            *self._panel_problems(),
            *self._price_problems(),
            *self._maker_problems(),
            *self._choice_problems(),
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _extent_problems(self) -> Iterable[str]:
        count = sum(entry.count if isinstance(entry, InvestorGroup) else 1 for entry in self.investors)
        if count > MOST_INVESTORS:
            yield (
                f"investors: must be at most {MOST_INVESTORS:,} in all, got {count:,}; "
                "let one investor stand for several, with a higher trade_probability"
            )

    def _clock_problems(self) -> Iterable[str]:
        if self.reward_horizon >= self.steps:
            yield (
                f"reward_horizon: must be below steps = {self.steps}, got {self.reward_horizon}; "
                f"take {self.reward_horizon + 1} steps or more, or a shorter reward_horizon: no trade would mature"
            )

    def _name_problems(self) -> Iterable[str]:
        for field in ("investors", "makers"):
            if not getattr(self, field):
                yield f"{field}: must not be empty; a market needs at least one investor and one maker"
        for name, times in Counter(self.participants).items():
            if times > 1:
                yield f"investors, makers: {times} participants are named {name!r}; every name must be unique"
            if name == RESERVED_NAME:
                yield f"investors, makers: the name {name!r} is reserved for the exchange; choose another"

    def _arrival_problems(self) -> Iterable[str]:
        busiest = self.market.busiest
        if busiest == 1.0:
            return
        for index, entry in enumerate(self.investors):
            often = entry.trade_probability
            highest = max(often) if isinstance(often, tuple) else often
            if highest * busiest > 1.0 + 1e-12:
                yield (
                    f"investors.{index}.trade_probability: must be at most {1.0 / busiest:.6g}, 1 over the largest factor of "
                    f"market.activity, {busiest:.6g}, got {highest:g}; lower it, take shorter steps, or even out the activity"
                )

    def _size_problems(self) -> Iterable[str]:
        shares = {agent.name: agent.capped_share(self.exchange.largest_trade) for agent in self.agents}
        capped = [name for name, share in shares.items() if share > LARGEST_CAPPED_SHARE]
        if capped:
            worst = max(capped, key=lambda name: shares[name])
            yield (
                f"investors: {shares[worst]:.1%} of the sizes of {worst!r} would exceed 0.99 v_max = "
                f"{self.exchange.largest_trade:g} and be capped, at most {LARGEST_CAPPED_SHARE:.0%} may "
                f"({len(capped)} investors do so); raise exchange.v_max or lower the sizes"
            )

    def _panel_problems(self) -> Iterable[str]:
        for index, entry in enumerate(self.investors):
            path, asks = f"investors.{index}.asks", entry.asks
            if isinstance(asks, int) and asks > len(self.makers):
                yield f"{path}: must be at most {len(self.makers)}, the number of makers, got {asks}; 'all' asks every one"
            for name, times in Counter(asks if isinstance(asks, tuple) else ()).items():
                if name not in self.maker_names:
                    yield f"{path}: there is no maker {name!r}{suggestion(name, self.maker_names)}"
                if times > 1:
                    yield f"{path}: {name!r} is named {times} times; each maker is asked once"

    def _price_problems(self) -> Iterable[str]:
        for index, maker in enumerate(self.makers):
            for field, reason in maker.pricing.problems(self.exchange):
                yield f"makers.{index}.pricing.{field}: {reason}"
            priced, tiers = maker.pricing.tiers, maker.tiering.tiers
            if priced is not None and priced < tiers:
                yield (
                    f"makers.{index}.pricing: {maker.pricing.kind!r} pricing has prices for {priced} tiers, and tiering.tiers = "
                    f"{tiers}; add prices or lower the number of tiers"
                )
            elif maker.pricing.power_of_reference is None:  # powers are above 0 and finite
                wrong = maker.pricing.wrong_price(self.exchange, tiers)
                if wrong is not None:
                    yield f"makers.{index}.pricing: {maker.pricing.kind!r} prices must be above 0 and finite; {wrong}"

    def _maker_problems(self) -> Iterable[str]:
        others = len(self.participants) - 1
        for index, maker in enumerate(self.makers):
            path, tiering = f"makers.{index}", maker.tiering
            if tiering.tiers > others:
                yield (f"{path}.tiering.tiers: {tiering.tiers} tiers for {others} other participants; must be at most {others}")
            for field in ("pins", "table"):
                for name, tier in getattr(tiering, field, {}).items():
                    if name not in self.participants or name == maker.name:
                        whose = "the maker itself" if name == maker.name else "no participant"
                        known = suggestion(name, [p for p in self.participants if p != maker.name])
                        yield f"{path}.tiering.{field}.{name}: is {whose}{known}"
                    if tier >= tiering.tiers:
                        yield f"{path}.tiering.{field}.{name}: must be a tier in 0..{tiering.tiers - 1}, got {tier}"
            hedging = maker.hedging
            if len(self.makers) == 1 and isinstance(hedging, TradingPolicy) and hedging.venue == "makers":
                yield (
                    f"{path}.hedging.venue: 'makers' with a single maker leaves nobody to hedge with; "
                    "set venue = 'exchange' or hedging kind = 'none', or add a maker"
                )
            if hedging.plans and getattr(hedging, "venue", "makers") != "exchange":
                for rival in self.makers:
                    if rival is not maker and rival.pricing.unplannable:
                        yield (
                            f"{path}.hedging: {hedging.kind!r} plans on the prices of {rival.name!r}, and {rival.pricing.kind!r} "
                            f"pricing cannot be planned against: {rival.pricing.unplannable}; set venue = 'exchange' or another "
                            "kind of hedging"
                        )

    def _choice_problems(self) -> Iterable[str]:
        for path in self.choices:
            try:
                self.values_at(path)
            except ScenarioError as error:
                yield f"choices: {error}"


def check_scenario(given: object) -> None:
    """Raises ParameterError unless it is a scenario."""
    if not isinstance(given, Scenario):
        raise ParameterError(f"scenario: must be a Scenario, such as Scenario.load('paper'), got {short(given)}")


def maker_index(scenario: Scenario, maker: str) -> int:
    """Where a maker, given by name or number, stands among the makers. Raises ParameterError."""
    names = scenario.maker_names
    if maker in names:
        return names.index(maker)
    if maker.isdecimal() and int(maker) < len(names):
        return int(maker)
    raise ParameterError(f"maker {maker!r}: is none of scenario {scenario.name!r}{suggestion(maker, names)}")


def _is_registered(policy: Policy) -> TypeGuard[Value]:
    kind: type = type(policy)
    return kind in POLICIES.kinds.values()


def _policy_table(policy: Policy, exclude_none: bool = True) -> Any:
    """The fields of a policy as a file has them, or the policy itself where no file can name it."""
    return policy.model_dump(mode="json", exclude_none=exclude_none) if _is_registered(policy) else policy


def preset_names() -> tuple[str, ...]:
    """The names of the scenarios that ship, which `Scenario.load` takes.

    Returns
    -------
    tuple of str
        The names, sorted.

    """
    return tuple(sorted(entry.name[:-5] for entry in _presets().iterdir() if entry.name.endswith(".toml")))


def read_source(source: str | Path) -> str:
    """The text of a preset (by name) or of a file (by path). Raises ScenarioError where there is none to read."""
    if not isinstance(source, (str, os.PathLike)):
        raise ScenarioError(f"scenario: must be a Scenario, a preset's name or a TOML file, got {short(source)}")
    if str(source) in preset_names():
        return str((_presets() / f"{source}.toml").read_text(encoding="utf-8"))
    if not str(source).strip():
        raise ScenarioError("scenario: the name is empty; give a preset's name or a TOML file")
    path = Path(source)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ScenarioError(f"{source}: no preset and no file of this name{suggestion(str(source), preset_names())}") from None
    except IsADirectoryError:
        raise ScenarioError(f"{source}: is a folder; give the scenario's file, such as {path / 'scenario.toml'}") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{source}: not a text file in UTF-8: {error.reason} at byte {error.start}") from None
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{source}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _presets() -> Any:
    return resources.files("dealermarket") / "model" / "presets"
