"""Tables: each is known by the texts of its header, wherever its cells lie.

In: a page's tree. Out: rows as their cells. A table that holds another table is layout, and never read; so
no cell is looked at twice, however deep tables are nested.
"""

from collections.abc import Iterable, Iterator, Sequence

from selectolax.lexbor import LexborHTMLParser, LexborNode

from producer.pages.page import text_of
from producer.pages.text import folded

Row = list[LexborNode]
"""A row's cells."""

Table = list[Row]
"""A table's rows, in the order of the page."""

_READ = "table:not(:has(table))"
_SECTIONS = frozenset({"thead", "tbody", "tfoot"})


def tables_of(tree: LexborHTMLParser) -> list[Table]:
    """The tables that hold no table."""
    return [list(_rows(table)) for table in tree.css(_READ)]


def find_table(tables: Iterable[Table], header: Sequence[str]) -> Table | None:
    """The first table one of whose rows is this header."""
    return next((table for table in tables if any(is_header(row, header) for row in table)), None)


def is_header(row: Row, header: Sequence[str]) -> bool:
    """Whether the row's cells hold these texts, and nothing else."""
    return len(row) == len(header) and all(map(_holds, row, header))


def headed_cells(table: Table) -> Iterator[tuple[str, LexborNode]]:
    """Of each row that begins with a heading, its text and the cell beside it."""
    for row in table:
        if len(row) > 1 and row[0].tag == "th":
            yield folded(row[0].text_lexbor()), row[1]


def _rows(table: LexborNode) -> Iterator[Row]:
    for part in table.iter():
        tag = part.tag
        if tag in _SECTIONS:
            for row in part.iter():
                if row.tag == "tr":
                    yield list(row.iter())
        elif tag == "tr":
            yield list(part.iter())


def _holds(cell: LexborNode, text: str) -> bool:
    return text_of(cell) == text
