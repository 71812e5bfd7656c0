"""A desk's own data: what it looks at first, a market made of its log, and the log that a maker of a run would have.

A simulated desk shows how; files, or pandas frames with the same columns, take the place of its two (docs/own-data.md)::

    from dealermarket import Scenario
    from dealermarket.data import analyse, calibrate, export

    files = export(Scenario.load("fx", ["steps=400"]), "core", replicas=3)
    print(analyse(files.rfqs, files.mids).clients[["client", "requests", "hit_ratio", "markout_bp"]])

    found = calibrate(files.rfqs, files.mids)
    print(found.scenario.makers[0].pricing)
    print(found.unknown)  # what no log tells, and what stands there instead

What a log calls its columns, values and times, where that is not clear, is a `Mapped`.
"""

from __future__ import annotations

from dealermarket.data.analysis import Analysis, analyse, analyse_run
from dealermarket.data.calibration import Calibration, calibrate
from dealermarket.data.desk_log import DeskLog, read_desk
from dealermarket.data.export import DeskFiles, export
from dealermarket.data.findings import Finding
from dealermarket.data.log import Mapped, RequestLog

__all__ = [
    "Analysis",
    "Calibration",
    "DeskFiles",
    "DeskLog",
    "Finding",
    "Mapped",
    "RequestLog",
    "analyse",
    "analyse_run",
    "calibrate",
    "export",
    "read_desk",
]


def __dir__() -> list[str]:
    return sorted(__all__)
