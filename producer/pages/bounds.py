"""What a page may cost: tags, depth and attributes are bounded before a tree is built of it.

In: a page's bytes. Out: nothing, or a `TooComplex`. The HTML parser's time grows with the square of the depth
and of one tag's attributes; and formatting elements (`<b>`, `<a>`) that were left open are repeated in each
block that follows, with their attributes. Within the bounds time and memory grow with the page's size.

What is open is counted too high rather than too low: an end tag counts where it surely ends something. Where
it depends on the parser's state what a tag is, the page is refused.
"""

import re
from typing import NoReturn

from producer.pages.errors import TooComplex

MAX_TAGS = 200_000
"""The most tags, of start and end: the longest day list has 110,000."""

MAX_DEPTH = 200
"""The most elements that are open at once."""

MAX_ATTRIBUTES = 100
"""The most attributes of one tag."""

MAX_REPEATED = 500_000
"""How often formatting elements and their attributes may be repeated, counted at each tag."""

_SMALL_BYTES, _SMALL_TAGS = 65_536, 2_500
"""What a page may have without being counted: the slowest takes half a second."""

_SMALL_REPEATED = 4_000_000
"""Of such a page the bytes in formatting elements that are left open, times its tags."""

_SPACE = r" \t\n\f\r"
_PLAIN_VALUES = rf"""(?:[{_SPACE}/][^<>"']*+(?:"[^<>"]*+"[^<>"']*+)*+)?+"""
_LEFT_OPEN = re.compile(
    (
        rf"<([abcefinstuABCEFINSTU](?=[{_SPACE}/>iomtIOMT])[A-Za-z]*+){_PLAIN_VALUES}"
        rf"(?!>[^<]*+</\1[{_SPACE}]*>)(?:>|.*)"
    ).encode(),
    re.DOTALL,
)
"""A tag that begins as those of formatting elements do, and that isn't ended by the next one.

Where a tag is written in an unusual way, it is all that follows.
"""

_FORMATTING = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
_VOID = frozenset(b"area base br col embed hr img input link meta param source track wbr".split())
_CELLS = frozenset((b"td", b"th"))
_TABLE_PARTS = _CELLS | frozenset((b"tr", b"tbody", b"tfoot", b"thead"))
_ENDED_BY_NEXT: dict[bytes, frozenset[bytes]] = {
    b"p": frozenset((b"p",)),
    b"li": frozenset((b"li",)),
    **dict.fromkeys((b"dd", b"dt"), frozenset((b"dd", b"dt"))),
    **dict.fromkeys(_TABLE_PARTS, _TABLE_PARTS),
    **dict.fromkeys(_CELLS, _CELLS),
    b"tr": _CELLS | {b"tr"},
}
"""The elements without an end tag that the start of another one ends."""

_ENDED_WITH_PARENT: dict[bytes, frozenset[bytes]] = {
    **dict.fromkeys((b"ol", b"ul"), frozenset((b"li", b"p"))),
    b"dl": frozenset((b"dd", b"dt", b"p")),
    **dict.fromkeys((b"div", b"td", b"th"), frozenset((b"p",))),
    **dict.fromkeys((b"table", b"tbody", b"tfoot", b"thead", b"tr"), _TABLE_PARTS),
}
"""The elements without an end tag that the end of another one ends."""

_LOOK_BACK = 5
_FOREIGN = frozenset((b"math", b"svg"))
_UNSURE = frozenset((*_FOREIGN, b"select", b"frameset"))
"""Inside these the content of a script or title may be tags."""

_NAME = rf"(?:=[^{_SPACE}/>=]*+|[^{_SPACE}/>=]++)"
_VALUE = rf"""(?:"[^"]*+"?|'[^']*+'?|[^{_SPACE}>"'][^{_SPACE}>]*+)?"""
_ATTRIBUTE = rf"[{_SPACE}/]*+{_NAME}(?:[{_SPACE}]*+=[{_SPACE}]*+{_VALUE})?+"
_ATTRIBUTES = re.compile(_ATTRIBUTE.encode())
_TAG = re.compile(
    (
        r"<(?:!--(?:-?>|(?:[^-]++|-(?!-!?>))*+(?:--!?>|\Z))"
        r"|(?P<cdata>!\[CDATA\[)[^>]*+>?"
        r"|(?:[!?]|/(?![A-Za-z]))[^>]*+>?"
        rf"|(?i:(iframe|noembed|noframes|script|style|textarea|title|xmp))(?=[{_SPACE}/>])"
        rf"(?P<raw>(?:{_ATTRIBUTE})*+)[{_SPACE}/]*+>?(?P<content>(?i:[^<]++|<(?!/\2[{_SPACE}/>]))*+)"
        rf"|(?P<end>/?)(?P<name>[A-Za-z][^{_SPACE}/>]*+)(?P<tag>(?:{_ATTRIBUTE})*+)[{_SPACE}/]*+>?)"
    ).encode()
)
"""A comment, a raw element with its content up to its end tag, or a tag."""

_HIDDEN_SCRIPT = re.compile(rb"<!--.*<script", re.DOTALL | re.IGNORECASE)


def check_tags(body: bytes, url: str) -> None:
    """Look at each tag of a page that isn't small; raises `TooComplex`."""
    if len(body) > _SMALL_BYTES or body.count(b"<") > _SMALL_TAGS:
        _Count(url).read(body)


def check_repeats(body: bytes, url: str) -> None:
    """Look for formatting elements left open in a page that is small; raises `TooComplex`.

    This takes a quarter of the time in which a session's page is read, and is done once, where bytes come
    from outside, not by each parser: without it 60 KB can take some seconds, and some gigabytes.
    """
    if len(body) <= _SMALL_BYTES:
        left_open = sum(len(tag[0]) for tag in _LEFT_OPEN.finditer(body))
        if left_open * body.count(b"<") > _SMALL_REPEATED:
            _Count(url).read(body)


class _Count:
    """What is open at a place of the page, and what was counted so far."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: list[bytes] = []
        self._foreign = 0
        self._weights: list[int] = []
        self._weight = 0
        self._repeated = 0

    def read(self, body: bytes) -> None:
        """Look at each tag; raises `TooComplex`."""
        for number, tag in enumerate(_TAG.finditer(body)):
            if number > MAX_TAGS:
                self._refuse(f"more than {MAX_TAGS} tags")
            kind = tag.lastgroup
            if kind == "tag":
                end, name, attributes = tag.group("end", "name", "tag")
                self._end(name.lower()) if end else self._start(name.lower(), attributes)
            elif kind == "content":
                self._read_raw(*tag.group("raw", "content"))
            elif kind == "cdata" and self._foreign:
                self._refuse("a CDATA section")

    def _start(self, name: bytes, attributes: bytes) -> None:
        self._check_attributes(attributes)
        self._repeated += self._weight
        if not self._foreign:
            if name in _VOID:
                return
            if ended := _ENDED_BY_NEXT.get(name):
                while self._open and self._open[-1] in ended:
                    self._open.pop()
        self._open.append(name)
        if len(self._open) > MAX_DEPTH:
            self._refuse(f"more than {MAX_DEPTH} elements inside each other, or left open")
        if name in _FORMATTING:
            self._weights.append(1 + len(_ATTRIBUTES.findall(attributes)))
            self._weight += self._weights[-1]
        self._foreign += name in _FOREIGN
        if self._repeated > MAX_REPEATED:
            self._refuse("elements such as <b> or <a> that are left open over a long text")

    def _end(self, name: bytes) -> None:
        self._repeated += self._weight
        ended = () if self._foreign else _ENDED_WITH_PARENT.get(name, ())
        for place in range(len(self._open) - 1, max(-1, len(self._open) - 1 - _LOOK_BACK), -1):
            if self._open[place] == name:
                self._close(name, place)
                return
            if self._open[place] not in ended:
                return

    def _close(self, name: bytes, place: int) -> None:
        del self._open[place:]
        self._foreign -= name in _FOREIGN
        if name in _FORMATTING:
            self._weight -= self._weights.pop()

    def _read_raw(self, attributes: bytes, content: bytes) -> None:
        self._check_attributes(attributes)
        self._repeated += self._weight
        if b"<" in content and not _UNSURE.isdisjoint(self._open):
            self._refuse("a script or title with tags, inside an image, formula or choice")
        if _HIDDEN_SCRIPT.search(content):
            self._refuse("a script that hides another")

    def _check_attributes(self, attributes: bytes) -> None:
        if (
            len(attributes) > 2 * MAX_ATTRIBUTES
            and (number := len(_ATTRIBUTES.findall(attributes))) > MAX_ATTRIBUTES
        ):
            self._refuse(f"a tag with {number} attributes, {MAX_ATTRIBUTES} allowed")

    def _refuse(self, found: str) -> NoReturn:
        raise TooComplex(self._url, found)
