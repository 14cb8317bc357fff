"""The site over real HTTP: pages, faults, counts, controls."""

import asyncio
import datetime as dt
import json
import signal
import sys
import zlib

import httpx
import pytest

from sandbox.sample_site import render
from sandbox.sample_site.edits import RemoveSession
from sandbox.sample_site.faults import Fault, FaultKind, Match
from sandbox.sample_site.generate import real_shape_day
from sandbox.sample_site.server import RunningSite, serve
from sandbox.sample_site.site import SampleSite, Settings

DATE = dt.date(2025, 10, 25)
LIST = "/canberra/practice/?p=session_list&d=2025-10-25"


def session_path(site: SampleSite, number: int = 0) -> str:
    session = site.day("canberra", DATE).sessions[number]
    return f"/canberra/practice/?p=view_session&id={session.session_id}"


async def test_pages_come_as_they_are_rendered(site: SampleSite, client: httpx.AsyncClient) -> None:
    day = real_shape_day("canberra", DATE)
    site.put(day)

    assert (await client.get(LIST)).content == render.render_day_list(day)
    assert (await client.get(session_path(site))).content == render.render_session(day, day.sessions[0])


async def test_the_site_template_leads_to_the_pages(
    running: RunningSite, client: httpx.AsyncClient, site: SampleSite
) -> None:
    address = running.site_template.format(track_slug="canberra")
    page = await client.get(f"{address}/practice/?p=session_list&d=2025-10-25")

    assert page.content == render.render_day_list(site.day("canberra", DATE))


async def test_every_day_of_every_track_has_practice(client: httpx.AsyncClient) -> None:
    page = await client.get("/some-track/practice/?p=session_list&d=2031-02-28")

    assert page.status_code == 200
    assert "Practice Sessions on February 28, 2031 (Friday)" in page.text
    assert "view_session" in page.text


async def test_a_session_is_found_before_its_day_was_looked_at(client: httpx.AsyncClient) -> None:
    page = await client.get(session_path(SampleSite(seed=7)))

    assert "Num Laps" in page.text


async def test_a_day_can_be_empty(site: SampleSite, client: httpx.AsyncClient) -> None:
    site.set_empty("canberra", DATE)

    assert "There are no practice sessions available" in (await client.get(LIST)).text


async def test_the_month_counts_the_sessions_of_its_days(site: SampleSite, client: httpx.AsyncClient) -> None:
    site.put(real_shape_day("canberra", DATE))
    site.set_empty("canberra", dt.date(2025, 10, 24))
    page = (await client.get("/canberra/practice/")).text

    assert '<a href="/practice/?p=session_list&d=2025-10-25">56</a>' in page
    assert "d=2025-10-24" not in page
    assert 'value="2025-09"' in page
    assert "d=2025-02-01" in (await client.get("/canberra/practice/?p=calendar&d=2025-02")).text
    assert (await client.get("/canberra/practice/?d=2025-02")).text == page


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/canberra/practice/?p=session_list&d=today",
        "/canberra/practice/?p=x",
        "/canberra/practice/?p=calendar",
        "/UPPER/practice/",
        LIST[:9],
    ],
)
async def test_what_is_not_there_is_not_found(path: str, client: httpx.AsyncClient) -> None:
    assert (await client.get(path)).status_code == 404


async def test_an_unknown_session_is_a_page_without_a_table(client: httpx.AsyncClient) -> None:
    page = await client.get("/canberra/practice/?p=view_session&id=12")

    assert page.status_code == 200
    assert "<table" not in page.text


async def test_robots_are_allowed_unless_it_is_said(site: SampleSite, client: httpx.AsyncClient) -> None:
    assert (await client.get("/robots.txt")).text == "User-agent: *\nAllow: /\n"

    site.settings = Settings(robots_txt="User-agent: *\nDisallow: /\n")
    assert "Disallow: /" in (await client.get("/robots.txt")).text


async def test_an_unchanged_page_is_not_sent_twice(site: SampleSite, client: httpx.AsyncClient) -> None:
    etag = (await client.get(LIST)).headers["etag"]

    again = await client.get(LIST, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")

    site.change("canberra", DATE, RemoveSession(session_id=site.day("canberra", DATE).sessions[0].session_id))
    changed = await client.get(LIST, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


async def test_etags_can_be_switched_off(site: SampleSite, client: httpx.AsyncClient) -> None:
    site.settings = Settings(etag=False)

    assert "etag" not in (await client.get(LIST)).headers


async def test_pages_are_packed_when_the_client_asks(site: SampleSite, client: httpx.AsyncClient) -> None:
    packed = await client.get(LIST, headers={"Accept-Encoding": "gzip"})
    plain = await client.get(LIST, headers={"Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 4

    site.settings = Settings(gzip=False)
    assert "content-encoding" not in (await client.get(LIST)).headers


async def test_a_status_comes_with_its_retry_after(site: SampleSite, client: httpx.AsyncClient) -> None:
    site.faults.add(Fault(kind="status", status=429, retry_after="7", times=2))

    answers = [await client.get(LIST) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"


async def test_a_dropped_connection_gives_no_answer(site: SampleSite, client: httpx.AsyncClient) -> None:
    site.faults.add(Fault(kind="drop", times=1))

    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(LIST)
    assert (await client.get(LIST)).status_code == 200
    assert [record.status for record in site.ledger.requests] == [None, 200]


async def test_a_delay_can_meet_another_fault(site: SampleSite, client: httpx.AsyncClient) -> None:
    site.faults.add(Fault(kind="delay", seconds=0.05))
    site.faults.add(Fault(kind="status", status=503))

    assert (await client.get(LIST)).status_code == 503
    record = site.ledger.requests[0]
    assert record.ended is not None
    assert record.ended - record.began >= 0.05


async def test_a_truncated_page_is_the_beginning_of_the_right_one(
    site: SampleSite, client: httpx.AsyncClient
) -> None:
    site.faults.add(Fault(kind="truncate", times=1))
    cut, whole = [(await client.get(LIST)).content for _ in range(2)]

    assert len(cut) == len(whole) * 6 // 10
    assert whole.startswith(cut)


@pytest.mark.parametrize(
    ("kind", "sign"),
    [
        ("bot_check", "Just a moment..."),
        ("bot_check", "challenge-platform"),
        ("login", 'type="password"'),
        ("error_page", "Internal Server Error"),
    ],
)
async def test_what_is_not_a_page_comes_with_status_200(
    kind: FaultKind, sign: str, site: SampleSite, client: httpx.AsyncClient
) -> None:
    site.faults.add(Fault(kind=kind))
    page = await client.get(LIST)

    assert page.status_code == 200
    assert sign in page.text
    assert "<table" not in page.text


async def test_an_empty_body_has_no_bytes(site: SampleSite, client: httpx.AsyncClient) -> None:
    site.faults.add(Fault(kind="empty"))
    page = await client.get(LIST)

    assert (page.status_code, page.content) == (200, b"")


async def test_another_days_page_is_the_day_befores_or_another_sessions(
    site: SampleSite, client: httpx.AsyncClient
) -> None:
    site.faults.add(Fault(kind="other_day"))
    day = site.day("canberra", DATE)

    assert "October 24, 2025 (Friday)" in (await client.get(LIST)).text
    assert (await client.get(session_path(site))).content == render.render_session(day, day.sessions[1])


async def test_a_gzip_bomb_is_small_until_it_is_unpacked(site: SampleSite, client: httpx.AsyncClient) -> None:
    site.faults.add(Fault(kind="gzip_bomb", megabytes=20))

    async with client.stream("GET", LIST) as answer:
        packed = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert len(packed) < 30_000
    assert len(zlib.decompress(packed, wbits=31)) == 20_000_000


@pytest.mark.parametrize(
    "match",
    [
        Match(page="day_list"),
        Match(date=DATE, page="day_list"),
        Match(path_contains="d=2025-10-25"),
        Match(track_slug="canberra", path_contains="session_list"),
    ],
)
async def test_a_fault_meets_only_what_it_matches(
    match: Match, site: SampleSite, client: httpx.AsyncClient
) -> None:
    site.faults.add(Fault(kind="status", match=match))

    assert (await client.get(LIST)).status_code == 503
    assert (await client.get(session_path(site))).status_code == 200


async def test_a_fault_can_meet_one_session_after_its_first_answer(
    site: SampleSite, client: httpx.AsyncClient
) -> None:
    match = Match(session_id=site.day("canberra", DATE).sessions[1].session_id, date=DATE)
    site.faults.add(Fault(kind="status", match=match, after=1, times=1))

    answers = [(await client.get(session_path(site, n))).status_code for n in (0, 1, 1, 1)]
    assert answers == [200, 200, 503, 200]


async def test_faults_can_be_cleared(site: SampleSite, client: httpx.AsyncClient) -> None:
    site.faults.add(Fault(kind="empty"))
    site.faults.clear()

    assert (await client.get(LIST)).content != b""


async def test_requests_at_once_are_counted(site: SampleSite, client: httpx.AsyncClient) -> None:
    site.settings = Settings(latency_seconds=0.05)
    paths = [session_path(site, number) for number in range(4)]
    await asyncio.gather(client.get(LIST), *(client.get(path) for path in paths))

    ledger = site.ledger
    assert (ledger.max_in_flight, ledger.max_sessions_in_flight) == (5, 4)
    assert (ledger.in_flight, ledger.sessions_in_flight) == (0, 0)
    assert (ledger.count("session"), ledger.count("day_list")) == (4, 1)


async def test_a_client_that_went_away_is_no_longer_in_flight(
    site: SampleSite, client: httpx.AsyncClient
) -> None:
    site.faults.add(Fault(kind="delay", seconds=60))

    with pytest.raises(httpx.ReadTimeout):
        await client.get(LIST, timeout=0.05)
    async with asyncio.timeout(5):
        while (await client.get("/_control/statistics")).json()["in_flight"]:
            pass
    assert site.ledger.requests[0].status is None


async def test_corrections_are_seen_until_they_are_put_back(
    site: SampleSite, client: httpx.AsyncClient
) -> None:
    before = (await client.get(LIST)).content
    session_id = site.day("canberra", DATE).sessions[0].session_id
    path = session_path(site)

    site.change("canberra", DATE, RemoveSession(session_id=session_id))
    assert session_id not in (await client.get(LIST)).text
    assert "<table" not in (await client.get(path)).text

    site.put_back("canberra", DATE)
    assert (await client.get(LIST)).content == before


async def test_the_controls_steer_a_site_from_outside(client: httpx.AsyncClient) -> None:
    order = {"track_slug": "canberra", "date": "2025-10-25"}
    put = await client.post("/_control/days", json={**order, "preset": "real_shape"})
    session_id = put.json()["sessions"][0]
    assert len(put.json()["sessions"]) == 56

    edits = [
        {"edit": "remove_lap", "session_id": put.json()["sessions"][1], "lap_number": 1},
        {"edit": "correct_transponder", "session_id": put.json()["sessions"][2], "transponder": "55"},
        {"edit": "remove_session", "session_id": session_id},
    ]
    edited = await client.post("/_control/edits", json={**order, "edits": edits})
    assert session_id not in edited.json()["sessions"]
    assert "(55)" in (await client.get(LIST)).text
    back = await client.post("/_control/put-back", json=order)
    assert back.json() == put.json()

    await client.post(
        "/_control/faults", json={"kind": "status", "status": 500, "match": {"page": "day_list"}}
    )
    assert (await client.get(LIST)).status_code == 500
    await client.delete("/_control/faults")
    assert (await client.get(LIST)).status_code == 200


async def test_a_day_grows_step_by_step_and_by_the_clock(client: httpx.AsyncClient) -> None:
    order = {"track_slug": "canberra", "date": "2025-10-25"}
    put = await client.post("/_control/days", json={**order, "sessions": 5})
    every = put.json()["sessions"]
    for shown in (0, 2, 9):
        grown = await client.post("/_control/grow", json={**order, "shown": shown})
        assert grown.json()["sessions"] == every[:shown]
    clocked = {**order, "shown": 1, "every_seconds": 0.000001}
    await client.post("/_control/grow", json=clocked)
    page = (await client.get(LIST)).text
    assert all(session in page for session in every)


async def test_the_controls_change_only_the_settings_that_are_named(
    site: SampleSite, client: httpx.AsyncClient
) -> None:
    await client.put("/_control/settings", json={"latency_seconds": 0.01})
    answer = await client.put("/_control/settings", json={"spelling": "saved"})

    assert answer.status_code == 200
    assert site.settings == Settings(latency_seconds=0.01, spelling="saved")
    assert (await client.get(LIST)).content == render.render_day_list(
        site.day("canberra", DATE), spelling="saved"
    )


async def test_the_controls_report_and_reset(site: SampleSite, client: httpx.AsyncClient) -> None:
    await client.get(LIST)
    await client.get("/robots.txt")

    statistics = (await client.get("/_control/statistics")).json()
    assert statistics["total"] == 2
    assert statistics["by_page"] == {"day_list": 1, "robots": 1}
    assert sum(statistics["begins_per_second"].values()) == 2
    assert [request["path"] for request in statistics["requests"]] == [LIST, "/robots.txt"]

    await client.post("/_control/reset")
    assert (await client.get("/_control/statistics")).json()["total"] == 0
    assert site.settings == Settings()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "faults", {"kind": "earthquake"}),
        ("POST", "faults", {"kind": "status", "stauts": 500}),
        ("POST", "days", {"track_slug": "canberra", "date": "2025-10-25", "sessions": 5001}),
        ("PUT", "settings", {"latency": 1}),
        (
            "POST",
            "edits",
            {
                "track_slug": "canberra",
                "date": "2025-10-25",
                "edits": [{"edit": "remove_session", "session_id": "1"}],
            },
        ),
    ],
)
async def test_a_wrong_control_is_refused_with_a_reason(
    method: str, path: str, body: dict[str, object], client: httpx.AsyncClient
) -> None:
    answer = await client.request(method, f"/_control/{path}", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_two_sites_cannot_share_a_port(site: SampleSite, running: RunningSite) -> None:
    port = int(running.base_url.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"):
        async with serve(site, port=port):
            pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_site_of_its_own_says_where_it_is_and_stops_when_asked(number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.sample_site", "--latency-ms", "1", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    where = json.loads(await process.stdout.readline())
    async with httpx.AsyncClient(trust_env=False) as client:
        address = where["site_template"].replace("{track_slug}", "canberra")
        page = await client.get(f"{address}/practice/?p=session_list&d=2025-10-25")
    process.send_signal(number)

    assert page.status_code == 200
    assert await process.wait() == 0
