"""One node of Apache Kafka, broker and controller in one process, on 127.0.0.1.

In: a home and two ports. Out: how it is set up, started, recognised and asked.
"""

import base64
import shutil
import signal
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import psutil
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from sandbox.embedded import jars, java, ports, probe, processes
from sandbox.embedded.errors import SetupFailed
from sandbox.embedded.processes import Command
from sandbox.embedded.state import StackState, Which

RECORD_BYTES = 12 * 1024 * 1024
"""The largest batch that the broker takes; a topic's own bound may be lower."""

LIMITS = {
    "auto.create.topics.enable": "false",
    "message.max.bytes": str(RECORD_BYTES),
    "replica.fetch.max.bytes": str(RECORD_BYTES),
    "log.retention.hours": "168",
    "offsets.retention.minutes": "43200",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
}
"""What clients meet of a single broker; `docker-compose.yml` has the same."""

SETTINGS = LIMITS | {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # A broker that was killed may come back only when its old session is over.
    "broker.session.timeout.ms": "5000",
    "broker.heartbeat.interval.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "5",
    "transaction.state.log.num.partitions": "5",
    "share.coordinator.state.topic.num.partitions": "1",
    # For the few clients of one machine: fewer threads, fewer changes between them.
    "num.network.threads": "1",
    "num.io.threads": "2",
    "background.threads": "2",
    "group.coordinator.threads": "1",
    "log.segment.bytes": str(128 * 1024 * 1024),
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),  # of the heap; the default is a third of it
}
JAVA_OPTIONS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # it seldom lives long enough for the second compiler to pay
    "-Xmx1g",  # it takes what it needs: about 20 KB for each partition
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)
MAIN_CLASS = "kafka.Kafka"
JARS = "jars"
"""In the broker's folder, what leads to its jars."""


@dataclass(frozen=True)
class Kafka:
    """The broker of one home."""

    home: Path
    state: StackState
    which: ClassVar[Which] = "kafka"
    name: ClassVar[str] = "Apache Kafka"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    @property
    def folder(self) -> Path:
        return self.home / "kafka"

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.state.kafka_port, self.state.controller_port)

    @property
    def address(self) -> str:
        """What clients call the bootstrap servers."""
        return f"{ports.HOST}:{self.state.kafka_port}"

    @property
    def shown(self) -> str:
        return self.address

    @property
    def is_open(self) -> bool:
        """Kafka asks nobody for a password, here."""
        return False

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    @cached_property
    def _java(self) -> Path:
        return java.find_java()

    def provide(self, report: Callable[[str], None]) -> None:
        """Find Java and fetch the jars; raises `JavaMissing` or `JarsUnavailable`."""
        _ = self._java
        jars.jars(jars.place(self.home), report=report)

    def make_data(self, report: Callable[[str], None]) -> None:
        """Write the settings, and format the data folder when it is new; raises `SetupFailed`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._link_jars()
        data = self.folder / "data"
        if not data.is_dir():
            report("making a data folder for Apache Kafka…")
            self._format(data.with_name("data.new")).replace(data)
        self._write_properties(data)

    def _link_jars(self) -> None:
        link = self.folder / JARS
        link.unlink(missing_ok=True)
        link.symlink_to(jars.place(self.home), target_is_directory=True)

    def _format(self, draft: Path) -> Path:
        shutil.rmtree(draft, ignore_errors=True)
        self._write_properties(draft)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        format_it = ["format", f"--cluster-id={cluster}", "--config", self._properties.name]
        format_it += self.format_options
        result = processes.run(self._java_command("kafka.tools.StorageTool", *format_it))
        if result.returncode:
            raise SetupFailed("formatting the data folder of Apache Kafka", result.stdout)
        return draft

    @property
    def settings(self) -> dict[str, str]:
        """What the broker is told, but for the folder of its data."""
        controller = f"{ports.HOST}:{self.state.controller_port}"
        return SETTINGS | listeners(self.address, self.address, controller)

    @property
    def java_options(self) -> tuple[str, ...]:
        """What its virtual machine is told."""
        return JAVA_OPTIONS

    @property
    def format_options(self) -> tuple[str, ...]:
        """What else a data folder is made with."""
        return ()

    def _write_properties(self, data: Path) -> None:
        settings = self.settings | {"log.dirs": data.name}
        lines = [f"{key}={value}\n" for key, value in settings.items()]
        self._properties.write_text("".join(lines), encoding="ascii")

    def _java_command(self, main_class: str, *arguments: str, options: Sequence[str] = ()) -> Command:
        """A program of Kafka's, which runs in the folder that all its paths are relative to.

        Class paths, lists of folders and properties files each give other characters a meaning.
        """
        words = [self._java, *self.java_options, *options, "-cp", f"{JARS}/*", main_class, *arguments]
        return Command(words, self.folder, environment=java.ENVIRONMENT)

    def command(self) -> Command:
        options = java.sharing(self._java, jars.place(self.home), JARS)
        return self._java_command(MAIN_CLASS, self._properties.name, options=options)

    def owns(self, process: psutil.Process) -> bool:
        """Whether this process is the broker of this home."""
        *command, properties = process.cmdline() or [""]
        return command[-1:] == [MAIN_CLASS] and Path(process.cwd(), properties) == self._properties

    def complaint(self) -> str | None:
        """None when the broker gives metadata and its group coordinator answers, else what is wrong."""
        if not ports.is_answering(self.state.kafka_port):
            return f"nothing listens on {self.address}"
        return complaint_of(self.address)

    def settle(self) -> None:
        """Nothing is to be made in a broker that answers."""


def variable(setting: str) -> str:
    """The environment variable by which the official image takes a setting."""
    return f"KAFKA_{setting.upper().replace('.', '_')}"


def listeners(bind: str, address: str, controller: str) -> dict[str, str]:
    """The settings of a broker that listens on `bind`, and that clients reach at `address`."""
    return {
        "listeners": f"PLAINTEXT://{bind},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{address}",
        "controller.quorum.voters": f"1@{controller}",
    }


def complaint_of(bootstrap: str) -> str | None:
    """None when a broker gives metadata and its group coordinator answers, else what is wrong."""
    return probe.complaint(_ask(bootstrap), KafkaError)


async def _ask(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        await admin.list_consumer_group_offsets("lapstream-is-the-coordinator-there")
    finally:
        await admin.close()
