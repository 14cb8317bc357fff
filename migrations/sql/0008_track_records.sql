-- The read model of track records: the fastest lap of each session, with the observations it is a function of
-- depends: 0007_api

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

CREATE SCHEMA track_records;

CREATE TABLE track_records.tracks (
    id uuid PRIMARY KEY,
    source text NOT NULL,
    source_track_slug text NOT NULL,
    UNIQUE (source, source_track_slug)
);

CREATE TABLE track_records.events (
    id uuid PRIMARY KEY,
    track_id uuid NOT NULL REFERENCES track_records.tracks,
    source text NOT NULL,
    source_event_id text NOT NULL,
    event_date date NOT NULL,
    UNIQUE (source, source_event_id)
);

CREATE TABLE track_records.fastest_laps (
    id uuid PRIMARY KEY,
    event_id uuid NOT NULL REFERENCES track_records.events,
    track_id uuid NOT NULL REFERENCES track_records.tracks,
    session_id text COLLATE "C" NOT NULL,
    class_name text COLLATE "C",
    fast_lap_time double precision NOT NULL CHECK (fast_lap_time > 0),
    driver_name text,
    source_driver_id text NOT NULL,
    start_time timestamp,
    UNIQUE (event_id, session_id)
);

-- The first of a class is its record.
CREATE INDEX fastest_laps_by_class ON track_records.fastest_laps (
    track_id, class_name, fast_lap_time, start_time, session_id, id
);

-- Both have the form that they have for practice days: the same statements read and write them.
CREATE TABLE track_records.observations (
    LIKE practice_days.observations INCLUDING ALL,
    FOREIGN KEY (event_id) REFERENCES track_records.events
);

CREATE TABLE track_records.positions (LIKE practice_days.positions INCLUDING ALL);

-- migrate: rollback
DROP SCHEMA track_records CASCADE;
