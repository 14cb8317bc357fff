"""Servers that tests of outages may stop, of each module's own; and Kafka's own commands."""

import asyncio
import tempfile
from collections.abc import Generator
from pathlib import Path
from uuid import uuid4

import pytest

from embedded import stack
from embedded.errors import JarsUnavailable
from runtime import migrate
from runtime.settings import Settings
from store.pool import connect
from tests import kafka_tools
from tests.conftest import create_topics


@pytest.fixture(scope="module")
def home() -> Generator[Path]:
    """A folder with a broker and a database that may be stopped."""
    with (
        tempfile.TemporaryDirectory(prefix="lapstream-away-") as folder,
        stack.running(Path(folder), report=lambda _: None, durable=False),
    ):
        yield Path(folder)


@pytest.fixture
async def own(home: Path) -> Settings:
    """Settings for a database and topics of the test's own, on servers that may be stopped."""
    addresses = await asyncio.to_thread(stack.up, home, report=lambda _: None)
    name = f"t{uuid4().hex}"
    admin = await connect(addresses.postgres_dsn)
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    dsn = addresses.postgres_dsn.rsplit("/", 1)[0] + f"/{name}"
    await migrate.apply(dsn)
    settings = Settings(
        kafka_bootstrap=addresses.kafka_bootstrap,
        postgres_dsn=dsn,
        site="http://127.0.0.1/{track_slug}",
        topic_prefix=f"{name}-",
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
