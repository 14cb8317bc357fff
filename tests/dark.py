"""Time-outs of sessions that a test can wait for."""

import pytest

from store import notifications, pool, session


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the time-outs of sessions so short that a test can wait for them."""
    monkeypatch.setattr(session, "CONNECT_SECONDS", 3.0)
    monkeypatch.setattr(session, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(session, "ASK_SECONDS", 0.5)
    monkeypatch.setattr(session, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(session, "CANCEL_SECONDS", 0.3)
    monkeypatch.setattr(pool, "RELEASE_SECONDS", 0.3)
    monkeypatch.setattr(pool, "CLOSE_SECONDS", 0.3)
    monkeypatch.setattr(notifications, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(notifications, "RETRY_SECONDS", 0.1)
