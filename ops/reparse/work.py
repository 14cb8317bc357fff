"""What is to be parsed again of a day: its observations and the archive's newest pages in, readings out.

A reading is a page as the list of a day, or as a session, together with what the fetcher knew when it came.
Pure: which pages there are is asked elsewhere.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

import msgspec
from msgspec import Struct, field

from ops.reparse.queries import AskedSession
from producer.site import BadAddress, Site
from projections.state import DayRef
from schemas.events import ListedSession, PracticeDayListed
from schemas.identity import row_digest
from store.pages import PageRow
from store.pool import Record

Wanted = Callable[[int], bool]
"""Whether what a parser of this version read is to be read again."""


class ParseTask(Struct, frozen=True, kw_only=True):
    """A page that is to be parsed; `version` is of the parser that read it, None where nothing rests on it.

    `observed_at` is the observation's: later than the page's own where the page was seen again unchanged.
    Of a list, `rows` are the sessions whose rows rest on it, and `complete` is whether it counts as complete.
    Of a session, `start_time` is what its page must say, and None where the page was accepted before.
    """

    ref: DayRef
    url: str
    sha256: str
    observed_at: dt.datetime
    version: int | None
    session_id: str | None = None
    rows: frozenset[str] = frozenset()
    complete: bool = False
    time_zone: str | None = None
    start_time: dt.datetime | None = None
    list_row_digest: str | None = None


class ListBasis(Struct):
    """A list's page, and what rests on it: `version` is the highest of these."""

    version: int = 0
    rows: set[str] = field(default_factory=set[str])
    complete: bool = False
    time_zone: str | None = None


class DetailBasis(Struct, frozen=True):
    """What a session's detail rests on."""

    sha256: str | None
    observed_at: dt.datetime
    version: int
    list_row_digest: str | None


class SeenRow(Struct, frozen=True):
    """A session's newest row, and when it was seen."""

    observed_at: dt.datetime
    facts: ListedSession


class KnownDay(Struct, kw_only=True):
    """A day with what its tables rest on; `pageless` counts observations that name no page.

    `time_zone` is the track's in the tables, `configured_zone` the one that a fetcher would give it.
    """

    ref: DayRef
    time_zone: str | None = None
    configured_zone: str | None = None
    lists: dict[tuple[str, dt.datetime], ListBasis] = field(
        default_factory=dict[tuple[str, dt.datetime], ListBasis]
    )
    listed_at: dt.datetime | None = None
    rows: dict[str, SeenRow] = field(default_factory=dict[str, SeenRow])
    details: dict[str, DetailBasis] = field(default_factory=dict[str, DetailBasis])
    asked: dict[str, AskedSession] = field(default_factory=dict[str, AskedSession])
    pageless: int = 0

    @property
    def sessions(self) -> list[str]:
        """Every session of the day that was ever seen, or asked for."""
        return sorted({*self.rows, *self.details, *self.asked})

    def count_pages(self, wanted: Wanted) -> int:
        """How many pages that its observations rest on were read by parsers that are wanted."""
        versions = [basis.version for basis in self.lists.values()]
        versions += [detail.version for detail in self.details.values() if detail.sha256]
        return sum(map(wanted, versions))


_row = msgspec.json.Decoder(ListedSession)


def known_days(
    days: Mapping[UUID, KnownDay], observations: Iterable[Record], asked: Iterable[AskedSession]
) -> list[KnownDay]:
    """The days, with what was seen and asked for filled in."""
    for record in observations:
        _add(days[record["event_id"]], record)
    for one in asked:
        days[one.event_id].asked[one.session_id] = one
    return list(days.values())


def _add(day: KnownDay, record: Record) -> None:
    seen_at, version, sha256 = record["observed_at"], record["parser_version"], record["page_sha256"]
    day.pageless += sha256 is None
    if record["kind"] == "detail":
        basis = DetailBasis(sha256, seen_at, version, record["list_row_digest"])
        day.details[record["session_id"]] = basis
        return
    day.listed_at = max(seen_at, day.listed_at or seen_at)
    if record["kind"] == "row":
        day.rows[record["session_id"]] = SeenRow(seen_at, _row.decode(record["row"]))
    if sha256 is not None:
        _rest(day.lists.setdefault((sha256, seen_at), ListBasis()), record)


def _rest(basis: ListBasis, record: Record) -> None:
    """Note that an observation rests on this list."""
    basis.version = max(basis.version, record["parser_version"])
    if record["kind"] == "row":
        basis.rows.add(record["session_id"])
    else:
        basis.complete, basis.time_zone = True, record["time_zone"]


def addresses(day: KnownDay, site: Site) -> dict[str, str | None]:
    """The addresses of a day: that of its list, with None, and those of its sessions, with their ids."""
    found: dict[str, str | None] = {site.day(day.ref.track_slug, day.ref.date): None}
    for session_id in day.sessions:
        try:
            found[site.session(day.ref.track_slug, session_id)] = session_id
        except BadAddress:  # a session of another producer's, whose id no page of this site has
            continue
    return found


def seen_readings(day: KnownDay, urls: Mapping[str, str | None], wanted: Wanted) -> list[ParseTask]:
    """The pages that the day's observations rest on, of those that were read by parsers that are wanted."""
    found: list[ParseTask] = []
    for url, session_id in urls.items():
        if session_id is None:
            found += [
                _of_list(day, url, *key, basis) for key, basis in day.lists.items() if wanted(basis.version)
            ]
        elif (detail := day.details.get(session_id)) and detail.sha256 and wanted(detail.version):
            found.append(_of_detail(day, url, session_id, detail.sha256, detail))
    return found


def _of_list(day: KnownDay, url: str, sha256: str, observed_at: dt.datetime, basis: ListBasis) -> ParseTask:
    return ParseTask(
        ref=day.ref,
        url=url,
        sha256=sha256,
        observed_at=observed_at,
        version=basis.version,
        rows=frozenset(basis.rows),
        complete=basis.complete,
        time_zone=basis.time_zone if basis.complete else day.time_zone,
    )


def _of_detail(day: KnownDay, url: str, session_id: str, sha256: str, detail: DetailBasis) -> ParseTask:
    return ParseTask(
        ref=day.ref,
        url=url,
        sha256=sha256,
        observed_at=detail.observed_at,
        version=detail.version,
        session_id=session_id,
        list_row_digest=detail.list_row_digest,
    )


def refused_reading(day: KnownDay, session_id: str | None, page: PageRow) -> ParseTask | None:
    """The newest page of an address, where no observation of its subject is as new: it was refused then."""
    detail = day.details.get(session_id) if session_id else None
    seen_at = day.listed_at if session_id is None else detail and detail.observed_at
    if seen_at is not None and page.observed_at <= seen_at:
        return None
    return ParseTask(
        ref=day.ref,
        url=page.url,
        sha256=page.sha256,
        observed_at=page.observed_at,
        version=None,
        session_id=session_id,
        time_zone=day.time_zone or day.configured_zone,
    )


def with_row(day: KnownDay, reading: ParseTask, again: Mapping[str, SeenRow]) -> ParseTask:
    """A session's reading, with what its list says; `again` are the day's rows as they were just read again.

    The digest of the row that a detail was fetched for follows that row's new reading: it is still the same
    row, and the session need not be fetched again for it.
    """
    session_id = reading.session_id or ""
    known = day.rows.get(session_id)
    row = again.get(session_id)
    if reading.version is not None:
        same = row and known and row.observed_at == known.observed_at
        if row and known and same and row_digest(known.facts) == reading.list_row_digest:
            return msgspec.structs.replace(reading, list_row_digest=row_digest(row.facts))
        return reading
    if newest := row or known:
        return msgspec.structs.replace(
            reading, start_time=newest.facts.start_time, list_row_digest=row_digest(newest.facts)
        )
    if asked := day.asked.get(session_id):
        return msgspec.structs.replace(
            reading, start_time=asked.start_time, list_row_digest=asked.list_row_digest
        )
    return reading


def rows_again(day: KnownDay, lists: Iterable[PracticeDayListed]) -> dict[str, SeenRow]:
    """Of the rows of lists that were read again, those that are at least as new as what is known."""
    found: dict[str, SeenRow] = {}
    for listed in sorted(lists, key=lambda one: one.observed_at):
        for row in listed.sessions:
            known = day.rows.get(row.session_id)
            if known is None or listed.observed_at >= known.observed_at:
                found[row.session_id] = SeenRow(listed.observed_at, row)
    return found
