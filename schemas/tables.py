"""The rows of the read model, as the projection makes them and the store writes them.

Each is a tuple whose fields stand in the order of its table's columns. Ids are made from natural keys
(`schemas.identity`). JSON columns are text here.
"""

import datetime as dt
from typing import NamedTuple
from uuid import UUID


class Stamp(NamedTuple):
    """How new an observation is: field by field in this order; the greatest of a subject counts.

    docs/ordering.md describes it; the statements of store/practice_days.sql that compare names keep to it.
    `event_id` only breaks a tie.

    `authority` is that of its topic for its source (`schemas.topics`).
    """

    authority: int
    observed_at: dt.datetime
    parser_version: int
    content_digest: str
    event_id: str


class DayRow(NamedTuple):
    """A row of `events`, without its metadata: what anything seen of a day is enough to make."""

    id: UUID
    track_id: UUID
    source: str
    source_event_id: str
    event_date: dt.date
    track_slug: str


class RaceRow(NamedTuple):
    """A row of `races`: one practice session."""

    id: UUID
    event_id: UUID
    source: str
    source_race_id: str
    class_name: str | None
    race_label: str | None
    race_url: str | None
    start_time: dt.datetime | None
    start_time_utc: dt.datetime | None
    duration_seconds: int | None
    race_metadata: str | None


class RaceDriverRow(NamedTuple):
    """A row of `race_drivers`: who drove a session, under the name that the session shows."""

    id: UUID
    race_id: UUID
    driver_id: UUID
    source_driver_id: str
    display_name: str | None
    transponder_number: str | None


class RaceResultRow(NamedTuple):
    """A row of `race_results`: times in seconds, consistency in percent."""

    id: UUID
    race_id: UUID
    race_driver_id: UUID
    position_final: int
    laps_completed: int | None
    fast_lap_time: float | None
    avg_lap_time: float | None
    consistency: float | None
    raw_fields_json: str | None


class LapRow(NamedTuple):
    """A row of `laps`, in the order of an event's `Lap`: times in seconds, `lapped_at` on the local clock."""

    race_result_id: UUID
    lap_number: int
    position_on_lap: int | None
    lap_time_raw: str | None
    lap_time_seconds: float | None
    is_valid: bool | None
    lapped_at: dt.datetime | None
    pace_string: str | None
    elapsed_race_time: float | None
    segments_json: str | None


class TrackSighting(NamedTuple):
    """A list that names its track: the newest gives `tracks` its name and zone."""

    track_id: UUID
    source: str
    source_track_slug: str
    name: str
    time_zone: str | None
    stamp: Stamp


class DriverSighting(NamedTuple):
    """A session that names a driver: the newest one, by its start, gives `drivers` its name."""

    driver_id: UUID
    source: str
    source_driver_id: str
    transponder_number: str | None
    display_name: str | None
    normalized_name: str | None
    named: bool
    start_time: dt.datetime | None
    session_id: str
    stamp: Stamp


class ObservationRow(NamedTuple):
    """A row of `observations`: the newest list of a day, or row or detail of a session.

    `facts` is what it said, as JSON without laps. `shelved_laps` holds the laps of a session that does not
    exist at present: they wait there, should it come back. `list_row_digest` is of the list row that a detail
    was fetched for.
    """

    kind: str
    subject_id: UUID
    event_id: UUID
    first_observed_at: dt.datetime
    authority: int
    observed_at: dt.datetime
    parser_version: int
    content_digest: str
    source_event_id: str
    page_sha256: str | None
    facts: str
    shelved_laps: str | None
    list_row_digest: str | None


class FastestLapRow(NamedTuple):
    """A row of `track_records.fastest_laps`: a session's fastest lap, in seconds, and who drove it."""

    id: UUID
    event_id: UUID
    track_id: UUID
    session_id: str
    class_name: str | None
    fast_lap_time: float
    driver_name: str | None
    source_driver_id: str
    start_time: dt.datetime | None
