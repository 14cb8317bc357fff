"""How far each consumer group is behind, on the terminal, once or again and again."""

import asyncio
import contextlib
import datetime as dt
import signal
from collections.abc import AsyncGenerator, Callable

import asyncpg
import msgspec
import typer
from msgspec.structs import replace
from rich.live import Live

from lapstream.cli.lag_show import view
from lapstream.cli.output import err, note, out, print_json, write_line
from ops.fleet.observing import WINDOW_SECONDS
from ops.lag.figures import GroupLag
from ops.lag.limits import Limit, limit_of, over
from ops.lag.looking import Kept, Lag, in_words
from ops.lag.report import OBSERVED_BY, LagReport, of_group
from ops.lag.tracks import TrackFreshness, track_freshness
from ops.lag.window import Window
from runtime.database import ServerAway, database
from runtime.settings import Settings, read_settings
from schemas.errors import LapstreamError
from schemas.terminal import clean_json
from store.pool import TRANSIENT, Pool
from store.waiting import set_within

OVER = 3
"""The exit code where a group is over the limit, or it is not known whether it is."""


class Looking:
    """The looks of one command; each is judged by those that the observer stored, and by its own before."""

    def __init__(self, settings: Settings) -> None:
        self._pool: Kept[Pool] = Kept(lambda: database(settings, size=1))
        self._lag = Lag(settings.broker, settings.topics, self._pool)
        self._window = Window(WINDOW_SECONDS)
        self._unobserved = OBSERVED_BY

    async def look(self) -> LagReport:
        """The lag now; a server that is away is said in words."""
        tracks = await self._read()
        found = await self._lag.look()
        judged = self._window.judged(found)
        self._window.keep(found)
        groups = judged.groups if self._window.is_observed else list(map(self._without, judged.groups))
        return LagReport(
            looked_at=dt.datetime.now(dt.UTC),
            trouble=found.trouble,
            groups=groups,
            tracks=tracks,
        )

    async def _read(self) -> list[TrackFreshness]:
        """Read what the database has; where it has no looks, that is why a group has no verdict."""
        try:
            pool = await self._pool.get()
            async with pool.acquire() as connection:
                await self._window.read(connection)
                return await track_freshness(connection)
        except (LapstreamError, asyncpg.PostgresError, *TRANSIENT) as error:
            self._unobserved = f"the observer's looks can't be read: {in_words(error)}"
            await self._pool.drop()
            return []

    def _without(self, group: GroupLag) -> GroupLag:
        """A group without a verdict, with what has to be there for one."""
        if group.verdict != "unknown" or group.troubles:
            return group
        return replace(group, reason=f"{group.reason}: {self._unobserved}")

    async def close(self) -> None:
        """Close the connections."""
        await self._lag.close()
        await self._pool.drop()


@contextlib.asynccontextmanager
async def looking(settings: Settings) -> AsyncGenerator[Looking]:
    """What looks, closed in the end."""
    found = Looking(settings)
    try:
        yield found
    finally:
        await found.close()


def limit(text: str | None) -> Limit | None:
    """The limit that was typed, if any."""
    try:
        return None if text is None else limit_of(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fail-over") from error


def show(group: str | None, limit: Limit | None, *, as_json: bool) -> None:
    """Show the lag of every group once, or of one; exits with 3 where one is over the limit."""
    found = asyncio.run(_once(read_settings(), group))
    print_json(found) if as_json else out.print(view(found))
    words = over(found.groups, limit) if limit else []
    for line in words:
        note(line)
    if words:
        raise typer.Exit(OVER)


def watch(seconds: float, group: str | None, *, as_json: bool) -> None:
    """Show the lag again and again, after so many seconds, until Ctrl-C."""
    settings = read_settings()
    work = _watch(settings, seconds, group, _write_line) if as_json else _redraw(settings, seconds, group)
    asyncio.run(work)


async def _once(settings: Settings, group: str | None) -> LagReport:
    """Look once; raises `ServerAway` where neither the broker nor the database is there."""
    async with looking(settings) as lag:
        found = await lag.look()
    if found.trouble and all(len(one.troubles) > 1 for one in found.groups if one.projection):
        raise ServerAway(found.trouble)
    return _only(found, group)


def _only(found: LagReport, group: str | None) -> LagReport:
    """What was found of one group, where one is asked for; raises `NoSuchGroup`."""
    return found if group is None else replace(found, groups=of_group(found.groups, group))


async def _watch(
    settings: Settings, seconds: float, group: str | None, show: Callable[[LagReport], None]
) -> None:
    """Look until Ctrl-C, which is a signal here: the Kafka client may swallow a cancellation."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    async with looking(settings) as lag:
        while not stop.is_set():
            show(_only(await lag.look(), group))
            await set_within(stop, seconds)


def _write_line(found: LagReport) -> None:
    write_line(clean_json(msgspec.json.encode(found)))


async def _redraw(settings: Settings, seconds: float, group: str | None) -> None:
    with Live(console=err, auto_refresh=False, vertical_overflow="crop") as live:
        await _watch(settings, seconds, group, lambda found: live.update(view(found), refresh=True))
