-- name: add_tracks
-- Tracks that were not known, without a name.
INSERT INTO tracks (id, source, source_track_slug)
SELECT s.id, s.source, s.source_track_slug
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS s (id, source, source_track_slug)
ON CONFLICT DO NOTHING;

-- name: add_events
-- Practice days that were not known, without their metadata.
INSERT INTO events (id, track_id, source, source_event_id, event_date)
SELECT s.id, s.track_id, s.source, s.source_event_id, s.event_date
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::date[])
    AS s (id, track_id, source, source_event_id, event_date)
ON CONFLICT DO NOTHING;

-- name: lock_events
-- One writer a day at a time; ordered, so that two with the same days can't wait for each other.
SELECT id FROM events WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: load_observations
-- What is known of whole days ($1), and of the lists ($2) and single sessions ($3) of others.
SELECT kind, event_id, first_observed_at, authority, observed_at, parser_version, content_digest, source_event_id,
    page_sha256, facts, shelved_laps, list_row_digest
FROM observations
WHERE event_id = ANY ($1::uuid[])
UNION ALL
SELECT kind, event_id, first_observed_at, authority, observed_at, parser_version, content_digest, source_event_id,
    page_sha256, facts, shelved_laps, list_row_digest
FROM observations
WHERE (kind = 'list' AND subject_id = ANY ($2::uuid[]))
    OR (kind IN ('row', 'detail') AND subject_id = ANY ($3::uuid[]));

-- name: load_laps
-- The laps of results, in the order of their numbers.
SELECT race_result_id, lap_number, position_on_lap, lap_time_raw, lap_time_seconds, is_valid, lapped_at,
    pace_string, elapsed_race_time, segments_json
FROM laps
WHERE race_result_id = ANY ($1::uuid[])
ORDER BY race_result_id, lap_number;

-- name: save_track_observations
-- The newest list that names a track.
INSERT INTO track_observations AS t (
    track_id, name, time_zone, authority, observed_at, parser_version, content_digest, source_event_id
)
SELECT s.track_id, s.name, s.time_zone, s.authority, s.observed_at, s.parser_version, s.content_digest,
    s.source_event_id
FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::integer[], $5::timestamptz[], $6::integer[], $7::text[], $8::text[]
) AS s (track_id, name, time_zone, authority, observed_at, parser_version, content_digest, source_event_id)
ON CONFLICT (track_id) DO UPDATE
SET name = excluded.name, time_zone = excluded.time_zone, authority = excluded.authority,
    observed_at = excluded.observed_at, parser_version = excluded.parser_version,
    content_digest = excluded.content_digest, source_event_id = excluded.source_event_id
WHERE (excluded.authority, excluded.observed_at, excluded.parser_version, excluded.content_digest,
        excluded.source_event_id)
    > (t.authority, t.observed_at, t.parser_version, t.content_digest, t.source_event_id);

-- name: save_tracks
-- Each track's name and zone, as its newest observation has them.
UPDATE tracks AS t
SET name = o.name, time_zone = o.time_zone
FROM track_observations AS o
WHERE t.id = ANY ($1::uuid[]) AND o.track_id = t.id
    AND (t.name, t.time_zone) IS DISTINCT FROM (o.name, o.time_zone);

-- name: add_drivers
-- Drivers that were not known, without a name.
INSERT INTO drivers (id, source, source_driver_id, transponder_number)
SELECT s.id, s.source, s.source_driver_id, s.transponder_number
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS s (id, source, source_driver_id, transponder_number)
ON CONFLICT DO NOTHING;

-- name: save_driver_observations
-- The newest session that names a driver, in its newest observation; a real name before an unknown one.
INSERT INTO driver_observations AS t (
    driver_id, named, display_name, normalized_name, start_time, session_id, authority, observed_at,
    parser_version, content_digest, source_event_id
)
SELECT s.driver_id, s.named, s.display_name, s.normalized_name, s.start_time, s.session_id, s.authority,
    s.observed_at, s.parser_version, s.content_digest, s.source_event_id
FROM unnest(
    $1::uuid[], $2::boolean[], $3::text[], $4::text[], $5::timestamp[], $6::text[], $7::integer[],
    $8::timestamptz[], $9::integer[], $10::text[], $11::text[]
) AS s (
    driver_id, named, display_name, normalized_name, start_time, session_id, authority, observed_at,
    parser_version, content_digest, source_event_id
)
ON CONFLICT (driver_id) DO UPDATE
SET named = excluded.named, display_name = excluded.display_name, normalized_name = excluded.normalized_name,
    start_time = excluded.start_time, session_id = excluded.session_id, authority = excluded.authority,
    observed_at = excluded.observed_at, parser_version = excluded.parser_version,
    content_digest = excluded.content_digest, source_event_id = excluded.source_event_id
WHERE (excluded.named, excluded.authority, coalesce(excluded.start_time, '-infinity'), excluded.session_id,
        excluded.observed_at, excluded.parser_version, excluded.content_digest, excluded.source_event_id,
        excluded.display_name)
    > (t.named, t.authority, coalesce(t.start_time, '-infinity'), t.session_id,
        t.observed_at, t.parser_version, t.content_digest, t.source_event_id, t.display_name);

-- name: save_drivers
-- Each driver's name, as its newest session has it.
UPDATE drivers AS t
SET display_name = o.display_name, normalized_name = o.normalized_name
FROM driver_observations AS o
WHERE t.id = ANY ($1::uuid[]) AND o.driver_id = t.id
    AND (t.display_name, t.normalized_name) IS DISTINCT FROM (o.display_name, o.normalized_name);

-- name: save_metadata
-- The days' metadata.
UPDATE events AS t
SET metadata = s.metadata::jsonb
FROM unnest($1::uuid[], $2::text[]) AS s (id, metadata)
WHERE t.id = s.id AND t.metadata IS DISTINCT FROM s.metadata::jsonb;

-- name: delete_races
-- Sessions that are gone, with all that hangs on them: named here, for tables that are being made have no
-- foreign keys yet.
WITH gone_results AS (
    DELETE FROM race_results WHERE race_id = ANY ($1::uuid[]) RETURNING id
), gone_laps AS (
    DELETE FROM laps WHERE race_result_id IN (SELECT id FROM gone_results)
), gone_drivers AS (
    DELETE FROM race_drivers WHERE race_id = ANY ($1::uuid[])
)
DELETE FROM races WHERE id = ANY ($1::uuid[]);

-- name: delete_race_drivers
-- Who did not drive a session after all, with result and laps.
WITH gone_drivers AS (
    DELETE FROM race_drivers WHERE id = ANY ($1::uuid[]) RETURNING id, race_id
), gone_results AS (
    DELETE FROM race_results AS r USING gone_drivers AS d
    WHERE r.race_id = d.race_id AND r.race_driver_id = d.id
    RETURNING r.id
)
DELETE FROM laps WHERE race_result_id IN (SELECT id FROM gone_results);

-- name: save_races
-- Sessions, new or changed.
INSERT INTO races AS t (
    id, event_id, source, source_race_id, class_name, race_label, race_url, start_time, start_time_utc,
    duration_seconds, race_metadata
)
SELECT id, event_id, source, source_race_id, class_name, race_label, race_url, start_time, start_time_utc,
    duration_seconds, race_metadata::jsonb
FROM unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamp[],
    $9::timestamptz[], $10::integer[], $11::text[]
) AS s (
    id, event_id, source, source_race_id, class_name, race_label, race_url, start_time, start_time_utc,
    duration_seconds, race_metadata
)
ON CONFLICT (id) DO UPDATE
SET class_name = excluded.class_name, race_label = excluded.race_label, race_url = excluded.race_url,
    start_time = excluded.start_time, start_time_utc = excluded.start_time_utc,
    duration_seconds = excluded.duration_seconds, race_metadata = excluded.race_metadata
WHERE (
    t.class_name, t.race_label, t.race_url, t.start_time, t.start_time_utc, t.duration_seconds, t.race_metadata
) IS DISTINCT FROM (
    excluded.class_name, excluded.race_label, excluded.race_url, excluded.start_time, excluded.start_time_utc,
    excluded.duration_seconds, excluded.race_metadata
);

-- name: save_race_drivers
-- Who drove a session, new or changed.
INSERT INTO race_drivers AS t (id, race_id, driver_id, source_driver_id, display_name, transponder_number)
SELECT s.id, s.race_id, s.driver_id, s.source_driver_id, s.display_name, s.transponder_number
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[])
    AS s (id, race_id, driver_id, source_driver_id, display_name, transponder_number)
ON CONFLICT (id) DO UPDATE
SET display_name = excluded.display_name, transponder_number = excluded.transponder_number
WHERE (t.display_name, t.transponder_number)
    IS DISTINCT FROM (excluded.display_name, excluded.transponder_number);

-- name: save_race_results
-- Results, new or changed.
INSERT INTO race_results AS t (
    id, race_id, race_driver_id, position_final, laps_completed, fast_lap_time, avg_lap_time, consistency,
    raw_fields_json
)
SELECT id, race_id, race_driver_id, position_final, laps_completed, fast_lap_time, avg_lap_time, consistency,
    raw_fields_json::jsonb
FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::integer[], $6::float8[], $7::float8[], $8::float8[],
    $9::text[]
) AS s (
    id, race_id, race_driver_id, position_final, laps_completed, fast_lap_time, avg_lap_time, consistency,
    raw_fields_json
)
ON CONFLICT (id) DO UPDATE
SET position_final = excluded.position_final, laps_completed = excluded.laps_completed,
    fast_lap_time = excluded.fast_lap_time, avg_lap_time = excluded.avg_lap_time,
    consistency = excluded.consistency, raw_fields_json = excluded.raw_fields_json
WHERE (
    t.position_final, t.laps_completed, t.fast_lap_time, t.avg_lap_time, t.consistency, t.raw_fields_json
) IS DISTINCT FROM (
    excluded.position_final, excluded.laps_completed, excluded.fast_lap_time, excluded.avg_lap_time,
    excluded.consistency, excluded.raw_fields_json
);

-- name: results_with_laps
-- Those of these results that have laps already.
SELECT id FROM unnest($1::uuid[]) AS r (id)
WHERE EXISTS (SELECT FROM laps WHERE race_result_id = r.id);

-- name: make_lap_staging
-- Where a batch's laps are copied to before they are compared: without what an earlier batch of the same transaction
-- left there, and emptied at each commit. A session that compares no laps has no such table, for a read-only database
-- can make none.
CREATE TEMPORARY TABLE IF NOT EXISTS lap_staging (
    race_result_id uuid,
    lap_number integer,
    position_on_lap integer,
    lap_time_raw text,
    lap_time_seconds double precision,
    is_valid boolean,
    lapped_at timestamp,
    pace_string text,
    elapsed_race_time double precision,
    segments_json text
) ON COMMIT DELETE ROWS;
DELETE FROM lap_staging;

-- name: count_laps
-- How many laps results have.
SELECT race_result_id, count(*) AS laps FROM laps WHERE race_result_id = ANY ($1::uuid[]) GROUP BY race_result_id;

-- name: delete_stale_laps
-- Laps that the newest detail of their session lacks; returns how many each result lost.
WITH gone AS (
    DELETE FROM laps AS t
    WHERE t.race_result_id = ANY ($1::uuid[])
        AND NOT EXISTS (
            SELECT FROM lap_staging AS s
            WHERE s.race_result_id = t.race_result_id AND s.lap_number = t.lap_number
        )
    RETURNING t.race_result_id
)
SELECT race_result_id, count(*) AS laps FROM gone GROUP BY race_result_id;

-- name: save_laps
-- Laps, new or changed, from where they were copied to; returns how many of each result.
WITH saved AS (
    INSERT INTO laps AS t (
        race_result_id, lap_number, position_on_lap, lap_time_raw, lap_time_seconds, pace_string, elapsed_race_time,
        segments_json, is_valid, lapped_at
    )
    SELECT race_result_id, lap_number, position_on_lap, lap_time_raw, lap_time_seconds, pace_string,
        elapsed_race_time, segments_json::jsonb, is_valid, lapped_at
    FROM lap_staging
    ON CONFLICT (race_result_id, lap_number) DO UPDATE
    SET position_on_lap = excluded.position_on_lap, lap_time_raw = excluded.lap_time_raw,
        lap_time_seconds = excluded.lap_time_seconds, pace_string = excluded.pace_string,
        elapsed_race_time = excluded.elapsed_race_time, segments_json = excluded.segments_json,
        is_valid = excluded.is_valid, lapped_at = excluded.lapped_at
    WHERE (
        t.position_on_lap, t.lap_time_raw, t.lap_time_seconds, t.pace_string, t.elapsed_race_time, t.segments_json,
        t.is_valid, t.lapped_at
    ) IS DISTINCT FROM (
        excluded.position_on_lap, excluded.lap_time_raw, excluded.lap_time_seconds, excluded.pace_string,
        excluded.elapsed_race_time, excluded.segments_json, excluded.is_valid, excluded.lapped_at
    )
    -- A row that is new was locked by nobody before.
    RETURNING t.race_result_id, t.xmax = 0 AS is_new
)
SELECT race_result_id, count(*) FILTER (WHERE is_new) AS added, count(*) FILTER (WHERE NOT is_new) AS changed
FROM saved
GROUP BY race_result_id;

-- name: save_observations
-- The newest observation of each list, row and detail; the day's lock makes the comparison unnecessary.
INSERT INTO observations (
    kind, subject_id, event_id, first_observed_at, authority, observed_at, parser_version, content_digest,
    source_event_id, page_sha256, facts, shelved_laps, list_row_digest
)
SELECT kind, subject_id, event_id, first_observed_at, authority, observed_at, parser_version, content_digest,
    source_event_id, page_sha256, facts::json, shelved_laps::json, list_row_digest
FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::integer[], $6::timestamptz[], $7::integer[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[]
) AS s (
    kind, subject_id, event_id, first_observed_at, authority, observed_at, parser_version, content_digest,
    source_event_id, page_sha256, facts, shelved_laps, list_row_digest
)
ON CONFLICT (kind, subject_id) DO UPDATE
SET first_observed_at = excluded.first_observed_at, authority = excluded.authority,
    observed_at = excluded.observed_at, parser_version = excluded.parser_version,
    content_digest = excluded.content_digest, source_event_id = excluded.source_event_id,
    page_sha256 = excluded.page_sha256, facts = excluded.facts, shelved_laps = excluded.shelved_laps,
    list_row_digest = excluded.list_row_digest;
