-- Which session gives a driver the name: the newest one by its start, whenever its pages were fetched
-- depends: 0012_robots_failures
-- squawk-ignore-file ban-drop-column

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE practice_days.driver_observations
    -- On the track's clock; unknown in rows of an earlier release.
    ADD COLUMN start_time timestamp,
    ADD COLUMN session_id text COLLATE "C" NOT NULL DEFAULT '';

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE practice_days.driver_observations DROP COLUMN session_id, DROP COLUMN start_time;
