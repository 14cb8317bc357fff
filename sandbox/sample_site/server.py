"""The site over HTTP.

In: a `SampleSite`. Out: `serve`, a running server; its pages stand at `{base_url}/{track_slug}/practice/`,
its controls at `{base_url}/_control/`.
"""

import asyncio
import datetime as dt
import re
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache

from aiohttp import hdrs, web

from sandbox.sample_site import control, naming
from sandbox.sample_site.faults import Asked, Fault
from sandbox.sample_site.notpages import nested, render_bot_check, render_error_page, render_login, truncated
from sandbox.sample_site.site import TODAY, Page, SampleSite

CATALOGUE = "live"
"""What stands in place of a track's slug in the address of the list of all tracks."""

_SLUG = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_ODD_HEAD = (
    b'HTTP/1.1 200 OK\r\nServer: caf\xe9\r\nETag: "\xff\xfe"\r\n'
    b"Content-Type: text/html; charset=utf-8; note=\x80\r\n"
)
_MEGABYTE = bytes(1_000_000)


@dataclass(frozen=True, slots=True)
class RunningSite:
    """Where a running site is."""

    base_url: str

    @property
    def site_template(self) -> str:
        """What the fetcher is told instead of the real site's address."""
        return f"{self.base_url}/{{track_slug}}"

    @property
    def control_url(self) -> str:
        """Under which the controls stand."""
        return f"{self.base_url}/_control"


@asynccontextmanager
async def serve(site: SampleSite, *, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[RunningSite]:
    """Serve the site; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    runner = web.AppRunner(
        application(site), handler_cancellation=True, access_log=None, shutdown_timeout=1.0
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield RunningSite(f"http://{host}:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


def application(site: SampleSite) -> web.Application:
    """The routes of the site and of its controls."""
    pages = _Pages(site)
    app = web.Application()
    control.add_routes(app, site)
    app.router.add_get("/robots.txt", pages.robots)
    app.router.add_get(f"/{CATALOGUE}/", pages.catalogue)
    app.router.add_get(f"/{{track_slug:{_SLUG}}}/practice/", pages.practice)
    app.router.add_get("/{path:.*}", pages.other)
    return app


class _Pages:
    def __init__(self, site: SampleSite) -> None:
        self._site = site

    async def robots(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, Asked("robots", request.path_qs))

    async def other(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, Asked("other", request.path_qs))

    async def catalogue(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, Asked("catalogue", request.path_qs))

    async def practice(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, self._asked(request))

    def _asked(self, request: web.Request) -> Asked:
        path, query = request.path_qs, request.query
        track = request.match_info["track_slug"]
        match query.get("p"):
            case "view_session":
                session_id = query.get("id", "")
                return Asked("session", path, track, self._site.date_of(track, session_id), session_id)
            case "session_list":
                date = _date(query.get("d", ""))
                return Asked("day_list" if date else "other", path, track, date)
            case "calendar":
                date = _first_of_month(query.get("d", ""))
                return Asked("month" if date else "other", path, track, date)
            case None:
                return Asked("month", path, track, TODAY.replace(day=1))
            case _:
                return Asked("other", path, track)

    async def _answer(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        with self._site.ledger.running(asked) as record:
            faults = self._site.faults.take(asked)
            late = sum(fault.seconds for fault in faults if fault.kind == "delay")
            await asyncio.sleep(self._site.settings.latency_seconds + late)
            wrong = faults[-1] if faults and faults[-1].kind != "delay" else None
            response = await self._faulty(request, asked, wrong) if wrong else self._right(request, asked)
            record.status = response.status if response is not None else None
            return _cut(request) if response is None else response

    def _right(self, request: web.Request, asked: Asked) -> web.Response:
        if asked.page == "robots":
            return web.Response(text=self._site.settings.robots_txt)
        page = self._page(request, asked)
        if page is None:
            return _html(render_error_page("404 Not Found", "There is no such page."), status=404)
        return self._packed(request, page)

    def _page(self, request: web.Request, asked: Asked) -> Page | None:
        track, date = asked.track_slug, asked.date
        if asked.page == "catalogue":
            return self._site.catalogue_page(request.host)
        if asked.page == "session" and track is not None:
            return self._site.session_page(track, asked.session_id or "")
        if track is None or date is None:
            return None
        if asked.page == "month":
            return self._site.month_page(track, date.year, date.month)
        return self._site.list_page(track, date)

    def _packed(self, request: web.Request, page: Page) -> web.Response:
        settings = self._site.settings
        headers: dict[str, str] = {hdrs.VARY: "Accept-Encoding"}
        if settings.etag:
            headers[hdrs.ETAG] = page.etag
            if page.etag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
                return web.Response(status=304, headers=headers)
        if settings.gzip and "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            headers[hdrs.CONTENT_ENCODING] = "gzip"
            return _html(page.gzipped, headers=headers)
        return _html(page.body, headers=headers)

    async def _faulty(self, request: web.Request, asked: Asked, fault: Fault) -> web.Response | None:
        """The answer that the fault makes of it; None to cut the connection."""
        match fault.kind:
            case "drop":
                return None
            case "status":
                retry_after = fault.retry_after
                headers = None if retry_after is None else {"Retry-After": retry_after}
                return _html(render_error_page(f"{fault.status}"), status=fault.status, headers=headers)
            case "truncate" | "odd_headers":
                page = self._page(request, asked)
                body = page.body if page else render_error_page()
                return _html(truncated(body)) if fault.kind == "truncate" else _oddly(request, body)
            case "other_day":
                return self._right(request, self._besides(asked))
            case "gzip_bomb":
                bomb = await asyncio.to_thread(_gzip_of_zeros, fault.megabytes)
                return _html(bomb, headers={"Content-Encoding": "gzip"})
            case _:
                return _html(_not_a_page(fault, asked))

    def _besides(self, asked: Asked) -> Asked:
        """The day before, or another session: of the same day where there is one."""
        track, date = asked.track_slug, asked.date
        if track is None or date is None:
            return asked
        before = date - dt.timedelta(days=1)
        if asked.page != "session":
            return Asked(asked.page, asked.path, track, before)
        sessions = (*self._site.day(track, date).sessions, *self._site.day(track, before).sessions)
        others = (each.session_id for each in sessions if each.session_id != asked.session_id)
        return Asked("session", asked.path, track, date, next(others, ""))


def _not_a_page(fault: Fault, asked: Asked) -> bytes:
    match fault.kind:
        case "bot_check":
            return render_bot_check()
        case "login":
            return render_login(naming.track_name(asked.track_slug or "sample"))
        case "error_page":
            return render_error_page()
        case "nested":
            return nested()
        case _:
            return b""


def _html(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=status, headers=headers, content_type="text/html", charset="utf-8")


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _oddly(request: web.Request, body: bytes) -> web.Response:
    """The page under headers that aiohttp would not write; the connection ends with it."""
    head = _ODD_HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    if request.transport is not None:
        request.transport.write(head + body)
        request.transport.close()
    return web.Response()


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _first_of_month(text: str) -> dt.date | None:
    found = _MONTH.match(text)
    return _date(f"{found[1]}-{found[2]}-01") if found else None


@cache
def _gzip_of_zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(level=9, wbits=31)
    return b"".join([*(packer.compress(_MEGABYTE) for _ in range(megabytes)), packer.flush()])
