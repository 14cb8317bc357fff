"""Writing a batch of which one record may be at fault: it is found, and costs no other record anything."""

from collections.abc import Awaitable, Callable, Sequence

from schemas.records import Record
from store.faults import is_about_the_database

Write = Callable[[Sequence[Record], Exception | None], Awaitable[None]]
"""Writes a batch in one transaction; with an error it sets the batch's one record aside."""


async def write_bisecting(
    records: Sequence[Record], write: Write, passing: tuple[type[Exception], ...]
) -> None:
    """Write a batch; one that fails by its data is bisected until the record at fault is found.

    Raises what `passing` names, and what PostgreSQL complains of itself: then no record is at fault.
    """
    try:
        await write(records, None)
    except passing:
        raise
    except Exception as error:
        if is_about_the_database(error):
            raise
        if len(records) > 1:
            middle = len(records) // 2
            await write_bisecting(records[:middle], write, passing)
            await write_bisecting(records[middle:], write, passing)
        else:
            await write(records, error)
