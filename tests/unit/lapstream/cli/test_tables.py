"""Tables of the command line, in any width."""

import io

import pytest
from rich.console import Console, RenderableType

from lapstream.cli.imports import import_progress
from lapstream.cli.tables import Listing

ROW = ("0123456789abcdef", "a name of many words, or so", "2026-11-23 04:01:07 UTC", "1,234")


def drawn(shown: RenderableType, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as captured:
        console.print(shown)
    return captured.get()


def a_table() -> Listing:
    table = Listing("Id", "Name", "When", "Number", folded={"Name"}, worded={"When"}, right={"Number"})
    table.add(*ROW)
    return table


@pytest.mark.parametrize("width", range(30, 130))
def test_nothing_is_cut_and_ids_are_whole_in_any_width(width: int) -> None:
    said = drawn(a_table(), width)
    assert max(map(len, said.splitlines())) <= width
    assert all(whole in said for whole in ("0123456789abcdef", "2026-11-23", "04:01:07", "1,234"))
    assert {*"".join(ROW)} <= {*said}
    assert "…" not in said


def test_rows_that_are_too_wide_are_shown_one_below_the_other() -> None:
    assert "│ Number │" in drawn(a_table(), 40)
    assert "│ Number │" not in drawn(a_table(), 60)


def test_words_stay_whole_where_there_is_room_for_them() -> None:
    table = Listing("Driver", "Class", "Transponder", folded={"Driver", "Class"})
    table.add("Tobin Everard-Stokes", "1/8 Electric Buggy", "4134980")
    assert {"Everard-Stokes", "Electric", "4134980"} <= {*drawn(table, 40).replace("│", " ").split()}


def test_rows_that_would_be_taller_side_by_side_are_shown_one_below_the_other() -> None:
    table = Listing("Variable", "Value", "Effect", folded={"Value", "Effect"})
    table.add("LAPSTREAM_KAFKA_BOOTSTRAP", "127.0.0.1:9092", "long words " * 20)
    for width, side_by_side in ((80, False), (160, True)):
        assert ("━" in drawn(table, width)) is side_by_side


@pytest.mark.parametrize("width", [60, 80, 120])
def test_nothing_of_an_import_in_progress_is_cut(width: int) -> None:
    progress = import_progress()
    waiting = "the site is paused: `lapstream site resume` lets it go on"
    progress.add_task(f"sample-track 2025-10-25: {waiting}", total=None, laps=0, failed=0)
    said = drawn(progress.make_tasks_table(progress.tasks), width)
    assert "…" not in said
    assert "0:00:00" in said
    assert {*waiting.split()} <= {*said.split()}
