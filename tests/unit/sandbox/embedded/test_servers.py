"""How a server is started, recognised and ended, with small programs in the place of the real ones."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from sandbox.embedded import ports, processes, servers
from sandbox.embedded.errors import PortTaken, ServerDied
from sandbox.embedded.kafka import Kafka
from sandbox.embedded.processes import Command
from sandbox.embedded.state import StackState, Which

KNOWN = StackState(kafka_port=20_001, controller_port=20_002, postgres_port=20_003)


@dataclass(frozen=True)
class Program:
    """A server that is a shell script."""

    home: Path
    script: str
    port: int = 0
    which: ClassVar[Which] = "kafka"
    name: ClassVar[str] = "The program"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    address: str = ""
    shown: str = ""
    is_open: bool = False

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.port,)

    def provide(self, report: Callable[[str], None]) -> None:
        """A shell is always there."""

    def make_data(self, report: Callable[[str], None]) -> None:
        """It has none."""

    def command(self) -> Command:
        return Command(["/bin/sh", "-c", self.script, str(self.home)])

    def owns(self, process: psutil.Process) -> bool:
        return process.cmdline()[-1:] == [str(self.home)]

    def complaint(self) -> str | None:
        return None if (self.home / "ready").exists() else "it is not ready"

    def settle(self) -> None:
        """It needs nothing."""


def begin(server: Program) -> list[int]:
    pids: list[int] = []
    nothing = threading.Event()
    servers.start(server, report=lambda _: None, remember=pids.append, given_up=nothing)
    return pids


def test_a_server_that_answers_is_remembered_and_ended(tmp_path: Path) -> None:
    server = Program(tmp_path, f"touch {tmp_path}/ready; while :; do read line </dev/zero; done")
    (pid,) = begin(server)
    found = servers.find(server, pid)
    assert found is not None
    assert found.ppid() != os.getpid()
    assert servers.end_all(server)
    assert processes.find(pid) is None
    assert not servers.end_all(server)


def test_a_server_that_dies_shows_the_end_of_this_starts_log(tmp_path: Path) -> None:
    server = Program(tmp_path, "for n in $(seq 40); do echo line $n; done; exit 3")
    log = servers.log_of(server)
    log.parent.mkdir()
    log.write_text("what an earlier start wrote\n")
    with pytest.raises(ServerDied) as caught:
        begin(server)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"The program ended while it started; the end of its log, {log}:"
    assert lines[1:] == [f"line {n}" for n in range(26, 41)]


def test_a_server_that_dies_without_a_word_says_that(tmp_path: Path) -> None:
    log = servers.log_of(Program(tmp_path, ""))
    log.parent.mkdir()
    log.write_text("what an earlier start wrote\n")
    with pytest.raises(ServerDied, match=r"\(it wrote nothing\)"):
        begin(Program(tmp_path, "exit 1"))


def test_another_process_with_a_remembered_id_is_not_the_server(tmp_path: Path) -> None:
    server = Program(tmp_path, "")
    assert servers.find(server, os.getpid()) is None
    assert servers.find(server, None) is None


def test_a_process_without_an_argument_is_no_server_of_a_home(tmp_path: Path) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        processes.matching(lambda process: process.pid == other.pid and Kafka(tmp_path, KNOWN).owns(process))


def test_a_process_that_ignores_the_request_is_ended_by_force(tmp_path: Path) -> None:
    loop = f"trap '' TERM; touch {tmp_path}/ready; while :; do read line </dev/zero; done"
    server = Program(tmp_path, loop)
    (pid,) = begin(server)
    process = processes.find(pid)
    assert process is not None
    processes.end(process, sign=signal.SIGTERM, grace_seconds=0.2)
    assert processes.find(pid) is None


def test_a_taken_port_that_must_be_kept_is_an_error_with_its_number(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((ports.HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} of The program is taken by another program"):
            servers.check_ports(Program(tmp_path, "", port))
