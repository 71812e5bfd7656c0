"""The command `check`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dealermarket.commands.console import open_console
from dealermarket.commands.options import Settings
from dealermarket.runs.chunks import cores

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario


def check(
    file: Annotated[str, Parameter(help="A TOML file or a preset's name.")],
    /,
    *,
    settings: Settings = (),
) -> None:
    """Check a scenario: prints every error at once and exits with status 2, or says what it describes and what a run takes."""
    from dealermarket.commands.run import REPLICAS
    from dealermarket.draws.files import read_from_files, replicas_there
    from dealermarket.model.scenario import Scenario
    from dealermarket.runs.needs import fits, needs_of

    scenario = Scenario.load(file, settings)
    investors, makers = len(scenario.agents), len(scenario.makers)
    open_console().print(
        f"{file}: fine; {investors} investors, {makers} makers, {scenario.steps} steps, t_m = {scenario.reward_horizon}",
        highlight=False,
        soft_wrap=True,
    )
    if scenario.market.activity:
        factors = scenario.market.activity_at(range(min(scenario.steps, scenario.market.steps_per_day)))
        open_console().print(
            f"activity by time of day: {factors.min():.3g} to {factors.max():.3g} times each investor's trade_probability",
            highlight=False,
            soft_wrap=True,
        )
    for note in (*_of_impact(scenario), *read_from_files(scenario)):
        open_console().print(note, highlight=False, soft_wrap=True)
    replicas = replicas_there(scenario, REPLICAS)
    needs = needs_of(scenario, replicas, cores())
    much = "" if fits(needs) else ", more than this machine has"
    open_console().print(
        f"a run of {replicas} replica{'s' if replicas != 1 else ''} takes {needs}{much}", highlight=False, soft_wrap=True
    )


def _of_impact(scenario: Scenario) -> Iterator[str]:
    """What market impact does not do in this market, or does that it should not."""
    market, exchange = scenario.market, scenario.exchange
    if market.impact.kind == "none":
        return
    if all(getattr(maker.hedging, "venue", "makers") == "makers" for maker in scenario.makers):
        yield "market.impact: moves nothing, for no maker hedges at the exchange (hedging.venue: exchange, or best)"
        return
    gain, paid = market.impact.round_trip_gain, market.mean_half_spread * exchange.least_slope
    if gain > paid:
        yield (
            "market.impact: a round trip at the exchange may earn more than its spread: permanent / 2 + transient / (1 + decay), "
            f"{gain:.3g}, is above the least S_ref(v) / v, {paid:.3g}"
        )
