"""Which run a caller's Idempotency-Key stands for, so that what is asked for twice is carried out once."""

from uuid import UUID

from schemas.errors import LapstreamError
from store.pool import Connection
from store.statements import statements_of

statement = statements_of(__file__)


class KeyOfAnotherRequest(LapstreamError):
    """The key was used for a request with another body."""


async def recall(connection: Connection, caller: UUID, key: str, body_digest: str) -> UUID | None:
    """The run that the key stands for; None where it is new, or more than a day old.

    Belongs into the transaction that then calls `keep`: until its end, nobody else gets an answer for the
    same key. Raises `KeyOfAnotherRequest`.
    """
    await connection.execute(statement("lock_idempotency_key"), str(caller), key)
    row = await connection.fetchrow(statement("recall_idempotency_key"), caller, key)
    if row is None:
        return None
    if row["body_digest"] != body_digest:
        raise KeyOfAnotherRequest(
            f"the Idempotency-Key {key!r} belongs to a request with another body, of the last 24 hours: "
            "send that body again, or take a new key"
        )
    return row["run_id"]


async def keep(connection: Connection, caller: UUID, key: str, body_digest: str, run_id: UUID) -> None:
    """Let the key stand for a run, for a day; a few keys that are older than that are removed."""
    await connection.execute(statement("forget_idempotency_keys"))
    await connection.execute(statement("keep_idempotency_key"), caller, key, body_digest, run_id)
