"""What a batch changes: the rows of what was known against the rows of what is known now.

Because the tables are a pure function of the observations, nothing of them needs to be read to know what
to write. The one exception are laps that a session takes with it, to a new driver or onto the shelf: a plan's
`laps_wanted` names the results whose laps are to be read first.
"""

from collections.abc import Iterator, Mapping
from uuid import UUID

from msgspec import Struct, field

from projections.observations import encoded, observation
from projections.rows import SessionRows, day_metadata, race_id, session_rows
from projections.state import Day, DayRef, Seen
from schemas.events import Lap, SessionFacts
from schemas.identity import practice_event_id
from schemas.tables import ObservationRow, RaceDriverRow, RaceResultRow, RaceRow


class Changes(Struct):
    """Row changes, in the order in which they are to be written: what goes first, then what comes.

    `laps` are all laps that each of these results has from now on.
    """

    results_gone: list[UUID] = field(default_factory=list[UUID])
    races_gone: list[UUID] = field(default_factory=list[UUID])
    race_drivers_gone: list[UUID] = field(default_factory=list[UUID])
    metadata: list[tuple[UUID, str]] = field(default_factory=list[tuple[UUID, str]])
    races: list[RaceRow] = field(default_factory=list[RaceRow])
    race_drivers: list[RaceDriverRow] = field(default_factory=list[RaceDriverRow])
    race_results: list[RaceResultRow] = field(default_factory=list[RaceResultRow])
    laps: dict[UUID, tuple[Lap, ...]] = field(default_factory=dict[UUID, tuple[Lap, ...]])
    observations: list[ObservationRow] = field(default_factory=list[ObservationRow])


class _Step(Struct, frozen=True):
    """One session before and after the batch."""

    session_id: str
    before: SessionRows | None
    after: SessionRows | None
    was: Seen[SessionFacts] | None
    detail: Seen[SessionFacts] | None

    @property
    def moves(self) -> bool:
        """Whether the session's laps leave the result that they lie under."""
        return self.before is not None and (
            self.after is None or self.after.result.id != self.before.result.id
        )

    @property
    def writes_laps(self) -> bool:
        """Whether laps are to be written: the result is new, or the detail says something new."""
        if self.after is None or self.detail is None:
            return False
        if self.before is None or self.moves or self.was is None:
            return True
        return self.was.stamp.content_digest != self.detail.stamp.content_digest


class DayChange(Struct, frozen=True, kw_only=True):
    """The sessions of a day that a batch adds, changes or takes away; `results` are theirs, before and after.

    `laps_written` holds sessions, by their results, that only change if a lap of theirs does.
    """

    ref: DayRef
    added: list[str]
    changed: list[str]
    gone: list[str]
    laps_written: dict[UUID, str]
    results: set[UUID]


class Plan(Struct, frozen=True):
    """A day before and after a batch, session by session."""

    ref: DayRef
    old: Day
    new: Day
    steps: list[_Step]

    def laps_wanted(self) -> dict[UUID, str]:
        """The results whose laps are to be read from the tables first, with their sessions."""
        return {
            step.before.result.id: step.session_id
            for step in self.steps
            if step.before and step.moves and step.detail and step.detail.laps is None
        }


def day_change(plan: Plan) -> DayChange:
    """What a plan changes, by sessions."""
    steps = [step for step in plan.steps if step.before != step.after]
    laps_only = [step for step in plan.steps if step.before == step.after and step.writes_laps]
    return DayChange(
        ref=plan.ref,
        added=[step.session_id for step in steps if step.before is None],
        changed=[step.session_id for step in steps if step.before and step.after],
        gone=[step.session_id for step in steps if step.after is None],
        laps_written={step.after.result.id: step.session_id for step in laps_only if step.after},
        results={rows.result.id for step in plan.steps for rows in (step.before, step.after) if rows},
    )


def plan_day(ref: DayRef, old: Day, new: Day) -> Plan:
    """What happens to the sessions of a day when what is known of it goes from `old` to `new`."""
    steps = [
        _Step(
            session_id,
            session_rows(ref, old, session_id),
            session_rows(ref, new, session_id),
            old.details.get(session_id),
            new.details.get(session_id),
        )
        for session_id in _touched(old, new)
    ]
    return Plan(ref, old, new, steps)


def _touched(old: Day, new: Day) -> list[str]:
    if old.complete_list is not new.complete_list:
        return sorted({*new.rows, *new.details})
    rows = {key for key, seen in new.rows.items() if seen is not old.rows.get(key)}
    return sorted(rows | {key for key, seen in new.details.items() if seen is not old.details.get(key)})


def add_changes(changes: Changes, plan: Plan, moved: Mapping[str, tuple[Lap, ...]]) -> None:
    """Add the row changes of a day; `moved` holds the laps that the plan wanted, by session."""
    event_id = practice_event_id(*plan.ref)
    for step in plan.steps:
        _add_rows(changes, step)
        if step.writes_laps and step.after and step.detail:
            changes.laps[step.after.result.id] = _laps_at_hand(step.detail, moved)
        changes.observations.extend(_session_observations(plan, event_id, step, moved))
    listed = plan.new.complete_list
    if listed is not None and listed is not plan.old.complete_list:
        changes.metadata.append((event_id, day_metadata(listed)))
        changes.observations.append(observation("list", event_id, event_id, listed))


def _add_rows(changes: Changes, step: _Step) -> None:
    before, after = step.before, step.after
    if before and step.moves:
        changes.results_gone.append(before.result.id)
    if before and not after:
        changes.races_gone.append(before.race.id)
    if after is None:
        return
    if before and before.driver.id != after.driver.id:
        changes.race_drivers_gone.append(before.driver.id)
    if before is None or before.race != after.race:
        changes.races.append(after.race)
    if before is None or before.driver != after.driver:
        changes.race_drivers.append(after.driver)
    if before is None or before.result != after.result:
        changes.race_results.append(after.result)


def _laps_at_hand(detail: Seen[SessionFacts], moved: Mapping[str, tuple[Lap, ...]]) -> tuple[Lap, ...]:
    return moved[detail.facts.session_id] if detail.laps is None else detail.laps


def _session_observations(
    plan: Plan, event_id: UUID, step: _Step, moved: Mapping[str, tuple[Lap, ...]]
) -> Iterator[ObservationRow]:
    subject = step.after.race.id if step.after else race_id(plan.ref, step.session_id)
    row = plan.new.rows.get(step.session_id)
    if row is not None and row is not plan.old.rows.get(step.session_id):
        yield observation("row", subject, event_id, row)
    detail = step.detail
    toggled = (step.before is None) != (step.after is None)
    if detail is not None and (detail is not step.was or toggled):
        shelved = None if step.after else _shelf(_laps_at_hand(detail, moved))
        yield observation("detail", subject, event_id, detail, shelved)


def _shelf(laps: tuple[Lap, ...]) -> str:
    """Laps as JSON, by number: the tables, where they may come from, keep no other order."""
    return encoded(sorted(laps, key=lambda lap: lap.lap_number))
