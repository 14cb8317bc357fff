"""The site's pages, read: bytes go in, facts come out, or a `PageError` that says what stood there.

Pure: no client, no clock, nothing asynchronous. `findings.Code` lists what a parser may notice.

text, values, scripts    texts, and data in scripts, to values
page, tables, notices    opening a page; its tables, and its words for a day without practice
refusing                 what stands there instead: a bot check, a login, an error page
day, day_stats, day_checks; session, laps; month; catalogue    the four pages
"""

from producer.pages.catalogue import CataloguePage, CatalogueTrack, parse_catalogue
from producer.pages.day import parse_day
from producer.pages.errors import (
    BotCheck,
    EmptyBody,
    ErrorPage,
    LoginPage,
    NotThatPage,
    PageError,
    TooComplex,
    TooManyEntries,
    TruncatedPage,
    WrongDate,
    WrongSession,
)
from producer.pages.month import MonthDay, MonthPage, parse_month
from producer.pages.session import parse_session

PARSER_VERSION = 2
"""Rises whenever the same page gives other facts; of two readings of one page the higher version counts."""

__all__ = [
    "PARSER_VERSION",
    "BotCheck",
    "CataloguePage",
    "CatalogueTrack",
    "EmptyBody",
    "ErrorPage",
    "LoginPage",
    "MonthDay",
    "MonthPage",
    "NotThatPage",
    "PageError",
    "TooComplex",
    "TooManyEntries",
    "TruncatedPage",
    "WrongDate",
    "WrongSession",
    "parse_catalogue",
    "parse_day",
    "parse_month",
    "parse_session",
]
