"""The folder in which compiled code and hedging tables are kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

import platformdirs
import pytest

from dealermarket.cache import cache_folder


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A path at which no folder can be made, whoever tries."""
    file = tmp_path / "file"
    file.write_text("not a folder")
    return file / "below"


def test_the_chosen_folder_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEALERMARKET_CACHE_DIR", str(tmp_path / "a" / "b"))
    assert cache_folder() == tmp_path / "a" / "b"
    assert not list((tmp_path / "a" / "b").iterdir())


def test_a_chosen_folder_that_cannot_be_written_has_no_substitute(monkeypatch: pytest.MonkeyPatch, blocked: Path) -> None:
    monkeypatch.setenv("DEALERMARKET_CACHE_DIR", str(blocked))
    assert cache_folder() is None


def test_the_users_cache_folder_else_a_temporary_one_else_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, blocked: Path
) -> None:
    monkeypatch.delenv("DEALERMARKET_CACHE_DIR", raising=False)
    users, temporary = tmp_path / "users", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, appauthor: users / name)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(temporary))
    assert cache_folder() == users / "dealermarket"
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, appauthor: blocked / name)
    found = cache_folder()
    assert found is not None
    assert found.parent == temporary
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(blocked))
    assert cache_folder() is None
