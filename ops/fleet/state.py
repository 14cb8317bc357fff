"""The state of the fleet: what is parked, rebuilt, held back at the site, at work, and how large it all is.

A connection goes in; what PostgreSQL knows comes out, as a look and as its metrics.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from ops.fleet.showing import Family, Kind, Series
from producer import budget as sites
from store.pool import Connection, Pool, fetch_one
from store.statements import statements_of

statement = statements_of(__file__)

OPERATIONS = "lapstream"
"""The schema of what is not projected."""

STATES = ("prepared", "replaying", "catching_up", "verified", "paused")
"""The states of a rebuild that has not ended; one that is paused is in none of the others."""

WORKED_AT = ("prepared", "replaying", "catching_up")
"""The states in which a rebuild is to move by itself."""


STUCK_SECONDS = 900.0
"""So long a rebuild does not stand still by itself: replaying notes its progress every few seconds."""


class OpenRebuild(Struct, frozen=True):
    """A rebuild that has not ended."""

    projection: str
    state: str
    records_done: int
    records_total: int
    idle_seconds: float

    @property
    def progress(self) -> float:
        """The part of the records that is replayed."""
        return min(1.0, self.records_done / self.records_total) if self.records_total else 0.0


class ListOfTracks(Struct, frozen=True):
    """The site's list of its tracks: how many, how old it is, and why it last failed to be fetched, if so."""

    tracks: int
    age_seconds: float | None
    error: str | None


class State(Struct, frozen=True, kw_only=True):
    """What was found. `parked` is by group, `tables` bytes by table; `failed` runs are those of an hour.

    `catalogue` is None where the site's list of tracks was not asked for.
    """

    parked: dict[str, int]
    rebuilds: list[OpenRebuild]
    site_paused: bool
    site_backing_off_seconds: float
    site_reason: str | None
    runs_open: int
    runs_failed: int
    database_bytes: int
    tables: dict[str, int]
    catalogue: ListOfTracks | None = None
    followed_days: int = 0
    followed_late_seconds: float = 0.0


async def state_of(connection: Connection, site: str, schemas: Sequence[str]) -> State:
    """The state now; of the tables, those of these schemas."""
    parked = await connection.fetch(statement("parked_waiting"))
    rebuilds = await connection.fetch(statement("open_rebuilds"))
    runs = await fetch_one(connection, statement("runs_counted"))
    sizes = await connection.fetch(statement("sizes"), [OPERATIONS, *schemas])
    held = await sites.state(connection, site)
    listed = await connection.fetchrow(statement("list_of_tracks"))
    followed = await fetch_one(connection, statement("followed_days_counted"))
    return State(
        parked={one["group_name"]: one["waiting"] for one in parked},
        rebuilds=[OpenRebuild(*one) for one in rebuilds],
        site_paused=held.paused,
        site_backing_off_seconds=held.rest_seconds or 0.0,
        site_reason=held.rest_reason if held.rest_seconds else None,
        runs_open=runs["open"],
        runs_failed=runs["failed"],
        database_bytes=next(one["bytes"] for one in sizes if one["table_name"] is None),
        tables={one["table_name"]: one["bytes"] for one in sizes if one["table_name"] is not None},
        catalogue=ListOfTracks(*listed) if listed else None,
        followed_days=followed["days"],
        followed_late_seconds=followed["late_seconds"] or 0.0,
    )


class StateLooker:
    """Looks at the state, for the observer; every group that may park has a figure."""

    kind = "state"

    def __init__(self, pool: Pool, site: str, groups: Sequence[str], schemas: Sequence[str]) -> None:
        self._pool = pool
        self._site = site
        self._groups = groups
        self._schemas = schemas

    async def look(self) -> bytes:
        """The state now, as JSON."""
        async with self._pool.acquire() as connection:
            found = await state_of(connection, self._site, self._schemas)
        parked = dict.fromkeys(self._groups, 0) | found.parked
        return msgspec.json.encode(msgspec.structs.replace(found, parked=parked))

    async def close(self) -> None:
        """Nothing is kept open."""


PARKED = Family("lapstream_parked_waiting", "Records that are parked and not settled, by group.", ("group",))
REBUILDS = Family("lapstream_rebuilds", "Rebuilds that have not ended, by state.", ("state",))
PROGRESS = Family(
    "lapstream_rebuild_progress_ratio",
    "The part of a rebuild's records that is replayed.",
    ("projection",),
)
IDLE = Family(
    "lapstream_rebuild_idle_seconds",
    "For how long a rebuild that is to go on by itself has not moved.",
    ("projection",),
)
PAUSED = Family("lapstream_site_paused", "Whether all fetching from the site is paused: 1 or 0.")
BACKING_OFF = Family(
    "lapstream_site_backing_off_seconds", "For how long the site is still left alone; 0 where it is not."
)
OPEN = Family("lapstream_runs_open", "Runs that have not ended.")
FAILED = Family("lapstream_runs_failed_recent", "Runs that ended as failed in the last hour.")
DATABASE = Family("lapstream_database_bytes", "What the database takes on its disk.")
CATALOGUE = Family("lapstream_catalogue_age_seconds", "Age of the site's list of tracks, once there is one.")
FOLLOWED = Family("lapstream_followed_days", "Days of tracks that are followed now.")
LATE = Family(
    "lapstream_followed_days_late_seconds",
    "For how long that followed day has been due which waits longest to be asked for; a night counts, too.",
)
TABLE = Family("lapstream_table_bytes", "What a table takes on the disk, with its indexes.", ("table",))


def _series(look: str) -> Iterator[Series]:
    found = msgspec.json.decode(look, type=State)
    for group, waiting in found.parked.items():
        yield Series(PARKED, (group,), waiting)
    for state in STATES:
        yield Series(REBUILDS, (state,), sum(one.state == state for one in found.rebuilds))
    for one in {one.projection: one for one in found.rebuilds}.values():
        yield Series(PROGRESS, (one.projection,), one.progress)
        if one.state in WORKED_AT:
            yield Series(IDLE, (one.projection,), one.idle_seconds)
    yield Series(PAUSED, (), found.site_paused)
    yield Series(BACKING_OFF, (), found.site_backing_off_seconds)
    yield Series(OPEN, (), found.runs_open)
    yield Series(FAILED, (), found.runs_failed)
    yield Series(DATABASE, (), found.database_bytes)
    if found.catalogue and found.catalogue.age_seconds is not None:
        yield Series(CATALOGUE, (), found.catalogue.age_seconds)
    yield Series(FOLLOWED, (), found.followed_days)
    yield Series(LATE, (), found.followed_late_seconds)
    for table, size in found.tables.items():
        yield Series(TABLE, (table,), size)


STATE = Kind(
    name=StateLooker.kind,
    families=(
        PARKED,
        REBUILDS,
        PROGRESS,
        IDLE,
        PAUSED,
        BACKING_OFF,
        OPEN,
        FAILED,
        DATABASE,
        CATALOGUE,
        FOLLOWED,
        LATE,
        TABLE,
    ),
    series=_series,
)
"""The state of the fleet."""
