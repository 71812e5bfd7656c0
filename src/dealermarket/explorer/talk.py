"""A page's conversation: the latest question wins, one is in flight, and long runs are refined batch by batch."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar

from pydantic import ValidationError

from dealermarket.errors import DealerMarketError
from dealermarket.explorer.answers import Answers
from dealermarket.explorer.asked import Question
from dealermarket.explorer.controls import Group
from dealermarket.values import readable

T = TypeVar("T")
Send = Callable[[str], Awaitable[None]]
_PATIENCE = 0.08  # seconds after which a page is told that it waits
_BATCH_SECONDS = 0.2  # of simulating between two answers
_TABLES = ("pricing", "hedging", "tiering", "exchange")  # what hedging tables depend on


class Talk:
    """The conversation with one page. `hear` takes its messages; `close` ends what is under way.

    Everything that takes long runs on the `workers`, three calls at most for a page: for what it asks, for what it may ask next,
    and for what is asked beside."""

    def __init__(self, answers: Answers, workers: Executor, send: Send, ready: Future[None]) -> None:
        self._answers, self._workers, self._send, self._ready = answers, workers, send, ready
        self._asked: Question | None = None
        self._beside: dict[str, Question] = {}  # the newest question of each sort
        self._heard, self._changed, self._heard_beside = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._stopped = False
        self._groups: tuple[Group, ...] | None = None  # the controls that the page has
        loops = (self._answering(), self._building_ahead(), self._answering_beside())
        self._tasks = [asyncio.create_task(loop) for loop in loops]

    async def hear(self, text: str | bytes) -> None:
        """Takes a message; one that is no question is refused in a line."""
        try:
            question = Question.model_validate(_parsed(text))
        except (ValidationError, ValueError, RecursionError) as error:
            lines = readable(error, Question) if isinstance(error, ValidationError) else ["not a JSON object"]
            await self._say({"is": "refused", "line": lines[0].removeprefix("state.")[:300]})
            return
        if question.do == "ask":
            self._asked, self._stopped = question, False
            self._heard.set()
            self._changed.set()
        elif question.do == "stop":
            self._stopped = True
        else:
            self._beside[question.do] = question
            self._heard_beside.set()

    async def close(self) -> None:
        """Ends the conversation."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- what is asked: the newest question, refined until a newer one comes

    async def _answering(self) -> None:
        while True:
            await self._heard.wait()
            self._heard.clear()
            question = self._asked
            assert question is not None
            await self._guarded(question, self._answer(question))

    async def _answer(self, question: Question) -> None:
        begun = time.perf_counter()
        await self._loaded()
        asked = await self._work(question, lambda: self._answers.asked(question.state))
        if asked.groups != self._groups:
            self._groups = asked.groups
            await self._say({"re": question.id, "is": "form", "groups": [asdict(group) for group in asked.groups]})
        batch = max(asked.first_batch, asked.there)
        while True:
            started = time.perf_counter()
            panels = await self._work(question, partial(self._answers.panels, asked, batch, question.panels))
            taken = time.perf_counter() - started
            final = batch >= question.state.replicas or self._stopped
            told = {"replicas": batch, "asked": question.state.replicas, "final": final, "stopped": self._stopped and final}
            seconds = round(time.perf_counter() - begun, 4)
            await self._say({"re": question.id, "is": "answer", **told, "seconds": seconds, "panels": panels})
            if final or self._heard.is_set():
                break
            more = 4 if taken < _BATCH_SECONDS / 4 else 2 if taken < _BATCH_SECONDS else 1
            batch = min(more * batch + asked.first_batch, question.state.replicas)

    # --- what may be asked next: hedging tables are built beside, for the next values of the number that was changed

    async def _building_ahead(self) -> None:
        last: Question | None = None
        while True:
            await self._changed.wait()
            self._changed.clear()
            question = self._asked
            assert question is not None
            if last is not None and self._ready.done():
                with suppress(Exception):  # its own answer says so
                    await self._build_ahead(last, question)
            last = question

    async def _build_ahead(self, last: Question, question: Question) -> None:
        path = _moved(last, question)
        if path is None or not any(part in path for part in _TABLES):
            return
        for scenario in await self._run(partial(self._answers.next_markets, last.state, question.state, path)):
            if self._asked is not question:
                return
            await self._run(partial(self._answers.build_ahead, scenario, question.state.seed))

    # --- what is asked beside: traces, texts, points

    async def _answering_beside(self) -> None:
        while True:
            await self._heard_beside.wait()
            self._heard_beside.clear()
            while self._beside:
                question = self._beside.pop(next(iter(self._beside)))
                await self._guarded(question, self._answer_beside(question))

    async def _answer_beside(self, question: Question) -> None:
        answers, state = self._answers, question.state
        work: dict[str, Callable[[], dict[str, Any]]] = {
            "open": answers.first,
            "trace": lambda: answers.traced(state),
            "texts": lambda: answers.texts(state),
            "load": lambda: answers.point(question.point),
        }
        if question.do == "trace":
            await self._loaded()
        told = await self._run(work[question.do])
        await self._say({"re": question.id, **told})

    # --- how

    async def _guarded(self, question: Question, answer: Awaitable[None]) -> None:
        """Waits for an answer; a problem becomes lines on the page."""
        try:
            await answer
        except DealerMarketError as error:
            await self._say({"re": question.id, "is": "errors", "lines": str(error).splitlines()})
        except MemoryError:
            await self._say({"re": question.id, "is": "errors", "lines": ["not enough memory for this market"]})
        except Exception as error:  # a fault of ours, or the page has gone: the next question is answered all the same
            with suppress(Exception):
                line = f"dealermarket failed, which it should not: {type(error).__name__}: {error}"
                await self._say({"re": question.id, "is": "errors", "lines": line.splitlines()[:1]})

    async def _work(self, question: Question, work: Callable[[], T]) -> T:
        """The result of work on a thread; a page that waits for it is told so."""
        running = self._run(work)
        try:
            done, _ = await asyncio.wait([running], timeout=_PATIENCE)
            if not done and not self._heard.is_set():
                what = "working: hedging tables of new prices, or many orders"
                await self._say({"re": question.id, "is": "busy", "what": what})
            return await running
        finally:
            running.cancel()  # where the page has gone: what waits for a thread is not begun

    async def _loaded(self) -> None:
        """Waits until the engine is compiled; a page that goes away meanwhile does not stop that."""
        if not self._ready.done():
            await asyncio.shield(asyncio.wrap_future(self._ready))

    def _run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def _say(self, message: dict[str, Any]) -> None:
        await self._send(json.dumps(message, separators=(",", ":"), allow_nan=False))


def _parsed(text: str | bytes) -> Any:
    def refused(word: str) -> None:
        raise ValueError(word)  # JSON has no NaN

    return json.loads(text, parse_constant=refused)


def _moved(last: Question, question: Question) -> str | None:
    """The one setting in which a question differs from the last; None where that is not all."""
    before, now = last.state.settings, question.state.settings
    paths = [path for path in {**before, **now} if before.get(path) != now.get(path)]
    return paths[0] if len(paths) == 1 else None
