"""What protects a session: where one may be led, and what a form must carry."""

import pytest

from server.web.session import csrf_of, own_path


@pytest.mark.parametrize("address", ["/", "/imports/new", "/tracks/a/2025-10-25?source=b", "/?q=%2F"])
def test_one_is_led_back_to_where_one_came_from(address: str) -> None:
    assert own_path(address) == address


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "https://elsewhere.example",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "/\t/elsewhere.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=y",
        "/\x00/elsewhere.example",
        "/" + "a" * 2000,
    ],
)
def test_one_is_never_led_elsewhere(address: str | None) -> None:
    assert own_path(address) == "/"


def test_a_form_is_of_its_session_alone() -> None:
    assert csrf_of("one") != csrf_of("another")
    assert csrf_of("one") != csrf_of("one", "alice") != csrf_of("one", "bob")
    assert "one" not in csrf_of("one")
