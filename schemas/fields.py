"""The constrained field types that events are built of: each bound is a promise a reader may rely on."""

import datetime as dt
from typing import Annotated

from msgspec import Meta

Source = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$(?!\n)", description="The timing service, `liverc`.")
]
TrackSlug = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$(?!\n)",
        description="The track's name at its source: one DNS label, in lower case.",
    ),
]
SessionId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$(?!\n)", description="The session's id at its source.")
]
Label = Annotated[str, Meta(max_length=300, description="A name as the site writes it.")]
Url = Annotated[str, Meta(max_length=1000)]
Sha256 = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="SHA-256 of the page's bytes, in hex.")
]
Digest = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="BLAKE2b-128 of the content, in hex.")
]
Text = Annotated[str, Meta(max_length=2000)]

LocalTime = Annotated[
    dt.datetime, Meta(tz=False, description="The track's local clock, without offset, as the site shows it.")
]
Instant = Annotated[dt.datetime, Meta(tz=True, description="A moment with its offset, RFC 3339.")]

Seconds = Annotated[float, Meta(ge=0, le=1_000_000, description="Seconds, to the millisecond.")]
WholeSeconds = Annotated[int, Meta(ge=0, le=1_000_000, description="Whole seconds.")]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
ParserVersion = Annotated[int, Meta(ge=1, le=1_000_000, description="The parser's version; higher wins.")]
Percent = Annotated[float, Meta(ge=-1_000_000, le=100, description="Percent, as the site computes it.")]
