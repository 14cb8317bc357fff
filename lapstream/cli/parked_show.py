"""Parked records on the terminal, and as JSON: whatever a producer wrote is shown as data."""

import base64
from collections import Counter
from collections.abc import Mapping

from rich.padding import Padding

from lapstream.cli.output import clean, out, utc
from lapstream.cli.tables import Listing
from ops.parked.mending import where
from ops.parked.queries import Count, Head, Parked, RecordPlace, by_place
from ops.parked.redrive import RedriveOutcome

SHOWN_CHARACTERS = 4_000
"""The most that is shown of a key, a value or a header."""

LISTED_CHARACTERS = 160
"""The most of a reason that is listed."""

LISTED_OUTCOMES = 50
"""The most records that a redrive names, of those that stay parked."""


def show_counts(counts: list[Count]) -> None:
    """Print how many records there are, by state and kind of fault, and in how many groups."""
    table = Listing(
        "State",
        "Fault",
        "Groups",
        "Records",
        "First parked",
        "Last parked",
        folded={"Fault"},
        worded={"First parked", "Last parked"},
        right={"Groups", "Records"},
    )
    for one in counts:
        numbers = (str(len(one.groups)), str(one.records))
        times = (utc(one.first_parked_at), utc(one.last_parked_at))
        table.add(one.state, clean(one.code), *numbers, *times)
    out.print(table)


def show_heads(heads: list[Head]) -> None:
    """Print a page of records, each once: its place, and what each of the groups that parked it found."""
    for place, ones in by_place(heads):
        of = f", of {ones[0].source}" if ones[0].source else ""
        out.print(clean(f"{where(place)}{of}"), soft_wrap=True)
        found: dict[tuple[str, str, str], list[str]] = {}
        for one in ones:
            reason = one.reason[:LISTED_CHARACTERS]
            found.setdefault((one.state, one.code, reason), []).append(one.group)
        for (state, code, reason), groups in found.items():
            said = clean(f"{state}: {code}: {reason} ({', '.join(groups)})")
            out.print(Padding(said, (0, 0, 0, 2)))


def entries(heads: list[Head]) -> list[dict[str, object]]:
    """Records for a program, each once, with what each of the groups that parked it found."""
    return [
        {**place._asdict(), "source": ones[0].source, "groups": [_of_group(one, Head) for one in ones]}
        for place, ones in by_place(heads)
    ]


def _of_group(head: Head, form: type[Head]) -> dict[str, object]:
    """What differs by group, of the fields that this form has."""
    names = (name for name in form.__struct_fields__ if name not in _OF_RECORD)
    return {name: getattr(head, name) for name in names}


_OF_RECORD = {*RecordPlace._fields, "source", "key", "value", "headers", "time", "sha256"}
"""What each group found the same: the record."""


def all_of(copies: list[Parked]) -> dict[str, object]:
    """A record for a program, with all that is known of it, and what became of it in each group."""
    record = copies[0]
    return {
        **record.place._asdict(),
        "source": record.source,
        "time": record.time,
        "key": _both(record.key),
        "value": _both(record.value),
        "sha256": record.sha256,
        "headers": [{"name": name, **_both(data)} for name, data in record.headers],
        "groups": [{**_of_group(one, Parked), "new": one.new and one.new._asdict()} for one in copies],
    }


def _both(data: bytes | None) -> dict[str, str | None]:
    """Bytes for a program: in base64, and as text where they are."""
    encoded = None if data is None else base64.b64encode(data).decode()
    return {"base64": encoded, "text": None if data is None else _decoded(data)}


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def show_record(copies: list[Parked]) -> None:
    """Print a record, with what became of it in each group, and its bytes as far as they can be shown."""
    record = copies[0]
    _show_lines({"place": where(record.place), "source": record.source or "-", "time": utc(record.time)})
    for one in copies:
        _show_lines(
            {
                "group": one.group,
                "parked": utc(one.parked_at),
                "fault": f"{one.code}: {one.reason}",
                "state": _fate(one),
            }
        )
    if record.sha256:
        _show_lines({"bytes": f"pruned; SHA-256 of key/value {record.sha256}; they are in the topic"})
    _show_lines({"key": _shown(record.key)})
    out.print("headers")
    for name, data in record.headers:
        out.print(f"  {clean(name)}: {clean(_shown(data))}", soft_wrap=True)
    out.print("value")
    for line in _shown(record.value).split("\n"):
        out.print(f"  {clean(line)}", soft_wrap=True)


def _show_lines(lines: Mapping[str, str]) -> None:
    for name, text in lines.items():
        out.print(f"{name:<8} {clean(text)}", soft_wrap=True)


def _fate(record: Parked) -> str:
    if record.settled_at is None:
        return record.state
    new = f"; new record {where(record.new)}" if record.new else ""
    reason = f": {record.discard_reason}" if record.discard_reason else ""
    return f"{record.state} {utc(record.settled_at)} by {record.settled_by}{reason}{new}"


def _shown(data: bytes | None) -> str:
    """Bytes for a person: text where they are text, else hex; where they are many, their beginning."""
    if data is None:
        return "null"
    text = _decoded(data)
    shown = data.hex(" ") if text is None else text
    if len(shown) <= SHOWN_CHARACTERS:
        return shown
    return f"{shown[:SHOWN_CHARACTERS]}… ({len(data)} bytes; `lapstream parked export` writes all)"


def show_outcomes(outcomes: list[RedriveOutcome], staying: list[RedriveOutcome], *, dry_run: bool) -> None:
    """Print what a redrive did, or would do; a record counts once, however many groups parked it."""
    would = "would be " if dry_run else ""
    again = sum(1 for outcome in outcomes if outcome.new)
    published = f" ({again} of them published again)" if again else ""
    stay = "would stay" if dry_run else "stay"
    done = len({one.place for one in outcomes if one.redriven})
    left = len({one.place for one in staying})
    out.print(f"{done} {would}redriven{published}, {left} {stay} parked")
    for code, number in Counter(code for _, code in {(one.place, one.code) for one in staying}).most_common():
        out.print(f"  {number} for {clean(code or '')}")
    said = dict.fromkeys(f"  {where(one.place)}: {one.code}: {one.reason}" for one in staying)
    for line in list(said)[:LISTED_OUTCOMES]:
        out.print(clean(line), soft_wrap=True)
