"""The tables in memory: batches of events go in, and the row changes that `projections` makes are applied.

It does with rows what the database does: cascades, and refuses a row whose parent is not there.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from projections.changes import Changes, add_changes, plan_day
from projections.observations import detail_facts
from projections.sightings import newest_drivers, newest_tracks, rank
from projections.state import Day, DayRef, FactsT_co, ListFacts, Seen, Sighted, fold_days, merge_day, sight_of
from schemas.envelope import Received
from schemas.events import Lap, ListedSession
from schemas.identity import practice_event_id, source_event_id, track_id
from schemas.tables import DriverSighting, LapRow, Stamp, TrackSighting
from tests.model.tables import NATURAL_KEYS, Tables, natural

CHILDREN = {
    "races": (("race_drivers", "race_id"), ("race_results", "race_id")),
    "race_drivers": (("race_results", "race_driver_id"),),
    "race_results": (("laps", "race_result_id"),),
    "laps": (),
}
"""What goes with a row, and by which column."""

Name = tuple[tuple[Any, ...], DriverSighting | TrackSighting]


class Memory:
    """The tables of practice days, and the names that tracks and drivers have by which observation."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[object, dict[str, Any]]] = {name: {} for name in NATURAL_KEYS}
        self._names: dict[object, Name] = {}

    def tables(self) -> Tables:
        """All rows by natural key."""
        return natural({name: list(rows.values()) for name, rows in self._tables.items()})

    def project(self, batch: Iterable[Received]) -> Changes:
        """Apply a batch, as a projector does; the changes of the days' rows."""
        sighted = [one for one in map(sight_of, batch) if one]
        changes = Changes()
        for ref, day in fold_days(sighted).items():
            self._add_day(ref)
            old = self._known(ref)
            plan = plan_day(ref, old, merge_day(old, day))
            moved = {session: self._laps_of(result) for result, session in plan.laps_wanted().items()}
            add_changes(changes, plan, moved)
        self._add_drivers(sighted)
        self._write(changes)
        self._give_names(sighted)
        return changes

    def _add_day(self, ref: DayRef) -> None:
        track = track_id(ref.source, ref.track_slug)
        self._add(
            "tracks", track, source=ref.source, source_track_slug=ref.track_slug, name=None, time_zone=None
        )
        day = practice_event_id(*ref)
        name = source_event_id(ref.track_slug, ref.date)
        self._add(
            "events",
            day,
            track_id=track,
            source=ref.source,
            source_event_id=name,
            event_date=ref.date,
            metadata=None,
        )

    def _add(self, table: str, key: object, **row: Any) -> None:
        self._tables[table].setdefault(key, {"id": key, **row})

    def _known(self, ref: DayRef) -> Day:
        """What the rows of `observations` say of a day."""
        day_id = practice_event_id(*ref)
        rows = [row for row in self._tables["observations"].values() if row["event_id"] == day_id]
        lists = [_seen(row, _list_facts) for row in rows if row["kind"] == "list"]
        listed = [_seen(row, _row_facts) for row in rows if row["kind"] == "row"]
        details = [_seen(row, detail_facts) for row in rows if row["kind"] == "detail"]
        return Day(
            complete_list=lists[0] if lists else None,
            rows={one.facts.session_id: one for one in listed},
            details={one.facts.session_id: one for one in details},
        )

    def _laps_of(self, result: object) -> tuple[Lap, ...]:
        rows = [row for row in self._tables["laps"].values() if row["race_result_id"] == result]
        return tuple(_lap(row) for row in sorted(rows, key=lambda row: row["lap_number"]))

    def _write(self, changes: Changes) -> None:
        for key in changes.races_gone:
            self._delete("races", key)
        for key in changes.race_drivers_gone:
            self._delete("race_drivers", key)
        for key, metadata in changes.metadata:
            self._tables["events"][key]["metadata"] = metadata
        races = [{**race._asdict(), "session_type": "practiceday"} for race in changes.races]
        drivers = [driver._asdict() for driver in changes.race_drivers]
        results = [result._asdict() for result in changes.race_results]
        for table, rows in (("races", races), ("race_drivers", drivers), ("race_results", results)):
            for row in rows:
                self._put(table, row["id"], row)
        for result, laps in changes.laps.items():
            self._replace_laps(result, laps)
        for seen in changes.observations:
            self._put("observations", (seen.kind, seen.subject_id), seen._asdict())

    def _put(self, table: str, key: object, row: dict[str, Any]) -> None:
        for name, column in (
            ("races", "race_id"),
            ("drivers", "driver_id"),
            ("race_drivers", "race_driver_id"),
        ):
            assert column not in row or row[column] in self._tables[name], f"{table}: no row of {name}"
        assert "event_id" not in row or row["event_id"] in self._tables["events"]
        self._tables[table][key] = row

    def _delete(self, table: str, key: object) -> None:
        self._tables[table].pop(key, None)
        for child, column in CHILDREN[table]:
            for row_key in [k for k, row in self._tables[child].items() if row[column] == key]:
                self._delete(child, row_key)

    def _replace_laps(self, result: Any, laps: Iterable[Lap]) -> None:
        assert result in self._tables["race_results"], "laps of a result that is not there"
        rows = self._tables["laps"]
        for key in [key for key, row in rows.items() if row["race_result_id"] == result]:
            del rows[key]
        for lap in laps:
            values = msgspec.structs.asdict(lap)
            segments = values.pop("segments")
            values["segments_json"] = None if segments is None else msgspec.json.encode(segments).decode()
            rows[result, lap.lap_number] = LapRow(result, **values)._asdict()

    def _add_drivers(self, sighted: Iterable[Sighted]) -> None:
        for one in newest_drivers(sighted):
            self._add(
                "drivers",
                one.driver_id,
                source=one.source,
                source_driver_id=one.source_driver_id,
                display_name=None,
                normalized_name=None,
                transponder_number=one.transponder_number,
            )

    def _give_names(self, sighted: list[Sighted]) -> None:
        for track in newest_tracks(sighted):
            if self._is_newer(track.track_id, (track.stamp, track)):
                self._tables["tracks"][track.track_id] |= {"name": track.name, "time_zone": track.time_zone}
        for driver in newest_drivers(sighted):
            name, normalized = driver.display_name, driver.normalized_name
            if name is not None and self._is_newer(driver.driver_id, (rank(driver), driver)):
                names = {"display_name": name, "normalized_name": normalized}
                self._tables["drivers"][driver.driver_id] |= names

    def _is_newer(self, key: object, name: Name) -> bool:
        known = self._names.get(key)
        if known is not None and known[0] >= name[0]:
            return False
        self._names[key] = name
        return True


_list_facts = msgspec.json.Decoder(ListFacts).decode
_row_facts = msgspec.json.Decoder(ListedSession).decode


def _seen(row: Mapping[str, Any], facts: Callable[[str], FactsT_co]) -> Seen[FactsT_co]:
    shelved: str | None = row["shelved_laps"]
    at: dt.datetime = row["observed_at"]
    return Seen(
        stamp=Stamp(
            row["authority"], at, row["parser_version"], row["content_digest"], row["source_event_id"]
        ),
        first_observed_at=row["first_observed_at"],
        page_sha256=row["page_sha256"],
        facts=facts(row["facts"]),
        laps=None if shelved is None else msgspec.json.decode(shelved, type=tuple[Lap, ...]),
        list_row_digest=row["list_row_digest"],
    )


def _lap(row: Mapping[str, Any]) -> Lap:
    values = {name: value for name, value in row.items() if name not in {"race_result_id", "segments_json"}}
    segments: str | None = row["segments_json"]
    return Lap(**values, segments=None if segments is None else tuple(msgspec.json.decode(segments)))
