"""All figures of a run, drawn into files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dealermarket.errors import ParameterError, RunFolderError
from dealermarket.plots.drawing import draw_panels
from dealermarket.plots.figure import Panels
from dealermarket.plots.hedging import hedging_panels
from dealermarket.plots.markouts import markouts_panels
from dealermarket.plots.pictured import PicturedRun
from dealermarket.plots.pnl import cumulative_reward_panels, pnl_at_end_panels, pnl_panels, pnl_parts_panels
from dealermarket.plots.position import net_position_panels
from dealermarket.plots.prices import price_curves_panels
from dealermarket.plots.shares import (
    client_tiers_panels,
    market_share_panels,
    share_by_client_panels,
    share_by_tier_panels,
    tiering_makers,
)
from dealermarket.plots.style import STYLE
from dealermarket.runs.result import SimulationResult
from dealermarket.runs.tables import RecordLevel, tables_of

FORMATS = ("png", "svg")


def _never(_: PicturedRun) -> str | None:
    return None


def _without_trades(run: PicturedRun) -> str | None:
    return None if run.active else "nobody traded"


@dataclass(frozen=True)
class Picture:
    """A picture of a run: the table that it is drawn from, and why it is not drawn where it would show nothing."""

    name: str
    needs: RecordLevel
    panels: Callable[[PicturedRun], Panels]
    empty: Callable[[PicturedRun], str | None] = _without_trades


def _without_tiers(run: PicturedRun) -> str | None:
    return None if tiering_makers(run) else "no maker traded with clients in more than one tier"


def _without_held_tiers(run: PicturedRun) -> str | None:
    if not run.can_run_again:
        return "no record has the tiers that clients are held in, and what acted in this run is not kept to run it again"
    return None if run.held else "no maker sorts its clients into more than one tier"


def _without_oracle(run: PicturedRun) -> str | None:
    if run.scenario.orders is not None:
        return "orders are recorded, and nothing says how often clients know where the mid goes"
    informed = any(agent.oracle_probability > 0 for agent in run.scenario.agents)
    return _without_trades(run) if informed else "no client knows where the mid goes (oracle_probability)"


def _without_hedges(run: PicturedRun) -> str | None:
    return None if run.summary["hedge_volume"].any() else "nobody hedges"


PICTURES = (
    Picture("pnl", "steps", pnl_panels),
    Picture("pnl_parts", "steps", pnl_parts_panels),
    Picture("pnl_at_end", "steps", pnl_at_end_panels),
    Picture("cumulative_reward", "steps", cumulative_reward_panels),
    Picture("net_position", "steps", net_position_panels),
    Picture("hedging", "steps", hedging_panels, _without_hedges),
    Picture("market_share", "trades", market_share_panels),
    Picture("share_by_client", "trades", share_by_client_panels),
    Picture("share_by_tier", "trades", share_by_tier_panels, _without_tiers),
    Picture("client_tiers", "trades", client_tiers_panels, _without_held_tiers),
    Picture("price_curves", "trades", price_curves_panels, _never),
    Picture("markouts", "trades", markouts_panels, _without_oracle),
)


def save_plots(
    run: SimulationResult | PicturedRun, folder: str | Path, kind: str = "png", replica: int | None = None
) -> tuple[list[Path], list[str]]:
    """Draws into files all figures that show something of a run.

    Parameters
    ----------
    run : SimulationResult or PicturedRun
        A run. Where it did not record what is drawn, its first replicas are run again.
    folder : str or Path
        Where the files are written to; it is made where there is none, and files of these names are replaced.
    kind : {"png", "svg"}
        The format of the files.
    replica : int, optional
        Whose path the figure of net positions shows. Where left out, that with the largest position.

    Returns
    -------
    written : list of Path
        The files.
    left_out : list of str
        The figures that were not drawn, and why: `NAME: reason`.

    Raises
    ------
    ParameterError
        The format is another one, or the replica is not among those drawn.
    RunFolderError
        A file cannot be written.
    """
    if kind not in FORMATS:
        raise ParameterError(f"format: must be one of {', '.join(FORMATS)}, got {kind!r}")
    from matplotlib import rc_context

    run, folder = PicturedRun.of(run), Path(folder)
    written, left_out = [], []
    with rc_context(STYLE):
        for picture in PICTURES:
            reason = _missing(run, picture.needs) or picture.empty(run)
            if reason is not None:
                left_out.append(f"{picture.name}: {reason}")
                continue
            panels = net_position_panels(run, replica) if picture.name == "net_position" else picture.panels(run)
            path = folder / f"{picture.name}.{kind}"
            try:
                folder.mkdir(parents=True, exist_ok=True)
                metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {}
                draw_panels(panels).savefig(path, dpi=150, metadata=metadata)
            except OSError as error:
                raise RunFolderError(f"{path}: cannot be written: {error.strerror}; choose another --out") from None
            written.append(path)
    return written, left_out


def _missing(run: PicturedRun, table: RecordLevel) -> str | None:
    """Why a table is not there, where it is not."""
    if run.recorded or table in tables_of(run.result.record):
        return None
    return f"needs {table}, which this run did not record, and what acted in it is not kept (run with record={table!r})"
