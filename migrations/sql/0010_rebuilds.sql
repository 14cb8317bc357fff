-- Rebuilds of projections: where each one is, what its replay refused, and what was announced before a swap
-- depends: 0009_backfills
-- squawk-ignore-file ban-drop-table

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

CREATE TABLE lapstream.rebuilds (
    id uuid PRIMARY KEY,
    projection text NOT NULL,
    -- To swap the tables for the live ones, to hold the live ones against them, or to have them as of a moment.
    purpose text NOT NULL CHECK (purpose IN ('swap', 'verify', 'until')),
    state text NOT NULL DEFAULT 'prepared' CHECK (
        state IN (
            'prepared', 'replaying', 'catching_up', 'verified', 'swapped', 'rolled_back', 'checked', 'built',
            'cancelled'
        )
    ),
    paused boolean NOT NULL DEFAULT false,
    -- The schema that the tables are made in.
    shadow text NOT NULL,
    -- Records up to this time stamp only.
    until timestamptz,
    -- Records that the tables say, and how many there are; the newest one's time stamp.
    records_done bigint NOT NULL DEFAULT 0,
    records_total bigint NOT NULL DEFAULT 0,
    newest_record_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    moved_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    -- What the comparison with the live tables found.
    report json,
    -- What stopped the newest attempt.
    error text,
    CHECK ((purpose = 'until') = (until IS NOT NULL)),
    CHECK ((state IN ('prepared', 'replaying', 'catching_up', 'verified')) = (finished_at IS NULL))
);

-- The same command goes on with the rebuild that it began; a schema is made by one at a time.
CREATE UNIQUE INDEX rebuilds_open ON lapstream.rebuilds (shadow) WHERE finished_at IS NULL;
CREATE INDEX rebuilds_by_time ON lapstream.rebuilds (projection, created_at);

-- Records that a replay could not apply; in the live tables' system they may be parked, or applied long ago.
CREATE TABLE lapstream.rebuild_refused (
    rebuild_id uuid NOT NULL REFERENCES lapstream.rebuilds ON DELETE CASCADE,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    -- The event's id in hex, as its header has it.
    event_id_hex text,
    code text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (rebuild_id, topic, partition, record_offset)
);

-- Up to where a group announced and settled, when its tables were swapped or taken back: what lies before is
-- applied again without a word.
CREATE TABLE lapstream.announced (
    group_name text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    PRIMARY KEY (group_name, topic, partition)
);

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

DROP TABLE lapstream.announced;
DROP TABLE lapstream.rebuild_refused;
DROP TABLE lapstream.rebuilds;
