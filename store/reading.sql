-- columns: lap
l.lap_number, l.position_on_lap, l.lap_time_raw, l.lap_time_seconds, l.is_valid, l.lapped_at, l.pace_string,
    l.elapsed_race_time, l.segments_json AS segments

-- columns: session
r.id, r.source_race_id AS session_id, e.id AS event_id, e.source, e.source_event_id,
    t.source_track_slug AS track_slug, t.name AS track_name, t.time_zone, e.event_date AS date,
    r.class_name, {run_number}, d.driver_id, d.source_driver_id, d.display_name AS driver_name, d.transponder_number,
    r.race_url AS session_url, r.start_time, r.start_time_utc, r.race_metadata ->> 'end_time' AS end_time,
    r.duration_seconds, r.race_metadata IS NOT NULL AS has_detail, x.laps_completed, x.fast_lap_time,
    x.avg_lap_time, x.consistency, {person} AS person_id, x.raw_fields_json AS stats
FROM races AS r
JOIN events AS e ON e.id = r.event_id
JOIN tracks AS t ON t.id = e.track_id
JOIN race_drivers AS d ON d.race_id = r.id
JOIN race_results AS x ON x.race_driver_id = d.id

-- columns: run_number
(
    SELECT count(*)
    FROM races AS o
    JOIN race_drivers AS p ON p.race_id = o.id
    WHERE o.event_id = r.event_id AND p.driver_id = d.driver_id
        AND o.class_name IS NOT DISTINCT FROM r.class_name
        AND (coalesce(o.start_time, 'infinity'), o.source_race_id)
            <= (coalesce(r.start_time, 'infinity'), r.source_race_id)
) AS run

-- columns: track
t.id, t.source, t.source_track_slug AS track_slug, t.name, t.time_zone, d.days, d.first_day, d.last_day
FROM tracks AS t
CROSS JOIN LATERAL (
    SELECT count(*) AS days, min(event_date) AS first_day, max(event_date) AS last_day
    FROM events WHERE track_id = t.id
) AS d

-- name: find_tracks
-- Tracks of a source ($1) or all, with their days, in the order of their slugs, from after a slug and a source.
SELECT {track}
WHERE ($1::text IS NULL OR t.source = $1)
    AND (t.source_track_slug COLLATE "C", t.source COLLATE "C") > ($2::text, $3::text)
ORDER BY t.source_track_slug COLLATE "C", t.source COLLATE "C"
LIMIT $4;

-- name: read_track
-- A track with its days.
SELECT {track}
WHERE t.id = $1;

-- name: track_name_of
-- The natural key of a track.
SELECT source, source_track_slug FROM tracks WHERE id = $1;

-- name: months_of_track
-- The months of which a track has days, by their first days, the newest first.
SELECT date_trunc('month', event_date)::date AS month, count(*) AS days
FROM events WHERE track_id = $1 GROUP BY 1 ORDER BY 1 DESC;

-- name: find_days
-- Days of a track ($1), of a source ($7) or all, from ($2) and to ($3) a date, the newest first, before a day ($4, $5).
SELECT e.id AS event_id, e.source, e.source_event_id, t.source_track_slug AS track_slug, t.name AS track_name,
    e.event_date AS date, r.sessions, r.sessions_with_detail
FROM events AS e
JOIN tracks AS t ON t.id = e.track_id
CROSS JOIN LATERAL (
    SELECT count(*) AS sessions, count(race_metadata) AS sessions_with_detail FROM races WHERE event_id = e.id
) AS r
WHERE ($1::uuid IS NULL OR e.track_id = $1)
    AND ($2::date IS NULL OR e.event_date >= $2)
    AND ($3::date IS NULL OR e.event_date <= $3)
    AND ($4::date IS NULL OR (e.event_date, e.id) < ($4, $5::uuid))
    AND ($7::text IS NULL OR e.source = $7)
ORDER BY e.event_date DESC, e.id DESC
LIMIT $6;

-- name: read_each
-- Sessions with their drivers and results.
SELECT {session}
WHERE r.id = ANY ($1::uuid[]);

-- name: read_sessions
-- The sessions of a day with their drivers and results, in the order in which they began.
SELECT {session}
WHERE r.event_id = $1
ORDER BY r.start_time NULLS LAST, r.source_race_id;

-- name: laps_of_sessions
-- The laps of sessions, by session.
SELECT x.race_id AS session, {lap}
FROM race_results AS x
JOIN laps AS l ON l.race_result_id = x.id
WHERE x.race_id = ANY ($1::uuid[])
ORDER BY x.race_id, l.lap_number;

-- name: read_driver
-- A driver whom at least one session refers to, with the number of sessions.
SELECT d.id, d.source, d.source_driver_id, d.display_name, d.normalized_name, d.transponder_number, s.sessions
FROM drivers AS d
CROSS JOIN LATERAL (SELECT count(*) AS sessions FROM race_drivers WHERE driver_id = d.id) AS s
WHERE d.id = $1 AND s.sessions > 0;

-- name: driver_names
-- The names that a driver's sessions have.
SELECT DISTINCT display_name COLLATE "C" AS display_name
FROM race_drivers
WHERE driver_id = $1 AND display_name IS NOT NULL
ORDER BY display_name
LIMIT $2;

-- name: driver_bests
-- The fastest lap of each class at each track, of drivers, or of what of them is a person's ($3).
SELECT DISTINCT ON (t.source_track_slug, r.class_name) t.source_track_slug AS track_slug, t.name AS track_name,
    r.class_name, x.fast_lap_time, e.event_date AS date, r.id AS session
FROM race_drivers AS d
JOIN races AS r ON r.id = d.race_id
JOIN events AS e ON e.id = r.event_id
JOIN tracks AS t ON t.id = e.track_id
JOIN race_results AS x ON x.race_driver_id = d.id
WHERE d.driver_id = ANY ($1::uuid[]) AND ($3::uuid IS NULL OR {person} = $3) AND x.fast_lap_time IS NOT NULL
ORDER BY t.source_track_slug, r.class_name, x.fast_lap_time, e.event_date, r.start_time, r.id
LIMIT $2;

-- name: fastest_session
-- The session with the fastest lap among those with laps, of drivers ($1), or of what of them is a person's ($2); of a
-- track ($3) and a class ($4) or all, from ($5) and to ($6) a day.
SELECT r.id
FROM race_drivers AS d
JOIN races AS r ON r.id = d.race_id
JOIN events AS e ON e.id = r.event_id
JOIN race_results AS x ON x.race_driver_id = d.id
WHERE d.driver_id = ANY ($1::uuid[])
    AND ($2::uuid IS NULL OR {person} = $2)
    AND ($3::uuid IS NULL OR e.track_id = $3)
    AND ($4::text IS NULL OR r.class_name = $4)
    AND ($5::date IS NULL OR e.event_date >= $5)
    AND ($6::date IS NULL OR e.event_date <= $6)
    AND EXISTS (SELECT FROM laps WHERE race_result_id = x.id)
ORDER BY x.fast_lap_time, e.event_date, r.start_time, r.id
LIMIT 1;

-- name: driver_sessions
-- The sessions of drivers, or of what of them is a person's ($10), the newest first, before one ($2, $3, $4); one
-- without a start is its day's first. Of a track ($6) and a class ($7) or all, from ($8) and to ($9) a day.
SELECT r.id, r.source_race_id AS session_id, e.id AS event_id, e.source, t.source_track_slug AS track_slug,
    t.name AS track_name, e.event_date AS date, r.class_name, {run_number}, d.driver_id, d.source_driver_id,
    d.display_name AS driver_name, d.transponder_number, r.start_time,
    r.duration_seconds, x.laps_completed, x.fast_lap_time, x.avg_lap_time, x.consistency,
    r.race_metadata IS NOT NULL AS has_detail, {person} AS person_id
FROM race_drivers AS d
JOIN races AS r ON r.id = d.race_id
JOIN events AS e ON e.id = r.event_id
JOIN tracks AS t ON t.id = e.track_id
JOIN race_results AS x ON x.race_driver_id = d.id
WHERE d.driver_id = ANY ($1::uuid[])
    AND ($10::uuid IS NULL OR {person} = $10)
    AND ($6::uuid IS NULL OR e.track_id = $6)
    AND ($7::text IS NULL OR r.class_name = $7)
    AND ($8::date IS NULL OR e.event_date >= $8)
    AND ($9::date IS NULL OR e.event_date <= $9)
    AND (
        $2::date IS NULL
        OR (e.event_date, coalesce(r.start_time, e.event_date::timestamp), r.id) < ($2, $3::timestamp, $4::uuid)
    )
ORDER BY e.event_date DESC, coalesce(r.start_time, e.event_date::timestamp) DESC, r.id DESC
LIMIT $5;
