"""The projection of track records on a connection: observations in, the fastest lap of each session out.

It knows of the days what the projection of practice days knows, in tables of its own: each stands where its
own group stands, and is made again without the other.
"""

from collections.abc import Iterable

from consumers.known_days import Days, day_row, load_days, observations_of
from consumers.projection import Projection
from projections.observations import new_observations
from projections.state import fold_days, merge_day
from projections.track_records import FastestLapChanges, add_fastest_laps
from schemas.envelope import Received
from schemas.records import decode
from schemas.tables import ObservationRow
from store import practice_days, records
from store.pool import Connection


async def apply(connection: Connection, received: Iterable[Received]) -> None:
    """Apply a batch of events, once in a transaction; what is no observation of a page changes nothing."""
    batch = fold_days(observations_of(received))
    if batch:
        await practice_days.lock_days(connection, map(day_row, batch))
        await _apply(connection, batch)


async def _apply(connection: Connection, batch: Days) -> None:
    known = await load_days(connection, batch)
    changes = FastestLapChanges()
    observed: list[ObservationRow] = []
    for ref, old in known.items():
        new = merge_day(old, batch[ref])
        add_fastest_laps(changes, ref, old, new)
        observed += new_observations(ref, old, new)
    await records.delete_fastest_laps(connection, changes.gone)
    await records.save_fastest_laps(connection, changes.saved)
    await practice_days.save_observations(connection, observed)


TRACK_RECORDS = Projection(
    name="track-records",
    schema="track_records",
    topics=lambda topics: topics.event_log,
    decode=decode,
    apply=apply,
    lookups=("observations_event_id_idx",),
    gather_ms=250,
)
"""The read model of track records: the fastest lap of each session."""
