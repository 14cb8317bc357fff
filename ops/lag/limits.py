"""A limit of lag, in records or as an age, and the groups that are over it."""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from ops.lag.figures import GroupLag, PartitionLag

UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}

_LIMIT = re.compile(rf"([0-9]{{1,12}})({'|'.join(UNITS)})?")


class Limit(Struct, frozen=True, kw_only=True):
    """So many records at most, or records of this age in seconds; one of the two is None."""

    text: str
    records: int | None = None
    seconds: int | None = None


def limit_of(text: str) -> Limit:
    """The limit that a text says: `1000` or `5min`; raises ValueError."""
    found = _LIMIT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no limit: records as in 1000, or an age as in 30s, 5min, 2h, 1d")
    number, unit = found.groups()
    if unit is None:
        return Limit(text=text, records=int(number))
    return Limit(text=text, seconds=int(number) * UNITS[unit])


def over(groups: Iterable[GroupLag], limit: Limit) -> list[str]:
    """What is over the limit, or not known and so may be, in words."""
    return [words for group in groups for words in _of_group(group, limit)]


def _of_group(group: GroupLag, limit: Limit) -> Iterator[str]:
    if group.behind is None:
        yield f"{group.group}: how far it is behind is not known: {'; '.join(group.troubles)}"
    elif limit.records is not None:
        if group.behind > limit.records:
            yield f"{group.group}: {group.behind} behind is over the limit of {limit.text}"
    else:
        yield from filter(None, (_of_partition(group, one, limit) for one in group.partitions))


def _of_partition(group: GroupLag, one: PartitionLag, limit: Limit) -> str | None:
    where = f"{one.topic}[{one.partition}]"
    if one.oldest == "none":
        return None
    if one.oldest_seconds is None:
        return f"{group.group}: how old the oldest record is that is left in {where} is not known"
    if one.oldest_seconds > (limit.seconds or 0):
        old = f"the oldest record that is left in {where} is {one.oldest_seconds:.0f} s old"
        return f"{group.group}: {old}, over the limit of {limit.text}"
    return None
