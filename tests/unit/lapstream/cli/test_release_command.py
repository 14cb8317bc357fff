"""`lapstream verify-release` as it is typed, and with nobody at the other end."""

from pathlib import Path

import pytest

from broker.topics import TopicState
from ops.release.installation import topics
from tests.commands import NOTHING_ANSWERS, ended, internals

OWN_DAY = ("--track", "sample-track", "--date", "2025-10-25")


@pytest.mark.parametrize("typed", [(), OWN_DAY])
def test_servers_that_are_away_fail_the_points_that_need_them(typed: tuple[str, ...], tmp_path: Path) -> None:
    code, out, err = ended(tmp_path, "verify-release", NOTHING_ANSWERS, arguments=typed)
    states = dict(line.split(":")[0].rsplit(maxsplit=1) for line in out.splitlines() if line[0] != " ")
    assert (code, internals(out + err), "hush-hush" in out + err) == (1, [], False)
    assert "LAPSTREAM_POSTGRES_DSN" in out
    assert "LAPSTREAM_KAFKA_BOOTSTRAP" in out
    assert "passed" not in states.values()
    assert err.splitlines()[-1].startswith("error: ")


@pytest.mark.parametrize("typed", [OWN_DAY[:2], OWN_DAY[2:], ("--date", "2999-01-01", *OWN_DAY[:2])])
def test_a_day_is_a_track_and_a_date_that_came(typed: tuple[str, ...], tmp_path: Path) -> None:
    code, out, _ = ended(tmp_path, "verify-release", NOTHING_ANSWERS, arguments=typed)
    assert (code, out) == (2, "")


def test_what_differs_of_a_topic_is_told_with_what_mends_it() -> None:
    fewer = TopicState(name="pages", exists=True, partitions=2, differences=["it has 2 partitions: `mend`"])
    more = TopicState(name="days", exists=True, partitions=9, differences=[], notes=["more do no harm"])
    gone = [
        TopicState(name=name, exists=False, partitions=0, differences=["it is gone"])
        for name in ("requests", "outcomes")
    ]
    assert topics([more]) == ("all 1 are as declared; days: more do no harm", None)
    assert topics([more, fewer, *gone]).what == (
        "pages: it has 2 partitions: `mend`; requests, outcomes: it is gone"
    )
