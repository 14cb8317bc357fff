"""What a key of the API allows."""

from enum import StrEnum


class Scope(StrEnum):
    """What a key allows: `ingest` includes `read`, `operate` includes both."""

    read = "read"
    ingest = "ingest"
    operate = "operate"

    def includes(self, wanted: "Scope") -> bool:
        """Whether this scope allows what the wanted one does."""
        order = list(Scope)
        return order.index(self) >= order.index(wanted)
