-- columns: fastest_lap
l.id, l.event_id, l.class_name, l.fast_lap_time, l.driver_name, l.source_driver_id, l.session_id, l.start_time

-- columns: record_person
(
    SELECT a.person_id FROM lapstream.driver_aliases AS a
    WHERE a.source = e.source AND a.source_driver_id = r.source_driver_id AND a.driver_name IN ('', r.driver_name)
    ORDER BY a.driver_name DESC LIMIT 1
) AS person_id

-- name: save_fastest_laps
-- The fastest laps of sessions, new or changed.
INSERT INTO fastest_laps (
    id, event_id, track_id, session_id, class_name, fast_lap_time, driver_name, source_driver_id, start_time
)
SELECT s.id, s.event_id, s.track_id, s.session_id, s.class_name, s.fast_lap_time, s.driver_name,
    s.source_driver_id, s.start_time
FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::float8[], $7::text[], $8::text[],
    $9::timestamp[]
) AS s (id, event_id, track_id, session_id, class_name, fast_lap_time, driver_name, source_driver_id, start_time)
ON CONFLICT (id) DO UPDATE
SET class_name = excluded.class_name, fast_lap_time = excluded.fast_lap_time,
    driver_name = excluded.driver_name, source_driver_id = excluded.source_driver_id,
    start_time = excluded.start_time;

-- name: delete_fastest_laps
-- Those of sessions that are gone, or state none any more.
DELETE FROM fastest_laps WHERE id = ANY ($1::uuid[]);

-- name: read_track_records
-- The record of each class at a track: the index is asked once for each class, and once for laps without one.
WITH RECURSIVE classes AS (
    (
        SELECT class_name FROM track_records.fastest_laps
        WHERE track_id = $1 AND class_name IS NOT NULL ORDER BY class_name LIMIT 1
    )
    UNION ALL
    SELECT following.class_name
    FROM classes AS c
    CROSS JOIN LATERAL (
        SELECT class_name FROM track_records.fastest_laps
        WHERE track_id = $1 AND class_name > c.class_name ORDER BY class_name LIMIT 1
    ) AS following
)
SELECT r.class_name, r.fast_lap_time, r.driver_name, r.source_driver_id, r.id AS session, r.session_id,
    r.event_id, e.event_date AS date, r.start_time,
    {record_person}
FROM (
    SELECT {fastest_lap}
    FROM classes AS c
    CROSS JOIN LATERAL (
        SELECT {fastest_lap} FROM track_records.fastest_laps AS l
        WHERE l.track_id = $1 AND l.class_name = c.class_name
        ORDER BY l.fast_lap_time, l.start_time, l.session_id, l.id LIMIT 1
    ) AS l
    UNION ALL
    (
        SELECT {fastest_lap} FROM track_records.fastest_laps AS l
        WHERE l.track_id = $1 AND l.class_name IS NULL
        ORDER BY l.class_name, l.fast_lap_time, l.start_time, l.session_id, l.id LIMIT 1
    )
) AS r
JOIN track_records.events AS e ON e.id = r.event_id
ORDER BY r.class_name;

-- name: read_record_history
-- The sessions that broke the record of a class ($2), or of each, at a track, in the order in which they did.
SELECT r.class_name, r.fast_lap_time, round((r.record - r.fast_lap_time)::numeric, 3)::float8 AS improved_by,
    r.driver_name, r.source_driver_id, r.id AS session, r.session_id, r.event_id, e.event_date AS date, r.start_time,
    {record_person}
FROM (
    SELECT {fastest_lap},
        min(l.fast_lap_time) OVER (
            PARTITION BY l.class_name ORDER BY l.start_time, l.session_id, l.id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS record
    FROM track_records.fastest_laps AS l
    WHERE l.track_id = $1 AND ($2::text IS NULL OR l.class_name = $2)
) AS r
JOIN track_records.events AS e ON e.id = r.event_id
WHERE r.record IS NULL OR r.fast_lap_time < r.record
ORDER BY r.class_name, r.start_time, r.session_id, r.id;
