"""A real Chromium for tests marked `browser`; they skip with the reason where there is none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path(os.environ.get("GREENROOM_CHROMIUM", "/usr/bin/chromium"))
DESKTOP = (1366, 820)
PHONE = (390, 844)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for synchronous tests (it cannot run inside a running event loop)."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: set GREENROOM_CHROMIUM to a Chromium or Chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--headless", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(
    browser: Browser,
    size: tuple[int, int] = DESKTOP,
    *,
    zone: str = "Europe/Berlin",
    scheme: Literal["light", "dark"] = "light",
    javascript: bool = True,
) -> Iterator[tuple[Page, list[str]]]:
    """A page in a fresh profile, and the list into which its errors go (scripts, policies, missing files)."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=size == PHONE,
        timezone_id=zone,
        color_scheme=scheme,
        java_script_enabled=javascript,
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    try:
        yield page, errors
    finally:
        context.close()
