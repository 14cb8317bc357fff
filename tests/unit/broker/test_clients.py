"""Kafka consumers: all are made in one place, and every one reads committed records only."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from broker.access import BrokerAccess
from broker.clients import make_consumer, make_reader
from tests.sources import PACKAGES, modules

ACCESS = BrokerAccess(bootstrap="x:1")
CLIENTS = ("AIOKafkaAdminClient", "AIOKafkaClient", "AIOKafkaConnection", "AIOKafkaProducer", "KafkaBroker")
ALL = tuple(modules(*PACKAGES, "bench", "tests"))


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield node


def test_no_consumer_is_made_elsewhere() -> None:
    own = "tests/unit/broker/test_clients.py"
    assert [path for path, text in ALL if "AIOKafkaConsumer" in text and path != own] == ["broker/clients.py"]


def test_clients_are_made_where_encryption_and_login_are_set() -> None:
    made = re.compile("|".join(rf"{name}\(|= {name}$" for name in CLIENTS), re.MULTILINE)
    found = {path for path, text in modules(*PACKAGES) if made.search(text)}
    alone = {"sandbox/embedded/kafka.py"}  # it asks the broker that it started, and imports nothing of ours
    assert found - alone == {"broker/clients.py", "broker/reaching.py", "broker/subscribing.py"}


def test_every_subscriber_reads_committed_records() -> None:
    found = [
        (path, {word.arg: ast.unparse(word.value) for word in call.keywords}.get("isolation_level"))
        for path, text in ALL
        for call in calls(ast.parse(text), "subscriber")
    ]
    assert found == [("producer/queues.py", "'read_committed'")]


def test_reading_up_to_an_end_is_written_once() -> None:
    found = {path for path, text in modules(*PACKAGES) if ".getmany(" in text}
    endless = {"consumers/projector.py", "ops/events/tailing.py"}
    single = {"ops/lag/asking.py", "producer/archive.py"}  # first records, and records far apart
    assert found == {"broker/between.py"} | endless | single


async def test_consumers_read_committed_records_and_commit_nothing_by_themselves() -> None:
    consumers: list[Any] = [make_consumer(ACCESS, "a-group", gather_ms=1), make_reader(ACCESS)]
    for made in consumers:
        assert vars(made)["_isolation_level"] == "read_committed"
        assert vars(made)["_enable_auto_commit"] is False
        await made.stop()
