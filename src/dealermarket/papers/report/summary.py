"""The summary of a report, in Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence

from dealermarket.pages.pictures import Picture
from dealermarket.pages.table import Table
from dealermarket.papers.outcome import Outcome
from dealermarket.papers.plan import Section
from dealermarket.papers.report.choices import choices
from dealermarket.papers.report.facts import (
    MEANINGS,
    PAPER,
    READING,
    TITLE,
    differences,
    set_up,
    tables,
    tally,
    variations,
)


def render_summary(sections: Sequence[Section], about: Mapping[str, str], pictures: Mapping[tuple[str, str], Picture]) -> str:
    """The summary; `pictures` are by the names of experiment and figure."""
    made_by = " ".join(("dealermarket", about.get("version", ""))).strip()
    verdicts = [
        (f"[{_plain(section.experiment.title)}](#{section.experiment.name})", _plain(verdict.claim), _sign(verdict.outcome))
        for section in sections
        for verdict in section.verdicts
    ]
    blocks = [
        f"# {TITLE}",
        f"The experiments of {PAPER}, run anew by {_plain(made_by)}. All numbers come from these runs, except those that are "
        "called the paper's.",
        f"**{_plain(about['extent'])}**" if "extent" in about else "",
        tally(sections),
        _rows(["Experiment", "Claim", "Outcome"], verdicts),
        "Where it is not what the paper shows:" if differences(sections) else "",
        "\n".join(
            f"- [{_plain(section.experiment.title)}](#{section.experiment.name}): {_plain(said)}"
            for section, said in differences(sections)
        ),
    ]
    blocks += [
        "## How to read it",
        "\n".join(f"- {_sign(outcome)}: {meaning}." for outcome, meaning in MEANINGS.items()),
        "\n".join(f"- {_plain(sentence)}" for sentence in READING),
        "The folder `numbers` has every table unrounded.",
    ]
    for section in sections:
        blocks += _section(section, pictures)
    blocks += ["## How this was made", "\n".join(f"- {_plain(key)}: {_plain(value)}" for key, value in about.items())]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _section(section: Section, pictures: Mapping[tuple[str, str], Picture]) -> list[str]:
    experiment, plan = section.experiment, section.plan
    blocks = [
        f'<a id="{experiment.name}"></a>\n\n## {_plain(experiment.title)}',
        f"{_plain(f'{experiment.source}. ' if experiment.source else '')}**{_plain(experiment.question)}**",
        "\n".join(f"- **{_plain(word)}**: {_plain(meaning)}" for word, meaning in experiment.words.items()),
        *(
            f"{_sign(verdict.outcome)} {_plain(f'{verdict.name}: {verdict.claim} {verdict.evidence}')}"
            for verdict in section.verdicts
        ),
    ]
    for figure in sorted(section.figures, key=lambda figure: figure is not section.headline):
        alt = _plain(pictures[experiment.name, figure.name].alt).replace("]", "\\]").replace("[", "\\[")
        blocks += [f"![{alt}](figures/{experiment.name}-{figure.name}.svg)", _plain(figure.caption)]
    if section.differences:
        blocks += ["### Not what the paper shows", "\n".join(f"- {_plain(said)}" for said in section.differences)]
    if section.notes:
        blocks += ["### Notes", "\n".join(f"- {_plain(note)}" for note in section.notes)]
    for table in tables(section):
        blocks += _table(table)
    for table in variations(section):
        blocks += ["### How far it holds", _plain(section.elsewhere), *_table(table)]
    blocks += ["### Set-up", "\n".join(f"- {key}: {_plain(value)}" for key, value in set_up(section).items())]
    chosen = [(f"`{choice.path}`", _plain(choice.value), _plain(choice.reason)) for choice in choices(plan)]
    blocks.append(_rows(["Field", "Value", "Reason"], chosen) if chosen else "")
    blocks.append(f"To get this:\n\n{textwrap.indent(plan.command, '    ')}" if plan.command else "")
    return blocks


def _table(table: Table) -> list[str]:
    rows = [[_plain(text) for text in row] for row in table.rows()]
    numeric = [column.digits is not None for column in table.columns]
    return [_plain(table.caption), _rows([_plain(column.heading) for column in table.columns], rows, numeric)]


def _sign(outcome: Outcome) -> str:
    return f"**{outcome.sign} {outcome}**"


def _plain(text: str) -> str:
    """Text that Markdown takes for text."""
    return re.sub(r"[\\`*~$<>&|]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)


def _rows(headings: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool] = ()) -> str:
    rule = ["--:" if index < len(numeric) and numeric[index] else "---" for index in range(len(headings))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows))
