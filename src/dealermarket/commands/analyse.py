"""The command `analyse`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dealermarket.commands.console import announce_compiling, open_console, progress
from dealermarket.commands.options import flag, place, whole
from dealermarket.errors import ParameterError
from dealermarket.runs.work_folder import WorkFolder

if TYPE_CHECKING:
    from dealermarket.data.analysis import Analysis


def analyse(
    source: Annotated[Path, place("The folder of a run, or a log of requests: CSV, also as .csv.gz, or Parquet.")],
    /,
    *,
    maker: Annotated[str | None, Parameter(help="Of a run: whose log. The first maker's if not given.")] = None,
    mids: Annotated[
        Path | None, place("Of a log: the mids, or bids and asks, of the same time; those in the log if not given.")
    ] = None,
    mapping: Annotated[Path | None, place("A TOML file that says what the log calls its columns and values.")] = None,
    instrument: Annotated[str | None, Parameter(help="Which instrument, where the log holds several.")] = None,
    step_seconds: Annotated[
        float | None, Parameter(help="Of a log: how long a step is; the usual time between mids if not given.")
    ] = None,
    reward_horizon: Annotated[
        int | None, whole("Steps after which a trade is judged; a run's own, or from the markouts, if not given.")
    ] = None,
    out: Annotated[
        Path | None, place("A new folder for a page to look at, all tables as CSV and Parquet, and the figures.")
    ] = None,
    as_json: Annotated[bool, flag("Print the tables as JSON.", "--json")] = False,
) -> None:
    """Show what a desk looks at first: which clients are toxic, what it wins, what its trades earn and are worth later.

    Of a run the replicas are run again, for the log that the maker would have."""
    for_logs = {"--mids": mids, "--mapping": mapping, "--instrument": instrument, "--step-seconds": step_seconds}
    if out is not None:
        WorkFolder.check_free(out)
    if source.is_dir():
        for option, given in for_logs.items():
            if given is not None:
                raise ParameterError(
                    f"{option}: is for logs of requests, and {source} is a folder; a run has its own; leave it out"
                )
        found, of = _of_run(source, maker, reward_horizon), f"{source}"
    else:
        if maker is not None:
            raise ParameterError(f"--maker: is for runs, and {source} is no folder of one; a log is of one desk; leave it out")
        found, of = _of_log(source, mids, mapping, instrument, step_seconds, reward_horizon), f"{source}"
    _show(found, of, out, as_json)


def _of_run(folder: Path, maker: str | None, reward_horizon: int | None) -> Analysis:
    from dealermarket.data.analysis import analyse_run
    from dealermarket.runs.result import SimulationResult

    result, quiet = SimulationResult.load(folder), open_console(stderr=True)
    announce_compiling(quiet, result.scenario)
    with progress(quiet, result.meta["replicas"] * result.scenario.steps) as report:
        return analyse_run(
            result, result.scenario.maker_names[0] if maker is None else maker, reward_horizon=reward_horizon, progress=report
        )


def _of_log(
    rfqs: Path,
    mids: Path | None,
    mapping: Path | None,
    instrument: str | None,
    step_seconds: float | None,
    reward_horizon: int | None,
) -> Analysis:
    from dealermarket.data.analysis import analyse
    from dealermarket.data.log import Mapped

    mapped = None if mapping is None else Mapped.load(mapping)
    return analyse(rfqs, mids, mapped=mapped, instrument=instrument, step_seconds=step_seconds, reward_horizon=reward_horizon)


def _show(found: Analysis, of: str, out: Path | None, as_json: bool) -> None:
    from dealermarket.commands.analysis_tables import analysis_tables
    from dealermarket.data.first_look import in_steps, what_to_look_at

    console = open_console()
    if out is not None:
        _write(found, of, in_steps(found.seconds), out)
    if as_json:
        print(json.dumps(_plain(found), indent=2))
        return
    for note in found.notes if found.book is None else ():  # of a run all is known
        console.print(note, highlight=False, soft_wrap=True)
    for table in analysis_tables(found, of, console.width):
        console.print(table)
    for sentence in what_to_look_at(found):
        console.print(sentence, highlight=False)
    if out is not None:
        from dealermarket.pages.analysis import NAME

        console.print(f"look at: {out / NAME}", highlight=False, soft_wrap=True)
        console.print(
            f"wrote into {out}: {', '.join(sorted(path.name for path in out.iterdir()))}", highlight=False, soft_wrap=True
        )


def _write(found: Analysis, of: str, step: str, out: Path) -> None:
    from dealermarket.disk import errors_of
    from dealermarket.pages.analysis import NAME, write_analysis_page
    from dealermarket.plots import plot_client_markouts, plot_hit_ratio
    from dealermarket.plots.drawing import save

    with errors_of(out):
        out.mkdir(parents=True, exist_ok=True)
    found.write(out)
    hit_ratio = plot_hit_ratio(found.quotes).get_figure(root=True)
    assert hit_ratio is not None
    save(hit_ratio, out / "hit_ratio.png")
    save(plot_client_markouts(found.markouts, found.clients, found.reward_horizon, step), out / "markouts.png")
    write_analysis_page(found, out / NAME, of)


def _plain(found: Analysis) -> dict[str, object]:
    """All of an analysis in lists and dictionaries; what is not a number is null."""
    import numpy as np

    tables = {
        name: table.astype(object).where(table.notna() & ~table.isin([np.inf, -np.inf]), None).to_dict("records")
        for name, table in found.tables().items()
    }
    kept = {name: getattr(found, name) for name in ("reward_horizon", "seconds", "blocks", "block_steps", "notes")}
    return {**kept, **tables}
