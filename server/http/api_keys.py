"""API keys: who may ask the API for what.

A token is 256 bits of chance. Only its SHA-256 is kept, so that nobody who reads the table can use a key.
"""

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from schemas.errors import LapstreamError
from schemas.scopes import Scope
from store.constraints import forbidden_by
from store.pool import Connection, fetch_one
from store.statements import statements_of

statement = statements_of(__file__)

PREFIX = "lapstream_"
"""What every token begins with, so that a scanner of source code knows one when it sees it."""

_TOKEN_BYTES = 32


class NameTaken(LapstreamError):
    """A key of this name is in force already."""


class NoSuchKey(LapstreamError):
    """No key of this name is in force."""


class ApiKey(Struct, frozen=True, kw_only=True):
    """A key without its token."""

    id: UUID
    name: str
    scopes: list[Scope]
    created_at: dt.datetime
    revoked_at: dt.datetime | None

    def allows(self, wanted: Scope) -> bool:
        """Whether one of its scopes is the wanted one, or includes it."""
        return any(scope.includes(wanted) for scope in self.scopes)


async def create(connection: Connection, name: str, scopes: Sequence[Scope]) -> tuple[ApiKey, str]:
    """Make a key; returns it with its token, which can't be had again. Raises `NameTaken`."""
    token = PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    ordered = [scope for scope in Scope if scope in scopes]
    taken = NameTaken(f"a key named {name!r} is in force: revoke it first, or take another name")
    with forbidden_by("api_keys_in_force", taken):
        row = await fetch_one(
            connection, statement("create_api_key"), uuid.uuid4(), name, _sha256(token), ordered
        )
    return msgspec.convert(dict(row), ApiKey), token


async def list_all(connection: Connection) -> list[ApiKey]:
    """Every key that was ever made, the oldest first."""
    rows = await connection.fetch(statement("list_api_keys"))
    return [msgspec.convert(dict(row), ApiKey) for row in rows]


async def revoke(connection: Connection, name: str) -> ApiKey:
    """End a key, at once; raises `NoSuchKey`."""
    row = await connection.fetchrow(statement("revoke_api_key"), name)
    if row is None:
        raise NoSuchKey(f"no key named {name!r} is in force; `lapstream keys list` shows all")
    return msgspec.convert(dict(row), ApiKey)


async def find(connection: Connection, token: str) -> ApiKey | None:
    """The key in force that a token belongs to."""
    row = await connection.fetchrow(statement("find_api_key"), _sha256(token))
    return None if row is None else msgspec.convert(dict(row), ApiKey)


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
