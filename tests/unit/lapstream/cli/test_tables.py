"""Tables of the command line, in any width."""

import io

import pytest
from rich.console import Console

from lapstream.cli.tables import Listing

ROW = ("0123456789abcdef", "a name of many words, or so", "2026-11-23 04:01:07 UTC", "1,234")


def drawn(width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    table = Listing("Id", "Name", "When", "Number", folded={"Name"}, worded={"When"}, right={"Number"})
    table.add(*ROW)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


@pytest.mark.parametrize("width", range(30, 130))
def test_nothing_is_cut_and_ids_are_whole_in_any_width(width: int) -> None:
    said = drawn(width)
    assert max(map(len, said.splitlines())) <= width
    assert all(whole in said for whole in ("0123456789abcdef", "2026-11-23", "04:01:07", "1,234"))
    assert {*"".join(ROW)} <= {*said}
    assert "…" not in said


def test_rows_that_are_too_wide_are_shown_one_below_the_other() -> None:
    assert "│ Number │" in drawn(40)
    assert "│ Number │" not in drawn(60)
