"""The month view: a page's bytes go in, the days of a month that have practice come out."""

import datetime as dt
import re
from typing import Annotated, NamedTuple

from msgspec import Meta
from selectolax.lexbor import LexborHTMLParser

from producer.pages.errors import WrongDate
from producer.pages.findings import Code, Findings
from producer.pages.notices import nothing_ever
from producer.pages.page import check_whole, first, open_page, text_of, title_of
from producer.pages.refusing import refuse
from producer.pages.tables import Row, Table, find_table, is_header, tables_of
from producer.pages.text import LONG_MONTH, count, iso_date, long_month
from schemas.events import Finding, Value

_HEADERS = ["Date", "# Sessions"]
_TITLE = re.compile(rf".*\bPractice Sessions for ({LONG_MONTH})")
_YEAR_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
_DAY_LINK = re.compile(r"[?&]d=([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[&#]|$)")

YearMonth = Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])\Z")]


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
    """The title, the months on offer, the one that is selected, and of each row the link and the number."""

    title: str
    months: list[str]
    selected: str
    rows: list[tuple[str, str]]


def parse_month(body: bytes, *, url: str, year_month: str | None = None) -> MonthPage:
    """What the month view says; `year_month` (YYYY-MM) is the month that was asked for.

    Raises:
        PageError: the page is not a whole month view, or another month's.
    """
    tree = open_page(body, url)
    table = find_table(tables_of(tree), _HEADERS)
    if table is None and nothing_ever(tree) is None:
        refuse(tree, body, url, "neither a table of days nor the text of a track without practice")
    check_whole(body, url)
    return _facts(_texts(tree, table), url, year_month)


def _texts(tree: LexborHTMLParser, table: Table | None) -> MonthTexts:
    options = tree.css("select#available_session_months option")
    months = [option.attributes.get("value") or "" for option in options]
    selected = (
        month for option, month in zip(options, months, strict=True) if "selected" in option.attributes
    )
    rows = [_row_texts(row) for row in table if not is_header(row, _HEADERS)] if table else []
    return MonthTexts(title_of(tree), months, next(selected, ""), rows)


def _row_texts(row: Row) -> tuple[str, str]:
    links = (link for cell in row if (link := first(cell, "a")))
    link = next(links, None)
    return (link.attributes.get("href") or "" if link else "", text_of(row[-1]) if row else "")


def _facts(texts: MonthTexts, url: str, asked: str | None) -> MonthPage:
    findings = Findings()
    days = [day for row in texts.rows if (day := _day(row, findings))]
    for month in texts.months:
        if not _YEAR_MONTH.fullmatch(month):
            findings.add(Code.UNREADABLE_VALUE, f"month on offer: {month}")
    return MonthPage(
        year_month=_month_of(texts, days, url, asked),
        months=tuple(month for month in texts.months if _YEAR_MONTH.fullmatch(month)),
        days=tuple(days),
        findings=findings.all(),
    )


def _month_of(texts: MonthTexts, days: list[MonthDay], url: str, asked: str | None) -> str | None:
    """The month that the page names; it, and each of the days, must be of the one that was asked for."""
    selected = texts.selected if _YEAR_MONTH.fullmatch(texts.selected) else None
    titled = _TITLE.match(texts.title)
    named = [month for month in (selected, titled and long_month(titled[1])) if month]
    expected = asked or next(iter(named), None)
    for month in named:
        if month != expected:
            raise WrongDate(url, f"the page is of {month}, not of {expected}")
    for day in days:
        if expected is not None and day.date.isoformat()[:7] != expected:
            raise WrongDate(url, f"the page lists {day.date}, which is not in {expected}")
    return next(iter(named), None)


def _day(row: tuple[str, str], findings: Findings) -> MonthDay | None:
    href, number = row
    match = _DAY_LINK.search(href)
    date, sessions = iso_date(match[1]) if match else None, count(number)
    if date is None or sessions is None:
        findings.add(Code.UNREADABLE_DAY, f"{href} | {number}")
        return None
    return MonthDay(date=date, sessions=sessions)
