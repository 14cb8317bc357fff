"""People: drivers said to be one, read together wherever a driver is meant, and parted again."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator

import httpx
import pytest

from laps.naming import Ambiguous, NotFound
from laps.people import NotSet, SeveralNames, join, keys_called, keys_set, unset, whose, whose_called
from runtime.database import database
from schemas.identity import driver_id
from schemas.scopes import Scope
from server.listening import serving
from store.people import (
    AliasKey,
    BlankDriver,
    TooFewAliases,
    TooManyAliases,
    find_people,
    people_of,
    read_person,
)
from store.pool import Connection
from store.reading import Whose, bests_of, fastest_session, read_session, sessions_of
from store.records import read_history
from tests.api import asking, data_of, error_of, no_month, settings_of, stored_with_records, token
from tests.commands import invoked
from tests.events import fetched, laps, listed
from tests.integration.test_reading import DAY_ROWS, HOUR, MORNING, at, stored
from tests.integration.test_web import browser, csrf, links, parsed, rows_of, texts

ZOE, LENT, UNKNOWN = "7000001", "4455667", "practice_session_10"


def key(source_driver_id: str, name: str | None = None) -> AliasKey:
    return AliasKey("liverc", source_driver_id, name)


async def driven(connection: Connection, meant: Whose) -> list[str]:
    return [one.session_id for one in await sessions_of(connection, meant, limit=20)]


async def called(connection: Connection, text: str) -> list[str]:
    return await driven(connection, await whose_called(connection, text))


@pytest.fixture
async def day(connection: Connection) -> None:
    await stored(connection, listed(1, *DAY_ROWS))


@pytest.mark.usefixtures("day")
async def test_transponders_and_names_of_a_person_are_read_together(connection: Connection) -> None:
    with pytest.raises(Ambiguous):
        await called(connection, "Zoë Faßbender")
    person = await join(connection, [key(ZOE), key(LENT, "Zoë Faßbender"), key(UNKNOWN)])
    assert [(one.source_driver_id, one.driver_name, one.sessions) for one in person.aliases] == [
        (LENT, "Zoë Faßbender", 2),
        (ZOE, None, 1),
        (UNKNOWN, None, 1),
    ]
    assert (person.display_name, person.sessions) == ("Zoë Faßbender", 4)
    assert person.names == ["Faßbender, Zoë", "Unknown Driver", "Zoë Faßbender"]
    assert await called(connection, "Zoë Faßbender") == ["14", "13", "11", "10"]
    assert await called(connection, ZOE) == ["14", "13", "11", "10"]
    meant = await whose(connection, driver_id("liverc", UNKNOWN))
    assert await driven(connection, meant) == ["14", "13", "11", "10"]
    assert [best.fast_lap_time for best in await bests_of(connection, meant)] == [30.0, 40.0]


@pytest.mark.usefixtures("day")
async def test_a_transponder_that_was_lent_joins_no_two_people(connection: Connection) -> None:
    """Both say of the lent one that it is theirs: under their own names, or not at all."""
    with pytest.raises(SeveralNames, match="'Al Loaner', 'Zoë Faßbender'"):
        await join(connection, [key(LENT), key(ZOE)])
    with pytest.raises(SeveralNames):
        await keys_called(connection, LENT, ["Somebody Else"], None)
    zoe = await join(connection, [*await keys_called(connection, LENT, ["zoë faßbender"], None), key(ZOE)])
    al = await join(connection, [*await keys_called(connection, LENT, ["al loaner"], None), key(UNKNOWN)])
    assert zoe.id != al.id
    assert await called(connection, ZOE) == ["14", "13", "11"]
    assert await called(connection, UNKNOWN) == ["12", "10"]
    assert await called(connection, LENT) == ["14", "13", "12"]  # it is nobody's: its own sessions
    sessions = await sessions_of(connection, Whose([driver_id("liverc", LENT)]), limit=9)
    assert [one.person_id for one in sessions] == [zoe.id, zoe.id, al.id]


@pytest.mark.usefixtures("day")
async def test_one_that_is_lent_later_gives_the_name_back(connection: Connection) -> None:
    """A whole transponder is a person's, then somebody else is said to have driven with it."""
    zoe = await join(connection, [key(ZOE), key(UNKNOWN)])
    await stored(
        connection, listed(2, *DAY_ROWS, at(4, "15", ZOE, "Ben Borrower"), at(5, "16", "81", "B. Borrower"))
    )
    ben = await join(connection, [key(ZOE, "Ben Borrower"), key("81")])
    assert ben.id != zoe.id
    assert await called(connection, ZOE) == ["11", "10"]
    assert await called(connection, "Ben Borrower") == ["16", "15"]


@pytest.mark.usefixtures("day")
async def test_groups_are_merged_and_one_of_three_is_parted(connection: Connection) -> None:
    first = await join(connection, [key(ZOE), key("81")])
    second = await join(connection, [key(UNKNOWN), key("82")])
    both = await join(connection, [key("81"), key("82")])
    assert both.id == first.id
    assert {one.source_driver_id for one in both.aliases} == {ZOE, UNKNOWN, "81", "82"}
    assert await read_person(connection, second.id) is None
    assert await join(connection, [key("82"), key("81")]) == both  # said twice
    left = await unset(connection, key("82"))
    assert left
    assert {one.source_driver_id for one in left.aliases} == {ZOE, UNKNOWN, "81"}
    with pytest.raises(NotSet):
        await unset(connection, key("82"))
    await unset(connection, key("81"))
    assert await unset(connection, key(ZOE)) is None  # of two, the other one goes, too
    assert await find_people(connection, limit=9) == []
    assert await called(connection, ZOE) == ["11"]


async def test_one_alone_or_too_many_are_no_person(connection: Connection) -> None:
    with pytest.raises(TooFewAliases):
        await join(connection, [key("81")])
    with pytest.raises(TooManyAliases):
        await join(connection, [key(str(number)) for number in range(51)])
    for blank in ("", " ", "\t\u2003"):
        with pytest.raises(BlankDriver, match="needs a driver's id"):
            await join(connection, [key("81"), key(blank)])
    assert await find_people(connection, limit=9) == []


async def test_an_alias_names_a_driver_before_it_is_stored(connection: Connection) -> None:
    with pytest.raises(NotFound, match="--source"):
        await keys_called(connection, ZOE, [], None)
    assert await keys_called(connection, ZOE, [], "liverc") == [key(ZOE)]
    person = await join(connection, [key(ZOE), key("81")])
    assert [(one.display_name, one.sessions, one.names) for one in person.aliases] == [(None, 0, [])] * 2
    await stored(connection, listed(1, *DAY_ROWS))
    assert [one.id for one in await people_of(connection, [driver_id("liverc", ZOE)])] == [person.id]
    assert await called(connection, ZOE) == ["11"]
    assert await keys_set(connection, ZOE, [], None) == [key(ZOE)]


async def test_two_people_who_edit_at_once_are_served_one_after_the_other(dsn: str) -> None:
    """Of a ring of four, each pair is said by another one: all four are one person, whoever is first."""
    settings = settings_of(dsn)
    ring = ["81", "82", "83", "84", "81"]
    async with database(settings, size=4) as pool:

        async def say(one: str, other: str) -> None:
            async with pool.acquire() as connection:
                await join(connection, [key(one), key(other)])

        await asyncio.gather(*(say(*pair) for pair in itertools.pairwise(ring)))
        async with pool.acquire() as connection:
            [person] = await find_people(connection, limit=9)
    assert {one.source_driver_id for one in person.aliases} == {"81", "82", "83", "84"}


async def test_commands_show_the_person(dsn: str) -> None:
    settings = settings_of(dsn)
    detail = fetched(
        2,
        "13",
        driver_name="Zoë Faßbender",
        transponder_number=LENT,
        start_time=MORNING + 2 * HOUR,
        fastest_lap=30.0,
        laps=laps(4),
    )
    await stored_with_records(settings, [listed(1, *DAY_ROWS), detail])

    async def said(*words: str) -> str:
        run = await invoked(settings, *words)
        assert run.exit_code == 0, run.output
        return run.stdout

    set_ = json.loads(await said("aliases", "set", ZOE, LENT, "--name", "zoë faßbender", "--json"))
    assert LENT in await said("aliases", "list")
    assert len((await said("aliases", "list", "--csv")).splitlines()) == 3
    sessions = json.loads(await said("drivers", ZOE, "--sessions", "--json"))
    assert [(one["session_id"], one["person_id"]) for one in sessions] == [
        (session, set_["id"]) for session in ("14", "13", "11")
    ]
    assert "Transponder" in await said("drivers", ZOE, "--sessions")
    [lap, *_] = json.loads(await said("laps", "--driver", ZOE, "--json"))
    assert lap["person_id"] == set_["id"]
    async with database(settings, size=1) as pool, pool.acquire() as connection:
        fastest = await fastest_session(connection, await whose(connection, driver_id("liverc", ZOE)))
        assert fastest
        best = await read_session(connection, fastest)
        steps = await read_history(connection, "liverc", "track")
    assert best
    assert best.session_id == "13"
    held = {step.session_id: str(step.person_id) for step in steps if step.person_id}
    assert held
    assert set(held.values()) == {set_["id"]}
    assert "no alias" in await said("aliases", "unset", ZOE)


async def test_the_api_sets_reads_and_unsets(dsn: str) -> None:
    settings = settings_of(dsn)
    await stored_with_records(settings, [listed(1, *DAY_ROWS)])
    both = [{"source_driver_id": ZOE}, {"source_driver_id": LENT, "driver_name": "Zoë Faßbender"}]
    async with asking(settings, Scope.ingest) as client:
        refused = error_of(
            await client.post("/aliases", json={"aliases": [both[0], {"source_driver_id": LENT}]}), 409
        )
        assert refused["code"] == "several_names"
        refused = error_of(await client.post("/aliases", json={"aliases": [both[0], both[0]]}), 422)
        assert refused["code"] == "too_few_aliases"
        blank = [both[0], {"source_driver_id": " \u2003"}]
        assert error_of(await client.post("/aliases", json={"aliases": blank}), 422)["code"] == "blank_driver"
        person = data_of(await client.post("/aliases", json={"aliases": both}))
        assert data_of(await client.get("/people"))["items"] == [person]
        profile = data_of(await client.get(f"/people/{person['id']}", params={"limit": 2}))
        assert [one["session_id"] for one in profile["history"]["items"]] == ["14", "13"]
        rest = {"cursor": profile["history"]["next_cursor"]}
        rest = data_of(await client.get(f"/people/{person['id']}", params=rest))
        assert [one["session_id"] for one in rest["history"]["items"]] == ["11"]
        driver = data_of(await client.get(f"/drivers/{driver_id('liverc', ZOE)}"))
        assert (driver["person_id"], driver["sessions"]) == (person["id"], 1)
        day = data_of(await client.get("/practice-days/track/2025-10-25"))
        assert sum(one["person_id"] == person["id"] for one in day["sessions"]) == 3
        assert data_of(await client.delete("/aliases", params=both[1])) == {"person": None}
        assert error_of(await client.delete("/aliases", params=both[1]), 404)["code"] == "alias_not_set"
        error_of(await client.get(f"/people/{person['id']}"), 404)
    async with asking(settings, Scope.read) as client:
        assert error_of(await client.post("/aliases", json={"aliases": both}), 403)["code"] == "scope_missing"


@pytest.fixture
async def web(dsn: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A browser that follows where it is led, at pages over the day, signed in."""
    settings = settings_of(dsn)
    await stored_with_records(settings, [listed(1, *DAY_ROWS)])
    importer = await token(settings, Scope.ingest)
    async with serving(settings, no_month) as address, browser(address, follow_redirects=True) as web:
        [form] = links(parsed(await web.get(ZOES)), f"{ZOES}/aliases")
        assert texts(parsed(await web.get(form)), "h1") == ["Sign in"]
        await web.post("/sign-in", data={"token": importer})
        yield web


ZOES, LENTS = (f"/drivers/{driver_id('liverc', one)}" for one in (ZOE, LENT))


async def ticks_of(web: httpx.AsyncClient) -> dict[str, tuple[str, bool]]:
    """What can be ticked on the form of Zoë's where the lent one was searched for: values, and what is."""
    page = parsed(await web.get(f"{ZOES}/aliases", params={"q": LENT}))
    return {
        texts(label, "bdi")[0]: (box.attributes["value"] or "", "checked" in box.attributes)
        for label in page.css("label.choice")
        for box in label.css("[name=alias]")
    }


async def test_people_are_joined_and_parted_on_the_pages(web: httpx.AsyncClient) -> None:
    """From a driver's page: the other one is found and ticked, of what was lent only the own name."""
    ticks = await ticks_of(web)
    names = ["Faßbender, Zoë", "Al Loaner", "Zoë Faßbender"]
    assert [(name, checked) for name, (_, checked) in ticks.items()] == [
        *zip(names, (True, False, False), strict=True)
    ]
    chosen = [ticks[names[0]][0], ticks[names[2]][0]]
    page = parsed(await web.post("/aliases", data={"alias": chosen, **await csrf(web)}))
    assert texts(page, "h1") == ["Zoë Faßbender"]
    assert [row[:3] for row in rows_of(page, "#aliases")] == [
        [LENT, "only as Zoë Faßbender", "2"],
        [ZOE, "Faßbender, Zoë", "1"],
    ]
    assert len(rows_of(page, "#sessions")) == 3
    person = (await web.get(ZOES)).url.path
    assert len(rows_of(parsed(await web.get(ZOES, params={"alone": "true"})), "#sessions")) == 1
    lent = parsed(await web.get(LENTS))
    assert (len(rows_of(lent, "#sessions")), links(lent, "/people/")) == (3, [person])
    asked = parsed(await web.get(links(page, f"{person}/unset")[1]))
    assert any("not joined any more either" in text for text in texts(asked, "main p"))
    given = {"alias": chosen[0], **await csrf(web)}
    parsed(await web.post(f"{person}/unset", data=given))
    again = parsed(await web.post(f"{person}/unset", data=given), 404)
    assert texts(again, "h1") == ["This was taken apart already"]
    assert len(rows_of(parsed(await web.get(ZOES)), "#sessions")) == 1


async def test_a_form_that_is_not_whole_joins_nobody(web: httpx.AsyncClient) -> None:
    one, other = [value for value, _ in (await ticks_of(web)).values()][:2]
    guard = await csrf(web)
    alone = parsed(await web.post("/aliases", data={"alias": [one], **guard}), 422)
    assert texts(alone, "h1") == ["Tick two or more"]
    parsed(await web.post("/aliases", data={"alias": [one, other]}), 403)
    for wrong in ("[1]", "x", '["liverc","a\\u0000",null]'):
        parsed(await web.post("/aliases", data={"alias": [one, wrong], **guard}), 400)
    whole = f'["liverc","{LENT}",null]'
    asked = parsed(await web.post("/aliases", data={"alias": [one, whole], **guard}), 409)
    assert texts(asked, "h1") == ["Say which name is meant"]
    assert (await web.get(ZOES)).url.path == ZOES
