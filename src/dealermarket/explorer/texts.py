"""A market of the page and its run in other words: as a TOML file, as a command, and as Python."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from dealermarket.explorer.asked import State
from dealermarket.explorer.controls import path_of, policy_fields
from dealermarket.explorer.opened import Opened
from dealermarket.explorer.variants import Variants, as_toml, name_of
from dealermarket.program import program
from dealermarket.values import Value


class Texts:
    """Texts that make the same market from what was opened, each by itself."""

    def __init__(self, opened: Opened, variants: Variants) -> None:
        self._opened, self._variants = opened, variants

    def of(self, state: State) -> dict[str, str]:
        """The market as a TOML file, the run as a command, and as Python."""
        scenario = self._variants.market(state.variant).scenario
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
        return {name_of(self._opened.scenario, maker): policy for maker, _, policy in assignments}

    def _policies_chosen(self, state: State) -> dict[str, str]:
        """Policies by maker that were chosen on the page."""
        scenario = self._variants.market(state.variant).scenario
        chosen = ((policy_fields(path), value) for path, value in state.settings.items())
        return {name_of(scenario, maker): str(value) for maker, value in chosen if maker}

    def _policies_with_fields(self, state: State) -> tuple[dict[str, str], set[str]]:
        """Policies as `--policy` takes them, with their fields, as it comes after every `--set`; and the settings in them."""
        named = self._policies_given() | self._policies_chosen(state)
        within = {path for path in state.settings if policy_fields(path)}
        for number, maker in enumerate(self._variants.market(state.variant).scenario.makers):
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


def _assigned(policies: Mapping[str, str]) -> list[str]:
    """The line of Python that gives makers their policies; none where there are none."""
    named = ", ".join(f"{maker!r}: policy_named({policy!r})" for maker, policy in policies.items())
    return [f"scenario = scenario.with_policies({{{named}}})"] if policies else []


def _in_order(settings: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Settings in an order in which they can be applied: a kind before the fields that it brings."""
    return sorted(settings.items(), key=lambda item: (not item[0].endswith(".kind"), item[0].count(".")))
