-- name: group_history
-- What each look of the last so many seconds saw of every group, or of one: the oldest look first.
SELECT g.value ->> 'group' AS "group", looked_at,
    extract(epoch FROM clock_timestamp() - looked_at)::float8 AS age, g.value ->> 'verdict' AS verdict,
    (g.value ->> 'behind')::bigint AS behind, (g.value ->> 'oldest_seconds')::float8 AS oldest_seconds
FROM fleet_looks CROSS JOIN LATERAL jsonb_array_elements(found -> 'groups') AS g (value)
WHERE kind = $1 AND looked_at > clock_timestamp() - make_interval(secs => $2)
    AND ($3::text IS NULL OR g.value ->> 'group' = $3)
ORDER BY looked_at;

-- name: partition_history
-- How far a group was behind in each partition, at the newest look of each so many seconds ($4) of the last so many.
SELECT p.value ->> 'topic' AS topic, (p.value ->> 'partition')::integer AS partition, looks.slot,
    (p.value ->> 'behind')::bigint AS behind
FROM (
    SELECT DISTINCT ON (slot) found,
        floor(extract(epoch FROM clock_timestamp() - looked_at) / $4)::integer AS slot
    FROM fleet_looks
    WHERE kind = $1 AND looked_at > clock_timestamp() - make_interval(secs => $2)
    ORDER BY slot, looked_at DESC
) AS looks
CROSS JOIN LATERAL jsonb_array_elements(looks.found -> 'groups') AS g (value)
CROSS JOIN LATERAL jsonb_array_elements(g.value -> 'partitions') AS p (value)
WHERE g.value ->> 'group' = $3;
