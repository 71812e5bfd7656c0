"""All tests on each Python that this package supports, where it is installed: `make matrix`.

Each version gets an environment of its own in `.venv-3.x`, made as `make test` makes `.venv`. Says at the end which
passed, which failed and which are not installed; exits with 1 if one failed, or if none is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def supported() -> list[str]:
    """The versions that pyproject.toml names."""
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    found = (re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line) for line in classifiers)
    return [match[1] for match in found if match]


def interpreter(version: str) -> str | None:
    """A Python of this version that starts: on the path, or one of pyenv's, whose commands on the path need not start."""
    on_path = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [*([on_path] if on_path else []), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python{version}")))]
    for command in candidates:
        asked = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
        if asked.returncode == 0 and asked.stdout.startswith(f"Python {version}."):
            return command
    return None


def outcome(version: str) -> str:
    """Runs the tests on one version, and says what came of it."""
    command = interpreter(version)
    if command is None:
        return "not installed"
    print(f"--- Python {version}", flush=True)
    environment = f".venv-{version}"
    done = subprocess.run(["make", "test", f"PYTHON={command}", f"VENV={environment}"], cwd=ROOT, check=False)
    return "passed" if done.returncode == 0 else "failed"


def main() -> int:
    """Exit status 0 when all that are installed passed."""
    outcomes = {version: outcome(version) for version in supported()}
    for version, what in outcomes.items():
        print(f"Python {version}: {what}")
    return 0 if "passed" in outcomes.values() and "failed" not in outcomes.values() else 1


if __name__ == "__main__":
    sys.exit(main())
