"""Addresses of archived pages, read back into what they were built of."""

import datetime as dt

import pytest

from producer.site import Address, CatalogueAddress, DayAddress, MonthAddress, SessionAddress, Site

TEMPLATES = [
    "https://{track_slug}.liverc.com",
    "http://127.0.0.1:8090/{track_slug}/",
    "https://{track_slug}.example.org/{track_slug}",
]
ADDRESSES: list[Address] = [
    DayAddress("canberra-offroad", dt.date(2025, 10, 25)),
    MonthAddress("t", "2025-10"),
    SessionAddress("0track9", "21290331"),
    CatalogueAddress(),
]


def built(site: Site, address: Address) -> str:
    match address:
        case DayAddress(slug, date):
            return site.day(slug, date)
        case MonthAddress(slug, month):
            return site.month(slug, month)
        case SessionAddress(slug, session_id):
            return site.session(slug, session_id)
        case CatalogueAddress():
            return site.catalogue()


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("address", ADDRESSES, ids=lambda one: type(one).__name__)
def test_an_address_is_read_back_as_it_was_built(template: str, address: Address) -> None:
    site = Site(template)
    url = built(site, address)
    assert site.read(url) == address
    assert url.startswith(site.pages_of(address.track_slug)) != isinstance(address, CatalogueAddress)


@pytest.mark.parametrize(
    "url",
    [
        "https://track.liverc.com/practice/?p=session_list&d=2025-02-30",
        "https://track.liverc.com/practice/?p=session_list&d=2025-10-25\n",
        "https://track.liverc.com/practice/?p=session_list&d=٢٠٢٥-10-25",
        "https://track.liverc.com/practice/?p=session_list&d=2025-10-25&more=1",
        "https://track.liverc.com/practice/?p=view_session&id=",
        "https://track.liverc.com/practice/?p=view_session&id=1234567890123456789",
        "https://track.liverc.com/results/?p=view_session&id=1",
        "https://TRACK.liverc.com/practice/?p=view_session&id=1",
        "https://a.b.liverc.com/practice/?p=view_session&id=1",
        "http://track.liverc.com/practice/?p=view_session&id=1",
        "https://track.liverc.com.example.org/practice/?p=view_session&id=1",
        "https://trackxlivercxcom/practice/?p=view_session&id=1",
        "",
    ],
)
def test_what_was_not_built_here_is_no_address(url: str) -> None:
    assert Site(TEMPLATES[0]).read(url) is None


def test_the_slug_must_be_the_same_wherever_the_template_has_it() -> None:
    site = Site(TEMPLATES[2])
    assert site.read("https://one.example.org/two/practice/?p=view_session&id=1") is None
