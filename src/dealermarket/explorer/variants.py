"""The market that a page asks for: the opened scenario, changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from dealermarket.errors import ParameterError, ScenarioError
from dealermarket.explorer.asked import Variant
from dealermarket.explorer.controls import Controls, Group, path_of, policy_fields
from dealermarket.explorer.opened import Opened
from dealermarket.model.makers.policies import Policy
from dealermarket.model.scenario import Scenario, maker_index
from dealermarket.policies.named import policy_named
from dealermarket.values import listed, short, suggestion

_MOST_PROBLEMS = 20  # of values that have no control or do not fit theirs


@dataclass(frozen=True)
class Market:
    """A scenario as a page changed it, and what can be changed of it."""

    scenario: Scenario
    groups: tuple[Group, ...]


class Variants:
    """The markets that an opened scenario becomes by a page's changes. Nothing but what has a control can be changed."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._controls = Controls(opened.scenario, opened.policies)
        self.market = lru_cache(maxsize=64)(self._market)

    def changes(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings of a command as a page has them: by the paths of controls, without what is as in the opened scenario."""
        scenario = self._opened.scenario
        named = {path: value for setting, value in settings.items() for path in _paths_of(setting, scenario)}
        return {path: value for path, value in named.items() if self._controls.was(path) != value}

    def _market(self, variant: Variant) -> Market:
        """Raises ParameterError (ScenarioError, PolicyError too) with every problem."""
        scenario = self._with_makers(variant)
        policies = {path: value for path, value in variant.settings.items() if policy_fields(path)}
        kinds = {path: value for path, value in variant.settings.items() if path.endswith(".kind")}
        others = {path: value for path, value in variant.settings.items() if path not in policies and path not in kinds}
        scenario = self._with_policies(scenario, policies)
        for depth in sorted({path.count(".") for path in kinds}):
            scenario = self._with_settings(scenario, {path: value for path, value in kinds.items() if path.count(".") == depth})
        scenario = self._with_settings(scenario, others)
        return Market(scenario, self._controls.of(scenario))

    def _with_makers(self, variant: Variant) -> Scenario:
        """The opened scenario without some makers and with copies of others."""
        scenario = self._opened.scenario
        if not variant.added and not variant.removed:
            return scenario
        makers = {maker.name: maker for maker in scenario.makers}
        for name in variant.removed:
            if name not in makers:
                raise ParameterError(f"removed: there is no maker {name!r}{suggestion(name, makers)}")
        kept = [maker for maker in scenario.makers if maker.name not in variant.removed]
        for added in variant.added:
            if added.like not in makers:
                raise ParameterError(f"added: there is no maker {added.like!r} to copy{suggestion(added.like, makers)}")
            kept.append(makers[added.like].replace(name=added.name))
        return scenario.replace(makers=tuple(kept))

    def _with_policies(self, scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
        known, assigned = [policy.name for policy in self._opened.policies], dict[str, Policy]()
        for path, value in values.items():
            name = policy_fields(path)
            if value not in known:
                raise ParameterError(f"{path}: must be one of {listed(known)}, got {short(value)}")
            assigned[name_of(scenario, str(name))] = policy_named(str(value))
        return scenario.with_policies(assigned) if assigned else scenario

    def _with_settings(self, scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
        """With values of controls that the scenario has. Raises ParameterError for those of others."""
        if not values:
            return scenario
        known = {control.path: control for group in self._controls.of(scenario) for control in group.controls}
        found = (problem for path, value in values.items() for problem in _problems(path, value, known))
        if problems := list(islice(found, _MOST_PROBLEMS)):  # to look for what was meant takes long
            raise ParameterError("\n".join(problems))
        try:
            return scenario.with_settings(*(f"{path}={as_toml(value)}" for path, value in values.items()))
        except ScenarioError as error:
            raise ParameterError("\n".join(_by_name(line, scenario) for line in str(error).splitlines())) from None


def name_of(scenario: Scenario, maker: str) -> str:
    """The name of a maker that a path has by name or by number."""
    return scenario.maker_names[maker_index(scenario, maker)]


def _by_name(line: str, scenario: Scenario) -> str:
    """A line about a field as the page's controls call it: without the scenario's name, makers and investors by name."""
    path, colon, said = line.removeprefix(f"{scenario.name}: ").partition(":")
    return f"{_paths_of(path, scenario)[0]}{colon}{said}"


def _paths_of(path: str, scenario: Scenario) -> list[str]:
    """The paths of controls that a path of a setting names: makers and investors by name, each by itself in place of `*`."""
    field, *keys = path.split(".")
    entries = {"makers": scenario.makers, "investors": scenario.investors}.get(field, ())
    if not keys or keys[0] in [entry.name for entry in entries]:
        return [path]
    named = [path_of(field, number, entry.name) for number, entry in enumerate(entries)]
    if keys[0].isdecimal():
        named = named[int(keys[0]) :][:1]
    elif keys[0] != "*":
        named = []
    return [".".join([begin, *keys[1:]]) for begin in named] or [path]


def _problems(path: str, value: Any, known: Mapping[str, Any]) -> Iterable[str]:
    control = known.get(path)
    if control is None or control.kind == "fixed":
        yield f"{path}: cannot be changed on this page{suggestion(path, known) if control is None else ''}"
    elif control.kind == "choice" and value not in control.names:
        yield f"{path}: must be one of {listed(control.names)}, got {short(value)}"
    elif control.kind == "switch" and not isinstance(value, bool):
        yield f"{path}: must be true or false, got {short(value)}"
    elif control.kind in ("number", "whole") and (isinstance(value, bool) or not isinstance(value, (int, float))):
        yield f"{path}: must be a number, got {short(value)}"  # a text could be a list or a table in a setting


def as_toml(value: Any) -> str:
    """A value as a setting has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, (int, float)) else str(value)
