-- What people look for: the newest days of all tracks, a session by its id, a driver by a name
-- depends: 0016_pruned_bytes
-- squawk-ignore-file require-concurrent-index-deletion

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

CREATE INDEX events_by_date ON practice_days.events (event_date, id);

CREATE INDEX tracks_by_slug ON practice_days.tracks (source_track_slug COLLATE "C", source COLLATE "C");

CREATE INDEX races_by_source_race_id ON practice_days.races (source_race_id);

-- Whatever the case; also names that a driver had once.
CREATE INDEX race_drivers_by_name ON practice_days.race_drivers (lower(display_name));

-- migrate: rollback
SET LOCAL lock_timeout = '5s';

DROP INDEX practice_days.race_drivers_by_name;
DROP INDEX practice_days.races_by_source_race_id;
DROP INDEX practice_days.tracks_by_slug;
DROP INDEX practice_days.events_by_date;
