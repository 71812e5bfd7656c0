"""What the commands show: progress while they work, and tables that fit the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from dealermarket import Scenario, SimulationRunner
from dealermarket.commands import console
from dealermarket.commands.console import progress
from dealermarket.commands.makers_tables import makers_tables
from dealermarket.commands.tables import Column, split_columns, split_tables

LABELS = [Column("maker", ["maker-1", "m"], "left")]
COLUMNS = [Column(f"{name}\nheading", [f"{n}.2345(67)", "-"]) for n, name in enumerate("abcdef")]


class Clock:
    """Time as the test wants it."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    chosen = Clock()
    monkeypatch.setattr(console, "time", chosen)
    return chosen


def told(clock: Clock, total: int, *moments: tuple[float, int], done: int = 0) -> list[str]:
    """The lines of progress where so many steps are reported, each so many seconds after what was before."""
    screen = io.StringIO()
    with progress(Console(file=screen, width=140), total, done) as report:
        for seconds, steps in moments:
            clock.now += seconds
            report(steps)
    return screen.getvalue().splitlines()


def test_lines_of_progress_come_every_few_seconds_and_at_the_end(clock: Clock) -> None:
    assert told(clock, 1000, (2, 100), (4, 200), (1, 500), done=200) == [  # the first comes too early for a line
        "200 of 1,000 market steps",
        "500 of 1,000 market steps: 50 steps/s, 10 seconds left",
        "1,000 of 1,000 market steps: 114 steps/s",
    ]


def test_a_rate_leaves_out_the_start(clock: Clock) -> None:
    assert told(clock, 1000, (30, 0), (2, 1000))[-1] == "1,000 of 1,000 market steps: 500 steps/s"


def test_how_long_is_left_is_said_once_it_is_known_and_in_a_unit_that_suits(clock: Clock) -> None:
    assert told(clock, 50_000, (30, 0), (10, 100)) == [
        "0 of 50,000 market steps",
        "100 of 50,000 market steps: 10 steps/s, 83 minutes left",
    ]


def test_what_is_no_terminal_gets_no_blanks_at_the_ends_of_lines(capsys: pytest.CaptureFixture[str]) -> None:
    (table,) = split_tables("all of it", LABELS, COLUMNS, 140)
    console.open_console().print(table)
    lines = capsys.readouterr().out.splitlines()
    assert "a" in lines[2].split() and any(line.endswith("-") for line in lines)
    assert lines == [line.rstrip() for line in lines]


def test_progress_says_how_things_stand_when_it_is_shown(clock: Clock) -> None:
    screen, asked = io.StringIO(), []

    def standing() -> str:
        asked.append(clock.now)
        return "reward 0.3"

    with progress(Console(file=screen, width=140), 100, standing=standing) as report:
        clock.now += 1
        report(50)
        clock.now += 1
        report(50)
    assert screen.getvalue().splitlines()[-1] == "100 of 100 market steps: reward 0.3, 50 steps/s"
    assert asked == [102.0]


def test_progress_on_a_terminal_says_it_too() -> None:
    screen = io.StringIO()
    with progress(Console(file=screen, force_terminal=True, width=120), 100, standing=lambda: "reward 0.3") as report:
        report(100)
    for word in ("100 %", "reward 0.3", "steps/s", "elapsed", "left"):
        assert word in screen.getvalue()


def shown(width: int) -> list[list[str]]:
    """The lines of each table, on a terminal so wide."""
    printed = []
    for table in split_tables("all of it", LABELS, COLUMNS, width):
        terminal = Console(file=io.StringIO(), width=width)
        terminal.print(table)
        assert isinstance(terminal.file, io.StringIO)
        printed.append(terminal.file.getvalue().splitlines())
    return printed


@pytest.mark.parametrize(("width", "tables"), [(140, 1), (82, 1), (81, 2), (46, 2), (45, 3), (22, 6)])
def test_tables_are_split_where_the_terminal_ends(width: int, tables: int) -> None:
    printed = shown(width)
    assert len(printed) == tables
    text = "\n".join(line for table in printed for line in table)
    assert "…" not in text  # nothing was cut
    assert max(len(line) for table in printed for line in table) <= width
    assert [text.count(word) for word in ("all of it", "maker-1", "heading")] == [1, tables, len(COLUMNS)]
    for n in range(len(COLUMNS)):
        assert text.count(f"{n}.2345(67)") == 1


@pytest.mark.parametrize(("steps", "shown"), [(96, "1 day"), (20, "5 hours"), (240, "2.5 days")])
def test_the_length_of_a_run_is_said_in_the_unit_that_suits(steps: int, shown: str) -> None:
    result = SimulationRunner(Scenario.load("paper", [f"steps={steps}"]), replicas=1).run()
    assert f"P&L of {steps} steps ({shown}):" in str(makers_tables(result, 140)[0].title)


def test_a_column_wider_than_the_terminal_stands_alone() -> None:
    wide, narrow = Column("wide", ["x" * 50]), Column("narrow", ["y"])
    assert split_columns([narrow, wide, narrow, narrow], 20) == [[narrow], [wide], [narrow, narrow]]


def test_labels_longer_than_their_column_are_folded() -> None:
    labels = [Column("policy", ["a-very-long-file-name.npz", "short"], "left", most=12)]
    (table,) = split_tables("all of it", labels, COLUMNS[:1], 30)
    terminal = Console(file=io.StringIO(), width=30)
    terminal.print(table)
    assert isinstance(terminal.file, io.StringIO)
    cells = [line[:14].strip() for line in terminal.file.getvalue().splitlines()]
    assert "".join(cells).endswith("a-very-long-file-name.npzshort")
