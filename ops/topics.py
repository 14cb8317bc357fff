"""The topics on the broker: created where they are missing, held against how they are declared."""

import asyncio
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError
from msgspec import Struct

from schemas.errors import LapstreamError
from schemas.topics import Topics, TopicSpec

_LOOKS = 100
_LOOK_SECONDS = 0.1


class TopicRefused(LapstreamError):
    """The broker does not create a topic, and says why."""


class TopicState(Struct, frozen=True, kw_only=True):
    """A topic on the broker beside its declaration; `differences` is empty where they agree."""

    name: str
    exists: bool
    partitions: int
    differences: list[str]


async def check_topics(bootstrap: str, topics: Topics) -> list[TopicState]:
    """Every topic as it is on the broker; changes nothing."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return await _states(admin, topics)
    finally:
        await admin.close()


async def create_topics(bootstrap: str, topics: Topics, *, replication_factor: int) -> list[TopicState]:
    """Create the topics that are missing, and tell the state of all; one that differs is left as it is.

    Raises `TopicRefused` where the broker does not create one.
    """
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [
            NewTopic(spec.name, spec.partitions, replication_factor, topic_configs=spec.config)
            for spec in topics.specs()
            if spec.name not in existing
        ]
        if missing:
            _check(await admin.create_topics(missing))
        return await _states_when_known(admin, topics)
    finally:
        await admin.close()


def _check(response: Any) -> None:  # noqa: ANN401 - the protocol's response
    for topic, code, message in response.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise TopicRefused(f"the broker does not create {topic}: {message or f'error {code}'}")


async def _states_when_known(admin: Any, topics: Topics) -> list[TopicState]:  # noqa: ANN401 - aiokafka is untyped
    """The states, once the broker that is asked knows of what the controller has created."""
    for _ in range(_LOOKS):
        states = await _states(admin, topics)
        if all(state.exists for state in states):
            return states
        await asyncio.sleep(_LOOK_SECONDS)
    return await _states(admin, topics)


async def _states(admin: Any, topics: Topics) -> list[TopicState]:  # noqa: ANN401 - aiokafka is untyped
    existing = set(await admin.list_topics())
    specs = topics.specs()
    there = [spec.name for spec in specs if spec.name in existing]
    described = {found["topic"]: found for found in await admin.describe_topics(there)} if there else {}
    configs = await _configs(admin, there)
    return [_state(spec, described.get(spec.name), configs.get(spec.name, {})) for spec in specs]


async def _configs(admin: Any, names: list[str]) -> dict[str, dict[str, str]]:  # noqa: ANN401 - aiokafka is untyped
    found: dict[str, dict[str, str]] = {}
    for name in names:
        [response] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        found[name] = {entry[0]: entry[1] for entry in response.resources[0][4]}
    return found


def _state(spec: TopicSpec, described: Any, config: dict[str, str]) -> TopicState:  # noqa: ANN401 - as the broker has it
    if described is None:
        return TopicState(name=spec.name, exists=False, partitions=0, differences=["it does not exist"])
    partitions = len(described["partitions"])
    differences = [
        f"{name} is {config.get(name)}, declared {value}"
        for name, value in spec.config.items()
        if config.get(name) != value
    ]
    if partitions != spec.partitions:
        differences.append(f"it has {partitions} partitions, declared {spec.partitions}")
    return TopicState(name=spec.name, exists=True, partitions=partitions, differences=differences)
