"""Who a proxy says is signed in: by which header, from where, and what is none."""

from collections.abc import Sequence
from typing import Any

import pytest
import structlog
from litestar.types import Receive, Scope, Send

from runtime.settings import Settings, SettingsError
from server.http.proxy_users import behind_proxies, user_of
from tests.api import settings_of

PROXY = "10.0.0.7"
HEADER = b"x-forwarded-user"


async def seen(
    monkeypatch: pytest.MonkeyPatch,
    headers: Sequence[tuple[bytes, bytes]],
    *,
    peer: str | None = PROXY,
    allowed: str = f"192.0.2.1, {PROXY}",
    settings: Settings | None = None,
) -> tuple[str | None, str | None]:
    """The user and the address of a request as the application sees them."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", allowed)
    found: list[tuple[str | None, str | None]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        client: Any = scope["client"]
        found.append((user_of(scope), client and client[0]))

    scope: Any = {"type": "http", "client": peer and (peer, 1), "headers": list(headers), "scheme": "http"}
    wanted = settings or settings_of("", api_proxy_user_header="X-Forwarded-User")
    nothing: Any = None
    await behind_proxies(app, wanted)(scope, nothing, nothing)
    return found[0]


@pytest.mark.parametrize("allowed", [PROXY, f"192.0.2.1,{PROXY}", "10.0.0.0/24"])
async def test_a_believed_proxy_names_the_user(monkeypatch: pytest.MonkeyPatch, allowed: str) -> None:
    headers = [(HEADER, "Zoë".encode()), (b"x-forwarded-for", b"203.0.113.9")]
    assert await seen(monkeypatch, headers, allowed=allowed) == ("Zoë", "203.0.113.9")


@pytest.mark.parametrize("peer", ["203.0.113.9", "127.0.0.1", "::1", f"::ffff:{PROXY}", "", None])
async def test_nobody_else_does_whatever_is_forwarded(
    monkeypatch: pytest.MonkeyPatch, peer: str | None
) -> None:
    headers = [(HEADER, b"alice"), (b"x-forwarded-for", PROXY.encode()), (b"x-real-ip", PROXY.encode())]
    with structlog.testing.capture_logs() as lines:
        assert await seen(monkeypatch, headers, peer=peer) == (None, peer)
    assert [(line["event"], line["why"]) for line in lines] == [
        ("api_proxy_user_ignored", "the address is not believed")
    ]


@pytest.mark.parametrize(
    "values",
    [
        [b"alice", b"mallory"],
        [b"alice", b"alice"],
        [b"alice", b""],
        [b"alice, mallory"],
        [b"al\x00ice"],
        [b"al\x1bice"],
        [b"al\tice"],
        ["al\u202eice".encode()],
        [b"\xff\xfe"],
        [b" "],
        [b"a" * 201],
    ],
)
async def test_what_is_no_single_name_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch, values: list[bytes]
) -> None:
    with structlog.testing.capture_logs() as lines:
        assert (await seen(monkeypatch, [(HEADER, value) for value in values]))[0] is None
    assert len(lines) == 1


@pytest.mark.parametrize("headers", [[], [(HEADER, b"")], [(b"x_forwarded_user", b"alice")]])
async def test_who_is_not_signed_in_is_nobody_without_a_word(
    monkeypatch: pytest.MonkeyPatch, headers: list[tuple[bytes, bytes]]
) -> None:
    with structlog.testing.capture_logs() as lines:
        assert (await seen(monkeypatch, headers))[0] is None
    assert lines == []


async def test_without_the_setting_the_header_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = [(HEADER, b"alice"), (b"x-forwarded-for", b"203.0.113.9")]
    assert await seen(monkeypatch, headers, settings=settings_of("")) == (None, "203.0.113.9")


async def test_it_is_logged_once_for_each_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", PROXY)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    served = behind_proxies(app, settings_of("", api_proxy_user_header="X-Forwarded-User"))
    nothing: Any = None
    with structlog.testing.capture_logs() as lines:
        for number in range(300):
            scope: Any = {
                "type": "http",
                "client": (f"203.0.113.{number // 2}", 1),
                "headers": [(HEADER, b"a")],
            }
            await served(scope, nothing, nothing)
    assert len(lines) == 100


@pytest.mark.parametrize("allowed", ["*", "10.0.0.7,*", "0.0.0.0/0", "10.0.0.7, ::/0"])
async def test_where_everybody_is_believed_it_does_not_start(
    monkeypatch: pytest.MonkeyPatch, allowed: str
) -> None:
    with pytest.raises(SettingsError, match="anybody could say who they are"):
        await seen(monkeypatch, [], allowed=allowed)
