"""The answer to where a row comes from, as commands and the API tell it.

Structs only; what they are filled from is elsewhere. They are part of the API: fields are only ever added.
"""

import datetime as dt
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from msgspec import Meta, Struct

from schemas.errors import LapstreamError

Table = Literal[
    "tracks",
    "events",
    "races",
    "drivers",
    "race_drivers",
    "race_results",
    "laps",
    "track_records.fastest_laps",
]
"""The tables whose rows can be asked about."""

TABLES: tuple[Table, ...] = get_args(Table)

Kind = Literal["list", "row", "detail", "naming"]
"""What was seen: a day's list, a session's row in one, its page; or whatever names a track or a driver."""


class NoSuchRow(LapstreamError):
    """A key that names no row, and none that was there before."""


class PagePlace(Struct, frozen=True, kw_only=True):
    """A page in the archive: when it was fetched, and the place of its record."""

    url: str
    status: int
    fetched_at: dt.datetime
    topic: str
    partition: int
    offset: int


class RecordPlace(Struct, frozen=True, kw_only=True):
    """The record of an event: its place and time, who wrote it, and for which run."""

    topic: str
    partition: int
    offset: int
    written_at: Annotated[
        dt.datetime | None, Meta(description="The record's time stamp; null where it has none.")
    ]
    producer: Annotated[str, Meta(description="`ce_source`.")]
    run_id: Annotated[
        str | None, Meta(description="`ce_correlationid`, a run's id where Lapstream wrote it.")
    ]
    request_id: Annotated[str | None, Meta(description="`ce_causationid`, the event that it answers.")]


class Observation(Struct, frozen=True, kw_only=True):
    """An observation that counts for the row, with its page and its record as far as they were found.

    `page_note` and `record_note` say why one is missing. A page that did not change since it was fetched has
    an earlier `fetched_at` than `observed_at`, when the site confirmed it.
    """

    kind: Kind
    event_id: Annotated[str, Meta(description="`ce_id` of the event.")]
    event_type: str | None
    first_observed_at: Annotated[
        dt.datetime | None, Meta(description="When the subject was first seen; null for a `naming`.")
    ]
    observed_at: dt.datetime
    parser_version: int
    content_digest: str
    page_sha256: str | None
    page: PagePlace | None
    page_note: str | None
    record: RecordPlace | None
    record_note: str | None


class Columns(Struct, frozen=True, kw_only=True):
    """Columns of the row, and the observations that set them; none, where none states them."""

    columns: tuple[str, ...]
    set_by: tuple[Kind, ...]


class Provenance(Struct, frozen=True, kw_only=True):
    """Where a row comes from.

    `stored` says whether the table has the row, `expected` whether the observations say that there is one;
    where not both hold, `note` says what that means. It also tells of a driver with several names.
    `exists_by` is the observation by which the session exists, or does not; null for tracks, drivers and
    days, which never go.
    """

    table: Table
    key: str
    id: Annotated[UUID | None, Meta(description="The row's id; of a lap that of its result.")]
    stored: bool
    expected: bool
    note: str | None
    exists_by: Kind | None
    row: Annotated[dict[str, Any] | None, Meta(description="The row, column by column.")]
    columns: tuple[Columns, ...]
    observations: tuple[Observation, ...]
