"""Who may talk to the server, and how much: this machine's own pages, with the token of the address, within bounds."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_MESSAGE = 64 * 1024  # bytes
MOST_PAGES = 64  # websockets at once
_PER_SECOND, _BURST = 100.0, 400.0

HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""What every answer says to a browser: load nothing from elsewhere, tell nobody the address."""


class Guard:
    """Lets through who asks this server by its own Host, from its own page where there is an Origin, with the token at the begin
    of the path; answers others with a line and nothing else (DNS rebinding, pages of other sites)."""

    def __init__(self, app: App, token: str, port: int) -> None:
        self._app, self._token = app, token
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one connection (ASGI)."""
        if scope["type"] not in ("http", "websocket"):
            return
        refusal = self._refusal(scope)
        if refusal is None:
            within = scope["path"].removeprefix(f"/{self._token}")
            await self._app({**scope, "path": within, "root_path": ""}, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            plain = [(b"content-type", b"text/plain; charset=utf-8")]
            await _with_headers(send)({"type": "http.response.start", "status": 403, "headers": plain})
            await send({"type": "http.response.body", "body": refusal.encode()})

    def _refusal(self, scope: Scope) -> str | None:
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        host, origin = headers.get(b"host", b"").decode("latin-1"), headers.get(b"origin")
        if host not in self._hosts:
            return "refused: this page is opened by the address that the command printed\n"
        needs_origin = scope["type"] == "websocket" or scope.get("method") not in ("GET", "HEAD")
        if (origin is None and needs_origin) or (origin is not None and origin.decode("latin-1") not in self._origins):
            return "refused: asked by a page of another address\n"
        token = scope["path"].split("/")[1] if scope["path"].startswith("/") else ""
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode()):
            return "refused: the address needs the token that the command printed\n"
        return None


def _with_headers(send: Send) -> Send:
    """Sends what HEADERS has with every answer."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        await send(message)

    return sending


class Rate:
    """How many messages a page may send: a hundred a second, and some at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._left, self._at = clock, _BURST, clock()

    def allows(self) -> bool:
        """Whether one more may be taken now."""
        now = self._clock()
        self._left = min(self._left + (now - self._at) * _PER_SECOND, _BURST)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
