"""Parked records on the terminal, and as JSON: whatever a producer wrote is shown as data."""

import base64
import datetime as dt
from collections import Counter
from itertools import groupby

import msgspec
from rich.table import Table

from ops.cli.output import clean, out
from ops.redrive import Outcome
from store.parked import Count, Head, Parked

SHOWN_CHARACTERS = 4_000
"""The most that is shown of a key, a value or a header."""

LISTED_CHARACTERS = 160
"""The most of a reason that is listed."""

LISTED_OUTCOMES = 50
"""The most records that a redrive names, of those that stay parked."""


def show_counts(counts: list[Count]) -> None:
    """Print how many records there are, by group, state and kind of fault."""
    table = Table("Group", "State", "Fault", "Records", "First parked", "Last parked")
    table.columns[3].justify = "right"
    for one in counts:
        first, last = _utc(one.first_parked_at), _utc(one.last_parked_at)
        table.add_row(clean(one.group), one.state, clean(one.code), str(one.records), first, last)
    out.print(table)


def show_heads(heads: list[Head]) -> None:
    """Print a page of records, group by group, each in a line or two."""
    for group, ones in groupby(heads, lambda head: head.group):
        table = Table(title=clean(group), title_justify="left")
        for heading in ("Place", "State", "Fault"):
            table.add_column(heading, no_wrap=True)
        table.add_column("Reason")
        for one in ones:
            place = f"{one.topic}/{one.partition}/{one.offset}"
            table.add_row(clean(place), one.state, clean(one.code), clean(one.reason[:LISTED_CHARACTERS]))
        out.print(table)


def all_of(record: Parked) -> dict[str, object]:
    """A record for a program, with all that is known of it."""
    bytes_: dict[str, object] = {
        "key": _both(record.key),
        "value": _both(record.value),
        "headers": [{"name": name, **_both(data)} for name, data in record.headers],
        "new": record.new and record.new._asdict(),
    }
    return {**msgspec.structs.asdict(record), **bytes_}


def _both(data: bytes | None) -> dict[str, str | None]:
    """Bytes for a program: in base64, and as text where they are."""
    encoded = None if data is None else base64.b64encode(data).decode()
    return {"base64": encoded, "text": None if data is None else _decoded(data)}


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def show_record(record: Parked) -> None:
    """Print a record, with its bytes as far as they can be shown."""
    place = f"{record.topic}/{record.partition}/{record.offset}"
    lines = {
        "group": record.group,
        "place": place,
        "time": _utc(record.time),
        "parked": _utc(record.parked_at),
        "fault": f"{record.code}: {record.reason}",
        "state": _fate(record),
        "key": _shown(record.key),
    }
    for name, text in lines.items():
        out.print(f"{name:<8} {clean(text)}", soft_wrap=True)
    out.print("headers")
    for name, data in record.headers:
        out.print(f"  {clean(name)}: {clean(_shown(data))}", soft_wrap=True)
    out.print("value")
    for line in _shown(record.value).split("\n"):
        out.print(f"  {clean(line)}", soft_wrap=True)


def _fate(record: Parked) -> str:
    if record.settled_at is None:
        return record.state
    new = f"; new record {record.new.topic}/{record.new.partition}/{record.new.offset}" if record.new else ""
    reason = f": {record.discard_reason}" if record.discard_reason else ""
    return f"{record.state} {_utc(record.settled_at)} by {record.settled_by}{reason}{new}"


def _shown(data: bytes | None) -> str:
    """Bytes for a person: text where they are text, else hex; where they are many, their beginning."""
    if data is None:
        return "null"
    text = _decoded(data)
    shown = data.hex(" ") if text is None else text
    if len(shown) <= SHOWN_CHARACTERS:
        return shown
    return f"{shown[:SHOWN_CHARACTERS]}… ({len(data)} bytes; `lapstream parked export` writes all)"


def _utc(moment: dt.datetime | None) -> str:
    return "-" if moment is None else f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def show_outcomes(outcomes: list[Outcome], staying: list[Outcome], *, dry_run: bool) -> None:
    """Print what a redrive did, or would do."""
    would = "would be " if dry_run else ""
    again = sum(1 for outcome in outcomes if outcome.new)
    published = f" ({again} of them published again)" if again else ""
    stay = "would stay" if dry_run else "stay"
    out.print(f"{len(outcomes) - len(staying)} {would}redriven{published}, {len(staying)} {stay} parked")
    for code, number in Counter(outcome.code for outcome in staying).most_common():
        out.print(f"  {number} for {clean(code or '')}")
    for one in staying[:LISTED_OUTCOMES]:
        out.print(
            clean(f"  {one.topic}/{one.partition}/{one.offset}: {one.code}: {one.reason}"), soft_wrap=True
        )
