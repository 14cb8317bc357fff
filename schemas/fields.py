r"""The constrained field types that events are built of: each bound is a promise a reader may rely on.

A pattern ends with `\Z`, the end of the text, in the code; its JSON Schema says the same in the syntax that
every engine takes (`schemas.contract.json_schemas`). Dates and moments are checked by msgspec and by
`schemas.checks`; the patterns here say to other languages what those two take.
"""

import datetime as dt
from typing import Annotated

from msgspec import Meta

FIRST_YEAR = 1990
"""Before any timing service kept practice days."""

LAST_YEAR = 2100
"""The last year of any date or moment, far from the ends of the calendar, which a database calls infinite."""

_DATE = (
    "((199[0-9]|20[0-9][0-9]|2100)"
    "-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    "|(199[26]|20([02468][048]|[13579][26]))-02-29)"
)
"""A date from 1990 to 2100 that the calendar has, leap years included."""

_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
_OFFSET = "([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])"

SOURCE_NAME = r"[a-z][a-z0-9_-]{0,31}"
SLUG = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
SESSION_ID = r"[A-Za-z0-9_-]{1,64}"
"""Patterns of the parts of keys and addresses."""

Source = Annotated[
    str,
    Meta(
        title="Source",
        pattern=rf"^{SOURCE_NAME}\Z",
        description="The timing service that saw it: `a`-`z`, `0`-`9`, `_`, `-`, at most 32.",
        examples=["liverc"],
    ),
]
TrackSlug = Annotated[
    str,
    Meta(
        title="Slug",
        pattern=rf"^{SLUG}\Z",
        description="The track's name at its source: one DNS label in lower case, at most 63.",
        examples=["canberraoffroad"],
    ),
]
SessionId = Annotated[
    str,
    Meta(
        title="Session id",
        pattern=rf"^{SESSION_ID}\Z",
        description="The session's id at its source: letters, digits, `_`, `-`, at most 64.",
        examples=["21290331"],
    ),
]
Label = Annotated[
    str,
    Meta(title="Label", max_length=300, description="A name as the site writes it, at most 300 characters."),
]
NO_NUL = r"^[^\x00]*\Z"
"""A text that a database can store."""

ShortText = Annotated[
    str, Meta(title="Short text", max_length=40, description="As the site writes it, at most 40 characters.")
]
Text = Annotated[str, Meta(title="Text", max_length=2000, description="A text of at most 2,000 characters.")]
Url = Annotated[
    str,
    Meta(
        title="Address",
        max_length=1000,
        description="An address of at most 1,000 characters.",
        examples=["https://canberraoffroad.liverc.com/practice/?p=view_session&id=21290331"],
    ),
]
Topic = Annotated[
    str,
    Meta(
        title="Topic",
        pattern=r"^[A-Za-z0-9._-]{1,249}\Z",
        description="A topic's name, with its prefix.",
        examples=["practice-days"],
    ),
]
Offset = Annotated[
    int,
    Meta(
        title="Offset",
        ge=0,
        le=9_007_199_254_740_991,
        description="A record's offset in its partition, 0 to 2^53 - 1.",
        examples=[1234],
    ),
]
RunId = Annotated[
    str,
    Meta(
        title="Run id",
        max_length=36,
        description="The run's id, a UUID.",
        examples=["ed629a62-949c-4dbd-9f18-093ae9ef682a"],
    ),
]
FindingCode = Annotated[
    str,
    Meta(
        title="Finding code",
        pattern=r"^[a-z][a-z0-9_]{0,63}\Z",
        description="The kind of finding: `a`-`z`, `0`-`9`, `_`, at most 64.",
        examples=["row_of_another_day"],
    ),
]
Sha256 = Annotated[
    str,
    Meta(
        title="SHA-256",
        pattern=r"^[0-9a-f]{64}\Z",
        description="SHA-256, 64 hex digits.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]
Digest = Annotated[
    str,
    Meta(
        title="Digest",
        pattern=r"^[0-9a-f]{32}\Z",
        description="BLAKE2b-128, 32 hex digits.",
        examples=["cae66941d9efbd404e4d88758ea67670"],
    ),
]
TimeZone = Annotated[
    str,
    Meta(
        title="Time zone",
        max_length=64,
        description=(
            "An IANA name as the Python package `tzdata` lists it; "
            "not `localtime`, `Factory`, `right/…`, `europe/berlin`."
        ),
        examples=["Australia/Sydney"],
    ),
]

Date = Annotated[
    dt.date,
    Meta(
        title="Date",
        description="A date from 1990 to 2100, YYYY-MM-DD.",
        examples=["2025-10-25"],
        extra_json_schema={"pattern": f"^{_DATE}$"},
    ),
]
TimeOfDay = Annotated[
    dt.time,
    Meta(
        title="Time of day",
        tz=False,
        description="A time of day on the track's clock, HH:MM:SS, without offset.",
        examples=["16:36:38"],
        extra_json_schema={"pattern": f"^{_TIME}$"},
    ),
]
LocalTime = Annotated[
    dt.datetime,
    Meta(
        title="Local time",
        tz=False,
        description="The track's local clock, without offset, from 1990 to 2100.",
        examples=["2025-10-25T16:36:38"],
        extra_json_schema={"pattern": f"^{_DATE}[Tt ]{_TIME}$"},
    ),
]
Instant = Annotated[
    dt.datetime,
    Meta(
        title="Instant",
        tz=True,
        description="A moment with its offset, RFC 3339, from 1990 to 2100.",
        examples=["2026-11-23T03:05:09.670543Z"],
        extra_json_schema={"pattern": f"^{_DATE}[Tt ]{_TIME}{_OFFSET}$"},
    ),
]

Seconds = Annotated[
    float,
    Meta(
        title="Seconds",
        ge=0,
        le=1_000_000,
        description="Seconds, 0 to 1,000,000, to the millisecond.",
        examples=[31.5, 30.912],
    ),
]
LapBound = Annotated[
    float,
    Meta(
        title="Lap bound",
        ge=0,
        le=86_400,
        description="Seconds, 0 to 86,400 (a day), to the millisecond.",
        examples=[20.0, 70.0],
    ),
]
LapRange = Annotated[
    tuple[LapBound, LapBound],
    Meta(
        title="Lap range",
        description="The shortest and the longest lap that count, in seconds, in this order.",
        examples=[[20.0, 70.0]],
    ),
]
WholeSeconds = Annotated[
    int,
    Meta(
        title="Whole seconds",
        ge=0,
        le=1_000_000,
        description="Whole seconds, 0 to 1,000,000.",
        examples=[420],
    ),
]
RaceSeconds = Annotated[
    float,
    Meta(
        title="Race seconds",
        ge=0,
        le=1_000_000_000,
        description="Seconds, 0 to 1,000,000,000, to the millisecond.",
        examples=[93.5],
    ),
]
Count = Annotated[
    int, Meta(title="Count", ge=0, le=1_000_000, description="A number, 0 to 1,000,000.", examples=[9])
]
LapCount = Annotated[
    int,
    Meta(
        title="Lap count",
        ge=0,
        le=100_000_000,
        description="A number of laps, 0 to 100,000,000.",
        examples=[487],
    ),
]
ParserVersion = Annotated[
    int,
    Meta(
        title="Parser version",
        ge=1,
        le=1_000_000,
        description="The version of what read it, 1 to 1,000,000.",
        examples=[2],
    ),
]
Percent = Annotated[
    float,
    Meta(
        title="Percent", ge=-1_000_000, le=100, description="Percent, -1,000,000 to 100.", examples=[94.695]
    ),
]
