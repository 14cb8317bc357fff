"""Corrections that a track makes between two imports.

In: a day and a correction. Out: the corrected day; its totals follow, since they are computed.
"""

from dataclasses import replace

import msgspec

from sandbox.sample_site.model import SampleDay, SampleSession


class _Edit(msgspec.Struct, frozen=True, kw_only=True, tag_field="edit", forbid_unknown_fields=True):
    session_id: str


class RemoveLap(_Edit, frozen=True, kw_only=True, tag="remove_lap"):
    """The lap goes, and those after it are numbered anew."""

    lap_number: int


class RemoveSession(_Edit, frozen=True, kw_only=True, tag="remove_session"):
    """The session goes from the list, and its page no longer knows it."""


class CorrectTransponder(_Edit, frozen=True, kw_only=True, tag="correct_transponder"):
    """The session gets another transponder, or none."""

    transponder: str | None


Edit = RemoveLap | RemoveSession | CorrectTransponder


def edited(day: SampleDay, edit: Edit) -> SampleDay:
    """The day after the correction.

    Raises:
        ValueError: the day has no such session, or the session no such lap.
    """
    session = day.session(edit.session_id)
    if session is None:
        raise ValueError(f"{day.track_slug} {day.date}: no session {edit.session_id}")
    changed = _corrected(session, edit)
    sessions = (changed if each is session else each for each in day.sessions)
    return replace(day, sessions=tuple(each for each in sessions if each is not None))


def _corrected(session: SampleSession, edit: Edit) -> SampleSession | None:
    if isinstance(edit, RemoveSession):
        return None
    if isinstance(edit, CorrectTransponder):
        return replace(session, transponder=edit.transponder)
    if not 1 <= edit.lap_number <= len(session.laps):
        raise ValueError(f"session {session.session_id}: no lap {edit.lap_number}")
    return replace(session, laps=session.laps[: edit.lap_number - 1] + session.laps[edit.lap_number :])
