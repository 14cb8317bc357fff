-- name: find_drivers
-- Drivers whom any session refers to, and of a source ($4) and a track ($5) or all, who drove from a day ($11) to
-- another ($12) or ever, from after a place ($6, $7, $8):
-- all, or those who are called so ($1; as a row's id $2; as normalized $3), the best matches first.
SELECT f.id, f.source, f.source_driver_id, f.display_name, f.normalized_name, f.transponder_number, f.match,
    s.sessions, s.names, s.first_day, s.last_day,
    (SELECT a.person_id FROM driver_aliases AS a WHERE a.driver_id = f.id AND a.driver_name = '') AS person_id
FROM (
    SELECT d.id, d.source, d.source_driver_id, d.display_name, d.normalized_name, d.transponder_number, m.match,
        coalesce(d.display_name, '') COLLATE "C" AS name
    FROM drivers AS d
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN $1::text IS NULL THEN 0
            WHEN d.id = $2::uuid OR $1 IN (d.source_driver_id, d.transponder_number) THEN 1
            WHEN d.normalized_name = $3 OR d.id IN (
                SELECT n.driver_id FROM race_drivers AS n WHERE lower(n.display_name) = lower($1)
            ) THEN 2
            WHEN position(lower($1) IN lower(d.display_name)) > 0 THEN 3
        END AS match
    ) AS m
    WHERE m.match IS NOT NULL
        AND ($4::text IS NULL OR d.source = $4)
        AND EXISTS (SELECT FROM race_drivers AS x WHERE x.driver_id = d.id)
        AND ($5::uuid IS NULL OR d.id IN (
            SELECT x.driver_id FROM events AS e
            JOIN races AS r ON r.event_id = e.id
            JOIN race_drivers AS x ON x.race_id = r.id
            WHERE e.track_id = $5
        ))
        AND (coalesce($11::date, $12::date) IS NULL OR d.id IN (
            SELECT x.driver_id FROM events AS e
            JOIN races AS r ON r.event_id = e.id
            JOIN race_drivers AS x ON x.race_id = r.id
            WHERE ($5 IS NULL OR e.track_id = $5)
                AND e.event_date BETWEEN coalesce($11, '-infinity') AND coalesce($12, 'infinity')
        ))
        AND (m.match, coalesce(d.display_name, '') COLLATE "C", d.id) > ($6::int, $7::text, $8::uuid)
    ORDER BY m.match, name, d.id
    LIMIT $9
) AS f
CROSS JOIN LATERAL (
    SELECT count(*) AS sessions, min(e.event_date) AS first_day, max(e.event_date) AS last_day,
        coalesce((array_agg(DISTINCT x.display_name) FILTER (WHERE x.display_name IS NOT NULL))[:$10], '{}') AS names
    FROM race_drivers AS x
    JOIN races AS r ON r.id = x.race_id
    JOIN events AS e ON e.id = r.event_id
    WHERE x.driver_id = f.id AND ($5::uuid IS NULL OR e.track_id = $5)
) AS s
ORDER BY f.match, f.name, f.id;

-- name: find_sessions
-- Sessions by their id at a source ($2) or at all.
SELECT r.id, r.source, t.source_track_slug AS track_slug, e.event_date AS date, r.source_race_id AS session_id
FROM races AS r
JOIN events AS e ON e.id = r.event_id
JOIN tracks AS t ON t.id = e.track_id
WHERE r.source_race_id = $1 AND ($2::text IS NULL OR r.source = $2)
ORDER BY e.event_date DESC, r.id
LIMIT $3;
