"""The manifests for KEDA: of the form of its resource, about groups, topics and partitions that there are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from lapstream.roles import ROLES
from runtime.settings import Settings, variable
from runtime.wiring import Group, detail_group, groups
from schemas.topics import Topics
from tests.sources import ROOT

TOPICS = Topics()
FILES = sorted((ROOT / "deploy" / "keda").glob("*.yml"))
NOT_BY_LAG = {"api", "relay"}
"""Roles that KEDA does not scale: one relay works at a time, and the API has no lag."""

DETAIL_MEMBERS = Settings(kafka_bootstrap="unused:1", postgres_dsn="unused").detail_concurrency


def closed(required: str, **properties: Any) -> dict[str, Any]:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 1}
RULES = closed(
    "stabilizationWindowSeconds policies",
    stabilizationWindowSeconds={"type": "integer", "minimum": 0, "maximum": 3600},
    policies={
        "type": "array",
        "minItems": 1,
        "items": closed(
            "type value periodSeconds",
            type={"enum": ["Pods", "Percent"]},
            value=COUNT,
            periodSeconds={"type": "integer", "minimum": 1, "maximum": 1800},
        ),
    },
)
KAFKA = closed(
    "bootstrapServersFromEnv version consumerGroup topic offsetResetPolicy lagThreshold",
    bootstrapServersFromEnv={"const": variable("kafka_bootstrap")},
    version=TEXT,
    consumerGroup=TEXT,
    topic=TEXT,
    offsetResetPolicy={"const": "earliest"},
    lagThreshold={"type": "string", "pattern": r"^[1-9]\d*$"},
)
SCALED_OBJECT = closed(
    "apiVersion kind metadata spec",
    apiVersion={"const": "keda.sh/v1alpha1"},
    kind={"const": "ScaledObject"},
    metadata=closed("name", name=TEXT),
    spec=closed(
        "scaleTargetRef pollingInterval minReplicaCount maxReplicaCount advanced triggers",
        scaleTargetRef=closed("name", name=TEXT),
        pollingInterval=COUNT,
        minReplicaCount=COUNT,
        maxReplicaCount=COUNT,
        advanced=closed(
            "horizontalPodAutoscalerConfig",
            horizontalPodAutoscalerConfig=closed(
                "behavior", behavior=closed("scaleUp scaleDown", scaleUp=RULES, scaleDown=RULES)
            ),
        ),
        triggers={
            "type": "array",
            "minItems": 1,
            "items": closed("type name metadata", type={"const": "kafka"}, name=TEXT, metadata=KAFKA),
        },
    ),
)
"""KEDA's resource as its specification has it, as far as we use it: every value of a trigger is a text."""


def read(file: Path) -> dict[str, Any]:
    """The one document of a manifest."""
    [found] = yaml.safe_load_all(file.read_text())
    return found


def triggers(file: Path) -> list[Mapping[str, str]]:
    return [one["metadata"] for one in read(file)["spec"]["triggers"]]


def members_of(group: Group) -> int:
    """How many members one process has of a group, as the settings are by default."""
    if group.projection:
        return group.projection.members
    return DETAIL_MEMBERS if group.name == detail_group(TOPICS) else 1


GROUPS = {group.name: group for group in groups(TOPICS)}
PARTITIONS = {spec.name: spec.partitions for spec in TOPICS.specs()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_manifest_has_the_form_of_keda_s_resource(file: Path) -> None:
    jsonschema.validate(read(file), SCALED_OBJECT)


def test_each_role_that_can_lag_is_scaled_by_all_its_groups() -> None:
    assert {file.stem for file in FILES} == ROLES.keys() - NOT_BY_LAG
    scaled = [(one["consumerGroup"], one["topic"]) for file in FILES for one in triggers(file)]
    assert sorted(scaled) == sorted((name, topic) for name, one in GROUPS.items() for topic in one.topics)
    for file in FILES:
        assert len({one["name"] for one in read(file)["spec"]["triggers"]}) == len(triggers(file))
        assert read(file)["spec"]["scaleTargetRef"]["name"] == f"lapstream-{file.stem}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_last_replica_still_gets_a_partition_of_every_topic(file: Path) -> None:
    most = read(file)["spec"]["maxReplicaCount"]
    for one in triggers(file):
        others = (most - 1) * members_of(GROUPS[one["consumerGroup"]])
        assert others < PARTITIONS[one["topic"]], one["consumerGroup"]
