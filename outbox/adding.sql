-- name: lock_aggregates
-- One writer a key at a time, until its transaction ends: so a key's rows commit in the order of their seq.
SELECT pg_advisory_xact_lock(hashtextextended(topic || '/' || key, 0))
FROM (
    SELECT DISTINCT topic, key FROM unnest($1::text[], $2::text[]) AS k (topic, key) ORDER BY topic, key
) AS keys;

-- name: add_to_outbox
-- Have records published, and tell the relay; what waits there already under the same id is left as it is.
WITH added AS (
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
    SELECT id, topic, key, type, payload::json, headers::jsonb
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
        AS s (id, topic, key, type, payload, headers)
    ON CONFLICT (id) DO NOTHING
)
SELECT pg_notify('lapstream_outbox', '');

-- name: is_relayed
-- Whether a relay holds the lease of the one that publishes.
SELECT EXISTS (SELECT FROM relay_lease WHERE name = $1 AND held_until > now());
