"""A schema made in the likeness of another: its tables beside the live ones, and the exchange of the two.

A schema's catalog goes in; tables without what only costs while they are filled come out, later the rest of
their indexes and keys, and in the end the two schemas change names, with all that hangs on the one.
"""

import datetime as dt
import re
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from ops.rebuild import attached
from ops.rebuild.attached import Attachment
from schemas.errors import LapstreamError
from store.pool import TRANSIENT, Connection, Record, fetch_one, limit_lock_wait, use_search_path
from store.statements import statements_of

statement = statements_of(__file__)

BUILD_MEMORY = "256MB"
"""What the database may use to build one index."""

_EARLY = ("p", "u", "x", "c")
_GRANTEE = "CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END"
_OPTION = "CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"


NAME = {
    "driver_observations": "name_driver_observations",
    "drivers": "name_drivers",
    "events": "name_events",
    "fastest_laps": "name_fastest_laps",
    "laps": "name_laps",
    "observations": "name_observations",
    "race_drivers": "name_race_drivers",
    "race_results": "name_race_results",
    "races": "name_races",
    "track_observations": "name_track_observations",
    "tracks": "name_tracks",
}
"""The statements that say what people call the rows of a table."""


class NotReattachable(LapstreamError):
    """Something hangs on the live tables that tables in their place would not have."""


class ShapeChanged(LapstreamError):
    """Two schemas have no longer the same tables: one of them was migrated."""


class KeptTablesInUse(LapstreamError):
    """The tables that an earlier swap kept can't be dropped, for somebody's view is of them."""


async def exists(connection: Connection, schema: str) -> bool:
    """Whether there is such a schema."""
    return await connection.fetchval(statement("schema_exists"), schema)


async def tables(connection: Connection, schema: str) -> list[str]:
    """The tables of a schema, but for its positions."""
    rows = await connection.fetch(statement("schema_tables"), schema)
    return [row["name"] for row in rows if row["name"] != "positions"]


class RowKey(NamedTuple):
    """The columns that tell a table's rows apart; `exact` where no two rows agree in them, none null."""

    columns: list[str]
    exact: bool


async def keys(connection: Connection, schema: str) -> dict[str, RowKey]:
    """What tells the rows of each table apart: its key, or all columns where it has none."""
    rows = await connection.fetch(statement("schema_keys"), schema)
    return {row["table"]: RowKey(row["columns"], row["exact"]) for row in rows}


async def name_everything(connection: Connection) -> None:
    """For the transaction at hand: definitions are told with the schemas' names in them."""
    await use_search_path(connection, "pg_catalog")


async def create(connection: Connection, live: str, shadow: str, lookups: Sequence[str]) -> None:
    """Make empty tables like the live ones, in place of what was there, in the open transaction.

    They have the keys that writing needs, and those other indexes that are named in `lookups`.
    """
    await name_everything(connection)
    await discard(connection, shadow)
    await connection.execute(f"CREATE SCHEMA {shadow}")
    for row in await connection.fetch(statement("schema_tables"), live):
        table = _quoted(row["name"])
        await _use_tablespace(connection, row)
        await connection.execute(
            f"CREATE TABLE {shadow}.{table} (LIKE {live}.{table} INCLUDING DEFAULTS"
            " INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION)"
        )
    for one in await attached.things(connection, live):
        if one.kind == "setting" and one.make.startswith("ALTER TABLE"):
            await connection.execute(_moved(one.make, live, shadow))
    await _add_constraints(connection, live, shadow, _EARLY)
    await _add_indexes(connection, live, shadow, lookups)


async def _use_tablespace(connection: Connection, row: Record) -> None:
    """For the transaction at hand: make what comes next where its like lies."""
    await connection.execute("SELECT set_config('default_tablespace', $1, true)", row["tablespace"])


async def finish(connection: Connection, live: str, shadow: str) -> None:
    """Build the indexes and keys that the tables still lack, in the open transaction."""
    await name_everything(connection)
    await connection.execute("SELECT set_config('maintenance_work_mem', $1, true)", BUILD_MEMORY)
    await _add_constraints(connection, live, shadow, _EARLY)
    await _add_indexes(connection, live, shadow, None)
    for one in await attached.things(connection, live):
        if one.kind == "statistics" and not one.moves:
            await connection.execute(_moved(one.make, live, shadow))
    for table in await tables(connection, shadow):
        await connection.execute(f"ANALYZE {shadow}.{_quoted(table)}")
    await _add_constraints(connection, live, shadow, ("f",))


async def _add_indexes(connection: Connection, live: str, shadow: str, names: Sequence[str] | None) -> None:
    """Build those of these indexes that are missing; all that are, with no names."""
    there = {row["name"] for row in await connection.fetch(statement("schema_indexes"), shadow)}
    for row in await connection.fetch(statement("schema_indexes"), live):
        if row["name"] not in there and (names is None or row["name"] in names):
            await _use_tablespace(connection, row)
            await connection.execute(_moved(row["definition"], live, shadow))


async def _add_constraints(connection: Connection, live: str, shadow: str, kinds: Sequence[str]) -> None:
    there = {
        (row["table"], row["name"]) for row in await connection.fetch(statement("schema_constraints"), shadow)
    }
    for row in await connection.fetch(statement("schema_constraints"), live):
        if row["kind"] in kinds and (row["table"], row["name"]) not in there:
            definition = _moved(row["definition"], live, shadow)
            await _use_tablespace(connection, row)
            table, name = _quoted(row["table"]), _quoted(row["name"])
            await connection.execute(f"ALTER TABLE {shadow}.{table} ADD CONSTRAINT {name} {definition}")


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


async def lock_writers_out(connection: Connection, schema: str, wait: str) -> None:
    """Wait until nobody writes a schema's tables, and let nobody until the transaction ends; all may read.

    The positions come first: a projector's batch begins with them. Raises `LockNotAvailableError`.
    """
    await limit_lock_wait(connection, wait)
    for table in ["positions", *await tables(connection, schema)]:
        await connection.execute(f"LOCK TABLE {schema}.{_quoted(table)} IN EXCLUSIVE MODE")


async def lock_positions(connection: Connection, schema: str, wait: str) -> None:
    """Wait until no batch is being written, and let none until the transaction ends."""
    await limit_lock_wait(connection, wait)
    await connection.execute(f"LOCK TABLE {schema}.positions IN EXCLUSIVE MODE")


async def old_readers(connection: Connection, live: str, since: dt.datetime) -> list[str]:
    """Who reads the live tables with a snapshot of before this time, such as a dump that is under way.

    Of tables that were filled since he would see nothing.
    """
    return [row["who"] for row in await connection.fetch(statement("readers_since_before"), live, since)]


async def exchange(connection: Connection, live: str, other: str, kept: str, group: str) -> None:
    """Let other tables take the place of the live ones, which are kept, in the open transaction.

    Whatever hangs on the live ones hangs on the others from now on; raises `NotReattachable` where something
    would not. Whoever holds a partition is fenced, and what was announced is not announced again.
    """
    await name_everything(connection)
    before = await attached.lines(connection, live)
    await connection.execute(_filled("hold_from_now", live=live), group)
    await connection.execute(_filled("raise_epochs", live=live, other=other), group)
    try:
        await _exchange(connection, live, other, kept)
    except TRANSIENT:
        raise
    except asyncpg.PostgresError as error:
        raise NotReattachable(f"what hangs on the tables of {live} can't be made again: {error}") from error
    _check_same(live, before, await attached.lines(connection, live))


async def _exchange(connection: Connection, live: str, other: str, kept: str) -> None:
    await _copy_rights(connection, live, other)
    found = await attached.things(connection, live)
    defined = await attached.dependents(connection, live)
    there = await attached.things(connection, other)
    same = {one.make for one in found if _stays(one)} & {
        _moved(one.make, other, live) for one in there if _stays(one)
    }
    await attached.remove(connection, [one for one in there if _moved(one.make, other, live) not in same])
    await attached.remove(connection, [one for one in found if one.moves])
    leaving = f"{live}_leaving"
    for old, new in ((live, leaving), (other, live), (leaving, kept)):
        await connection.execute(f"ALTER SCHEMA {old} RENAME TO {new}")
    await attached.execute(connection, await attached.strays(connection, kept, live))
    await attached.execute(connection, [one.make for one in found if one.make not in same])
    await attached.execute(connection, defined)


def _stays(one: Attachment) -> bool:
    """Whether a thing was made with the other tables, and is not made anew: statistics have been gathered."""
    return one.kind == "statistics" and not one.moves


def _check_same(live: str, before: set[str], after: set[str]) -> None:
    if before != after:
        raise NotReattachable(
            f"tables in the place of {live}'s would lack {attached.some(before - after) or 'nothing'}, and "
            f"have {attached.some(after - before) or 'nothing more'}. Take away what would be lost, and make "
            "it again afterwards; docs/rebuild.md says what is carried over"
        )


async def _copy_rights(connection: Connection, live: str, other: str) -> None:
    """Give a schema and its tables the rights of another's, and no others."""
    taken = await connection.fetch(_filled("rights_to_take", grantee=_GRANTEE), other)
    given = await connection.fetch(_filled("rights_to_give", grantee=_GRANTEE, option=_OPTION), live, other)
    for row in (*taken, *given):
        await connection.execute(row["sql"])


async def drop(connection: Connection, schema: str) -> None:
    """Drop a schema with its tables, if it is there; raises `KeptTablesInUse` where others hang on them."""
    if not await exists(connection, schema):
        return
    try:
        async with connection.transaction():
            all_tables = [*await tables(connection, schema), "positions"]
            names = ", ".join(f"{schema}.{_quoted(name)}" for name in all_tables)
            await connection.execute(f"DROP TABLE {names}")
            await connection.execute(f"DROP SCHEMA {schema}")
    except asyncpg.DependentObjectsStillExistError as error:
        raise KeptTablesInUse(f"the tables of {schema} can't be dropped: {error}") from error


async def discard(connection: Connection, schema: str) -> None:
    """Drop a schema that was made for a rebuild, with all that is in it or hangs on it."""
    await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


class Checksum(NamedTuple):
    """A table's number of rows, and a checksum over all of them: equal for the same rows in any order."""

    rows: int
    total: str


async def checksum(connection: Connection, schema: str, table: str) -> Checksum:
    """The checksum of a table; it is comparable with that of a table of the same shape in this database."""
    row = await fetch_one(connection, _filled("checksum_table", schema=schema, table=_quoted(table)))
    return Checksum(row["rows"], f"{int(row['total']) % 2**128:032x}")


async def open_differences(connection: Connection, live: str, other: str, table: str, key: RowKey) -> None:
    """Begin to read the rows of a table in which two schemas differ, in the open transaction."""
    name = "differences" if key.exact else "differences_without_key"
    columns = ", ".join(map(_quoted, key.columns))
    query = _filled(name, live=live, other=other, table=_quoted(table), key=columns)
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
    """What people call these rows, and the events that set each: `id`, `key`, `day`, `observations`."""
    return await connection.fetch(_filled(NAME[table], schema=schema), ids)


async def lists_of_days(connection: Connection, schema: str, days: Sequence[object]) -> dict[object, str]:
    """The event of the newest list of each of these days."""
    rows = await connection.fetch(_filled("lists_of_days", schema=schema), days)
    return {row["day"]: row["observation"] for row in rows}


def _quoted(name: str) -> str:
    """A name of the catalog's, as a statement has it."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _filled(name: str, **names: str) -> str:
    """A statement with names put into it; they are this project's own, never somebody's input."""
    text = statement(name)
    for slot, value in names.items():
        text = text.replace(f"{{{slot}}}", value)
    return text
