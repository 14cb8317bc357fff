-- name: count_sessions
-- How many sessions a day has at present.
SELECT count(*) FROM races WHERE event_id = $1;

-- name: day_summary
-- A day with its counts: sessions, those with a detail and with laps, laps, drivers.
SELECT e.id, e.source, e.source_event_id, e.event_date, e.metadata, t.source_track_slug, t.name AS track_name,
    count(r.id) AS sessions,
    count(r.id) FILTER (WHERE r.race_metadata IS NOT NULL) AS sessions_with_detail,
    count(r.id) FILTER (WHERE l.laps > 0) AS sessions_with_laps,
    coalesce(sum(l.laps), 0)::bigint AS laps,
    count(DISTINCT d.driver_id) AS drivers
FROM events AS e
JOIN tracks AS t ON t.id = e.track_id
LEFT JOIN races AS r ON r.event_id = e.id
LEFT JOIN race_drivers AS d ON d.race_id = r.id
LEFT JOIN race_results AS x ON x.race_driver_id = d.id
LEFT JOIN LATERAL (SELECT count(*) AS laps FROM laps WHERE race_result_id = x.id) AS l ON true
WHERE e.id = $1
GROUP BY e.id, t.id;

-- name: day_sessions
-- A day's sessions with their results, in the order in which they began.
SELECT r.id, r.source_race_id AS session_id, d.display_name AS driver_name, r.class_name,
    row_number() OVER (
        PARTITION BY d.driver_id, r.class_name ORDER BY r.start_time NULLS LAST, r.source_race_id
    ) AS run,
    d.transponder_number, d.driver_id, d.source_driver_id, r.start_time, r.duration_seconds, x.laps_completed,
    x.fast_lap_time, x.avg_lap_time, x.consistency,
    (SELECT count(*) FROM laps AS l WHERE l.race_result_id = x.id) AS laps, r.race_metadata IS NOT NULL AS has_detail,
    {person} AS person_id
FROM races AS r
JOIN race_drivers AS d ON d.race_id = r.id
JOIN race_results AS x ON x.race_driver_id = d.id
WHERE r.event_id = $1
ORDER BY r.start_time NULLS LAST, r.source_race_id;

-- name: day_fastest
-- The fastest lap of each class on a day, with who drove it.
SELECT DISTINCT ON (r.class_name) r.class_name, x.fast_lap_time, d.display_name AS driver_name,
    r.source_race_id AS session_id
FROM races AS r
JOIN race_drivers AS d ON d.race_id = r.id
JOIN race_results AS x ON x.race_driver_id = d.id
WHERE r.event_id = $1 AND x.fast_lap_time IS NOT NULL
ORDER BY r.class_name, x.fast_lap_time, r.start_time, r.source_race_id;

-- name: day_is_known
-- Whether a day is stored.
SELECT EXISTS (SELECT FROM events WHERE id = $1);

-- name: day_version
-- Which observations of a day the tables hold.
SELECT format('%s-%s', count(*), max(observed_at)) FROM observations WHERE event_id = $1;
