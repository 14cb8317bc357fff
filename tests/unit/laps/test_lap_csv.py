"""Rows as CSV: read back as they were, and nothing in them is run by a spreadsheet."""

import csv
import datetime as dt
import io
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from laps.csv_text import RUN_AS_FORMULA, csv_lines


class Row(Struct, frozen=True, kw_only=True):
    """A row of everything that rows hold."""

    name: str | None = None
    number: float | int | None = None
    flag: bool | None = None
    day: dt.date | None = None
    moment: dt.datetime | None = None
    id: UUID | None = None
    names: list[str] | None = None


def written(*rows: Row) -> str:
    return "".join(csv_lines(Row, rows))


def cells(row: Row) -> dict[str, str]:
    """A row as another program reads it."""
    [found] = csv.DictReader(io.StringIO(written(row), newline=""))
    return found


def test_no_rows_still_have_a_header() -> None:
    assert written() == "name,number,flag,day,moment,id,names\n"


@pytest.mark.parametrize(
    ("facts", "cell"),
    [
        ({"name": "Zoë, the “quick”"}, '"Zoë, the “quick”"'),
        ({"name": 'a "b"'}, '"a ""b"""'),
        ({"name": "two\nlines"}, '"two\nlines"'),
        ({"name": "two\r=1+1"}, '"two\r=1+1"'),
        ({"number": -0.5}, "-0.5"),
        ({"number": 30}, "30"),
        ({"flag": True}, "true"),
        ({"day": dt.date(2025, 10, 25)}, "2025-10-25"),
        ({"moment": dt.datetime(2025, 10, 25, 14, 44, 10)}, "2025-10-25T14:44:10"),
        ({"id": UUID(int=0)}, "00000000-0000-0000-0000-000000000000"),
        ({"names": ["A", "B, C"]}, '"A; B, C"'),
        ({}, ""),
    ],
)
def test_each_kind_of_value_is_written_plainly(facts: dict[str, Any], cell: str) -> None:
    row = Row(**facts)
    [name] = facts or ["name"]
    before = "," * Row.__struct_fields__.index(name)
    assert written(row).split("\n", 1)[1].startswith(f"{before}{cell}")


@pytest.mark.parametrize("begin", RUN_AS_FORMULA)
def test_what_a_spreadsheet_would_run_is_text(begin: str) -> None:
    evil = f'{begin}HYPERLINK("http://evil")'
    assert cells(Row(name=evil))["name"] == f"'{evil}"
    assert cells(Row(names=[evil, "x"]))["names"] == f"'{evil}; x"


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False) | st.integers(-999, 999) | st.none())
def test_any_text_is_read_back_and_begins_no_formula(name: str, number: float | None) -> None:
    found = cells(Row(name=name.replace("\0", ""), number=number))
    assert found["name"].removeprefix("'") == name.replace("\0", "").removeprefix("'")
    assert not found["name"].startswith(RUN_AS_FORMULA)
    assert (float(found["number"]) if found["number"] else None) == number
