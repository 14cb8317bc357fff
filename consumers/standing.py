"""Whether the log goes on where a projection's tables stand: the position and the log's bounds go in.

A position is the offset that comes next. None is that of tables that have applied nothing of a partition yet:
they begin at the partition's first record, offset 0. Where records before the log's begin were not applied,
or the log ends before the position, going on would skip records in silence.
"""

from typing import Literal, NamedTuple

from schemas.errors import LapstreamError
from store.positions import Place


class LogRewound(LapstreamError):
    """A topic is not the one that the tables were made from: it was made anew, or lost records."""


class Misfit(NamedTuple):
    """Why the log does not go on where the tables stand, in words that say what can be done."""

    kind: Literal["rewound", "begin_gone"]
    found: str


def misfit(projection: str, place: Place, position: int | None, begin: int, end: int) -> Misfit | None:
    """What is wrong with a partition that begins and ends at these offsets; None where nothing is."""
    if position is not None and position > end:
        return _rewound(projection, place, position, f"the topic ends at {end}")
    if (position or 0) < begin:
        return Misfit(
            "begin_gone",
            f"{_stand(projection, place, position)}, but the topic begins at {begin}: the records before are "
            "gone, and the tables would lack them. "
            f"`lapstream rebuild start {projection} --export DIR` takes them from a copy; without one see "
            'docs/rebuild.md, "A log that does not go on"',
        )
    return None


def _rewound(projection: str, place: Place, position: int, found: str) -> Misfit:
    return Misfit(
        "rewound",
        f"{_stand(projection, place, position)}, but {found}: it was made anew, or lost records. Bring the "
        'log back, or let the projection begin anew: docs/rebuild.md, "A log that does not go on"',
    )


def _stand(projection: str, place: Place, position: int | None) -> str:
    where = f"{place.topic}[{place.partition}]"
    if position is None:
        return f"the tables of {projection} have nothing of {where} yet"
    return f"the tables of {projection} stand at offset {position} of {where}"


def check_bounds(projection: str, place: Place, position: int | None, begin: int, end: int) -> None:
    """Raise `LogRewound` where the log does not go on where the tables stand."""
    _raise(misfit(projection, place, position, begin, end))


def check_next(projection: str, place: Place, position: int, following: int, begin: int) -> None:
    """Raise `LogRewound` where the client went on elsewhere, since the position was not there any more.

    A gap alone is none: markers and records of aborted transactions take offsets, too.
    """
    if following < position:
        _raise(_rewound(projection, place, position, f"the log goes on at {following}"))
    _raise(misfit(projection, place, position, begin, following))


def _raise(found: Misfit | None) -> None:
    if found:
        raise LogRewound(f"{found.found}. Nothing was written")
