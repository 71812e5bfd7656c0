"""What the command prints where the encoding of a stream lacks characters, or nobody reads it any more."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import DEADLINE
from dealermarket.commands.main import main
from dealermarket.commands.plain_text import readable

LEAGUE = ["evaluate", "heuristic", "random", "--set", "steps=12", "--replicas", "10", "--threads", "1"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", " +- "), ("latin-1", " ± "), ("utf-8", " ± ")])
def test_a_table_is_aligned_in_every_encoding(encoding: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(LEAGUE) == 0
    stream.flush()
    lines = written.getvalue().decode(encoding).splitlines()
    assert shown in "".join(lines)
    assert len({len(line) for line in lines[2:6]}) == 1  # a row of headings, a rule, two policies
    assert "?" not in "".join(lines)


def test_replacements_are_readable() -> None:
    assert readable("1.2 ± 0.1 × √γ − “ε” café 用", "ascii") == '1.2 +- 0.1 x root gamma - "eps" cafe <U+7528>'
    assert readable("1.2 ± 0.1 × ε", "latin-1") == "1.2 ± 0.1 × eps"
    assert readable("ε 用 \udcff", "utf-8") == "ε 用 \udcff"


def program(arguments: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "dealermarket", *arguments]
    return subprocess.run(command, timeout=DEADLINE, check=False, **options)  # type: ignore[call-overload,no-any-return]


def test_names_of_files_are_printed_as_they_were_typed() -> None:
    plain = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for name in ("nö.toml".encode(), b"\xff.toml"):
        done = program(["run", os.fsdecode(name)], capture_output=True, env=plain)
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.startswith(name)


@pytest.mark.parametrize("arguments", [["scenarios"], ["scenarios", "show", "paper"], ["--help"], LEAGUE])
def test_a_reader_who_is_gone_ends_the_command_in_peace(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = program(arguments, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.returncode == 0
    assert all(word not in done.stderr for word in (b"Traceback", b"ignored", b"Broken"))


def test_streams_may_be_closed() -> None:
    done = subprocess.run(f"{sys.executable} -m dealermarket scenarios >&- 2>&-", shell=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0
