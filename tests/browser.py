"""A real browser for tests: the machine's Chromium by Playwright, and what it blocks and complains of."""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncGenerator
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


def executable() -> str:
    """Where a Chromium is; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine: on Debian, `apt-get install chromium` brings one")
    return found


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
