"""The events of a practice day, as they stand in the topics.

Each is a frozen msgspec Struct. A field that is null or absent means that the page lacked it: nothing is
invented. Null fields are omitted when an event is written, so that a field added later changes the
content digest of no event that lacks it. Unknown fields are ignored when an event is read.

What a field means stands beside it, with its unit: the JSON Schemas, the AsyncAPI document and the
reference pages are made from it.
"""

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

    code: f.FindingCode
    found: Annotated[f.Text, Meta(description="What was found.")]
    expected: Annotated[f.Text | None, Meta(description="What was expected.")] = None


class ListedSession(Value, frozen=True, kw_only=True, gc=False):
    """One row of a day list."""

    session_id: f.SessionId
    driver_name: Annotated[f.Label | None, Meta(description="Who drove; can be `Unknown Driver`.")] = None
    class_name: Annotated[f.Label | None, Meta(description="The class; can be `Unknown Class`.")] = None
    transponder_number: Annotated[f.Label | None, Meta(description="The transponder that was timed.")] = None
    start_time: Annotated[f.LocalTime | None, Meta(description="When it began, on the track's clock.")] = None
    duration_seconds: Annotated[f.WholeSeconds | None, Meta(description="Its length, in seconds.")] = None
    lap_count: Annotated[f.Count | None, Meta(description="The number of laps that the list states.")] = None
    fastest_lap: Annotated[f.Seconds | None, Meta(description="The fastest lap, in seconds.")] = None
    average_lap: Annotated[f.Seconds | None, Meta(description="The average lap, in seconds.")] = None
    session_url: Annotated[f.Url | None, Meta(description="The address of the session's page.")] = None


class ClassLaps(Value, frozen=True, kw_only=True):
    """The laps that the page says a class drove on the day."""

    class_name: Annotated[f.Label, Meta(description="The class.")]
    laps: Annotated[f.Count, Meta(description="The number of its laps.")]


class LeaderboardEntry(Value, frozen=True, kw_only=True):
    """One row of the day's leaderboard; without a class name it is the fastest overall."""

    session_id: f.SessionId
    fastest_lap: Annotated[f.Seconds, Meta(description="The fastest lap, in seconds.")]
    class_name: Annotated[f.Label | None, Meta(description="The class; absent: the fastest overall.")] = None
    driver_name: Annotated[f.Label | None, Meta(description="Who drove.")] = None


class DayStats(Value, frozen=True, kw_only=True):
    """The day's totals as the page states them: they are claims of the page, not sums of its rows."""

    total_laps: Annotated[f.Count | None, Meta(description="The number of laps.")] = None
    total_track_time_seconds: Annotated[
        f.WholeSeconds | None, Meta(description="The time on the track, in seconds; the page rounds it.")
    ] = None
    unique_drivers: Annotated[
        f.Count | None, Meta(description="The number of names, without `Unknown Driver`.")
    ] = None
    unique_classes: Annotated[f.Count | None, Meta(description="The number of classes.")] = None
    time_range_start: Annotated[f.TimeOfDay | None, Meta(description="The first session's start.")] = None
    time_range_end: Annotated[f.TimeOfDay | None, Meta(description="The last session's start.")] = None
    laps_by_class: Annotated[
        tuple[ClassLaps, ...], Meta(max_length=1_000, description="The laps of each class.")
    ] = ()
    leaderboard: Annotated[
        tuple[LeaderboardEntry, ...], Meta(max_length=1_000, description="The fastest of each class.")
    ] = ()


class Lap(Value, frozen=True, kw_only=True, gc=False):
    """One lap of a session."""

    lap_number: Annotated[f.Count, Meta(description="Its number; each stands in a session once.")]
    position_on_lap: Annotated[
        f.Count | None, Meta(description="The position at its end, where the page has it (race form).")
    ] = None
    lap_time_raw: Annotated[f.ShortText | None, Meta(description="The time as the page writes it.")] = None
    lap_time_seconds: Annotated[f.Seconds | None, Meta(description="The time, in seconds.")] = None
    is_valid: Annotated[
        bool | None,
        Meta(description="Whether it is inside the valid range; absent where the page says nothing."),
    ] = None
    lapped_at: Annotated[
        f.LocalTime | None, Meta(description="When the lap ended, on the track's clock.")
    ] = None
    pace_string: Annotated[
        f.ShortText | None, Meta(description="The pace, where the page has it (race form).")
    ] = None
    elapsed_race_time: Annotated[
        f.RaceSeconds | None, Meta(description="Derived: the sum of the lap times so far, in seconds.")
    ] = None
    segments: Annotated[
        Annotated[tuple[f.Seconds | None, ...], Meta(max_length=100)] | None,
        Meta(description="The times of its parts, in seconds, where the page has them (race form)."),
    ] = None


class DayFacts(Value, frozen=True, kw_only=True):
    """What a day list page says."""

    date: f.Date
    complete: Annotated[
        bool,
        Meta(
            description=(
                "Whether these are all sessions of the day: true only when the rows agree with the page's "
                "own totals. Sessions that a newer complete list lacks disappear from the tables."
            )
        ),
    ]
    track_name: Annotated[f.Label | None, Meta(description="The track's name as the page shows it.")] = None
    sessions: Annotated[
        tuple[ListedSession, ...],
        Meta(max_length=MAX_SESSIONS, description="The rows, in the page's order; at most 5,000."),
    ] = ()
    stats: Annotated[DayStats | None, Meta(description="The page's own totals.")] = None
    findings: Annotated[
        tuple[Finding, ...],
        Meta(max_length=MAX_FINDINGS, description="What the parser noticed; at most 200."),
    ] = ()


class _SessionPage(Value, frozen=True, kw_only=True, gc=False):
    """What a session's page says, in any version."""

    date: Annotated[f.Date, Meta(description="The day on which the session began.")]
    session_id: f.SessionId
    driver_name: Annotated[f.Label | None, Meta(description="Who drove; can be `Unknown Driver`.")] = None
    class_name: Annotated[f.Label | None, Meta(description="The class; can be `Unknown Class`.")] = None
    transponder_number: Annotated[f.Label | None, Meta(description="The transponder that was timed.")] = None
    start_time: Annotated[f.LocalTime | None, Meta(description="When it began, on the track's clock.")] = None
    end_time: Annotated[
        f.LocalTime | None,
        Meta(description="When it ended; on the next day when the session passed midnight."),
    ] = None
    duration_seconds: Annotated[
        f.WholeSeconds | None, Meta(description="The length that the page states, in seconds.")
    ] = None
    lap_count: Annotated[f.Count | None, Meta(description="The number of laps that the page states.")] = None
    fastest_lap: Annotated[f.Seconds | None, Meta(description="The fastest lap, in seconds.")] = None
    average_lap: Annotated[f.Seconds | None, Meta(description="The average lap, in seconds.")] = None
    top_3_consecutive: Annotated[
        f.Seconds | None, Meta(description="The fastest three laps in a row, summed, in seconds.")
    ] = None
    avg_top_5: Annotated[
        f.Seconds | None, Meta(description="The average of the fastest 5 laps, in seconds.")
    ] = None
    avg_top_10: Annotated[
        f.Seconds | None, Meta(description="The average of the fastest 10 laps, in seconds.")
    ] = None
    avg_top_15: Annotated[
        f.Seconds | None, Meta(description="The average of the fastest 15 laps, in seconds.")
    ] = None
    std_deviation: Annotated[
        f.Seconds | None, Meta(description="The standard deviation of the laps, in seconds.")
    ] = None
    consistency: Annotated[
        f.Percent | None,
        Meta(description="In percent; below 0 when the deviation exceeds the average."),
    ] = None
    valid_lap_range: f.LapRange | f.Label | None = None
    laps: Annotated[
        tuple[Lap, ...],
        Meta(
            max_length=MAX_LAPS,
            description=(
                "All laps by rising number, at most 20,000; none where the page holds none. Laps that a "
                "newer detail lacks disappear from the tables."
            ),
        ),
    ] = ()
    findings: Annotated[
        tuple[Finding, ...],
        Meta(max_length=MAX_FINDINGS, description="What the parser noticed; at most 200."),
    ] = ()


class SessionFacts(_SessionPage, frozen=True, kw_only=True, gc=False):
    """What a session's page says."""

    valid_lap_range: Annotated[
        f.LapRange | None,
        Meta(description="The shortest and the longest lap that count, in seconds."),
    ] = None


class SessionFactsV1(_SessionPage, frozen=True, kw_only=True, gc=False):
    """What a session's page says, in version 1: with the lap range as a text."""

    valid_lap_range: Annotated[
        f.Label | None,
        Meta(description="The laps that count, as the page writes it.", examples=["20 to 1:10"]),
    ] = None


Seen = Annotated[
    f.Instant, Meta(description="When the page was answered: of two observations the newer one counts.")
]
ReadBy = Annotated[
    f.ParserVersion,
    Meta(description="The parser's version; of two readings of one moment the higher counts."),
]
OfPage = Annotated[f.Sha256 | None, Meta(description="SHA-256 of the page's bytes, 64 hex digits.")]
OfRow = Annotated[
    f.Digest | None,
    Meta(description="Of the list row that it was fetched for: BLAKE2b-128, 32 hex digits."),
]
GivenUp = Annotated[f.Instant, Meta(description="When it was given up, or when the last page was answered.")]
ErrorCode = Annotated[f.Label, Meta(description="The kind of error.", examples=["bad_status"])]
ErrorText = Annotated[f.Text, Meta(description="The error in full.")]
Asked = Annotated[f.Url, Meta(description="What was asked for.")]
Attempts = Annotated[f.Count, Meta(description="How often it was asked for.")]
LastPage = Annotated[
    f.Sha256 | None, Meta(description="SHA-256 of the last page's bytes, where one came, 64 hex digits.")
]


class PracticeDayRequested(Value, frozen=True, kw_only=True):
    """A request to import a day.

    Its correlation id, where it is a UUID, is the id of the run that it opens.
    """

    type_name: ClassVar[str] = "practice_day.requested.v1"

    source: f.Source
    track_slug: f.TrackSlug
    date: f.Date
    requested_at: Annotated[f.Instant, Meta(description="When it was asked for.")]
    refresh: Annotated[
        Literal["all", "changed", "missing"],
        Meta(
            description=(
                "Which sessions' pages to fetch: all; those whose row in the list differs from the one that "
                "the stored detail was fetched for; or those without a detail or whose last fetch failed."
            )
        ),
    ] = "all"


class PracticeDayListed(DayFacts, frozen=True, kw_only=True):
    """What a day's list page said, and when it was seen."""

    type_name: ClassVar[str] = "practice_day.listed.v1"

    source: f.Source
    track_slug: f.TrackSlug
    observed_at: Seen
    parser_version: ReadBy
    page_sha256: OfPage = None
    time_zone: Annotated[
        f.TimeZone | None,
        Meta(description="The track's IANA time zone, as configured for the track; the site states none."),
    ] = None


class PracticeDayListFailed(Value, frozen=True, kw_only=True):
    """A day's list failed to be fetched: nothing that is stored changes."""

    type_name: ClassVar[str] = "practice_day.list_failed.v1"

    source: f.Source
    track_slug: f.TrackSlug
    date: f.Date
    observed_at: GivenUp
    parser_version: f.ParserVersion
    code: ErrorCode
    message: ErrorText
    url: Asked
    attempts: Attempts
    page_sha256: LastPage = None


class SessionDetailRequested(Value, frozen=True, kw_only=True):
    """One session's page is to be fetched; the address is the fetcher's own to build."""

    type_name: ClassVar[str] = "session_detail.requested.v1"

    source: f.Source
    track_slug: f.TrackSlug
    date: Annotated[f.Date, Meta(description="The day on which the session began.")]
    session_id: f.SessionId
    requested_at: Annotated[f.Instant, Meta(description="When it was asked for.")]
    start_time: Annotated[
        f.LocalTime | None,
        Meta(description="The list row's start; a page that says otherwise is another session's."),
    ] = None
    list_row_digest: Annotated[
        f.Digest | None, Meta(description="Of the list row: BLAKE2b-128, 32 hex digits.")
    ] = None


class SessionDetailFetchedV1(SessionFactsV1, frozen=True, kw_only=True, gc=False):
    """What a session's page said, as releases before version 2 wrote it.

    It is read for ever. Write `session_detail.fetched.v2`.
    """

    type_name: ClassVar[str] = "session_detail.fetched.v1"

    source: f.Source
    track_slug: f.TrackSlug
    observed_at: Seen
    parser_version: ReadBy
    page_sha256: OfPage = None
    list_row_digest: OfRow = None


class SessionDetailFetched(SessionFacts, frozen=True, kw_only=True, gc=False):
    """What a session's page said, and when it was seen."""

    type_name: ClassVar[str] = "session_detail.fetched.v2"

    source: f.Source
    track_slug: f.TrackSlug
    observed_at: Seen
    parser_version: ReadBy
    page_sha256: OfPage = None
    list_row_digest: OfRow = None


class SessionDetailFailed(Value, frozen=True, kw_only=True):
    """One session's page failed to be fetched after bounded retries: what the list said of it stays."""

    type_name: ClassVar[str] = "session_detail.failed.v1"

    source: f.Source
    track_slug: f.TrackSlug
    date: Annotated[f.Date, Meta(description="The day on which the session began.")]
    session_id: f.SessionId
    observed_at: GivenUp
    parser_version: f.ParserVersion
    code: ErrorCode
    message: ErrorText
    url: Asked
    attempts: Attempts
    page_sha256: LastPage = None


class PracticeDayIngested(Value, frozen=True, kw_only=True):
    """A run ended: what it came to, as `status` and counts say.

    A run whose failed sessions are retried ends again, as its next `attempt`; a parked record that is
    redriven later may also make it end anew, with better counts.
    """

    type_name: ClassVar[str] = "practice_day.ingested.v1"

    source: f.Source
    track_slug: f.TrackSlug
    date: f.Date
    run_id: f.RunId
    attempt: Annotated[f.Count, Meta(description="1, and one more for each retry.")]
    status: Annotated[
        Literal["completed", "partial", "failed", "cancelled"],
        Meta(
            description=(
                "All came in; some sessions failed; all sessions failed, or the list did; or somebody "
                "ended the run."
            )
        ),
    ]
    requested_at: Annotated[f.Instant, Meta(description="When the run was asked for.")]
    finished_at: Annotated[f.Instant, Meta(description="When it ended.")]
    sessions_ingested: Annotated[f.Count, Meta(description="Sessions of the list that the tables hold.")]
    sessions_failed: Annotated[f.Count, Meta(description="Sessions of the list that they don't hold.")]
    sessions_detail_failed: Annotated[
        f.Count, Meta(description="Sessions whose page failed to be fetched or stored.")
    ]
    sessions_with_laps: Annotated[f.Count, Meta(description="Sessions of the list that have laps.")]
    laps_ingested: Annotated[
        f.LapCount, Meta(description="Laps now stored of the sessions whose page this run fetched.")
    ]
    drivers_created_or_matched: Annotated[f.Count, Meta(description="Drivers of the list's sessions.")]
    findings: Annotated[
        tuple[Finding, ...],
        Meta(max_length=MAX_FINDINGS, description="The findings of the list; at most 200."),
    ] = ()
    code: Annotated[
        f.Label | None, Meta(description="Where the run failed as a whole: the kind of error.")
    ] = None
    message: Annotated[f.Text | None, Meta(description="The error in full.")] = None


class PracticeDayChanged(Value, frozen=True, kw_only=True):
    """The tables of a day changed, by events of any publisher; laps are counted by their rows.

    What stays as it was is not announced. A change of more sessions than one event may name is announced in
    several; the first one counts the laps.
    """

    type_name: ClassVar[str] = "practice_day.changed.v1"

    source: f.Source
    track_slug: f.TrackSlug
    date: f.Date
    changed_at: Annotated[f.Instant, Meta(description="When the tables changed.")]
    sessions_added: Annotated[
        tuple[f.SessionId, ...],
        Meta(max_length=MAX_SESSIONS, description="Sessions that are there now, and were not before."),
    ] = ()
    sessions_changed: Annotated[
        tuple[f.SessionId, ...],
        Meta(max_length=MAX_SESSIONS, description="Sessions of which any row is another one now."),
    ] = ()
    sessions_gone: Annotated[
        tuple[f.SessionId, ...], Meta(max_length=MAX_SESSIONS, description="Sessions that are gone.")
    ] = ()
    laps_added: Annotated[
        f.LapCount,
        Meta(
            description=(
                "Rows of laps that are new; a session that moves to another driver takes its laps along as "
                "new rows."
            )
        ),
    ] = 0
    laps_changed: Annotated[f.LapCount, Meta(description="Rows of laps that changed.")] = 0
    laps_gone: Annotated[f.LapCount, Meta(description="Rows of laps that are gone.")] = 0


class RecordRefused(Value, frozen=True, kw_only=True):
    """A record could not be read or applied: where it lies, and why. It is parked, and changed nothing.

    For the publisher. A record that is redriven later, or published anew, is not announced again on this
    topic: what it changes is announced as ever.
    """

    type_name: ClassVar[str] = "record.refused.v1"

    topic: Annotated[f.Topic, Meta(description="The topic that the record lies in.")]
    partition: Annotated[f.Count, Meta(description="Its partition.")]
    offset: f.Offset
    code: Annotated[f.Label, Meta(description="The kind of reason.", examples=["invalid_event"])]
    reason: Annotated[f.Text, Meta(description="The reason in full.")]
    refused_at: Annotated[f.Instant, Meta(description="When it was refused.")]
    source: Annotated[
        f.Source | None,
        Meta(description="The timing service that the record speaks of, where it can be read."),
    ] = None
    event_id: Annotated[f.Text | None, Meta(description="Its `ce_id`, where it can be read.")] = None
    event_type: Annotated[f.Text | None, Meta(description="Its `ce_type`, where it can be read.")] = None
    event_source: Annotated[
        f.Text | None, Meta(description="Its `ce_source`: who published it, where it can be read.")
    ] = None


Observation = PracticeDayListed | SessionDetailFetched
"""What the tables are a function of."""

ObservationAsWritten = Observation | SessionDetailFetchedV1
"""The same in any version of its type."""

Event = (
    PracticeDayRequested
    | PracticeDayListed
    | PracticeDayListFailed
    | SessionDetailRequested
    | SessionDetailFetched
    | SessionDetailFailed
    | PracticeDayIngested
    | PracticeDayChanged
    | RecordRefused
)
"""Every event of the project's own namespaces, in the present version of its type."""

EventAsWritten = Event | SessionDetailFetchedV1
"""Every event in any version of its type, as it stands in a record."""

EVENT_TYPES: dict[str, type[EventAsWritten]] = {
    kind.type_name: kind
    for kind in (
        PracticeDayRequested,
        PracticeDayListed,
        PracticeDayListFailed,
        SessionDetailRequested,
        SessionDetailFetchedV1,
        SessionDetailFetched,
        SessionDetailFailed,
        PracticeDayIngested,
        PracticeDayChanged,
        RecordRefused,
    )
}
"""The event types by their CloudEvents name, old versions included."""
