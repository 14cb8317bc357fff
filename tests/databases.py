"""Databases of tests' own, on a server that is there."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

from msgspec import Struct

from runtime import migrate
from store.pool import Connection, connect

TEMPLATE = "lapstream_template"
"""A migrated database, which those of tests are copies of."""


class Servers(Struct, frozen=True):
    """The addresses of a broker and a database, and a migrated database to copy each test's own from."""

    kafka_bootstrap: str
    postgres_dsn: str
    template: str = TEMPLATE


def dsn_of(dsn: str, database: str) -> str:
    """The address of another database of the same server."""
    return urlsplit(dsn)._replace(path=f"/{database}").geturl()


@asynccontextmanager
async def administered(dsn: str) -> AsyncGenerator[Connection]:
    """A connection beside those of the test."""
    connection = await connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def make(dsn: str, *, template: str | None = None) -> str:
    """The address of a new database: a copy of the template, or empty."""
    async with administered(dsn) as admin:
        return dsn_of(dsn, await _create(admin, template))


async def drop(dsn: str, name: str) -> None:
    """Drop a database of this server, whoever is connected to it."""
    async with administered(dsn) as admin:
        await _drop(admin, name)


@asynccontextmanager
async def made(dsn: str, *, template: str | None = None) -> AsyncGenerator[str]:
    """The address of a new database for the length of a block: a copy of the template, or empty."""
    async with administered(dsn) as admin:
        name = await _create(admin, template)
        try:
            yield dsn_of(dsn, name)
        finally:
            await _drop(admin, name)


async def _create(admin: Connection, template: str | None) -> str:
    """Create a database, and return its name.

    A server that does not wait for its disk copies the files, which takes half as long as writing each page
    to its log, as it does else.
    """
    name = f"test_{uuid4().hex}"
    copied = f" TEMPLATE {template}" if template else ""
    by_files = await admin.fetchval("SHOW fsync") == "off"
    await admin.execute(f"CREATE DATABASE {name}{copied}{' STRATEGY file_copy' if by_files else ''}")
    return name


async def _drop(admin: Connection, name: str) -> None:
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@asynccontextmanager
async def as_another_user(dsn: str, *, in_role: str | None = None) -> AsyncGenerator[str]:
    """The address of the same database for a user who may do what the role may, or nothing."""
    name, place = f"user_{uuid4().hex}", urlsplit(dsn)
    member = f" IN ROLE {in_role}" if in_role else ""
    async with administered(dsn) as admin:
        await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'hush-hush'{member}")
        try:
            yield place._replace(netloc=f"{name}:hush-hush@{place.netloc.rpartition('@')[2]}").geturl()
        finally:
            await admin.execute(f"DROP ROLE {name}")


async def make_migrated(dsn: str, name: str = TEMPLATE) -> None:
    """Make a migrated database anew."""
    await drop(dsn, name)
    async with administered(dsn) as admin:
        await admin.execute(f"CREATE DATABASE {name}")
    address = dsn_of(dsn, name)
    await migrate.apply(address)
    # The first session of a database leaves what those of its copies begin with.
    async with administered(address):
        pass
