"""Draws docs/images/explore.png: the live page of `dealers` with a change beside what was pinned, as Chromium shows it."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from dealermarket.explorer.opened import opened
from dealermarket.explorer.server import Server

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "explore.png"
FLAGS = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
CHANGED = "makers.tight.pricing.alpha"


def main() -> None:
    """Draws it."""
    with Server(opened("dealers")) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1400, "height": 1080}, color_scheme="light", reduced_motion="reduce")
        page.goto(server.address)
        page.locator('body[data-final="true"]').wait_for()
        page.locator("#pin").click()
        page.locator(f'[data-path="{CHANGED}"]').evaluate("control => control.closest('details').open = true")
        page.locator(f'[data-path="{CHANGED}"]').fill("1.3")
        page.locator(f'[data-path="{CHANGED}"]').press("Enter")
        page.locator(f'[data-control="{CHANGED}"].changed').wait_for()
        page.locator('body[data-final="true"]').wait_for()
        page.mouse.move(0, 0)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
