"""The projection of practice days on a connection: observations in, rows of all tables of a day out.

What is known of the days is read, merged with what came, and the difference of the rows is written. All of it
is one transaction of the caller's; the days are locked first, so that two projectors never mix.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from consumers.known_days import day_row, load_days, observations_of
from projections.changes import Changes, DayChange, Plan, add_changes, day_change, plan_day
from projections.rows import lap_of
from projections.sightings import newest_drivers, newest_tracks
from projections.state import EMPTY_DAY, DayRef, Sighted, fold_days, merge_day
from schemas.envelope import Received
from schemas.events import Lap, PracticeDayChanged
from store import practice_days as store
from store.pool import Connection
from store.practice_days import LapChanges


async def apply(connection: Connection, received: Iterable[Received]) -> list[PracticeDayChanged]:
    """Apply a batch of events, once in a transaction; what is no observation of a page changes nothing.

    Returns what changed, day by day; days whose rows stayed as they were are left out.
    """
    return await _apply(connection, observations_of(received), copy_new_days=False)


async def fill(connection: Connection, received: Iterable[Received]) -> None:
    """As `apply`, twice as fast: for tables that nothing else ever wrote, and nobody reads yet.

    Of a day that was never seen no row can be in the way, so that its rows are copied into the tables.
    """
    await _apply(connection, observations_of(received), copy_new_days=True)


async def _apply(
    connection: Connection, sighted: Sequence[Sighted], *, copy_new_days: bool
) -> list[PracticeDayChanged]:
    """Write the days, and last the names: other members wait for those rows until this one commits."""
    if not sighted:
        return []
    batch = fold_days(sighted)
    await store.lock_days(connection, map(day_row, batch))
    old = await load_days(connection, batch)
    plans = [plan_day(ref, old[ref], merge_day(old[ref], batch[ref])) for ref in sorted(batch)]
    moved = await _wanted_laps(connection, plans)
    changes, new = Changes(), Changes()
    for plan in plans:
        is_new = copy_new_days and old[plan.ref] is EMPTY_DAY
        add_changes(new if is_new else changes, plan, moved.get(plan.ref, {}))
    drivers = newest_drivers(sighted)
    await store.add_drivers(connection, drivers)
    await _copy(connection, new)
    laps = await _write(connection, changes)
    await store.name_tracks(connection, newest_tracks(sighted))
    await store.name_drivers(connection, drivers)
    now = dt.datetime.now(dt.UTC)
    return [found for plan in plans if (found := _changed(day_change(plan), laps, now))]


def _changed(
    change: DayChange, laps: Mapping[UUID, LapChanges], now: dt.datetime
) -> PracticeDayChanged | None:
    """What became of a day; None where it stayed as it was."""
    counts = [laps[result] for result in change.results & laps.keys()]
    also = [session for result, session in change.laps_written.items() if any(laps.get(result, ()))]
    added, changed, gone = (sum(one[kind] for one in counts) for kind in range(3))
    if not (change.added or change.changed or change.gone or also):
        return None
    return PracticeDayChanged(
        **change.ref._asdict(),
        changed_at=now,
        sessions_added=tuple(change.added),
        sessions_changed=tuple(sorted((*change.changed, *also))),
        sessions_gone=tuple(change.gone),
        laps_added=added,
        laps_changed=changed,
        laps_gone=gone,
    )


async def _write(connection: Connection, changes: Changes) -> dict[UUID, LapChanges]:
    """Write the changes of rows; returns those of laps, by result."""
    gone = await store.count_laps(connection, changes.results_gone)
    await store.delete_rows(connection, "races", changes.races_gone)
    await store.delete_rows(connection, "race_drivers", changes.race_drivers_gone)
    await store.save_rows(connection, "metadata", changes.metadata)
    await store.save_rows(connection, "races", changes.races)
    await store.save_rows(connection, "race_drivers", changes.race_drivers)
    await store.save_rows(connection, "race_results", changes.race_results)
    written = await store.save_laps(connection, changes.laps)
    await store.save_observations(connection, changes.observations)
    return gone | written


async def _copy(connection: Connection, new: Changes) -> None:
    """Write the rows of days that were never seen."""
    await store.save_rows(connection, "metadata", new.metadata)
    await store.copy_rows(connection, "races", new.races)
    await store.copy_rows(connection, "race_drivers", new.race_drivers)
    await store.copy_rows(connection, "race_results", new.race_results)
    await store.copy_laps(connection, new.laps)
    await store.copy_rows(connection, "observations", new.observations)


async def _wanted_laps(
    connection: Connection, plans: Sequence[Plan]
) -> dict[DayRef, dict[str, tuple[Lap, ...]]]:
    """The laps that move with their sessions, read from the tables."""
    wanted = {
        result: (plan.ref, session_id) for plan in plans for result, session_id in plan.laps_wanted().items()
    }
    found: dict[UUID, list[Lap]] = {result: [] for result in wanted}
    for row in await store.load_laps(connection, sorted(wanted)) if wanted else ():
        found[row.race_result_id].append(lap_of(row))
    moved: dict[DayRef, dict[str, tuple[Lap, ...]]] = {}
    for result, (ref, session_id) in wanted.items():
        moved.setdefault(ref, {})[session_id] = tuple(found[result])
    return moved
