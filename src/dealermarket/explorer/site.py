"""What the server answers: the files of the page, its conversation, and the download of a run."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from dealermarket.errors import DealerMarketError
from dealermarket.explorer.answers import Answers
from dealermarket.explorer.asked import State
from dealermarket.explorer.guards import LARGEST_MESSAGE, MOST_PAGES, Rate
from dealermarket.explorer.talk import Talk
from dealermarket.runs.chunks import cores
from dealermarket.values import readable

STATIC = Path(__file__).parent / "static"
_COMPILING_SECONDS = 60
_BUSY, _TOO_FAST = 1013, 1008  # codes of a websocket that is closed


class Site:
    """The pages of one opened scenario. Everything that takes long runs on its threads."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._workers = ThreadPoolExecutor(max(cores(), 2) + 1, thread_name_prefix="explorer")
        self._downloads = ThreadPoolExecutor(1, thread_name_prefix="download")
        self._packed: set[Path] = set()  # temporary folders of runs that are not sent to their end
        self._compiled: Future[None] = self._workers.submit(answers.load)
        self._pages = 0

    def app(self) -> Starlette:
        """The application (ASGI); paths are those behind the token."""
        return Starlette(
            routes=[
                Route("/", self._index),
                Route("/run.zip", self._download, methods=["POST"]),
                WebSocketRoute("/talk", self._talk),
                Mount("/static", StaticFiles(directory=STATIC)),
            ]
        )

    def close(self) -> None:
        """Takes no more work; what is under way ends by itself. Packed runs that were not sent are deleted."""
        for pool in (self._workers, self._downloads):
            pool.shutdown(wait=False, cancel_futures=True)
        for folder in list(self._packed):
            self._delete(folder)

    async def _index(self, request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def _talk(self, websocket: WebSocket) -> None:
        await websocket.accept()
        if self._pages >= MOST_PAGES:
            await websocket.close(_BUSY, f"{MOST_PAGES} pages are open; close one")
            return
        self._pages += 1
        rate = Rate()
        if not self._compiled.done() and not self._answers.is_compiled:
            await websocket.send_text(json.dumps({"is": "compiling", "seconds": _COMPILING_SECONDS}))
        talk = Talk(self._answers, self._workers, websocket.send_text, self._compiled)
        try:
            while True:
                message = await websocket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                if not rate.allows():
                    await websocket.close(_TOO_FAST, "too many messages")
                    break
                await talk.hear(message.get("text") or message.get("bytes") or "")
        except (WebSocketDisconnect, RuntimeError):  # it went while we were answering
            pass
        finally:
            self._pages -= 1
            await talk.close()

    async def _download(self, request: Request) -> Response:
        """The folder of the run that a state describes, as a zip."""
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_MESSAGE:
                return PlainTextResponse("too large\n", 413)
        try:
            state = State.model_validate(json.loads(body))
            file = await asyncio.get_running_loop().run_in_executor(self._downloads, self._zipped, state)
        except ValidationError as error:
            return PlainTextResponse("\n".join(readable(error, State)), 400)
        except (DealerMarketError, ValueError, RecursionError) as error:
            return PlainTextResponse(str(error), 400)
        clean = BackgroundTask(self._delete, file.parent)
        return FileResponse(file, filename="run.zip", media_type="application/zip", background=clean)

    def _zipped(self, state: State) -> Path:
        """A zip in a temporary folder of its own."""
        folder = Path(tempfile.mkdtemp(prefix="dealermarket-"))
        self._packed.add(folder)
        try:
            run = folder / "run"
            self._answers.write_run(state, run)
            return Path(shutil.make_archive(str(folder / "zip"), "zip", folder, "run"))
        except BaseException:
            self._delete(folder)
            raise

    def _delete(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._packed.discard(folder)
