"""What pages are answered: forms, batches of replicas, traces and texts, as plain data. Threads call it side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dealermarket.errors import ParameterError
from dealermarket.explorer.asked import State, Variant
from dealermarket.explorer.controls import Group
from dealermarket.explorer.opened import Opened
from dealermarket.explorer.panels import PANELS, View
from dealermarket.explorer.panels.view import exactly, rounded
from dealermarket.explorer.simulation import Simulation, Simulations, check_size, most_replicas
from dealermarket.explorer.texts import Texts
from dealermarket.explorer.variants import Variants
from dealermarket.model.scenario import Scenario
from dealermarket.questions import short_names
from dealermarket.runs.chunks import is_compiled
from dealermarket.runs.runner import SimulationRunner
from dealermarket.runs.statistics import statistic_named
from dealermarket.runs.trace import trace
from dealermarket.version import __version__


@dataclass(frozen=True)
class Asked:
    """A state with its markets: what is simulated for it."""

    state: State
    now: Simulation
    pinned: Simulation | None
    groups: tuple[Group, ...]  # what can be changed of the market

    @property
    def first_batch(self) -> int:
        """How many replicas the first answer has."""
        return min(self.now.first_batch, self.state.replicas)

    @property
    def there(self) -> int:
        """How many of the replicas asked for there are already."""
        least = self.now.replicas if self.pinned is None else min(self.now.replicas, self.pinned.replicas)
        return min(least, self.state.replicas)


class Answers:
    """Answers to the pages of one opened scenario."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self._variants = Variants(opened)
        self._texts = Texts(opened, self._variants)
        self._simulations = Simulations()

    @property
    def is_compiled(self) -> bool:
        """Whether the engine's machine code is kept from an earlier run."""
        return is_compiled(self.opened.scenario)

    def load(self) -> None:
        """Loads all that the first answer would wait for: machine code, which may have to be compiled, and libraries."""
        self.panels(self.asked(self.opened.state.replace(replicas=2)), 2, PANELS)

    def first(self) -> dict[str, Any]:
        """What a page begins with."""
        opened, scenario = self.opened, self.opened.scenario
        return {
            "is": "opened",
            "title": scenario.name,
            "description": scenario.description,
            "kind": opened.kind,
            "source": opened.source,
            "state": opened.state.model_dump(mode="json"),
            "policies": [dataclasses.asdict(policy) for policy in opened.policies],
            "most_replicas": most_replicas(scenario),
            "sweep": self._sweep(),
            "calibration": {"rows": opened.reasons} if opened.kind == "calibration" else None,
            "version": __version__,
        }

    def asked(self, state: State) -> Asked:
        """The markets of a state. Raises ParameterError (ScenarioError too) with every problem."""
        market = self._variants.market(state.variant)
        check_size(market.scenario, state.replicas)
        pinned = None
        if state.pin is not None:
            other = self._variants.market(state.pin).scenario
            check_size(other, state.replicas)
            pinned = self._simulations.of(other, state.seed)
        return Asked(state, self._simulations.of(market.scenario, state.seed), pinned, market.groups)

    def panels(self, asked: Asked, replicas: int, names: Iterable[str]) -> dict[str, Any]:
        """Some panels of the first `replicas`, which are simulated where they are not yet."""
        for simulation in (asked.now, asked.pinned):
            if simulation is not None and simulation.replicas < replicas:
                simulation.run_to(replicas)
        view = View(asked.state, asked.now, asked.pinned, replicas)
        return {name: PANELS[name](view) for name in names}

    def traced(self, state: State) -> dict[str, Any]:
        """One step of one path, told in order, and the mids of that path."""
        asked = self.asked(state)
        scenario, replica = asked.now.scenario, min(state.replica, state.replicas - 1)
        step = min(state.step, scenario.steps - 1)
        told = dataclasses.asdict(trace(scenario, state.seed, replica, step, plans=False))
        if asked.now.replicas <= replica:
            asked.now.run_to(replica + 1)
        return {"is": "trace", "trace": told | {"steps": scenario.steps}, "mids": exactly(asked.now.mid(replica))}

    def texts(self, state: State) -> dict[str, Any]:
        """The market as a file, as a command and as Python."""
        return {"is": "texts", **self._texts.of(state)}

    def point(self, number: int) -> dict[str, Any]:
        """What of a state makes its market that of a point of the opened sweep. Raises ParameterError where there is none."""
        if self.opened.sweep is None:
            raise ParameterError("point: no sweep is opened")
        variant = Variant(settings=self._variants.changes(self.opened.sweep.settings(number)))
        return {"is": "state", "state": variant.model_dump(mode="json")}

    def write_run(self, state: State, folder: Path) -> None:
        """Writes the run of a state into a new folder, as the command would."""
        asked = self.asked(state)
        SimulationRunner(asked.now.scenario, state.replicas, state.seed, record="trades").run(folder)

    def next_markets(self, last: State, state: State, path: str) -> list[Scenario]:
        """What may be asked for after a move of the number at `path`: one grain of its slider further, two, one back."""
        market = self._variants.market(state.variant)
        control = next((each for group in market.groups for each in group.controls if each.path == path), None)
        if control is None or control.step is None or isinstance(control.value, str):
            return []
        before = last.settings.get(path, control.was)
        grain = control.step if before is None or control.value >= before else -control.step
        found = []
        for grains in (1, 2, -1):
            value = type(control.value)(float(f"{control.value + grains * grain:.10g}"))
            with suppress(ParameterError):  # beyond its bounds
                found.append(self._variants.market(state.replace(settings={**state.settings, path: value}).variant).scenario)
        return found

    def build_ahead(self, scenario: Scenario, seed: int) -> None:
        """Builds the hedging tables of a market that may be asked for."""
        self._simulations.of(scenario, seed).prepare()

    def _sweep(self) -> dict[str, Any] | None:
        sweep = self.opened.sweep
        if sweep is None:
            return None
        fields = zip(sweep.paths, short_names(sweep.paths), sweep.values, strict=True)
        measures = []
        for name, values in sweep.measures.items():
            statistic = statistic_named(name)
            scaled = statistic.scale * np.asarray(values, dtype=np.float64)  # None becomes NaN
            unit = "%" if statistic.percent else statistic.unit
            measures.append({"name": name, "heading": statistic.label, "unit": unit, "values": rounded(scaled)})
        return {
            "fields": [{"path": path, "label": label, "values": list(values)} for path, label, values in fields],
            "places": [list(place) for place in sweep.places],
            "maker": sweep.maker,
            "measures": measures,
        }
