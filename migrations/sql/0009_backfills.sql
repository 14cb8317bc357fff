-- Backfills: all days of a track's months, imported one after another
-- depends: 0008_track_records
-- squawk-ignore-file ban-drop-table

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

CREATE TABLE lapstream.backfills (
    id uuid PRIMARY KEY,
    source text NOT NULL,
    track_slug text NOT NULL,
    -- The first day of the first month, and of the last one.
    from_month date NOT NULL CHECK (extract(day FROM from_month) = 1),
    to_month date NOT NULL CHECK (extract(day FROM to_month) = 1),
    refresh text NOT NULL CHECK (refresh IN ('all', 'changed', 'missing')),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When every month was discovered, and every day imported or skipped.
    finished_at timestamptz,
    CHECK (from_month <= to_month)
);

-- The same command goes on with the backfill that it began.
CREATE UNIQUE INDEX backfills_open ON lapstream.backfills (source, track_slug, from_month, to_month, refresh)
WHERE finished_at IS NULL;

CREATE TABLE lapstream.backfill_months (
    backfill_id uuid NOT NULL REFERENCES lapstream.backfills ON DELETE CASCADE,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    discovered_at timestamptz,
    -- Why the newest attempt to discover it failed.
    error text,
    PRIMARY KEY (backfill_id, month)
);

CREATE TABLE lapstream.backfill_days (
    backfill_id uuid NOT NULL REFERENCES lapstream.backfills ON DELETE CASCADE,
    event_date date NOT NULL,
    -- The row id of the day; no foreign key, for the tables of days are rebuilt and swapped.
    event_id uuid NOT NULL,
    -- As the month's page said.
    sessions integer NOT NULL CHECK (sessions >= 0),
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'completed', 'partial', 'failed', 'skipped')),
    -- The newest run that imports it, or imported it.
    run_id uuid REFERENCES lapstream.ingest_runs,
    -- Over all of its runs.
    laps_ingested bigint NOT NULL DEFAULT 0,
    error text,
    PRIMARY KEY (backfill_id, event_date),
    CHECK (run_id IS NOT NULL OR state IN ('waiting', 'skipped')),
    CHECK ((state IN ('partial', 'failed')) = (error IS NOT NULL))
);

CREATE INDEX backfill_days_by_run ON lapstream.backfill_days (run_id);

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

DROP TABLE lapstream.backfill_days;
DROP TABLE lapstream.backfill_months;
DROP TABLE lapstream.backfills;
