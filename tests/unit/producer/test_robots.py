"""robots.txt: which answers give rules, and how much of one is read."""

import pytest

from producer.errors import BadStatus, FetchError, Unreachable
from producer.http import Page
from producer.robots import LONGEST_BYTES, read_rules, rules_of
from tests.unit.producer.answers import NOON

URL = "http://site.test/robots.txt"


async def answer(body: bytes) -> Page:
    return Page(url=URL, status=200, headers={}, body=body, observed_at=NOON)


async def refuse(error: FetchError) -> Page:
    raise error


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_a_client_error_says_that_there_are_no_rules(status: int) -> None:
    assert await rules_of(refuse(BadStatus(URL, status))) == ""
    assert read_rules("").can_fetch("http://site.test/practice/", "lapstream")


@pytest.mark.parametrize(
    "error", [BadStatus(URL, 301), BadStatus(URL, 429), BadStatus(URL, 500), Unreachable(URL, "no answer")]
)
async def test_without_an_answer_there_is_no_permission(error: FetchError) -> None:
    with pytest.raises(type(error)):
        await rules_of(refuse(error))


async def test_what_stands_behind_the_longest_is_not_read() -> None:
    body = b"#" * LONGEST_BYTES + b"\nUser-agent: *\nDisallow: /\n"
    assert len(await rules_of(answer(body))) == LONGEST_BYTES


async def test_bytes_that_are_no_text_cost_no_rule() -> None:
    text = await rules_of(answer(b"# \xff\x00\nUser-agent: *\nDisallow: /practice/\n"))
    assert "\0" not in text
    assert not read_rules(text).can_fetch("http://site.test/practice/", "lapstream/0.1 (test)")


def test_the_rules_for_our_name_come_before_those_for_all() -> None:
    rules = read_rules("User-agent: *\nDisallow: /\n\nUser-agent: lapstream\nAllow: /\n")
    assert rules.can_fetch("http://site.test/practice/", "lapstream/0.1 (test)")
    assert not rules.can_fetch("http://site.test/practice/", "another/1.0")
