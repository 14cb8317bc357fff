"""The tables as they are described, against the tables as they are: columns, keys, references and indexes."""

import re

from runtime.projections import PROJECTIONS
from schemas.topics import Topics
from store.pool import READ_MODEL, Connection
from tests.unit.test_docs import read, section

SCHEMAS = {"lapstream", *(one.schema for one in PROJECTIONS)}
OF_ONE_FORM = {"observations", "positions"}
"""Tables that have the same columns in every schema, and are described once."""

COLUMNS = """
SELECT c.relnamespace::regnamespace::text, c.relname, array_agg(
    format('`%s` | %s%s', attname, format_type(atttypid, NULL), CASE WHEN NOT attnotnull THEN ', null' END)
    ORDER BY attnum)
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = ANY ($1::text[]::regnamespace[]) AND c.relkind = 'r'
GROUP BY c.relnamespace, c.relname ORDER BY 1, 2
"""
KEYS = """
SELECT c.relnamespace::regnamespace::text, c.relname, array_agg((
    SELECT string_agg(format('`%s`', a.attname), ', ' ORDER BY a.ord)
    FROM (SELECT a.attname, k.ord FROM unnest(i.indkey) WITH ORDINALITY AS k (attnum, ord)
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum) AS a
))
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
WHERE i.indisunique AND c.relnamespace = ANY ($1::text[]::regnamespace[])
GROUP BY c.relnamespace, c.relname
"""
REFERENCES = """
SELECT c.relnamespace::regnamespace::text, c.relname, a.attname, t.relname
FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_class AS t ON t.oid = k.confrelid
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND c.relnamespace = ANY ($1::text[]::regnamespace[])
"""
INDEXES = """
SELECT format('| `%s.%s` | `%s` | %s |', t.relnamespace::regnamespace, t.relname, x.relname,
    substring(pg_get_indexdef(x.oid) FROM 'USING btree (.*)'))
FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_class AS t ON t.oid = i.indrelid
WHERE t.relnamespace = ANY ($1::text[]::regnamespace[])
    AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = x.oid AND k.contype IN ('p', 'u'))
ORDER BY 1
"""


def described(schema: str, table: str) -> str:
    """What the pages say of a table: those of later read models stand under their schema's name."""
    whole = table if table in OF_ONE_FORM or schema in {READ_MODEL, "lapstream"} else f"{schema}.{table}"
    return section(read("data-model.md") + read("database-schema.md"), f"`{whole}`")


def short(columns: list[str]) -> list[str]:
    """The names of types as the pages have them."""
    return [
        re.sub(r"timestamp with(out)? time zone", lambda zone: f"timestamp{'' if zone[1] else 'tz'}", one)
        for one in columns
    ]


async def test_every_column_of_every_table_is_described(connection: Connection) -> None:
    tables = await connection.fetch(COLUMNS, SCHEMAS)
    assert {schema for schema, _, _ in tables} == SCHEMAS
    for schema, table, columns in tables:
        rows = re.findall(r"^\| (`\w+` \| [^|]+) \|", described(schema, table), re.MULTILINE)
        assert rows == short(columns), f"{schema}.{table}"


async def test_the_keys_that_are_described_are_unique(connection: Connection) -> None:
    wrong = [
        f"{schema}.{table}: {keys}"
        for schema, table, keys in await connection.fetch(KEYS, SCHEMAS)
        if described_key(schema, table) not in keys
    ]
    assert wrong == []


def described_key(schema: str, table: str) -> str | None:
    found = re.search(r"[Kk]ey:\s(`\w+`(?:,\s`\w+`)*)", described(schema, table))
    return found and found[1].replace("\n", " ")


async def test_every_reference_is_described(connection: Connection) -> None:
    wrong = [
        f"{schema}.{table}.{column}: of `{target}`"
        for schema, table, column, target in await connection.fetch(REFERENCES, SCHEMAS)
        if not re.search(
            rf"^\| `{column}` \| [^|]+ \| of `({schema}\.)?{target}`", described(schema, table), re.MULTILINE
        )
    ]
    assert wrong == []


async def test_every_table_and_topic_is_pruned_or_it_is_said_why_not(connection: Connection) -> None:
    """What is new would grow for ever by oversight; read models are said as schemas."""
    said = re.findall(r"`(\w[\w-]*)[`.]", read("retention.md"))
    tables = [name for _, name, _ in await connection.fetch(COLUMNS, ["lapstream"])]
    topics = [spec.name for spec in Topics().specs()]
    assert {*tables, *topics, *SCHEMAS} - {*said, "lapstream"} == set()


async def test_every_index_is_described(connection: Connection) -> None:
    rows = [row for (row,) in await connection.fetch(INDEXES, SCHEMAS)]
    page = re.findall(r"^\| `.*$", section(read("database-schema.md"), "Indexes"), re.MULTILINE)
    assert page == rows
