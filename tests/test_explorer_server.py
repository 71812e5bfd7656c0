"""The server of the live page: who is let in, what hostile messages do, and that the newest question wins."""

from __future__ import annotations

import http.client
import json
import random
import signal
import socket
import string
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from conftest import DEADLINE, assert_says, raises
from dealermarket import ParameterError, Scenario, SimulationRunner
from dealermarket.commands.main import main
from dealermarket.explorer.answers import Answers
from dealermarket.explorer.guards import LARGEST_MESSAGE, Rate
from dealermarket.explorer.opened import opened
from dealermarket.explorer.panels import PANELS
from dealermarket.explorer.server import Server

client = pytest.importorskip("websockets.sync.client")
from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: E402

ALPHA = "makers.maker-1.pricing.alpha"
PENALTY = "makers.maker-1.pricing.tier_penalty"  # which needs no new hedging tables
SMALL = ("steps=8", "reward_horizon=2")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(opened("paper", SMALL)) as running:
        yield running


class Page:
    """A page's websocket."""

    def __init__(self, address: str, origin: str | None = "own") -> None:
        own = address[: address.index("/", 8)] if origin == "own" else origin
        where = f"{address.replace('http', 'ws')}talk"
        self._connection = client.connect(where, origin=own, max_size=None, max_queue=None, open_timeout=DEADLINE)
        self._number = 0

    def __enter__(self) -> Page:
        self.socket = self._connection.__enter__()
        return self

    def __exit__(self, *problem: Any) -> None:
        self._connection.__exit__(*problem)

    def say(self, do: str, **fields: Any) -> int:
        self._number += 1
        self.socket.send(json.dumps({"id": self._number, "do": do, **fields}))
        return self._number

    def hear(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.socket.recv(timeout=DEADLINE))
        return told

    def until(self, *kinds: str, final: bool = True) -> dict[str, Any]:
        """The next message of these kinds; of answers the final one, unless any will do."""
        while True:
            told = self.hear()
            if told["is"] in kinds and (told["is"] != "answer" or told["final"] or not final):
                return told

    def ask(self, **state: Any) -> dict[str, Any]:
        self.say("ask", state={"replicas": 3, **state}, panels=["makers"])
        return self.until("answer", "errors", "refused")


class Answer(NamedTuple):
    """What the server answered to a request."""

    status: int
    headers: Any
    body: bytes


def fetched(server: Server, path: str | None = None, body: str | None = None, **headers: str) -> Answer:
    """The answer to a request for a path, the page's own if none is given; with a body it is posted."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
    own = {"Host": f"127.0.0.1:{server.port}"} | headers
    try:
        connection.request("GET" if body is None else "POST", within(server) if path is None else path, body, own)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def within(server: Server, path: str = "") -> str:
    """A path of the page, with its token."""
    return server.address[server.address.index("/", 8) :] + path


# --- the page and its talk


def test_the_page_loads_nothing_from_elsewhere(server: Server) -> None:
    answer = fetched(server)
    assert answer.status == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert b"<!doctype html>" in answer.body.lower()


@pytest.mark.compiled
def test_a_conversation(server: Server) -> None:
    with Page(server.address) as page:
        page.say("open")
        first = page.until("opened")
        assert first["title"] == "paper"
        page.say("ask", state={"replicas": 3, "settings": {ALPHA: 1.2}}, panels=list(PANELS))
        form = page.until("form")
        (alpha,) = [each for group in form["groups"] for each in group["controls"] if each["path"] == ALPHA]
        assert alpha["value"] == 1.2
        told = page.until("answer")
        assert (told["replicas"], told["asked"], told["final"]) == (3, 3, True)
        assert set(told["panels"]) == set(PANELS)
        page.say("trace", state={"replica": 1, "step": 5})
        assert page.until("trace")["trace"]["step"] == 5
        page.say("texts", state={"settings": {ALPHA: 1.2}})
        assert f"{ALPHA}=1.2" in page.until("texts")["command"]


def test_long_runs_are_refined(server: Server) -> None:
    with Page(server.address) as page:
        page.say("ask", state={"replicas": 60, "seed": 1}, panels=["makers"])
        first, last = page.until("answer", final=False), page.until("answer")
        assert (first["replicas"], first["final"]) == (50, False)
        assert (last["replicas"], last["final"]) == (60, True)
        widths = [each["panels"]["makers"]["rows"][0]["now"][0] for each in (first, last)]
        assert widths[0] != widths[1]


def test_problems_are_lines_and_the_talk_goes_on(server: Server) -> None:
    with Page(server.address) as page:
        told = page.ask(settings={ALPHA: -1})
        assert_says("\n".join(told["lines"]), ALPHA, -1)
        assert_says("\n".join(page.ask(replicas=10**9)["lines"]), "replicas", names=["1,000,000,000"])
        assert page.ask()["final"]


@pytest.mark.parametrize("method", ["asked", "panels"])
def test_a_fault_of_ours_is_told_and_the_talk_goes_on(server: Server, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def fails(*_: Any) -> None:
        raise ZeroDivisionError("by nothing")

    with Page(server.address) as page:
        with monkeypatch.context() as broken:
            broken.setattr(Answers, method, fails)
            assert_says("\n".join(page.ask()["lines"]), "ZeroDivisionError", None)
        assert page.ask()["final"]


def test_text_that_is_no_unicode_is_answered(server: Server) -> None:
    with Page(server.address) as page:
        for state in ({"settings": {"\ud800": 1}}, {"removed": ["\udfff"]}, {"settings": {ALPHA: "\ud800"}}):
            assert page.ask(**state)["is"] in ("errors", "refused")
        assert page.ask()["final"]


def test_the_run_can_be_downloaded(server: Server, tmp_path: Path) -> None:
    state = {"replicas": 2, "settings": {ALPHA: 1.2}}
    path, own = within(server, "run.zip"), {"Origin": f"http://127.0.0.1:{server.port}"}
    with zipfile.ZipFile(BytesIO(fetched(server, path, json.dumps(state), **own).body)) as file:
        file.extractall(tmp_path)
    SimulationRunner(Scenario.load("paper", [*SMALL, f"{ALPHA}=1.2"]), 2, record="trades").run(tmp_path / "expected")
    assert (tmp_path / "run" / "trades.parquet").read_bytes() == (tmp_path / "expected" / "trades.parquet").read_bytes()
    answer = fetched(server, path, json.dumps({"replicas": 0}), **own)
    assert answer.status == 400
    assert_says(answer.body.decode(), "replicas", 0)
    assert fetched(server, path, "x" * (LARGEST_MESSAGE + 1), **own).status == 413
    assert fetched(server, path, json.dumps(state)).status == 403  # no page of ours would ask without an origin


# --- the newest question wins


class Gate:
    """Panels that are made only once they may be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered, self.open = threading.Event(), threading.Event()
        made: Callable[..., Any] = Answers.panels

        def panels(answers: Answers, *arguments: Any) -> dict[str, Any]:
            self.entered.set()
            assert self.open.wait(DEADLINE)
            return made(answers, *arguments)

        monkeypatch.setattr(Answers, "panels", panels)


def test_of_a_hundred_changes_the_newest_is_answered(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with Page(server.address) as page:
        assert page.ask()["final"]
        gate = Gate(monkeypatch)
        begun = page.say("ask", state={"replicas": 3, "settings": {PENALTY: 2e-5}}, panels=["makers"])
        assert gate.entered.wait(DEADLINE)
        for number in range(100):
            newest = page.say("ask", state={"replicas": 3, "settings": {PENALTY: 1e-5 + number * 1e-8}}, panels=["makers"])
        page.socket.ping().wait(DEADLINE)  # all have been read when it is answered
        page.say("texts", state={})
        page.until("texts")
        gate.open.set()
        answered = [page.until("answer")["re"]]
        while answered[-1] != newest:
            answered.append(page.until("answer")["re"])
        assert answered == [begun, newest]


def test_a_long_run_can_be_stopped(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with Page(server.address) as page:
        gate = Gate(monkeypatch)
        page.say("ask", state={"replicas": 5000, "seed": 2}, panels=["makers"])
        assert gate.entered.wait(DEADLINE)
        page.say("stop")
        page.say("texts", state={})
        page.until("texts")  # so that the stop was heard, too
        gate.open.set()
        told = page.until("answer", final=False)
        assert (told["replicas"], told["final"], told["stopped"]) == (50, True, True)


# --- who is let in


def test_another_host_origin_or_token_is_refused(server: Server) -> None:
    assert fetched(server, Host="evil.example").status == 403
    assert fetched(server, Host=f"evil.example:{server.port}").status == 403
    assert fetched(server, Origin="http://evil.example").status == 403
    assert fetched(server, "/").status == 403
    assert fetched(server, "/static/app.js").status == 403
    assert fetched(server, f"{within(server)[:-2]}/").status == 403  # a token of another length
    for origin in ("http://evil.example", "null", None, f"https://127.0.0.1:{server.port}"):
        with pytest.raises((InvalidStatus, ConnectionClosed)), Page(server.address, origin) as page:
            page.hear()


@pytest.mark.parametrize("way", ["../answers.py", "..%2fanswers.py", "%2e%2e/answers.py", "/etc/passwd", "..\\answers.py", "%00"])
def test_no_path_leads_out_of_the_folder_of_the_page(server: Server, way: str) -> None:
    answer = fetched(server, within(server, f"static/{way}"))
    assert answer.status in (403, 404)
    assert b"class Answers" not in answer.body


# --- hostile messages


def hostile(rng: random.Random) -> str | bytes:
    """A message that is no question, or a strange one."""
    junk = "".join(rng.choice(string.printable) for _ in range(rng.randrange(200)))
    strange: list[Any] = [None, True, -1, 1e308, 10**30, junk, [], {}, [[]] * 9, {"a": {"b": []}}, "9" * 5000]
    do = rng.choice(["open", "ask", "trace", "texts", "stop", "load", junk])
    settings = {rng.choice([ALPHA, "steps", "makers.*.x", junk, "investors.investor.count"]): rng.choice([*strange, 0, "none"])}
    names = rng.choice(["settings", "replicas", "seed", "replica", "step", "maker", "pin", "added", "removed", junk])
    state = rng.choice([{names: rng.choice(strange)}, {"settings": settings}, rng.choice(strange)])
    question = {"id": rng.choice([1, *strange]), "do": do, "state": state, "panels": rng.choice([["makers"], strange])}
    shapes: list[Callable[[], str | bytes]] = [
        lambda: junk,
        lambda: junk.encode() + b"\xff\xfe",
        lambda: json.dumps(rng.choice(strange)),
        lambda: "[" * 20_000,
        lambda: json.dumps(question)[: rng.randrange(1, 80)],
        lambda: json.dumps(question),
        lambda: '{"id": NaN, "do": "ask"}',
    ]
    return rng.choice(shapes)()


def test_ten_thousand_hostile_messages_leave_the_server_alive(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    rng, sent = random.Random(0), 0
    while sent < 10_000:
        with Page(server.address) as page:
            try:
                for _ in range(350):
                    page.socket.send(hostile(rng))
                    sent += 1
            except ConnectionClosed:
                pass
    with Page(server.address) as page:
        assert page.ask()["final"]
    said = capfd.readouterr()
    assert "Traceback" not in said.out + said.err


def test_who_sends_too_much_or_too_fast_is_shut_out(server: Server) -> None:
    def send(*messages: str) -> None:
        with Page(server.address) as page:
            for message in messages:
                page.socket.send(message)
            page.hear()

    with pytest.raises(ConnectionClosed):
        send("x" * (LARGEST_MESSAGE + 1))
    with pytest.raises(ConnectionClosed):
        send(*['{"id": 1, "do": "stop"}'] * 100_000)
    with Page(server.address) as page:
        assert page.ask()["final"]


def test_messages_are_counted_by_the_clock() -> None:
    now = 0.0
    rate = Rate(lambda: now)
    allowed = sum(rate.allows() for _ in range(1000))
    assert allowed == 400
    now = 0.5
    assert sum(rate.allows() for _ in range(1000)) == 50


def test_twenty_pages_of_which_one_does_not_read(server: Server) -> None:
    with ExitStack() as opened_pages:
        slow, *pages = [opened_pages.enter_context(Page(server.address)) for _ in range(20)]
        for number in range(200):
            slow.say("ask", state={"replicas": 3, "settings": {PENALTY: 1e-5 + number * 1e-8}}, panels=list(PANELS))
        for number, page in enumerate(pages):
            page.say("ask", state={"replicas": 3, "seed": number}, panels=["makers"])
        values = [page.until("answer")["panels"]["makers"]["rows"][0]["now"][0]["value"] for page in pages]
        assert len(set(values)) == 19


# --- the command


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with raises(ParameterError, f"--port {port}"):
            Server(opened("paper", SMALL), port)


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        (["paper", "--set", f"{ALPHA}=-1"], "makers.0.pricing.alpha", "-1"),
        (["paper", "--port", "70000"], "--port", None),
        (["no-such-market"], "no-such-market", None),
    ],
)
def test_bad_input_gets_the_lines_of_check(
    arguments: list[str], field: str, value: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explore", *arguments, "--no-browser"]) == 2
    assert_says(capsys.readouterr().err, field, value)


def test_an_extra_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from dealermarket.commands import explore

    monkeypatch.setattr(explore, "find_spec", lambda name: None if name == "uvicorn" else name)
    assert main(["explore", "--no-browser"]) == 2
    assert "pip install 'dealermarket[explore]'" in capsys.readouterr().err


# The command where Ctrl-C is not ignored, as it is in processes that a script began in its background
ANSWERING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from dealermarket.commands.main import main
sys.exit(main())
"""


def started(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """The command in a process of its own, and the address that it prints."""
    command = [sys.executable, "-c", ANSWERING, "explore", *arguments, "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "http://" in line:
            return process, line[line.index("http://") :].strip()
    raise AssertionError(process.communicate()[1])


@pytest.mark.compiled
def test_ctrl_c_ends_it() -> None:
    process, _ = started("paper")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=DEADLINE)
    assert "Traceback" not in said
    assert process.returncode == 130


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
def test_two_thousand_changes_take_no_more_memory() -> None:
    process, address = started("paper", "--set", "steps=8", "--set", "reward_horizon=2")

    def pages_of_memory() -> int:
        return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])

    try:
        with Page(address) as page:
            for number in range(2200):
                if number == 200:  # more than the markets that are kept
                    before = pages_of_memory()
                settings = {PENALTY: 1e-5 * (1 + number / 1000)}
                page.say("ask", state={"replicas": 3, "settings": settings, "pin": {}}, panels=["pnl"])
                page.until("answer")
        assert pages_of_memory() < 1.05 * before
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE)
