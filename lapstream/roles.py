"""The roles: settings go in, a fetcher or a projector works until it is told to stop."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from typing import Any

import structlog

from broker import topics
from broker.clients import STOP_SECONDS, administering, bounded, make_consumer
from broker.rights import missing
from broker.subscribing import make_broker
from consumers.projection import Projection
from consumers.projector import Projector
from lapstream.fleet import observers, show_the_fleet
from lapstream.relay import run_relay
from ops.acls.needed import of_role
from ops.backfill.fleet import FleetBackfills
from ops.prune.background import prune_now_and_then
from producer.cataloguing import Cataloguer
from producer.fetcher import Fetcher
from producer.follower import Follower
from producer.obtain import Obtainer
from producer.publisher import Publisher
from producer.queues import Queue, work_queues
from producer.site import Site
from runs.monitor import monitor_runs
from runtime.database import database
from runtime.faults import RightMissing
from runtime.garbage import collect_seldom
from runtime.obtaining import discover_by, discovering, obtaining
from runtime.projections import PROJECTIONS
from runtime.refused import refusing
from runtime.settings import Settings, check_contact
from runtime.stopping import until_stopped
from runtime.wiring import detail_group, list_group, publishing
from schemas.errors import LapstreamError
from store.pool import Pool
from telemetry import health

FINISH_SECONDS = 4.0
"""How long the work at hand may take after a role was told to stop."""

TICK_SECONDS = 1.0
LOOP_BOUND_SECONDS = 60.0
"""An event loop that stands still for so long has lost its partitions, its connections and its callers."""

Role = Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]]
"""Works until the event is set."""

log = structlog.get_logger("lapstream.roles")


class TopicsMissing(LapstreamError):
    """A topic is not there, or not as it is declared."""


async def run_fetcher(settings: Settings, stop: asyncio.Event) -> None:
    """Fetch what is asked for, and what is new of followed days, until told to stop."""
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(database(settings, size=settings.detail_concurrency + 6))
        publisher = await stack.enter_async_context(publishing(settings))
        obtainer = await stack.enter_async_context(
            obtaining(settings, pool, publisher, at_once=settings.detail_concurrency + 4)
        )
        fetcher = _fetcher(settings, pool, publisher, obtainer)
        queues = [
            Queue(settings.topics.requests, list_group(settings.topics), fetcher.list_day),
            Queue(
                settings.topics.details,
                detail_group(settings.topics),
                fetcher.fetch_detail,
                settings.detail_concurrency,
            ),
        ]
        broker = make_broker(settings.broker, finish_seconds=FINISH_SECONDS)
        app = work_queues(broker, queues, refusing(settings, pool), FINISH_SECONDS)
        stack.push_async_callback(lambda: bounded(app.stop(), FINISH_SECONDS + STOP_SECONDS))
        await app.start()
        log.info("fetcher_start", members=settings.detail_concurrency, site=settings.site)
        site = Site(settings.site)
        follower = Follower(pool, site.name, settings.site_interval_seconds, fetcher.look)
        fleet_backfills = FleetBackfills(settings, pool, discover_by(obtainer, site))
        beside = {
            "catalogue": Cataloguer(pool, site, obtainer).work(stop),
            "follower": follower.work(stop),
            "backfills": fleet_backfills.work(stop),
        }
        await run_side_by_side(beside, stop)
    log.info("fetcher_stop")


def _fetcher(settings: Settings, pool: Pool, publisher: Publisher, obtainer: Obtainer) -> Fetcher:
    site = Site(settings.site)
    return Fetcher(
        pool=pool,
        site=site,
        obtainer=obtainer,
        publisher=publisher,
        name=f"lapstream/fetcher/{site.name}",
        zones=settings.track_zones,
    )


async def run_projector(
    settings: Settings, stop: asyncio.Event, projections: Sequence[Projection[Any]] = PROJECTIONS
) -> None:
    """Write what the topics say into the tables of these projections, until told to stop."""
    collect_seldom()
    async with contextlib.AsyncExitStack() as stack:
        members: list[Projector] = []
        for projection in projections:
            members += await _members(settings, projection, stack)
        watching = asyncio.create_task(_when(stop, members))
        try:
            async with asyncio.TaskGroup() as group:
                for member in members:
                    group.create_task(member.run())
        except* Exception as errors:  # noqa: BLE001 - passed on as it is, without its group
            raise errors.exceptions[0] from None
        finally:
            watching.cancel()


async def _members(
    settings: Settings, projection: Projection[Any], stack: contextlib.AsyncExitStack
) -> list[Projector]:
    """The members of a projection's group, on connections that see its tables."""
    pool = await stack.enter_async_context(
        database(settings, size=2 * projection.members, schema=projection.schema)
    )
    group = projection.group(settings.topic_prefix)
    return [
        Projector(
            group=group,
            topics=settings.topics,
            consumer=make_consumer(settings.broker, group, gather_ms=projection.gather_ms),
            pool=pool,
            projection=projection,
            parking_limit=settings.parking_limit,
        )
        for _ in range(projection.members)
    ]


async def _when(event: asyncio.Event, members: list[Projector]) -> None:
    await event.wait()
    for member in members:
        member.stop()


async def run_relay_and_monitor(settings: Settings, stop: asyncio.Event) -> None:
    """Publish the outbox, look after runs, observe the fleet, and prune, until told to stop."""
    async with database(settings, size=4) as pool:
        work = {
            "relay": run_relay(settings, stop),
            "run monitor": monitor_runs(pool, settings.run_stalled_seconds, stop),
            "pruning": prune_now_and_then(settings, pool, stop),
            **observers(settings, pool, stop),
        }
        await run_side_by_side(work, stop)


async def run_the_api(settings: Settings, stop: asyncio.Event) -> None:
    """Answer requests until told to stop; what it asks of the site goes through the fleet's one budget."""
    from server.listening import run_api  # noqa: PLC0415 - the other roles need no web server

    async with discovering(settings) as discover:
        await run_api(settings, stop, discover)


ROLES: dict[str, Role] = {
    "api": run_the_api,
    "fetcher": run_fetcher,
    "projector": run_projector,
    "relay": run_relay_and_monitor,
}
"""The roles by their names on the command line."""


async def check_ready(settings: Settings, roles: Sequence[str]) -> None:
    """Raise `TopicsMissing` where a topic is not as it has to be, `RightMissing` where these roles lack one.

    Reports members without a partition.
    """
    async with administering(settings.broker) as admin:
        lacking = await missing(admin, [right for role in roles for right in of_role(settings.topics, role)])
        if lacking:
            raise RightMissing(
                f"the broker does not allow its user what {', '.join(roles)} needs: {', '.join(lacking)}; "
                "`lapstream topics acls` prints the commands that grant it"
            )
        states = await topics.states_of(admin, settings.topics)
    wrong = [f"{state.name}: {'; '.join(state.differences)}" for state in states if state.differences]
    if wrong:
        raise TopicsMissing("\n".join(wrong))
    [partitions] = [state.partitions for state in states if state.name == settings.topics.details]
    idle = settings.detail_concurrency - partitions
    if idle > 0:
        log.warning(
            "detail_members_idle",
            concurrency=settings.detail_concurrency,
            partitions=partitions,
            idle=idle,
        )


async def run_roles(settings: Settings, names: list[str], stop: asyncio.Event) -> None:
    """Run these roles side by side until told to stop; the first that fails ends all of them."""
    if {"api", "fetcher"} & set(names):
        check_contact(settings)
    ticking = asyncio.create_task(_tick())
    try:
        await until_stopped(_run_when_ready(settings, names, stop), stop)
    finally:
        ticking.cancel()


async def _tick() -> None:
    """Let the event loop beat for as long as it turns."""
    with health.working("event loop", LOOP_BOUND_SECONDS):
        while True:
            health.beat()
            await asyncio.sleep(TICK_SECONDS)


@contextlib.asynccontextmanager
async def roles_at_work(settings: Settings, *names: str) -> AsyncGenerator[None]:
    """Run roles for the length of a block; where one fails, the block is cancelled, and the error raised."""
    stop, left, block = asyncio.Event(), asyncio.Event(), asyncio.current_task()

    async def work() -> None:
        try:
            await run_roles(settings, list(names), stop)
        finally:
            if block and not left.is_set():
                block.cancel()

    roles = asyncio.create_task(work())
    try:
        yield
    finally:
        if block and roles.done():
            block.uncancel()
        left.set()
        stop.set()
        await roles


async def _run_when_ready(settings: Settings, names: list[str], stop: asyncio.Event) -> None:
    await check_ready(settings, names)
    work = {name: ROLES[name](settings, stop) for name in names}
    if settings.metrics_port or "api" in names:
        work["metrics of the fleet"] = show_the_fleet(settings, stop)
    await run_side_by_side(work, stop)


async def run_side_by_side(work: Mapping[str, Coroutine[Any, Any, None]], stop: asyncio.Event) -> None:
    """Do all this until told to stop; the first that fails ends the others, and is what is raised."""
    tasks = [asyncio.create_task(one, name=name) for name, one in work.items()]
    try:
        await asyncio.gather(*tasks)
    finally:
        stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)
