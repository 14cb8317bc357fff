"""Errors of the database and of the system: whose fault they are, and what they say."""

import os
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from typing import cast

import asyncpg

DATA_FAULTS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""What PostgreSQL says of a record's data; its other errors are about the database itself."""

_COMMENT = re.compile(r"--[^\n]*")
_VERBS = {
    "SELECT": r"\b(from|join)\s+{name}\b",
    "INSERT": r"\b(insert\s+into|copy)\s+{name}\b",
    "UPDATE": r"\bupdate\s+{name}\b|\bon\s+conflict\b.*\bdo\s+update\b|\bfor\s+(no\s+key\s+)?update\b",
    "DELETE": r"\bdelete\s+from\s+{name}\b",
    "TRUNCATE": r"\btruncate\s+{name}\b",
}
"""By which words of a statement a right on a table is needed."""

_NUMBER = re.compile(r"\[Errno (\d+)\]")


def is_about_the_database(error: Exception) -> bool:
    """Whether PostgreSQL complains of itself, not of a record's data: then no record is at fault."""
    return isinstance(error, asyncpg.PostgresError) and not isinstance(error, DATA_FAULTS)


def said_by(error: BaseException) -> str:
    """What an error of the database, the broker or the system says, without what its client made of it."""
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return _with_rights(str(error), getattr(error, "query", None) or "")
    if isinstance(error, OSError):
        return _said_by_system(error)
    if hasattr(error, "retriable"):
        return _said_by_broker(error)
    return str(error)


def _with_rights(said: str, query: str) -> str:
    """What the server says of a right that is missing, and which one that is."""
    found = re.fullmatch(r"permission denied for (table|view|schema) (\S+)", said)
    if found is None:
        return said
    needed = ["USAGE"] if found[1] == "schema" else _rights(query, found[2])
    return f"{said} (needed: {', '.join(needed)})"


def _rights(query: str, table: str) -> list[str]:
    text = " ".join(_COMMENT.sub("", query).lower().split())
    name = rf"(\w+\.)?{re.escape(table)}"
    needed = [verb for verb, words in _VERBS.items() if re.search(words.format(name=name), text)]
    return needed or ["SELECT"]


def _said_by_system(error: OSError) -> str:
    """The words for an error's number, which stands in its text where several addresses were tried."""
    if isinstance(error, socket.gaierror):
        return f"the host's name can't be resolved ({error.strerror})"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {getattr(error, 'verify_message', None) or error.reason or error}"
    if isinstance(error, FileNotFoundError) and error.filename is None:
        return "a socket or a file that is named there does not exist"
    number = error.errno or int((_NUMBER.search(str(error)) or (0, 0))[1])
    if number:
        return os.strerror(number)
    return "no answer came in time" if isinstance(error, TimeoutError) else str(error)


def _said_by_broker(error: BaseException) -> str:
    """What an answer of the broker means, and what it is about."""
    words = " ".join((getattr(error, "description", None) or "").split())
    meaning = words.removeprefix("Returned by the broker when ").rstrip(".")
    subject = ", ".join(_names(error.args))
    return f"{meaning} ({subject})" if meaning and subject else meaning or subject or "it does not answer"


def _names(arguments: Iterable[object]) -> Iterator[str]:
    """The topics or groups that an error holds, alone or in a set."""
    for one in arguments:
        several = isinstance(one, set | frozenset | list | tuple)
        yield from sorted(map(str, cast("Iterable[object]", one))) if several else [str(one)]
