"""The topics on the broker: created where they are missing, held against how they are declared."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from msgspec import Struct, field

from broker.access import BrokerAccess
from broker.clients import Admin, administering, described
from schemas.errors import LapstreamError
from schemas.topics import Topics, TopicSpec

_LOOKS = 100
_LOOK_SECONDS = 0.1
_RIGHTS = "`lapstream topics acls` prints the rights that are needed"
_BROKERS = '--bootstrap-server "$LAPSTREAM_KAFKA_BOOTSTRAP"'


class TopicRefused(LapstreamError):
    """The broker does not create a topic, and says why."""


class _Unseen(Enum):
    """Why nothing is known of a topic, or of its settings."""

    MISSING = "it does not exist: run `lapstream topics create`"
    HIDDEN = f"it is not shown to this user, who has no right to Describe it: {_RIGHTS}"
    CONFIG_HIDDEN = f"its settings are not shown to this user, who has no right to DescribeConfigs: {_RIGHTS}"


_Config = dict[str, str] | _Unseen


class TopicState(Struct, frozen=True, kw_only=True):
    """A topic on the broker beside its declaration.

    `differences` says what is to be mended, and how; `notes` what is other than declared, and does no harm.
    """

    name: str
    exists: bool
    partitions: int
    differences: list[str]
    notes: list[str] = field(default_factory=list[str])


async def check_topics(access: BrokerAccess, topics: Topics) -> list[TopicState]:
    """As `states_of`, by a client of its own."""
    async with administering(access) as admin:
        return await states_of(admin, topics)


async def states_of(admin: Admin, topics: Topics) -> list[TopicState]:
    """Every topic as it is on the broker; changes nothing."""
    specs = topics.specs()
    found = await described(admin, (spec.name for spec in specs))
    configs = await _configs(admin, [spec.name for spec in specs])
    return [_state(spec, found.get(spec.name), configs[spec.name]) for spec in specs]


def differing(states: Iterable[TopicState]) -> str | None:
    """Which topics are not as declared, in words; None where all are."""
    names = [state.name for state in states if state.differences]
    return f"not as declared: {', '.join(names)}; `lapstream topics check` says more" if names else None


async def create_topics(
    access: BrokerAccess,
    topics: Topics,
    *,
    replication_factor: int,
    at_least: Mapping[str, int] = MappingProxyType({}),
) -> list[TopicState]:
    """Create the topics that are missing, and return the state of all; one that differs is left as it is.

    Those named in `at_least` get so many partitions, where more than declared. Raises `TopicRefused` where
    the broker does not create one.
    """
    async with administering(access) as admin:
        specs = topics.specs()
        existing = await described(admin, (spec.name for spec in specs))
        missing = [
            NewTopic(
                spec.name,
                max(spec.partitions, at_least.get(spec.name, 0)),
                replication_factor,
                topic_configs=spec.config,
            )
            for spec in specs
            if spec.name not in existing
        ]
        if missing:
            _check((await admin.create_topics(missing)).topic_errors)
        return await _states_when_known(admin, topics)


async def delete_topics(access: BrokerAccess, belongs: Callable[[str], bool]) -> list[str]:
    """Delete the topics of which this is true by their names, and return these; raises KafkaError."""
    async with administering(access) as admin:
        names = sorted(name for name in await admin.list_topics() if belongs(name))
        deleted = await admin.delete_topics(names) if names else None
    for topic, code in deleted.topic_error_codes if deleted else ():
        if code not in (0, UnknownTopicOrPartitionError.errno):
            raise for_code(code)(topic)
    return names


def _check(topic_errors: Iterable[tuple[str, int, str | None]]) -> None:
    for topic, code, message in topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise TopicRefused(f"the broker does not create {topic}: {message or f'error {code}'}")


async def _states_when_known(admin: Admin, topics: Topics) -> list[TopicState]:
    """The states, once the broker that is asked knows of what the controller has created."""
    for _ in range(_LOOKS):
        states = await states_of(admin, topics)
        if all(state.exists for state in states):
            return states
        await asyncio.sleep(_LOOK_SECONDS)
    return await states_of(admin, topics)


async def _configs(admin: Admin, names: Iterable[str]) -> dict[str, _Config]:
    """Topics' settings, asked for by their names: that makes no broker create them."""
    wanted = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    [response] = await admin.describe_configs(wanted)
    return {name: _config(error, entries) for error, _, _, name, entries, *_ in response.resources}


def _config(error: int, entries: Iterable[Sequence[Any]]) -> _Config:
    if error == UnknownTopicOrPartitionError.errno:
        return _Unseen.MISSING
    if error == TopicAuthorizationFailedError.errno:
        return _Unseen.CONFIG_HIDDEN
    return {entry[0]: entry[1] for entry in entries}


def _state(spec: TopicSpec, described: dict[str, Any] | None, config: _Config) -> TopicState:
    if described is None:
        unseen = config if config is _Unseen.MISSING else _Unseen.HIDDEN
        return TopicState(name=spec.name, exists=False, partitions=0, differences=[unseen.value])
    partitions = len(described["partitions"])
    count = f"it has {partitions} partitions, declared {spec.partitions}"
    differences = _of_config(spec, config)
    if partitions < spec.partitions:
        differences.append(f"{count}: `{adding_partitions(spec.name, spec.partitions)}`")
    return TopicState(
        name=spec.name,
        exists=True,
        partitions=partitions,
        differences=differences,
        notes=[f"{count}: more do no harm"] if partitions > spec.partitions else [],
    )


def _of_config(spec: TopicSpec, config: _Config) -> list[str]:
    if isinstance(config, _Unseen):
        return [config.value]
    return [
        f"{name} is {config.get(name)}, declared {value}: `{setting(spec.name, name, value)}`"
        for name, value in spec.config.items()
        if config.get(name) != value
    ]


def setting(topic: str, name: str, value: str) -> str:
    """The command that gives a topic a setting."""
    which = f"--entity-type topics --entity-name {topic}"
    return f"kafka-configs.sh {_BROKERS} --alter {which} --add-config {name}={value}"


def adding_partitions(topic: str, count: int) -> str:
    """The command that gives a topic so many partitions."""
    return f"kafka-topics.sh {_BROKERS} --alter --topic {topic} --partitions {count}"
