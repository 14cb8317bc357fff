"""Kafka's own commands, which ask any broker, the embedded one or another."""

import asyncio
from asyncio.subprocess import PIPE

from jgo.maven import MavenContext

from runtime.settings import Settings
from sandbox.embedded import jars, java, stack
from sandbox.embedded.kafka import JAVA_OPTIONS

SECONDS = 60.0


def class_path() -> str:
    """Where the commands lie, with what they need; raises JarsUnavailable, OSError, RuntimeError."""
    place = jars.place(stack.default_home().resolve())
    jars.jars(place, report=lambda _: None)
    tools = MavenContext().create_dependency(f"org.apache.kafka:kafka-tools:{jars.KAFKA_VERSION}")
    return f"{place}/*:{tools.artifact.resolve()}"


async def tool(settings: Settings, class_path: str, name: str, *arguments: str) -> str:
    """What a command of the package org.apache.kafka.tools prints."""
    command = [*JAVA_OPTIONS, "-cp", class_path, f"org.apache.kafka.tools.{name}"]
    process = await asyncio.create_subprocess_exec(
        java.find_java(),
        *command,
        "--bootstrap-server",
        settings.kafka_bootstrap,
        *arguments,
        stdout=PIPE,
        stderr=PIPE,
    )
    printed, complaint = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 0, complaint
    return printed.decode()
