"""When a swap waits for somebody, and how a report reads."""

from msgspec import Raw

from ops.rebuild.report import ColumnChange, RebuildReport, RowDifference, TableReport, lines


def table(*, added: int = 0, changed: int = 0, gone: int = 0) -> TableReport:
    return TableReport(
        table="laps",
        live_rows=1_000,
        rebuilt_rows=1_000,
        live_checksum="a",
        rebuilt_checksum="b" if added or changed or gone else "a",
        counts={"added": added, "changed": changed, "gone": gone},
    )


def report(*tables: TableReport) -> RebuildReport:
    return RebuildReport(projection="practice-days", records=7, seconds=0.5, tables=list(tables))


def test_equal_tables_worry_nobody() -> None:
    assert report(table()).equal
    assert not report(table()).worrying


def test_one_row_that_would_vanish_makes_the_swap_wait() -> None:
    assert report(table(), table(gone=1)).worrying


def test_rows_that_come_do_not_make_it_wait() -> None:
    found = report(table(added=900))
    assert not found.equal
    assert not found.worrying


def test_one_percent_of_a_table_may_change_and_no_more() -> None:
    assert not report(table(changed=10)).worrying
    assert report(table(changed=11)).worrying


def test_tables_with_the_same_rows_and_another_checksum_are_not_equal() -> None:
    assert not table(changed=1).equal


def test_a_report_names_each_row_its_cause_and_both_values() -> None:
    change = ColumnChange(column="name", live=Raw(b"null"), rebuilt=Raw(b'"A"'))
    difference = RowDifference(
        kind="changed", key="liverc/track", cause="unexplained", observation="e1", changes=(change,)
    )
    one = TableReport(
        table="tracks",
        live_rows=1,
        rebuilt_rows=1,
        live_checksum="a",
        rebuilt_checksum="b",
        counts={"changed": 1},
        causes={"unexplained": 1},
        sample=[difference],
    )
    assert list(lines(report(one))) == [
        "practice-days: 7 records, compared in 0.5 s",
        "tracks: 1 rows live, 1 rebuilt: 1 changed",
        "  1 hand-made or unexplained",
        "  changed liverc/track, unexplained, by e1",
        '    name: null -> "A"',
    ]
