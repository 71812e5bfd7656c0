"""The command `calibrate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dealermarket.commands.console import open_console
from dealermarket.commands.options import place, whole
from dealermarket.commands.tables import Column, split_tables
from dealermarket.disk import check_new, write_text
from dealermarket.errors import ParameterError

if TYPE_CHECKING:
    from dealermarket.data.findings import Finding

MOST_CLIENTS_SHOWN = 8


def calibrate(
    rfqs: Annotated[Path, place("The log of requests: CSV, also as .csv.gz, or Parquet.")],
    /,
    *,
    mids: Annotated[Path | None, place("The mids, or bids and asks, of the same time; those in the log if not given.")] = None,
    out: Annotated[Path, place("The scenario to write, such as desk.toml.")],
    page: Annotated[
        Path | None,
        place("The page to write, with all estimates and how well they fit; the scenario's name with .html if not given."),
    ] = None,
    mapping: Annotated[Path | None, place("A TOML file that says what the log calls its columns and values.")] = None,
    instrument: Annotated[str | None, Parameter(help="Which instrument, where the log holds several.")] = None,
    step_seconds: Annotated[float | None, Parameter(help="How long a step is; the usual time between mids if not given.")] = None,
    v_max: Annotated[float | None, Parameter(help="The exchange's depth; ten times the largest size if not given.")] = None,
    reward_horizon: Annotated[int | None, whole("Steps after which a trade is judged; from the markouts if not given.")] = None,
) -> None:
    """Make a scenario of a desk's log of requests, and a page that shows how well it fits: clients, rivals and the desk's own
    prices, each with an interval.

    What the log does not tell is said, left at a default, and marked in the scenario's `choices`."""
    from dealermarket.data.calibration import calibrate as calibrated
    from dealermarket.data.log import Mapped
    from dealermarket.pages.calibration import write_calibration_page

    check_new(out)
    page = out.with_suffix(".html") if page is None else page
    if page == out:
        raise ParameterError(f"--page: must be another file than --out, got {page}; choose another name")
    check_new(page, "give another name to --page")
    quiet = open_console(stderr=True)
    mapped = None if mapping is None else Mapped.load(mapping)
    found = calibrated(
        rfqs,
        mids,
        name=out.stem or "desk",
        step_seconds=step_seconds,
        reward_horizon=reward_horizon,
        mapped=mapped,
        instrument=instrument,
        v_max=v_max,
        tell=lambda what: quiet.print(what, highlight=False, soft_wrap=True),
    )
    write_text(out, found.scenario.to_toml())
    quiet.print("drawing the page", highlight=False)
    write_calibration_page(found, page, str(out))
    console = open_console()
    for note in found.notes:
        console.print(note, highlight=False, soft_wrap=True)
    names = [agent.name for agent in found.scenario.investors]
    of_clients = [finding for finding in found.findings if finding.field.split(".")[1:2] and finding.field.split(".")[1] in names]
    others = [finding for finding in found.findings if finding not in of_clients]
    shown = names[:MOST_CLIENTS_SHOWN]
    clients = [finding for finding in of_clients if finding.field.split(".")[1] in shown]
    more = f" ({len(shown)} of {len(names)}; all in {out})" if len(shown) < len(names) else ""
    for title, findings in (("What the log tells", others), (f"Clients{more}", clients)):
        for table in _tables(title, findings, console.width):
            console.print(table)
    for reason in found.unknown:
        console.print(f"not in the log: {reason}", highlight=False, soft_wrap=True)
    console.print(f"look at: {page}", highlight=False, soft_wrap=True)
    console.print(f"wrote {out}; try: dealermarket run {out}", highlight=False, soft_wrap=True)


def _tables(title: str, findings: Sequence[Finding], width: int) -> list[object]:
    """A row a finding: the value, its interval, and how it was found."""

    def text(finding: Finding, part: str) -> str:
        return "" if finding.estimate is None else f"{float(getattr(finding.estimate, part)):.4g}"

    columns = [Column(part, [text(finding, name) for finding in findings]) for part, name in _PARTS.items()]
    how = Column("how", [finding.how for finding in findings], "left", most=max(width - 80, 30))
    fields = Column("field", [finding.field for finding in findings], "left")
    return list(split_tables(title, [fields], [*columns, how], width))


_PARTS = {"value": "value", "from": "low", "to (95 %)": "high"}
