"""The command `check`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from dealermarket.commands.console import open_console
from dealermarket.commands.options import Settings


def check(
    file: Annotated[str, Parameter(help="A TOML file or a preset's name.")],
    /,
    *,
    settings: Settings = (),
) -> None:
    """Check a scenario: prints every error at once and exits with status 2, or says what it describes."""
    from dealermarket.model.scenario import Scenario

    scenario = Scenario.load(file, settings)
    investors, makers = len(scenario.agents), len(scenario.makers)
    open_console().print(
        f"{file}: fine; {investors} investors, {makers} makers, {scenario.steps} steps, t_m = {scenario.reward_horizon}",
        highlight=False,
        soft_wrap=True,
    )
