"""A broker whose groups have no coordinator yet: commands and roles wait for it."""

import asyncio
from collections.abc import Generator

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


@pytest.fixture
def broker() -> Generator[str]:
    """The address of a broker of the test's own that was never asked about a group."""
    with homes.folder() as folder:
        server = Unasked(folder, state.fresh())
        server.provide(homes.silent)
        with homes.started(server):
            yield server.address


@pytest.fixture
async def fresh(broker: str, settings: Settings) -> Settings:
    """Settings with topics that were created just now on a fresh broker."""
    fresh = replace(settings, kafka_bootstrap=broker)
    await create_topics(fresh)
    return fresh


async def imported(settings: Settings) -> ImportSummary:
    async with working(settings):
        return await import_day(settings)


async def test_a_coordinator_that_is_not_there_is_a_state_and_others_wait_for_it(
    fresh: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    looker = LagLooker(pool, fresh.broker, fresh.topics, WINDOW_SECONDS)
    with monkeypatch.context() as patched:
        patched.setattr(asking, "COORDINATOR_SECONDS", 0)
        found = await looker.look()
    await looker.close()
    async with pool.acquire() as connection:
        await looks.add(connection, looker.kind, found, WINDOW_SECONDS)
        report = await observed(connection)
    assert report.trouble is None
    # it may be there before the last one was asked for
    too_early = [group for group in report.groups if group.members is None]
    assert too_early
    for group in too_early:
        assert group.kafka_behind is None
        assert group.projection or group.behind is None
        [trouble] = group.troubles
        assert trouble.startswith(f"the coordinator of {group.group} is not there yet: it is being made")
    verdicts = [
        (one.labels[1], one.value)
        for one in LAG_SHOWN.series(found.decode())
        if one.family == VERDICT and one.value
    ]
    assert verdicts == [("unknown", True)] * len(report.groups)
    await others_wait(fresh)


async def others_wait(fresh: Settings) -> None:
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
    fresh: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "COORDINATOR_SECONDS", 0)
    async with administering(fresh.broker) as admin:
        with pytest.raises(kafka.GroupCoordinatorNotAvailableError):
            await describe_group(admin, "one")
