"""Where the tests' broker and database come from: the environment, else a Docker engine, else embedded.

The same suite runs on each.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.postgres import PostgresContainer

from embedded import stack

KAFKA_IMAGE = "apache/kafka:4.1.1"
POSTGRES_IMAGE = "postgres:18"


class Servers(Struct, frozen=True):
    """The addresses of a broker and a database."""

    kafka_bootstrap: str
    postgres_dsn: str


@contextmanager
def servers() -> Generator[Servers]:
    """A broker and a database for one run of the suite."""
    kafka, postgres = os.environ.get("LAPSTREAM_TEST_KAFKA"), os.environ.get("LAPSTREAM_TEST_POSTGRES")
    if kafka and postgres:
        yield Servers(kafka, postgres)
    elif _docker_answers():
        with _containers() as found:
            yield found
    else:
        with _embedded() as found:
            yield found


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    asked = subprocess.run([docker, "version"], capture_output=True, check=False, timeout=10)
    return asked.returncode == 0


@contextmanager
def _containers() -> Generator[Servers]:
    kafka = KafkaContainer(KAFKA_IMAGE).with_kraft()
    with kafka, PostgresContainer(POSTGRES_IMAGE, driver=None) as postgres:
        yield Servers(kafka.get_bootstrap_server(), postgres.get_connection_url())


@contextmanager
def _embedded() -> Generator[Servers]:
    with (
        tempfile.TemporaryDirectory(prefix="lapstream-tests-") as folder,
        stack.running(Path(folder), report=lambda _: None, durable=False) as found,
    ):
        yield Servers(found.kafka_bootstrap, found.postgres_dsn)
