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

import psutil
from msgspec import Struct

POLL_SECONDS = 0.1

# The shell passes the process on to the system's first process, so it is nobody's child and leaves no zombie.
_DETACH = '"$@" </dev/null >&2 & echo $!'


class Account(Struct, frozen=True):
    """The user that a server runs as, where it must not run as root."""

    uid: int
    gid: int


def run(
    command: Sequence[str | Path],
    *,
    account: Account | None = None,
    given: str = "",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, its output and errors together in `stdout`; `given` is its input."""
    return subprocess.run(  # noqa: S603 - the commands are this package's own
        command,
        input=given,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd="/",
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def spawn(command: Sequence[str | Path], *, log: Path, account: Account | None = None) -> int:
    """Start a program in a session of its own, its output appended to the log; returns its process id."""
    with log.open("ab") as output:
        result = subprocess.run(  # noqa: S603 - the commands are this package's own
            ["/bin/sh", "-c", _DETACH, "sh", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            check=True,
            cwd="/",
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
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
