"""Signing in by a proxy's header: what its users may do, that their forms can't be forged, who is logged."""

from collections.abc import AsyncGenerator

import httpx
import pytest
import structlog

from runtime.database import connected
from runtime.settings import Settings
from schemas.scopes import Scope
from server.http import api_keys
from server.listening import serving
from server.web.session import COOKIE, CSRF_FIELD, FORM_COOKIE
from tests.api import no_month, settings_of, token
from tests.integration.test_web import browser, csrf, parsed, texts

ALICE = {"X-Forwarded-User": "alice"}
BOB = {"X-Forwarded-User": "bob"}
PAUSE = "/operate/site/pause"


@pytest.fixture(scope="module")
async def settings(shared_dsn: str) -> Settings:
    """Settings of an API behind a proxy on this machine, whose users are operators."""
    return settings_of(
        shared_dsn, api_open_read=False, api_proxy_user_header="X-Forwarded-User", api_proxy_scope="operate"
    )


@pytest.fixture(scope="module")
async def address(settings: Settings) -> AsyncGenerator[str]:
    async with serving(settings, no_month) as address:
        yield address


@pytest.fixture
async def alice(address: str) -> AsyncGenerator[httpx.AsyncClient]:
    """The browser of who is signed in at the proxy."""
    async with browser(address) as client:
        client.headers.update(ALICE)
        yield client


async def form(client: httpx.AsyncClient, path: str = PAUSE) -> dict[str, str]:
    """What a form of this session carries, with a reason."""
    return {**await csrf(client, path), "reason": "a test"}


async def test_a_user_operates_under_their_own_name(alice: httpx.AsyncClient) -> None:
    page = parsed(await alice.get("/operate"))
    assert "Signed in as alice" in texts(page, "header li")
    entered = await form(alice)
    with structlog.testing.capture_logs() as lines:
        assert (await alice.post(PAUSE, data=entered)).status_code == 303
        assert (await alice.post("/operate/site/resume", data=entered)).status_code == 303
    said = {(line["event"], line["key"], line["user"]) for line in lines}
    assert said == {("operated", None, "alice"), ("api_request", None, "alice")}


async def test_a_form_is_protected_without_a_key(alice: httpx.AsyncClient) -> None:
    answer = await alice.get(PAUSE)
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(f"{FORM_COOKIE}=")
    assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/"))
    assert "set-cookie" not in (await alice.get(PAUSE)).headers
    entered = await form(alice)
    wrong = {CSRF_FIELD: "0" * 64, "reason": "forged"}
    for forged in ({"reason": "forged"}, wrong):
        assert (await alice.post(PAUSE, data=forged)).status_code == 403
    for header in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        assert (await alice.post(PAUSE, data=entered, headers=header)).status_code == 403
    alice.cookies.clear()  # another site's form comes without it
    assert (await alice.post(PAUSE, data=entered)).status_code == 403


async def test_a_form_of_one_user_is_not_anothers(alice: httpx.AsyncClient) -> None:
    entered = await form(alice)
    assert (await alice.post(PAUSE, data=entered, headers=BOB)).status_code == 403


async def test_over_https_no_other_host_of_the_domain_can_set_the_cookie(alice: httpx.AsyncClient) -> None:
    answer = await alice.get(PAUSE, headers={"X-Forwarded-Proto": "https"})
    assert answer.headers["set-cookie"].startswith(f"__Host-{FORM_COOKIE}=")
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_a_key_that_is_signed_in_with_counts_alone(
    alice: httpx.AsyncClient, settings: Settings
) -> None:
    entered = await form(alice, "/sign-in") | {"token": await token(settings, Scope.read)}
    assert (await alice.post("/sign-in", data=entered)).status_code == 303
    assert texts(parsed(await alice.get("/operate"), 403), "h1") == ["This key may not do that"]
    with structlog.testing.capture_logs() as lines:
        assert (await alice.get("/")).status_code == 200
    assert [(line["key"], line["user"]) for line in lines] == [("key of read", "alice")]
    async with connected(settings) as connection:
        await api_keys.revoke(connection, "key of read")
    answer = await alice.get("/operate")
    assert answer.headers["location"].startswith("/sign-in?")  # said once, then the key is forgotten
    assert COOKIE not in alice.cookies
    assert (await alice.get("/operate")).status_code == 200


async def test_the_api_takes_no_users(alice: httpx.AsyncClient) -> None:
    assert (await alice.get("/api/v1/tracks")).status_code == 401
    program = {"Accept": "application/json"}
    assert (await alice.get("/metrics", headers=program)).status_code == 401


async def test_a_header_of_somebody_else_is_nobodys(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.1")
    forwarded = ALICE | {"X-Forwarded-For": "10.0.0.1"}
    async with serving(settings, no_month) as address, browser(address) as client:
        for headers in (ALICE, forwarded):
            answer = await client.get("/operate", headers=headers)
            assert answer.headers["location"].startswith("/sign-in?")


@pytest.mark.parametrize(
    "lines", [[b"alice", b"mallory"], [b"alice", b"alice"], [b"alice,mallory"], [b"al\x01ice"], [b""]]
)
async def test_a_header_that_names_nobody_for_sure_is_nobodys(address: str, lines: list[bytes]) -> None:
    async with browser(address) as client:
        headers = [(b"x-forwarded-user", line) for line in lines] + [(b"accept", b"text/html")]
        answer = await client.get("/operate", headers=headers)
        assert answer.status_code in {303, 400}
        assert "alice" not in answer.text


async def test_what_users_may_do_is_a_setting_and_reading_unless_it_is_set(settings: Settings) -> None:
    reading = settings_of(
        settings.postgres_dsn, api_open_read=False, api_proxy_user_header="X-Forwarded-User"
    )
    async with serving(reading, no_month) as address, browser(address) as client:
        client.headers.update(ALICE)
        assert (await client.get("/")).status_code == 200
        page = parsed(await client.get("/imports/new"), 403)
        assert "user alice lacks the scope ingest" in texts(page, ".lead")[0]
        assert (await client.get("/operate")).status_code == 403


async def test_each_user_has_a_minute_of_their_own(settings: Settings) -> None:
    few = settings_of(
        settings.postgres_dsn,
        api_proxy_user_header="X-Forwarded-User",
        api_requests_per_minute=2,
    )
    async with serving(few, no_month) as address, browser(address) as client:
        of_alice = [(await client.get("/sign-in", headers=ALICE)).status_code for _ in range(3)]
        assert of_alice == [200, 200, 429]
        assert (await client.get("/sign-in", headers=BOB)).status_code == 200


async def test_a_key_that_is_revoked_is_signed_out_everywhere(address: str, settings: Settings) -> None:
    key = await token(settings, Scope.operate)
    async with browser(address) as phone, browser(address) as laptop:
        for client in (phone, laptop):
            await client.post("/sign-in", data={"token": key})
            assert (await client.get("/operate")).status_code == 200
        async with connected(settings) as connection:
            await api_keys.revoke(connection, "key of operate")
        for client in (phone, laptop):
            assert (await client.get("/operate")).headers["location"].startswith("/sign-in?")
            assert COOKIE not in client.cookies
