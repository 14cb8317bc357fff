-- What the observer finds of the whole fleet, looked at once for all who show it.
-- depends: 0014_sources
-- squawk-ignore-file ban-drop-table

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

-- A sliding window: looks that are older than it are deleted as new ones come.
CREATE TABLE lapstream.fleet_looks (
    kind text NOT NULL,
    looked_at timestamptz NOT NULL,
    found jsonb NOT NULL,
    PRIMARY KEY (kind, looked_at)
);

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

DROP TABLE lapstream.fleet_looks;
