"""Migrations are rolled back and applied again: nothing is left in between, and the schema is as it was."""

from runtime import migrate
from runtime.database import alone

SCHEMA = """
SELECT format('%s.%s.%s', table_schema, table_name, column_name), data_type, is_nullable, column_default
FROM information_schema.columns WHERE table_schema !~ '^(pg_|information_schema|public)'
UNION ALL
SELECT schemaname, indexname, indexdef, NULL FROM pg_indexes WHERE schemaname !~ '^(pg_|public)'
UNION ALL
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), NULL
FROM pg_constraint WHERE connamespace::regnamespace::text !~ '^(pg_|information_schema|public)'
ORDER BY 1, 2, 3
"""


async def schema(dsn: str) -> list[tuple[object, ...]]:
    connection = await alone(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(SCHEMA)]
    finally:
        await connection.close()


async def test_migrations_are_rolled_back_and_applied_again(dsn: str) -> None:
    before = await schema(dsn)
    rolled_back = await migrate.rollback(dsn, 1_000)
    assert await schema(dsn) == []
    assert await migrate.apply(dsn) == rolled_back
    assert await schema(dsn) == before
