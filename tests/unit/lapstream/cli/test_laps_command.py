"""What racers type: a track is checked before anything is looked for."""

import pytest
from typer.testing import CliRunner

from lapstream.cli.tree import app

TRACK = "Not a slug"


@pytest.mark.parametrize(
    "words",
    [
        ("days", TRACK),
        ("records", TRACK),
        ("export", TRACK, "--parquet", "files"),
        ("laps", "--track", TRACK),
        ("drivers", "--track", TRACK),
        ("compare", "1", "2", "--track", TRACK),
    ],
)
def test_a_track_that_is_no_slug_is_refused(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, words)
    said = " ".join(result.output.replace("│", "").split())
    assert (result.exit_code, "'Not a slug' is no track slug" in said) == (2, True)
