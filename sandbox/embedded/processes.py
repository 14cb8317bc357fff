"""Processes that outlive the command that starts them.

In: a command line and a log file. Out: a process id; whether it still runs; its end.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil
from msgspec import Struct

POLL_SECONDS = 0.1

# The shell passes the process on to the system's first process, so it is nobody's child and leaves no zombie.
_DETACH = '"$@" </dev/null >&2 & echo $!'


class Account(Struct, frozen=True):
    """The user that a server runs as, where it must not run as root."""

    uid: int
    gid: int


class Command(Struct, frozen=True):
    """A program with its arguments: in which folder it runs, as whom, with which variables besides ours."""

    words: Sequence[str | Path]
    folder: Path = Path("/")
    account: Account | None = None
    environment: Mapping[str, str] = MappingProxyType({})

    @property
    def options(self) -> dict[str, Any]:
        """How it runs, as `subprocess` takes it."""
        return {
            "cwd": self.folder,
            "env": os.environ | self.environment,
            "user": self.account.uid if self.account else None,
            "group": self.account.gid if self.account else None,
            "extra_groups": [] if self.account else None,
        }


def run(
    command: Command, *, given: str = "", timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, its output and errors together in `stdout`; `given` is its input.

    Raises OSError where there is no such program, and `subprocess.TimeoutExpired`.
    """
    return subprocess.run(  # noqa: S603 - the commands are this package's own
        command.words,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
        **command.options,
    )


def spawn(command: Command, *, log: Path) -> int:
    """Start a program in a session of its own, its output appended to the log; returns its process id."""
    with log.open("ab") as output:
        result = subprocess.run(  # noqa: S603 - the commands are this package's own
            ["/bin/sh", "-c", _DETACH, "sh", *command.words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            check=True,
            start_new_session=True,
            **command.options,
        )
    return int(result.stdout)


def find(pid: int) -> psutil.Process | None:
    """The process of this id, or None when it ended (a zombie has)."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


def matching(owned: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """Every process of this machine that is one of a server's, each after its parent."""
    found = {process.pid: process for process in psutil.process_iter() if is_owned(process, owned)}
    return sorted(found.values(), key=lambda process: _parent(process) in found)


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return None


def is_owned(process: psutil.Process, owned: Callable[[psutil.Process], bool]) -> bool:
    """Whether the process is one of a server's; one that may not be looked at isn't."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE and owned(process)
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False


def end(process: psutil.Process, *, sign: signal.Signals, grace_seconds: float) -> None:
    """Ask a process to end, and end it by force when it hasn't within the grace."""
    for each in (sign, signal.SIGKILL):
        try:
            process.send_signal(each)
        except psutil.NoSuchProcess:
            return
        if _ended_within(process.pid, grace_seconds):
            return


def _ended_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while find(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS / 2)
    return True


def is_root() -> bool:
    """Whether this program runs as root; never on a system without users like that."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
