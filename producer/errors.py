"""Why the site gave no page.

FetchError
├── Unreachable       no answer, or one that broke off           (try again)
├── BadStatus         a status that is not 200                   (try again on 429 and 5xx)
├── TooLarge          more bytes than a page may have            (never again)
├── RobotsRefused     robots.txt does not want us there          (never again)
├── RobotsUnavailable fetching robots.txt failed just now        (later)
└── SiteBackingOff    the site is left alone for a while         (later)

A page that came but is not the one that was asked for is a `producer.pages.errors.PageError`; `ParserFault`
is one that our own parser failed on (it is kept, to be parsed again).
"""

from producer.pages.errors import PageError
from schemas.errors import LapstreamError


class FetchError(LapstreamError):
    """No page. `code` names the kind, `url` the address; `retry_after` is in seconds, where the site said."""

    code = "fetch_error"
    transient = False

    def __init__(self, url: str, found: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{url}: {self.code}: {found}")
        self.url = url
        self.found = found
        self.retry_after = retry_after


class Unreachable(FetchError):
    code = "unreachable"
    transient = True


class BadStatus(FetchError):
    code = "bad_status"

    def __init__(self, url: str, status: int, *, retry_after: float | None = None, body: bytes = b"") -> None:
        super().__init__(url, f"status {status}", retry_after=retry_after)
        self.status = status
        self.body = body

    @property
    def transient(self) -> bool:
        """Whether another try may find the page."""
        return self.status == TOO_MANY or self.status >= _SERVER_ERROR


class TooLarge(FetchError):
    code = "page_too_large"


class RobotsRefused(FetchError):
    code = "robots_refused"


class RobotsUnavailable(FetchError):
    code = "robots_unavailable"


class SiteBackingOff(FetchError):
    code = "site_resting"


class ParserFault(PageError):
    code = "parser_fault"


FORBIDDEN = 403
TOO_MANY = 429
UNAVAILABLE = 503
_SERVER_ERROR = 500
