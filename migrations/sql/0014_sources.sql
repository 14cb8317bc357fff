-- Several producers: how much the topic of an observation counts for its source, and the source of a parked record
-- depends: 0013_names_by_session
-- squawk-ignore-file ban-drop-column

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

-- 0 for the topic that counts most for the source, one less for each one after it.
ALTER TABLE practice_days.observations ADD COLUMN authority integer NOT NULL DEFAULT 0;
ALTER TABLE practice_days.track_observations ADD COLUMN authority integer NOT NULL DEFAULT 0;
ALTER TABLE practice_days.driver_observations ADD COLUMN authority integer NOT NULL DEFAULT 0;
ALTER TABLE track_records.observations ADD COLUMN authority integer NOT NULL DEFAULT 0;

-- The timing service that the record speaks of, where it can be read; unknown in rows of an earlier release.
ALTER TABLE lapstream.parked_records ADD COLUMN source text;

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE lapstream.parked_records DROP COLUMN source;
ALTER TABLE track_records.observations DROP COLUMN authority;
ALTER TABLE practice_days.driver_observations DROP COLUMN authority;
ALTER TABLE practice_days.track_observations DROP COLUMN authority;
ALTER TABLE practice_days.observations DROP COLUMN authority;
