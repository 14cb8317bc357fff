"""Settings: read from an environment, and written into one for another process."""

import pytest

from runtime.settings import Settings, environment, read_settings

SETTINGS = Settings(
    kafka_bootstrap="127.0.0.1:9092",
    postgres_dsn="postgresql://localhost/x",
    site="http://127.0.0.1:1/{track_slug}",
    site_interval_seconds=0.5,
    topic_prefix="mine-",
    track_zones={"track": "Australia/Sydney", "other": "Europe/Berlin"},
)


def test_another_process_reads_just_these_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPSTREAM_TOPIC_PREFIX", "another-")
    monkeypatch.setenv("LAPSTREAM_POSTGRES_DSN_FILE", "/nowhere")
    assert read_settings(environment(SETTINGS)) == SETTINGS
