"""The report of a reproduction: one page that needs nothing but itself, a summary in Markdown, figures and numbers."""

from __future__ import annotations

import base64
import io
import json
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermarket import interrupt
from dealermarket.disk import errors_of, replacing
from dealermarket.papers.findings import Column, Figure, Outcome, Table
from dealermarket.papers.reproduction import VARIATIONS, Section, market_steps
from dealermarket.plots.run import STYLE

if TYPE_CHECKING:
    import pandas as pd

    from dealermarket.model.scenario import Scenario

TITLE = "The experiments of a dealer market, run anew"
PAPER = (
    "Ganesh, Vadori, Xu, Zheng, Reddy and Veloso (2019), “Multi-Agent Simulation for Pricing and Hedging in a Dealer Market”, "
    "and of their follow-up paper, “Reinforcement Learning for Market Making in a Multi-agent Dealer Market”"
)
MEANINGS = {
    Outcome.HOLDS: "the claim is true of the run, its sampling error taken into account",
    Outcome.FAILS: "the claim is false of the run, its sampling error taken into account",
    Outcome.UNDECIDED: "the runs cannot tell: they are too few, or nothing differs",
}
_OUTCOMES = {f"{outcome.sign} {outcome}": outcome for outcome in Outcome}


def write_report(folder: Path, sections: Sequence[Section], about: Mapping[str, str]) -> list[Path]:
    """Writes report.html, report.md, figures/ and numbers/ into a folder, over those of an earlier report; returns the files.

    `about` says how the sections were made; its "version" is that of dealermarket. The same sections and the same `about`
    give the same bytes. Raises RunFolderError where a file cannot be written.
    """
    pictures = {
        (section.experiment.name, figure.name): _drawn(figure, section.experiment.title)
        for section in sections
        for figure in section.figures
    }
    files = {
        "report.html": _page(sections, about, pictures).encode(),
        "report.md": _summary(sections, about, pictures).encode(),
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


# --- figures


@dataclass(frozen=True)
class _Picture:
    """A figure as SVG, and in words for those who cannot see it."""

    svg: bytes
    alt: str

    @property
    def address(self) -> str:
        """The picture as an address that holds all of it."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg).decode()


def _drawn(figure: Figure, title: str) -> _Picture:
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Canvas

    interrupt.check()
    content = io.BytesIO()
    with rc_context(STYLE):
        canvas = Canvas(figsize=figure.size, layout="constrained")
        axes = canvas.add_subplot()
        figure.draw(axes)
        canvas.savefig(content, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    # The document type would name an address, and no browser needs it
    svg = re.sub(rb"<!DOCTYPE[^>]*>\s*", b"", content.getvalue())
    plotted = " against ".join(filter(None, (axes.get_ylabel(), axes.get_xlabel()))) or figure.name
    shown = (axes.get_title("left") or axes.get_title(), ", ".join(axes.get_legend_handles_labels()[1]))
    return _Picture(svg, "; ".join(filter(None, (f"{title}: plot of {plotted}", *shown))))


# --- numbers


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


# --- what page and summary say alike


def _tally(sections: Sequence[Section]) -> str:
    outcomes = [verdict.outcome for section in sections for verdict in section.verdicts]
    words = {
        Outcome.HOLDS: ("holds", "hold"),
        Outcome.FAILS: ("fails", "fail"),
        Outcome.UNDECIDED: ("is undecided", "are undecided"),
    }
    counts = {outcome: outcomes.count(outcome) for outcome in Outcome}
    found = ", ".join(f"{count} {words[outcome][count != 1]}" for outcome, count in counts.items())
    return f"Of {_counted(len(outcomes), 'claim')}: {found}."


def _robust(section: Section) -> str:
    return f"under {_counted(len(section.varied), 'other value')}: {section.elsewhere}" if section.elsewhere else ""


def _differences(sections: Sequence[Section]) -> list[tuple[Section, str]]:
    """Where the run is not what the paper shows, claim or not."""
    return [(section, difference) for section in sections for difference in section.differences]


def _set_up(section: Section) -> dict[str, str]:
    """What was run, line by line."""
    plan, scenario = section.plan, section.plan.scenario
    sizes = ((len(scenario.agents), "investor"), (len(scenario.makers), "maker"), (scenario.steps, "step"))
    steps = market_steps([plan])
    usual = f" (in the full experiment {section.experiment.runs:,})" if plan.runs != section.experiment.runs else ""
    varied = f", {plan.variation_runs:,} in each variation" if section.varied else ""
    return {
        "scenario": f"{scenario.name}: {scenario.description}" if scenario.description else scenario.name,
        "market": ", ".join(_counted(count, noun) for count, noun in sizes),
        "runs": f"{plan.runs:,} a point{usual}{varied}; {_counted(steps, 'step')} of markets in all"
        if steps
        else "none: only formulas are asked",
    } | ({"moved": f"by the experiment itself: {', '.join(section.experiment.moves)}"} if section.experiment.moves else {})


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _choices(scenario: Scenario) -> list[tuple[str, str, str]]:
    """Path, values and reason of what was chosen where the paper says nothing."""
    return [
        (path, ", ".join(dict.fromkeys(map(_value, scenario.values_at(path)))), reason)
        for path, reason in scenario.choices.items()
    ]


def _value(value: Any) -> str:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(entry, float) for entry in value):
        return f"{value[0]:g} to {value[1]:g}, in equal steps"  # of a group of investors
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(entry)}" for key, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


def _tables(section: Section) -> list[Table]:
    """Without that of the variations."""
    return [table for table in section.tables if table.name != VARIATIONS]


def _variations(section: Section) -> list[Table]:
    return [table for table in section.tables if table.name == VARIATIONS]


# --- the page


@dataclass(frozen=True)
class _Cell:
    """A cell: its text, its interval apart, the unrounded number, and the outcome that it tells."""

    text: str
    interval: str = ""
    value: str | None = None
    outcome: Outcome | None = None


def _cell(column: Column, row: Mapping[Any, Any]) -> _Cell:
    text, value = column.text(row), row[column.field]
    if column.digits is None or value is None or isinstance(value, str):
        return _Cell(text, outcome=_OUTCOMES.get(text))
    shown, bracket, rest = text.partition(" [")
    return _Cell(shown, (bracket + rest).strip(), repr(float(value)))


def _width(cells: Iterable[_Cell]) -> float:
    """As wide as the widest interval, in digits: so wide are all of a column, that values stand below each other."""
    return max((sum(1.0 if c.isdigit() else 1.3 if c == "−" else 0.55 for c in cell.interval) for cell in cells), default=0.0)


def _cells(table: Table) -> list[list[_Cell]]:
    return [[_cell(column, row) for column in table.columns] for row in table.frame.to_dict("records")]


def _page(sections: Sequence[Section], about: Mapping[str, str], pictures: Mapping[tuple[str, str], _Picture]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("dealermarket", "papers"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "cells": _cells,
        "choices": _choices,
        "differences": _differences,
        "robust": _robust,
        "set_up": _set_up,
        "tables": _tables,
        "variations": _variations,
        "width": _width,
    }
    return environment.get_template("report.html.j2").render(
        title=TITLE,
        paper=PAPER,
        meanings=MEANINGS,
        tally=_tally(sections),
        sections=sections,
        about=about,
        pictures=pictures,
    )


# --- the summary


def _summary(sections: Sequence[Section], about: Mapping[str, str], pictures: Mapping[tuple[str, str], _Picture]) -> str:
    made_by = " ".join(("dealermarket", about.get("version", ""))).strip()
    verdicts = [
        (f"[{_plain(section.experiment.title)}](#{section.experiment.name})", _plain(verdict.claim), _sign(verdict.outcome))
        for section in sections
        for verdict in section.verdicts
    ]
    blocks = [
        f"# {TITLE}",
        f"The experiments of {PAPER}, run anew by {_plain(made_by)}. All numbers are computed from the run, "
        "except those that are called the paper's.",
        "\n".join(f"- {_sign(outcome)}: {meaning}." for outcome, meaning in MEANINGS.items()),
        "Numbers in brackets are 95 % intervals. The page `report.html` says more; `numbers/` has every table unrounded.",
        _tally(sections),
        _rows(["Experiment", "Claim", "Outcome"], verdicts),
        "Where it is not what the paper shows:" if _differences(sections) else "",
        "\n".join(
            f"- [{_plain(section.experiment.title)}](#{section.experiment.name}): {_plain(said)}"
            for section, said in _differences(sections)
        ),
    ]
    for section in sections:
        blocks += _section(section, pictures)
    blocks += ["## How this was made", "\n".join(f"- {_plain(key)}: {_plain(value)}" for key, value in about.items())]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _section(section: Section, pictures: Mapping[tuple[str, str], _Picture]) -> list[str]:
    experiment, plan = section.experiment, section.plan
    blocks = [
        f'<a id="{experiment.name}"></a>\n\n## {_plain(experiment.title)}',
        f"{_plain(experiment.source)}. **{_plain(experiment.question)}**",
        "\n".join(f"- {key}: {_plain(value)}" for key, value in _set_up(section).items()),
        *(
            f"{_sign(verdict.outcome)} {_plain(f'{verdict.name}: {verdict.claim} {verdict.evidence}')}"
            for verdict in section.verdicts
        ),
    ]
    for figure in section.figures:
        alt = _plain(pictures[experiment.name, figure.name].alt).replace("]", "\\]").replace("[", "\\[")
        blocks += [f"![{alt}](figures/{experiment.name}-{figure.name}.svg)", _plain(figure.caption)]
    for table in (*_tables(section), *_variations(section)):
        if table.name == VARIATIONS:
            blocks += ["### How far it holds", f"All claims asked, {_robust(section)}." if section.elsewhere else ""]
        rows = [[_plain(text) for text in row] for row in table.rows()]
        numeric = [column.digits is not None for column in table.columns]
        blocks += [_plain(table.caption), _rows([_plain(column.heading) for column in table.columns], rows, numeric)]
    if section.differences:
        blocks += ["### Not what the paper shows", "\n".join(f"- {_plain(said)}" for said in section.differences)]
    if section.notes:
        blocks += ["### Notes", "\n".join(f"- {_plain(note)}" for note in section.notes)]
    blocks.append(f"To get this:\n\n{textwrap.indent(plan.command, '    ')}" if plan.command else "")
    return blocks


def _sign(outcome: Outcome) -> str:
    return f"**{outcome.sign} {outcome}**"


def _plain(text: str) -> str:
    """Text that Markdown takes for text."""
    return re.sub(r"[\\`*~$<>&|]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)


def _rows(headings: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool] = ()) -> str:
    rule = ["--:" if index < len(numeric) and numeric[index] else "---" for index in range(len(headings))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows))
