"""The report of a reproduction: one page that needs nothing but itself, a summary in Markdown, figures and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dealermarket.disk import errors_of, replacing
from dealermarket.pages.pictures import drawn
from dealermarket.papers.plan import Section
from dealermarket.papers.report.page import render_page
from dealermarket.papers.report.summary import render_summary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["write_report"]


def write_report(folder: Path, sections: Sequence[Section], about: Mapping[str, str]) -> list[Path]:
    """Writes report.html, report.md, figures/ and numbers/ into a folder, over those of an earlier report; returns the files.

    `about` says how the sections were made; its "version" is that of dealermarket, and its "extent", if it has one, says what
    is missing of the whole. The same sections and the same `about`
    give the same bytes. Raises RunFolderError where a file cannot be written.
    """
    pictures = {
        (section.experiment.name, figure.name): drawn(figure, section.experiment.title)
        for section in sections
        for figure in section.figures
    }
    files = {
        "report.html": render_page(sections, about, pictures).encode(),
        "report.md": render_summary(sections, about, pictures).encode(),
        **{f"figures/{experiment}-{name}.svg": picture.svg for (experiment, name), picture in pictures.items()},
        **_numbers("verdicts", _verdicts(sections)),
    }
    for section in sections:
        for table in section.tables:
            files |= _numbers(f"{section.experiment.name}-{table.name}", table.frame)
    written = []
    for name, content in files.items():
        path = folder / name
        with errors_of(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(content)
        written.append(path)
    return written


def _numbers(name: str, frame: pd.DataFrame) -> dict[str, bytes]:
    return {
        f"numbers/{name}.csv": frame.to_csv(index=False, lineterminator="\n").encode(),
        f"numbers/{name}.parquet": frame.to_parquet(None, compression="zstd", index=False),
    }


def _verdicts(sections: Sequence[Section]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [
            (section.experiment.name, verdict.name, verdict.claim, str(verdict.outcome), verdict.evidence)
            for section in sections
            for verdict in section.verdicts
        ],
        columns=["experiment", "name", "claim", "outcome", "evidence"],
    )
