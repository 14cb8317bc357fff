"""What shall go wrong, with which requests, and how often.

In: faults, each with what it matches. Out: for every request the faults that meet it.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

PageKind = Literal["day_list", "session", "month", "catalogue", "robots", "other"]

FaultKind = Literal[
    "status",  # an error page with `status`, and `Retry-After: {retry_after}` where that is given
    "delay",  # the right answer, `seconds` late; further faults may meet the same request
    "drop",  # the connection is cut without an answer
    "truncate",  # the first 60 percent of the right page
    "bot_check",
    "login",
    "error_page",  # with status 200
    "other_day",  # the list of the day before, or another session's page
    "empty",  # no bytes
    "odd_headers",  # the right page, with bytes that are no UTF-8 in Server, ETag and Content-Type
    "nested",  # a small page of 100,000 elements inside each other
    "gzip_bomb",  # a small body that unpacks to `megabytes` of zeros
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for; `date` also of a session, where its id tells."""

    page: PageKind
    path: str
    track_slug: str | None = None
    date: dt.date | None = None
    session_id: str | None = None


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests: those that agree in every field that is given."""

    page: PageKind | None = None
    track_slug: str | None = None
    date: dt.date | None = None
    session_id: str | None = None
    path_contains: str = ""

    def meets(self, asked: Asked) -> bool:
        """Whether the request is one of them."""
        wanted = (self.page, self.track_slug, self.date, self.session_id)
        found = (asked.page, asked.track_slug, asked.date, asked.session_id)
        agree = all(want in (None, have) for want, have in zip(wanted, found, strict=True))
        return agree and self.path_contains in asked.path


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong: after the first `after` matching requests, `times` times or always."""

    kind: FaultKind
    match: Match = Match()
    times: Annotated[int, Meta(ge=1)] | None = None
    after: Annotated[int, Meta(ge=0)] = 0
    status: Annotated[int, Meta(ge=400, le=599)] = 503
    retry_after: str | None = None
    seconds: Annotated[float, Meta(ge=0, le=600)] = 1.0
    megabytes: Annotated[int, Meta(ge=1, le=1024)] = 200


@dataclass(slots=True)
class _Armed:
    fault: Fault
    seen: int = 0

    def strikes(self) -> bool:
        """Count one matching request, and say whether the fault meets it."""
        self.seen += 1
        turn = self.seen - self.fault.after
        return turn >= 1 and (self.fault.times is None or turn <= self.fault.times)


class Faults:
    """The faults that are set, in the order in which they were added."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        """Set a fault."""
        self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Forget them all."""
        self._armed.clear()

    def take(self, asked: Asked) -> list[Fault]:
        """The faults that meet this request: any number of delays, and at most one other, the last."""
        taken: list[Fault] = []
        for armed in self._armed:
            if armed.fault.match.meets(asked) and armed.strikes():
                taken.append(armed.fault)
                if armed.fault.kind != "delay":
                    break
        return taken
