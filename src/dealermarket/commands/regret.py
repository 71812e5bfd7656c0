"""The command `regret`."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter

from dealermarket.commands.asking import numbers
from dealermarket.commands.console import announce_compiling, open_console, progress, rate
from dealermarket.commands.evaluate import labelled
from dealermarket.commands.options import Contestant, Contested, On, Threads, executor_of, flag, place, repeated, whole
from dealermarket.commands.tables import Column, split_tables
from dealermarket.disk import write_frame
from dealermarket.errors import ParameterError
from dealermarket.estimates import Estimate, plus_minus
from dealermarket.model.makers.reward import Reward
from dealermarket.model.scenario import Scenario, maker_index
from dealermarket.policies.named import policy_named
from dealermarket.version import __version__

if TYPE_CHECKING:
    from dealermarket.study.regret import Regret, Regrets

FOLDERS = Path("regrets")
NOTHING = 1e-6
PENALTIES = tuple(name for name in Reward.model_fields if name not in ("weights", "unit"))


def regret(
    *policies: Contestant,
    scenario: Annotated[str, Parameter(help="A preset's name or a TOML file.")] = "learning",
    maker: Contested = None,
    reward: Annotated[
        Literal["components", "pnl"],
        Parameter(help="What a step is worth: the paper's four rewards, or mark-to-market P&L."),
    ] = "pnl",
    penalties: Annotated[
        tuple[str, ...],
        repeated("--penalty", f"A penalty for risk, such as inventory_squared=2; one of {', '.join(PENALTIES)}."),
    ] = (),
    settings: Annotated[tuple[str, ...], repeated("--set", "Change a field, such as makers.1.policy.low=-0.5.")] = (),
    replicas: Annotated[int, whole("Independent replicas of the market for each policy.")] = 1000,
    seed: Annotated[int, whole("Numbers depend on scenario, seed and replica alone.")] = 0,
    threads: Threads = None,
    on: On = None,
    out: Annotated[Path | None, place("A new folder for all numbers, as CSV, and the figure.")] = None,
    plot: Annotated[bool, flag("Keep numbers and figure, in regrets/NAME-1 and on where no --out is given.")] = False,
    as_json: Annotated[bool, flag("Print the numbers as JSON, and nothing else.", "--json")] = False,
) -> None:
    """Compare policies with the optimum: what each loses a step, and whether by its prices or by its hedges."""
    from dealermarket.runs.work_folder import new_folder
    from dealermarket.study.regret import Yardstick

    if not policies:
        raise ParameterError("POLICY: give one or more, such as: dealermarket regret heuristic skew adaptive")
    entered = labelled((text, policy_named(text)) for text in policies)
    executor, market = executor_of(on, threads), Scenario.load(scenario, settings)
    name = None if maker is None else market.maker_names[maker_index(market, maker)]
    yardstick = Yardstick(market, entered, name, Reward(weights=reward, **penalties_of(penalties)), replicas, seed)
    kept = new_folder(out, FOLDERS, market.name) if plot or out is not None else nullcontext()
    with kept as folder:
        quiet = open_console(stderr=True)
        announce_compiling(quiet, market)
        began = time.monotonic()
        with executor, progress(quiet, yardstick.market_steps) as report:
            regrets = yardstick.run(progress=report, executor=executor)
        seconds = time.monotonic() - began
        if as_json:
            print(json.dumps(_as_data(regrets), indent=2))
        else:
            _print(regrets, seconds, folder)
        if folder is not None:
            write_folder(regrets, folder)


def penalties_of(texts: Sequence[str]) -> dict[str, float]:
    """Penalties of a reward from texts such as "inventory_squared=2". Raises ParameterError."""
    found: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in PENALTIES:
            raise ParameterError(f"--penalty {text!r}: must be one of {', '.join(PENALTIES)}")
        if name in found:
            raise ParameterError(f"--penalty {text!r}: {name} was given already")
        try:
            found[name] = float(value)
        except ValueError:
            raise ParameterError(f"--penalty {text!r}: must look like {name}=2, got {value!r}") from None
    return found


def write_folder(regrets: Regrets, folder: Path) -> None:
    """All numbers and the figure."""
    import pandas as pd

    from dealermarket.plots.drawing import save
    from dealermarket.plots.regret import plot_regret
    from dealermarket.study.regret import OPTIMUM

    write_frame(regrets.frame(), folder / "regret.csv")
    labels = (OPTIMUM, *regrets.yardstick.policies)
    actions = {label: regrets.actions(label) for label in labels}
    for label, frame in actions.items():
        frame.insert(0, "policy", label)
    write_frame(pd.concat(actions.values(), ignore_index=True), folder / "actions.csv")
    save(
        plot_regret(actions, OPTIMUM, f"{regrets.yardstick.scenario.name}: what policies do, by position"), folder / "regret.png"
    )


def _print(regrets: Regrets, seconds: float, folder: Path | None) -> None:
    yardstick, console, ranked = regrets.yardstick, open_console(), regrets.ranked()
    value = regrets.optimum.value
    columns = [
        Column("reward\na step", plus_minus([each.reward for each in ranked])),
        Column("regret", plus_minus([_lost(each.regret) for each in ranked])),
        Column("by its\nprices", plus_minus([_lost(each.prices) for each in ranked])),
        Column("by its\nhedges", plus_minus([_lost(each.hedging) for each in ranked])),
    ]
    if regrets.has_shares:
        columns.append(Column("share of the\noptimum, %", plus_minus([_share(each) for each in ranked], 100)))
    labels = [Column("policy", [each.label for each in ranked], "left", most=max(console.width // 3, 12))]
    title = f"{yardstick.scenario.name}: policies as {yardstick.decision.maker}, mean of {yardstick.replicas:,} replicas"
    for table in split_tables(title, labels, columns, console.width):
        console.print(table)
    console.print(
        f"The optimum's value is {value:.6g} a step; simulated on the same prices and orders it earned {regrets.simulated}, "
        "apart from what the mid's moves bring, whose mean is 0.",
        highlight=False,
    )
    console.print(
        "± is half of the 95 % interval. Regret: what a policy loses a step against the optimum, by the sum of the advantages of "
        "what it did: a reward less this sum has the same mean, and less noise. Hedges: what they lost beside the best ones at "
        f"the policy's own prices. Unit: {_unit(yardstick.reward)}.",
        style="dim",
        highlight=False,
    )
    speed = rate(yardstick.market_steps / max(seconds, 1e-9))
    where = f"; kept in {folder}" if folder is not None else "; more: --plot, --json"
    console.print(f"{yardstick.market_steps:,} market steps in {seconds:.1f} s, {speed}{where}", highlight=False, soft_wrap=True)


def _lost(estimate: Estimate) -> Estimate:
    """What is lost, 0 where it is as good as nothing: rounding has no digits to show."""
    return estimate.scaled(1.0 if abs(float(estimate.high)) > NOTHING else 0.0)


def _share(regret: Regret) -> Estimate:
    """The share of the optimum; a round one where nothing is lost."""
    share, whole = regret.share, np.asarray(1.0)
    return share if abs(float(regret.regret.high)) > NOTHING else Estimate(whole, 0.0 * whole, whole, whole)


def _unit(reward: Reward) -> str:
    """What a reward of 1 is."""
    if reward.unit == "spread":
        return "what all investors pay in a mean step at half the mean reference spread"
    return f"{reward.unit:g} price x units of the asset"


def _as_data(regrets: Regrets) -> dict[str, Any]:
    """The numbers as JSON has them; what is not a number is null."""
    yardstick = regrets.yardstick
    names = ("reward", "difference", "regret", "prices", "hedging", "share")
    return {
        "version": __version__,
        "scenario": yardstick.scenario.name,
        "maker": yardstick.decision.maker,
        "reward": yardstick.reward.model_dump(mode="json"),
        "replicas": yardstick.replicas,
        "steps": yardstick.scenario.steps,
        "seed": yardstick.seed,
        "optimum": {"value": regrets.optimum.value, "simulated": numbers(regrets.simulated)},
        "policies": [
            {"label": each.label, **{name: numbers(getattr(each, name)) for name in names}} for each in regrets.ranked()
        ],
    }
