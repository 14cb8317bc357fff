"""The month view: a page's bytes go in, the days of a month that have practice come out."""

import datetime as dt
import re
from typing import Annotated, NamedTuple

from msgspec import Meta
from selectolax.lexbor import LexborHTMLParser, LexborNode

from producer.pages.errors import WrongDate
from producer.pages.findings import Code, Findings
from producer.pages.page import body_rows, check_whole, header_texts, open_page, refuse, text_of
from producer.pages.text import count, iso_date
from schemas.events import Finding, Value

_HEADERS = ["Date", "# Sessions"]
_YEAR_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
_DAY_LINK = re.compile(r"[?&]d=([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[&#]|$)")

YearMonth = Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]


class MonthDay(Value, frozen=True, kw_only=True):
    """A day with practice, and how many sessions it had when the page was made."""

    date: dt.date
    sessions: int


class MonthPage(Value, frozen=True, kw_only=True):
    """What the month view says: the month that is shown, the months on offer, the days."""

    year_month: YearMonth | None = None
    months: tuple[YearMonth, ...] = ()
    days: tuple[MonthDay, ...] = ()
    findings: tuple[Finding, ...] = ()


class MonthTexts(NamedTuple):
    """The months on offer, the one that is selected, and of each row the link and the number."""

    months: list[str]
    selected: str
    rows: list[tuple[str, str]]


def parse_month(body: bytes, *, url: str, year_month: str | None = None) -> MonthPage:
    """What the month view says; `year_month` (YYYY-MM) is the month that was asked for.

    Raises:
        PageError: the page is not a whole month view, or another month's.
    """
    tree = open_page(body, url)
    table = next((table for table in tree.css("table") if header_texts(table) == _HEADERS), None)
    if table is None or tree.css_first("select#available_session_months") is None:
        refuse(tree, body, url, "no list of months with a table of days")
    check_whole(body, url)
    return _facts(_texts(tree, table), url, year_month)


def _texts(tree: LexborHTMLParser, table: LexborNode) -> MonthTexts:
    options = tree.css("select#available_session_months option")
    months = [option.attributes.get("value") or "" for option in options]
    selected = (
        month for option, month in zip(options, months, strict=True) if "selected" in option.attributes
    )
    return MonthTexts(months, next(selected, ""), [_row_texts(row) for row in body_rows(table)])


def _row_texts(row: LexborNode) -> tuple[str, str]:
    link = row.css_first("a")
    cells = list(row.iter())
    return (link.attributes.get("href") or "" if link else "", text_of(cells[-1]) if cells else "")


def _facts(texts: MonthTexts, url: str, asked: str | None) -> MonthPage:
    findings = Findings()
    selected = texts.selected if _YEAR_MONTH.fullmatch(texts.selected) else None
    if asked is not None and selected is not None and selected != asked:
        raise WrongDate(url, f"the page is of {selected}, not of {asked}")
    days = [day for row in texts.rows if (day := _day(row, findings))]
    expected = asked or selected
    for day in days:
        if expected is not None and day.date.isoformat()[:7] != expected:
            raise WrongDate(url, f"the page lists {day.date}, which is not in {expected}")
    for month in texts.months:
        if not _YEAR_MONTH.fullmatch(month):
            findings.add(Code.UNREADABLE_VALUE, f"month on offer: {month}")
    return MonthPage(
        year_month=selected,
        months=tuple(month for month in texts.months if _YEAR_MONTH.fullmatch(month)),
        days=tuple(days),
        findings=findings.all(),
    )


def _day(row: tuple[str, str], findings: Findings) -> MonthDay | None:
    href, number = row
    match = _DAY_LINK.search(href)
    date, sessions = iso_date(match[1]) if match else None, count(number)
    if date is None or sessions is None:
        findings.add(Code.UNREADABLE_DAY, f"{href} | {number}")
        return None
    return MonthDay(date=date, sessions=sessions)
