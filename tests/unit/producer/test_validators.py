"""What a page is asked for again with: an ETag always, a Last-Modified only where it can't hide a change."""

import pytest

from producer.archive import validators
from store.pages import PageRow
from tests.unit.producer.answers import NOON


def row(etag: str | None, last_modified: str | None) -> PageRow:
    return PageRow("http://site.test/", NOON, "0" * 64, 200, etag, last_modified, 1, "pages", 0, 0)


def test_a_page_without_either_is_asked_for_whole() -> None:
    assert validators(row(None, None)) == {}


def test_a_page_is_asked_for_with_what_the_site_gave() -> None:
    long_ago = "Sat, 25 Oct 2025 11:00:00 GMT"
    assert validators(row('W/"a"', long_ago)) == {"If-None-Match": 'W/"a"', "If-Modified-Since": long_ago}


@pytest.mark.parametrize(
    "just_now",
    [
        "Sat, 25 Oct 2025 11:59:59 GMT",
        "Sat, 25 Oct 2025 12:30:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "yesterday",
        "",
    ],
)
def test_a_page_that_had_just_changed_is_not_asked_for_by_its_time(just_now: str) -> None:
    assert validators(row(None, just_now)) == {}
    assert validators(row('"a"', just_now)) == {"If-None-Match": '"a"'}
