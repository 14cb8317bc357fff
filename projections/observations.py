"""What is known of a day becomes rows of `observations`: the newest list, row and detail of each subject."""

from collections.abc import Iterator
from uuid import UUID

import msgspec

from projections.rows import race_id
from projections.state import Day, DayRef, FactsT_co, Seen
from schemas.identity import practice_event_id
from schemas.tables import ObservationRow


def new_observations(ref: DayRef, old: Day, new: Day) -> Iterator[ObservationRow]:
    """What `new` knows and `old` did not, for a projection that keeps no laps."""
    event_id = practice_event_id(*ref)
    if new.complete_list and new.complete_list is not old.complete_list:
        yield observation("list", event_id, event_id, new.complete_list)
    for session_id, row in new.rows.items():
        if row is not old.rows.get(session_id):
            yield observation("row", race_id(ref, session_id), event_id, row)
    for session_id, detail in new.details.items():
        if detail is not old.details.get(session_id):
            yield observation("detail", race_id(ref, session_id), event_id, detail)


def observation(
    kind: str, subject: UUID, event_id: UUID, seen: Seen[FactsT_co], shelved: str | None = None
) -> ObservationRow:
    """The row of an observation; `shelved` are a detail's laps, where they wait for their session."""
    return ObservationRow(
        kind,
        subject,
        event_id,
        seen.first_observed_at,
        *seen.stamp,
        seen.page_sha256,
        encoded(seen.facts),
        shelved,
        seen.list_row_digest,
    )


_encoder = msgspec.json.Encoder()


def encoded(value: object) -> str:
    """The value as JSON, as its column takes it."""
    return _encoder.encode(value).decode()
