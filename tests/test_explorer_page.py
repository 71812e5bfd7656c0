"""The live page in a real browser: Debian's Chromium, driven by Playwright. Skipped where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dealermarket import Scenario, SimulationRunner
from dealermarket.commands.main import main
from dealermarket.explorer.opened import opened
from dealermarket.explorer.server import Server
from dealermarket.study import compare

pytest.importorskip("websockets")
playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: Debian's package `chromium`"),
    pytest.mark.compiled,
    pytest.mark.slow,
]
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync"
)
MILLISECONDS = 120_000.0  # that the browser waits for anything: far beyond what it takes
SMALL = ("steps=96", "reward_horizon=4")
ALPHA = "makers.maker-1.pricing.alpha"
PENALTY = "makers.maker-1.pricing.tier_penalty"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield started
        started.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(opened("paper", SMALL)) as running:
        yield running


class Tab:
    """A page in the browser, which may ask its own server and nobody else."""

    def __init__(self, browser: Any, address: str, width: int = 1400, height: int = 900, scheme: str = "light") -> None:
        self.address, self.said, self.elsewhere = address, [], []
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce", accept_downloads=True
        )
        self.context.set_default_timeout(MILLISECONDS)
        self.context.route("**/*", self._allow)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def _allow(self, route: Any) -> None:
        if urlsplit(route.request.url).netloc == urlsplit(self.address).netloc:
            route.continue_()
        else:
            self.elsewhere.append(route.request.url)
            route.abort()

    def __enter__(self) -> Tab:
        self.page.goto(self.address)
        self.settled()
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.context.close()
        if kind is None:
            assert self.elsewhere == []
            assert self.said == []

    def settled(self) -> None:
        """Waits until all replicas of the newest question are drawn."""
        self.page.locator('body[data-final="true"]').wait_for()

    def redraws(self) -> int:
        return int(self.page.locator("body").get_attribute("data-redraws"))

    def set(self, path: str, value: str) -> None:
        """Types a value into a control, and waits for its answer."""
        control = self.page.locator(f'[data-path="{path}"]')
        group = control.locator("xpath=ancestor::details")
        if group.count() and group.get_attribute("open") is None:
            group.locator("summary").click()
        control.fill(value)
        control.press("Enter")
        self.settled()

    def number(self, maker: str, statistic: str) -> dict[str, float]:
        """What a cell of the table of makers holds, with all digits: `value`, `low`, `high` and, of a pinned market, the
        `difference` with its bounds."""
        cell = self.page.locator(f'td[data-maker="{maker}"][data-statistic="{statistic}"]')
        held = {key: cell.get_attribute(f"data-{key.replace('_', '-')}") for key in NUMBERS}
        return {key: float(value) for key, value in held.items() if value is not None}

    def wait(self, selector: str) -> Any:
        """The element, once it is there."""
        found = self.page.locator(selector)
        found.first.wait_for()
        return found


NUMBERS = ("value", "low", "high", "difference", "difference_low", "difference_high")


def test_the_numbers_are_those_of_a_run(browser: Any, server: Server) -> None:
    with Tab(browser, server.address) as tab:
        tab.set(ALPHA, "1.3")
        tab.set("replicas", "60")
        tab.set("seed", "3")
        scenario = Scenario.load("paper", [*SMALL, f"{ALPHA}=1.3"])
        expected = SimulationRunner(scenario, 60, 3).run().statistics()
        for maker in scenario.maker_names:
            for statistic in ("market_share", "pnl", "total_reward"):
                wanted = expected[maker][statistic]
                assert tab.number(maker, statistic) == {name: float(getattr(wanted, name)) for name in ("value", "low", "high")}


def test_what_is_pinned_is_compared_on_the_same_prices_and_requests(browser: Any, server: Server) -> None:
    with Tab(browser, server.address) as tab:
        tab.set("replicas", "40")
        tab.page.locator("#pin").click()
        tab.settled()
        tab.set(ALPHA, "1.3")
        scenario = Scenario.load("paper", SMALL)
        comparison = compare(scenario, scenario.with_settings(f"{ALPHA}=1.3"), replicas=40)
        wanted = comparison.of("maker-1")["market_share"].difference
        shown = tab.number("maker-1", "market_share")
        assert (shown["difference_low"], shown["difference_high"]) == (float(wanted.low), float(wanted.high))
        tab.page.locator("#unpin").click()
        tab.settled()
        assert "difference" not in tab.number("maker-1", "market_share")


def test_the_address_holds_the_state(browser: Any, server: Server) -> None:
    with Tab(browser, server.address) as tab:
        tab.set("replicas", "30")
        tab.page.locator("#pin").click()
        tab.set(ALPHA, "1.2")
        tab.page.locator('[data-add="maker-2"]').click()
        tab.wait('td[data-maker="new-1"]')
        tab.settled()
        shown = [tab.number(maker, "pnl") for maker in ("maker-1", "maker-2", "new-1")]
        tab.page.wait_for_url(lambda address: "new-1" in address)
        address = tab.page.url
        tab.page.reload()
        tab.wait('td[data-maker="new-1"]')
        tab.settled()
        assert [tab.number(maker, "pnl") for maker in ("maker-1", "maker-2", "new-1")] == shown
    with Tab(browser, address) as shared:
        assert [shared.number(maker, "pnl") for maker in ("maker-1", "maker-2", "new-1")] == shown


def test_keys_move_a_slider_and_reset_takes_it_back(browser: Any, server: Server) -> None:
    with Tab(browser, server.address) as tab:
        tab.set("replicas", "10")
        before = tab.number("maker-1", "market_share")
        slider = tab.page.locator(f'[data-control="{ALPHA}"] input[type="range"]')
        slider.focus()
        for _ in range(10):
            slider.press("ArrowLeft")
        tab.wait(f'[data-control="{ALPHA}"].changed')
        tab.settled()
        assert float(tab.page.locator(f'[data-path="{ALPHA}"]').input_value()) == pytest.approx(1.4)
        assert tab.number("maker-1", "market_share") != before
        tab.page.locator(f'[data-reset="{ALPHA}"]').click()
        tab.settled()
        assert tab.number("maker-1", "market_share") == before


def test_a_hundred_moves_of_a_slider_leave_no_backlog(browser: Any, server: Server) -> None:
    with Tab(browser, server.address) as tab:
        tab.set("replicas", "20")
        before = tab.redraws()
        slider = tab.page.locator(f'[data-control="{PENALTY}"] input[type="range"]')
        slider.evaluate(
            """async (slider) => {
                for (let move = 1; move <= 100; move += 1) {
                    slider.value = Number(slider.min) + (Number(slider.max) - Number(slider.min)) * move / 200;
                    slider.dispatchEvent(new Event("input", { bubbles: true }));
                    await new Promise((done) => setTimeout(done, 16));
                }
            }"""
        )
        tab.settled()
        asked = float(tab.page.locator(f'[data-path="{PENALTY}"]').input_value())
        scenario = Scenario.load("paper", [*SMALL, f"{PENALTY}={asked}"])
        expected = SimulationRunner(scenario, 20).run().statistics()["maker-1"]["pnl"]
        assert tab.number("maker-1", "pnl")["value"] == float(expected.value)
        assert 1 <= tab.redraws() - before <= 101


def test_steps_are_told_as_they_are_scrubbed(browser: Any, server: Server) -> None:
    with Tab(browser, server.address) as tab:
        tab.set("replicas", "10")
        panel = tab.page.locator('[data-panel="step"]')
        panel.scroll_into_view_if_needed()
        tab.wait('[data-panel="step"][data-step="0"]')
        panel.locator('[data-path="step"]').fill("40")
        panel.locator('[data-path="step"]').press("Enter")
        tab.wait('[data-panel="step"][data-step="40"]')
        mid = SimulationRunner(Scenario.load("paper", SMALL), 1).run().trace(0, 40).mid
        assert f"{mid:.6f}"[:7] in panel.inner_text()
        panel.locator('input[type="range"]').press("ArrowRight")
        tab.wait('[data-panel="step"][data-step="41"]')


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 1000, 390])
def test_the_page_fits_its_window(browser: Any, server: Server, width: int, scheme: str) -> None:
    with Tab(browser, server.address, width, 900, scheme) as tab:
        for panel in tab.page.locator("[data-panel]").all():
            panel.scroll_into_view_if_needed()
        tab.wait('[data-panel="step"][data-step="0"]')
        tab.settled()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
        for canvas in tab.page.locator("[data-panel] canvas").all():
            box = canvas.bounding_box()
            assert box is None or box["x"] + box["width"] <= width


def test_problems_stand_at_their_control(browser: Any, server: Server) -> None:
    with Tab(browser, server.address) as tab:
        before = tab.number("maker-1", "pnl")
        control = tab.page.locator(f'[data-path="{ALPHA}"]')
        control.fill("-1")
        control.press("Enter")
        wrong = tab.wait(f'[data-control="{ALPHA}"] .wrong:not([hidden])')
        assert "-1" in wrong.inner_text()
        assert tab.number("maker-1", "pnl") == before
        tab.set(ALPHA, "1.5")
        assert tab.page.locator(".wrong:not([hidden])").count() == 0


def test_a_click_on_a_sweep_loads_its_point(browser: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vary = ["--vary", f"{ALPHA}=1.2,1.4", "--vary", "makers.maker-1.hedging.risk_aversion=0.1,0.2"]
    small = ["--steps", "96", "--replicas", "5"]
    assert main(["sweep", "paper", *vary, *small, "--out", str(tmp_path / "sweep")]) == 0
    capsys.readouterr()
    with Server(opened(str(tmp_path / "sweep"))) as server, Tab(browser, server.address) as tab:
        points = tab.wait('[data-panel="sweep"] [data-point]')
        assert points.count() == 4
        tab.page.locator('[data-panel="sweep"] [data-point="2"]').click()
        tab.wait(f'[data-control="{ALPHA}"].changed')
        tab.settled()
        assert float(tab.page.locator(f'[data-path="{ALPHA}"]').input_value()) == 1.4
        scenario = Scenario.load("paper", ["steps=96", f"{ALPHA}=1.4", "makers.maker-1.hedging.risk_aversion=0.1"])
        expected = SimulationRunner(scenario, 5).run().statistics()["maker-1"]["pnl"]
        assert tab.number("maker-1", "pnl")["value"] == float(expected.value)


def test_makers_with_odd_names_are_copied_and_kept_in_the_address(browser: Any, tmp_path: Path) -> None:
    paper = Scenario.load("paper", SMALL)
    names = ("a:b=<i>&#+%", "L.P.")
    makers = [maker.replace(name=name) for maker, name in zip(paper.makers, names, strict=True)]
    (tmp_path / "odd.toml").write_text(paper.replace(makers=makers).to_toml(), encoding="utf-8")
    with Server(opened(str(tmp_path / "odd.toml"))) as server, Tab(browser, server.address) as tab:
        tab.set("replicas", "10")
        tab.set("makers.1.pricing.alpha", "1.2")
        for number, name in enumerate(names):
            tab.page.locator(f'[data-add="{name}"]').click()
            tab.wait(f'td[data-maker="new-{number + 1}"]')
        tab.settled()
        assert tab.page.locator('[data-path="makers.new-2.pricing.alpha"]').input_value() == "1.2"
        shown = [tab.number(maker, "pnl") for maker in (*names, "new-1", "new-2")]
        tab.page.wait_for_url(lambda address: "new-2" in address)
        tab.page.reload()
        tab.wait('td[data-maker="new-2"]')
        tab.settled()
        assert [tab.number(maker, "pnl") for maker in (*names, "new-1", "new-2")] == shown


def test_a_browser_without_websockets_is_told_so(browser: Any, server: Server) -> None:
    context = browser.new_context()
    context.add_init_script("delete window.WebSocket")
    page = context.new_page()
    page.goto(server.address)
    notice = page.locator('[data-notice="lost"]')
    notice.wait_for()
    assert "WebSocket" in notice.inner_text()
    context.close()
