"""Pictures of all pages, on a Lapstream that runs: `python -m tests.docs.screenshots ADDRESS TOKEN`.

`make demo KEEP=1` prints such an address; `lapstream keys create pictures --scope operate` a token. Each page
is one picture in `docs/images/pages`: on a desktop and a phone, light and dark. Look at them before you keep
them.
"""

import asyncio
import base64
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from tests.browser import DESKTOP, PHONE, Browser, open_browser

IMAGES = Path(__file__).parents[2] / "docs" / "images" / "pages"
LOOKS = [(size, scheme) for size in (DESKTOP, PHONE) for scheme in ("light", "dark")]
WIDTHS = {DESKTOP["width"]: 620, PHONE["width"]: 250}
"""How wide a look is in the picture, by how wide it is on the screen."""

QUALITY = 80
PLAIN: dict[str, str | None] = {
    "start": "/",
    "drivers": "/drivers?q=e",
    "subscriptions": "/subscriptions",
    "import": "/imports/new",
    "import-month": "/imports/months/new",
    "sign-in": "/sign-in",
    "operate": "/operate",
    "operate-lag": "/operate/lag",
    "operate-runs": "/operate/runs",
    "operate-parked": "/operate/parked",
    "operate-rebuilds": "/operate/rebuilds",
    "operate-site": "/operate/site",
}
"""Pages whose addresses name nothing that is stored."""

PERSON = "Gideon+Larkspur"
"""Who has several transponders on the sample day; `lapstream aliases set` joins them."""

STYLE = "margin:0;background:#888;display:flex;align-items:flex-start;gap:8px;padding:8px;width:max-content"
SHEET = '<body style="{}">{}</body>'


async def main(address: str, token: str) -> None:
    """Take all pictures, one for each page."""
    async with open_browser(address) as browser:
        await sign_in(browser, token)
        for name, path in (await pages(browser)).items():
            looks = [await look(browser, path, size, scheme) for size, scheme in LOOKS]
            (IMAGES / f"{name}.jpg").write_bytes(await sheet(browser, looks))
            sys.stdout.write(f"{name}.jpg {path}\n")


async def sign_in(browser: Browser, token: str) -> None:
    """Sign in with a key."""
    page = await browser.page()
    await page.goto("/sign-in")
    await page.get_by_label("API key").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    await page.close()


async def pages(browser: Browser) -> Mapping[str, str]:
    """The addresses of pages of each kind, by the names of their pictures; of those that there are."""
    page = await browser.page()
    day = await linked(page, "/", "main a[href*='/tracks/'][href*='/20']") or "/"
    track = day.rpartition("/")[0]
    run = await linked(page, "/operate/runs", "main a[href^='/operate/runs/']")
    found = PLAIN | {
        "track": track,
        "records": f"{track}/records",
        "day": day,
        "session": await linked(page, day, "a[href^='/sessions/']"),
        "compare": await linked(page, day, "a[href^='/compare']"),
        "driver": await linked(page, day, "a[href^='/drivers/']"),
        "person": await linked(page, f"/drivers?q={PERSON}", "main a[href^='/drivers/']"),
        "import-run": await linked(page, run or "/", "main a[href^='/imports/']"),
        "operate-group": await linked(page, "/operate/lag", "a[href^='/operate/lag/']"),
        "operate-run": run,
        "operate-record": await linked(page, "/operate/parked", "th a[href^='/operate/parked/']"),
        "operate-rebuild": await linked(page, "/operate/rebuilds", "main a[href^='/operate/rebuilds/']"),
    }
    await page.close()
    return {name: path for name, path in found.items() if path}


async def linked(page: Page, path: str, selector: str) -> str | None:
    """The address of a page's first link of a kind; None where it has none."""
    await page.goto(path)
    links = page.locator(selector)
    return await links.first.get_attribute("href") if await links.count() else None


async def look(browser: Browser, path: str, size: Mapping[str, int], scheme: str) -> bytes:
    """A page's first screen, as wide as this, in this scheme of colours."""
    page = await browser.page()
    media: Any = {"color_scheme": scheme, "reduced_motion": "reduce"}
    await page.emulate_media(**media)
    await page.set_viewport_size({"width": size["width"], "height": size["height"]})
    await page.goto(path)
    picture = await page.screenshot()
    await page.close()
    return picture


async def sheet(browser: Browser, looks: list[bytes]) -> bytes:
    """All looks of a page beside each other."""
    page = await browser.page()
    await page.set_content(SHEET.format(STYLE, "".join(map(_image, LOOKS, looks))))
    picture = await page.locator("body").screenshot(type="jpeg", quality=QUALITY)
    await page.close()
    return picture


def _image(kind: tuple[Mapping[str, int], str], picture: bytes) -> str:
    width = WIDTHS[kind[0]["width"]]
    return f'<img width="{width}" src="data:image/png;base64,{base64.b64encode(picture).decode()}">'


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
