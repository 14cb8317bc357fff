"""What a command printed now, beside what the page says that it prints.

A line of the page stays as it is while it differs from the new one only in what differs from run to run
(`VARIES`), or in what `…` leaves out: any text in a line, any lines where it stands alone.
"""

import re
from itertools import zip_longest

ELLIPSIS = "…"
VARIES = [
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"\b[0-9a-f]{32,64}\b", "DIGEST"),
    (r"\(\d+ by Kafka's offsets\)", "COMMITTED"),  # which follow the positions, in their own time
    (
        r"\b20(2[6-9]|[3-9]\d)-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(\+00:00|\+00|Z)?",
        "MOMENT",
    ),  # after the sample's
    (r"(?<![\d:])\d+:\d\d:\d\d\b(?= *$)", "DURATION"),
    (r"\b\d+(\.\d+)? s\b", "DURATION"),
    (r"(duration.seconds\W+|_seconds\":)\d+\.\d+", r"\1DURATION"),
    (r"\b(pages|practice-days|practice-day-outcomes)/\d+/\d+\b", "PLACE"),
    (r"\b\d+(\.\d+)? (bytes|kB|MB)", "SIZE"),
    (r"│ [0-9a-f]{8} +│", "│ RUN │"),
    (r"\bcluster \S{22}\b", "CLUSTER"),
    (r"\bin \d+\.\d+s\b", "DURATION"),
    (r"\bpid +\d+", "PID"),
    (r"[─━]+|-[-+]{2,}", "━"),
]
"""What differs from run to run: patterns, and what stands for them."""


def merged(old: list[str], new: list[str]) -> list[str]:
    """The new lines, but for those that the page need not change; a page may break lines that are long."""
    if same("".join(old), "".join(new)):
        return old
    if ELLIPSIS not in old:
        return _merged(old, new)
    place = old.index(ELLIPSIS)
    head, rest = old[:place], old[place + 1 :]
    begin = _begin_of(rest, new, place)
    if begin is None:
        return new
    return [*_merged(head, new[:place]), ELLIPSIS, *merged(rest, new[begin:])]


def _begin_of(rest: list[str], new: list[str], least: int) -> int | None:
    """Where the lines behind an ellipsis begin; nowhere where they can't be found."""
    if ELLIPSIS not in rest:
        return len(new) - len(rest) if len(new) - len(rest) >= least else None
    return next((at for at in range(least, len(new)) if same(rest[0], new[at])), None)


def _merged(old: list[str], new: list[str]) -> list[str]:
    pairs = zip_longest(old[: len(new)], new)
    return [before if before is not None and same(before, now) else now for before, now in pairs]


def same(old: str, new: str) -> bool:
    """Whether a line of the page still says what a command printed, whatever the spaces."""
    pattern = ".*".join(re.escape(_normal(part)) for part in old.split(ELLIPSIS))
    return re.fullmatch(pattern, _normal(new)) is not None


def _normal(line: str) -> str:
    for pattern, text in VARIES:
        line = re.sub(pattern, text, line)
    return re.sub(r"\s", "", line)
