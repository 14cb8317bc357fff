"""The roles: settings go in, a fetcher or a projector works until it is told to stop."""

import asyncio
import contextlib
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from faststream.kafka import KafkaBroker

from consumers.practice_days import project
from consumers.projector import Projector
from ops import topics
from ops.kafka import make_consumer
from ops.settings import Settings, check_contact
from ops.wiring import database, detail_group, list_group, projection_group, publishing
from producer.fetcher import Fetching, Groups, join_groups
from producer.gate import Gate
from producer.http import Client
from producer.obtain import Obtainer
from producer.publisher import Publisher
from producer.site import Site
from schemas.errors import LapstreamError
from store.pool import Pool

PROJECTOR_MEMBERS = 2
"""Members of the projection's group in one process."""

GC_ALLOCATIONS = 200_000
"""New objects after which a projector's young ones are looked through for cycles."""

STOP_SECONDS = 8.0
"""How long the work at hand may take after a role was told to stop."""

Role = Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]]
"""Works until the event is set."""

log = structlog.get_logger("lapstream.roles")


class TopicsMissing(LapstreamError):
    """A topic is not there, or not as it is declared."""


async def run_fetcher(settings: Settings, stop: asyncio.Event) -> None:
    """Fetch what is asked for, until told to stop."""
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(database(settings, size=settings.detail_concurrency + 2))
        publisher = await stack.enter_async_context(publishing(settings))
        client = Client(settings.user_agent, connections=settings.detail_concurrency + 2)
        stack.push_async_callback(client.close)
        broker = KafkaBroker(settings.kafka_bootstrap, graceful_timeout=STOP_SECONDS, logger=None)
        stack.push_async_callback(broker.stop)
        await broker.start()
        await join_groups(
            broker,
            _fetching(settings, pool, publisher, client),
            topics=settings.topics,
            groups=Groups(list_group(settings), detail_group(settings)),
            pool=pool,
            concurrency=settings.detail_concurrency,
        )
        log.info("fetcher_start", members=settings.detail_concurrency, site=settings.site)
        await stop.wait()
    log.info("fetcher_stop")


def _fetching(settings: Settings, pool: Pool, publisher: Publisher, client: Client) -> Fetching:
    site = Site(settings.site)
    gate = Gate(pool, client, site.name, settings.site_interval_seconds)
    return Fetching(
        pool=pool,
        site=site,
        obtainer=Obtainer(client, gate, publisher, attempts=settings.fetch_attempts),
        publisher=publisher,
        name=f"lapstream/fetcher/{site.name}",
        zones=settings.track_zones,
    )


async def run_projector(settings: Settings, stop: asyncio.Event) -> None:
    """Write what the topics say into the tables, until told to stop.

    Two members share the work: one projects while PostgreSQL works for the other.
    """
    _collect_seldom()
    async with database(settings, size=2 * PROJECTOR_MEMBERS) as pool:
        members = [_projector(settings, pool) for _ in range(PROJECTOR_MEMBERS)]
        watching = asyncio.create_task(_when(stop, members))
        try:
            async with asyncio.TaskGroup() as group:
                for member in members:
                    group.create_task(member.run())
        except* Exception as errors:  # noqa: BLE001 - passed on as it is, without its group
            raise errors.exceptions[0] from None
        finally:
            watching.cancel()


def _collect_seldom() -> None:
    """Let the collector of cycles look less often: a batch holds 100,000 objects and next to no cycles.

    With Python's own thresholds the collector took a third of a projector's time.
    """
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS)


def _projector(settings: Settings, pool: Pool) -> Projector:
    group = projection_group(settings)
    return Projector(
        group=group,
        topics=[settings.topics.days],
        consumer=make_consumer(settings.kafka_bootstrap, group),
        pool=pool,
        project=project,
    )


async def _when(event: asyncio.Event, members: list[Projector]) -> None:
    await event.wait()
    for member in members:
        member.stop()


ROLES: dict[str, Role] = {"fetcher": run_fetcher, "projector": run_projector}
"""The roles by their names on the command line."""


async def check_ready(settings: Settings) -> None:
    """Raise `TopicsMissing` where a topic is not as it is declared; report members without a partition."""
    states = await topics.check_topics(settings.kafka_bootstrap, settings.topics)
    wrong = [f"{state.name}: {', '.join(state.differences)}" for state in states if state.differences]
    if wrong:
        raise TopicsMissing("\n".join([*wrong, "run `lapstream topics create`"]))
    idle = settings.detail_concurrency - settings.detail_partitions
    if idle > 0:
        log.warning(
            "detail_members_idle",
            concurrency=settings.detail_concurrency,
            partitions=settings.detail_partitions,
            idle=idle,
        )


async def run_roles(settings: Settings, names: list[str], stop: asyncio.Event) -> None:
    """Run these roles side by side until told to stop; the first that fails ends all of them."""
    if "fetcher" in names:
        check_contact(settings)
    await check_ready(settings)
    tasks = [asyncio.create_task(ROLES[name](settings, stop), name=name) for name in names]
    try:
        await asyncio.gather(*tasks)
    finally:
        stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)
