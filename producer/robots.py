"""robots.txt: an answer goes in, the rules that it gives come out (RFC 9309)."""

from collections.abc import Awaitable
from typing import Protocol

from protego import Protego

from producer.errors import BadStatus
from producer.http import Page

LONGEST_BYTES = 500 * 1024
"""What is read of a robots.txt."""

_CLIENT_ERROR = range(400, 500)


class Robots(Protocol):
    """The rules of a robots.txt."""

    def can_fetch(self, url: str, user_agent: str) -> bool: ...


def read_rules(text: str) -> Robots:
    """The rules of a robots.txt's text."""
    return Protego.parse(text)


async def rules_of(answer: Awaitable[Page]) -> str:
    """The text; a client error says that there are no rules. Raises `FetchError` where nobody answers."""
    try:
        page = await answer
    except BadStatus as error:
        if error.status in _CLIENT_ERROR and not error.transient:
            return ""
        raise
    return page.body[:LONGEST_BYTES].decode(errors="replace").replace("\0", "")
