-- The read model of practice days, with the observations that it is a function of
-- depends:

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

CREATE SCHEMA practice_days;

CREATE TABLE practice_days.tracks (
    id uuid PRIMARY KEY,
    source text NOT NULL,
    source_track_slug text NOT NULL,
    name text,
    time_zone text,
    UNIQUE (source, source_track_slug)
);

CREATE TABLE practice_days.events (
    id uuid PRIMARY KEY,
    track_id uuid NOT NULL REFERENCES practice_days.tracks,
    source text NOT NULL,
    source_event_id text NOT NULL,
    event_date date NOT NULL,
    metadata jsonb,
    UNIQUE (source, source_event_id)
);

CREATE INDEX events_by_track ON practice_days.events (track_id, event_date);

CREATE TABLE practice_days.races (
    id uuid PRIMARY KEY,
    event_id uuid NOT NULL REFERENCES practice_days.events,
    source text NOT NULL,
    source_race_id text NOT NULL,
    session_type text NOT NULL DEFAULT 'practiceday' CHECK (session_type = 'practiceday'),
    class_name text,
    race_label text,
    race_url text,
    start_time timestamp,
    start_time_utc timestamptz,
    duration_seconds integer CHECK (duration_seconds >= 0),
    race_metadata jsonb,
    UNIQUE (event_id, source_race_id)
);

CREATE TABLE practice_days.drivers (
    id uuid PRIMARY KEY,
    source text NOT NULL,
    source_driver_id text NOT NULL,
    display_name text,
    normalized_name text,
    transponder_number text,
    UNIQUE (source, source_driver_id)
);

CREATE TABLE practice_days.race_drivers (
    id uuid PRIMARY KEY,
    race_id uuid NOT NULL REFERENCES practice_days.races ON DELETE CASCADE,
    driver_id uuid NOT NULL REFERENCES practice_days.drivers,
    source_driver_id text NOT NULL,
    display_name text,
    transponder_number text,
    UNIQUE (race_id, source_driver_id)
);

CREATE INDEX race_drivers_by_driver ON practice_days.race_drivers (driver_id);

CREATE TABLE practice_days.race_results (
    id uuid PRIMARY KEY,
    race_id uuid NOT NULL REFERENCES practice_days.races ON DELETE CASCADE,
    race_driver_id uuid NOT NULL REFERENCES practice_days.race_drivers ON DELETE CASCADE,
    position_final integer NOT NULL CHECK (position_final >= 1),
    laps_completed integer CHECK (laps_completed >= 0),
    fast_lap_time double precision CHECK (fast_lap_time >= 0),
    avg_lap_time double precision CHECK (avg_lap_time >= 0),
    consistency double precision,
    raw_fields_json jsonb,
    UNIQUE (race_id, race_driver_id)
);

CREATE INDEX race_results_by_race_driver ON practice_days.race_results (race_driver_id);

CREATE TABLE practice_days.laps (
    race_result_id uuid NOT NULL REFERENCES practice_days.race_results ON DELETE CASCADE,
    lap_number integer NOT NULL CHECK (lap_number >= 0),
    position_on_lap integer,
    lap_time_raw text,
    lap_time_seconds double precision CHECK (lap_time_seconds >= 0),
    is_valid boolean,
    lapped_at timestamp,
    pace_string text,
    elapsed_race_time double precision CHECK (elapsed_race_time >= 0),
    segments_json jsonb,
    PRIMARY KEY (race_result_id, lap_number)
);

CREATE TABLE practice_days.observations (
    kind text NOT NULL CHECK (kind IN ('list', 'row', 'detail')),
    subject_id uuid NOT NULL,
    event_id uuid NOT NULL REFERENCES practice_days.events,
    first_observed_at timestamptz NOT NULL,
    observed_at timestamptz NOT NULL,
    parser_version integer NOT NULL,
    content_digest text COLLATE "C" NOT NULL,
    source_event_id text COLLATE "C" NOT NULL,
    page_sha256 text,
    facts json NOT NULL,
    shelved_laps json,
    PRIMARY KEY (kind, subject_id),
    CHECK (kind = 'detail' OR shelved_laps IS NULL)
);

CREATE INDEX observations_by_event ON practice_days.observations (event_id);

CREATE TABLE practice_days.track_observations (
    track_id uuid PRIMARY KEY REFERENCES practice_days.tracks,
    name text COLLATE "C" NOT NULL,
    time_zone text,
    observed_at timestamptz NOT NULL,
    parser_version integer NOT NULL,
    content_digest text COLLATE "C" NOT NULL,
    source_event_id text COLLATE "C" NOT NULL
);

CREATE TABLE practice_days.driver_observations (
    driver_id uuid PRIMARY KEY REFERENCES practice_days.drivers,
    named boolean NOT NULL,
    display_name text COLLATE "C" NOT NULL,
    normalized_name text NOT NULL,
    observed_at timestamptz NOT NULL,
    parser_version integer NOT NULL,
    content_digest text COLLATE "C" NOT NULL,
    source_event_id text COLLATE "C" NOT NULL
);

CREATE TABLE practice_days.positions (
    group_name text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    epoch bigint NOT NULL,
    PRIMARY KEY (group_name, topic, partition)
);

-- migrate: rollback
DROP SCHEMA practice_days CASCADE;
