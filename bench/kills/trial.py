"""A trial: projectors at work on days that change, disturbed again and again; then the tables are compared.

In: running servers, and how many disturbances. Out: their numbers by kind, and both digests of every table.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec
from aiokafka import TopicPartition
from msgspec import Struct, field

from bench.kills.disturbances import Disturbance, Scene
from bench.kills.hostile import HOSTILE, by_default
from bench.kills.load import PARTITIONS, Load, Sent
from bench.kills.members import members, said
from bench.kills.roads import leading, second_listener
from bench.kills.transactions import drawn, send
from broker import topics
from broker.clients import bounds_of, make_producer, make_reader
from broker.types import Producer
from consumers.live import PRACTICE_DAYS
from consumers.projection import Projection
from consumers.track_records import TRACK_RECORDS
from lapstream.roles import run_projector
from ops.rebuild import states
from runtime import migrate
from runtime.database import database
from runtime.settings import Settings, environment
from sandbox.embedded import stack
from store import positions
from store.digest import OBSERVATION_TABLES, READ_TABLES, RECORD_TABLES, TableDigest, digest
from store.pool import TRANSIENT, Connection, Pool, connect, use_schema
from store.positions import Place

SALVO = 3
"""So many disturbances follow one another within moments; the first aims at an open transaction."""

AIM_SECONDS = 12.0
AIMED_SECONDS = (0.0, 0.03)
BETWEEN_SECONDS = (0.0, 1.5)
IMPORT_SECONDS = (0.0, 0.8)
CATCH_UP_SECONDS = 180.0
SETTLE_SECONDS = 60.0
IN_TRANSACTION = 0.25
"""The part of the imports that is sent in a transaction."""

COMPARED: tuple[Projection[Any], ...] = (PRACTICE_DAYS, TRACK_RECORDS)

Report = Callable[[str], None]


class Outcome(Struct, frozen=True, kw_only=True):
    """What a trial did and found."""

    seed: int
    projectors: int
    disturbances: dict[str, int]
    in_open_transaction: int
    restarts_after_kill: int
    exits_by_themselves: dict[str, int]
    said: dict[str, int]
    records: int
    transactions: dict[str, int]
    seconds: float
    catch_up_seconds: float
    parked: int
    rows: dict[str, int]
    equal: bool
    differing: list[str]


class Tables(Struct, frozen=True):
    """All that a projection leaves."""

    digests: list[TableDigest]
    parked: dict[str, int]


class Plan(Struct, frozen=True, kw_only=True):
    """What is to be done: the disturbances in their order, and to how many processes."""

    kinds: list[Disturbance]
    projectors: int = 2
    seed: int = 1


class Course(Struct):
    """What happened while the disturbances went on."""

    sent: int = 0
    hits: int = 0
    transactions: Counter[str] = field(default_factory=Counter[str])


async def run(settings: Settings, home: Path, plan: Plan, report: Report) -> Outcome:
    """Carry a plan out, on the servers of a home, with a database and topics that are empty."""
    began = time.monotonic()
    await migrate.apply(settings.postgres_dsn)
    await topics.create_topics(settings.broker, settings.topics, replication_factor=1)
    await by_default(settings.postgres_dsn, HOSTILE)
    async with disturbed(settings, home, plan) as scene:
        course = await _disturb_under_load(settings, scene, plan, report)
        report(f"{course.sent} records sent; catching up")
        undisturbed_since = time.monotonic()
        tables = await _caught_up(settings, await _ends(settings))
        caught_up = time.monotonic() - undisturbed_since
    report("making the tables anew from their topic")
    differing = [table async for table in _unlike_rebuilt(settings)]
    report("projecting the same topic undisturbed")
    other = await _undisturbed(settings)
    differing += [one.table for one, two in zip(tables.digests, other.digests, strict=True) if one != two]
    if tables.parked != other.parked:
        differing.append("parked_records")
    return Outcome(
        seed=plan.seed,
        projectors=plan.projectors,
        disturbances=dict(Counter(kind.__name__ for kind in plan.kinds)),
        in_open_transaction=course.hits,
        restarts_after_kill=sum(member.killed for member in scene.members),
        exits_by_themselves=dict(Counter(str(code) for member in scene.members for code in member.gave_up)),
        said=dict(said(home / "logs")),
        records=course.sent,
        transactions=dict(course.transactions),
        seconds=round(time.monotonic() - began, 1),
        catch_up_seconds=round(caught_up, 1),
        parked=sum(tables.parked.values()),
        rows={one.table: one.rows for one in tables.digests},
        equal=not differing,
        differing=differing,
    )


@contextlib.asynccontextmanager
async def disturbed(settings: Settings, home: Path, plan: Plan) -> AsyncGenerator[Scene]:
    """Projectors that come to the servers over roads, for the length of a block."""
    with second_listener() as listener:
        await asyncio.to_thread(stack.restart, home, "kafka")
        async with (
            leading(settings, listener) as roads,
            members(environment(roads.through), home / "logs", plan.projectors) as found,
        ):
            yield Scene(home, roads, found, random.Random(plan.seed))


async def _disturb_under_load(settings: Settings, scene: Scene, plan: Plan, report: Report) -> Course:
    """All disturbances, while imports go on."""
    course, done = Course(), asyncio.Event()
    producing = asyncio.create_task(_produce(settings, plan.seed, course, done))
    try:
        await _disturb(settings, scene, plan, course, report)
    finally:
        done.set()
        await asyncio.gather(*scene.pauses)
    await producing
    return course


async def _disturb(settings: Settings, scene: Scene, plan: Plan, course: Course, report: Report) -> None:
    async with database(settings, size=1) as pool:
        for number, disturb in enumerate(plan.kinds):
            aimed = number % SALVO == 0 and await _transaction_open(pool)
            course.hits += aimed
            await asyncio.sleep(scene.random.uniform(*(AIMED_SECONDS if aimed else BETWEEN_SECONDS)))
            where = " in an open transaction" if aimed else ""
            report(f"{number + 1}/{len(plan.kinds)} {disturb.__name__}{where}, {course.sent} records sent")
            await disturb(scene)


async def _transaction_open(pool: Pool) -> bool:
    """Wait for a projector to be in the middle of a batch; False when none was for a while."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(AIM_SECONDS):
            while not await _writing(pool):  # noqa: ASYNC110 - the database is what says so
                await asyncio.sleep(0.005)
            return True
    return False


async def _writing(pool: Pool) -> bool:
    try:
        async with pool.acquire() as connection:
            return await connection.fetchval(
                """
                SELECT EXISTS (
                    SELECT FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL
                )
                """
            )
    except TRANSIENT:
        return False


async def _produce(settings: Settings, seed: int, course: Course, done: asyncio.Event) -> None:
    """Send imports until all is done, some in a transaction; a producer waits for a broker that is away."""
    load, chance = Load(seed), random.Random(seed)
    producer = make_producer(settings.broker)
    await producer.start()
    try:
        while not done.is_set():
            records = list(load.import_())
            if chance.random() < IN_TRANSACTION:
                name = f"kills-{course.transactions.total()}"
                course.transactions[await send(settings, name, records, drawn(chance))] += 1
            else:
                await asyncio.gather(*[await _send(producer, settings.topics.days, one) for one in records])
            course.sent += len(records)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), chance.uniform(*IMPORT_SECONDS))
    finally:
        await producer.stop()


async def _send(producer: Producer, topic: str, sent: Sent) -> Awaitable[object]:
    record, partition = sent
    return await producer.send(
        topic, key=record.key, value=record.value, headers=list(record.headers), partition=partition
    )


async def _ends(settings: Settings) -> dict[Place, int]:
    """Where the topic's partitions end, once no transaction is open any more."""
    tps = [TopicPartition(settings.topics.days, number) for number in range(PARTITIONS)]
    consumer: Any = make_reader(settings.broker)
    async with asyncio.timeout(SETTLE_SECONDS), consumer:
        while True:
            found = await bounds_of(consumer, tps)
            if all(one.stable == one.end for one in found.values()):
                return {Place(*tp): one.end for tp, one in found.items()}
            await asyncio.sleep(0.1)


async def _caught_up(settings: Settings, ends: dict[Place, int]) -> Tables:
    """What the tables hold when the group stands at these ends."""
    async with (
        asyncio.timeout(CATCH_UP_SECONDS),
        database(settings, size=1) as pool,
        pool.acquire() as connection,
    ):
        for projection in COMPARED:
            while await _position(connection, settings, projection) != ends:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.1)
        digests = await digest(connection, READ_TABLES + OBSERVATION_TABLES + RECORD_TABLES)
        return Tables(digests, await _parked(connection))


async def _unlike_rebuilt(settings: Settings) -> AsyncGenerator[str]:
    """Tables that are not what a rebuild makes of the same records, to the byte."""
    for projection in COMPARED:
        rebuilt = await states.rebuild(settings, projection, "verify", lambda _state, _progress: None)
        found = states.report_of(rebuilt)
        if found is None:
            yield f"rebuilt {projection.name}: {rebuilt.state}"
            continue
        for table in found.tables:
            if not table.equal:
                yield f"rebuilt {table.table}"


async def _position(
    connection: Connection, settings: Settings, projection: Projection[Any]
) -> dict[Place, int]:
    async with connection.transaction():
        await use_schema(connection, projection.schema)
        return await positions.read(connection, projection.group(settings.topic_prefix))


async def _parked(connection: Connection) -> dict[str, int]:
    """How many records are parked at each partition, and a checksum over which, and why."""
    rows = await connection.fetch(
        """
        SELECT group_name, partition, count(*) AS records,
            md5(string_agg(record_offset || code, ',' ORDER BY record_offset))
        FROM parked_records GROUP BY group_name, partition ORDER BY group_name, partition
        """
    )
    return {f"{row['group_name']} {row['partition']}: {row['md5']}": row["records"] for row in rows}


async def _undisturbed(settings: Settings) -> Tables:
    """The tables of a projector that nothing disturbs, in a database of its own on the same server."""
    admin = await connect(settings.postgres_dsn)
    with contextlib.suppress(asyncpg.DuplicateDatabaseError):
        await admin.execute("CREATE DATABASE undisturbed")
    await admin.close()
    dsn = urlsplit(settings.postgres_dsn)._replace(path="/undisturbed").geturl()
    other = msgspec.structs.replace(settings, postgres_dsn=dsn)
    await migrate.apply(dsn)
    stop = asyncio.Event()
    working = asyncio.create_task(run_projector(other, stop))
    try:
        return await _caught_up(other, await _ends(other))
    finally:
        stop.set()
        await working
