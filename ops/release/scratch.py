"""A database and topics that are made for a check and removed after it, on an installation's own servers."""

import secrets
from urllib.parse import urlsplit

from msgspec.structs import replace

from broker.topics import create_topics, delete_topics
from runtime import migrate
from runtime.database import alone
from runtime.settings import Settings
from store.pool import Connection, SingleConnection
from store.statements import statements_of

statement = statements_of(__file__)

DATABASES = "lapstream_verify_release_"
TOPICS = "verify-release-"


class Scratch:
    """An installation's settings, with a database and topics in place of its own ones.

    `begun` is true once there is something to remove.
    """

    def __init__(self, settings: Settings) -> None:
        self._installation = settings
        self._number = secrets.token_hex(4)
        self._connection: SingleConnection | None = None
        self.begun = False
        self.database = f"{DATABASES}{self._number}"
        self.settings = replace(
            settings,
            postgres_dsn=urlsplit(settings.postgres_dsn)._replace(path=f"/{self.database}").geturl(),
            topic_prefix=f"{settings.topic_prefix}{TOPICS}{self._number}-",
            track_zones={},
        )

    async def make(self) -> None:
        """Make them, once what a check left that was killed is removed.

        Raises `ServerAway`, `TopicRefused`, KafkaError, and an asyncpg error where the user may not do it.
        """
        admin = await alone(self._installation.postgres_dsn)
        try:
            for row in await admin.fetch(statement("unused_databases"), DATABASES):
                await self._remove(admin, row["datname"].removeprefix(DATABASES))
            await admin.execute(statement("create_database").replace("{name}", self.database))
            self.begun = True
        finally:
            await admin.close()
        # While it is open, others know that the database is not left behind.
        self._connection = await alone(self.settings.postgres_dsn)
        await migrate.apply(self.settings.postgres_dsn)
        own = self.settings
        await create_topics(own.broker, own.topics, replication_factor=own.replication_factor)

    async def remove(self) -> int:
        """Remove whatever of them is there; returns the number of topics. Raises as `make`."""
        if self._connection:
            await self._connection.close()
        admin = await alone(self._installation.postgres_dsn)
        try:
            return await self._remove(admin, self._number)
        finally:
            await admin.close()

    async def _remove(self, admin: Connection, number: str) -> int:
        """The topics go first: while the database is there, the next check knows what was left."""
        broker = self._installation.broker
        deleted = await delete_topics(broker, lambda name: f"{TOPICS}{number}-" in name)
        await admin.execute(statement("drop_database").replace("{name}", f"{DATABASES}{number}"))
        return len(deleted)
