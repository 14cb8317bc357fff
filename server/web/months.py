"""Importing a month from the page: asked for, worked at by the fleet, looked at, tried again, cancelled."""

from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from ops.backfill.queries import BackfillDay, DayState
from runs import run as runs
from runs.run import Refresh, RunFailure
from schemas.askable import fault_of_months, first_of_month
from schemas.scopes import Scope
from server.api import backfills
from server.api.backfills import BackfillRequest
from server.http.callers import needs
from server.http.services import ApiRequest, connected
from server.web import links
from server.web.fields import Row, Words
from server.web.forms import entered, faults_of_track, form_page
from server.web.pages import go_to, page
from server.web.texts import TEXTS
from store.pool import Connection

_CHOICES: tuple[Refresh, ...] = ("missing", "changed", "all")

MOST_DAYS = 200
"""Days of a page: a backfill may have years of them."""

MOST_FAILED_DAYS = 31
"""Days of which the failed sessions are told."""


class WantedMonth(Struct, frozen=True, kw_only=True):
    """What was entered into the form, as it was sent."""

    track_slug: str = ""
    month: str = ""
    refresh: str = _CHOICES[0]


@get("/imports/months/new", guards=[needs(Scope.ingest)])
async def read_month_form(request: ApiRequest, track: Words = "", month: Words = "") -> Response[bytes]:
    """Ask which month is wanted."""
    return _form(request, WantedMonth(track_slug=track, month=month))


@post("/imports/months", guards=[needs(Scope.ingest)])
async def begin_month(request: ApiRequest) -> Response[bytes] | Redirect:
    """Ask the fleet for a month, or join what it works at, and lead to its page."""
    wanted = await entered(request, WantedMonth)
    if faults := faults_of(wanted):
        return _form(request, wanted, faults)
    begun = await backfills.begin(request, _asked(wanted))
    return go_to(links.month_import(begun.backfill_id))


def _asked(wanted: WantedMonth) -> BackfillRequest:
    facts = {
        "track_slug": wanted.track_slug,
        "from_month": wanted.month,
        "to_month": wanted.month,
        "refresh": wanted.refresh,
    }
    return msgspec.convert(facts, BackfillRequest)


def faults_of(wanted: WantedMonth) -> dict[str, str]:
    """What is wrong with the form, by the names of its fields."""
    faults = faults_of_track(wanted.track_slug)
    month = first_of_month(wanted.month)
    if month is None:
        faults["month"] = TEXTS("months.bad_month")
    elif fault := fault_of_months(month, month):
        faults["month"] = fault
    if wanted.refresh not in _CHOICES:
        faults["refresh"] = TEXTS("imports.bad_refresh")
    return faults


def _form(request: ApiRequest, wanted: WantedMonth, faults: dict[str, str] | None = None) -> Response[bytes]:
    return form_page(request, "new_month.html", wanted, faults, choices=_CHOICES)


@get("/imports/months/{backfill_id:uuid}", guards=[needs(Scope.read)])
async def read_month_import(request: ApiRequest, backfill_id: Row) -> Response[bytes]:
    """Show how far the import of a month is: its days, which are stored, what failed and why."""
    async with connected(request) as connection:
        view = await backfills.view_of(request, connection, backfill_id)
        failures = await _failures(connection, view.each_day)
    return page(request, "month.html", view=view, days=most_telling(view.each_day), failures=failures)


def most_telling(days: list[BackfillDay]) -> list[BackfillDay]:
    """As many days as a page shows: that which is imported, those that failed, and the first others."""
    counts = sorted(days, key=lambda day: (_TELLING.get(day.state, len(_TELLING)), day.event_date))
    return sorted(counts[:MOST_DAYS], key=lambda day: day.event_date)


_TELLING: dict[DayState, int] = {"running": 0, "failed": 1, "partial": 1}
"""The states that a page shows first of all."""


async def _failures(connection: Connection, days: list[BackfillDay]) -> dict[UUID, list[RunFailure]]:
    """The sessions that failed, by the runs of the days that came in partly."""
    partial = [day.run_id for day in days if day.state == "partial" and day.run_id]
    return {run: await runs.failures(connection, run) for run in partial[:MOST_FAILED_DAYS]}


@post("/imports/months/{backfill_id:uuid}/retry", guards=[needs(Scope.ingest)])
async def retry_month(request: ApiRequest, backfill_id: Row) -> Redirect:
    """Let the fleet try again what failed."""
    await backfills.retry(request, backfill_id)
    return go_to(links.month_import(backfill_id))


@post("/imports/months/{backfill_id:uuid}/cancel", guards=[needs(Scope.ingest)])
async def cancel_month(request: ApiRequest, backfill_id: Row) -> Redirect:
    """Ask for no further day."""
    await backfills.cancel(request, backfill_id)
    return go_to(links.month_import(backfill_id))
