"""The report says what was found, needs nothing but itself, and its numbers are the unrounded ones."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from conftest import raises
from dealermarket import RunFolderError, Scenario
from dealermarket.pages.table import Column, Table
from dealermarket.papers.dealer_market.curves import Curves
from dealermarket.papers.experiment import Experiment, Variation
from dealermarket.papers.outcome import Outcome, Verdict
from dealermarket.papers.plan import Plan, Section, run_plans
from dealermarket.papers.report import write_report
from dealermarket.papers.variations import Varied, by_parameter
from dealermarket.plots import Axis, Figure, Line
from dealermarket.study.study import Study
from documents import Element, assert_linked, assert_needs_nothing, document, table_of

ABOUT = {"version": "9.8.7", "seed": "0", "threads": "<2>"}


class Asked(Experiment):
    name, title, source, question, preset = "asked", "Asked & answered", "Section 0", "Is 1 < 2?", "paper"
    runs = 50
    headline = "numbers"
    words: ClassVar = {"ε": "A <word>.", "γ": "Another."}

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [Study("one", {"only": scenario}, runs, lambda scenario, chunk: {})]

    def verdicts(self) -> list[Verdict]:
        return []

    def tables(self) -> list[Table]:
        return []

    def figures(self) -> list[Figure]:
        return []


class Other(Asked):
    name, title = "other", "Other"
    words: ClassVar = {"γ": "Another.", "z": "A third."}


def figure(name: str) -> Figure:
    line = Line([0, 1], [0, 1], "a line")
    return Figure(name, f"Caption of <{name}>.", [line], x=Axis("time"), y=Axis('"cost"'), title=name, size=(3.0, 2.0))


@pytest.fixture
def sections(small: Scenario) -> list[Section]:
    scenario = small.replace(choices={"steps": "short <enough>", "makers.*.pricing.alpha": "the middle"})
    third = 1 / 3
    numbers = pd.DataFrame(
        {
            "share": ["half | of it", "whole"],
            "here": [third, -1234.5678901234567],
            "here_low": [0.1, np.nan],
            "here_high": [0.7, np.nan],
            "paper": [np.nan, 2e-17],
            "only_in_files": [1e300, third],
        }
    )
    varied = pd.DataFrame({"parameter": ["v_max", "alpha"], "outcome": ["✗ fails", "? undecided"]})
    tables = [
        Table("variations", "How it varies.", varied, (Column("parameter", "parameter"), Column("outcome", "a claim"))),
        Table(
            "numbers",
            "Numbers & <shares>.",
            numbers,
            (Column("share", "|share|"), Column("here", "here", 3, scale=100.0), Column("paper", "paper", 2)),
        ),
    ]
    verdicts = [
        Verdict("first", "A claim with <b>& *stars*.", Outcome.HOLDS, "1 < 2 [1.5, 1.7]."),
        Verdict("second", "Another_claim.", Outcome.FAILS, 'It "failed".'),
    ]
    undecided = [Verdict("third", "Nobody knows.", Outcome.UNDECIDED, "3 runs.")]
    asked = Plan(Asked(), scenario, 5, 2, "dealermarket reproduce asked --set 'a<b'")
    return [
        Section(
            asked,
            verdicts,
            tables,
            [figure("rise"), figure("numbers")],
            ["Not <as> drawn."],
            ["A note & more."],
            [
                Varied(Variation("v_max", "exchange.v_max", (1.0,)), 1.0, scenario, verdicts[:1]),
                Varied(Variation("a", "b", (2.0,)), 2.0, None),
            ],
        ),
        Section(Plan(Other(), small, 50), undecided, [], [figure("rise")]),
    ]


def page_of(folder: Path) -> Element:
    return document((folder / "report.html").read_text(encoding="utf-8"))


def test_the_page_needs_nothing_but_itself(sections: Sequence[Section], tmp_path: Path) -> None:
    write_report(tmp_path, sections, ABOUT)
    page = page_of(tmp_path)
    assert not page.all("script")
    assert_needs_nothing((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_links_and_labels_have_targets(sections: Sequence[Section], tmp_path: Path) -> None:
    write_report(tmp_path, sections, ABOUT)
    page = page_of(tmp_path)
    assert {"#asked", "#other"} <= assert_linked(page)


def test_every_figure_is_there(sections: Sequence[Section], tmp_path: Path) -> None:
    write_report(tmp_path, sections, ABOUT)
    images = page_of(tmp_path).all("img")
    names = ["asked-numbers", "asked-rise", "other-rise"]  # the one that stands beside the verdicts first
    assert len(images) == len(names) == len(list((tmp_path / "figures").iterdir()))
    for image, name in zip(images, names, strict=True):
        kind, content = image.attributes["src"].split(",")
        assert kind == "data:image/svg+xml;base64"
        svg = base64.b64decode(content, validate=True)
        assert svg == (tmp_path / "figures" / f"{name}.svg").read_bytes()
        root = ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.attrib["width"] == "216pt"  # 3 inches
        addresses = set(re.findall(r"https?:[^\"'<> ]*", svg.decode()))
        assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
        assert f"]({'figures/' + name}.svg)" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert images[1].attributes["alt"] == 'Asked & answered: plot of "cost" against time; rise; a line'
    assert [caption.text for caption in page_of(tmp_path).all("figcaption")][:2] == [
        "Caption of <numbers>.",
        "Caption of <rise>.",
    ]


def test_cells_are_the_numbers(sections: Sequence[Section], tmp_path: Path) -> None:
    write_report(tmp_path, sections, ABOUT)
    table = sections[0].tables[1]
    rows = table_of(page_of(tmp_path), "asked.table.numbers")
    assert [[cell.text for cell in row] for row in rows] == table.rows()
    assert rows[0][1].text == "33.333 [10.000, 70.000]"
    for position, column in ((1, "here"), (2, "paper")):
        shown = [float(row[position].attributes["data-value"]) for row in rows]
        np.testing.assert_array_equal(shown, table.frame[column])
    assert "data-value" not in rows[0][0].attributes
    assert [row[0].tag for row in rows] == ["th", "th"]


def test_files_of_numbers_are_not_rounded(sections: Sequence[Section], tmp_path: Path) -> None:
    write_report(tmp_path, sections, ABOUT)
    for table in sections[0].tables:
        start = tmp_path / "numbers" / f"asked-{table.name}"
        texts = pd.read_csv(start.with_suffix(".csv"), dtype=str, keep_default_na=False)
        assert list(texts) == list(table.frame)
        for name, column in table.frame.items():
            if column.dtype == np.float64:  # by Python, which reads a float as the nearest one
                np.testing.assert_array_equal([float(text or "nan") for text in texts[name]], column)
            else:
                assert texts[name].tolist() == column.tolist()
        pd.testing.assert_frame_equal(pd.read_parquet(start.with_suffix(".parquet")), table.frame, check_exact=True)


def test_every_verdict_is_in_the_report(sections: Sequence[Section], tmp_path: Path) -> None:
    write_report(tmp_path, sections, ABOUT)
    page = page_of(tmp_path)
    for name in ("verdicts.csv", "verdicts.parquet"):
        path = tmp_path / "numbers" / name
        found = pd.read_csv(path) if name.endswith("csv") else pd.read_parquet(path)
        assert [tuple(row) for row in found.itertuples(index=False)] == [
            (section.experiment.name, verdict.name, verdict.claim, verdict.outcome.value, verdict.evidence)
            for section in sections
            for verdict in section.verdicts
        ]
    for section in sections:
        items = [[part.text for part in item.all("p")] for item in page.named(section.experiment.name).all("ul")[0].all("li")]
        assert items == [[f"{v.outcome.sign} {v.outcome} {v.claim}", v.evidence] for v in section.verdicts]
    assert "Of 3 claims: 1 holds, 1 fails, 1 is undecided." in page.named("summary").text
    assert sections[0].elsewhere in page.named("asked").text


def folded(section: Element) -> list[str]:
    """The headings of what is folded in a section, in order; those of what is folded again inside are left out."""
    inner = {id(below) for details in section.all("details") for below in details.all("details")}
    return [details.all("summary")[0].text for details in section.all("details") if id(details) not in inner]


def test_what_is_long_is_folded(sections: Sequence[Section], tmp_path: Path) -> None:
    """Question, claims, evidence and one picture stand open; all tables and all that says how it was made do not."""
    write_report(tmp_path, sections, ABOUT)
    page = page_of(tmp_path)
    asked, other = page.named("asked"), page.named("other")
    words = ["Words and symbols", "Notes", "Figures (1 more)", "Tables (1)", "How far it holds", "Set-up (changed)"]
    assert folded(asked) == words[1:]
    assert folded(other) == [words[0], words[-1]]
    assert not any("open" in details.attributes for details in page.all("details"))
    hidden = {id(below) for details in page.all("details") for below in details.all()}
    for name, tags in (("asked", ("table", "pre")), ("other", ("pre",))):
        for tag in tags:
            assert page.named(name).all(tag) and all(id(found) in hidden for found in page.named(name).all(tag))
    shown = [image for image in page.all("img") if id(image) not in hidden]
    assert len(shown) == len(sections)
    assert id(page.named("asked.figure.numbers")) not in hidden
    assert id(asked.all("ul")[0]) not in hidden


def test_words_are_explained_where_they_are_first_met(sections: Sequence[Section], tmp_path: Path) -> None:
    write_report(tmp_path, sections, ABOUT)
    page = page_of(tmp_path)

    def words(of: Element) -> list[str]:
        return [row.text for dl in of.all("dl") if dl.attributes.get("class") == "words" for row in dl.all("div")]

    assert words(page.named("asked")) == ["ε A <word>.", "γ Another."]
    other = page.named("other")
    assert words(other) == ["z A third.", "γ Another.", "z A third."]  # and all of them once more, folded
    assert words(other.all("details")[0]) == ["γ Another.", "z A third."]


def test_set_up_of_a_section(sections: Sequence[Section], tmp_path: Path) -> None:
    write_report(tmp_path, sections, ABOUT)
    page = page_of(tmp_path)
    asked, other = page.named("asked"), page.named("other")
    facts = {row.all("dt")[0].text: row.all("dd")[0].text for dl in asked.all("dl")[1:] for row in dl.all("div")}
    assert facts["market"] == "10 investors, 2 makers, 30 steps of 15 minutes"
    assert [int(number) for number in re.findall(r"\d+", facts["runs"])] == [5, 50, 2, 150]
    scenario = sections[0].plan.scenario
    alphas = ", ".join(dict.fromkeys(f"{alpha:g}" for alpha in scenario.values_at("makers.*.pricing.alpha")))
    choices = [[cell.text for cell in row] for row in table_of(page, "asked.choices")]
    assert choices[-2:] == [["steps", "30", "short <enough>"], ["makers.*.pricing.alpha", alphas, "the middle"]]
    code = asked.all("pre")[0]
    assert Scenario.from_toml("".join(part for part in code.all("code")[0].parts if isinstance(part, str))) == scenario
    rows = table_of(page, "asked.table.variations")  # a row a parameter
    assert [[cell.text for cell in row] for row in rows] == [
        ["as chosen", "", "", "✓ holds"],
        ["v_max", "100", "1", "✓ holds"],
        ["a", "–", "2", "not possible"],
    ]
    assert [row[3].attributes.get("class") for row in rows] == ["holds", "holds", None]
    assert "To get this: dealermarket reproduce asked --set 'a<b'" in asked.text
    assert "To get this" not in other.text
    assert "A note & more." in [note.text for note in asked.all("li")]
    made = {row.all("dt")[0].text: row.all("dd")[0].text for row in page.named("made").all("div")}
    assert made == ABOUT
    assert "dealermarket 9.8.7" in page.all("header")[0].text


def test_a_changed_setting_is_shown_as_changed(tmp_path: Path) -> None:
    experiment = Curves()
    scenario = experiment.load_scenario(
        None, ["exchange.lam=2.5", "makers.maker-2.pricing.alpha=1.3", "market.mid_price.drift=0.5"]
    )
    plans = [Plan.of(experiment), Plan.of(experiment, scenario)]
    for plan, name in zip(plans, ("usual", "changed"), strict=True):
        write_report(tmp_path / name, run_plans([plan]), {})
    assert "Set-up" in folded(page_of(tmp_path / "usual").named("curves"))
    page = page_of(tmp_path / "changed")
    assert "Set-up (changed)" in folded(page.named("curves"))
    rows = table_of(page, "curves.choices")
    own = experiment.load_scenario()
    assert [[cell.text for cell in row[:2]] for row in rows] == [
        ["exchange.lam", "2.5"],
        ["market.mid_price.drift", "0.5"],
        ["makers.maker-2.pricing.alpha", "1.3"],
    ]
    before = (own.exchange.lam, 0, own.makers[1].pricing.alpha)
    assert all(f": {value:g}" in row[2].text for row, value in zip(rows, before, strict=True))


def test_values_of_a_parameter_share_a_row(small: Scenario) -> None:
    def verdict(name: str, outcome: Outcome) -> Verdict:
        return Verdict(name, "c.", outcome, "e.")

    variation = Variation("v_max", "exchange.v_max", (1.0, 2.0, 3.0, 4.0))
    told = (Outcome.FAILS, Outcome.HOLDS, Outcome.HOLDS)
    varied = [Varied(variation, n + 1.0, small, [verdict("a", found), verdict("b", told[1])]) for n, found in enumerate(told)]
    varied.append(Varied(variation, 4.0, small, [verdict("a", told[1])], matters=False))
    table = by_parameter(small, [verdict("a", told[1]), verdict("b", told[0]), verdict("once", told[0])], varied, (30, 20))
    assert table.rows() == [
        ["as chosen", "", "", "✓ holds", "✗ fails"],
        ["v_max", f"{small.exchange.v_max:g}", "1, 2, 3, 4", "✓ 2, 3; ✗ 1; no effect: 4", "✓ 1, 2, 3; no effect: 4"],
    ]
    assert "once" in table.caption


def test_markdown_is_escaped_and_its_tables_are_whole(sections: Sequence[Section], tmp_path: Path) -> None:
    write_report(tmp_path, sections, ABOUT)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert r"A claim with \<b\>\& \*stars\*." in text
    assert '**✗ fails** second: Another_claim. It "failed".' in text
    assert "    dealermarket reproduce asked --set 'a<b'\n" in text
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("| ")]
    widths = [{len(re.findall(r"(?<!\\)\|", line)) - 1 for line in lines} for lines in tables]
    changed = len(table_of(page_of(tmp_path), "asked.choices"))
    assert widths[:4] == [{3}, {3}, {4}, {3}]
    assert [len(lines) for lines in tables[:4]] == [2 + 3, 2 + 2, 2 + 3, 2 + changed]
    assert tables[1][0] == r"| \|share\| | here | paper |"
    assert text.index(tables[1][0]) < text.index("### How far it holds") < text.index(tables[2][0])


def test_the_same_bytes_again(sections: Sequence[Section], tmp_path: Path) -> None:
    once, again = (write_report(tmp_path / name, sections, ABOUT) for name in ("once", "again"))
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
    assert sorted(once) == sorted(path for path in (tmp_path / "once").rglob("*") if path.is_file())
    over = write_report(tmp_path / "once", [replace(sections[0], notes=[]), sections[1]], ABOUT)
    assert over == once
    assert "A note" not in (tmp_path / "once" / "report.html").read_text(encoding="utf-8")


def test_failures_of_the_disk_name_the_file(sections: Sequence[Section], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with raises(RunFolderError, tmp_path / "file", names=["written"]):
        write_report(tmp_path / "file", sections, ABOUT)
    (tmp_path / "taken" / "report.md").mkdir(parents=True)
    with raises(RunFolderError, tmp_path / "taken" / "report.md", names=["written"]):
        write_report(tmp_path / "taken", sections, ABOUT)


def test_an_experiment_of_formulas(tmp_path: Path) -> None:
    section = run_plans([Plan.of(Curves())])[0]
    write_report(tmp_path, [section], {})
    page = page_of(tmp_path)
    assert "none: only formulas are asked" in page.named("curves").text
    rows = table_of(page, "curves.table.points")
    assert [float(row[3].attributes["data-value"]) for row in rows] == section.tables[0].frame["here"].tolist()
    assert len(page.all("img")) == len(section.figures)
