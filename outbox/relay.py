"""The relay: committed rows of the outbox go in, records of their topics come out, row by row in their order.

It reads the oldest rows that are committed, whatever their numbers: one that commits late is among them then.
It sends them, waits until the broker acknowledged them, and takes them away; whatever goes wrong, what is
still there is sent again. docs/outbox.md says what this guarantees.
"""

import asyncio
from collections.abc import Callable

import asyncpg
import structlog
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from outbox import lease
from outbox import rows as relay
from outbox.lease import Lease, LeaseLost
from outbox.sending import NotTaken, Producer, Sender
from schemas.errors import LapstreamError
from store.faults import said_by
from store.notifications import Listener
from store.pool import TRANSIENT, Pool
from store.waiting import BackOff, set_within, until_stopping
from telemetry import health, metrics

BATCH_ROWS = 2_000
BATCH_BYTES = 16 * 1024 * 1024

POLL_SECONDS = 1.0
"""How often a relay looks by itself, for rows or for the lease."""

FINISH_SECONDS = 3.0
"""How long the rows at hand may take after the relay was told to stop."""

CLOSE_SECONDS = 1.0
"""How long each of producer, connections and lease may take to be closed."""

log = structlog.get_logger("lapstream.relay")


class RowRefused(LapstreamError):
    """The broker refuses a row again and again, and it is nothing that waiting mends."""


class OutboxRefused(LapstreamError):
    """The database refuses the statements themselves: no such table, no right to change it."""


class Relay:
    """Publishes the outbox while it holds the lease, and stands by while another does; `run` until `stop`."""

    def __init__(self, *, pool: Pool, dsn: str, make_producer: Callable[[], Producer], prefix: str) -> None:
        self._pool = pool
        self._make_producer = make_producer
        self._prefix = prefix
        self._lease = Lease(pool, relay.LEASE, lease.LEASE_SECONDS)
        self._listener = Listener(dsn, relay.CHANNEL, self._heard)
        self._told = asyncio.Event()
        self._stopping = asyncio.Event()
        self._part = ""
        self._back_off = BackOff(self._stopping)
        self._closing: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Finish the rows at hand, let another relay begin, and return from `run`."""
        self._stopping.set()
        self._told.set()

    async def run(self) -> None:
        """Work until told to stop; raises `RowRefused` and `OutboxRefused`."""
        try:
            with health.working("relay"):
                await until_stopping(
                    self._work(), self._stopping, finish_seconds=FINISH_SECONDS, end_seconds=2 * CLOSE_SECONDS
                )
        finally:
            await self._leave()

    async def _leave(self) -> None:
        """Give the lease back; a database that is away is not waited for: the lease ends by itself."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._lease.give_back()
        except (asyncpg.PostgresError, *TRANSIENT) as error:
            log.warning("relay_lease_not_given_back", error=repr(error))
        await self._listener.close()
        log.info("relay_stop")

    async def _work(self) -> None:
        await self._listener.open()  # before the first look: what is notified in between is heard
        while not self._stopping.is_set():
            try:
                await self._take_part()
            except LeaseLost as error:
                self._part = ""
                log.warning("relay_lease_lost", error=str(error))
            except NotTaken as error:
                self._count(error)
                await self._start_over("relay_not_published", error)
            except KafkaError as error:
                await self._start_over("relay_broker_error", error)
            except TRANSIENT as error:
                await self._start_over("relay_database_away", error)
            except asyncpg.PostgresError as error:
                raise OutboxRefused(f"the database refuses the relay: {said_by(error)}") from error

    def _count(self, refused: NotTaken) -> None:
        """Raise `RowRefused` when the broker has refused too often in a row."""
        error = refused.error
        if error.retriable and not isinstance(error, UnknownTopicOrPartitionError):
            return
        if self._back_off.refused():
            log.error("relay_row_refused", seq=refused.row.seq, id=refused.row.id, type=refused.row.type)
            raise RowRefused(
                f"the broker refuses {refused}. The relay stops, so that no row is skipped in silence. "
                f"`lapstream topics create` makes a topic that is missing, and tells what differs in one; "
                f"then start the relay again. To give the row up, delete it from lapstream.outbox by its seq"
            ) from error

    async def _start_over(self, event: str, error: Exception) -> None:
        log.warning(event, error=repr(error), wait_seconds=self._back_off.seconds)
        health.lacks(f"it starts over after an error: {said_by(error)}")
        await self._back_off.wait()

    async def _take_part(self) -> None:
        """Publish while the lease is held; or stand by, until it is free or it is time to look."""
        if await self._lease.take():
            self._now("relay_active")
            await self._lead()
        else:
            self._now("relay_standby")
            health.lacks(None)
            await self._rest()

    def _now(self, event: str) -> None:
        if event != self._part:
            self._part = event
            log.info(event, holder=str(self._lease.holder))

    async def _lead(self) -> None:
        """Publish through a producer of its own, and keep the lease, until told to stop or an error."""
        producer = self._make_producer()
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(self._lease.keep())
                await producer.start()
                await self._publish(Sender(producer, self._prefix, self._lease.check))
                keeping.cancel()
        except* Exception as errors:  # noqa: BLE001 - passed on as it is, without its group
            raise errors.exceptions[0] from None
        finally:
            await self._close(producer)

    async def _publish(self, sender: Sender) -> None:
        while not self._stopping.is_set():
            if not await self._turn(sender):
                await self._rest()

    async def _turn(self, sender: Sender) -> bool:
        """Publish the oldest rows; returns whether there were any."""
        async with self._pool.acquire() as connection:
            rows = await relay.read(connection, BATCH_ROWS, BATCH_BYTES)
        if not rows:
            health.lacks(None)
            return False
        sent = await sender.send(rows)
        metrics.rows_published(len(sent.seqs))
        async with self._pool.acquire() as connection:
            await relay.delete(connection, sent.seqs)
        log.info("relay_published", rows=len(sent.seqs))
        if sent.failure:
            raise sent.failure
        self._back_off.worked()
        health.lacks(None)
        health.beat("publish")
        return True

    async def _rest(self) -> None:
        """Wait until somebody tells something, or it is time to look."""
        await set_within(self._told, POLL_SECONDS)
        self._told.clear()

    def _heard(self, payload: str) -> None:
        """Rows concern the active relay, a lease that is free the others."""
        if (payload == relay.FREE) == (self._part == "relay_standby"):
            self._told.set()

    async def _close(self, producer: Producer) -> None:
        """Close a producer; one whose broker is away goes on closing by itself."""
        closing = asyncio.create_task(producer.stop())
        self._closing.add(closing)
        closing.add_done_callback(self._closed)
        await asyncio.wait({closing}, timeout=CLOSE_SECONDS)

    def _closed(self, closing: asyncio.Task[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled() and (error := closing.exception()):
            log.warning("relay_producer_not_closed", error=repr(error))
