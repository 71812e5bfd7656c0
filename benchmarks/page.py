"""How fast the live page answers in a real browser: prints the table of docs/performance.md, "The live page".

Usage: `python benchmarks/page.py [--json FILE]`, with Playwright and Chromium installed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

FLAGS = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
STEPS, REPLICAS, CHANGES = 96, 200, 30
MARKETS = {"paper": ("maker-1", 100.0), "dealers": ("tight", 250.0)}  # whose sliders, and the milliseconds that it should take
SLIDERS = ("pricing.tier_penalty", "hedging.risk_aversion", "pricing.alpha")
MILLISECONDS = 120_000.0

# Moves a slider, and returns how long the first and the last redraw of its answer took
MOVED = """async ([selector, share]) => {
    const slider = document.querySelector(selector), body = document.body;
    const began = performance.now(), before = Number(body.dataset.redraws);
    let first = null;
    const done = new Promise((resolve) => {
        const watching = new MutationObserver(() => {
            if (Number(body.dataset.redraws) === before) return;
            first ??= performance.now() - began;
            if (body.dataset.final !== "true") return;
            watching.disconnect();
            requestAnimationFrame(() => resolve([first, performance.now() - began]));
        });
        watching.observe(body, { attributes: true });
    });
    slider.value = Number(slider.min) + (Number(slider.max) - Number(slider.min)) * share;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    return done;
}"""

# A hundred moves, one every 16 ms; returns how many redraws they led to
DRAGGED = """async (selector) => {
    const slider = document.querySelector(selector), before = Number(document.body.dataset.redraws);
    for (let move = 1; move <= 100; move += 1) {
        slider.value = Number(slider.min) + (Number(slider.max) - Number(slider.min)) * move / 120;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((resolve) => setTimeout(resolve, 16));
    }
    return Number(document.body.dataset.redraws) - before;
}"""


def settled(page: Page) -> None:
    """Waits until the newest question is answered."""
    page.locator('body[data-final="true"]').wait_for(timeout=MILLISECONDS)


def measured(page: Page, maker: str) -> dict[str, Any]:
    """How long redraws take, in milliseconds, by slider."""
    found: dict[str, Any] = {}
    for slider in SLIDERS:
        selector = f'[data-control="makers.{maker}.{slider}"] input[type="range"]'
        page.evaluate(MOVED, [selector, 0.3])
        times = [page.evaluate(MOVED, [selector, 0.3 + 0.01 * (change + 1)]) for change in range(CHANGES)]
        first, last = (statistics.median(column) for column in zip(*times, strict=True))
        found[slider] = {"first": first, "last": last}
    found["redraws of 100 moves"] = page.evaluate(DRAGGED, f'[data-control="makers.{maker}.{SLIDERS[0]}"] input[type="range"]')
    settled(page)
    return found


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS.split())
        browser.new_page().close()  # it is there before the clock runs
        for market, (maker, target) in MARKETS.items():
            command = [sys.executable, "-m", "dealermarket", "explore", market, "--set", f"steps={STEPS}", "--no-browser"]
            began = time.perf_counter()
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
                assert server.stdout is not None
                address = next(line for line in server.stdout if "http://" in line).split()[-1]
                page = browser.new_page(viewport={"width": 1400, "height": 900})
                page.goto(address)
                page.locator("body[data-redraws]").wait_for(timeout=MILLISECONDS)
                view = time.perf_counter() - began
                settled(page)
                results[market] = {"first view, s": view, **measured(page, maker)}
                page.close()
                server.terminate()
            print(f"{market}, {REPLICAS} replicas of {STEPS} steps: first view {view:.2f} s after the command (target 3 s)")
            for slider in SLIDERS:
                first, last = results[market][slider]["first"], results[market][slider]["last"]
                said = f"{first:5.0f} ms to the first redraw, {last:5.0f} ms to the last (target {target:.0f} ms)"
                print(f"  {slider:24} {said}, medians of {CHANGES} changes")
            print(
                f"  100 moves of a slider, one every 16 ms: {results[market]['redraws of 100 moves']} redraws (target about 30)"
            )
        browser.close()
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
