"""The command `trace`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealermarket.commands.console import announce_compiling, open_console
from dealermarket.commands.options import Policies, Seed, Settings, flag, whole
from dealermarket.errors import ParameterError, RunFolderError
from dealermarket.model.scenario import Scenario, preset_names
from dealermarket.version import __version__

if TYPE_CHECKING:
    from dealermarket.runs.trace import StepTrace


def trace(
    run: Annotated[str, Parameter(help="The folder of a run; or a scenario, a preset's name or a TOML file.")],
    /,
    *,
    step: Annotated[int, whole("The step, the first being 0.")],
    replica: Annotated[int, whole("The replica, the first being 0.")] = 0,
    maker: Annotated[str | None, Parameter(help="Show what concerns this maker, and why it lost what it was asked for.")] = None,
    seed: Seed = None,
    settings: Settings = (),
    policies: Policies = (),
    as_json: Annotated[bool, flag("Print all as JSON, in price units, and nothing else.", "--json")] = False,
) -> None:
    """Tell one step of one replica in order: prices, what matures, tiers, every quote, hedges, positions.

    The replica is run again up to the step, so that nothing needs to have been recorded. --seed, --set and --policy are for
    scenarios: RUN/scenario.toml with the run's seed and a --set shows what another price would have made of the same requests.
    """
    from dealermarket.commands.trace_tables import UNITS, StepTables
    from dealermarket.model.market.environment import duration
    from dealermarket.model.scenario import maker_index
    from dealermarket.policies.named import with_policies
    from dealermarket.runs.result import SimulationResult
    from dealermarket.runs.trace import trace as traced

    result = None
    if run and run not in preset_names() and Path(run).is_dir():
        for option, given in {"--seed": seed, "--set": settings, "--policy": policies}.items():
            if given not in (None, ()):
                raise ParameterError(f"{option}: is that of the run; leave it out, or trace its scenario, {run}/scenario.toml")
        result = SimulationResult.load(run)
        scenario = result.scenario
    else:
        if not run.endswith(".toml") and run not in preset_names() and not Path(run).exists():
            raise RunFolderError(f"{run}: does not exist; give the folder of a run, such as runs/paper-1, or a scenario")
        scenario = with_policies(Scenario.load(run, settings), policies)
    name = None if maker is None else scenario.maker_names[maker_index(scenario, maker)]
    _announce(scenario)
    told = traced(scenario, seed or 0, replica, step) if result is None else result.trace(replica, step)
    if name is not None:
        told = told.of(name)
    if as_json:
        print(json.dumps(_as_data(told, name), indent=2, ensure_ascii=False))
        return
    console = open_console()
    into = f", {duration(scenario.market, step)} in" if step else ""
    title = f"{scenario.name}, seed {told.seed}, replica {replica:,}, step {step:,} of {scenario.steps:,}{into}"
    tables = StepTables(told, name, console.width)
    console.print(f"{title}\n{tables.prices()}\n", highlight=False)
    for shown in tables.all():
        console.print(shown, highlight=False, soft_wrap=isinstance(shown, str))
    console.print(UNITS, style="dim", highlight=False)
    if name is None:
        console.print(f"why a maker lost what it was asked for: --maker {scenario.maker_names[0]}", highlight=False)


def _announce(scenario: Scenario) -> None:
    """Says so before it is silent to compile."""
    from dealermarket.compiled import among, is_cached
    from dealermarket.engine.every_quote import read_hedge_quotes
    from dealermarket.engine.rules import is_of_the_papers

    quiet = open_console(stderr=True)
    announce_compiling(quiet, scenario)
    if not is_cached(among(read_hedge_quotes, is_of_the_papers(scenario))):
        quiet.print("Compiling what reads every quote, once: about ten seconds.", highlight=False)


# --- as JSON


def _as_data(trace: StepTrace, maker: str | None) -> dict[str, Any]:
    """The trace as JSON has it, with what follows from its numbers."""
    data = {"version": __version__, **asdict(trace)}
    for table, request in zip(data["requests"], trace.requests, strict=True):
        table |= {"winner": request.winner, "ahead": request.ahead}
        if maker is not None:
            gap = request.behind(maker)
            table |= {"outcome": request.outcome_of(maker), "behind": gap and asdict(gap)}
    return data
