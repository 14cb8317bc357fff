"""JSON documents that say one thing twice: readers differ on which of the two counts, so neither does."""

import json


class _DuplicateName(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def named_twice(data: bytes) -> str | None:
    """The name that stands twice in one object, at any depth; raises ValueError or RecursionError."""
    try:
        json.loads(data, object_pairs_hook=_unique)
    except _DuplicateName as found:
        return found.name
    return None


def _unique(pairs: list[tuple[str, object]]) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise _DuplicateName(name)
        names.add(name)
