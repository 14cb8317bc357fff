"""Where a row comes from, on the terminal and as JSON."""

import asyncio
import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

import msgspec
from rich.table import Table as Grid

from lapstream.cli.output import clean, err, out, print_json
from ops.provenance.answer import Observation, Provenance, Table
from ops.provenance.explain import explain
from ops.provenance.search import search
from producer.site import Site
from runtime.database import connected
from runtime.settings import read_settings

SEARCH_SECONDS = 120.0
"""How long records are looked for in the log."""

SHOWN_CHARACTERS = 60
"""The most that is shown of a column's value; `--json` has all of it."""


def why(table: Table, key: str, *, as_json: bool) -> None:
    """Show where a row comes from."""
    settings = read_settings()
    with err.status("looking for the records…"):
        searching = partial(search, settings.broker, settings.topics, seconds=SEARCH_SECONDS)
        found = asyncio.run(explain(Site(settings.site), partial(connected, settings), table, key, searching))
    print_json(found) if as_json else show(found)


def show(found: Provenance) -> None:
    """Print the answer for a person to read."""
    _line(f"{found.table} {found.key}" + (f" ({found.id})" if found.id else ""))
    if found.note:
        _line(found.note)
    if found.exists_by:
        _line(f"whether the session exists is set by: {found.exists_by}")
    out.print(_grid(found))
    for _, ones in groupby(found.observations, lambda one: one.event_id):
        _show_event(list(ones))


def _line(text: str) -> None:
    out.print(clean(text), soft_wrap=True)


def _grid(found: Provenance) -> Grid:
    grid = Grid("Column", "Value", "Set by")
    for group in found.columns:
        for column in group.columns:
            value = "-" if found.row is None else _shown(found.row[column])
            grid.add_row(column, value, ", ".join(group.set_by) or "no observation states it")
    return grid


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return clean(text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…")


def _show_event(ones: Sequence[Observation]) -> None:
    """Print an event, which may be several of the row's observations: a list is also its rows'."""
    one = ones[-1]
    kinds = ", ".join(one.kind for one in ones)
    _line(f"{kinds}: event {one.event_id}" + (f", {one.event_type}" if one.event_type else ""))
    for name, text in _facts(one):
        _line(f"  {name:<8} {text}")


def _facts(one: Observation) -> Iterator[tuple[str, str]]:
    first = one.first_observed_at
    yield "seen", _utc(one.observed_at) + (f", the first time {_utc(first)}" if first else "")
    yield "parser", f"version {one.parser_version}; the content's digest is {one.content_digest}"
    yield "page", one.page_note or one.page_sha256 or "-"
    if page := one.page:
        again = ", and had not changed when it was seen" if page.fetched_at < one.observed_at else ""
        yield "", f"{page.url}, status {page.status}, fetched {_utc(page.fetched_at)}{again}"
        yield "", f"in the archive at {page.topic}/{page.partition}/{page.offset}"
    if record := one.record:
        yield (
            "record",
            f"{record.topic}/{record.partition}/{record.offset}, written {_utc(record.written_at)}",
        )
        yield "by", f"{record.producer}, for the run {record.run_id or '-'}"
    else:
        yield "record", one.record_note or "-"


def _utc(moment: dt.datetime | None) -> str:
    """A moment to the millisecond; pages of a session are seen within one second."""
    if moment is None:
        return "-"
    return f"{moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(' ', 'milliseconds')} UTC"
