-- columns: sum_of_digests
coalesce(sum(('x' || left(h, 16))::bit(64)::bigint::numeric), 0)
    + coalesce(sum(('x' || right(h, 16))::bit(64)::bigint::numeric), 0) * 18446744073709551616

-- name: digest_table
-- The number of rows of a table, and the sum of a digest of each: the same for the same rows in any order.
SELECT count(*) AS rows, {sum_of_digests} AS total
FROM (SELECT left(encode(sha256(convert_to(to_jsonb(t)::text, 'UTF8')), 'hex'), 32) AS h FROM {table} AS t) AS rows;

-- name: digest_day
-- The same of the rows of each table that belong to a day ($1), or that its sessions refer to.
WITH sessions AS (
    SELECT r.id AS race_id, d.id AS race_driver_id, d.driver_id, x.id AS race_result_id
    FROM races AS r
    LEFT JOIN race_drivers AS d ON d.race_id = r.id
    LEFT JOIN race_results AS x ON x.race_driver_id = d.id
    WHERE r.event_id = $1
), contents (name, content) AS (
    SELECT 'tracks', to_jsonb(t) FROM tracks AS t WHERE t.id = (SELECT track_id FROM events WHERE id = $1)
    UNION ALL SELECT 'events', to_jsonb(t) FROM events AS t WHERE t.id = $1
    UNION ALL SELECT 'races', to_jsonb(t) FROM races AS t WHERE t.event_id = $1
    UNION ALL SELECT 'drivers', to_jsonb(t) FROM drivers AS t WHERE t.id IN (SELECT driver_id FROM sessions)
    UNION ALL
    SELECT 'race_drivers', to_jsonb(t) FROM race_drivers AS t WHERE t.id IN (SELECT race_driver_id FROM sessions)
    UNION ALL
    SELECT 'race_results', to_jsonb(t) FROM race_results AS t WHERE t.id IN (SELECT race_result_id FROM sessions)
    UNION ALL
    SELECT 'laps', to_jsonb(t) FROM laps AS t WHERE t.race_result_id IN (SELECT race_result_id FROM sessions)
)
SELECT name, count(*) AS rows, {sum_of_digests} AS total
FROM (SELECT name, left(encode(sha256(convert_to(content::text, 'UTF8')), 'hex'), 32) AS h FROM contents) AS rows
GROUP BY name;
