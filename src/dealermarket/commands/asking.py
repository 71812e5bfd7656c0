"""What the commands that ask a question share: it is checked, worked at in a folder, and answered there and on the terminal."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol

from cyclopts import Parameter

from dealermarket import interrupt
from dealermarket.commands.console import announce_compiling, open_console, progress, rate
from dealermarket.commands.options import On, Policies, Seed, Settings, Threads, executor_of, flag, place, whole
from dealermarket.disk import write_text
from dealermarket.errors import ParameterError, RunFolderError
from dealermarket.estimates import Estimate
from dealermarket.runs.executors import Executor, Progress

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from dealermarket.model.scenario import Scenario
    from dealermarket.questions.folder import QuestionFolder

ANSWER = "answer.json"

Asked = Annotated[str | None, Parameter(help="A preset's name or a TOML file.")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class AskingOptions:
    """What all of them take."""

    settings: Settings = ()
    policies: Policies = ()
    steps: Annotated[int | None, whole("Steps of each replica; the scenario's own if not given.")] = None
    seed: Seed = None
    threads: Threads = None
    on: On = None
    out: Annotated[Path | None, place("The new folder; NAME-1 and on, in a folder of its kind, if not given.")] = None
    resume: Annotated[Path | None, place("Finish what was begun in this folder, and interrupted, instead.")] = None
    as_json: Annotated[bool, flag("Print the result as JSON, and nothing else.", "--json")] = False


class Answer(ABC):
    """What came of a question, as it is kept and shown."""

    @abstractmethod
    def write(self, folder: Path) -> Iterable[Path]:
        """Writes the files of the answer; returns them."""

    @abstractmethod
    def shown(self, width: int) -> Iterable[RenderableType]:
        """Lines and tables for a terminal of so many characters."""

    @abstractmethod
    def as_json(self) -> str:
        """All of it."""


class Runs(Protocol):
    """What is run for a question: a Sweep, a Search, a Game and so on."""

    @property
    def market_steps(self) -> int:
        """Steps of markets in all, at most."""
        ...

    def run(self, *, progress: Progress, keep: Path, executor: Executor) -> Any:
        """Runs on an open executor; `keep` is the folder of what is done."""
        ...


class Question(NamedTuple):
    """A question to a market, checked: what is run for it, and the answer that is made of what comes of that."""

    what: Runs
    answer: Callable[[Any], Answer]


Make = Callable[["Scenario", Mapping[str, Any]], Question]
"""From the scenario and what was asked, as JSON has it, which is checked: raises ParameterError."""


def ask(name: str, parent: Path, make: Make, scenario: str | None, own: Mapping[str, Any], options: AskingOptions | None) -> None:
    """Asks a question by the name of its command, with what this command alone takes, in a new folder; `parent` holds those that
    nobody named. Or finishes one that was begun."""
    options = options or AskingOptions()
    executor = executor_of(options.on, options.threads)
    if options.resume is None:
        market = _loaded(scenario, options)
        _begin(name, parent, make, market, {**own, "seed": options.seed or 0}, options, executor)
        return
    of_a_new_one = (scenario, *own.values(), options.settings, options.policies, options.steps, options.seed, options.out)
    if any(each not in (None, (), []) for each in of_a_new_one):
        raise ParameterError("--resume: takes everything but --threads and --on from the folder; leave the rest out")
    _resume(name, make, options.resume, executor, options.as_json)


def _loaded(scenario: str | None, options: AskingOptions) -> Scenario:
    """The scenario that is asked about. Raises ParameterError where there is none."""
    from dealermarket.model.scenario import Scenario
    from dealermarket.policies.named import with_policies

    if scenario is None:
        raise ParameterError("SCENARIO: give a preset's name or a TOML file; dealermarket scenarios lists the presets")
    clock = (f"steps={options.steps}",) if options.steps is not None else ()
    return with_policies(Scenario.load(scenario, (*options.settings, *clock)), options.policies)


def _begin(
    name: str,
    parent: Path,
    make: Make,
    market: Scenario,
    asked: Mapping[str, Any],
    options: AskingOptions,
    executor: Executor,
) -> None:
    from dealermarket.questions.folder import QuestionFolder
    from dealermarket.runs.work_folder import new_folder

    question, asked = make(market, asked), {**asked, "files": _policy_files(asked)}
    with (
        executor,
        new_folder(options.out, parent, market.name) as path,
        QuestionFolder.create(path, name, market, asked) as folder,
    ):
        _work(folder, question, executor, options.as_json)


def _resume(name: str, make: Make, path: Path, executor: Executor, as_json: bool) -> None:
    """Finishes a question that was begun in a folder."""
    from dealermarket.questions.folder import QuestionFolder

    folder = QuestionFolder.open(path)
    folder.check_question(name)
    if folder.complete:
        folder.check_files()
        open_console(stderr=True).print(f"{path} is complete already", highlight=False, soft_wrap=True)
        if as_json:
            print((path / ANSWER).read_text(encoding="utf-8"), end="")
        return
    pinned = folder.meta["asked"]["files"]
    changed = [file for file, digest in _policy_files(folder.meta["asked"]).items() if pinned.get(file) != digest]
    if changed:
        raise RunFolderError(f"{path}: {changed[0]} is another policy than it was; bring that back, or ask anew")
    with executor, QuestionFolder.taken(path) as folder:
        _work(folder, make(folder.scenario, folder.meta["asked"]), executor, as_json, resumed=True)


def _work(folder: QuestionFolder, question: Question, executor: Executor, as_json: bool, resumed: bool = False) -> None:
    quiet, most, run = open_console(stderr=True), question.what.market_steps, 0
    announce_compiling(quiet, folder.scenario)
    interrupt.keep(folder.path, folder.meta["question"])
    folder.make_ready()
    began = time.monotonic()
    with progress(quiet, most) as report:

        def count(steps: int) -> None:
            nonlocal run
            run += steps
            report(steps)

        found = question.what.run(progress=count, keep=folder.measured, executor=executor)
        if run < most:  # it took less than it might have
            report(most - run)
    seconds = time.monotonic() - began
    answer = question.answer(found)
    data = answer.as_json() + "\n"

    def write(path: Path) -> Iterator[Path]:
        yield from answer.write(path)
        write_text(path / ANSWER, data)
        yield path / ANSWER

    folder.finish(write, seconds)
    if as_json:
        print(data, end="")
        return
    console: Console = open_console()
    for part in answer.shown(console.width):
        console.print(part, highlight=False, soft_wrap=isinstance(part, str))
    # the seconds of what was resumed are those of its last part
    speed = "" if resumed else f"{run:,} market steps in {seconds:.1f} s, {rate(run / max(seconds, 1e-9))}; "
    console.print(f"{speed}kept in {folder.path}", highlight=False, soft_wrap=True)


def finite(value: Any) -> Any:
    """A value as JSON has it: null for what is no number."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def numbers(estimate: Estimate) -> dict[str, float | None]:
    """An estimate as JSON has it."""
    return {"value": finite(estimate.value), "low": finite(estimate.low), "high": finite(estimate.high)}


def _policy_files(asked: Mapping[str, Any]) -> dict[str, str]:
    """The digests of the files of trained policies that fields have for values."""
    from dealermarket.questions import Varied, varied_from

    fields = map(varied_from, (*asked.get("vary", ()), *asked.get("over", ())))
    return {file: digest for field in fields if isinstance(field, Varied) for file, digest in field.policy_files().items()}
