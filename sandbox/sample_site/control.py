"""The controls, for when the site runs in another process than the test that steers it.

GET    /_control/statistics   what was asked, when, how much at once
PUT    /_control/settings     {"latency_seconds": 0.1, "gzip": false, …}: what is not named stays
POST   /_control/faults       {"kind": "status", "status": 503, "match": {"page": "session"}, "times": 2, …}
DELETE /_control/faults
POST   /_control/days         {"track_slug": …, "date": …, "preset": "real_shape"}, or "sessions": 100, …
POST   /_control/edits        {"track_slug": …, "date": …, "edits": [{"edit": "remove_lap", …}, …]}
POST   /_control/put-back     {"track_slug": …, "date": …}
POST   /_control/grow         {"track_slug": …, "date": …, "shown": 3, "every_seconds": 60}
POST   /_control/reset

In: JSON; a wrong one is answered with 400 and {"error": …}. Out: JSON.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from sandbox.sample_site import naming
from sandbox.sample_site.cases import cases_day
from sandbox.sample_site.edits import Edit
from sandbox.sample_site.faults import Fault
from sandbox.sample_site.generate import generate_day, real_shape_day
from sandbox.sample_site.model import SampleDay
from sandbox.sample_site.site import SampleSite, Settings

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class DayName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which day is meant."""

    track_slug: str
    date: dt.date


class DayOrder(DayName, frozen=True, kw_only=True):
    """A day to be put; `sessions` and `laps_per_session` shape a generated one."""

    preset: Literal["generated", "real_shape", "cases", "empty"] = "generated"
    seed: int = 1
    sessions: int = 20
    laps_per_session: int | None = None

    def day(self) -> SampleDay:
        """The ordered day; a ValueError when it would be too large."""
        match self.preset:
            case "real_shape":
                return real_shape_day(self.track_slug, self.date, seed=self.seed)
            case "cases":
                return cases_day(self.track_slug, self.date)
            case "empty":
                return SampleDay(self.track_slug, naming.track_name(self.track_slug), self.date)
            case "generated":
                return generate_day(
                    self.track_slug,
                    self.date,
                    seed=self.seed,
                    sessions=self.sessions,
                    laps_per_session=self.laps_per_session,
                )


class Edits(DayName, frozen=True, kw_only=True):
    """Corrections of one day, made in this order."""

    edits: list[Edit]


class Growing(DayName, frozen=True, kw_only=True):
    """A day that shows its first sessions only; then one more each so many seconds, where that is given."""

    shown: Annotated[int, Meta(ge=0)]
    every_seconds: Annotated[float, Meta(gt=0)] | None = None


def add_routes(app: web.Application, site: SampleSite) -> None:
    """Add the controls of the site to an application."""
    controls = _Controls(site)
    routes: list[tuple[str, str, _Handler]] = [
        ("GET", "statistics", controls.statistics),
        ("PUT", "settings", controls.change_settings),
        ("POST", "faults", controls.add_fault),
        ("DELETE", "faults", controls.clear_faults),
        ("POST", "days", controls.put_day),
        ("POST", "edits", controls.edit),
        ("POST", "put-back", controls.put_back),
        ("POST", "grow", controls.grow),
        ("POST", "reset", controls.reset),
    ]
    for method, name, handler in routes:
        app.router.add_route(method, f"/_control/{name}", _guarded(handler))


def _guarded(handler: _Handler) -> _Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ValueError as error:
            return _json({"error": str(error)}, status=400)

    return answer


class _Controls:
    def __init__(self, site: SampleSite) -> None:
        self._site = site

    async def statistics(self, _request: web.Request) -> web.Response:
        return _json(self._site.ledger.statistics())

    async def change_settings(self, request: web.Request) -> web.Response:
        changes = msgspec.json.decode(await request.read(), type=dict[str, object])
        settings = {**msgspec.to_builtins(self._site.settings), **changes}
        self._site.settings = msgspec.convert(settings, Settings)
        return _json(self._site.settings)

    async def add_fault(self, request: web.Request) -> web.Response:
        fault = msgspec.json.decode(await request.read(), type=Fault)
        self._site.faults.add(fault)
        return _json(fault)

    async def clear_faults(self, _request: web.Request) -> web.Response:
        self._site.faults.clear()
        return _json({})

    async def put_day(self, request: web.Request) -> web.Response:
        day = msgspec.json.decode(await request.read(), type=DayOrder).day()
        self._site.put(day)
        return _sessions_of(day)

    async def edit(self, request: web.Request) -> web.Response:
        order = msgspec.json.decode(await request.read(), type=Edits)
        for edit in order.edits:
            self._site.change(order.track_slug, order.date, edit)
        return _sessions_of(self._site.day(order.track_slug, order.date))

    async def put_back(self, request: web.Request) -> web.Response:
        name = msgspec.json.decode(await request.read(), type=DayName)
        return _sessions_of(self._site.put_back(name.track_slug, name.date))

    async def grow(self, request: web.Request) -> web.Response:
        order = msgspec.json.decode(await request.read(), type=Growing)
        return _sessions_of(
            self._site.grow(order.track_slug, order.date, order.shown, every_seconds=order.every_seconds)
        )

    async def reset(self, _request: web.Request) -> web.Response:
        self._site.reset()
        return _json({})


def _sessions_of(day: SampleDay) -> web.Response:
    return _json({"sessions": [session.session_id for session in day.sessions]})


def _json(value: object, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")
