"""Where a row comes from, put together: a table and a key go in, the answer comes out.

The row and its observations are read from the tables, the observations' records from the log, for as long as
the caller may wait, and their pages from the index of pages. No connection is held while the log is read.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec

from ops.provenance import queries as store
from ops.provenance.answer import Kind, Observation, PagePlace, Provenance, RecordPlace, Table
from ops.provenance.edited import edited, note_of
from ops.provenance.rows import find
from ops.provenance.search import Found, Searched, Wanted
from ops.provenance.sessions import UNEXPLAINED
from ops.provenance.subject import Subject, SubjectObservation
from producer.site import SOURCE, BadAddress, Site
from schemas.events import PracticeDayListed, SessionDetailFetched
from schemas.records import time_of
from store.pages import PageRow
from store.pool import Connection

UNNAMED = "the event names no page"
OTHERS = f"{{source}} publishes its events itself: pages of {SOURCE} only are archived"
UNKNOWN = "which page it was is not known"
NOT_INDEXED = "no such page of {url} is in the index of pages; is LAPSTREAM_SITE what it was fetched with?"

_TYPES: dict[Kind, str] = {
    "list": PracticeDayListed.type_name,
    "row": PracticeDayListed.type_name,
}
"""The types of observations whose record was not found; a detail's may be of any version."""

Connecting = Callable[[], AbstractAsyncContextManager[Connection]]
"""Gives a connection to the database, for the length of a block."""

Search = Callable[[Sequence[Wanted]], Awaitable[Searched]]
"""Looks for the records of observations, for as long as the caller may wait."""


async def explain(site: Site, connecting: Connecting, table: Table, key: str, search: Search) -> Provenance:
    """Where the row that a key names comes from; raises `NoSuchRow`."""
    async with connecting() as connection:
        subject = await find(connection, table, key)
    wanted = {one.stamp.event_id: Wanted(one.stamp, one.ref) for one in subject.seeings.values()}
    searched = await search(list(wanted.values())) if wanted else Searched()
    async with connecting() as connection:
        observations = [
            await _observation(connection, site, kind, seeing, searched)
            for kind, seeing in subject.seeings.items()
        ]
    return _answer(subject, observations, searched)


async def _observation(
    connection: Connection, site: Site, kind: Kind, seeing: SubjectObservation, searched: Searched
) -> Observation:
    stamp = seeing.stamp
    found = searched.found.get(stamp.event_id)
    sha256 = seeing.page_sha256 or (found.event.page_sha256 if found else None)
    url = _address(site, kind, seeing, found)
    page = await store.page_seen(connection, url, sha256, stamp.observed_at) if url and sha256 else None
    return Observation(
        kind=kind,
        event_id=stamp.event_id,
        event_type=found.type_name if found else _TYPES.get(kind),
        first_observed_at=seeing.first_observed_at,
        observed_at=stamp.observed_at,
        parser_version=stamp.parser_version,
        content_digest=stamp.content_digest,
        page_sha256=sha256,
        page=_page_place(page) if page else None,
        page_note=None
        if page
        else _page_note(_source(seeing, found), url, sha256, found=found is not None or kind != "naming"),
        record=_record_place(found) if found else None,
        record_note=None if found else searched.note,
    )


def _address(site: Site, kind: Kind, seeing: SubjectObservation, found: Found | None) -> str | None:
    """The address that the page has at the site; None where it can't be told, or the page is another's."""
    if _source(seeing, found) != SOURCE:
        return None
    try:
        if found and isinstance(found.event, SessionDetailFetched):
            return site.session(found.event.track_slug, found.event.session_id)
        if found:
            return site.day(found.event.track_slug, found.event.date)
        if kind == "detail" and seeing.ref and seeing.session_id:
            return site.session(seeing.ref.track_slug, seeing.session_id)
        return site.day(seeing.ref.track_slug, seeing.ref.date) if seeing.ref and kind != "naming" else None
    except BadAddress:
        return None


def _source(seeing: SubjectObservation, found: Found | None) -> str | None:
    """The timing service that the observation is of; None where it is not known."""
    if found:
        return found.event.source
    return seeing.ref and seeing.ref.source


def _page_note(source: str | None, url: str | None, sha256: str | None, *, found: bool) -> str:
    if source not in {None, SOURCE}:
        return OTHERS.format(source=source)
    if sha256 is None:
        return UNNAMED if found else UNKNOWN
    return NOT_INDEXED.format(url=url) if url else UNKNOWN


def _page_place(page: PageRow) -> PagePlace:
    return PagePlace(
        url=page.url,
        status=page.status,
        fetched_at=page.observed_at,
        topic=page.topic,
        partition=page.partition,
        offset=page.record_offset,
    )


def _record_place(found: Found) -> RecordPlace:
    context = found.context
    return RecordPlace(
        topic=found.record.topic,
        partition=found.record.partition,
        offset=found.record.offset,
        written_at=time_of(found.record.timestamp),
        producer=context.source,
        run_id=context.correlation_id,
        request_id=context.causation_id,
    )


def _lap_note(subject: Subject, searched: Searched) -> str | None:
    """What is odd about a lap, held against its event; the tables keep no other copy of it."""
    detail = subject.seeings.get("detail")
    found = searched.found.get(detail.stamp.event_id) if detail else None
    if subject.table != "laps" or subject.row is None or not found:
        return None
    laps = found.event.laps if isinstance(found.event, SessionDetailFetched) else ()
    for lap in laps:
        if lap.lap_number == subject.row["lap_number"]:
            values = msgspec.structs.asdict(lap)
            return note_of(edited(subject.row, values | {"segments_json": values.pop("segments")}))
    return UNEXPLAINED


def _answer(subject: Subject, observations: list[Observation], searched: Searched) -> Provenance:
    return Provenance(
        table=subject.table,
        key=subject.key,
        id=subject.id,
        stored=subject.row is not None,
        expected=subject.expected,
        note=subject.note or _lap_note(subject, searched),
        exists_by=subject.exists_by,
        row=subject.row,
        columns=subject.columns,
        observations=tuple(observations),
    )
