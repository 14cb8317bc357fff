"""What a command that follows a run says when it ends before the run does."""

import uuid

import pytest

from lapstream.cli.imports import showing
from runs.run import Run, RunProgress, RunState
from runtime.database import ServerAway
from schemas.identity import practice_event_id
from tests.events import DATE, seen

RUN_ID = uuid.UUID(int=7)


def run(state: RunState) -> Run:
    return Run(
        id=RUN_ID,
        source="liverc",
        track_slug="track",
        date=DATE,
        event_id=practice_event_id("liverc", "track", DATE),
        refresh="all",
        state=state,
        attempt=1,
        resumes=0,
        requested_at=seen(0),
        planned_at=None,
        listed_at=None,
        moved_at=seen(1),
        finished_at=None,
        traceparent=None,
        findings=[],
        counts=None,
        error=None,
    )


def followed(capsys: pytest.CaptureFixture[str], error: BaseException, *shown: RunState) -> str:
    """What stands on stderr when following ends with an error, after the run was shown in these states."""
    nothing = RunProgress(sessions=0, unchanged=0, done=0, failed=0, waiting=0, laps=0)

    def follow() -> None:
        with showing("track 2025-10-25") as screen:
            for state in shown:
                screen.show(run(state), nothing)
            raise error

    with pytest.raises(type(error)):
        follow()
    return capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ServerAway("the database went away")])
def test_a_run_that_goes_on_is_named_whatever_ends_the_command(
    capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    assert f"run {RUN_ID} goes on without this command" in followed(capsys, error, "running")


def test_a_run_that_has_ended_does_not_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert "goes on" not in followed(capsys, ServerAway("away"), "running", "failed")


def test_before_anything_was_asked_for_only_an_interrupt_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing was asked for yet" in followed(capsys, KeyboardInterrupt())
    assert "nothing" not in followed(capsys, ServerAway("away"))
