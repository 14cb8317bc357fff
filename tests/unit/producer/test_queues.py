"""The work queues with FastStream's own test broker: what reaches a handler, and what is parked instead."""

import asyncio
import time
import uuid
from typing import Any

import pytest
import structlog
from aiokafka import TopicPartition
from faststream.kafka import KafkaBroker, TestKafkaBroker

from producer import members
from producer.members import Publish
from producer.queues import Queue, subscribe
from schemas.envelope import Context, Received, pack
from schemas.events import PracticeDayRequested
from schemas.topics import Topics
from store.parking import ParkedRecord
from telemetry import health
from tests.events import DATE, seen
from tests.members import until

TOPIC = Topics().requests
REQUEST = PracticeDayRequested(source="liverc", track_slug="track", date=DATE, requested_at=seen(1))


class Worked:
    """What came of records: those that reached the handler, with the log's context, and those parked."""

    def __init__(self) -> None:
        self.taken: list[Received] = []
        self.scopes: list[dict[str, Any]] = []
        self.published = 0
        self.parked: list[tuple[str, ParkedRecord]] = []
        self.error: Exception | None = None
        self.may_fetch, self.may_publish = asyncio.Event(), asyncio.Event()
        self.may_fetch.set()
        self.may_publish.set()

    async def handle(self, received: Received) -> Publish | None:
        self.taken.append(received)
        self.scopes.append(structlog.contextvars.get_contextvars())
        await self.may_fetch.wait()
        if self.error:
            raise self.error
        return self._publish

    async def park(self, group: str, record: ParkedRecord) -> None:
        self.parked.append((group, record))

    async def _publish(self) -> None:
        await self.may_publish.wait()
        self.published += 1


async def deliver(worked: Worked, value: bytes, headers: dict[str, str]) -> None:
    """Let a member take a record, and wait until its work has ended."""
    broker = KafkaBroker(apply_types=False, logger=None)
    member, _ = subscribe(broker, Queue(TOPIC, "lists", worked.handle), worked.park)
    async with TestKafkaBroker(broker):
        await broker.publish(value, TOPIC, headers=headers)
        await member.leave(5)


def as_record(correlation_id: str | None = None) -> tuple[bytes, dict[str, str]]:
    packed = pack(REQUEST, Context(source="test", correlation_id=correlation_id))
    return packed.value, {name: value.decode() for name, value in packed.headers}


async def test_a_request_reaches_its_typed_handler_in_the_scope_of_its_run() -> None:
    worked, run = Worked(), str(uuid.uuid4())
    await deliver(worked, *as_record(run))
    assert [one.event for one in worked.taken] == [REQUEST]
    assert [scope["run_id"] for scope in worked.scopes] == [run]
    assert (worked.published, worked.parked) == (1, [])


async def test_a_record_that_is_no_event_is_parked_and_no_handler_sees_it() -> None:
    worked = Worked()
    _, headers = as_record()
    await deliver(worked, b"{", headers)
    assert worked.taken == []
    [(group, record)] = worked.parked
    assert (group, record.code, record.record_value) == ("lists", "bad_json", b"{")


async def test_another_vendors_event_is_ignored() -> None:
    worked = Worked()
    value, headers = as_record()
    await deliver(worked, value, {**headers, "ce_type": "com.example.weather.v1"})
    assert (worked.taken, worked.parked, worked.published) == ([], [], 0)


async def test_a_record_that_the_work_fails_on_is_parked() -> None:
    worked = Worked()
    worked.error = ValueError("a page like no other")
    await deliver(worked, *as_record())
    [(_, record)] = worked.parked
    assert (record.code, record.reason) == ("work_failed", "ValueError('a page like no other')")
    assert worked.published == 0


@pytest.mark.parametrize("frozen", ["a request", "publishing"])
async def test_a_member_that_is_frozen_is_not_live_until_it_goes_on(
    frozen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = Worked()
    (worked.may_publish if frozen == "publishing" else worked.may_fetch).clear()
    broker = KafkaBroker(apply_types=False, logger=None)
    member, _ = subscribe(broker, Queue(TOPIC, "lists", worked.handle), worked.park)
    value, headers = as_record()

    async def is_at_it() -> bool:
        return any(one.name.endswith(frozen) for one in health.seen())

    async with TestKafkaBroker(broker):
        await broker.publish(value, TOPIC, headers=headers)
        await until(is_at_it)
        assert health.live().status == "ok"
        began = time.monotonic()
        monkeypatch.setattr(health, "clock", lambda: began + health.BOUND_SECONDS + 1)
        assert [one.name for one in health.seen() if one.stuck] == [f"fetcher in lists, {frozen}"]
        worked.may_publish.set()
        worked.may_fetch.set()
        await member.leave(5)
    assert (health.live().status, health.seen()) == ("ok", [])


async def test_a_member_publishes_again_after_it_gave_work_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "GRACE_SECONDS", 0.05)
    worked = Worked()
    broker = KafkaBroker(apply_types=False, logger=None)
    member, _ = subscribe(broker, Queue(TOPIC, "lists", worked.handle), worked.park)
    value, headers = as_record()
    async with TestKafkaBroker(broker):
        worked.may_publish.clear()
        await broker.publish(value, TOPIC, headers=headers)
        await member.on_partitions_revoked([TopicPartition(TOPIC, 0)])
        assert worked.published == 0
        worked.may_publish.set()
        member.on_partitions_assigned([TopicPartition(TOPIC, 0)])
        await broker.publish(value, TOPIC, headers=headers)
        await member.leave(5)
    assert worked.published == 1
