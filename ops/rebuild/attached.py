"""What hangs on a schema's tables: read from the catalog, made again on others, and held against each other.

A schema's name goes in. `lines` says everything that its tables are, have and need, and that needs them, by
names alone: the same lines before and after other tables take their place mean that nothing was lost,
whatever kind of thing it is. `things`, `dependents` and `strays` are what can be carried over, as statements.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from store.pool import Connection
from store.statements import statements_of

statement = statements_of(__file__)

SHOWN = 5
"""Lines that a person is shown of many."""


Kind = Literal["setting", "statistics", "other"]
"""A setting of a table, an index or a column; a statistics object; all the rest."""


class Attachment(NamedTuple):
    """Something that hangs on a table: statements that take it away and that make it, by its table's name.

    `remove` is None for what goes with another thing. One that `moves` can't be on both tables at a time.
    """

    kind: Kind
    remove: str | None
    make: str
    moves: bool


async def lines(connection: Connection, schema: str) -> set[str]:
    """What the tables of a schema are, have and need, and what needs them; under the search path at hand."""
    return {row["line"] for row in await connection.fetch(statement("attached"), schema)}


async def things(connection: Connection, schema: str) -> list[Attachment]:
    """What hangs on the tables of a schema and can be made again, in the order in which it is made."""
    return [Attachment(*row) for row in await connection.fetch(statement("things"), schema)]


async def dependents(connection: Connection, schema: str) -> list[str]:
    """Statements that define anew what elsewhere is defined by the tables of this name."""
    return [row["make"] for row in await connection.fetch(statement("dependents"), schema)]


async def strays(connection: Connection, schema: str, into: str) -> list[str]:
    """Statements that move what lies beside the tables of a schema, and is none, into another schema."""
    return [row["sql"] for row in await connection.fetch(statement("strays"), schema, into)]


async def publications(connection: Connection, schema: str) -> list[str]:
    """The publications that publish tables of a schema."""
    return [row["name"] for row in await connection.fetch(statement("publications"), schema)]


async def remove(connection: Connection, found: Sequence[Attachment]) -> None:
    """Take things away from their tables, the last one first."""
    await execute(connection, [one.remove for one in reversed(found) if one.remove])


async def execute(connection: Connection, statements: Iterable[str]) -> None:
    """Execute statements one after another."""
    for one in statements:
        await connection.execute(one)


def some(found: Iterable[str]) -> str:
    """A few of these lines, for a message; what columns are like comes last."""
    ordered = sorted(found, key=lambda line: (" of column " in line, line))
    more = f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
    return "; ".join(ordered[:SHOWN]) + more
