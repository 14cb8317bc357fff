"""A schema made in the likeness of another: its tables beside the live ones, and the exchange of the two.

A schema's catalog goes in; tables without what only costs while they are filled come out, later the rest of
their indexes and keys, and in the end the two schemas change names, with the rights and the views of the one.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import asyncpg

from schemas.errors import LapstreamError
from store.pool import Connection, search_path
from store.statements import statement

BUILD_MEMORY = "256MB"
"""What the database may use to build one index."""

_EARLY = ("p", "u", "x")
_GRANTEE = "CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END"
_OPTION = "CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"


class NotCarriedOver(LapstreamError):
    """Something hangs on the live tables that tables in their place would not have."""


class ShapeChanged(LapstreamError):
    """Two schemas have no longer the same tables: one of them was migrated."""


class KeptInUse(LapstreamError):
    """The tables that an earlier swap kept can't be dropped, for somebody's view is of them."""


async def exists(connection: Connection, schema: str) -> bool:
    """Whether there is such a schema."""
    return await connection.fetchval(statement("schema_exists"), schema)


async def tables(connection: Connection, schema: str) -> list[str]:
    """The tables of a schema, but for its positions."""
    rows = await connection.fetch(statement("schema_tables"), schema)
    return [row["name"] for row in rows if row["name"] != "positions"]


async def keys(connection: Connection, schema: str) -> dict[str, list[str]]:
    """The columns of each table's primary key."""
    return {row["table"]: row["columns"] for row in await connection.fetch(statement("schema_keys"), schema)}


async def name_everything(connection: Connection) -> None:
    """For the transaction at hand: definitions are told with the schemas' names in them."""
    await connection.execute(statement("use_schema"), "pg_catalog")


async def create(connection: Connection, live: str, shadow: str, lookups: Sequence[str]) -> None:
    """Make empty tables like the live ones, in place of what was there, in the open transaction.

    They have the keys that writing needs, and those other indexes that are named in `lookups`.
    """
    await name_everything(connection)
    await discard(connection, shadow)
    await connection.execute(f"CREATE SCHEMA {shadow}")
    for table in [*await tables(connection, live), "positions"]:
        await connection.execute(
            f"CREATE TABLE {shadow}.{table} (LIKE {live}.{table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS"
            " INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS)"
        )
    await _add_constraints(connection, live, shadow, _EARLY)
    await _add_indexes(connection, live, shadow, lookups)


async def finish(connection: Connection, live: str, shadow: str) -> None:
    """Build the indexes and keys that the tables still lack, in the open transaction."""
    await name_everything(connection)
    await connection.execute("SELECT set_config('maintenance_work_mem', $1, true)", BUILD_MEMORY)
    await _add_constraints(connection, live, shadow, _EARLY)
    await _add_indexes(connection, live, shadow, None)
    for table in await tables(connection, shadow):
        await connection.execute(f"ANALYZE {shadow}.{table}")
    await _add_constraints(connection, live, shadow, ("f",))


async def _add_indexes(connection: Connection, live: str, shadow: str, names: Sequence[str] | None) -> None:
    """Build those of these indexes that are missing; all that are, with no names."""
    there = {row["name"] for row in await connection.fetch(statement("schema_indexes"), shadow)}
    for row in await connection.fetch(statement("schema_indexes"), live):
        if row["name"] not in there and (names is None or row["name"] in names):
            await connection.execute(_moved(row["definition"], live, shadow))


async def _add_constraints(connection: Connection, live: str, shadow: str, kinds: Sequence[str]) -> None:
    there = {
        (row["table"], row["name"]) for row in await connection.fetch(statement("schema_constraints"), shadow)
    }
    for row in await connection.fetch(statement("schema_constraints"), live):
        if row["kind"] in kinds and (row["table"], row["name"]) not in there:
            definition = _moved(row["definition"], live, shadow)
            await connection.execute(
                f"ALTER TABLE {shadow}.{row['table']} ADD CONSTRAINT {row['name']} {definition}"
            )


def _moved(definition: str, live: str, shadow: str) -> str:
    """The definition with another schema's name in it."""
    return re.sub(rf"(?<![\w.]){live}\.", f"{shadow}.", definition)


async def check_shapes(connection: Connection, live: str, other: str) -> None:
    """Raise `ShapeChanged` where two schemas differ in columns, indexes or keys, in the open transaction."""
    await name_everything(connection)
    missing, more = (
        sorted(a - b) for a, b in _both_ways(await _shape(connection, live), await _shape(connection, other))
    )
    if missing or more:
        raise ShapeChanged(
            f"the tables of {live} and {other} are no longer alike: {live} has {_some(missing)}, {other} has "
            f"{_some(more)}. Was the schema migrated in between? Cancel this rebuild, and begin a new one"
        )


def _both_ways(a: set[str], b: set[str]) -> tuple[tuple[set[str], set[str]], tuple[set[str], set[str]]]:
    return (a, b), (b, a)


def _some(names: Sequence[str]) -> str:
    return "; ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") or "nothing more"  # noqa: PLR2004 - as many as are named


async def _shape(connection: Connection, schema: str) -> set[str]:
    """All that makes the tables of a schema what they are, without its name."""
    found = {
        f"column {row['table']}.{row['name']} {row['type']} {row['collation']} {row['needed']} {row['usual']}"
        for row in await connection.fetch(statement("schema_columns"), schema)
    }
    for row in await connection.fetch(statement("schema_indexes"), schema):
        found.add(_moved(row["definition"], schema, "_"))
    for row in await connection.fetch(statement("schema_constraints"), schema):
        found.add(f"{row['table']}.{row['name']} {_moved(row['definition'], schema, '_')}")
    return found


async def check_carried_over(connection: Connection, live: str) -> None:
    """Raise `NotCarriedOver` where something hangs on the live tables that is not moved to others."""
    found = [row["what"] for row in await connection.fetch(statement("schema_unsupported"), live)]
    if found:
        raise NotCarriedOver(
            f"{', '.join(found)}: tables in the place of {live}'s would not have it. Take it away before the "
            "rebuild, and make it again afterwards; views and rights are carried over"
        )


async def lock_writers_out(connection: Connection, schema: str, wait: str) -> None:
    """Wait until nobody writes a schema's tables, and let nobody until the transaction ends; all may read.

    The positions come first: a projector's batch begins with them. Raises `LockNotAvailableError`.
    """
    await connection.execute(statement("limit_lock_wait"), wait)
    for table in ["positions", *await tables(connection, schema)]:
        await connection.execute(f"LOCK TABLE {schema}.{table} IN EXCLUSIVE MODE")


async def lock_positions(connection: Connection, schema: str, wait: str) -> None:
    """Wait until no batch is being written, and let none until the transaction ends."""
    await connection.execute(statement("limit_lock_wait"), wait)
    await connection.execute(f"LOCK TABLE {schema}.positions IN EXCLUSIVE MODE")


async def old_readers(connection: Connection, live: str, since: dt.datetime) -> list[str]:
    """Who reads the live tables with a snapshot of before this time, such as a dump that is under way.

    Of tables that were filled since he would see nothing.
    """
    return [row["who"] for row in await connection.fetch(statement("readers_since_before"), live, since)]


async def exchange(connection: Connection, live: str, other: str, kept: str, group: str) -> None:
    """Let other tables take the place of the live ones, which are kept, in the open transaction.

    What the live ones have of rights and views, the others have from now on. Whoever holds a partition is
    fenced, and what was announced up to now is not announced again.
    """
    await name_everything(connection)
    await connection.execute(_filled("hold_from_now", live=live), group)
    await connection.execute(_filled("raise_epochs", live=live, other=other), group)
    await _copy_rights(connection, live, other)
    views = await connection.fetch(statement("schema_views"), live)
    inside = [row["name"] for row in await connection.fetch(statement("other_views"), live)]
    leaving = f"{live}_leaving"
    for old, new in ((live, leaving), (other, live), (leaving, kept)):
        await connection.execute(f"ALTER SCHEMA {old} RENAME TO {new}")
    for name in inside:
        await connection.execute(f"ALTER VIEW {_moved(name, live, kept)} SET SCHEMA {live}")
    for view in views:
        options = f" WITH ({view['options']})" if view["options"] else ""
        await connection.execute(f"CREATE OR REPLACE VIEW {view['name']}{options} AS {view['definition']}")


async def _copy_rights(connection: Connection, live: str, other: str) -> None:
    """Give a schema and its tables the rights of another's, and no others."""
    taken = await connection.fetch(_filled("rights_to_take", grantee=_GRANTEE), other)
    given = await connection.fetch(_filled("rights_to_give", grantee=_GRANTEE, option=_OPTION), live, other)
    for row in (*taken, *given):
        await connection.execute(row["sql"])


async def drop(connection: Connection, schema: str) -> None:
    """Drop a schema with its tables, if it is there; raises `KeptInUse` where others hang on them."""
    if not await exists(connection, schema):
        return
    try:
        async with connection.transaction():
            names = ", ".join(f"{schema}.{name}" for name in [*await tables(connection, schema), "positions"])
            await connection.execute(f"DROP TABLE {names}")
            await connection.execute(f"DROP SCHEMA {schema}")
    except asyncpg.DependentObjectsStillExistError as error:
        raise KeptInUse(f"the tables of {schema} can't be dropped: {error}") from error


async def discard(connection: Connection, schema: str) -> None:
    """Drop a schema that was made for a rebuild, with all that is in it or hangs on it."""
    await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


async def see(connection: Connection, schema: str) -> None:
    """Let the open transaction see a schema's tables without its name."""
    await connection.execute(statement("use_schema"), search_path(schema))


class Checksum(NamedTuple):
    """A table's number of rows, and a checksum over all of them: equal for the same rows in any order."""

    rows: int
    total: str


async def checksum(connection: Connection, schema: str, table: str) -> Checksum:
    """The checksum of a table; it is comparable with that of a table of the same shape in this database."""
    row = await connection.fetchrow(_filled("checksum_table", schema=schema, table=table))
    return Checksum(row["rows"], f"{int(row['total']) % 2**128:032x}")


async def open_differences(
    connection: Connection, live: str, other: str, table: str, key: Iterable[str]
) -> None:
    """Begin to read the rows of a table in which two schemas differ, in the open transaction."""
    query = _filled("differences", live=live, other=other, table=table, key=", ".join(key))
    await connection.execute(f"DECLARE differences NO SCROLL CURSOR FOR {query}")


async def next_differences(connection: Connection, count: int) -> list[tuple[bytes | None, bytes | None]]:
    """The next rows that differ, as JSON of the live and of the other one; none is the end, and closes."""
    rows = await connection.fetch(f"FETCH {count} FROM differences")
    if not rows:
        await connection.execute("CLOSE differences")
    return [(_bytes(row["old"]), _bytes(row["new"])) for row in rows]


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


async def names(connection: Connection, schema: str, table: str, ids: Sequence[str]) -> list[asyncpg.Record]:
    """What people call these rows, and the observation that set each: `id`, `key`, `day`, `observation`."""
    return await connection.fetch(_filled(f"name_{table}", schema=schema), ids)


async def lists_of_days(connection: Connection, schema: str, days: Sequence[object]) -> dict[object, str]:
    """The event of the newest list of each of these days."""
    rows = await connection.fetch(_filled("lists_of_days", schema=schema), days)
    return {row["day"]: row["observation"] for row in rows}


def _filled(name: str, **names: str) -> str:
    """A statement with names put into it; they are this project's own, never somebody's input."""
    text = statement(name)
    for slot, value in names.items():
        text = text.replace(f"{{{slot}}}", value)
    return text
