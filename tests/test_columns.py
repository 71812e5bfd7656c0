"""The columns of a run's files: each that is written is declared with its meaning, and its unit where it has one."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dealermarket import Scenario, SimulationRunner
from dealermarket.data import export
from dealermarket.data.export import MID_COLUMNS, RFQ_COLUMNS
from dealermarket.runs.columns import META_ENTRIES, Column, columns_by_table
from dealermarket.runs.folder import RunFolder
from dealermarket.runs.tables import RECORD_LEVELS


def names(columns: tuple[Column, ...]) -> list[str]:
    assert all(column.meaning for column in columns)
    return [column.name for column in columns]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "run"
    SimulationRunner(Scenario.load("paper", ["steps=20"]), 2, record="requests").run(path)
    return path


@pytest.mark.parametrize("table", RECORD_LEVELS)
def test_the_columns_of_a_table_are_those_declared(folder: Path, table: str) -> None:
    schema = pq.read_schema(folder / f"{table}.parquet")
    declared = columns_by_table()[table]
    assert schema.names == names(declared)
    for column, kind in zip(declared, schema.types, strict=True):
        assert column.unit or str(kind) != "double", f"{column.name}: what is it measured in?"
        assert not (column.unit and str(kind) == "string")


def test_the_entries_of_meta_json_are_those_declared(folder: Path, small: Scenario, tmp_path: Path) -> None:
    declared = set(names(META_ENTRIES))
    assert set(json.loads((folder / "meta.json").read_text(encoding="utf-8"))) == declared - {"parts"}
    with RunFolder.create(tmp_path / "begun", small, SimulationRunner(small, 2)._meta()) as begun:
        assert set(json.loads((begun.path / "meta.json").read_text(encoding="utf-8"))) <= declared


def test_the_columns_of_a_desks_files_are_those_declared() -> None:
    files = export(Scenario.load("paper", ["steps=20"]), "maker-1")
    assert list(files.rfqs) == names(RFQ_COLUMNS)
    assert list(files.mids) == names(MID_COLUMNS)
