"""Whose fault an error of PostgreSQL's is: a record's data, or the database itself."""

import asyncpg

DATA_FAULTS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""What PostgreSQL says of a record's data; its other errors are about the database itself."""


def is_about_the_database(error: Exception) -> bool:
    """Whether PostgreSQL complains of itself, not of a record's data: then no record is at fault."""
    return isinstance(error, asyncpg.PostgresError) and not isinstance(error, DATA_FAULTS)
