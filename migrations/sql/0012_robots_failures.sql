-- Robots.txt files that could not be had: all processes know for a while, and ask no more.
-- depends: 0011_log_copies
-- squawk-ignore-file ban-drop-column

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE lapstream.robots
    ADD COLUMN failed_at timestamptz,
    ADD COLUMN failure text;

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE lapstream.robots DROP COLUMN failure, DROP COLUMN failed_at;
