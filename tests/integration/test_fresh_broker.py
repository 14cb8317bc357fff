"""A broker whose groups have no coordinator yet: commands and roles wait for it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Generator

import pytest
from msgspec.structs import replace

from broker import clients as kafka
from broker.clients import administering, describe_group, group_at_broker
from broker.rights import missing
from ops.acls.needed import of_role
from ops.fleet import looks
from ops.fleet.observing import WINDOW_SECONDS
from ops.imports.follow import ImportSummary
from ops.lag import asking
from ops.lag.looker import LagLooker
from ops.lag.metrics import LAG_SHOWN, VERDICT
from ops.lag.report import observed
from runtime.settings import Settings
from runtime.wiring import groups
from sandbox.embedded import ports, state
from sandbox.embedded.kafka import Kafka
from store.pool import Pool
from tests import homes
from tests.conftest import create_topics, working
from tests.imports import import_day
from tests.lag import watching


class Unasked(Kafka):
    """A broker that is up as soon as it listens; its coordinator is made on the first request for it."""

    def complaint(self) -> str | None:
        return None if ports.is_answering(self.state.kafka_port) else "nothing listens"


class WithoutCoordinator(Unasked):
    """One that never makes it: the topic of its groups wants two brokers."""

    @property
    def settings(self) -> dict[str, str]:
        return super().settings | {"offsets.topic.replication.factor": "2"}


@contextlib.contextmanager
def started(kind: type[Unasked]) -> Generator[str]:
    """The address of a broker for the length of a block."""
    with homes.folder() as folder:
        server = kind(folder, state.fresh())
        server.provide(homes.silent)
        with homes.started(server):
            yield server.address


async def on(broker: str, settings: Settings) -> Settings:
    """These settings for another broker, on which the topics were created just now."""
    there = replace(settings, kafka_bootstrap=broker)
    await create_topics(there)
    return there


@pytest.fixture
async def fresh(settings: Settings) -> AsyncGenerator[Settings]:
    """Settings for a broker of the test's own that was never asked about a group."""
    with started(Unasked) as broker:
        yield await on(broker, settings)


@pytest.fixture(scope="module")
def without_coordinator() -> Generator[str]:
    """The address of a broker whose groups have no coordinator."""
    with started(WithoutCoordinator) as broker:
        yield broker


@pytest.fixture
async def waiting(without_coordinator: str, settings: Settings) -> Settings:
    """Settings for a broker whose groups have no coordinator, however long one waits."""
    return await on(without_coordinator, settings)


async def imported(settings: Settings) -> ImportSummary:
    async with working(settings):
        return await import_day(settings)


async def test_a_coordinator_that_is_not_there_is_a_state(
    waiting: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    looker = LagLooker(pool, waiting.broker, waiting.topics, WINDOW_SECONDS)
    monkeypatch.setattr(asking, "COORDINATOR_SECONDS", 0)
    found = await looker.look()
    await looker.close()
    async with pool.acquire() as connection:
        await looks.add(connection, looker.kind, found, WINDOW_SECONDS)
        report = await observed(connection)
    assert report.trouble is None
    for group in report.groups:
        assert (group.verdict, group.members, group.kafka_behind) == ("unknown", None, None)
        [trouble] = group.troubles
        assert trouble.startswith(f"the coordinator of {group.group} is not there yet: it is being made")
    assert [one.behind for one in report.groups if one.projection is None] == [None, None]
    verdicts = [
        (one.labels[1], one.value)
        for one in LAG_SHOWN.series(found.decode())
        if one.family == VERDICT and one.value
    ]
    assert verdicts == [("unknown", True)] * len(report.groups)


async def test_who_asks_for_a_coordinator_waits_until_it_is_made(fresh: Settings) -> None:
    async with watching(fresh) as lag, administering(fresh.broker) as admin:
        looked, lacking, state, committed, summary = await asyncio.gather(
            lag.look(),
            missing(admin, of_role(fresh.topics, "fetcher")),
            describe_group(admin, "one"),
            group_at_broker(admin, "another"),
            imported(fresh),
        )
    assert len(looked) == len(groups(fresh.topics))
    assert (lacking, state, committed) == ([], ("Dead", 0), ("Dead", 0, {}))
    assert summary.status == "completed"


async def test_a_coordinator_that_never_comes_is_an_error_after_a_while(
    waiting: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "COORDINATOR_SECONDS", 0)
    async with administering(waiting.broker) as admin:
        with pytest.raises(kafka.GroupCoordinatorNotAvailableError):
            await describe_group(admin, "one")
