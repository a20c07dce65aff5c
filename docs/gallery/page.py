"""Take the README's pictures of the page, from a running `rowless demo`.

    python docs/gallery/page.py http://127.0.0.1:8765 [--out DIR]

Needs Debian's Chromium and the `dev` extra.
"""

# ruff: noqa: INP001  (a script, not a package)

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run"]
QUESTION = "orders from Germany by month and channel in 2024"


def take(browser: Browser, url: str, path: Path, *, scheme: Literal["light", "dark"], width: int, height: int) -> None:
    """Ask one question and take a picture of the answer."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#send:not([disabled])")
    page.fill("#question", QUESTION)
    page.press("#question", "Enter")
    page.wait_for_selector("#waiting", state="hidden")
    page.wait_for_selector("#answer:not([hidden])")
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=str(path))
    context.close()


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--out", type=Path, default=HERE / "page")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        take(browser, options.url, options.out / "light.png", scheme="light", width=1000, height=1180)
        take(browser, options.url, options.out / "dark.png", scheme="dark", width=1000, height=1180)
        take(browser, options.url, options.out / "phone.png", scheme="light", width=390, height=844)
        browser.close()


if __name__ == "__main__":
    main()
