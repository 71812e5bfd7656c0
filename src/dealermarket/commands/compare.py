"""The command `compare`."""

from __future__ import annotations

import json
import math
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from cyclopts import Parameter

from dealermarket.commands.console import announce_compiling, open_console, progress, rate
from dealermarket.commands.options import On, Policies, Seed, Settings, Threads, executor_of, flag, place, whole
from dealermarket.errors import ParameterError, RunFolderError
from dealermarket.model.changes import changes
from dealermarket.model.scenario import Scenario, preset_names
from dealermarket.runs.executors import Executor
from dealermarket.version import __version__

if TYPE_CHECKING:
    from dealermarket.study import Comparison, Paired


COMPARISONS = Path("comparisons")


class Compared(NamedTuple):
    """A comparison, what was found out for it first, and how long it took."""

    comparison: Comparison
    notes: tuple[str, ...] = ()
    ran: str = ""


def compare(
    *markets: Annotated[str, Parameter(help="A scenario, whose changes follow; or two scenarios; or the folders of two runs.")],
    settings: Settings = (),
    policies: Policies = (),
    steps: Annotated[int | None, whole("Steps of each replica; the scenario's own if not given.")] = None,
    replicas: Annotated[int | None, whole("Independent replicas of each market; 1000 if not given.")] = None,
    seed: Seed = None,
    threads: Threads = None,
    on: On = None,
    maker: Annotated[str | None, Parameter(help="Show every statistic and every client of this maker.")] = None,
    out: Annotated[Path | None, place("A new folder for all numbers, as CSV, and pictures.")] = None,
    plot: Annotated[bool, flag("Keep numbers and pictures, in comparisons/NAME-1 and on where no --out is given.")] = False,
    as_json: Annotated[bool, flag("Print the numbers as JSON, and nothing else.", "--json")] = False,
) -> None:
    """Compare a scenario with its change, two scenarios or two runs: what differs, with paired intervals.

    A client's tier may be relative to that in which it mostly was: --set makers.0.tiering.pins.CLIENT=better, or worse.
    """
    from dealermarket.runs.work_folder import new_folder

    if not 1 <= len(markets) <= 2:
        raise ParameterError("MARKETS: give a scenario and --set, two scenarios, or the folders of two runs")
    executor, runs = executor_of(on, threads), [market for market in markets if _is_folder(market)]
    _check_kinds(markets, runs)
    changing: dict[str, Any] = {"--set": settings, "--policy": policies}
    if runs:
        given = changing | {"--steps": steps, "--replicas": replicas, "--seed": seed}
        _refuse(given, "the runs are done; leave it out, or compare their scenarios, RUN/scenario.toml")
    elif len(markets) == 2:
        _refuse(changing, "changes a scenario that is given alone; leave it out")
    elif not settings and not policies:
        raise ParameterError("--set: say what changes, with --set or --policy, or give a second scenario")
    clock = (f"steps={steps}",) if steps is not None else ()
    kept = new_folder(out, COMPARISONS, Path(markets[0]).stem) if plot or out is not None else nullcontext()
    with kept as folder:
        if runs:
            compared = _of_runs(runs, maker)
        else:
            compared = _of_scenarios(markets, settings, policies, clock, replicas, seed, executor, maker)
        comparison = compared.comparison
        shown = comparison.focus if maker is None else comparison.makers[_maker_index(comparison.a, maker)]
        if as_json:
            print(json.dumps(_as_data(compared), indent=2, ensure_ascii=False))
        else:
            _print(compared, shown, maker is not None, folder)
        if folder is not None:
            from dealermarket.commands.comparison_folder import write_folder

            write_folder(comparison, shown, folder)


def _check_kinds(markets: tuple[str, ...], runs: list[str]) -> None:
    """Raises an error where a run stands beside what is none, or alone."""
    for other in markets:
        if not runs or other in runs:
            continue
        if other not in preset_names() and not Path(other).exists():
            raise RunFolderError(f"{other}: does not exist; give the folder of a run, such as {runs[0]}")
        raise ParameterError(f"{runs[0]}: is the folder of a run, {other} is a scenario; give {runs[0]}/scenario.toml")
    if runs and len(markets) == 1:
        raise ParameterError(f"{runs[0]}: is the folder of a run; give that of another one, too, or {runs[0]}/scenario.toml")


def _is_folder(market: str) -> bool:
    return market not in preset_names() and Path(market).is_dir()


def _refuse(given: dict[str, Any], reason: str) -> None:
    for name, value in given.items():
        if value not in (None, ()):
            raise ParameterError(f"{name}: {reason}")


def _check_steps(settings: tuple[str, ...]) -> None:
    """Raises ParameterError where only one side would have other steps."""
    for setting in settings:
        path, _, value = setting.partition("=")
        if path.strip() == "steps":
            reason = "would change one side alone, and prices and orders are common to both"
            raise ParameterError(f"--set {setting}: {reason}; --steps {value} changes both")


def _maker_index(scenario: Scenario, maker: str) -> int:
    from dealermarket.model.scenario import maker_index

    return maker_index(scenario, maker)


def _of_runs(runs: list[str], maker: str | None) -> Compared:
    from dealermarket.runs.result import SimulationResult
    from dealermarket.study import compare as paired

    a, b = (SimulationResult.load(run) for run in runs)
    comparison = paired(a, b)
    if maker is not None:
        _maker_index(a.scenario, maker)
    notes = [f"a: {runs[0]}", f"b: {runs[1]}"]
    if not comparison.has_clients:
        notes.append("Without shares and yields of clients, which need both runs with --record trades")
    return Compared(comparison, tuple(notes))


def _of_scenarios(
    markets: tuple[str, ...],
    settings: tuple[str, ...],
    policies: tuple[str, ...],
    clock: tuple[str, ...],
    replicas: int | None,
    seed: int | None,
    executor: Executor,
    maker: str | None,
) -> Compared:
    from dealermarket.draws.files import replicas_there
    from dealermarket.policies.named import with_policies
    from dealermarket.study import relative_tiers
    from dealermarket.study.pairs import REPLICAS, Pair
    from dealermarket.study.relative import check_relative

    a = Scenario.load(markets[0], clock)
    base = Pair(a, a, replicas_there(a, REPLICAS) if replicas is None else replicas, 0 if seed is None else seed)
    if maker is not None:
        _maker_index(a, maker)
    _check_steps(settings)
    relative = any(check_relative(a, settings))
    quiet = open_console(stderr=True)
    announce_compiling(quiet, a)
    began = time.monotonic()
    if relative:
        quiet.print("Running the scenario as it is first, to see where clients mostly are", highlight=False)
    resolved, tiers = relative_tiers(a, settings, base.replicas, base.seed, executor.workers)
    pair = Pair(a, with_policies(Scenario.load(markets[-1], (*resolved, *clock)), policies), base.replicas, base.seed)
    if not changes(pair.a, pair.b):
        named = " and ".join(dict.fromkeys(markets))
        raise ParameterError(f"{named}: a and b are one market, so that nothing differs; change it with --set or --policy")
    with executor, progress(quiet, pair.market_steps) as report:
        comparison = pair.run(progress=report, executor=executor)
    seconds = time.monotonic() - began
    speed = f"{pair.market_steps:,} market steps in {seconds:.1f} s, {rate(pair.market_steps / max(seconds, 1e-9))}"
    return Compared(comparison, tuple(map(str, tiers)), speed)


def _print(compared: Compared, shown: str, in_full: bool, out: Path | None) -> None:
    """The tables, what their numbers are, and where there are more."""
    from dealermarket.commands.comparison_tables import all_of, detail_of, makers_tables
    from dealermarket.commands.makers_tables import UNITS
    from dealermarket.study.comparison import MARKED

    comparison, console = compared.comparison, open_console()
    title, *changed = comparison.heading()
    names, affected = comparison.makers, comparison.affected_makers
    for line in (title, *compared.notes, *changed):
        console.print(line, highlight=False)
    if not affected and not comparison.changes:
        return
    if not affected:
        console.print("No number of any maker differs in any replica.", highlight=False)
        return
    for table in makers_tables(comparison, console.width):
        console.print(table)
    if shown in affected:
        for table in (all_of if in_full else detail_of)(comparison, shown, console.width):
            console.print(table)
    unaffected = [name for name in names if name not in affected]
    if unaffected:
        console.print(f"Exactly the same in a and b: {', '.join(unaffected)}.", highlight=False)
    marks = f"{MARKED}, as that of about one in 20 does where there is no difference. " if comparison.replicas > 1 else ""
    console.print(f"{marks}{UNITS}", style="dim", highlight=False)
    kept = f"all numbers and pictures in {out}" if out is not None else f"more: --maker {shown}, --json, --plot"
    console.print(f"{compared.ran}; {kept}" if compared.ran else kept, highlight=False, soft_wrap=True)


# --- as JSON


def _as_data(compared: Compared) -> dict[str, Any]:
    """The comparison as JSON has it; what is not a number is null."""
    comparison = compared.comparison
    clients = [agent.name for agent in comparison.a.agents]
    data: dict[str, Any] = {
        "version": __version__,
        "a": comparison.a.name,
        "b": comparison.b.name,
        "changes": [change._asdict() for change in comparison.changes],
        "notes": list(compared.notes),
        "replicas": comparison.replicas,
        "steps": comparison.a.steps,
        "seed": comparison.seed,
        "makers": {
            maker: {name: _numbers(paired) for name, paired in comparison.of(maker).items()} for maker in comparison.makers
        },
    }
    if comparison.has_clients:
        data["clients"] = {
            maker: {
                client: {name: _numbers(paired[n, m]) for name, paired in comparison.by_client.items()}
                for n, client in enumerate(clients)
            }
            for m, maker in enumerate(comparison.makers)
        }
    return data


def _numbers(paired: Paired) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in paired.fields().items()}
