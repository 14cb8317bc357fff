-- Runs of imports, and what is to be published in the transaction that makes it true
-- depends: 0003_parking
-- squawk-ignore-file ban-drop-table, ban-drop-column

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

-- A run is one import of one day: asked for, planned by the fetcher, closed by the projection.
CREATE TABLE lapstream.ingest_runs (
    id uuid PRIMARY KEY,
    source text NOT NULL,
    track_slug text NOT NULL,
    event_date date NOT NULL,
    -- The row id of the day; no foreign key, for the tables of days are rebuilt and swapped.
    event_id uuid NOT NULL,
    refresh text NOT NULL CHECK (refresh IN ('all', 'changed', 'missing')),
    state text NOT NULL DEFAULT 'running'
        CHECK (state IN ('running', 'completed', 'partial', 'failed', 'cancelled')),
    -- Counts how often the run was begun: 1, and one more for each retry of its failed sessions.
    attempt integer NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    -- Counts how often the work was asked for anew since the run last moved.
    resumes integer NOT NULL DEFAULT 0 CHECK (resumes >= 0),
    requested_at timestamptz NOT NULL,
    -- When the fetcher had put all of the run's sessions into the work queue.
    planned_at timestamptz,
    -- When the projection had written the day's list.
    listed_at timestamptz,
    moved_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    traceparent text,
    findings jsonb NOT NULL DEFAULT '[]',
    -- What the run came to, once it ended.
    counts jsonb,
    error jsonb,
    CHECK ((state = 'running') = (finished_at IS NULL))
);

-- Who asks for a day that is being imported joins that run.
CREATE UNIQUE INDEX ingest_runs_running ON lapstream.ingest_runs (event_id) WHERE state = 'running';
CREATE INDEX ingest_runs_by_day ON lapstream.ingest_runs (event_id, requested_at);
CREATE INDEX ingest_runs_by_time ON lapstream.ingest_runs (requested_at, id);

-- Every session of a run's list, counted by its identity.
CREATE TABLE lapstream.ingest_run_sessions (
    run_id uuid NOT NULL REFERENCES lapstream.ingest_runs ON DELETE CASCADE,
    session_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('unchanged', 'wanted', 'done', 'failed')),
    start_time timestamp,
    list_row_digest text,
    requested_at timestamptz NOT NULL,
    -- The id of the request event: a failure counts only when it answers this request.
    request_id text NOT NULL,
    laps integer,
    code text,
    message text,
    url text,
    moved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, session_id),
    CHECK ((state = 'failed') = (code IS NOT NULL))
);

-- What is to be published: Debezium's columns, so that change data capture can take the relay's place.
CREATE TABLE lapstream.outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The event's ce_id.
    id uuid NOT NULL UNIQUE,
    -- The topic, without the configured prefix.
    aggregatetype text NOT NULL,
    -- The record's key.
    aggregateid text NOT NULL,
    type text NOT NULL,
    payload json NOT NULL,
    -- The record's headers by name: ce_*, content-type, traceparent.
    headers jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Which relay is at work; the others stand by until its lease ends.
CREATE TABLE lapstream.relay_lease (
    name text PRIMARY KEY,
    holder uuid NOT NULL,
    held_until timestamptz NOT NULL
);

ALTER TABLE practice_days.observations
    -- Of the list row that a detail was fetched for.
    ADD COLUMN list_row_digest text COLLATE "C";

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE practice_days.observations DROP COLUMN list_row_digest;
DROP TABLE lapstream.relay_lease;
DROP TABLE lapstream.outbox;
DROP TABLE lapstream.ingest_run_sessions;
DROP TABLE lapstream.ingest_runs;
