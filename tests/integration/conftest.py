"""Servers that tests of outages may stop, of each module's own; and Kafka's own commands."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.protocol.metadata import MetadataRequest

from broker.access import BrokerAccess
from broker.clients import make_producer
from runtime.settings import Settings
from sandbox.embedded import stack
from sandbox.embedded.errors import JarsUnavailable
from tests import databases, homes, kafka_tools
from tests.conftest import create_topics
from tests.databases import Servers
from tests.homes import Home
from tests.servers import running


@pytest.fixture(scope="module")
def servers() -> Generator[Home]:
    """A broker and a database that may be stopped."""
    with running() as servers:
        yield servers


@pytest.fixture(scope="module")
def home(servers: Home) -> Path:
    """Their folder."""
    return servers.folder


@pytest.fixture
async def own(servers: Home) -> Settings:
    """Settings for a database and topics of the test's own, on servers that may be stopped."""
    addresses = await asyncio.to_thread(stack.up, servers.folder, report=homes.silent, durable=False)
    dsn = await databases.make(addresses.postgres_dsn, template=databases.TEMPLATE)
    settings = Settings(
        kafka_bootstrap=addresses.kafka_bootstrap,
        postgres_dsn=dsn,
        site="http://127.0.0.1/{track_slug}",
        topic_prefix=f"t{uuid4().hex}-",
    )
    await create_topics(settings)
    return settings


@pytest.fixture(scope="session")
def class_path() -> str:
    """Where Kafka's own commands lie; a test that needs them is left out where they can't be had."""
    try:
        return kafka_tools.class_path()
    except (JarsUnavailable, OSError, RuntimeError) as error:
        pytest.skip(f"Kafka's own commands can't be fetched here: {error}")


@pytest.fixture
async def topics_are_named(the_servers: Servers, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    """No client of this process asks its broker for all topics, of which there may be thousands.

    But for a fresh broker's first producer, which does so until there are ids for producers.
    """
    first = make_producer(BrokerAccess(bootstrap=the_servers.kafka_bootstrap))
    await first.start()
    await first.stop()
    asked: list[Any] = []
    made: Any = MetadataRequest.__init__

    def noted(request: Any, topics: Any = None, *rest: Any, **more: Any) -> None:
        asked.append(topics)
        made(request, topics, *rest, **more)

    monkeypatch.setattr(MetadataRequest, "__init__", noted)
    yield
    assert asked
    assert None not in asked
