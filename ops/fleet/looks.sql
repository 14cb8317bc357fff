-- name: add_look
-- Store a look, and delete those of its kind that have left the window.
WITH gone AS (
    DELETE FROM fleet_looks WHERE kind = $1 AND looked_at < clock_timestamp() - make_interval(secs => $3)
)
INSERT INTO fleet_looks (kind, looked_at, found) VALUES ($1, clock_timestamp(), $2::jsonb);

-- name: looks_since
-- The looks of a kind that are younger than so many seconds, and newer than a moment, the oldest first, with
-- their age.
SELECT kind, looked_at, extract(epoch FROM clock_timestamp() - looked_at)::float8 AS age, found::text AS found
FROM fleet_looks
WHERE kind = $1 AND looked_at > clock_timestamp() - make_interval(secs => $2)
    AND looked_at > coalesce($3, '-infinity'::timestamptz)
ORDER BY looked_at;

-- name: newest_looks
-- The newest look of each of these kinds, with its age.
SELECT found.kind, found.looked_at, extract(epoch FROM clock_timestamp() - found.looked_at)::float8 AS age,
    found.found::text AS found
FROM unnest($1::text[]) AS wanted (kind)
CROSS JOIN LATERAL (
    SELECT t.kind, t.looked_at, t.found FROM fleet_looks AS t
    WHERE t.kind = wanted.kind
    ORDER BY t.looked_at DESC
    LIMIT 1
) AS found;
