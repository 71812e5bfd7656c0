"""The columns of a run's files: each that is written is declared with its meaning, and its unit where it has one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from dealermarket import Scenario, SimulationResult, SimulationRunner
from dealermarket.control import Reward
from dealermarket.data import analyse_run, export
from dealermarket.data import columns as data
from dealermarket.learning import columns as learning
from dealermarket.learning.training import FIELDS
from dealermarket.policies.named import policy_named
from dealermarket.questions import BestResponses, Game, Objective, Range, Search, Sensitivity, Sweep, Varied
from dealermarket.questions import columns as questions
from dealermarket.runs.columns import META_ENTRIES, Column, columns_by_table
from dealermarket.runs.folder import RunFolder
from dealermarket.runs.tables import RECORD_LEVELS
from dealermarket.study import Contest, Yardstick, compare
from dealermarket.study import columns as study


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


def same(frame: pd.DataFrame, declared: Sequence[Column], **variable: Sequence[str]) -> None:
    """That a frame has the declared columns in their order, where a `variable` one stands for several."""
    expected = [name for column in declared for name in variable.get(column.name.replace(" ", "_"), [column.name])]
    assert list(frame) == expected
    assert all(column.meaning for column in declared)


def test_the_columns_of_a_desks_files_are_those_declared() -> None:
    files = export(Scenario.load("paper", ["steps=60"]), "maker-1")
    same(files.rfqs, data.RFQS)
    same(files.mids, data.MIDS)


def test_the_columns_of_an_analysis_are_those_declared(folder: Path) -> None:
    found = analyse_run(SimulationResult.load(folder), "maker-1").tables()
    groups = {"total": "total", "clients": "client", "tiers": "tier", "sides": "side"}
    for name, group in groups.items():
        same(found.pop(name), data.GROUP, GROUP=[group])
    for name, declared in {"quotes": data.QUOTES, "markouts": data.MARKOUTS, "book": data.BOOK}.items():
        same(found.pop(name), declared)
    assert not found


def test_the_columns_of_comparisons_are_those_declared(small: Scenario) -> None:
    comparison = compare(small, small.with_settings("makers.0.pricing.alpha=1.3"), 2)
    same(comparison.frame(), study.MAKERS)
    same(comparison.clients(), study.CLIENTS)
    policies = {name: policy_named(name) for name in ("random", "skew")}
    contest = Contest(Scenario.load("learning", ["steps=20"]), policies, replicas=10)
    same(contest.run().frame(), study.STANDINGS)


def test_the_columns_of_regrets_are_those_declared() -> None:
    scenario = Scenario.load("learning", ["steps=20"])
    regrets = Yardstick(scenario, {"skew": policy_named("skew")}, reward=Reward(weights="pnl"), replicas=10).run()
    same(regrets.frame(), study.REGRETS)
    assert ["policy", *regrets.actions("skew")] == names(study.ACTIONS)


def test_the_columns_of_questions_are_those_declared(small: Scenario) -> None:
    alpha, penalty = "makers.0.pricing.alpha", "makers.0.pricing.tier_penalty"
    ranges = (Range(alpha, 1.2, 1.6), Range(penalty, 1e-6, 1e-5))
    pnl, few = Objective.parsed("pnl"), {"replicas": 2, "evaluations": 3, "fresh": 2}
    same(Sweep.of(small, {alpha: (1.3, 1.4)}, replicas=2).run().frame(), questions.SWEEP, FIELD=[alpha])
    same(Search(small, ranges[:1], pnl, "maker-1", **few).run().history(), questions.TRIALS, FIELD=[alpha])
    same(Sensitivity(small, ranges, pnl, "maker-1", points=8, replicas=2).run().frame(), questions.INDICES)
    shared, own = "makers.*.pricing.alpha", "makers.maker-1.pricing.alpha"
    answers = BestResponses(small, (Range(shared, 1.2, 1.6),), pnl, ("maker-1",), rounds=1, **few).run()
    same(answers.history(), questions.TURNS, FIELD=[own], best_FIELD=[f"best {own}"])
    game = Game(small, (Varied(shared, (1.3, 1.5)),), pnl, replicas=2)
    same(game.run().frame(), questions.GAME, MAKER=list(small.maker_names))


def test_the_columns_of_a_trainings_progress_are_those_declared() -> None:
    assert tuple(names(learning.PROGRESS)) == FIELDS
