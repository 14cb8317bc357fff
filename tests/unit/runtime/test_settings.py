"""Settings: read from an environment, and written into one for another process."""

import re

import pytest

from runtime.settings import Settings, SettingsError, environment, read_settings
from schemas.topics import LogTopic, Topics

SETTINGS = Settings(
    kafka_bootstrap="127.0.0.1:9092",
    postgres_dsn="postgresql://localhost/x",
    site="http://127.0.0.1:1/{track_slug}",
    site_interval_seconds=0.5,
    topic_prefix="mine-",
    track_zones={"track": "Australia/Sydney", "other": "Europe/Berlin"},
    log_topics=(LogTopic("practice-days", ("liverc",)), LogTopic("others", ("mylaps", "orbits"))),
)


def test_another_process_reads_just_these_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPSTREAM_TOPIC_PREFIX", "another-")
    monkeypatch.setenv("LAPSTREAM_POSTGRES_DSN_FILE", "/nowhere")
    assert read_settings(environment(SETTINGS)) == SETTINGS


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "practice-days must be there"),
        ("others=mylaps", "practice-days must be there"),
        ("practice-days=mylaps,others=*", "speak for liverc"),
        ("practice-days=*,others", "'others' is not of the form topic=source+source"),
        ("practice-days=*,others=My Laps", "is not of the form"),
        ("practice-days=*,others=mylaps+", "is not of the form"),
        ("practice-days=*,others=mylaps,others=orbits", "others stands twice"),
        ("practice-days=*,pages=mylaps", "pages is no topic of the event log"),
    ],
)
def test_log_topics_that_can_not_be_are_told(text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)) as caught:
        read_settings(environment(SETTINGS) | {"LAPSTREAM_LOG_TOPICS": text})
    assert str(caught.value).startswith("LAPSTREAM_LOG_TOPICS: ")


def test_of_two_topics_for_one_source_the_first_one_counts() -> None:
    log = (
        LogTopic("practice-days", ("liverc",)),
        LogTopic("own", ("mylaps",)),
        LogTopic("any", ("*",)),
    )
    topics = Topics(prefix="p-", log=log)
    found = {
        source: [topics.authority(name, source) for name in topics.event_log]
        for source in ("liverc", "mylaps", "x")
    }
    assert found == {"liverc": [0, None, -1], "mylaps": [None, 0, -1], "x": [None, None, 0]}
    assert topics.of("session_detail.fetched.v2", "mylaps") == "p-own"


@pytest.mark.parametrize("days", ["1", "29"])
def test_what_may_still_be_needed_is_not_pruned(days: str) -> None:
    with pytest.raises(SettingsError, match=f"^LAPSTREAM_PRUNE_AFTER_DAYS: {days} is too few"):
        read_settings(environment(SETTINGS) | {"LAPSTREAM_PRUNE_AFTER_DAYS": days})
    assert read_settings(environment(SETTINGS) | {"LAPSTREAM_PRUNE_AFTER_DAYS": "30"}).prune_after_days == 30
