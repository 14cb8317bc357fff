-- Manners over the whole fleet: how many requests are open, errors in a row, robots.txt
-- depends: 0004_runs_and_outbox
-- squawk-ignore-file ban-drop-table, ban-drop-column

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE lapstream.sites
    -- Requests that may be open, each until its end in seconds since 1970: whoever was killed gives it back so.
    ADD COLUMN permits jsonb NOT NULL DEFAULT '{}',
    -- How many requests failed since the last one that did not.
    ADD COLUMN errors_in_row integer NOT NULL DEFAULT 0 CHECK (errors_in_row >= 0);

-- The robots.txt of each host, asked for by one process at a time.
CREATE TABLE lapstream.robots (
    address text PRIMARY KEY,
    asked_until timestamptz NOT NULL,
    rules text,
    fetched_at timestamptz,
    CHECK ((rules IS NULL) = (fetched_at IS NULL))
);

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

DROP TABLE lapstream.robots;
ALTER TABLE lapstream.sites DROP COLUMN errors_in_row, DROP COLUMN permits;
