"""The page of a calibration: what was read, what was found, what the log cannot tell, and where the fit is good or is not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dealermarket.data.beside import Beside
from dealermarket.data.calibration import Calibration
from dealermarket.data.desk_tables import DeskTables
from dealermarket.data.first_look import in_steps
from dealermarket.data.outcomes import OUTCOMES
from dealermarket.disk import write_text
from dealermarket.pages.parts import Part, Pictures, estimate_column, render, shown_rows
from dealermarket.pages.table import Column, Table
from dealermarket.plots import fitted
from dealermarket.plots.desk import client_markouts
from dealermarket.plots.figure import Figure
from dealermarket.runs.needs import in_time_units

if TYPE_CHECKING:
    import pandas as pd


def write_calibration_page(found: Calibration, path: Path, scenario: str = "desk.toml") -> None:
    """Writes `calibration_page` into a file, over what was there. Raises RunFolderError where that cannot be."""
    write_text(path, calibration_page(found, scenario))


def calibration_page(found: Calibration, scenario: str = "desk.toml") -> str:
    """A calibration as HTML that needs nothing but itself; `scenario` is the file that it was written to.

    Pictures and tables, and not the requests themselves, so that its size does not depend on how many there are."""
    beside = Beside(found)
    outcomes = beside.outcomes()
    parts = [
        _unknown(found),
        _found(found),
        _clients(found, beside),
        _fill(found, outcomes),
        _requests(beside),
        _market(beside),
        Part("read", "What was read, and what was left out", facts=_facts(found), notes=found.notes),
        Part(
            "next",
            "What to do next",
            text=["Run the market, look at what it holds, and ask what another price would have made of it:"],
            commands=[
                f"dealermarket run {scenario}",
                f"dealermarket check {scenario}",
                f"dealermarket compare {scenario} --set makers.desk.pricing.alpha=1.3",
            ],
        ),
    ]
    name = found.scenario.name
    lead = (
        f"Estimated from {len(found.log):,} requests of {len(found.log.clients):,} clients. What could be "
        f"estimated has a 95 % interval; the rest stands at a default, and is said first. The scenario is {scenario}."
    )
    return render(f"Calibration of {name}", lead, parts)


def _unknown(found: Calibration) -> Part:
    text = "These fields are no findings. What stands in the scenario instead is said; change it where you know better."
    return Part("unknown", "What the log cannot tell", [text], notes=found.unknown, warns=True)


def _facts(found: Calibration) -> dict[str, str]:
    log, scenario = found.log, found.scenario
    first, last = (_moment(float(end(log.time.values)), log.time.is_clock) for end in (np.min, np.max))
    shares = (f"{100 * np.mean(log.outcome == number):.1f} % {name.replace('_', ' ')}" for number, name in enumerate(OUTCOMES))
    step = in_time_units(found.desk.seconds) if log.time.is_clock else "1 of the file's"
    return {
        "requests": f"{len(log):,} of {len(log.clients):,} clients, from {first} to {last}",
        "outcomes": ", ".join(shares),
        "mids": f"{len(found.desk.recording.mid):,} steps in {len(found.desk.recording.sessions) - 1:,} sessions",
        "a step": step,
        "judged after": f"{scenario.reward_horizon:,} steps",
    }


def _moment(time: float, is_clock: bool) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M} UTC" if is_clock else f"step {time:,.0f}"


def _found(found: Calibration) -> Part:
    """Everything that is not of a single client; those stand in the table of clients."""
    import pandas as pd

    of_clients = tuple(f"investors.{investor.name}." for investor in found.scenario.investors)
    rows = [
        (
            finding.field,
            *("" if finding.estimate is None else _short(getattr(finding.estimate, end)) for end in _ENDS),
            finding.how,
        )
        for finding in found.findings
        if not finding.field.startswith(of_clients)
    ]
    frame = pd.DataFrame(rows, columns=["field", "value", "low", "high", "how"])
    columns = [Column("field", "field"), *(Column(name, heading) for name, heading in _ENDS.items()), Column("how", "how")]
    units = "Spreads are shares of the mid; rivals and reservations are in units of the reference curve."
    return Part("found", "What the log tells", tables=[Table("found", f"Estimates with 95 % intervals. {units}", frame, columns)])


def _short(value: object) -> str:
    return f"{float(str(value)):.4g}".replace("-", "−")  # which no line ends with


_ENDS = {"value": "value", "low": "from", "high": "to (95 %)"}


def _clients(found: Calibration, beside: Beside) -> Part:
    rows = beside.clients()
    grouped = bool((rows["stands_for"] > 1).any())
    columns = [
        Column("client", "client"),
        *([Column("stands_for", "clients", 0)] if grouped else []),
        Column("requests", "requests", 0),
        estimate_column(rows, "arrival", "fitted requests a day" + (" of each" if grouped else "")),
        Column("size", "mean size (units)", 2),
        estimate_column(rows, "buys", "buys (%)", 100.0),
        estimate_column(rows, "oracle", "knows the move (%)", 100.0),
        estimate_column(rows, "hit_ratio", "hit ratio (%)", 100.0),
    ]
    caption = (
        "Fitted: requests a day, drawn towards what clients have in common, and how often a client knows "
        "where the mid goes (oracle_probability). From the log: the rest; intervals of buys and hit ratio are by blocks of time."
    )
    groups = (
        f" {len(found.log.clients):,} clients are too many to stand one by one: they are groups of clients alike."
        if grouped
        else ""
    )
    desk, horizon = found.desk, found.scenario.reward_horizon
    tables = DeskTables(desk.log, desk.recording, desk.place, horizon)
    moves = tables.markouts((tables.as_one, tables.by_client), ("asked",))
    step = in_steps(desk.seconds if desk.log.time.is_clock else None)
    markouts = client_markouts(moves, tables.clients(), horizon, step)
    return Part(
        "clients",
        "Clients",
        figures=[Pictures.of_panels(markouts)],
        tables=[shown_rows("clients", caption + groups, rows, columns, "in the scenario")],
    )


def _fill(found: Calibration, outcomes: pd.DataFrame) -> Part:
    text = []
    figures = [Pictures.of("Fill curve", fitted.fill_curve(outcomes))]
    if np.isfinite(found.predicted).all():
        text = [
            "Does the fit say how often the desk wins? Points beside their line, and differences around 0, say yes. Where they "
            "leave 0 for one group, the scenario prices that group wrongly, and questions about it are answered with that error."
        ]
        kinds = [kind for kind in ("quote", "size", "hour", "client") if (outcomes["by"] == kind).any()]
        figures.append(Pictures.of("Observed less fitted", *(fitted.residuals(outcomes, kind) for kind in kinds)))
    else:
        text = [
            "The log does not tell of rivals or reservations, so that no probability was fitted: what is shown is the log alone."
        ]
    return Part("fill", "Won, traded away and not traded", text, figures=figures)


def _requests(beside: Beside) -> Part:
    hours = beside.hours()
    figures: list[Figure] = [fitted.arrivals(beside.arrivals()), fitted.sizes(beside.sizes())]
    figures += [] if hours is None else [fitted.hours(hours)]
    return Part("requests", "When clients ask, and for how much", figures=[Pictures.of("Requests", *figures)])


def _market(beside: Beside) -> Part:
    spreads, log, recording = beside.spreads(), beside.log, beside.recording
    since = "step since the first mid"
    if log.time.is_clock:
        since = f"days since {_moment(float(np.ravel(recording.at)[0]) * beside.found.desk.seconds, True)}"
    figures = [] if spreads is None else [fitted.spreads(spreads)]
    text = [] if figures else ["The reference spread has no picture: the mids have no bids and asks, or spreads do not vary."]
    return Part(
        "market", "The market", text, figures=[Pictures.of("Market", *figures, fitted.volatility(beside.volatility(), since))]
    )
