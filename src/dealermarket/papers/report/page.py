"""The page of a report: HTML that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dealermarket.pages.pictures import Picture
from dealermarket.pages.templating import templates
from dealermarket.papers.outcome import Outcome
from dealermarket.papers.plan import Section
from dealermarket.papers.report import facts
from dealermarket.papers.report.choices import choices

_WORST_FIRST = (Outcome.FAILS, Outcome.UNDECIDED, Outcome.HOLDS)


def _look(text: str) -> str:
    """The outcome that a cell tells, the worst of several."""
    told = text.startswith(tuple(f"{outcome.sign} " for outcome in Outcome))
    return next((str(outcome) for outcome in _WORST_FIRST if told and f"{outcome.sign} " in text), "")


def render_page(sections: Sequence[Section], about: Mapping[str, str], pictures: Mapping[tuple[str, str], Picture]) -> str:
    """The page; `pictures` are by the names of experiment and figure."""
    environment = templates("dealermarket.papers.report")
    shared = (choices, facts.differences, facts.new_words, facts.set_up, facts.tables, facts.variations)
    environment.globals |= {function.__name__: function for function in shared}
    environment.globals |= {"look": _look}
    return environment.get_template("report.html.j2").render(
        title=facts.TITLE,
        paper=facts.PAPER,
        meanings=facts.MEANINGS,
        reading=facts.READING,
        tally=facts.tally(sections),
        sections=sections,
        about=about,
        pictures=pictures,
    )
