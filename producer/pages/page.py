"""What all pages have in common: opening one, and its texts.

In: a page's bytes and its address. Out: the tree of an HTML document, or a `PageError`.
"""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from producer.pages.bounds import check_tags
from producer.pages.errors import EmptyBody, TruncatedPage
from producer.pages.text import folded

_TAIL = 4_096
_OPTIONS = int(LexborDocumentOptions.WO_EVENTS)
_END = re.compile(rb"</html\s*>\s*(?:<!--(?:(?!-->).)*-->\s*)*\Z", re.IGNORECASE | re.DOTALL)
_UNSEEN = frozenset({"script", "style", "title", "textarea", "option"})


def open_page(body: bytes, url: str) -> LexborHTMLParser:
    """The page's tree, of whatever page it is; raises `EmptyBody` and `TooComplex`."""
    if not body or body.isspace():
        raise EmptyBody(url, f"{len(body)} bytes without text")
    check_tags(body, url)
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
    """The first child of that name, else the first element inside; quicker than by a selector."""
    child = node.first_child
    while child is not None:
        if child.tag == tag:
            return child
        child = child.next
    return next((each for each in node.traverse() if each.tag == tag), None)


def shown_texts(tree: LexborHTMLParser) -> Iterator[tuple[str, LexborNode]]:
    """Each text that a reader of the page sees, as it stands there, with the element that holds it."""
    if tree.body is None:
        return
    for node in tree.body.traverse(include_text=True):
        parent = node.parent
        if node.is_text_node and parent is not None and parent.tag not in _UNSEEN:
            yield node.text_content or "", parent
