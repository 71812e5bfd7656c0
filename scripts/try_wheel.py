"""The package as others get it: builds sdist and wheel, installs the wheel into new environments, and uses it: `make wheel`.

On each Python that this package supports and that is installed, or on those that are named: `python scripts/try_wheel.py 3.12`.
Libraries have the versions of constraints.txt, or, with `--newest`, the newest that there are. What was built stays in `dist/`.
Exits with 1 if the wheel lacks a file, if something failed, or if no Python was there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from matrix import ROOT, interpreter, supported

USE = """
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import dealermarket

folders = ["dealermarket", *(f"dealermarket.{name}" for name in dir(dealermarket) if name in sys.argv[2:])]
for folder in folders:
    module = import_module(folder)
    assert Path(module.__file__).is_relative_to(Path(sys.argv[1]).resolve()), module.__file__
    for name in module.__all__:
        getattr(module, name)
assert len(folders) == len(sys.argv) - 1, folders
assert version("dealermarket") == dealermarket.__version__
"""
FOLDERS = ("control", "data", "model", "papers", "plots", "policies", "questions", "study")
"""Public folders that need no extra."""


def built(folder: Path) -> Path:
    """The wheel, built from the sdist, as it is released: what the sdist lacks is missed."""
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)], check=True)
    return max(folder.glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime)


def forgotten(wheel: Path) -> list[str]:
    """Files that the package has in the checkout and the wheel lacks: presets, templates, what a browser gets, licences."""
    source = ROOT / "src"
    here = (path for path in (source / "dealermarket").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted({path.relative_to(source).as_posix() for path in here} - set(ZipFile(wheel).namelist()))


def pins(constraints: str) -> str:
    """Versions without hashes: pip demands hashes of everything where one is given, and the wheel has none."""
    return "\n".join(re.findall(r"^([\w.-]+==[^\s;\\]+(?: ;[^\\\n]*[^\\\s])?)", constraints, re.MULTILINE)) + "\n"


def use(python: str, site: Path, outside: Path, **variables: str) -> None:
    """Takes every public name from what is installed below `site`, and runs a market, in a folder that is not the checkout's."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables
    subprocess.run([python, "-W", "error", "-c", USE, str(site), *FOLDERS], cwd=outside, env=environment, check=True)
    run = [python, "-m", "dealermarket", "run", "paper", "--steps", "20", "--replicas", "2", "--out", "run"]
    subprocess.run(run, cwd=outside, env=environment, stdout=subprocess.DEVNULL, check=True)
    assert (outside / "run" / "summary.parquet").is_file()


def tried(command: str, wheel: Path, newest: bool) -> bool:
    """Whether the wheel works in a new environment of a Python."""
    with TemporaryDirectory() as folder:
        environment, outside = Path(folder) / "environment", Path(folder) / "outside"
        outside.mkdir()
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("" if newest else pins((ROOT / "constraints.txt").read_text(encoding="utf-8")), encoding="utf-8")
        try:
            subprocess.run([command, "-m", "venv", str(environment)], check=True)
            python = str(environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
            install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", str(constraints), str(wheel)]
            subprocess.run(install, check=True)
            use(python, environment, outside)
        except (subprocess.CalledProcessError, AssertionError) as error:
            print(error, file=sys.stderr)
            return False
    return True


def main(arguments: list[str]) -> int:
    """Exit status 0 when the wheel works on all Pythons that are installed."""
    newest = "--newest" in arguments
    versions = [each for each in arguments if each != "--newest"] or supported()
    if unknown := sorted(set(versions) - set(supported())):
        print(f"not supported: {', '.join(unknown)}; one of {', '.join(supported())}", file=sys.stderr)
        return 2
    wheel, outcomes = built(ROOT / "dist"), {}
    if lacking := forgotten(wheel):
        print(f"{wheel.name} lacks {', '.join(lacking)}", file=sys.stderr)
        return 1
    for version in versions:
        command = interpreter(version)
        print(f"--- Python {version}", flush=True)
        outcomes[version] = "not installed" if command is None else "works" if tried(command, wheel, newest) else "failed"
    for version, what in outcomes.items():
        print(f"{wheel.name} on Python {version}: {what}")
    return 0 if "works" in outcomes.values() and "failed" not in outcomes.values() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
