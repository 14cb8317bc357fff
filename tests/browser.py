"""A real browser for tests: the machine's Chromium by Playwright, and what it blocks and complains of."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from functools import cache
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, ConsoleMessage, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"width": 1200, "height": 900}
PHONE = {"width": 360, "height": 740}
PATIENCE_MS = 30_000
FETCH_SECONDS = 180
NO_BROWSER = "no Chromium (on Debian, `apt-get install chromium` brings one)"


class Browser:
    """A browser with a profile of its own; `complaints` are the errors, warnings and dialogs of its pages."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.complaints: list[str] = []
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._note)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    async def page(self) -> Page:
        """A new page."""
        return await self.context.new_page()


def executable() -> str | None:
    """Where the machine's Chromium is; None for Playwright's own, which is fetched where it is not there yet.

    Skips the test where neither can be had.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and (why := fetched()) is not None:
        pytest.skip(f"{NO_BROWSER}: {why}")
    return found


@cache
def fetched() -> str | None:
    """Fetch Playwright's Chromium, unless it is there; None where it is, and else why it could not be had."""
    command = [sys.executable, "-m", "playwright", "install", "--only-shell", "--no-progress", "chromium"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"playwright did not fetch one within {FETCH_SECONDS} s"
    lines = (done.stderr or done.stdout).strip().splitlines()
    return None if done.returncode == 0 else f"playwright fetched none: {lines[0] if lines else 'no reason'}"


@contextlib.asynccontextmanager
async def open_browser(base_url: str) -> AsyncGenerator[Browser]:
    """A browser for the length of a block, whose pages' addresses begin with this one."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        async with async_playwright() as playwright:
            context = await playwright.chromium.launch_persistent_context(
                profile,
                executable_path=executable(),
                args=FLAGS,
                base_url=base_url,
                viewport=DESKTOP,  # type: ignore[arg-type]
            )
            try:
                yield Browser(context)
            finally:
                await context.close()


async def without_scripts(page: Page) -> None:
    """Have a page's scripts not run from now on, as a browser does whose owner switched them off."""
    session: Any = await page.context.new_cdp_session(page)
    await session.send("Emulation.setScriptExecutionDisabled", {"value": True})


async def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page."""
    axe: Any = Axe()
    found = await axe.run(page)
    return [
        f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']][:3]}"
        for one in found.response["violations"]
    ]
