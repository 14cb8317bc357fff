from collections.abc import Callable
from typing import Any

import pytest

from producer.pages import (
    BotCheck,
    EmptyBody,
    ErrorPage,
    LoginPage,
    NotThatPage,
    PageError,
    TruncatedPage,
    parse_catalogue,
    parse_day,
    parse_month,
    parse_session,
)
from sandbox.sample_site.cases import cases_day
from sandbox.sample_site.render import render_bot_check, render_error_page, render_login, truncated
from tests.unit.producer.pages.samples import (
    DATE,
    SLUG,
    SPELLINGS,
    URL,
    case_page,
    cases_list,
    day_page,
    page,
    read_day,
    read_session,
    row,
    session_page,
)

PARSERS: list[Callable[[bytes], Any]] = [
    read_day,
    read_session,
    lambda body: parse_month(body, url=URL),
    lambda body: parse_catalogue(body, url=URL, slug_of=lambda _: None),
]


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", EmptyBody),
        (b" \n\t", EmptyBody),
        (render_bot_check(), BotCheck),
        (page("Checking your browser", ""), BotCheck),
        (b"<html><head><title>Just a moment...</title>", BotCheck),
        (render_login("Demo"), LoginPage),
        (render_error_page(), ErrorPage),
        (render_error_page("502 Bad Gateway"), ErrorPage),
        (b"<b>Fatal error</b>: Uncaught Exception in /site/index.php", ErrorPage),
        (b'{"status": "ok"}', NotThatPage),
        (b"\x89PNG\r\n\x1a\n\x00", NotThatPage),
        (page("Demo :: Results :: LiveRC", "<p>nothing</p>"), NotThatPage),
        (b"<!doctype html><html><head>", TruncatedPage),
        (truncated(cases_list()), TruncatedPage),
        (truncated(case_page("usual")), TruncatedPage),
    ],
)
def test_what_is_no_page_is_named(parse: Callable[[bytes], Any], body: bytes, error: type[PageError]) -> None:
    with pytest.raises(error) as caught:
        parse(body)
    assert caught.value.url == URL
    assert caught.value.found
    assert str(caught.value).startswith(f"{URL}: {error.code}: ")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_page_that_lacks_its_last_tag_is_truncated(spelling: Any) -> None:
    for body, parse in ((cases_list(spelling), read_day), (case_page("usual", spelling), read_session)):
        with pytest.raises(TruncatedPage):
            parse(body.rstrip().removesuffix(b"</html>"))


def test_what_may_follow_the_last_tag_does() -> None:
    body = day_page(row())
    for tail in (b"\n", b" \r\n\r\n", b"<!-- cached -->\n", b"<!-- a --> <!-- b -->"):
        assert read_day(body + tail) == read_day(body)
    assert read_day(body.replace(b"</html>", b"</html\n>")) == read_day(body)


@pytest.mark.parametrize(
    "name", ["Just a moment...", "Checking your browser", "challenge-platform", "404 Error", "Log In"]
)
def test_a_drivers_name_makes_no_page_a_bot_check(name: str) -> None:
    assert read_day(day_page(row(driver=name))).sessions[0].driver_name == name
    body = session_page(num_laps="0", Driver=name).replace(b"for Ann Example", f"for {name}".encode())
    assert read_session(body).driver_name == name


def test_a_page_with_its_table_is_that_page_whatever_script_a_shield_adds() -> None:
    script = b'<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script></body>'
    body = cases_list().replace(b"</body>", script)
    assert parse_day(body, url=URL).complete


def test_a_session_asked_of_a_day_and_a_day_of_a_session_are_not_that_page() -> None:
    with pytest.raises(NotThatPage):
        parse_day(case_page("usual"), url=URL)
    with pytest.raises(NotThatPage):
        parse_session(cases_list(), url=URL, session_id="7")


def test_the_class_in_a_script_is_no_table() -> None:
    script = "<script>$('.practice_session_list').DataTable()</script>"
    with pytest.raises(NotThatPage):
        read_day(page("Demo :: Practice Sessions on October 25, 2025 (Saturday) :: LiveRC", script))


def test_the_list_of_cases_is_a_page() -> None:
    assert read_day(cases_list()).date == cases_day(SLUG, DATE).date
