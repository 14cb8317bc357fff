"""`docker-compose.yml` against the embedded servers: the same versions, and the same limits for clients."""

from pathlib import Path
from typing import Any

import yaml

from sandbox.embedded import kafka, postgres
from sandbox.embedded.jars import KAFKA_VERSION

COMPOSE = Path(__file__).parents[4] / "docker-compose.yml"


def services() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text())["services"]


def test_the_images_are_of_the_versions_that_the_embedded_servers_have() -> None:
    images = {name: service["image"] for name, service in services().items()}
    assert images == {
        "kafka": f"apache/kafka:{KAFKA_VERSION}",
        "postgres": f"postgres:{postgres.MAJOR}",
    }


def test_clients_meet_the_limits_of_the_embedded_broker() -> None:
    environment = services()["kafka"]["environment"]
    expected = {kafka.variable(name): value for name, value in kafka.LIMITS.items()}
    assert {name: environment.get(name) for name in expected} == expected


def test_servers_come_back_after_a_restart_and_say_when_they_are_ready() -> None:
    for service in services().values():
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"
        assert all(volume.endswith(("/data", "/postgresql")) for volume in service["volumes"])
