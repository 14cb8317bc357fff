"""Tables that fit the terminal: nothing is cut off, and ids, dates, states and numbers stay in one piece."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

ROOMY_WIDTH = 100
"""From so many columns on a table has space between its lines and its words."""

FOLDED_WIDTH = 8
"""The least width of a column in `folded`; less only where its heading and all cells are shorter."""


class Listing:
    """Rows under headings; where they are too wide for the terminal, one row below the other.

    Columns in `folded` may be broken anywhere, though between words where there is room for each; those in
    `worded` between words, all others nowhere. Where that makes the table longer than its rows one below the
    other, they are shown so, too. Cells are printed as they are: what others wrote goes through `clean`.
    """

    def __init__(
        self,
        *headings: str,
        folded: Container[str] = (),
        worded: Container[str] = (),
        right: Container[str] = (),
        title: str | None = None,
    ) -> None:
        self._headings = headings
        self._folded = folded
        self._worded = worded
        self._right = right
        self._title = title
        self._rows: list[Sequence[str]] = []

    def add(self, *cells: str) -> None:
        """Add a row."""
        self._rows.append(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        """The table, for a terminal of this width."""
        padding = 1 if options.max_width >= ROOMY_WIDTH else 0
        room = options.max_width - len(self._headings) * (2 * padding + 1) - 1
        columns = list(zip(*self._rows, strict=True)) or [()] * len(self._headings)
        least = [self._least(*one) for one in zip(self._headings, columns, strict=True)]
        widths = self._widths(room, least, columns)
        if sum(least) > room or self._lines(widths) > len(self._rows) * (len(self._headings) + 1):
            yield facts(self._title, *(zip(self._headings, row, strict=True) for row in self._rows))
        else:
            yield self._table(widths, padding)

    def _widths(self, room: int, least: Sequence[int], columns: Iterable[Sequence[str]]) -> list[int]:
        """How wide each column becomes: first so that words stay whole, then cells in one line."""
        texts = [(name, *cells) for name, cells in zip(self._headings, columns, strict=True)]
        order = [name not in self._folded for name in self._headings]
        words = [_widest(word for text in column for word in text.split()) for column in texts]
        return _shared(room, _shared(room, least, words, order), [_widest(one) for one in texts], order)

    def _lines(self, widths: Sequence[int]) -> int:
        """How many lines the rows take, at least, in columns so wide."""
        return sum(
            max(-(-cell_len(cell) // width) or 1 for cell, width in zip(row, widths, strict=True))
            for row in self._rows
        )

    def _least(self, heading: str, cells: Iterable[str]) -> int:
        """How narrow a column may be."""
        if heading in self._folded:
            return min(FOLDED_WIDTH, _widest((heading, *cells)))
        words = heading.split()
        return _widest([*words, *(word for cell in cells for word in self._pieces(heading, cell))])

    def _pieces(self, heading: str, cell: str) -> Sequence[str]:
        return cell.split() if heading in self._worded else [cell]

    def _table(self, widths: Iterable[int], padding: int) -> Table:
        table = Table(title=self._title, title_justify="left", padding=(0, padding))
        for heading, width in zip(self._headings, widths, strict=True):
            side = "right" if heading in self._right else "left"
            table.add_column(Text(heading), width=width, overflow="fold", justify=side)
        for row in self._rows:
            table.add_row(*map(Text, row))
        return table


def facts(title: str | None, *groups: Iterable[tuple[str, str]]) -> Table:
    """Names with their values, each in a line of its own; a line is drawn between groups."""
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for group in groups:
        for name, value in group:
            table.add_row(Text(name), Text(value))
        table.add_section()
    return table


def facts_of(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The fields of a struct, as people read their names."""
    return ((name.replace("_", " "), str(value)) for name, value in values.items())


def _widest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)


def _shared(room: int, least: Sequence[int], most: Sequence[int], order: Sequence[bool]) -> list[int]:
    """How wide each column becomes: what is left goes to the one that takes most lines, first by `order`."""
    widths = list(least)
    while room > sum(widths):
        needing = [at for at, width in enumerate(widths) if width < most[at]]
        if not needing:
            break
        widths[min(needing, key=lambda at: (order[at], -(most[at] // widths[at]), widths[at]))] += 1
    return widths
