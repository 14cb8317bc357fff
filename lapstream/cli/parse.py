"""A page from a file, and what the parsers say of it.

In: a saved page. Out: the fields of its event, as tables or as JSON, absent ones as null.
"""

import datetime as dt
import sys
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import msgspec
import typer
from rich.console import Console

from lapstream.cli import output
from lapstream.cli.tables import Listing
from producer.pages import parse_day, parse_month, parse_session
from producer.pages.bounds import check_repeats
from schemas.errors import LapstreamError

UNKNOWN = "unknown"
"""The session id that is shown when neither the address nor an option gives one: no page states its own."""

_FILE_WIDTH = 240

WHOLE_CHARACTERS = 24
"""A column without a longer value is not broken: ids, dates and numbers are shorter."""


def day(file: Path, date: dt.date | None, url: str | None, *, as_json: bool) -> None:
    """Read a day list."""
    body, address = _page(file, url)
    _show(parse_day(body, url=address, date=date), as_json=as_json)


def session(
    file: Path, session_id: str | None, date: dt.date | None, url: str | None, *, as_json: bool
) -> None:
    """Read a session's page."""
    known = session_id or _id_in(url or "") or UNKNOWN
    body, address = _page(file, url)
    _show(parse_session(body, url=address, session_id=known, date=date), as_json=as_json)


def month(file: Path, year_month: str | None, url: str | None, *, as_json: bool) -> None:
    """Read a month view."""
    body, address = _page(file, url)
    _show(parse_month(body, url=address, year_month=year_month), as_json=as_json)


def with_nulls(value: Any) -> Any:  # noqa: ANN401 - any struct, or what stands in one
    """The value with every field of every struct in it, also those that an event omits."""
    if isinstance(value, msgspec.Struct):
        return {name: with_nulls(field) for name, field in msgspec.structs.asdict(value).items()}
    if isinstance(value, list | tuple):
        return [with_nulls(each) for each in value]  # pyright: ignore[reportUnknownVariableType] - any items
    return value


def _page(file: Path, url: str | None) -> tuple[bytes, str]:
    """The page, which can be read within a second, and its address."""
    body, address = _read(file), _address(file, url)
    check_repeats(body, address)
    return body, address


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise LapstreamError(f"{file} can't be read: {error.strerror or error}") from error


def _address(file: Path, url: str | None) -> str:
    if url is None:
        return "file:stdin" if str(file) == "-" else file.absolute().as_uri()
    try:
        urlsplit(url)
    except ValueError as error:
        raise typer.BadParameter(f"{url!r} is no address: {error}", param_hint="--url") from error
    return url


def _id_in(url: str) -> str | None:
    try:
        return parse_qs(urlsplit(url).query).get("id", [None])[0]
    except ValueError:
        return None  # `_address` reports it


def _show(facts: msgspec.Struct, *, as_json: bool) -> None:
    fields: dict[str, Any] = with_nulls(facts)
    if as_json:
        output.print_json(fields)
        return
    _print_fields("", fields)
    for name, rows in _tables(fields):
        _console().print(_table(name, rows))


def _console() -> Console:
    """The terminal; into a file, a console that breaks no cell."""
    if output.out.is_terminal:
        return output.out
    return Console(width=_FILE_WIDTH, highlight=False, markup=False)


def _print_fields(prefix: str, fields: dict[str, Any]) -> None:
    """Single values, lists of numbers and empty ones, one a line; those of a struct inside under its name."""
    for name, value in fields.items():
        if isinstance(value, dict):
            _print_fields(f"{prefix}{name}.", value)  # pyright: ignore[reportUnknownArgumentType] - plain fields
        elif not _is_table(value):
            output.out.print(f"{prefix}{name}: {_cell(value)}", soft_wrap=True)


def _tables(fields: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    """The other lists, also those of structs inside."""
    tables: list[tuple[str, list[Any]]] = []
    for name, value in fields.items():
        if isinstance(value, dict):
            tables += _tables(value)  # pyright: ignore[reportUnknownArgumentType] - plain fields
        elif _is_table(value):
            tables.append((name, value))
    return tables


def _is_table(value: object) -> bool:
    """Whether it is a list of more than numbers."""
    return isinstance(value, list) and value != [] and not isinstance(cast("list[Any]", value)[0], float)


def _table(name: str, rows: list[Any]) -> Listing:
    dicts: list[dict[str, Any]] = [row if isinstance(row, dict) else {name: row} for row in rows]
    longest = {column: max(len(_cell(row[column])) for row in dicts) for column in dicts[0]}
    folded = {column for column, length in longest.items() if length > WHOLE_CHARACTERS}
    table = Listing(*longest, folded=folded, title=name)
    for row in dicts:
        table.add(*(_cell(value) for value in row.values()))
    return table


def _cell(value: object) -> str:
    return "-" if value is None or value == [] else output.clean(str(value))
