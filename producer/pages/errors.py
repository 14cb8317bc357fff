"""What is not the page that was asked for.

PageError
├── EmptyBody         no bytes, or white space only
├── TruncatedPage     the document ends before its end
├── BotCheck          the site asks whether we are a browser
├── LoginPage         the site asks for a name and a password
├── ErrorPage         an error page, whatever its status said
├── NotThatPage       neither the table nor the text that such a page must have
├── WrongDate         another day's page, or another month's
├── WrongSession      another session's page
├── TooComplex        more tags, attributes or depth than a page of the site can have
└── TooManyEntries    more sessions or laps than one event may carry, or tracks than a catalogue

`producer.pages.refusing` recognises a bot check, a login and an error page.
"""

from schemas.errors import LapstreamError


class PageError(LapstreamError):
    """A page that changes nothing. `code` names the kind, `url` the address, `found` what stood there."""

    code = "page_error"

    def __init__(self, url: str, found: str) -> None:
        super().__init__(f"{url}: {self.code}: {found}")
        self.url = url
        self.found = found


class EmptyBody(PageError):
    code = "empty_body"


class TruncatedPage(PageError):
    code = "truncated_page"


class BotCheck(PageError):
    code = "bot_check"


class LoginPage(PageError):
    code = "login_page"


class ErrorPage(PageError):
    code = "error_page"


class NotThatPage(PageError):
    code = "not_that_page"


class WrongDate(PageError):
    code = "wrong_date"


class WrongSession(PageError):
    code = "wrong_session"


class TooManyEntries(PageError):
    code = "too_many_entries"


class TooComplex(PageError):
    code = "too_complex"
