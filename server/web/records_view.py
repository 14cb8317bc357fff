"""What the page of a track's records holds: pure, so that no test needs a server."""

import datetime as dt
from collections.abc import Iterable
from itertools import groupby

from msgspec import Struct

from store.records import RecordStep


class HeldRecord(Struct, frozen=True, kw_only=True):
    """A lap that was a record, and the day on which it was broken; None for one that stands."""

    step: RecordStep
    broken: dt.date | None


class ClassRecords(Struct, frozen=True, kw_only=True):
    """The records of a class, the newest first: it stands."""

    class_name: str | None
    held: list[HeldRecord]


def classes_of(steps: Iterable[RecordStep]) -> list[ClassRecords]:
    """The records by class, from steps that come by class and in the order in which they were driven."""
    return [
        ClassRecords(class_name=name, held=_held(list(ones)))
        for name, ones in groupby(steps, lambda step: step.class_name)
    ]


def _held(steps: list[RecordStep]) -> list[HeldRecord]:
    ends = [*(step.date for step in steps[1:]), None]
    held = [HeldRecord(step=step, broken=end) for step, end in zip(steps, ends, strict=True)]
    return held[::-1]
