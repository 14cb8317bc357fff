"""The tables as they are described, against the tables as they are."""

from runtime.projections import PROJECTIONS
from store.pool import READ_MODEL, Connection
from tests.unit.test_docs import first_cells, read, section

SCHEMAS = {"lapstream", *(one.schema for one in PROJECTIONS)}
OF_ONE_FORM = {"observations", "positions"}
"""Tables that have the same columns in every schema, and are described once."""

COLUMNS = """
SELECT table_schema, table_name, array_agg(column_name::text ORDER BY ordinal_position)
FROM information_schema.columns
WHERE table_schema = ANY ($1) GROUP BY table_schema, table_name
"""


def heading(schema: str, table: str) -> str:
    """Where a table is described: those of later read models under their schema's name."""
    if table in OF_ONE_FORM or schema in {READ_MODEL, "lapstream"}:
        return f"`{table}`"
    return f"`{schema}.{table}`"


async def test_every_column_of_every_table_is_described(connection: Connection) -> None:
    text = read("data-model.md")
    tables = await connection.fetch(COLUMNS, SCHEMAS)
    assert {schema for schema, _, _ in tables} == SCHEMAS
    for schema, table, columns in tables:
        assert first_cells(section(text, heading(schema, table))) == columns, f"{schema}.{table}"
