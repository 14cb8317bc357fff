"""The same facts by BeautifulSoup with Python's own parser: bytes go in, facts come out.

Only the taking of texts out of a tree is written anew: what they mean is said by the same functions, so
that the two parsers and their traversal are what is compared.
"""

from bs4 import BeautifulSoup, Tag

from producer.pages.day import DayTexts, RowTexts, day_facts
from producer.pages.day_stats import LeaderTexts, StatsTexts
from producer.pages.page import check_whole
from producer.pages.scripts import with_laps
from producer.pages.session import SessionTexts, session_facts
from producer.pages.text import folded
from schemas.events import DayFacts, SessionFacts


def parse_day(body: bytes, url: str) -> DayFacts:
    """A day list's facts."""
    check_whole(body, url)
    soup = BeautifulSoup(body.decode(), "html.parser")
    table = soup.find("table", class_="practice_session_list")
    assert table is not None
    texts = DayTexts(
        title=_text(soup.title),
        heading=_text(soup.find("h5", class_="page-header")),
        track=_text(soup.find("h1", class_="page-header")),
        rows=[_row(row) for row in _rows(table)],
        stats=_stats(soup, table),
    )
    return day_facts(texts, url, None)


def parse_session(body: bytes, url: str, session_id: str) -> SessionFacts:
    """A session page's facts."""
    check_whole(body, url)
    soup = BeautifulSoup(body.decode(), "html.parser")
    table = soup.find("table", class_="table")
    assert table is not None
    cells: dict[str, str] = {}
    for row in _rows(table):
        head, cell = _children(row)
        name = _text(head)
        cells[name] = _own_text(cell) if name == "Valid Lap Range" else _text(cell)
    shown = soup.find("div", class_="laps_list")
    texts = SessionTexts(
        title=_text(soup.title),
        cells=cells,
        laps=[_text(span) for span in shown.find_all("span")] if shown else [],
        script=with_laps([node.string or "" for node in soup.find_all("script")]),
    )
    return session_facts(texts, url, session_id, None, None)


def _text(node: Tag | None) -> str:
    return "" if node is None else folded(node.get_text(" "))


def _own_text(node: Tag) -> str:
    return folded(" ".join(node.find_all(string=True, recursive=False)))


def _children(node: Tag) -> list[Tag]:
    return [child for child in node.children if isinstance(child, Tag)]


def _rows(table: Tag) -> list[Tag]:
    bodies = table.find_all("tbody", recursive=False)
    return [row for body in bodies for row in body.find_all("tr", recursive=False)]


def _href(link: Tag | None) -> str | None:
    return None if link is None else str(link["href"])


def _row(row: Tag) -> RowTexts:
    who, when, laps, times = _children(row)
    link = who.find("a")
    return RowTexts(
        _href(link), _text(link), _text(who.find("small")), _text(when.find("div")), _text(laps), _text(times)
    )


def _stats(soup: BeautifulSoup, sessions: Tag) -> StatsTexts:
    totals: dict[str, str] = {}
    leaders: list[LeaderTexts] = []
    chart: str | None = None
    for table in soup.find_all("table"):
        if table is sessions:
            continue
        for row in _rows(table):
            head, *cells = _children(row)
            if not cells:
                script = head.find("script")
                chart = script.string if script else chart
            elif link := cells[0].find("a"):
                small = _text(cells[0].find("small"))
                leaders.append(LeaderTexts(_text(head), _href(link), _text(link), small))
            else:
                totals[_text(head)] = _text(cells[0])
    return StatsTexts(totals, leaders, chart)
