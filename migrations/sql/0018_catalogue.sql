-- The tracks that each site lists, stored or not; fetched by one process of the fleet, once it was asked for.
-- depends: 0017_reading
-- squawk-ignore-file ban-drop-table

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

CREATE TABLE lapstream.catalogues (
    source text PRIMARY KEY,
    -- From when on it is to be fetched; no row before somebody asked for it.
    due_at timestamptz NOT NULL,
    -- A process fetches it: until then no other one does.
    claimed_until timestamptz,
    -- When the newest that could be read was answered.
    fetched_at timestamptz,
    -- Attempts in a row that failed, and why the last one did.
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    error text,
    -- Of the newest that could be read.
    findings jsonb NOT NULL DEFAULT '[]',
    CHECK ((failures = 0) = (error IS NULL))
);

CREATE TABLE lapstream.catalogue_tracks (
    source text NOT NULL,
    track_slug text COLLATE "C" NOT NULL,
    name text,
    -- Slug and name as they are searched: lower case, without accents.
    words text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    -- When it was first missing; null while it is listed.
    gone_since timestamptz,
    PRIMARY KEY (source, track_slug)
);

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

DROP TABLE lapstream.catalogue_tracks;
DROP TABLE lapstream.catalogues;
