"""What all pages have in common: opening one, and saying what stands there instead of it.

In: a page's bytes and its address. Out: the tree of an HTML document that is whole, or a `PageError`.
"""

import re
from typing import NoReturn

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from producer.pages.errors import BotCheck, EmptyBody, ErrorPage, LoginPage, NotThatPage, TruncatedPage
from producer.pages.text import folded

_TAIL = 4_096
_SHOWN = 120
_OPTIONS = int(LexborDocumentOptions.WO_EVENTS)
_END = re.compile(rb"</html\s*>\s*(?:<!--(?:(?!-->).)*-->\s*)*\Z", re.IGNORECASE | re.DOTALL)
_BOT_TITLES = ("just a moment", "attention required", "checking your browser")
_BOT_SIGNS = 'script[src*="challenge-platform"], #challenge-form, #challenge-running'
_ERROR = re.compile(
    r"\b(?:[45][0-9]{2}|error|not found|forbidden|access denied|unavailable|maintenance|time-?out)\b",
    re.IGNORECASE,
)
_SERVER_FAULT = re.compile(r"(?:php )?(?:fatal|parse|uncaught) (?:error|exception)\b", re.IGNORECASE)


def open_page(body: bytes, url: str) -> LexborHTMLParser:
    """The page's tree, of whatever page it is; raises `EmptyBody`."""
    if not body.strip():
        raise EmptyBody(url, f"{len(body)} bytes without text")
    return LexborHTMLParser(body, options=_OPTIONS)


def check_whole(body: bytes, url: str) -> None:
    """Raise `TruncatedPage` unless the document ends with `</html>`; comments may follow it."""
    if not body.endswith((b"</html>", b"</html>\n")) and not _END.search(body, max(0, len(body) - _TAIL)):
        raise TruncatedPage(url, f"{len(body)} bytes that end with {body[-40:]!r}, not with </html>")


def title_of(tree: LexborHTMLParser) -> str:
    """The page's title, folded; empty where it has none."""
    return text_of(tree.css_first("title"))


def text_of(node: LexborNode | None) -> str:
    """A node's text, folded; what stands in different elements is kept apart. Empty for None."""
    return "" if node is None else folded(node.text(separator=" "))


def first(node: LexborNode, tag: str) -> LexborNode | None:
    """The first element of that name inside a small node, quicker than by a selector."""
    for each in node.traverse():
        if each.tag == tag:
            return each
    return None


def body_rows(table: LexborNode) -> list[LexborNode]:
    """The rows of a table's bodies, without those of tables inside it."""
    bodies = [part for part in table.iter() if part.tag == "tbody"]
    return [row for part in bodies for row in part.iter() if row.tag == "tr"]


def headed_rows(table: LexborNode) -> list[tuple[str, LexborNode]]:
    """Of each row that begins with a heading, its text and the cell beside it."""
    rows: list[tuple[str, LexborNode]] = []
    for row in body_rows(table):
        cells = list(row.iter())
        if len(cells) > 1 and cells[0].tag == "th":
            rows.append((folded(cells[0].text_lexbor()), cells[1]))
    return rows


def header_texts(table: LexborNode) -> list[str]:
    """The texts of a table's header cells."""
    return [text_of(cell) for cell in table.css("thead th")]


def refuse(tree: LexborHTMLParser, body: bytes, url: str, missing: str) -> NoReturn:
    """Raise what the page is, given that it lacks what the asked page must have.

    Only such a page is looked at for signs of a bot check or a login: a page that has its table is that
    page, whatever a driver calls himself, and whatever scripts stand beside it.
    """
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
    if title.lower().startswith(_BOT_TITLES) or tree.css_first(_BOT_SIGNS) is not None:
        return True
    return any(text_of(node).lower().startswith(_BOT_TITLES) for node in tree.css("h1, h2"))


def _fault(tree: LexborHTMLParser, title: str) -> str:
    """The words in which a server speaks of a failure; empty where it doesn't."""
    head = title.rpartition(" :: ")[0].rpartition(" :: ")[2] if title.endswith(":: LiveRC") else title
    for text in (head, text_of(tree.css_first("h1"))):
        if _ERROR.search(text):
            return text
    start = text_of(tree.body)[:_SHOWN]
    return start if _SERVER_FAULT.match(start) else ""
