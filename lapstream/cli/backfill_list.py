"""Backfills on the terminal: how far each is, and what is done about one."""

from functools import partial
from uuid import UUID

from lapstream.cli.database import on_database
from lapstream.cli.output import note, out, print_json
from lapstream.cli.tables import Listing, facts, facts_of
from ops.backfill import queries as backfills
from ops.backfill import views
from ops.backfill.views import BackfillView
from producer.site import Site
from runtime.settings import read_settings
from schemas.errors import LapstreamError
from store.pool import Connection


class BackfillNotFound(LapstreamError):
    """There is no such backfill."""


def list_backfills(track: str | None, limit: int, *, as_json: bool) -> None:
    """List backfills, the newest first."""
    found = on_database(partial(views.find, track_slug=track, before=None, limit=limit))
    if as_json:
        print_json(found)
        return
    numbers = ("Days", "Waiting", "Failed")
    table = Listing("Backfill", "Track", "Months", "Status", *numbers, folded={"Track"}, right=numbers)
    for one in found:
        months = f"{one.from_month} to {one.to_month}"
        days = (str(one.days), str(one.days_waiting), str(one.days_failed))
        table.add(str(one.backfill_id), one.track_slug, months, one.status, *days)
    out.print(table)


def show_backfill(backfill: UUID, *, as_json: bool) -> None:
    """Show a backfill."""
    found = on_database(partial(views.read, backfill_id=backfill, site=_site()))
    _show(_found(found, backfill), as_json=as_json)


def retry_backfill(backfill: UUID, *, as_json: bool) -> None:
    """Let the fleet go on with a backfill; raises `BackfillEnded`."""
    found = on_database(partial(views.retry, backfill_id=backfill, site=_site()))
    _show(_found(found, backfill), as_json=as_json)


def cancel_backfill(backfill: UUID, *, as_json: bool) -> None:
    """Ask for no further day of a backfill."""

    async def cancelled(connection: Connection) -> BackfillView | None:
        await backfills.cancel(connection, backfill)
        return await views.read(connection, backfill, _site())

    _show(_found(on_database(cancelled), backfill), as_json=as_json)


def _site() -> Site:
    return Site(read_settings().site)


def _found(view: BackfillView | None, backfill: UUID) -> BackfillView:
    if view is None:
        raise BackfillNotFound(f"there is no backfill {backfill}: `lapstream backfills list` shows them")
    return view


def _show(view: BackfillView, *, as_json: bool) -> None:
    if as_json:
        print_json(view)
        return
    names = (
        "backfill_id",
        "refresh",
        "created_at",
        "finished_at",
        "days",
        "sessions",
        "laps_ingested",
        "doing",
    )
    about = facts_of({name: getattr(view, name) for name in names})
    out.print(facts(f"{view.track_slug}, {view.from_month} to {view.to_month}: {view.status}", about))
    table = Listing("Day", "Sessions", "Stored", "State", right={"Sessions", "Stored"})
    for day in view.each_day:
        table.add(str(day.event_date), str(day.sessions), str(day.stored), day.state)
    out.print(table)
    for month in view.months:
        if month.error:
            note(f"month {month.month} is unknown: {month.error}")
    for day in view.each_day:
        if day.error:
            note(f"{day.event_date} {day.state}: {day.error}")
    if view.error:
        note(view.error)
