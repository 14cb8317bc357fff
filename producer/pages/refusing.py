"""Saying what stands there instead of the page that was asked for.

In: a page that lacks what the asked page must have. Out: the `PageError` that names what it is. Only such a
page is looked at for signs of a bot check, a login or a failure: a page that has its table is that page,
whatever a driver calls himself, and whatever scripts stand beside it.
"""

import re
from http import HTTPStatus
from typing import NoReturn

from selectolax.lexbor import LexborHTMLParser

from producer.pages.errors import BotCheck, ErrorPage, LoginPage, NotThatPage
from producer.pages.page import check_whole, shown_texts, text_of, title_of

_SHOWN = 120
_LONGEST_SIGN = 300
_SITE = ":: LiveRC"
_BOT_ELEMENTS = (
    "#challenge-platform, #challenge-form, #challenge-running, #challenge-stage, #challenge-error-text,"
    " #cf-challenge-running, .cf-browser-verification"
)
_BOT_SCRIPT = re.compile(r"_cf_chl_opt|challenge-platform(?!\\?/scripts\\?/jsd)")
_BOT_TEXT = re.compile(
    r"just a moment|attention required|checking (?:your browser|if the site connection is secure)"
    r"|verify(?:ing)? (?:that )?you are (?:a )?human|(?:please )?enable javascript and cookies to continue",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"\b(?:error|not found|forbidden|access denied|unavailable|maintenance|time-?out)\b", re.IGNORECASE
)
_PHRASES = "|".join(re.escape(status.phrase) for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST)
_STATUS = re.compile(rf"(?:http )?[45][0-9]{{2}}(?:[ :|-]+(?:{_PHRASES})\b.*)?", re.IGNORECASE)
_SERVER_FAULT = re.compile(r"(?:php )?(?:fatal|parse|uncaught) (?:error|exception)\b", re.IGNORECASE)


def refuse(tree: LexborHTMLParser, body: bytes, url: str, missing: str) -> NoReturn:
    """Raise what the page is; `missing` says what it lacks."""
    title = title_of(tree)
    shown = f"title {title[:_SHOWN]!r}" if title else "no title"
    if _is_bot_check(tree, title):
        raise BotCheck(url, f"{shown}: the site asks whether we are a browser; try again later, and slower")
    if tree.css_first("input[type=password]") is not None:
        raise LoginPage(url, f"{shown}: the page asks for a password")
    fault = _fault(tree, title)
    if fault:
        raise ErrorPage(url, f"{fault[:_SHOWN]!r}")
    if not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise NotThatPage(url, f"no HTML: it begins with {body[:40]!r}")
    check_whole(body, url)
    raise NotThatPage(url, f"{shown}: {missing}")


def _is_bot_check(tree: LexborHTMLParser, title: str) -> bool:
    """By title, element, script or text; the script that a shield adds to every page is no sign."""
    if _BOT_TEXT.match(title) or tree.css_first(_BOT_ELEMENTS) is not None:
        return True
    for script in tree.css("script"):
        if _BOT_SCRIPT.search(f"{script.attributes.get('src') or ''}\n{script.text_lexbor()}"):
            return True
    return any(_BOT_TEXT.match(text[:_LONGEST_SIGN].lstrip()) for text, _ in shown_texts(tree))


def _fault(tree: LexborHTMLParser, title: str) -> str:
    """The words in which a server speaks of a failure; empty where it doesn't.

    Of the site's own page only the title's last part counts: the rest is the track's name.
    """
    if title.endswith(_SITE):
        own = title.removesuffix(_SITE).rstrip().rpartition(" :: ")[2]
        return own if _speaks_of_failure(own) else ""
    for text in (title, text_of(tree.css_first("h1"))):
        if _speaks_of_failure(text):
            return text
    start = text_of(tree.body)[:_SHOWN]
    return start if _SERVER_FAULT.match(start) else ""


def _speaks_of_failure(text: str) -> bool:
    """Whether it is a status, or holds such words; a name may begin with a number."""
    return _STATUS.fullmatch(text) is not None or _ERROR.search(text) is not None
