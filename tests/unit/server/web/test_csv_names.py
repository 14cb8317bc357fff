"""The names of files: whatever an event calls a session, nothing but a plain name comes of it."""

import pytest

from server.web.csv_files import file_name


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("track", "2025-10-25", "laps"), "track-2025-10-25-laps.csv"),
        (('a"; filename="b.exe', "x"), "a-filename-b-exe-x.csv"),
        (("../../etc/passwd",), "etc-passwd.csv"),
        (("a\r\nSet-Cookie: b", "laps"), "a-Set-Cookie-b-laps.csv"),
        (("日本", "laps"), "laps.csv"),
        (("x" * 500,), "x" * 100 + ".csv"),
    ],
)
def test_a_file_has_a_name_that_every_system_takes(parts: tuple[str, ...], name: str) -> None:
    assert file_name(*parts) == name
