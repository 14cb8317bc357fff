"""The vectors, put to a reader: this version's own, or another team's program."""

import subprocess
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from schemas.conformance.vectors import FILE, Judgement, Vector, judged, vectors
from schemas.errors import LapstreamError


class NoReader(LapstreamError):
    """The program that is to judge the vectors does not run, or does not answer as it should."""


class VerdictDifference(Struct, frozen=True, kw_only=True):
    """A vector on which a reader comes to another verdict; `found` is null where it gave none."""

    name: str
    about: str
    expected: str
    found: str | None
    reason: str | None


class Result(Struct, frozen=True, kw_only=True):
    """How many vectors there are, and on which a reader differs."""

    vectors: int
    differences: list[VerdictDifference]


def all_vectors() -> bytes:
    """The vectors as they stand in their file: JSON Lines."""
    return FILE.read_bytes()


def held_against(command: Sequence[str], seconds: float) -> Result:
    """What a program makes of the vectors, or this version where there is none; raises `NoReader`."""
    known = list(vectors())
    answers = _asked(command, known, seconds) if command else [judged(vector) for vector in known]
    return Result(vectors=len(known), differences=_differences(known, answers))


def _differences(known: Iterable[Vector], answers: Iterable[Judgement]) -> list[VerdictDifference]:
    by_name = {answer.name: answer for answer in answers}
    found: list[VerdictDifference] = []
    for vector in known:
        answer = by_name.get(vector.name)
        if answer is None or answer.verdict != vector.verdict:
            found.append(
                VerdictDifference(
                    name=vector.name,
                    about=vector.about,
                    expected=vector.verdict,
                    found=answer and answer.verdict,
                    reason=answer and answer.reason,
                )
            )
    return found


def _asked(command: Sequence[str], known: Iterable[Vector], seconds: float) -> list[Judgement]:
    """The answers of a program, which gets the records without their verdicts."""
    questions = [{"name": one.name, "record": one.record, "checks": one.checks} for one in known]
    asked = b"".join(msgspec.json.encode(question) + b"\n" for question in questions)
    try:
        done = subprocess.run(  # noqa: S603 - the user's own program, as the user gave it
            command, input=asked, stdout=subprocess.PIPE, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoReader(f"{command[0]}: {error}") from error
    if done.returncode:
        raise NoReader(f"{command[0]} ended with exit code {done.returncode}")
    return [_answer(line) for line in done.stdout.splitlines() if line.strip()]


def _answer(line: bytes) -> Judgement:
    try:
        return msgspec.json.decode(line, type=Judgement)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NoReader(
            f"{line[:100]!r} is no answer ({error}): a line of JSON is expected for each vector, with its "
            "name and a verdict: accepted, refused or ignored"
        ) from error
