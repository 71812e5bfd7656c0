"""The server of the live page, on this machine alone, in a thread."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading

import uvicorn

from dealermarket.errors import ParameterError
from dealermarket.explorer.answers import Answers
from dealermarket.explorer.guards import LARGEST_MESSAGE, MOST_PAGES, Guard
from dealermarket.explorer.opened import Opened
from dealermarket.explorer.site import Site

HOST = "127.0.0.1"
_SECONDS_TO_END = 3.0


class Server:
    """The page of an opened scenario: `start` serves it, `stop` ends it. As a context it does both.

    `port` 0 is any that is free. Raises ParameterError where a port is in use."""

    def __init__(self, opened: Opened, port: int = 0) -> None:
        self._socket = _listening(port)
        self.port = int(self._socket.getsockname()[1])
        self._token = secrets.token_urlsafe(16)
        self._site = Site(Answers(opened))
        config = uvicorn.Config(
            Guard(self._site.app(), self._token, self.port),
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws_max_size=LARGEST_MESSAGE,
            ws_per_message_deflate=False,  # it is for this machine: packing takes longer than sending
            timeout_graceful_shutdown=1,
            limit_concurrency=4 * MOST_PAGES,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="page", daemon=True)

    @property
    def address(self) -> str:
        """Where the page is, with the token."""
        return f"http://{HOST}:{self.port}/{self._token}/"

    def start(self) -> None:
        """Serves from now on: the socket listens already."""
        self._thread.start()

    def stop(self) -> None:
        """Ends all connections; what is being simulated ends with its batch."""
        self._server.should_exit = True
        self._site.close()
        if self._thread.is_alive():
            self._thread.join(_SECONDS_TO_END)
        self._socket.close()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


def _listening(port: int) -> socket.socket:
    """A socket of this machine alone. Raises ParameterError."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or str(error)
        raise ParameterError(f"--port {port}: {why.lower()}; take another one, or leave it out for one that is free") from None
    return listening
