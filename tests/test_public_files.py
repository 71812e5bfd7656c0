"""What a code host reads: workflows, templates of issues, hooks. They parse, and name the Pythons and targets that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from matrix import supported

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
FILES = sorted([*ROOT.glob(".github/**/*.yml"), ROOT / ".pre-commit-config.yaml"])


def read(path: Path) -> Any:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: make docs or make cluster brings it")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_is_a_table(path: Path) -> None:
    table = read(path)
    assert isinstance(table, dict)
    if path.parent.name == "ISSUE_TEMPLATE" and path.name != "config.yml":
        assert {"name", "description", "body"} <= set(table)
        names = [field["id"] for field in table["body"]]
        assert len(set(names)) == len(names) > 0


def test_the_workflow_has_the_supported_pythons_in_each_matrix() -> None:
    lists = re.findall(r"python: \[(.*?)\]", WORKFLOW.read_text(encoding="utf-8"))
    assert [re.findall(r'"(.*?)"', each) for each in lists] == [supported()] * 2  # of tests, and of wheels


def test_the_workflow_makes_targets_that_there_are() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    made = re.findall(r"run: make ((?:[a-z]+ ?)+)", WORKFLOW.read_text(encoding="utf-8"))
    assert made
    assert {target for line in made for target in line.split()} <= targets
