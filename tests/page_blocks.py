"""The blocks of a Markdown page, run in order in one folder, and what they print set beside what the page shows.

- A `sh` block is run line by line: `dealermarket` in this process, anything else by the shell. A command
  that must fail ends with `# is refused`.
- A `python` block is executed in the one namespace of its page.
- A `toml` or `python` block whose first line is a comment with nothing but a file's name is that file: it is written, not run.
- A `text` block is what the block before it printed. A line `...` in it stands for any number of lines.
- A picture or a link with a title, `![words](images/a.png "runs/b-1/plots/a.png")`, leads to a copy of the file of that name that
  the page has made.
- TOML and Python files beside the page that it does not make are in the folder from the start.
"""

from __future__ import annotations

import io
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import kinds_as_they_were, kinds_now
from dealermarket.commands.main import main
from dealermarket.runs.statistics import forget_statistics

ELISION = "..."
REFUSED = "# is refused"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w-]+\.(?:toml|py))\n")
_MADE = re.compile(r"\[[^\]]*\]\(([^\s)]+) \"([^\"]+)\"\)")
_MEASURED = re.compile(r"\b\d[\d.,]* ?(?:[kM] )?(?:steps/s|ms|s|seconds|minutes|[MG]B)(?!\w)")
_NUMBER = re.compile(r"[-+−]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and where the text stands in the page."""

    language: str
    text: str
    start: int

    @property
    def file(self) -> str | None:
        """The name of the file that it is, if it is one."""
        named = _FILE.match(self.text) if self.language in ("toml", "python") else None
        return named[1] if named else None


@dataclass(frozen=True)
class Shown:
    """What a page shows of what a block printed, and what it did print."""

    block: Block
    shown: Block
    printed: str


def blocks(page: Path, *languages: str) -> list[Block]:
    """The blocks of a page, of all languages if none is named."""
    text = page.read_text(encoding="utf-8")
    found = [Block(match[1], match[2], match.start(2)) for match in _FENCE.finditer(text)]
    return [block for block in found if not languages or block.language in languages]


def made_by(page: Path) -> list[tuple[Path, str]]:
    """The pictures and files that a page makes: where they stand beside it, and the files that they are copies of."""
    return [(page.parent / where, made) for where, made in _MADE.findall(page.read_text(encoding="utf-8"))]


@contextmanager
def page_of_its_own() -> Iterator[None]:
    """What a page registers is gone after it."""
    with kinds_as_they_were():
        try:
            yield
        finally:
            forget_statistics()


def run_page(page: Path, folder: Path) -> Iterator[Shown]:
    """Runs the blocks of a page in a folder, one after the other; yields those of which the page shows the output."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    kinds = kinds_now()  # those of a command, which is a program of its own
    made = {where for where, _ in made_by(page)}
    for beside in page.parent.iterdir():
        if beside.suffix in (".toml", ".py") and beside not in made:
            shutil.copy(beside, folder)
    all_blocks = blocks(page)
    for block, following in zip(all_blocks, [*all_blocks[1:], None], strict=True):
        if block.file is not None:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language in ("sh", "python"):
            with _inside(folder):
                printed = _python(block, namespace, page) if block.language == "python" else _sh(block, kinds)
            if following is not None and following.language == "text":
                yield Shown(block, following, _without_ends(printed.replace(f"{folder}/", "")))


def difference(shown: str, printed: str, *, words_alone: bool = False) -> str | None:
    """Where what is shown is not what was printed, in a line; None where it is.

    Spaces and rules of tables may be of any length. Numbers are equal to a relative 1e-6, and any number will do where it
    measures this machine: before a unit of time, of memory or of speed. With `words_alone` any number will do: of makers that
    learned, whose weights differ from machine to machine."""
    there = [_parts(line) for line in printed.rstrip("\n").split("\n")]
    pieces = _pieces(shown)
    starts = _places(pieces, there, words_alone)
    if len(starts) < len(pieces):
        return f"the page shows {pieces[len(starts)]}, which was not printed there"
    at = starts[-1] + len(pieces[-1])
    return None if at == len(there) else f"the page stops, and {len(there) - at} more lines were printed"


def _pieces(shown: str) -> list[list[str]]:
    """The lines that are shown, in pieces between which there are any lines."""
    pieces: list[list[str]] = [[]]
    for line in shown.rstrip("\n").split("\n"):
        if line.strip() == ELISION:
            pieces.append([])
        else:
            pieces[-1].append(line)
    return pieces


def _places(pieces: list[list[str]], there: list[Any], words_alone: bool) -> list[int]:
    """Where each piece begins among the lines that are there, up to the first one that is not there: the first piece at their
    beginning, the last at their end, those in between one after the other."""
    starts: list[int] = []
    at = 0
    for number, piece in enumerate(pieces):
        wanted, last = [_parts(line) for line in piece], len(there) - len(piece)
        tried = range(1) if number == 0 else range(last, last + 1) if number == len(pieces) - 1 else range(at, last + 1)
        found = (start for start in tried if start >= at and _alike(wanted, there[start : start + len(wanted)], words_alone))
        start = next(found, None)
        if start is None:
            return starts
        starts.append(start)
        at = start + len(wanted)
    return starts


def rewritten(page: Path, folder: Path, *, words_alone: bool = False) -> str:
    """A page with what its blocks print now, where that is not what it shows; what it makes is copied from the folder."""
    text, moved = page.read_text(encoding="utf-8"), 0
    for each in run_page(page, folder):
        if difference(each.shown.text, each.printed, words_alone=words_alone) is None:
            continue
        new = _elided(each.shown.text, each.printed.rstrip("\n") + "\n")
        start = each.shown.start + moved
        text = text[:start] + new + text[start + len(each.shown.text) :]
        moved += len(new) - len(each.shown.text)
    for where, made in made_by(page):
        where.parent.mkdir(exist_ok=True)
        where.write_bytes((folder / made).read_bytes())
    return text


def _elided(shown: str, printed: str) -> str:
    """What was printed, cut where the page cuts it: the same lines with other numbers; or else as many lines before and after."""
    new, pieces = printed.rstrip("\n").split("\n"), _pieces(shown)
    if len(pieces) == 1:
        return printed
    starts = _places(pieces, [_parts(line) for line in new], words_alone=True)
    if len(starts) < len(pieces):
        before, after = len(pieces[0]), len(pieces[-1])
        if len(pieces) != 2 or before + after > len(new):
            return printed
        starts = [0, len(new) - after]
    kept = ["\n".join(new[start : start + len(piece)]) for start, piece in zip(starts, pieces, strict=True)]
    return f"\n{ELISION}\n".join(kept).strip("\n") + "\n"


def _without_ends(printed: str) -> str:
    """Without the spaces at the ends of lines, which tables of pandas have."""
    return re.sub(r"[ ]+$", "", printed, flags=re.MULTILINE)


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """In the folder as a program that was started there: its modules can be imported, and are unknown again afterwards."""
    before, modules = Path.cwd(), set(sys.modules)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        os.chdir(before)
        sys.path.remove(str(folder))
        for name in set(sys.modules) - modules:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(f"{folder}/"):
                del sys.modules[name]


def _python(block: Block, namespace: dict[str, Any], page: Path) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(block.text, str(page), "exec"), namespace)
    return out.getvalue()


def _sh(block: Block, kinds: Any) -> str:
    """What the lines of a block print; of a command that is refused, which must be said behind it, what it says."""
    printed = ""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["dealermarket"]:
            out, problems = io.StringIO(), io.StringIO()
            with kinds_as_they_were(kinds), redirect_stdout(out), redirect_stderr(problems):
                status = main(words[1:])
            assert (status != 0) == line.endswith(REFUSED), f"{line}: status {status}\n{problems.getvalue()}"
            printed += out.getvalue() + (problems.getvalue() if status else "")
        elif words:
            done = subprocess.run(line, shell=True, check=True, capture_output=True, text=True)
            printed += done.stdout
    return printed


def _parts(line: str) -> tuple[list[str], list[float]]:
    """The words of a line, each number among them a #, and the numbers."""
    plain = re.sub(r"[ ─]+", " ", _MEASURED.sub("~", line)).strip()
    numbers = [float(number.replace("−", "-").replace(",", "").rstrip(".")) for number in _NUMBER.findall(plain)]
    return _NUMBER.sub("#", plain).split(" "), numbers


def _alike(wanted: Sequence[Any], there: Sequence[Any], words_alone: bool) -> bool:
    return len(wanted) == len(there) and all(map(lambda one, other: _same(one, other, words_alone), wanted, there))


def _same(one: tuple[list[str], list[float]], other: tuple[list[str], list[float]], words_alone: bool) -> bool:
    if one[0] != other[0]:
        return False
    return words_alone or all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12) for a, b in zip(one[1], other[1], strict=True))
