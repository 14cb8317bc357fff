"""What is known of a row before its events are looked for in the log."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from ops.provenance.answer import Columns, Kind, Table
from projections.state import DayRef, Seen
from schemas.tables import Stamp
from store.pool import Record


class SubjectObservation(Struct, frozen=True, kw_only=True):
    """An observation, and the day and session that it is of, as far as they are known."""

    stamp: Stamp
    first_observed_at: dt.datetime | None = None
    page_sha256: str | None = None
    ref: DayRef | None = None
    session_id: str | None = None

    @classmethod
    def of(cls, seen: Seen[object], ref: DayRef, session_id: str | None = None) -> "SubjectObservation":
        """The newest observation of a day's list, or of a session's row or page."""
        return cls(
            stamp=seen.stamp,
            first_observed_at=seen.first_observed_at,
            page_sha256=seen.page_sha256,
            ref=ref,
            session_id=session_id,
        )


class Subject(Struct, frozen=True, kw_only=True):
    """A row, whether it is there or not, and what sets it; its parts are those of the answer."""

    table: Table
    key: str
    id: UUID | None
    row: dict[str, Any] | None
    expected: bool
    note: str | None
    exists_by: Kind | None
    columns: tuple[Columns, ...]
    seeings: Mapping[Kind, SubjectObservation]


def ref_of(record: Record) -> DayRef:
    """The day that a row is of."""
    return DayRef(record["source"], record["track_slug"], record["date"])
