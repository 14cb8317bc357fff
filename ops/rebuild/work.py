"""A rebuild at work: its connections and locks, its schema, and whether somebody pauses or cancels it.

Settings and a rebuild go in; the work's parts come out, held by this process alone until it ends.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import asyncpg
import stamina
from msgspec import Struct

from consumers.projection import Projection
from ops.rebuild import log
from ops.rebuild import queries as rebuilds
from ops.rebuild.beginning import Beginning
from ops.rebuild.queries import Purpose, Rebuild, State
from ops.rebuild.replaying import Progress, Replay, ReplayedLog
from runtime.database import alone, database
from runtime.settings import Settings
from schemas.errors import LapstreamError
from store import positions
from store.pool import Connection, Pool
from store.positions import Place

ResultT = TypeVar("ResultT")

NOTE_SECONDS = 0.5
"""How often progress is noted, and asked whether the work is to stop."""

LOCK_WAIT = "2s"
"""How long writers wait behind a lock that is asked for, before it is given up and asked for again."""

LOCK_ATTEMPTS = 30

CLOSE = 500
"""Records that may be left to apply while the live projection waits."""

HOLD_SECONDS = 5.0


class RebuildAtWork(LapstreamError):
    """Another process works at this rebuild."""


class LiveBehind(LapstreamError):
    """The live tables stand before the rebuilt ones."""


class TablesBusy(LapstreamError):
    """Somebody holds the live tables for minutes."""


class OldReaders(Exception):
    """Somebody reads with a snapshot from before the tables were filled."""


class TooFarBehind(Exception):
    """The live projection went on too far to be waited for."""


Show = Callable[[State, Progress], None]
"""Is told how far the work is, again and again."""


def shadow_name(projection: Projection[Any], purpose: Purpose, until: dt.datetime | None) -> str:
    """The schema that the tables are made in."""
    if until is not None:
        return f"{projection.schema}_until_{until.astimezone(dt.UTC):%Y%m%dt%H%M%S}"
    return f"{projection.schema}_{'shadow' if purpose == 'swap' else 'verify'}"


def kept_name(projection: Projection[Any]) -> str:
    """The schema that holds the tables that the newest swap, or its taking back, put aside."""
    return f"{projection.schema}_before"


class RebuildWork(Struct, frozen=True, kw_only=True):
    """A rebuild at work; `live` sees the live tables, `replay` brings the others forward.

    The log's copy stands in for what a topic has lost, before `begins`.
    """

    log: ReplayedLog
    projection: Projection[Any]
    rebuild: Rebuild
    live: Pool
    replay: Replay
    progress: Progress
    begins: Mapping[Place, int]

    @property
    def group(self) -> str:
        """The projection's consumer group."""
        return self.projection.group(self.log.topics.prefix)

    async def targets(self) -> dict[Place, int]:
        """Up to where the tables are to be filled: as far as the live ones stand."""
        async with self.live.acquire() as connection:
            return await self.targets_seen_by(connection)

    async def targets_seen_by(self, connection: Connection) -> dict[Place, int]:
        """As `targets`, by a connection that holds the positions.

        What a topic said that is none of the projection's any more is left out. Tables that are to take the
        live ones' place go on to the topic's begin where those never came: only the copy has what lies
        before.
        """
        topics = self.projection.topics(self.log.topics)
        stored = await positions.read(connection, self.group)
        live_at = {place: at for place, at in stored.items() if place.topic in topics}
        if self.rebuild.purpose != "swap":
            return live_at
        return {
            place: max(live_at.get(place, 0), self.begins.get(place, 0)) for place in {*live_at, *self.begins}
        }

    async def forward(self, targets: Mapping[Place, int]) -> None:
        """Bring the shadow to these places."""
        at = await self.replay.stands_at()
        self.progress.done, self.progress.total = sum(at.values()), sum(targets.values())
        await self.replay.forward(targets)

    async def moved(self, state: State) -> bool:
        """Bring the rebuild into its next state; False where it was cancelled meanwhile."""
        async with self.live.acquire() as connection:
            return await rebuilds.move(connection, self.rebuild, state)


@contextlib.asynccontextmanager
async def holding(dsn: str, name: str) -> AsyncGenerator[None]:
    """Be the only one to work at a schema; raises `RebuildAtWork` where somebody else does."""
    connection = await alone(dsn)
    try:
        if not await held_soon(connection, name):
            raise RebuildAtWork(
                f"another process makes {name}: `lapstream rebuild status` tells how far it is"
            )
        yield
    finally:
        await connection.close()


async def held_soon(connection: Connection, name: str) -> bool:
    """Whether this connection holds the schema: who was just killed gives it back within moments."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HOLD_SECONDS):
            while not await rebuilds.hold(connection, name):  # noqa: ASYNC110 - another process gives it back
                await asyncio.sleep(NOTE_SECONDS / 5)
            return True
    return False


@contextlib.asynccontextmanager
async def working(
    settings: Settings, projection: Projection[Any], rebuild: Rebuild, copy: Beginning | None
) -> AsyncGenerator[RebuildWork]:
    """The parts of the work, with connections of their own."""
    progress = Progress()
    source = ReplayedLog(settings.broker, settings.topics, copy)
    held = await log.bounds(settings.broker, projection.topics(settings.topics))
    async with (
        database(settings, size=3, schema=projection.schema) as live,
        database(settings, size=2, schema=rebuild.shadow) as other,
    ):
        yield RebuildWork(
            log=source,
            projection=projection,
            rebuild=rebuild,
            live=live,
            replay=Replay(source, projection, rebuild, other, progress, settings.parking_limit),
            progress=progress,
            begins={place: found.begin for place, found in held.items() if found.begin > 0},
        )


@contextlib.asynccontextmanager
async def noting(work: RebuildWork, show: Show) -> AsyncGenerator[None]:
    """Note progress while the block works, and have it stop when somebody wants it paused or cancelled."""
    task = asyncio.create_task(_go_on_noting(work, show))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.result()
    await _note(work, show)


async def _go_on_noting(work: RebuildWork, show: Show) -> None:
    while not work.progress.stop:
        await _note(work, show)
        await asyncio.sleep(NOTE_SECONDS)


async def _note(work: RebuildWork, show: Show) -> None:
    show(work.rebuild.state, work.progress)
    async with work.live.acquire() as connection:
        state, paused = await rebuilds.note(
            connection, work.rebuild, work.progress.done, work.progress.total, work.progress.newest_at
        )
    work.progress.stop = paused or state == "cancelled"


BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, OldReaders, TooFarBehind)


async def patiently(work: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Do what needs locks, and try again where they can't be had; raises `TablesBusy` in the end."""
    try:
        async for attempt in stamina.retry_context(
            on=BUSY, attempts=LOCK_ATTEMPTS, timeout=None, wait_max=1.0
        ):
            with attempt:
                return await work()
    except BUSY as error:
        raise TablesBusy(
            f"the live tables have been in use all the time: {error}. Nothing was changed; pg_stat_activity "
            "tells who it is, and the same command goes on when he is through"
        ) from error
    raise AssertionError("stamina returns or raises")


async def standing_still(
    work: RebuildWork,
    lock: Callable[[Connection, str, str], Awaitable[None]],
    then: Callable[[Connection], Awaitable[ResultT]],
) -> ResultT:
    """Do something while the live projection waits, and both sides have applied the same records.

    Readers are not held up. Raises `LiveBehind`, `TablesBusy`.
    """
    return await patiently(partial(_standing_still, work, lock, then))


async def _standing_still(
    work: RebuildWork,
    lock: Callable[[Connection, str, str], Awaitable[None]],
    then: Callable[[Connection], Awaitable[ResultT]],
) -> ResultT:
    await _catch_up(work)
    async with work.live.acquire() as connection, connection.transaction():
        await rebuilds.keep_locks(connection)
        await lock(connection, work.projection.schema, LOCK_WAIT)
        targets = await work.targets_seen_by(connection)
        if await _behind(work, targets) > CLOSE:
            raise TooFarBehind("the projector writes faster than the rebuild can follow")
        await work.forward(targets)
        return await then(connection)


async def _catch_up(work: RebuildWork) -> None:
    """Bring the shadow close to where the live tables stand."""
    targets = await work.targets()
    while await _behind(work, targets) > 0:
        await work.forward(targets)
        before, targets = targets, await work.targets()
        if sum(targets.values()) - sum(before.values()) <= CLOSE:
            return


async def _behind(work: RebuildWork, targets: Mapping[Place, int]) -> int:
    at = await work.replay.stands_at()
    if ahead := [place for place, offset in at.items() if offset > targets.get(place, 0)]:
        raise LiveBehind(
            f"{', '.join(f'{one.topic}[{one.partition}]' for one in ahead)}: the live tables of "
            f"{work.projection.name} stand before the rebuilt ones; were they rolled back? Let the projector "
            "catch up, then the same command goes on"
        )
    return sum(targets.values()) - sum(at.values())
