-- columns: ended_run
r.state <> 'running' AND r.finished_at < $1 AND r.requested_at < $1

-- columns: needed_run
-- OFFSET 0: run by run. Without it each batch would begin by reading whole tables.
-- A backfill that stays waits for it, or imports its day anew by what it came to.
EXISTS (
        SELECT FROM backfill_days AS d JOIN backfills AS b ON b.id = d.backfill_id
        WHERE d.run_id = r.id AND (b.finished_at IS NULL OR b.finished_at >= $1) OFFSET 0
    )
    -- It failed for a record that was parked, and may be one of those that wait to be redriven.
    OR (
        EXISTS (SELECT FROM parked_records AS p WHERE p.state = 'parked')
        AND (
            coalesce(r.error ->> 'code' LIKE 'parked\_%', false)
            OR EXISTS (
                SELECT FROM ingest_run_sessions AS s WHERE s.run_id = r.id AND s.code LIKE 'parked\_%' OFFSET 0
            )
        )
    )
    -- It is the newest that asked for a day which the tables don't hold: only by it a reparse knows of the day.
    OR NOT (
        EXISTS (SELECT FROM events AS e WHERE e.id = r.event_id OFFSET 0)
        OR EXISTS (
            SELECT FROM ingest_runs AS n
            WHERE n.event_id = r.event_id AND (n.requested_at, n.id) > (r.requested_at, r.id) OFFSET 0
        )
    )
    -- A session of it failed, and has neither a newer detail nor a newer failure: the next import fetches it again.
    OR EXISTS (
        SELECT FROM ingest_run_sessions AS s
        WHERE s.run_id = r.id AND s.state = 'failed'
            AND NOT EXISTS (
                SELECT FROM observations AS o
                WHERE o.event_id = r.event_id AND o.kind = 'detail' AND o.facts ->> 'session_id' = s.session_id
                    AND o.observed_at >= s.requested_at OFFSET 0
            )
            AND NOT EXISTS (
                SELECT FROM ingest_runs AS n JOIN ingest_run_sessions AS f ON f.run_id = n.id
                WHERE n.event_id = r.event_id AND f.session_id = s.session_id AND f.state = 'failed'
                    AND (f.requested_at, n.id) > (s.requested_at, r.id) OFFSET 0
            )
        OFFSET 0
    )

-- columns: settled_record
t.state <> 'parked' AND t.settled_at < $1

-- columns: gone_record
-- A work queue's record, or one that a copy of the log lacked: no consumer meets it again.
(t.topic = ANY ($2::text[]) OR t.record_offset < 0)

-- columns: idle_bytes
-- Of what is fixed or discarded; a redriven record may have to be parked again by a rebuild.
t.state IN ('fixed', 'discarded') AND num_nonnulls(t.record_key, t.record_value) > 0

-- columns: needed_rebuild
-- The newest swap says whether it can be rolled back; tables as of a moment that are there can be thrown away.
b.id IN (
        SELECT DISTINCT ON (s.projection) s.id FROM rebuilds AS s
        WHERE s.state IN ('swapped', 'rolled_back') ORDER BY s.projection, s.finished_at DESC
    )
    OR (b.state = 'built' AND EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = b.shadow))

-- name: count_backfills
-- Finished backfills, and how many of them are needed.
SELECT count(*) AS old, 0 AS needed FROM backfills WHERE finished_at < $1;

-- name: count_runs
-- Runs that ended, and how many of them are needed.
SELECT count(*) AS old, count(*) FILTER (WHERE {needed_run}) AS needed FROM ingest_runs AS r WHERE {ended_run};

-- name: count_parked_records
-- Settled records that no consumer meets again.
SELECT count(*) AS old, 0 AS needed FROM parked_records AS t WHERE {settled_record} AND {gone_record};

-- name: count_parked_bytes
-- Settled records that a consumer may meet again, with their bytes, and how many of them need these.
SELECT count(*) AS old, count(*) FILTER (WHERE NOT ({idle_bytes})) AS needed
FROM parked_records AS t
WHERE {settled_record} AND NOT {gone_record} AND num_nonnulls(t.record_key, t.record_value) > 0;

-- name: count_rebuilds
-- Finished rebuilds, and how many of them are needed.
SELECT count(*) AS old, count(*) FILTER (WHERE {needed_rebuild}) AS needed FROM rebuilds AS b WHERE b.finished_at < $1;

-- name: count_idempotency_keys
-- Keys of the API's callers; one stands for its run for a day.
SELECT count(*) AS old, 0 AS needed FROM idempotency_keys WHERE created_at < $1;

-- name: next_runs
-- The next runs that ended, in the order of their requests, behind one of them. How many is said here, so that every
-- plan of it follows the index.
SELECT r.requested_at, r.id FROM ingest_runs AS r
WHERE {ended_run} AND (r.requested_at, r.id) > ($2, $3::uuid)
ORDER BY r.requested_at, r.id LIMIT 100;

-- name: prune_runs
-- These runs with their sessions, those that have ended, and are not needed, when they are held.
WITH held AS (
    SELECT r.id FROM ingest_runs AS r
    WHERE r.id = ANY ($2::uuid[]) AND {ended_run} AND NOT ({needed_run})
    ORDER BY r.id FOR UPDATE OF r
)
DELETE FROM ingest_runs AS t USING held WHERE t.id = held.id;

-- name: prune_backfills
-- Finished backfills with their months and days.
WITH held AS (
    SELECT id FROM backfills WHERE finished_at < $1 ORDER BY id LIMIT $2 FOR UPDATE
)
DELETE FROM backfills AS t USING held WHERE t.id = held.id;

-- name: prune_parked_records
-- Settled records that no consumer meets again.
WITH held AS (
    SELECT t.group_name, t.topic, t.partition, t.record_offset FROM parked_records AS t
    WHERE {settled_record} AND {gone_record}
    ORDER BY t.group_name, t.topic, t.partition, t.record_offset LIMIT $3 FOR UPDATE
)
DELETE FROM parked_records AS t USING held
WHERE (t.group_name, t.topic, t.partition, t.record_offset)
    = (held.group_name, held.topic, held.partition, held.record_offset);

-- name: prune_parked_bytes
-- The bytes of settled records give way to their digest, by which `park_records` knows one that comes again.
WITH held AS (
    SELECT t.group_name, t.topic, t.partition, t.record_offset FROM parked_records AS t
    WHERE {settled_record} AND NOT {gone_record} AND {idle_bytes}
    ORDER BY t.group_name, t.topic, t.partition, t.record_offset LIMIT $3 FOR NO KEY UPDATE
)
UPDATE parked_records AS t
SET record_sha256 = concat(encode(sha256(t.record_key), 'hex'), '/', encode(sha256(t.record_value), 'hex')),
    record_key = NULL, record_value = NULL
FROM held
WHERE (t.group_name, t.topic, t.partition, t.record_offset)
    = (held.group_name, held.topic, held.partition, held.record_offset);

-- name: prune_rebuilds
-- Finished rebuilds with their reports, and what they refused.
WITH held AS (
    SELECT b.id FROM rebuilds AS b
    WHERE b.finished_at < $1 AND NOT ({needed_rebuild}) ORDER BY b.id LIMIT $2 FOR UPDATE
)
DELETE FROM rebuilds AS t USING held WHERE t.id = held.id;

-- name: prune_idempotency_keys
-- Keys of the API's callers, those that nobody else is about to remove.
WITH held AS (
    SELECT caller, key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM idempotency_keys AS t USING held WHERE (t.caller, t.key) = (held.caller, held.key);
