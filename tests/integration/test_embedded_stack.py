"""The embedded stack, with its real servers, in a home of its own."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# aiokafka comes without types.

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from broker.access import BrokerAccess
from broker.clients import make_consumer
from sandbox.embedded import ports, processes, stack, state
from sandbox.embedded.errors import PortTaken, ServerDied
from sandbox.embedded.stack import Addresses
from tests import homes
from tests.homes import silent

ENDS_BY_SIGNAL = """
import sys
from pathlib import Path
from sandbox.embedded import stack
with stack.running(Path(sys.argv[1]), report=lambda _: None, durable=False):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with homes.folder() as folder:
        yield folder / "home"
        stack.wipe(folder / "home")


@pytest.fixture
def addresses(home: Path) -> Addresses:
    return stack.up(home, report=silent, durable=False)


def pids(home: Path) -> tuple[int, int]:
    found = stack.status(home)
    assert found.running
    assert found.kafka
    assert found.kafka.pid
    assert found.postgres
    assert found.postgres.pid
    return found.kafka.pid, found.postgres.pid


async def produce(addresses: Addresses, topic: str, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=addresses.kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(
        bootstrap_servers=addresses.kafka_bootstrap, max_request_size=len(value) + 1024
    ) as producer:
        await producer.send_and_wait(topic, value)


async def consume(addresses: Addresses, topic: str) -> bytes:
    place = TopicPartition(topic, 0)
    consumer: Any = make_consumer(BrokerAccess(bootstrap=addresses.kafka_bootstrap), "stack", gather_ms=1)
    async with consumer:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        record = await consumer.getone()
        return record.value or b""


async def execute(addresses: Addresses, statement: str) -> object:
    connection = await asyncpg.connect(addresses.postgres_dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_both_servers_work_as_soon_as_up_returns(addresses: Addresses) -> None:
    await produce(addresses, "first", b"a lap")
    assert await consume(addresses, "first") == b"a lap"
    assert await execute(addresses, "SELECT 1") == 1


async def test_the_database_is_set_up_for_lapstream(addresses: Addresses) -> None:
    facts = "SELECT concat_ws(' ', current_database(), pg_encoding_to_char(encoding), datcollate, "
    facts += "current_setting('server_version_num')::int / 10000, current_setting('TimeZone'), "
    facts += "current_setting('fsync')) FROM pg_database WHERE datname = current_database()"
    assert await execute(addresses, facts) == "lapstream UTF8 C 18 UTC off"


async def test_a_record_of_eight_megabytes_is_taken(addresses: Addresses) -> None:
    await produce(addresses, "large", bytes(8 * 1024 * 1024))


def test_a_second_up_finds_the_same_servers(home: Path, addresses: Addresses) -> None:
    before = pids(home)
    assert stack.up(home, report=silent) == addresses
    assert pids(home) == before


def with_login(addresses: Addresses, login: str) -> str:
    parts = urlsplit(addresses.postgres_dsn)
    return parts._replace(netloc=f"{login}@{parts.hostname}:{parts.port}").geturl()


async def test_nobody_connects_without_the_password(addresses: Addresses) -> None:
    assert len(urlsplit(addresses.postgres_dsn).password or "") >= 32
    for login in ("postgres", "postgres:", "postgres:postgres", "root"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(with_login(addresses, login), passfile="/nowhere")


def test_what_is_in_a_home_is_its_owners(home: Path, addresses: Addresses) -> None:
    for path in (home, *(path for path in home.rglob("*") if not path.is_symlink())):
        mode = stat.S_IMODE(path.stat().st_mode)
        way = stat.S_IXOTH if path == home else 0  # as root: for the database's own user, who lists nothing
        assert mode & 0o077 in {0, way}, (path, oct(mode))


def test_the_password_is_shown_to_nobody_who_asks_how_it_runs(home: Path, addresses: Addresses) -> None:
    found = stack.status(home).postgres
    assert found
    assert (
        found.address == f"postgresql://postgres@127.0.0.1:{urlsplit(addresses.postgres_dsn).port}/lapstream"
    )


async def test_a_home_of_a_version_without_passwords_gets_one_and_keeps_its_data(tmp_path: Path) -> None:
    home = tmp_path / "home"
    try:
        addresses = stack.up(home, report=silent, durable=False)
        await execute(addresses, "CREATE TABLE kept AS SELECT 7 AS n")
        for runs in (True, False):
            await as_an_earlier_version_made_it(home, addresses)
            if not runs:
                stack.stop(home, "postgres")
            addresses = stack.up(home, report=silent, durable=False)
            assert await execute(addresses, "SELECT n FROM kept") == 7
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(with_login(addresses, "postgres"), passfile="/nowhere")
            test_what_is_in_a_home_is_its_owners(home, addresses)
    finally:
        stack.wipe(home)


async def as_an_earlier_version_made_it(home: Path, addresses: Addresses) -> None:
    """It trusted everybody, and everybody might look into the folders."""
    (home / "postgres" / "data" / "pg_hba.conf").write_text("host all all 127.0.0.1/32 trust\n")
    await execute(addresses, "SELECT pg_reload_conf()")
    await execute(addresses, "ALTER ROLE postgres PASSWORD NULL")
    (home / "postgres" / "password").unlink()
    for name in ("kafka", "logs", "postgres"):
        (home / name).chmod(0o755)
    for name in ("state.json", ".lock"):
        (home / name).chmod(0o644)


async def test_data_outlives_down_and_up(home: Path, addresses: Addresses) -> None:
    await execute(addresses, "CREATE TABLE kept AS SELECT 7 AS n")
    await produce(addresses, "kept", b"seven")
    assert stack.down(home) is True
    assert stack.down(home) is False
    assert not stack.status(home).running
    again = stack.up(home, report=silent, durable=False)
    assert again == addresses
    assert await execute(again, "SELECT n FROM kept") == 7
    assert await consume(again, "kept") == b"seven"


async def test_killed_servers_are_recovered_with_their_data(home: Path, addresses: Addresses) -> None:
    await execute(addresses, "CREATE TABLE survives AS SELECT 8 AS n")
    await produce(addresses, "survives", b"eight")
    for pid in pids(home):
        os.kill(pid, signal.SIGKILL)
    again = stack.up(home, report=silent, durable=False)
    assert again == addresses
    assert await execute(again, "SELECT n FROM survives") == 8
    assert await consume(again, "survives") == b"eight"


async def test_one_server_restarts_alone_on_its_port(home: Path, addresses: Addresses) -> None:
    kafka, postgres = pids(home)
    stack.restart(home, "postgres")
    assert pids(home)[0] == kafka
    assert pids(home)[1] != postgres
    assert await execute(addresses, "SHOW fsync") == "off"
    assert stack.stop(home, "kafka") is True
    assert stack.stop(home, "kafka") is False
    assert not ports.is_answering(int(addresses.kafka_bootstrap.partition(":")[2]))
    stack.start(home, "kafka")
    await produce(addresses, "again", b"x")


async def test_another_port_is_chosen_only_when_the_old_one_is_taken(
    home: Path, addresses: Addresses
) -> None:
    stack.stop(home, "postgres")
    known = state.load(home)
    assert known
    said: list[str] = []
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((ports.HOST, known.postgres_port))
        other.listen()
        with pytest.raises(PortTaken, match=str(known.postgres_port)):
            stack.start(home, "postgres")
        moved = stack.up(home, report=said.append, durable=False)
    assert moved.kafka_bootstrap == addresses.kafka_bootstrap
    assert moved.postgres_dsn != addresses.postgres_dsn
    assert said[0].startswith(f"port {known.postgres_port} is taken by another program; taking ")
    assert await execute(moved, "SELECT 1") == 1


async def test_another_port_is_chosen_when_the_old_one_is_taken_while_its_server_starts(
    home: Path, addresses: Addresses
) -> None:
    stack.stop(home, "postgres")
    known = state.load(home)
    assert known
    with socket.socket() as other:

        def take_the_port(said: str) -> None:
            if said.startswith("starting PostgreSQL") and not other.getsockname()[1]:
                other.bind((ports.HOST, known.postgres_port))
                other.listen()

        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        moved = stack.up(home, report=take_the_port, durable=False)
    assert moved.kafka_bootstrap == addresses.kafka_bootstrap
    assert moved.postgres_dsn != addresses.postgres_dsn
    assert await execute(moved, "SELECT 1") == 1


async def test_servers_that_nobody_remembers_are_found_and_replaced(home: Path, addresses: Addresses) -> None:
    await execute(addresses, "CREATE TABLE remembered AS SELECT 9 AS n")
    before = pids(home)
    state.path_of(home).unlink()
    again = stack.up(home, report=silent, durable=False)
    assert all(processes.find(pid) is None for pid in before)
    assert await execute(again, "SELECT n FROM remembered") == 9


def test_a_block_leaves_running_what_it_found_running(home: Path, addresses: Addresses) -> None:
    before = pids(home)
    with stack.running(home, report=silent) as found:
        assert found == addresses
    assert pids(home) == before


def test_a_block_that_is_ended_by_a_signal_stops_what_it_started(home: Path, addresses: Addresses) -> None:
    stack.down(home)
    command = [sys.executable, "-c", ENDS_BY_SIGNAL, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout
        assert program.stdout.readline() == b"ready\n"
        assert stack.status(home).running
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 128 + signal.SIGTERM
    found = stack.status(home)
    assert found.kafka
    assert found.postgres
    assert (found.kafka.state, found.postgres.state) == ("stopped", "stopped")


def test_a_server_that_dies_shows_its_log_and_takes_the_other_with_it(
    home: Path, addresses: Addresses
) -> None:
    stack.down(home)
    settings = home / "postgres" / "data" / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(good + "nonsense = 'x'\n")
    with pytest.raises(ServerDied, match='unrecognized configuration parameter "nonsense"'):
        stack.up(home, report=silent, durable=False)
    settings.write_text(good)
    assert not stack.status(home).running
    assert not list(processes.matching(lambda process: process.cwd().startswith(str(home))))
