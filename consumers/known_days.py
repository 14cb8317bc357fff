"""What a projection knows of practice days: the newest observations, in its own table of them.

A batch of events goes in; out come its observations, and what was known before of the days that it is about.
Which projection's tables are read is said by the connection's search path.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from projections.observations import detail_facts
from projections.rows import race_id
from projections.state import EMPTY_DAY, Day, DayRef, FactsT_co, ListFacts, Seen, Sighted, sight_of
from schemas.envelope import Received
from schemas.events import Lap, ListedSession, SessionFacts
from schemas.identity import practice_event_id, source_event_id, track_id
from schemas.tables import DayRow, Stamp
from store import practice_days as store
from store.pool import Connection, Record

Days = dict[DayRef, Day]


def observations_of(received: Iterable[Received]) -> list[Sighted]:
    """The observations of pages among these events; what is none changes no table."""
    return [one for one in map(sight_of, received) if one]


def day_row(ref: DayRef) -> DayRow:
    """The row of a day of which anything was seen."""
    return DayRow(
        practice_event_id(*ref),
        track_id(ref.source, ref.track_slug),
        ref.source,
        source_event_id(ref.track_slug, ref.date),
        ref.date,
        ref.track_slug,
    )


async def load_days(connection: Connection, batch: Days) -> Days:
    """What is known: of days with a new complete list everything, of others what the batch is about."""
    by_id = {practice_event_id(*ref): ref for ref in batch}
    whole = [event_id for event_id, ref in by_id.items() if batch[ref].complete_list]
    others = [event_id for event_id, ref in by_id.items() if not batch[ref].complete_list]
    sessions = [
        race_id(by_id[event_id], session_id)
        for event_id in others
        for session_id in {*batch[by_id[event_id]].rows, *batch[by_id[event_id]].details}
    ]
    records = await store.load_observations(connection, whole, others, sessions)
    known: dict[UUID, list[Record]] = {}
    for record in records:
        known.setdefault(record["event_id"], []).append(record)
    return {ref: _day(known[event_id]) if event_id in known else EMPTY_DAY for event_id, ref in by_id.items()}


def _day(records: Sequence[Record]) -> Day:
    complete_list: Seen[ListFacts] | None = None
    rows: dict[str, Seen[ListedSession]] = {}
    details: dict[str, Seen[SessionFacts]] = {}
    for record in records:
        if record["kind"] == "list":
            complete_list = _seen(record, _list_facts.decode(record["facts"]))
        elif record["kind"] == "row":
            row = _row_facts.decode(record["facts"])
            rows[row.session_id] = _seen(record, row)
        else:
            detail = detail_facts(record["facts"])
            shelved = record["shelved_laps"]
            laps = None if shelved is None else _laps.decode(shelved)
            details[detail.session_id] = _seen(record, detail, laps)
    return Day(complete_list=complete_list, rows=rows, details=details)


_list_facts = msgspec.json.Decoder(ListFacts)
_row_facts = msgspec.json.Decoder(ListedSession)
_laps = msgspec.json.Decoder(tuple[Lap, ...])


def _seen(record: Record, facts: FactsT_co, laps: tuple[Lap, ...] | None = None) -> Seen[FactsT_co]:
    return Seen(
        stamp=Stamp(
            record["authority"],
            record["observed_at"],
            record["parser_version"],
            record["content_digest"],
            record["source_event_id"],
        ),
        first_observed_at=record["first_observed_at"],
        page_sha256=record["page_sha256"],
        facts=facts,
        laps=laps,
        list_row_digest=record["list_row_digest"],
    )
