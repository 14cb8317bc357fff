"""The topics, declared in one place: partitions, retention, size. A command creates and checks them."""

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


class Topics(Struct, frozen=True, kw_only=True):
    """The names of all topics, under one prefix; P is `detail_partitions`."""

    prefix: str = ""
    detail_partitions: int = 8

    @property
    def requests(self) -> str:
        """Requests to import days; keyed by day."""
        return f"{self.prefix}practice-day-requests"

    @property
    def days(self) -> str:
        """The event log: every observation of a day; keyed by day; kept for ever."""
        return f"{self.prefix}practice-days"

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

    def of(self, type_name: str) -> str:
        """The topic that events of a type belong into, whatever its version."""
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
                return self.days

    def specs(self) -> tuple[TopicSpec, ...]:
        """Every topic as it should be."""
        return (
            TopicSpec(name=self.requests, partitions=4, retention_ms=WEEK_MS),
            TopicSpec(name=self.days, partitions=8, retention_ms=FOREVER),
            TopicSpec(name=self.details, partitions=self.detail_partitions, retention_ms=WEEK_MS),
            TopicSpec(name=self.pages, partitions=8, retention_ms=FOREVER),
            TopicSpec(name=self.outcomes, partitions=4, retention_ms=FOREVER),
            TopicSpec(name=self.refusals, partitions=4, retention_ms=MONTH_MS),
        )
