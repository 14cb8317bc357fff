"""What a home remembers between commands: its ports, its processes, and one lock for all who change them.

In and out: `state.json` and `.lock` in the home.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
from filelock import FileLock, Timeout
from msgspec import Struct

from sandbox.embedded import ports

Which = Literal["kafka", "postgres"]


class StackState(Struct, frozen=True, kw_only=True):
    """Ports on 127.0.0.1, and process ids as they were last known; `durable` is PostgreSQL's fsync."""

    kafka_port: int
    controller_port: int
    postgres_port: int
    kafka_pid: int | None = None
    postgres_pid: int | None = None
    durable: bool = True

    def pid(self, which: Which) -> int | None:
        """The process id of one server, as it was last known."""
        return self.kafka_pid if which == "kafka" else self.postgres_pid


def fresh() -> StackState:
    """The state of a new home: free ports, no processes."""
    kafka = ports.choose()
    controller = ports.choose({kafka})
    return StackState(
        kafka_port=kafka, controller_port=controller, postgres_port=ports.choose({kafka, controller})
    )


def path_of(home: Path) -> Path:
    return home / "state.json"


def load(home: Path) -> StackState | None:
    """The remembered state; None for a new home, and for a file that is damaged (it can be made anew)."""
    try:
        return msgspec.json.decode(path_of(home).read_bytes(), type=StackState)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def save(home: Path, state: StackState) -> None:
    """Write the state whole or not at all."""
    draft = path_of(home).with_suffix(".json.new")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
    draft.replace(path_of(home))


@contextmanager
def locked(path: Path, *, report: Callable[[str], None]) -> Generator[None]:
    """Hold a lock file; waits for another command that holds it, and says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0.2)
    except Timeout:
        report("waiting for another command that is at work in this folder…")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class Memory:
    """A home's state while its servers start side by side: what each thread learns is saved at once."""

    def __init__(self, home: Path, state: StackState) -> None:
        self._home = home
        self._state = state
        self._guard = threading.Lock()

    def save(self) -> None:
        save(self._home, self._state)

    def of(self, which: Which) -> Callable[[int], None]:
        """What remembers the process id of one server."""

        def remember(pid: int) -> None:
            with self._guard:
                self._state = msgspec.structs.replace(self._state, **{f"{which}_pid": pid})
                self.save()

        return remember
