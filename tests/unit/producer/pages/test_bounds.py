"""Pages made to cost much: each is read or refused, none freezes the process.

No clock is looked at; the limit of each test is there for the case that one does freeze it.
"""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborNode

from producer.pages import (
    PageError,
    TooComplex,
    bounds,
    parse_catalogue,
    parse_day,
    parse_month,
    parse_session,
)
from producer.pages.bounds import check_repeats, check_tags
from producer.pages.page import open_page
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.render import Spelling, render_day_list, render_session
from tests.unit.producer.pages.samples import (
    DATE,
    HEAD,
    SLUG,
    SPELLINGS,
    URL,
    day_page,
    page,
    row,
    session_page,
)

pytestmark = pytest.mark.timeout(20)

NOTHING = "There are no practice sessions available for the given date."
MIB = 1 << 20
NAMES = [
    f"{first}{second}" for first in "abcdefghijklmnopqrstuvwxyz" for second in "abcdefghijklmnopqrstuvwxyz"
]


def read_any(body: bytes) -> Iterator[str]:
    """What each parser makes of it: the kind of facts, or the code of the error."""
    parsers: list[Callable[[], object]] = [
        lambda: parse_day(body, url=URL, date=DATE),
        lambda: parse_session(body, url=URL, session_id="7"),
        lambda: parse_month(body, url=URL),
        lambda: parse_catalogue(body, url=URL, slug_of=lambda _: None),
    ]
    for parse in parsers:
        try:
            check_repeats(body, URL)
            yield type(parse()).__name__
        except PageError as error:
            yield error.code


def tags(name: str, number: int = 600) -> bytes:
    """The element so often, with other attributes each time, and never ended."""
    return "".join(f"<{name} {NAMES[each % 676]}{each}>" for each in range(number)).encode()


BEYOND: dict[str, Callable[[], bytes]] = {
    "100,000 nested elements": lambda: b"<div>" * 100_000,
    "100,000 nested elements, ended": lambda: b"<div>" * 100_000 + b"</div>" * 100_000,
    "100,000 attributes on a tag": lambda: b"<p " + b" ".join(b"a%d=1" % n for n in range(100_000)) + b">",
    "attributes with tags as values": lambda: (
        b"<p " + b" ".join(b'a%d="<p>"' % n for n in range(9_000)) + b">"
    ),
    "nested tables of 26 KiB": lambda: b"<table><tr><td>" * 1_750,
    "nested tables with headings": lambda: b"<table><tr><th>a<td>" * 1_300,
    "nested tables with headers": lambda: b"<table><thead><tr><th>" * 1_200,
    "nested inline elements": lambda: b"<span>" * 20_000,
    "nested images": lambda: b"<svg>" + b"<g>" * 20_000,
    "nested list items": lambda: b"<ul><li>" * 5_000,
    "a million short paragraphs": lambda: b"<p>x" * MIB,
    "many ends": lambda: b"</p>" * 300_000,
    "many comments": lambda: b"<!---->" * 300_000,
    "many scripts": lambda: b"<script>x</script>" * 150_000,
    "many options": lambda: b"<select>" + b"<option>x" * 300_000,
    "many cells": lambda: b"<table><tr>" + b"<td>x" * 300_000,
    "bold left open over many paragraphs": lambda: b"<p>" + tags("b") + b"<p>x" * 2_000,
    "the same with many attributes": lambda: (
        b"<p>"
        + b"".join(f"<b {name} {' '.join(NAMES[:40])}>".encode() for name in NAMES[:300])
        + b"<p>x" * 600
    ),
    "the same, ended at last": lambda: b"<p>" + tags("i") + b"<p>x" * 1_500 + b"</i>" * 600,
    "the same in capitals": lambda: b"<p>" + tags("FONT") + b"<p>x" * 2_000,
    "links left open in a large page": lambda: b"<p>" + tags("a", 150) + b"<p>x" * 50_000,
    "CDATA in an image": lambda: b"<svg>" + b"<![CDATA[ <g> ]]>" * 10_000,
    "tags in a script in an image": lambda: b"<svg><script><g></script>" + b"<p>x</p>" * 10_000,
    "a script in a script": lambda: b"<script><!-- <script> </script> --></script>" + b"<p>x</p>" * 10_000,
}


@pytest.mark.parametrize("name", BEYOND)
def test_a_page_beyond_the_bounds_is_refused(name: str) -> None:
    assert set(read_any(page("Demo :: LiveRC", "").replace(b"</body>", BEYOND[name]() + b"</body>"))) == {
        "too_complex"
    }


def cells(content: bytes) -> bytes:
    header = HEAD.encode()
    return b"<table><tr>" + header + b"</tr>" + content + b"</table>"


SESSION = (
    b"<table><tr><th>Driver<td>x</tr><tr><th>Num Laps<td>1</tr><tr><th>Session Time<td>"
    b"Date: October 25, 2025 Start: 1:00:00am</tr></table>"
)


def script(text: bytes) -> bytes:
    return SESSION + b"<script>" + text + b"</script>"


WITHIN: dict[str, Callable[[], bytes]] = {
    "nested elements": lambda: b"<div>" * 2_400 + b"x" * 50_000,
    "nested inline elements": lambda: b"<span>" * 2_400,
    "nested tables": lambda: b"<table><tr><td>" * 800,
    "nested tables with headings": lambda: b"<table><tr><th>a<td>" * 600,
    "nested tables with headers": lambda: b"<table><thead><tr><th>" * 600,
    "nested tables over a long text": lambda: b"<table><tr><td>" * 60 + b"x " * MIB,
    "nested tables of four cells": lambda: b"<table><tr><th>a<th>b<th>c<td>" * 45 + b"x " * MIB,
    "wide nested tables": lambda: (
        (b"<table><tr><td>" * 60 + b"<p>x</p>" * 1_000 + b"</td></tr></table>" * 60) * 40
    ),
    "nested headings over a long text": lambda: b"<div><h1>" * 90 + b"x " * MIB,
    "nested panels around a notice": lambda: (
        b"<title>x :: Practice</title>" + b"<div class=panel>" * 190 + f"<p>{NOTHING}</p>".encode() * 10_000
    ),
    "20,000 attributes on a tag of a small page": lambda: (
        b"<p " + b" ".join(f"{name}{n}".encode() for n in range(10) for name in NAMES) + b">"
    ),
    "100 attributes on every tag": lambda: (b"<p " + b" ".join(map(str.encode, NAMES[:100])) + b">") * 3_000,
    "one long text": lambda: b"<p>" + b"x" * 4 * MIB,
    "many words": lambda: b"<p>" + b"x " * 2 * MIB,
    "no tags": lambda: b"x " * 2 * MIB,
    "a long title": lambda: b"<title>" + b"Practice Sessions on " * 150_000 + b"</title>",
    "many entities": lambda: b"&amp;" * 800_000,
    "half entities": lambda: b"&" * 4 * MIB,
    "half tags": lambda: b"<" * MIB,
    "half ends": lambda: b"</" * MIB,
    "a tag without an end": lambda: b"<div " * 800_000,
    "a value without an end": lambda: b'<div a="' * 500_000,
    "a comment without an end": lambda: b"<!--" * MIB,
    "a comment of dashes": lambda: b"<!--" + b"-" * 2 * MIB,
    "a script without an end": lambda: b"<script>" + b"<" * MIB,
    "comments after the end": lambda: b"x</html>" + b"<!-- " * 800,
    "many headers": lambda: cells(HEAD.encode().join([b"<tr>"] * 5_000)),
    "many empty rows": lambda: cells(b"<tr><td></td><td></td><td></td><td></td></tr>" * 9_000),
    "long cells": lambda: cells(
        b'<tr><td><a href="?p=view_session&id=1">'
        + b"x " * 300_000
        + b"</a><small>"
        + b"( " * 300_000
        + b")</small></td><td></td><td>"
        + b"9 " * 300_000
        + b"</td><td>Fast: "
        + b"1" * 300_000
        + b"</td></tr>"
    ),
    "a long link": lambda: cells(
        b'<tr><td><a href="?' + b"&id=1" * 400_000 + b'&p=view_session">x</a></td></tr>'
    ),
    "many totals": lambda: (
        cells(b"")
        + b"<table>"
        + b'<tr><th>x<td><a href="?p=view_session&id=1">1.0</a></td></tr>' * 15_000
        + b"</table>"
    ),
    "many shown laps": lambda: SESSION + b"<div class=laps_list>" + b"<span>Lap 1: 1.0</span>" * 30_000,
    "nested laps": lambda: SESSION + b"<div class=laps_list>" + b"<span>" * 150 + b"Lap 1: 1.0 " * 200_000,
    "nested lists of laps": lambda: (
        SESSION + b"<div class=laps_list>" * 180 + b"<span>Lap 1: 1.0</span>" * 9_000
    ),
    "many labels": lambda: SESSION.replace(b"Date:", b"Date: " * 300_000),
    "data that isn't any": lambda: script(b"var lapsObj = [" + b"{a:1}," * 300_000),
    "deep data": lambda: script(b"var lapsObj = " + b"[{a:" * 600_000),
    "data of one number": lambda: script(b"var lapsObj = [{x:" + b"9" * 2 * MIB + b"}]"),
    "data of many ends": lambda: script(b"var lapsObj = [" + b"];" * MIB),
    "data of quotes": lambda: script(b"var lapsObj = ['" + b"\\" * 2 * MIB),
    "many cars": lambda: script(b"racerLaps[1] = {laps:[]}\n" * 100_000),
    "many half cars": lambda: script(b"racerLaps[1] = {" * 150_000),
    "a car with a long name": lambda: script(b"racerLaps[" + b" " * 3 * MIB),
    "many cars with long names": lambda: script(b"racerLaps[ " * 300_000),
    "space before a name": lambda: script(b"racerLaps var" + b" " * 3 * MIB),
    "a long chart": lambda: cells(b"<script>var data = [" + b'{label:"x",data:1},' * 100_000 + b"]</script>"),
    "many charts": lambda: cells(b"<script>" + b"var data " * 300_000 + b"</script>"),
    "nothing but NUL": lambda: b"\0" * 2 * MIB,
}


@pytest.mark.parametrize("name", WITHIN)
def test_a_page_within_the_bounds_is_read_or_refused(name: str) -> None:
    assert len(list(read_any(WITHIN[name]()[: 4 * MIB] + b"</html>"))) == 4


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_largest_pages_are_well_within_the_bounds(spelling: Spelling) -> None:
    longest = render_day_list(generate_day(SLUG, DATE, seed=1, sessions=5_000), spelling=spelling)
    assert len(parse_day(longest, url=URL).sessions) == 5_000
    day = generate_day(SLUG, DATE, seed=1, sessions=1, laps_per_session=10_000)
    session = render_session(day, day.sessions[0], spelling=spelling)
    assert len(parse_session(session, url=URL, session_id="7").laps) == 10_000


@pytest.mark.parametrize(
    "table",
    [
        "<tr><td>a<td>b<td>c" * 1_000,
        "<tbody><tr><th>a<td>b" * 1_000,
        "<tr><td><ul><li>a<li>b</ul><dl><dt>c<dd>d</dl><p>e<p>f</td>" * 1_000,
        "<tr><td><br><img src=x><hr><input value=1 disabled></tr>" * 1_000,
        "<!-- <div><div> --><tr><td>x</td></tr>" * 1_000,
        "<tr><td><script>'<div><b><i>'</script></td></tr>" * 1_000,
        "<tr><td><svg viewBox='0 0 1 1'><path d='M0 0'></path></svg></td></tr>" * 1_000,
        "<tr><td title=\"<div> & '<b>'\">x</td></tr>" * 1_000,
        "<TR><TD><A HREF=x><B>a</B></A></TD></TR>" * 1_000,
        "<tr><td><select><option value=1>a</option></select></td></tr>" * 1_000,
    ],
)
def test_what_html_allows_to_leave_out_is_no_depth(table: str) -> None:
    body = day_page(row()) + f"<table>{table}</table>".encode() + b"x" * 65_536 + b"</html>"
    check_tags(body, URL)
    assert len(parse_day(body, url=URL).sessions) == 1


PARTS = st.sampled_from(
    [
        *(
            "div",
            "p",
            "b",
            "a",
            "i",
            "span",
            "h1",
            "button",
            "object",
            "template",
            "form",
            "nobr",
            "noscript",
        ),
        *("table", "tbody", "tr", "td", "th", "caption", "li", "ul", "dd", "dl", "dt", "select", "option"),
        *("svg", "math", "foreignObject", "title", "script", "style", "plaintext", "frameset"),
        *("br", "input", "link"),
    ]
)
TOKENS = st.one_of(
    PARTS.map(lambda name: f"<{name}>"),
    PARTS.map(lambda name: f"<{name} a='<p>' b=x c>"),
    PARTS.map(lambda name: f"</{name}>"),
    PARTS.map(lambda name: f"<{name}\v>"),
    PARTS.map(lambda name: f"</{name}\v>"),
    st.sampled_from(
        ["x", "<!--", "-->", "<!-->", "<![CDATA[", "]]>", "</ x>", "'", '"', "<br/>", "<?x>", "<"]
    ),
)


def depth_of(node: LexborNode | None) -> int:
    """How many elements are inside each other at most."""
    deepest, left = 0, [(node, 0)]
    while left:
        node, depth = left.pop()
        deepest = max(deepest, depth)
        child = node.first_child if node else None
        while child is not None:
            if child.is_element_node:
                left.append((child, depth + 1))
            child = child.next
    return deepest


@settings(max_examples=300)
@given(st.lists(TOKENS, max_size=6), st.lists(TOKENS, min_size=1, max_size=7))
def test_what_is_let_through_is_as_shallow_as_it_was_counted(before: list[str], again: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounds, "_SMALL_BYTES", 0)
        patch.setattr(bounds, "MAX_DEPTH", 10)
        patch.setattr(bounds, "MAX_REPEATED", 2_000)
        body = ("".join(before) + "".join(again) * 60).encode()
        try:
            tree = open_page(body, URL)
        except PageError:
            return
    assert depth_of(tree.root) < 60


def test_an_error_says_what_there_is_too_much_of() -> None:
    with pytest.raises(TooComplex, match="more than 200 elements inside each other, or left open"):
        check_tags(b"<div>" * 100_000, URL)
    with pytest.raises(TooComplex, match="a tag with 100000 attributes, 100 allowed"):
        check_tags(b"<p " + b"a " * 100_000 + b">", URL)
    with pytest.raises(TooComplex, match="more than 200000 tags"):
        check_tags(b"<br>" * 200_002, URL)
    with pytest.raises(TooComplex, match="left open over a long text"):
        check_tags(b"<p>" + tags("b", 190) + b"<p>x" * 20_000, URL)


def test_a_small_page_with_ordinary_links_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def count(self: object, body: bytes) -> None:
        raise AssertionError

    monkeypatch.setattr(bounds._Count, "read", count)  # pyright: ignore[reportPrivateUsage]
    for body in (render_day_list(generate_day(SLUG, DATE, seed=1, sessions=60)), session_page()):
        check_tags(body, URL)
        check_repeats(body, URL)
