"""What an error of the database, the broker or the system means to the user of a command.

An error goes in; the one that is told in its place comes out: what was found, where, and what to do, without
a word of clients and statements. None means that it is a mistake of Lapstream's.
"""

from collections.abc import Callable
from typing import Any, cast

import asyncpg
from aiokafka import errors as kafka

from broker.reaching import NotReached
from runtime.database import ServerAway
from runtime.settings import KAFKA, shown_now, variable
from schemas.errors import LapstreamError
from store.faults import said_by
from store.pool import TRANSIENT

DSN, BOOTSTRAP = variable("postgres_dsn"), variable("kafka_bootstrap")


class TablesMissing(LapstreamError):
    """The database has not the tables that this version needs."""


class RightMissing(LapstreamError):
    """The database or the broker does not let its user do something."""


class DatabaseRefuses(LapstreamError):
    """The database can't do it at present."""


class BrokerRefuses(LapstreamError):
    """The broker can't do it, or not at present."""


class SystemRefuses(LapstreamError):
    """The system can't do it: a file, the disk, the memory, the network."""


def explained(error: BaseException) -> LapstreamError | None:
    """The error as it is told; None where it is a mistake of Lapstream's."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseException", error.exceptions[0])
    if isinstance(error, LapstreamError):
        return error
    return next((tell(error) for kinds, tell in _TOLD if isinstance(error, kinds)), None)


def _not_allowed(error: Exception) -> LapstreamError:
    return RightMissing(f"the database does not allow it to the user of {DSN}: {said_by(error)}")


def _schema_behind(error: Exception) -> LapstreamError:
    return TablesMissing(f"{said_by(error)}: bring the database's schema forward with `lapstream migrate up`")


def _of_system(error: OSError) -> LapstreamError:
    if error.filename is not None:
        return SystemRefuses(f"{error.filename}: {said_by(error)}")
    if isinstance(error, ConnectionError | TimeoutError):
        return ServerAway(f"a connection to the database or the broker was lost: {said_by(error)}")
    return SystemRefuses(f"the system refuses it: {said_by(error)}")


def _not_reached(error: NotReached) -> LapstreamError:
    names = [variable(KAFKA + field) for field in error.fields]
    return ServerAway(f"{error.found}; {'is' if len(names) == 1 else 'are'} {' and '.join(names)} right?")


Kinds = tuple[type[BaseException], ...]

_TOLD: tuple[tuple[Kinds, Callable[[Any], LapstreamError]], ...] = (
    ((asyncpg.InsufficientPrivilegeError,), _not_allowed),
    (
        (asyncpg.ReadOnlySQLTransactionError,),
        lambda error: DatabaseRefuses(f"the database can only be read at present: {said_by(error)}"),
    ),
    (
        (asyncpg.InsufficientResourcesError, asyncpg.PostgresSystemError),
        lambda error: DatabaseRefuses(f"the database has no room, or its disk fails: {said_by(error)}"),
    ),
    (
        (
            asyncpg.UndefinedTableError,
            asyncpg.InvalidSchemaNameError,
            asyncpg.UndefinedColumnError,
            asyncpg.UndefinedFunctionError,
        ),
        _schema_behind,
    ),
    (
        (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError),
        lambda error: DatabaseRefuses(f"others work at the same rows: {said_by(error)}; try again"),
    ),
    ((OSError,), _of_system),
    (TRANSIENT, lambda error: ServerAway(f"the connection to the database was lost: {said_by(error)}")),
    (
        (
            kafka.TopicAuthorizationFailedError,
            kafka.GroupAuthorizationFailedError,
            kafka.ClusterAuthorizationFailedError,
        ),
        lambda error: RightMissing(f"the broker does not allow it: {said_by(error)}"),
    ),
    ((NotReached,), _not_reached),
    (
        (
            kafka.KafkaConnectionError,
            kafka.KafkaTimeoutError,
            kafka.KafkaUnavailableError,
            kafka.MetadataEmptyBrokerList,
            kafka.NoBrokersAvailable,
            kafka.NodeNotReadyError,
            kafka.RequestTimedOutError,
            kafka.StaleMetadata,
        ),
        lambda _: ServerAway(f"no broker answers at {shown_now('kafka_bootstrap')}: is {BOOTSTRAP} right?"),
    ),
    (
        (kafka.UnknownTopicOrPartitionError,),
        lambda _: BrokerRefuses("the broker lacks a topic: run `lapstream topics create`"),
    ),
    (
        (kafka.BrokerResponseError,),
        lambda error: BrokerRefuses(f"the broker can't do it: {said_by(error)}"),
    ),
    (
        (kafka.UnrecognizedBrokerVersion, kafka.IncompatibleBrokerVersion),
        lambda _: BrokerRefuses(f"what answers at {BOOTSTRAP} is no Kafka broker, or one that is too old"),
    ),
    ((MemoryError,), lambda _: SystemRefuses("there is not enough memory")),
)
"""How errors are told; the first that fits counts."""
