"""Rights at the broker: those that are needed go in, those that this client's user lacks come out.

The broker itself says what its user may do with a topic or a group; aiokafka does not read that.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    LeaderNotAvailableError,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Bytes, Int16, Int32, Schema, String
from msgspec import Struct

from broker.clients import Admin, answer_of, from_coordinator, raise_for

Resource = Literal["topic", "group"]
Operation = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs"]

BITS: Mapping[Operation, int] = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
"""The bit of each operation in the number that the broker answers with."""

EVERYTHING = -1
"""All bits set: everything is allowed."""

_TEXT = String("utf-8")

_Response: Any = Response
"""aiokafka's own types say that its key and version are properties."""


class Right(Struct, frozen=True, kw_only=True):
    """Operations on resources of these names; with `prefixed`, on all whose names begin so."""

    resource: Resource
    names: tuple[str, ...]
    operations: tuple[Operation, ...]
    prefixed: bool = False

    def command(self, principal: str) -> str:
        """The command that grants it."""
        operations = " ".join(f"--operation {one}" for one in self.operations)
        names = " ".join(f"--{self.resource} {shlex.quote(one)}" for one in self.names)
        pattern = " --resource-pattern-type prefixed" if self.prefixed else ""
        return (
            'kafka-acls.sh --bootstrap-server "$LAPSTREAM_KAFKA_BOOTSTRAP" --command-config admin.properties '
            f"--add --allow-principal {shlex.quote(principal)} {operations} {names}{pattern}"
        )


class _TopicsAnswer(_Response):
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT))),
        ("cluster", _TEXT),
        ("controller", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("name", _TEXT),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("in_sync", Array(Int32)),
                        ("offline", Array(Int32)),
                    ),
                ),
                ("operations", Int32),
            ),
        ),
        ("cluster_operations", Int32),
    )


class _TopicsStruct(RequestStruct):
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _TopicsAnswer
    SCHEMA = Schema(
        ("topics", Array(_TEXT)), ("create", Boolean), ("of_cluster", Boolean), ("of_topics", Boolean)
    )


class _AskTopics(Request[_TopicsStruct]):
    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_TopicsStruct]) -> _TopicsStruct:
        return request_struct_class(list(self._topics), False, False, True)


class _GroupsAnswer(_Response):
    API_KEY = 15
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            Array(
                ("error_code", Int16),
                ("name", _TEXT),
                ("state", _TEXT),
                ("protocol_type", _TEXT),
                ("protocol", _TEXT),
                (
                    "members",
                    Array(
                        ("id", _TEXT),
                        ("client_id", _TEXT),
                        ("host", _TEXT),
                        ("metadata", Bytes),
                        ("assignment", Bytes),
                    ),
                ),
                ("operations", Int32),
            ),
        ),
    )


class _GroupStruct(RequestStruct):
    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = _GroupsAnswer
    SCHEMA = Schema(("groups", Array(_TEXT)), ("operations", Boolean))


class _AskGroup(Request[_GroupStruct]):
    API_KEY = 15

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[_GroupStruct]) -> _GroupStruct:
        return request_struct_class([self._group], True)


async def missing(admin: Admin, rights: Iterable[Right]) -> list[str]:
    """The rights that the user lacks, each as `Read on topic NAME`.

    An empty list where the broker is too old to say what may be done. Raises KafkaError.
    """
    rights = list(rights)
    topics = _names(rights, "topic")
    groups = _names(rights, "group")
    try:
        seen = await see_topics(admin, topics)
        allowed = {("topic", name): found.operations for name, found in seen.items()}
        allowed |= {("group", name): await _of_group(admin, name) for name in groups}
    except NotImplementedError:  # aiokafka's, where the broker does not know this version of a request
        return []
    return [
        f"{operation} on {right.resource} {name}"
        for right in rights
        for name in right.names
        for operation in right.operations
        if not allowed[right.resource, name] & 1 << BITS[operation]
    ]


def _names(rights: Iterable[Right], resource: Resource) -> list[str]:
    return sorted({name for right in rights if right.resource == resource for name in right.names})


class SeenTopic(NamedTuple):
    """A topic as it is shown to this client's user: its partitions, and those of them that have no leader.

    `operations` has a bit for each one that is allowed; of a topic that does not exist, or not yet, all are.
    """

    shown: bool
    partitions: list[int]
    leaderless: list[int]
    operations: int

    def allows(self, operation: Operation) -> bool:
        """Whether the user may do this."""
        return bool(self.operations & 1 << BITS[operation])


async def see_topics(admin: Admin, topics: Sequence[str]) -> dict[str, SeenTopic]:
    """Topics, and what may be done with them; no broker creates one for it.

    Raises KafkaError, and NotImplementedError where the broker is too old to say it.
    """
    answer: Any = await answer_of(admin, _AskTopics(topics))
    return {
        name: _seen(error, partitions, operations) for error, name, _, partitions, operations in answer.topics
    }


def _seen(error: int, partitions: Sequence[tuple[int, ...]], operations: int) -> SeenTopic:
    hidden = error == TopicAuthorizationFailedError.errno
    return SeenTopic(
        not hidden,
        sorted(number for _, number, *_ in partitions),
        sorted(number for code, number, *_ in partitions if code == LeaderNotAvailableError.errno),
        0 if hidden else EVERYTHING if error else operations,
    )


async def _of_group(admin: Admin, group: str) -> int:
    async def ask() -> int:
        node = await admin.find_coordinator(group)
        answer: Any = await answer_of(admin, _AskGroup(group), node)
        [(error, *_, operations)] = answer.groups
        raise_for(error)
        return operations

    try:
        return await from_coordinator(ask)
    except GroupAuthorizationFailedError:
        return 0
