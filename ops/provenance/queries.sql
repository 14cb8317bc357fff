-- Rows by their ids ($1) or their natural keys, with what the natural key is made of; `row` is the row as JSON.

-- name: why_tracks
-- A track by its id, or by source and slug.
SELECT t.id, t.source, t.source_track_slug AS name, to_json(t)::text AS row
FROM tracks AS t
WHERE t.id = $1 OR (t.source = $2 AND t.source_track_slug = $3);

-- name: why_drivers
-- A driver by the row's id, or by source and the id there.
SELECT d.id, d.source, d.source_driver_id AS name, to_json(d)::text AS row
FROM drivers AS d
WHERE d.id = $1 OR (d.source = $2 AND d.source_driver_id = $3);

-- name: why_events
-- A day by its id, or by source and the id there.
SELECT e.id, e.source, t.source_track_slug AS track_slug, e.event_date AS date, to_json(e)::text AS row
FROM events AS e JOIN tracks AS t ON t.id = e.track_id
WHERE e.id = $1 OR (e.source = $2 AND e.source_event_id = $3);

-- name: why_races
-- A session by the row's id, or by its day's ($2) and the id at the source ($3).
SELECT r.id, e.source, t.source_track_slug AS track_slug, e.event_date AS date, r.source_race_id AS session_id,
    NULL::text AS driver, to_json(r)::text AS row
FROM races AS r JOIN events AS e ON e.id = r.event_id JOIN tracks AS t ON t.id = e.track_id
WHERE r.id = $1 OR (r.event_id = $2 AND r.source_race_id = $3);

-- name: why_race_drivers
-- Who drove a session, by the row's id, or by the session's day ($2) and id at the source ($3).
SELECT d.id, e.source, t.source_track_slug AS track_slug, e.event_date AS date, r.source_race_id AS session_id,
    d.source_driver_id AS driver, to_json(d)::text AS row
FROM race_drivers AS d JOIN races AS r ON r.id = d.race_id
JOIN events AS e ON e.id = r.event_id JOIN tracks AS t ON t.id = e.track_id
WHERE d.id IN (
    SELECT $1::uuid
    UNION ALL
    SELECT o.id FROM races AS s JOIN race_drivers AS o ON o.race_id = s.id
    WHERE s.event_id = $2 AND s.source_race_id = $3
)
ORDER BY d.source_driver_id;

-- name: why_race_results
-- A session's result, by the row's id, or by the session's day ($2) and id at the source ($3).
SELECT x.id, e.source, t.source_track_slug AS track_slug, e.event_date AS date, r.source_race_id AS session_id,
    d.source_driver_id AS driver, to_json(x)::text AS row
FROM race_results AS x JOIN race_drivers AS d ON d.id = x.race_driver_id JOIN races AS r ON r.id = x.race_id
JOIN events AS e ON e.id = r.event_id JOIN tracks AS t ON t.id = e.track_id
WHERE x.id IN (
    SELECT $1::uuid
    UNION ALL
    SELECT o.id FROM races AS s JOIN race_results AS o ON o.race_id = s.id
    WHERE s.event_id = $2 AND s.source_race_id = $3
)
ORDER BY d.source_driver_id;

-- name: why_lap
-- A lap of a result.
SELECT to_json(l)::text AS row FROM laps AS l WHERE l.race_result_id = $1 AND l.lap_number = $2;

-- name: why_fastest_laps
-- A session's fastest lap, by the session's row id, or by its day's ($2) and the id at the source ($3).
SELECT f.id, e.source, t.source_track_slug AS track_slug, e.event_date AS date, f.session_id,
    NULL::text AS driver, to_json(f)::text AS row
FROM fastest_laps AS f JOIN events AS e ON e.id = f.event_id JOIN tracks AS t ON t.id = e.track_id
WHERE f.id = $1 OR (f.event_id = $2 AND f.session_id = $3);

-- name: observed_session
-- Which session these observations are of, also when it has no row.
SELECT e.source, t.source_track_slug AS track_slug, e.event_date AS date, o.facts ->> 'session_id' AS session_id
FROM observations AS o JOIN events AS e ON e.id = o.event_id JOIN tracks AS t ON t.id = e.track_id
WHERE o.kind IN ('row', 'detail') AND o.subject_id = $1 LIMIT 1;

-- name: naming_of_track
-- The list that names a track, and its day, where it is still the day's newest.
SELECT n.authority, n.observed_at, n.parser_version, n.content_digest, n.source_event_id, d.source, d.track_slug,
    d.date
FROM track_observations AS n
LEFT JOIN LATERAL (
    SELECT e.source, t.source_track_slug AS track_slug, e.event_date AS date
    FROM events AS e JOIN tracks AS t ON t.id = e.track_id
    -- OFFSET 0: day by day; there is no index by which events are found.
    CROSS JOIN LATERAL (
        SELECT FROM observations
        WHERE kind = 'list' AND subject_id = e.id AND source_event_id = n.source_event_id OFFSET 0
    ) AS o
    WHERE e.track_id = n.track_id LIMIT 1
) AS d ON true
WHERE n.track_id = $1;

-- name: naming_of_driver
-- The observation that names a driver, and its day, where it is still the newest of one of the driver's sessions.
SELECT n.authority, n.observed_at, n.parser_version, n.content_digest, n.source_event_id, d.source, d.track_slug,
    d.date
FROM driver_observations AS n
LEFT JOIN LATERAL (
    SELECT e.source, t.source_track_slug AS track_slug, e.event_date AS date
    FROM race_drivers AS r
    -- OFFSET 0: session by session; there is no index by which events are found.
    CROSS JOIN LATERAL (
        SELECT event_id FROM observations
        WHERE kind IN ('row', 'detail') AND subject_id = r.race_id AND source_event_id = n.source_event_id OFFSET 0
    ) AS o
    JOIN events AS e ON e.id = o.event_id JOIN tracks AS t ON t.id = e.track_id
    WHERE r.driver_id = n.driver_id LIMIT 1
) AS d ON true
WHERE n.driver_id = $1;

-- name: near_names
-- The names of a table ({table}, {name}) that stand around one ($2) in their order, of one parent ({parent}, $1).
(SELECT {name} AS name FROM {table} WHERE {parent} = $1 AND {name} < $2 ORDER BY {name} DESC LIMIT $3)
UNION ALL
(SELECT {name} FROM {table} WHERE {parent} = $1 AND {name} >= $2 ORDER BY {name} LIMIT $3)
ORDER BY name;

-- name: lap_numbers
-- How many laps a result has, and the first and the last.
SELECT count(*) AS laps, min(lap_number) AS first, max(lap_number) AS last FROM laps WHERE race_result_id = $1;

-- name: page_seen
-- The page of these bytes that an observation rests on: fetched then, or earlier and confirmed then.
SELECT {page} FROM page_index.pages AS p
WHERE p.url = $1 AND p.sha256 = $2 AND p.observed_at <= $3 ORDER BY p.observed_at DESC LIMIT 1;
