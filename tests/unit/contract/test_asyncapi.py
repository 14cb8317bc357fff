"""The AsyncAPI document: all topics, messages and keys, and valid for the official parser."""

import re
from typing import Any

import jsonschema
import msgspec
import pytest

from schemas.contract.asyncapi import CHANNELS, SECURITY, document, key_of, name_of
from schemas.contract.examples import EVENTS
from schemas.events import EVENT_TYPES, Event
from schemas.identity import event_key
from schemas.pages import PAGE_TYPE
from schemas.topics import LogTopic, Topics
from tests.foreign import node

LOG = (LogTopic("practice-days"), LogTopic("club.days", ("mylaps",)))
TOPICS = Topics(prefix="test-", detail_partitions=5, log=LOG)
WARNING = 1


def line(described: Any) -> bytes:
    return msgspec.json.encode(described)


def test_every_topic_and_every_type_is_in_it() -> None:
    described = document(TOPICS)
    addresses = [channel["address"] for channel in described["channels"].values()]
    assert sorted(addresses) == sorted(spec.name for spec in TOPICS.specs())
    assert list(described["components"]["messages"]) == [*EVENT_TYPES, PAGE_TYPE]
    for name in (*EVENT_TYPES, PAGE_TYPE):
        assert [one.id for one in CHANNELS if name in (*one.sent, *one.received)], name


def test_a_topic_is_described_as_it_is_declared() -> None:
    described = document(TOPICS)["channels"]
    for channel in CHANNELS:
        [spec] = [spec for spec in TOPICS.specs() if spec.name == name_of(channel, TOPICS)]
        binding = described[channel.id]["bindings"]["kafka"]
        settings = {
            name: ",".join(value) if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownArgumentType]
            for name, value in binding["topicConfiguration"].items()
        }
        assert (binding["partitions"], settings) == (spec.partitions, spec.config)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type_name)
def test_a_key_is_as_its_schema_says(event: Event) -> None:
    assert re.search(key_of(event.type_name)["pattern"], event_key(event))


def test_security_has_what_a_cluster_may_ask() -> None:
    assert {one["type"] for one in SECURITY.values()} == {
        "plain",
        "scramSha256",
        "scramSha512",
        "oauth2",
        "X509",
    }


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_the_example_of_a_message_is_one(name: str) -> None:
    described = document(TOPICS)
    message = described["components"]["messages"][name]
    [example] = message["examples"]
    for part in ("headers", "payload"):
        jsonschema.validate(example[part], {**message[part], "components": described["components"]})


@pytest.mark.slow
def test_the_official_parser_takes_it() -> None:
    good, bad = document(TOPICS), document(TOPICS)
    bad["components"]["messages"]["practice_day.requested.v1"]["payload"] = {"type": "text"}
    found, refused = node("asyncapi.mjs", lines=[line(good), line(bad)])
    assert [one for one in found["diagnostics"] if one["severity"] <= WARNING] == []
    assert found["parsed"]
    assert sorted(found["channels"]) == sorted(spec.name for spec in TOPICS.specs())
    assert not refused["parsed"]
