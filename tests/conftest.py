"""The suite's fixtures: servers once a run, a database and topics of its own for each test."""

import asyncio
import contextlib
import datetime as dt
import gc
import itertools
import os
import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import hypothesis
import msgspec
import pytest
import structlog

from broker import topics
from consumers.live import PRACTICE_DAYS
from lapstream.roles import roles_at_work, run_projector
from runtime.database import connected, database
from runtime.settings import Settings
from sandbox.sample_site.server import RunningSite, serve
from sandbox.sample_site.site import SampleSite
from store.pool import Connection, Pool
from tests import databases
from tests.databases import Servers
from tests.servers import borrowed, lending

SERVERS_OF_A_MODULE = frozenset({"browser", "home", "secure", "servers", "stage"})
"""The fixtures, of a module's scope, that start servers, or a browser."""

LONG_PART = 0.7
"""In which part of the run the modules begin that take longest."""

UNIT_PART = 0.4
"""Which part of the unit tests is run between the others; the rest comes last."""

UNIT = Path(__file__).parent / "unit"
"""Where the tests are that need no servers."""

hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

PLAIN = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
"""How what is logged is printed: to format an exception with its lines and variables takes a while."""

GARBAGE = 10_000
"""How many objects there may be before Python looks which of them are garbage."""

_numbers = itertools.count(1)


_run = contextlib.ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Let the process that controls the run, alone or over workers, lend servers to all of them.

    What roles in the test's process log is no output of the commands that run beside them.
    """
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.__stderr__),
        processors=[*structlog.get_config()["processors"][:-1], PLAIN],
    )
    if not hasattr(config, "workerinput"):
        _run.enter_context(lending())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    _run.close()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep what is collected out of each collection of garbage: thousands of tests, which stay.

    Collect less often, too: of a run of the suite, a fiftieth was that.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The modules that take longest are spread over the first part of the run; the last ones are unit tests.

    The long ones have servers of their own, or slow tests, and wait much: side by side they would leave the
    processors idle, and one of them that comes last would leave all other processes so.
    """
    modules = list(dict.fromkeys(item.path for item in items))
    own, slow = (
        {item.path for item in items if is_so(item)} for is_so in (has_servers_of_its_module, is_slow)
    )
    long = spread(sorted(own), sorted(slow - own))
    quick = [path for path in modules if path not in own | slow]
    unit = [path for path in quick if UNIT in path.parents]
    served = [path for path in quick if UNIT not in path.parents]
    order = spread(long, spread(served, unit, part=UNIT_PART), part=LONG_PART)
    places = {path: place for place, path in enumerate(order)}
    items.sort(key=lambda item: places[item.path])


def spread(few: Sequence[Path], many: Sequence[Path], *, part: float = 1.0) -> list[Path]:
    """Each of a few modules, followed by its share of this part of the many; then the rest of these."""
    share = part * len(many) / max(1, len(few))
    mixed: list[Path] = []
    for number, path in enumerate(few):
        mixed += [path, *many[round(number * share) : round((number + 1) * share)]]
    return [*mixed, *many[round(len(few) * share) :]]


def has_servers_of_its_module(item: pytest.Item) -> bool:
    """Whether a test asks for servers of its module's own."""
    return not SERVERS_OF_A_MODULE.isdisjoint(getattr(item, "fixturenames", ()))


def is_slow(item: pytest.Item) -> bool:
    """Whether a test is marked as one that takes long."""
    return item.get_closest_marker("slow") is not None


@pytest.fixture(scope="session")
def the_servers() -> Servers:
    """A real broker and a real database, started once."""
    return borrowed()


@pytest.fixture
async def dsn(the_servers: Servers) -> AsyncGenerator[str]:
    """The address of a database of the test's own."""
    async with databases.made(the_servers.postgres_dsn, template=the_servers.template) as dsn:
        yield dsn


@pytest.fixture(scope="module")
async def shared_dsn(the_servers: Servers) -> AsyncGenerator[str]:
    """The address of a database that the tests of a module share."""
    async with databases.made(the_servers.postgres_dsn, template=the_servers.template) as dsn:
        yield dsn


@pytest.fixture
async def site() -> SampleSite:
    """A sample site of the test's own."""
    return SampleSite()


@pytest.fixture
async def running_site(site: SampleSite) -> AsyncGenerator[RunningSite]:
    """The sample site over HTTP."""
    async with serve(site) as running:
        yield running


@pytest.fixture
async def settings(the_servers: Servers, dsn: str, running_site: RunningSite) -> Settings:
    """Settings of the test's own, with topics that are there."""
    settings = own_settings(the_servers.kafka_bootstrap, dsn, running_site)
    await create_topics(settings)
    return settings


def own_settings(kafka_bootstrap: str, dsn: str, site: RunningSite) -> Settings:
    """Settings for topics of a test's own, which are yet to be created, and for a site without pauses."""
    return Settings(
        kafka_bootstrap=kafka_bootstrap,
        postgres_dsn=dsn,
        site=site.site_template,
        site_interval_seconds=0,
        detail_concurrency=3,
        detail_partitions=3,
        topic_prefix=f"t{os.getpid()}-{next(_numbers)}-",
    )


async def create_topics(settings: Settings) -> None:
    """Create the topics of these settings."""
    await topics.create_topics(settings.broker, settings.topics, replication_factor=1)


@pytest.fixture
async def pool(settings: Settings) -> AsyncGenerator[Pool]:
    """Connections to the test's own database."""
    async with database(settings, size=2) as pool:
        yield pool


@pytest.fixture
async def connection(dsn: str) -> AsyncGenerator[Connection]:
    """A connection to the test's own database, for tests that need no broker."""
    unused: dict[str, Any] = {"kafka_bootstrap": "unused:1", "site": "http://127.0.0.1/{track_slug}"}
    async with connected(Settings(postgres_dsn=dsn, **unused)) as connection:
        yield connection


def working(settings: Settings, *names: str) -> AbstractAsyncContextManager[None]:
    """Run roles beside the test, all of them unless some are named."""
    return roles_at_work(settings, *(names or ("fetcher", "projector", "relay")))


@contextlib.asynccontextmanager
async def projecting(settings: Settings) -> AsyncGenerator[None]:
    """Run the projection of practice days alone beside the test."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_projector(settings, stop, [PRACTICE_DAYS]))
    try:
        yield
    finally:
        stop.set()
        await task


def at(settings: Settings, **changes: Any) -> Settings:
    """The settings with some of them changed."""
    return msgspec.structs.replace(settings, **changes)


DAY = dt.date(2025, 10, 25)
"""The day that most tests import."""

TRACK = "sample-track"
"""The track that most tests import it of."""
