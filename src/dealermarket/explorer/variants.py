"""The market that a page asks for: the opened scenario, changed; and the same change as TOML, as a command and as Python."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from dealermarket.errors import ParameterError, ScenarioError
from dealermarket.explorer.asked import State, Variant
from dealermarket.explorer.controls import Controls, Group, path_of, policy_fields
from dealermarket.explorer.opened import Opened
from dealermarket.model.makers.policies import Policy
from dealermarket.model.scenario import Scenario, maker_index
from dealermarket.policies.named import policy_named
from dealermarket.program import program
from dealermarket.values import Value, listed, short, suggestion

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
            assigned[_name_of(scenario, str(name))] = policy_named(str(value))
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

    # --- the same in other words

    def texts(self, state: State) -> dict[str, str]:
        """The market as a TOML file, the run as a command, and as Python."""
        scenario = self.market(state.variant).scenario
        return {"toml": scenario.to_toml(), "command": self._command(state), "python": self._python(state)}

    def _command(self, state: State) -> str:
        begin = f"{program()} run"
        end = f"--replicas {state.replicas} --seed {state.seed}"
        if state.added or state.removed:
            return f"# makers were added or removed: save the TOML text as mine.toml\n{begin} mine.toml {end}"
        policies, within = self._policies_with_fields(state)
        settings = [f"{path}={as_toml(value)}" for path, value in _in_order(state.settings) if path not in within]
        words = [f"--set {shlex.quote(setting)}" for setting in (*self._opened.settings, *settings)]
        names = self._opened.scenario.maker_names
        for maker, policy in policies.items():
            told = path_of("makers", names.index(maker), maker).removeprefix("makers.")
            words.append(f"--policy {shlex.quote(f'{told}={policy}')}")
        return " ".join([begin, shlex.quote(self._opened.source), *words, end])

    def _policies_given(self) -> dict[str, str]:
        """Policies by maker that the page was started with."""
        assignments = (assignment.partition("=") for assignment in self._opened.assignments)
        return {_name_of(self._opened.scenario, maker): policy for maker, _, policy in assignments}

    def _policies_chosen(self, state: State) -> dict[str, str]:
        """Policies by maker that were chosen on the page."""
        scenario = self.market(state.variant).scenario
        chosen = ((policy_fields(path), value) for path, value in state.settings.items())
        return {_name_of(scenario, maker): str(value) for maker, value in chosen if maker}

    def _policies_with_fields(self, state: State) -> tuple[dict[str, str], set[str]]:
        """Policies as `--policy` takes them, with their fields, as it comes after every `--set`; and the settings in them."""
        named = self._policies_given() | self._policies_chosen(state)
        within = {path for path in state.settings if policy_fields(path)}
        for number, maker in enumerate(self.market(state.variant).scenario.makers):
            prefix = f"{path_of('makers', number, maker.name)}.policy."
            fields = {path for path in state.settings if path.startswith(prefix)}
            if fields and maker.name in named and isinstance(maker.policy, Value):
                held = maker.policy.model_dump(mode="json", exclude_none=True)
                values = ",".join(f"{name}={as_toml(value)}" for name, value in held.items() if name != "kind")
                named[maker.name], within = f"{held['kind']}:{values}", within | fields
        return named, within

    def _python(self, state: State) -> str:
        opened, given, chosen = self._opened, self._policies_given(), self._policies_chosen(state)
        settings = [f"{path}={as_toml(value)}" for path, value in _in_order(state.settings) if not policy_fields(path)]
        lines = ["from dealermarket import Scenario, SimulationRunner"]
        if given or chosen:
            lines.append("from dealermarket.policies import policy_named")
        source = f"{opened.source!r}, {list(opened.settings)!r}" if opened.settings else repr(opened.source)
        lines += ["", f"scenario = Scenario.load({source})", *_assigned(given)]
        if state.added or state.removed:
            lines.append("makers = {maker.name: maker for maker in scenario.makers}")
            kept = f"[maker for maker in scenario.makers if maker.name not in {sorted(state.removed)!r}]"
            copies = ", ".join(f"makers[{added.like!r}].replace(name={added.name!r})" for added in state.added)
            lines.append(f"scenario = scenario.replace(makers=[*{kept}, {copies}])")
        lines += _assigned(chosen)
        if settings:
            lines += ["scenario = scenario.with_settings(", *(f"    {setting!r}," for setting in settings), ")"]
        lines.append(f"result = SimulationRunner(scenario, replicas={state.replicas}, seed={state.seed}).run()")
        lines.append('print(result.summary.groupby("maker").mean(numeric_only=True))')
        return "\n".join(lines) + "\n"


def _name_of(scenario: Scenario, maker: str) -> str:
    """The name of a maker that a path has by name or by number."""
    return scenario.maker_names[maker_index(scenario, maker)]


def _assigned(policies: Mapping[str, str]) -> list[str]:
    """The line of Python that gives makers their policies; none where there are none."""
    named = ", ".join(f"{maker!r}: policy_named({policy!r})" for maker, policy in policies.items())
    return [f"scenario = scenario.with_policies({{{named}}})"] if policies else []


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


def _in_order(settings: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Settings in an order in which they can be applied: a kind before the fields that it brings."""
    return sorted(settings.items(), key=lambda item: (not item[0].endswith(".kind"), item[0].count(".")))


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
