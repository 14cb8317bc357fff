-- name: lock_idempotency_key
-- One request with a key at a time, until its transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('idempotency/' || $1 || '/' || $2, 0));

-- name: recall_idempotency_key
-- What a key of the last day stands for.
SELECT body_digest, run_id FROM idempotency_keys
WHERE caller = $1 AND key = $2 AND created_at > now() - interval '1 day';

-- name: forget_idempotency_keys
-- Remove keys that are more than a day old, those that nobody else is about to remove.
DELETE FROM idempotency_keys WHERE (caller, key) IN (
    SELECT caller, key FROM idempotency_keys WHERE created_at <= now() - interval '1 day'
    ORDER BY created_at LIMIT 100 FOR UPDATE SKIP LOCKED
);

-- name: keep_idempotency_key
-- What a key stands for from now on.
INSERT INTO idempotency_keys (caller, key, body_digest, run_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (caller, key) DO UPDATE
SET body_digest = excluded.body_digest, run_id = excluded.run_id, created_at = excluded.created_at;
