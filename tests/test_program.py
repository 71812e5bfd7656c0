"""What is said of commands to type next."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import refused
from dealermarket.commands.main import main
from dealermarket.program import program


def test_a_command_to_type_next_loads_the_same_kinds(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my kinds.py").write_text("x = 1\n")
    assert main(["--with", "my kinds.py", "scenarios", "write", "paper", "mine.toml"]) == 0
    assert "try: dealermarket --with 'my kinds.py' run mine.toml" in capsys.readouterr().out
    assert main(["scenarios", "write", "paper", "other.toml"]) == 0  # and the next one does not
    assert "try: dealermarket run other.toml" in capsys.readouterr().out


def test_with_behind_the_command_is_sent_to_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--with: goes in front of the command: dealermarket --with FILE.py run" in refused(
        capsys, "run", "paper", "--with", "mine.py"
    )


def test_a_command_leaves_no_files_of_kinds_to_the_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.py"
    own.write_text("")
    assert main(["--with", str(own), "scenarios"]) == 0
    capsys.readouterr()
    assert program() == "dealermarket"
