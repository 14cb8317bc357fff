"""A rebuild from its first state to its last, one step after another, each safe to be done again.

prepared -> replaying -> catching_up -> verified -> swapped, for tables that take the live ones' place;
prepared -> replaying -> catching_up -> checked, for a comparison alone; prepared -> replaying -> built, for
tables as of a moment. A projection goes in; the rebuild as it came out, or as it was paused, comes out. An
error leaves it where it stands: the same command goes on there.
"""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from consumers.projection import Projection
from ops.rebuild import log, shadow
from ops.rebuild import queries as rebuilds
from ops.rebuild.beginning import Beginning, beginning
from ops.rebuild.comparing import Sides, compare
from ops.rebuild.queries import Purpose, Rebuild, State
from ops.rebuild.replaying import Stopped
from ops.rebuild.report import RebuildReport
from ops.rebuild.swapping import rehearse, swap
from ops.rebuild.work import (
    RebuildWork,
    Show,
    holding,
    noting,
    patiently,
    shadow_name,
    standing_still,
    working,
)
from runtime.database import ServerAway, connected
from runtime.settings import Settings
from schemas.errors import LapstreamError
from store.faults import said_by
from store.pool import TRANSIENT, Connection, use_schema
from store.positions import Place


class NothingProjected(LapstreamError):
    """The live projection has not written anything yet: there is nothing to make anew."""


class SwapWaits(LapstreamError):
    """The rebuilt tables differ so much that somebody is to look first."""

    exit_code = 3

    def __init__(self, projection: str, report: RebuildReport) -> None:
        super().__init__(
            f"the tables of {projection} are made anew and wait for somebody: rows would vanish, or more "
            f"than 1 % of a table's change. `lapstream rebuild start {projection} --yes` swaps them, "
            f"`lapstream rebuild cancel {projection}` throws them away, and the same command compares them "
            "again"
        )
        self.report = report


async def rebuild(
    settings: Settings,
    projection: Projection[Any],
    purpose: Purpose,
    show: Show,
    *,
    until: dt.datetime | None = None,
    accept: bool = False,
    export: Path | None = None,
) -> Rebuild:
    """Make a projection's tables anew, or go on with it; returns when it is done, paused or cancelled.

    With `accept` the swap doesn't wait for anybody; `export` is the folder of a copy that holds what the
    topic's beginning has lost. Raises `SwapWaits`, `RebuildAtWork`, `TopicBeginGone`, `NothingProjected`,
    `NotReattachable`, `ShapeChanged`, `CopyError`.
    """
    copy = None if export is None else beginning(export)
    name = shadow_name(projection, purpose, until)
    async with holding(settings.postgres_dsn, name):
        async with connected(settings) as connection:
            found = await rebuilds.open_rebuild(connection, projection.name, purpose, name, until)
            if found.state == "verified" and not (accept or found.paused):
                found = await _compared_again(connection, found)
        while found.open and not found.paused:
            found = await _step(settings, projection, found, show, copy, accept=accept)
        if found.state == "cancelled":
            async with connected(settings) as connection:
                await shadow.discard(connection, name)
        return found


class NotAsSeen(LapstreamError):
    """The rebuild is no longer as it was when the swap was decided."""


async def swap_as_seen(settings: Settings, projection: Projection[Any], seen: Rebuild) -> Rebuild:
    """Swap the tables of a rebuild that waits to be swapped, whatever its comparison found.

    It is swapped only if it is still as it was `seen`. Raises `NotAsSeen`, `RebuildAtWork`, `LiveBehind`,
    `TablesBusy`, `NotReattachable`, `ShapeChanged`.
    """
    async with holding(settings.postgres_dsn, seen.shadow):
        async with connected(settings) as connection:
            found = await rebuilds.read(connection, seen.id)
        check_waits(found)
        if found.moved_at != seen.moved_at:
            raise NotAsSeen(
                f"{projection.name} was compared again at {found.moved_at:%Y-%m-%d %H:%M:%S}: look at what "
                "was found then"
            )
        return await _step(settings, projection, found, lambda _, __: None, None, accept=True)


def check_waits(found: Rebuild) -> None:
    """Raise `NotAsSeen` for a rebuild that does not wait to be swapped."""
    if found.purpose != "swap" or found.state != "verified" or found.paused:
        state = f"{found.state}, and paused" if found.paused and found.open else found.state
        raise NotAsSeen(
            f"this rebuild of {found.projection} is {state}: only one that is verified waits to be swapped"
        )


async def _step(
    settings: Settings,
    projection: Projection[Any],
    found: Rebuild,
    show: Show,
    copy: Beginning | None,
    *,
    accept: bool,
) -> Rebuild:
    """One step; returns the rebuild as it is on file afterwards."""
    async with working(settings, projection, found, copy) as work:
        if found.state == "verified":
            _check_accepted(found, accept=accept)
        try:
            async with noting(work, show):
                await STEPS[found.state](work)
        except Stopped:
            pass
        except TRANSIENT as error:
            raise ServerAway(
                f"the database went away ({said_by(error)}): the same command goes on where it stands"
            ) from error
        except LapstreamError as error:
            async with work.live.acquire() as connection:
                await rebuilds.note_error(connection, found, str(error))
            raise
        async with work.live.acquire() as connection:
            return await rebuilds.read(connection, found.id)


async def _compared_again(connection: Connection, found: Rebuild) -> Rebuild:
    """A rebuild that waited: what was found then may be long ago."""
    await rebuilds.move(connection, found, "catching_up")
    return await rebuilds.read(connection, found.id)


def _check_accepted(found: Rebuild, *, accept: bool) -> None:
    report = report_of(found)
    if not accept and report and report.worrying:
        raise SwapWaits(found.projection, report)


def report_of(found: Rebuild) -> RebuildReport | None:
    """What the comparison of a rebuild found."""
    return None if found.report is None else msgspec.json.decode(found.report, type=RebuildReport)


async def _prepare(work: RebuildWork) -> None:
    """Make the empty tables, once it is known that they can take the live ones' place."""
    await _targets(work)
    await patiently(partial(_make, work))


async def _make(work: RebuildWork) -> None:
    live = work.projection.schema
    async with work.live.acquire() as connection, connection.transaction():
        if work.rebuild.purpose == "swap":
            await rehearse(work, connection)
        await shadow.create(connection, live, work.rebuild.shadow, work.projection.lookups)
        await use_schema(connection, live)
        await rebuilds.move(connection, work.rebuild, "replaying")


async def _targets(work: RebuildWork) -> Mapping[Place, int]:
    """Up to where to replay: where the live tables stand, or the topics' ends for tables as of a moment."""
    source = work.log
    topics = work.projection.topics(source.topics)
    held = await log.check_begins(source.broker, source.topics.prefix, topics, source.copy)
    if work.rebuild.purpose == "until":
        return {place: found.stable for place, found in held.items()}
    targets = await work.targets()
    if not any(targets.values()):
        raise NothingProjected(
            f"{work.projection.name}: the live tables stand at the beginning of {', '.join(topics)}; there "
            "is nothing to make anew. `lapstream run projector` fills them"
        )
    log.check_targets(targets, held)
    return targets


async def _replay(work: RebuildWork) -> None:
    """Fill the tables, then build what they lack of indexes and keys."""
    await work.forward(await _targets(work))
    live = work.projection.schema
    async with work.live.acquire() as connection, connection.transaction():
        await shadow.finish(connection, live, work.rebuild.shadow)
        await use_schema(connection, live)
        await rebuilds.move(connection, work.rebuild, _AFTER_REPLAY[work.rebuild.purpose])


_AFTER_REPLAY: Mapping[Purpose, State] = MappingProxyType(
    {"swap": "catching_up", "verify": "catching_up", "until": "built"}
)


async def _verify(work: RebuildWork) -> None:
    """Compare with the live tables, in a snapshot that is taken when both stand at the same records."""
    sides = Sides(work.projection.schema, work.rebuild.shadow)
    async with (
        work.live.acquire() as connection,
        connection.transaction(isolation="repeatable_read"),
    ):

        async def look(_: Connection) -> None:
            await connection.execute("SELECT")

        await rebuilds.keep_snapshot(connection)
        await standing_still(work, shadow.lock_positions, look)
        report = await compare(connection, work.rebuild, sides, work.group, work.progress.total)
    async with work.live.acquire() as connection, connection.transaction():
        await rebuilds.save_report(connection, work.rebuild, msgspec.json.encode(report))
        if work.rebuild.purpose == "swap":
            await rebuilds.move(connection, work.rebuild, "verified")
        elif await rebuilds.move(connection, work.rebuild, "checked"):
            await shadow.discard(connection, work.rebuild.shadow)


async def _swap(work: RebuildWork) -> None:
    await swap(work)


STEPS: Mapping[State, Callable[[RebuildWork], Awaitable[None]]] = MappingProxyType(
    {"prepared": _prepare, "replaying": _replay, "catching_up": _verify, "verified": _swap}
)
"""What each open state is left by."""
