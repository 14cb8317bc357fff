"""The events of a practice day, as they stand in the topics.

Each is a frozen msgspec Struct. A field that is null or absent means that the page lacked it: nothing is
invented. Null fields are omitted when an event is written, so that a field added later changes the
content digest of no event that lacks it. Unknown fields are ignored when an event is read.
"""

import datetime as dt
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from schemas import fields as f

MAX_SESSIONS = 5_000
"""The most sessions that one day list may carry."""

MAX_LAPS = 20_000
"""The most laps that one session may carry."""

MAX_FINDINGS = 200
"""The most findings that one observation may carry."""


class Value(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every part of an event is: immutable, named, and silent about what is absent."""


class Finding(Value, frozen=True, kw_only=True):
    """A disagreement that a parser noticed: it is reported, and never mended by guessing."""

    code: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$(?!\n)")]
    found: f.Text
    expected: f.Text | None = None


class ListedSession(Value, frozen=True, kw_only=True, gc=False):
    """One row of a day list."""

    session_id: f.SessionId
    driver_name: f.Label | None = None
    class_name: f.Label | None = None
    transponder_number: f.Label | None = None
    start_time: f.LocalTime | None = None
    duration_seconds: f.WholeSeconds | None = None
    lap_count: f.Count | None = None
    fastest_lap: f.Seconds | None = None
    average_lap: f.Seconds | None = None
    session_url: f.Url | None = None


class ClassLaps(Value, frozen=True, kw_only=True):
    """The laps that the page says a class drove on the day."""

    class_name: f.Label
    laps: f.Count


class LeaderboardEntry(Value, frozen=True, kw_only=True):
    """One row of the day's leaderboard; without a class name it is the fastest overall."""

    session_id: f.SessionId
    fastest_lap: f.Seconds
    class_name: f.Label | None = None
    driver_name: f.Label | None = None


class DayStats(Value, frozen=True, kw_only=True):
    """The day's totals as the page states them: they are claims of the page, not sums of its rows."""

    total_laps: f.Count | None = None
    total_track_time_seconds: f.WholeSeconds | None = None
    unique_drivers: f.Count | None = None
    unique_classes: f.Count | None = None
    time_range_start: dt.time | None = None
    time_range_end: dt.time | None = None
    laps_by_class: Annotated[tuple[ClassLaps, ...], Meta(max_length=1_000)] = ()
    leaderboard: Annotated[tuple[LeaderboardEntry, ...], Meta(max_length=1_000)] = ()


class Lap(Value, frozen=True, kw_only=True, gc=False):
    """One lap of a session.

    `elapsed_race_time` is derived: the sum of the lap times so far. `lapped_at` is the local moment at
    which the lap ended.
    """

    lap_number: Annotated[int, Meta(ge=0, le=1_000_000)]
    position_on_lap: f.Count | None = None
    lap_time_raw: Annotated[str, Meta(max_length=40)] | None = None
    lap_time_seconds: f.Seconds | None = None
    is_valid: bool | None = None
    lapped_at: f.LocalTime | None = None
    pace_string: Annotated[str, Meta(max_length=40)] | None = None
    elapsed_race_time: Annotated[float, Meta(ge=0, le=1_000_000_000)] | None = None
    segments: Annotated[tuple[f.Seconds | None, ...], Meta(max_length=100)] | None = None


class DayFacts(Value, frozen=True, kw_only=True):
    """What a day list page says.

    `complete` is true only when the rows agree with the page's own totals.
    """

    date: dt.date
    complete: bool
    track_name: f.Label | None = None
    sessions: Annotated[tuple[ListedSession, ...], Meta(max_length=MAX_SESSIONS)] = ()
    stats: DayStats | None = None
    findings: Annotated[tuple[Finding, ...], Meta(max_length=MAX_FINDINGS)] = ()


class SessionFacts(Value, frozen=True, kw_only=True, gc=False):
    """What a session's page says. `date` is the day that the session began on."""

    date: dt.date
    session_id: f.SessionId
    driver_name: f.Label | None = None
    class_name: f.Label | None = None
    transponder_number: f.Label | None = None
    start_time: f.LocalTime | None = None
    end_time: f.LocalTime | None = None
    duration_seconds: f.WholeSeconds | None = None
    lap_count: f.Count | None = None
    fastest_lap: f.Seconds | None = None
    average_lap: f.Seconds | None = None
    top_3_consecutive: f.Seconds | None = None
    avg_top_5: f.Seconds | None = None
    avg_top_10: f.Seconds | None = None
    avg_top_15: f.Seconds | None = None
    std_deviation: f.Seconds | None = None
    consistency: f.Percent | None = None
    valid_lap_range: f.Label | None = None
    laps: Annotated[tuple[Lap, ...], Meta(max_length=MAX_LAPS)] = ()
    findings: Annotated[tuple[Finding, ...], Meta(max_length=MAX_FINDINGS)] = ()


class PracticeDayRequested(Value, frozen=True, kw_only=True):
    """Somebody asks for a day to be imported."""

    type_name: ClassVar[str] = "practice_day.requested.v1"

    source: f.Source
    track_slug: f.TrackSlug
    date: dt.date
    requested_at: f.Instant
    refresh: Literal["all", "changed", "missing"] = "all"


class PracticeDayListed(DayFacts, frozen=True, kw_only=True):
    """What a day's list page said, and when it was seen.

    `time_zone` is an IANA name that a track's keeper gave; the site never states one.
    """

    type_name: ClassVar[str] = "practice_day.listed.v1"

    source: f.Source
    track_slug: f.TrackSlug
    observed_at: f.Instant
    parser_version: f.ParserVersion
    page_sha256: f.Sha256 | None = None
    time_zone: Annotated[str, Meta(max_length=64)] | None = None


class PracticeDayListFailed(Value, frozen=True, kw_only=True):
    """The list of a day could not be had: nothing that is stored changes."""

    type_name: ClassVar[str] = "practice_day.list_failed.v1"

    source: f.Source
    track_slug: f.TrackSlug
    date: dt.date
    observed_at: f.Instant
    parser_version: f.ParserVersion
    code: f.Label
    message: f.Text
    url: f.Url
    attempts: f.Count
    page_sha256: f.Sha256 | None = None


class SessionDetailRequested(Value, frozen=True, kw_only=True):
    """One session's page is to be fetched; the address is the fetcher's own to build.

    `start_time` is the list row's: a page that says otherwise is another session's.
    """

    type_name: ClassVar[str] = "session_detail.requested.v1"

    source: f.Source
    track_slug: f.TrackSlug
    date: dt.date
    session_id: f.SessionId
    requested_at: f.Instant
    start_time: f.LocalTime | None = None
    list_row_digest: f.Digest | None = None


class SessionDetailFetched(SessionFacts, frozen=True, kw_only=True, gc=False):
    """What a session's page said, and when it was seen.

    `list_row_digest` is of the list row that it was fetched for.
    """

    type_name: ClassVar[str] = "session_detail.fetched.v1"

    source: f.Source
    track_slug: f.TrackSlug
    observed_at: f.Instant
    parser_version: f.ParserVersion
    page_sha256: f.Sha256 | None = None
    list_row_digest: f.Digest | None = None


class SessionDetailFailed(Value, frozen=True, kw_only=True):
    """One session's page could not be had after bounded retries: what the list said of it stays."""

    type_name: ClassVar[str] = "session_detail.failed.v1"

    source: f.Source
    track_slug: f.TrackSlug
    date: dt.date
    session_id: f.SessionId
    observed_at: f.Instant
    parser_version: f.ParserVersion
    code: f.Label
    message: f.Text
    url: f.Url
    attempts: f.Count
    page_sha256: f.Sha256 | None = None


class PracticeDayIngested(Value, frozen=True, kw_only=True):
    """A run ended: what it came to, as `status` and counts say; a list that could not be had has its `code`.

    A run whose failed sessions are retried ends again, as its next `attempt`.
    """

    type_name: ClassVar[str] = "practice_day.ingested.v1"

    source: f.Source
    track_slug: f.TrackSlug
    date: dt.date
    run_id: Annotated[str, Meta(max_length=36)]
    attempt: f.Count
    status: Literal["completed", "partial", "failed", "cancelled"]
    requested_at: f.Instant
    finished_at: f.Instant
    sessions_ingested: f.Count
    sessions_failed: f.Count
    sessions_detail_failed: f.Count
    sessions_with_laps: f.Count
    laps_ingested: Annotated[int, Meta(ge=0, le=100_000_000)]
    drivers_created_or_matched: f.Count
    findings: Annotated[tuple[Finding, ...], Meta(max_length=MAX_FINDINGS)] = ()
    code: f.Label | None = None
    message: f.Text | None = None


Sessions = Annotated[tuple[f.SessionId, ...], Meta(max_length=MAX_SESSIONS)]


class PracticeDayChanged(Value, frozen=True, kw_only=True):
    """The tables of a day changed, whoever published what changed them; laps are counted by their rows."""

    type_name: ClassVar[str] = "practice_day.changed.v1"

    source: f.Source
    track_slug: f.TrackSlug
    date: dt.date
    changed_at: f.Instant
    sessions_added: Sessions = ()
    sessions_changed: Sessions = ()
    sessions_gone: Sessions = ()
    laps_added: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
    laps_changed: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
    laps_gone: Annotated[int, Meta(ge=0, le=100_000_000)] = 0


Observation = PracticeDayListed | SessionDetailFetched
"""What the tables are a function of."""

Event = (
    PracticeDayRequested
    | PracticeDayListed
    | PracticeDayListFailed
    | SessionDetailRequested
    | SessionDetailFetched
    | SessionDetailFailed
    | PracticeDayIngested
    | PracticeDayChanged
)
"""Every event of the project's own namespaces."""

EVENT_TYPES: dict[str, type[Event]] = {
    kind.type_name: kind
    for kind in (
        PracticeDayRequested,
        PracticeDayListed,
        PracticeDayListFailed,
        SessionDetailRequested,
        SessionDetailFetched,
        SessionDetailFailed,
        PracticeDayIngested,
        PracticeDayChanged,
    )
}
"""The event types by their CloudEvents name."""
