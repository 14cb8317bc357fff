"""The tables as they are described, against the tables as they are."""

from store.pool import Connection
from tests.unit.test_docs import first_cells, read, section

COLUMNS = """
SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) FROM information_schema.columns
WHERE table_schema IN ('practice_days', 'lapstream') GROUP BY table_name
"""


async def test_every_column_of_every_table_is_described(connection: Connection) -> None:
    text = read("data-model.md")
    for table, columns in await connection.fetch(COLUMNS):
        assert first_cells(section(text, f"`{table}`")) == columns, table
