"""The command `evaluate`."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealermarket.commands.console import announce_compiling, open_console, progress, rate
from dealermarket.commands.league_table import explanation, league_tables
from dealermarket.commands.options import Contestant, Contested, Threads, flag, number_of_threads, place, repeated, whole
from dealermarket.disk import check_new, replacing
from dealermarket.errors import ParameterError, RunFolderError
from dealermarket.model.scenario import Scenario
from dealermarket.policies import Policy
from dealermarket.policies.named import policy_named
from dealermarket.runs.statistics import ranking_statistics
from dealermarket.study.league import RANKED_BY, Contest, League, Standing, ranking_statistic
from dealermarket.values import Value
from dealermarket.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from dealermarket.estimates import Estimate


def evaluate(
    *policies: Contestant,
    scenario: Annotated[str, Parameter(help="A preset's name or a TOML file.")] = "learning",
    maker: Contested = None,
    settings: Annotated[tuple[str, ...], repeated("--set", "Change a field, such as makers.1.policy.kind=adaptive.")] = (),
    replicas: Annotated[int, whole("Independent replicas of the market for each policy.")] = 1000,
    seed: Annotated[int, whole("Numbers depend on scenario, seed and replica alone.")] = 0,
    threads: Threads = None,
    by: Annotated[str, Parameter(help=f"What they are ranked by: {', '.join(ranking_statistics())}.")] = RANKED_BY,
    against: Annotated[str | None, Parameter(help="The policy that differences are to; the best if not given.")] = None,
    out: Annotated[Path | None, place("A new CSV file for all numbers, a row per policy and measure.")] = None,
    as_json: Annotated[bool, flag("Print the numbers as JSON, and nothing else.", "--json")] = False,
) -> None:
    """Compare policies, trained or not: each takes a maker's place, all on the same prices and orders."""
    if not policies:
        raise ParameterError("POLICY: give one or more, such as: dealermarket evaluate heuristic random adaptive")
    entered = labelled((text, policy_named(text)) for text in policies)
    if against is not None and against not in entered:
        raise ParameterError(f"--against: must be one of the policies given, {', '.join(entered)}; got {against!r}")
    ranking_statistic(by)
    workers = number_of_threads(threads)
    contest = Contest(Scenario.load(scenario, settings), entered, maker, replicas, seed)
    if out is not None:
        check_new(out)
    quiet = open_console(stderr=True)
    announce_compiling(quiet, contest.scenario)
    began = time.monotonic()
    with progress(quiet, contest.market_steps) as report:
        league = contest.run(workers, report)
    seconds = time.monotonic() - began
    unwritten = None if out is None else _written(league.frame(by, against), out)
    if as_json:
        about = {"version": __version__, "settings": list(settings), "seconds": round(seconds, 3)}
        print(json.dumps(about | as_data(league, by, against), indent=2))
    else:
        _print(league, by, against, seconds, None if unwritten else out)
    if unwritten:
        raise unwritten


def _written(frame: pd.DataFrame, out: Path) -> RunFolderError | None:
    """Writes the numbers; returns the error where the disk does not take them: they are to be shown before it is."""
    try:
        with replacing(out) as temporary:
            frame.to_csv(temporary, index=False)
    except RunFolderError as error:
        return error
    return None


def _print(league: League, by: str, against: str | None, seconds: float, out: Path | None) -> None:
    contest, console = league.contest, open_console()
    for table in league_tables(league, by, against, console.width):
        console.print(table)
    console.print(explanation(league, by), style="dim", highlight=False)
    speed = rate(contest.market_steps / max(seconds, 1e-9))
    kept = f"; all numbers in {out}" if out is not None else ""
    console.print(f"{contest.market_steps:,} market steps in {seconds:.1f} s, {speed}{kept}", highlight=False, soft_wrap=True)


def labelled(policies: Iterable[tuple[str, Policy]]) -> dict[str, Policy]:
    """Policies by what was typed; what was typed again gets a number."""
    entered: dict[str, Policy] = {}
    for text, policy in policies:
        label, times = text, 1
        while label in entered:
            times += 1
            label = f"{text} ({times})"
        entered[label] = policy
    return entered


def as_data(league: League, by: str, against: str | None) -> dict[str, Any]:
    """The league as JSON has it; what is not a number is null."""
    contest = league.contest
    standings = league.standings(by, against)
    return {
        "scenario": contest.scenario.name,
        "maker": contest.maker,
        "replicas": contest.replicas,
        "steps": contest.scenario.steps,
        "seed": contest.seed,
        "by": by,
        "against": against if against is not None else standings[0].label,
        "level_of_differences": league.level,
        "policies": [
            {
                "label": standing.label,
                "rank": standing.rank,
                "no_clients": standing.no_clients,
                "policy": _policy_data(standing.policy),
                "measures": {name: _measure_data(standing, name) for name in league.statistics},
            }
            for standing in standings
        ],
    }


def _policy_data(policy: Policy) -> dict[str, Any]:
    """A policy by its parameters, or by the name of its class where it is no value."""
    if isinstance(policy, Value):
        return policy.model_dump(mode="json", exclude_none=True)
    return {"class": type(policy).__qualname__}


def _measure_data(standing: Standing, name: str) -> dict[str, Any]:
    between = {"standard_deviation": standing.deviation[name], "tail": standing.tail[name]}
    return {**_estimate_data(standing.mean[name]), **_finite(between), "difference": _estimate_data(standing.difference[name])}


def _estimate_data(estimate: Estimate) -> dict[str, float | None]:
    return _finite({"mean": float(estimate.value), "low": float(estimate.low), "high": float(estimate.high)})


def _finite(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """The numbers as JSON has them."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}
