"""The topics, declared in one place: partitions, retention, size. A command creates and checks them."""

from functools import lru_cache

from msgspec import Struct

from schemas.cloudevents import MAX_EVENT_BYTES

MAX_PAGE_BYTES = MAX_EVENT_BYTES
"""The largest page in bytes, decompressed."""

RECORD_BYTES = MAX_EVENT_BYTES + 64 * 1024
"""What a topic accepts, and a producer sends, as one record: the largest value with its key and headers."""

FOREVER = -1
WEEK_MS = 7 * 24 * 3600 * 1000
MONTH_MS = 30 * 24 * 3600 * 1000


class TopicSpec(Struct, frozen=True, kw_only=True):
    """A topic as it should be; `retention_ms` of -1 keeps its records for ever."""

    name: str
    partitions: int
    retention_ms: int

    @property
    def config(self) -> dict[str, str]:
        """The settings of the topic that differ from a broker's own."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            "max.message.bytes": str(RECORD_BYTES),
            "compression.type": "producer",
        }


DAYS = "practice-days"
"""The topic of the event log that Lapstream itself writes, without prefix."""

ANY_SOURCE = "*"


class LogTopic(Struct, frozen=True):
    """A topic of the event log, without prefix, and the timing services that it may speak for."""

    name: str
    sources: tuple[str, ...] = (ANY_SOURCE,)

    def speaks_for(self, source: str) -> bool:
        """Whether what a record of this topic says of a timing service counts."""
        return source in self.sources or ANY_SOURCE in self.sources


class Topics(Struct, frozen=True, kw_only=True):
    """The names of all topics, under one prefix; P is `detail_partitions`.

    `log` are the topics of the event log: of two that may speak for one source, the one that comes first
    counts.
    """

    prefix: str = ""
    detail_partitions: int = 8
    log: tuple[LogTopic, ...] = (LogTopic(DAYS),)

    @property
    def requests(self) -> str:
        """Requests to import days; keyed by day."""
        return f"{self.prefix}practice-day-requests"

    @property
    def days(self) -> str:
        """What Lapstream itself observed; keyed by day; kept for ever."""
        return f"{self.prefix}{DAYS}"

    @property
    def event_log(self) -> tuple[str, ...]:
        """All topics of the event log: ours, and those of other producers."""
        return tuple(f"{self.prefix}{one.name}" for one in self.log)

    @property
    def details(self) -> str:
        """The work queue of the detail pool; keyed by session, spread over its partitions in turn."""
        return f"{self.prefix}session-detail-requests"

    @property
    def pages(self) -> str:
        """Each page as it was fetched; keyed by address; kept for ever."""
        return f"{self.prefix}pages"

    @property
    def outcomes(self) -> str:
        """What Lapstream announces; keyed by day; kept for ever."""
        return f"{self.prefix}practice-day-outcomes"

    @property
    def refusals(self) -> str:
        """Which records were refused, and why; keyed by their partition."""
        return f"{self.prefix}refused-records"

    def authority(self, topic: str, source: str) -> int | None:
        """How much what a topic says of a source counts: 0 before -1, and so on; None where it may not speak.

        It is 0 for the first topic that may speak for the source, and one less for each one after it.
        """
        return _authorities(self, source).get(topic)

    def of(self, type_name: str, source: str | None = None) -> str:
        """The topic that events of a type belong into, whatever its version.

        Of an observation it is the one that counts most for its source; ours where no source is given.
        """
        match type_name.rpartition(".v")[0]:
            case "practice_day.requested":
                return self.requests
            case "session_detail.requested":
                return self.details
            case "practice_day.ingested" | "practice_day.changed":
                return self.outcomes
            case "record.refused":
                return self.refusals
            case _:
                return next(iter(_authorities(self, source)), self.days) if source else self.days

    def specs(self) -> tuple[TopicSpec, ...]:
        """Every topic as it should be."""
        return (
            TopicSpec(name=self.requests, partitions=4, retention_ms=WEEK_MS),
            *(TopicSpec(name=name, partitions=8, retention_ms=FOREVER) for name in self.event_log),
            TopicSpec(name=self.details, partitions=self.detail_partitions, retention_ms=WEEK_MS),
            TopicSpec(name=self.pages, partitions=8, retention_ms=FOREVER),
            TopicSpec(name=self.outcomes, partitions=4, retention_ms=FOREVER),
            TopicSpec(name=self.refusals, partitions=4, retention_ms=MONTH_MS),
        )


@lru_cache(maxsize=1_000)
def _authorities(topics: Topics, source: str) -> dict[str, int]:
    """The topics that may speak for a source, the one that counts most first."""
    speaking = (one.name for one in topics.log if one.speaks_for(source))
    return {f"{topics.prefix}{name}": -number for number, name in enumerate(speaking)}
