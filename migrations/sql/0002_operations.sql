-- What a replay leaves alone: the budget of each site, and the records that could not be applied
-- depends: 0001_practice_days

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

CREATE SCHEMA lapstream;

CREATE TABLE lapstream.sites (
    site text PRIMARY KEY,
    next_request_at timestamptz NOT NULL,
    rest_until timestamptz,
    rest_reason text,
    paused boolean NOT NULL DEFAULT false
);

CREATE TABLE lapstream.parked_records (
    group_name text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    record_key bytea,
    record_value bytea,
    record_headers jsonb NOT NULL,
    record_time timestamptz NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_name, topic, partition, record_offset)
);

-- migrate: rollback
DROP SCHEMA lapstream CASCADE;
