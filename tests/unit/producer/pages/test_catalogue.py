from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.pages import CataloguePage, NotThatPage, PageError, TooManyEntries, parse_catalogue
from producer.pages.findings import Code
from producer.site import Site
from sandbox.sample_site import naming
from sandbox.sample_site.render import Spelling, render_catalogue
from tests.unit.producer.pages.samples import SPELLINGS, URL, cases_list, page
from tests.unit.producer.pages.test_hostile import SMALL, mutations

SITE = Site("https://{track_slug}.example.org")
SLUGS = list(naming.TRACKS)
HEADER = "<tr><th>Status</th><th>Track Name</th></tr>"


def rendered(slugs: list[str] = SLUGS, spelling: Spelling = "served") -> bytes:
    return render_catalogue(slugs, lambda slug: f"//{slug}.example.org", spelling=spelling)


def read(body: bytes, site: Site = SITE) -> CataloguePage:
    return parse_catalogue(body, url=URL, slug_of=site.track_of)


def table(*rows: tuple[str, str], header: str = f"<thead>{HEADER}</thead><tfoot>{HEADER}</tfoot>") -> bytes:
    cells = (
        f'<tr><td></td><td><span>x</span><a href="{href}"><b>{name}</b></a></td></tr>' for href, name in rows
    )
    return page("LiveRC", f"<table>{header}{''.join(cells)}</table>")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_catalogue_names_each_track_of_the_site(spelling: Spelling) -> None:
    facts = read(rendered(spelling=spelling))
    assert [(each.track_slug, each.name) for each in facts.tracks] == [
        (slug, naming.track_name(slug)) for slug in SLUGS
    ]
    assert facts.findings == ()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_slug_may_stand_in_the_path(spelling: Spelling) -> None:
    body = render_catalogue(SLUGS, lambda slug: f"//127.0.0.1:8090/{slug}", spelling=spelling)
    facts = read(body, Site("http://127.0.0.1:8090/{track_slug}"))
    assert [each.track_slug for each in facts.tracks] == SLUGS
    with pytest.raises(NotThatPage, match="none of its 11 rows"):
        read(body)


@pytest.mark.parametrize(
    ("href", "slug"),
    [
        ("//track.example.org/", "track"),
        ("//track.example.org", "track"),
        ("https://track.example.org/live/", "track"),
        ("http://track.example.org/?a=b", "track"),
        ("//FastTrack.Example.ORG/", "fasttrack"),
        ("//live.example.org/", None),
        ("//track.example.com/", None),
        ("//a.track.example.org/", None),
        ("//track.example.org.evil.example/", None),
        ("//track.example.org:8080/", None),
        ("//someone@track.example.org/", None),
        ("//-track.example.org/", None),
        ("//trac\N{KELVIN SIGN}.example.org/", None),
        (f"//{'a' * 64}.example.org/", None),
        ("javascript://track.example.org/", None),
        ("ftp://track.example.org/", None),
        ("track.example.org/", None),
        ("/live/", None),
        ("", None),
    ],
)
def test_only_links_to_tracks_of_the_site_count(href: str, slug: str | None) -> None:
    assert SITE.track_of(href) == slug


def test_a_row_that_links_no_track_and_a_second_row_are_findings() -> None:
    facts = read(
        table(("//a.example.org/", "A"), ("//evil.example/", "B"), ("//a.example.org/", "C"), ("", "D"))
    )
    assert [(each.track_slug, each.name) for each in facts.tracks] == [("a", "A")]
    assert [(each.code, each.found, each.expected) for each in facts.findings] == [
        ("unreadable_track", "//evil.example/ | B", None),
        ("duplicate_track", "a | C", "A"),
        ("unreadable_track", "| D", None),
    ]


def test_a_name_that_is_none_or_too_long_is_null() -> None:
    facts = read(table(("//a.example.org/", " "), ("//b.example.org/", "x" * 301)))
    assert [each.name for each in facts.tracks] == [None, None]
    assert [each.code for each in facts.findings] == ["unreadable_value", "text_too_long"]


@pytest.mark.parametrize(
    "header", [f"<tbody>{HEADER}</tbody>", HEADER, HEADER.replace("th>", "td>")], ids=["tbody", "none", "td"]
)
def test_a_catalogue_is_known_by_its_header_wherever_that_lies(header: str) -> None:
    assert len(read(table(("//a.example.org/", "A"), header=header)).tracks) == 1


def test_other_pages_and_empty_tables_are_no_catalogue() -> None:
    for body in (cases_list(), table(), table(("//elsewhere.example/", "A"))):
        with pytest.raises(NotThatPage):
            read(body)


def test_a_catalogue_without_end_is_refused() -> None:
    with pytest.raises(TooManyEntries, match="5001 tracks"):
        read(table(*((f"//t{number}.example.org/", "T") for number in range(5_001))))


@SMALL
@given(mutations(rendered(spelling="saved")))
def test_a_mutated_catalogue_is_refused_or_within_bounds(body: bytes) -> None:
    with suppress(PageError):
        facts = read(body)
        slugs = [each.track_slug for each in facts.tracks]
        assert len(slugs) == len(set(slugs)) > 0
        assert all(SITE.track_of(f"//{slug}.example.org/") == slug for slug in slugs)
        assert {each.code for each in facts.findings} <= {code.code for code in Code}


@SMALL
@given(st.text(max_size=400), st.text(max_size=100))
def test_any_text_in_a_row_is_read_or_found(name: str, href: str) -> None:
    with suppress(PageError):
        assert len(read(table((href, name), ("//a.example.org/", name))).tracks) == 1
