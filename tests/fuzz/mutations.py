"""Records that somebody has had his way with: good ones of every kind go in, broken and odd ones come out.

The same seed gives the same records. Each mutation knows what it changes: a field of the data, the JSON
around it, an attribute, a header, the key or the bytes.
"""

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from aiokafka import TopicPartition

from bench.kills.load import Load
from schemas.contract.examples import EVENTS
from schemas.envelope import Context, Outgoing, pack
from schemas.pages import pack_page
from tests.events import seen
from tests.fuzz.drafts import Draft, Path, children, draft_of, objects, part_at, put_at, written
from tests.fuzz.values import EXTREMES, HEADERS, NAMES, NUMBERS, OTHERS, RAW, TEXTS, TYPES
from tests.raw_records import CODECS, RawRecord

UNTOUCHED = 0.4
"""The part of the records that stay good."""

HOW_MANY = (1, 1, 1, 2, 3)
"""Mutations of one record."""

GO_DEEPER = 0.7

Mutation = Callable[[random.Random, Draft], None]


def _path(rng: random.Random, draft: Draft) -> Path:
    """A place in the data, each field of an object as likely as the others, whatever lies in it."""
    path: Path = ()
    part: Any = draft.data
    while (there := children(part)) and (not path or rng.random() < GO_DEEPER):
        step, part = rng.choice(there)
        path = (*path, step)
    return path


def set_value(rng: random.Random, draft: Draft) -> None:
    """Another value anywhere in the data, of its own kind or of any other."""
    part = rng.choice([rng.choice(TEXTS), rng.choice(NUMBERS), rng.choice(OTHERS)])
    draft.data = put_at(draft.data, _path(rng, draft), copy.deepcopy(part))


def set_extreme(rng: random.Random, draft: Draft) -> None:
    """A value at a field's bounds, for a field that is there or could be."""
    place = rng.choice([*objects(draft.data)] or [None])
    if place is not None:
        facts = part_at(draft.data, place)
        known = [name for name in facts if name in EXTREMES]
        name = rng.choice(known if known and rng.random() < 0.8 else list(EXTREMES))
        facts[name] = copy.deepcopy(rng.choice(EXTREMES[name]))


def nudge_value(rng: random.Random, draft: Draft) -> None:
    """A value that is almost as it was: still good, or just outside."""
    path = _path(rng, draft)
    draft.data = put_at(draft.data, path, rng.choice(_nearly(part_at(draft.data, path))))


def _nearly(part: Any) -> list[Any]:
    if isinstance(part, bool) or part is None:
        return [not part, str(part)]
    if isinstance(part, int | float):
        return [part + 1, part - 1, -part, part * 1000, part + 0.0004, part / 3, str(part)]
    if isinstance(part, str):
        return [f"{part} ", f" {part}", f"{part}\n", part[:-1], part.upper(), f"{part}é", part * 2]
    if isinstance(part, list):
        return [part * 2, part[::-1], part[:-1], [*part, None], {"items": part}]
    return [[part], None]


def leave_out(rng: random.Random, draft: Draft) -> None:
    """A field or an item that is not there."""
    path = _path(rng, draft)
    if path:
        del part_at(draft.data, path[:-1])[path[-1]]


def swap_values(rng: random.Random, draft: Draft) -> None:
    """A part of the data in place of another."""
    path = _path(rng, draft)
    draft.data = put_at(draft.data, _path(rng, draft), copy.deepcopy(part_at(draft.data, path)))


def add_field(rng: random.Random, draft: Draft) -> None:
    """A field that nobody knows, or one of another type, in some object."""
    places = list(objects(draft.data))
    if places:
        name = rng.choice(
            ["weather", "valid_lap_range", "sessions", "laps", "", "a\0b", "x" * 3_000, "\ud800"]
        )
        part_at(draft.data, rng.choice(places))[name] = rng.choice([*TEXTS, *NUMBERS, *OTHERS])


def write_raw(rng: random.Random, draft: Draft) -> None:
    """Something that is hardly JSON in place of a value, or a name that stands twice."""
    part = part_at(draft.data, _path(rng, draft))
    text = written(part)
    draft.edits.append((text, rng.choice([*RAW, text + text, b'{"a":1,"a":1}'])))


def name_twice(rng: random.Random, draft: Draft) -> None:
    """A name that an object has twice, the same or with another value."""
    if there := [step for step, _ in children(draft.data) if isinstance(step, str)]:
        other = rng.choice([b"1", b"null", b'"x"'])
        draft.edits.append((b"{", b"{" + written(rng.choice(there)) + b":" + other + b","))


def set_header(rng: random.Random, draft: Draft) -> None:
    """A header with another value, there already or not."""
    name, value = rng.choice(NAMES), rng.choice(HEADERS)
    if rng.random() < 0.5:
        draft.headers = [one for one in draft.headers if one[0] != name]
    draft.headers.insert(rng.randrange(len(draft.headers) + 1), (name, value))


def leave_header_out(rng: random.Random, draft: Draft) -> None:
    """A header that is not there."""
    if draft.headers:
        draft.headers.remove(rng.choice(draft.headers))


def spell_header(rng: random.Random, draft: Draft) -> None:
    """A header's name or value, written otherwise."""
    if draft.headers:
        at = rng.randrange(len(draft.headers))
        name, value = draft.headers[at]
        other = rng.choice([name.upper(), name.title(), b" " + name, name.replace(b"_", b"-"), name])
        draft.headers[at] = (other, value and rng.choice([value, value + b" ", value * 2, value[:-1]]))


def set_type(rng: random.Random, draft: Draft) -> None:
    """Another type for the same data."""
    draft.headers = [
        (name, rng.choice(TYPES) if name == b"ce_type" else text) for name, text in draft.headers
    ]


def add_headers(rng: random.Random, draft: Draft) -> None:
    """As many headers as a record may have, and more."""
    draft.headers += [(b"x", b"")] * rng.choice([10, 990, 1_001])


def be_structured(rng: random.Random, draft: Draft) -> None:
    """The same in structured mode."""
    draft.structured, draft.base64 = True, rng.random() < 0.3


def set_key(rng: random.Random, draft: Draft) -> None:
    """Another day's key, or none at all."""
    draft.key = rng.choice([None, b"", b"\xff\0", b"liverc/track-1/2025-01-01", rng.randbytes(40)])


def change_bytes(rng: random.Random, draft: Draft) -> None:
    """Bytes of the value that are others, too many or gone."""
    found = draft.record()
    draft.headers, value = list(found.headers), bytearray(found.value or b"")
    at = rng.randrange(len(value) + 1)
    match rng.randrange(5):
        case 0:
            value[at : at + 1] = rng.randbytes(1)
        case 1:
            value[at:at] = rng.choice([b"\xef\xbb\xbf", b"\0", b"\\", b'"', b"}", b" "])
        case 2:
            del value[at:]
        case 3:
            value = bytearray(value.decode(errors="replace").encode("utf-16"))
        case _:
            value[at:] = value[at:] * 2
    draft.value = bytes(value)


def set_bytes(rng: random.Random, draft: Draft) -> None:
    """Any value at all; of a record without one, too."""
    draft.value, draft.data, draft.structured = (
        rng.choice([b"", b"{}", b"null", b"[]", rng.randbytes(30)]),
        {},
        False,
    )


def have_no_value(rng: random.Random, draft: Draft) -> None:
    """A record that holds nothing, as a compacted topic's."""
    draft.without_value = True


OF_DATA: tuple[Mutation, ...] = (
    *[set_extreme] * 4,
    set_value,
    nudge_value,
    leave_out,
    swap_values,
    add_field,
    write_raw,
    name_twice,
)
OF_RECORD: tuple[Mutation, ...] = (
    set_header,
    leave_header_out,
    spell_header,
    set_type,
    add_headers,
    be_structured,
    set_key,
    change_bytes,
    set_bytes,
    have_no_value,
)


class Fuzz:
    """An endless row of records for the topic of days, or for that of pages."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._load = Load(seed)
        self._examples = [pack(event, Context(source="fuzz")) for event in EVENTS]

    def days(self) -> Iterator[RawRecord]:
        """Records for the topic of days: imports of days that change, and every other type."""
        while True:
            for sent in self._load.import_():
                yield self._mutated(sent.record)
            yield self._mutated(self._rng.choice(self._examples))

    def pages(self) -> Iterator[RawRecord]:
        """Records for the topic of pages, an event among them now and then."""
        while True:
            page = self._page()
            yield self._mutated(self._rng.choice([*self._examples, *[page] * 30]))

    def _page(self) -> Outgoing:
        return pack_page(
            url=f"https://track.example/{self._rng.randrange(500)}",
            status=self._rng.choice([200, 304, 404]),
            headers={"etag": f'"{self._rng.randrange(9)}"', "last-modified": "Sat, 25 Oct 2025 10:00:00 GMT"},
            body=b"<html></html>",
            observed_at=seen(self._rng.randrange(10_000)),
            context=Context(source="fuzz"),
        )

    def _mutated(self, record: Outgoing) -> RawRecord:
        draft = draft_of(record)
        if self._rng.random() >= UNTOUCHED:
            for _ in range(self._rng.choice(HOW_MANY)):
                kinds = OF_RECORD if draft.value is not None or self._rng.random() < 0.5 else OF_DATA
                self._rng.choice(kinds)(self._rng, draft)
        return draft.record()

    def batches(
        self, records: Iterator[RawRecord], places: Sequence[TopicPartition]
    ) -> Iterator[tuple[list[RawRecord], int, TopicPartition]]:
        """Records in batches, each with the codec that packs it, and one of these places."""
        while batch := list(islice(records, self._rng.choice([1, 5, 50, 200]))):
            yield batch, self._rng.choice(CODECS), self._rng.choice(places)
