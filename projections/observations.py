"""What is known of a day becomes rows of `observations`: the newest list, row and detail of each subject.

A detail's facts are kept as version 1 says them, so that roles of the release before read them, too.
"""

from collections.abc import Iterator
from uuid import UUID

import msgspec

from projections.rows import race_id
from projections.state import Day, DayRef, FactsT_co, Seen
from schemas.events import SessionFacts, SessionFactsV1
from schemas.identity import practice_event_id
from schemas.tables import ObservationRow
from schemas.versions import facts_as_v1, facts_from_v1


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
        encoded(facts_as_v1(seen.facts) if isinstance(seen.facts, SessionFacts) else seen.facts),
        shelved,
        seen.list_row_digest,
    )


def detail_facts(text: str) -> SessionFacts:
    """A detail's facts, from the text in which `observation` keeps them."""
    return facts_from_v1(_detail_facts.decode(text))


_encoder = msgspec.json.Encoder()
_detail_facts = msgspec.json.Decoder(SessionFactsV1)


def encoded(value: object) -> str:
    """The value as JSON, as its column takes it."""
    return _encoder.encode(value).decode()
