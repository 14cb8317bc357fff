-- columns: rebuild
id, projection, purpose, state, paused, shadow, until, records_done, records_total, newest_record_at, created_at,
    moved_at, finished_at, report, error

-- name: hold_schema
-- Whether this connection, and no other, makes the tables of a schema, until it is closed.
SELECT pg_try_advisory_lock(hashtextextended('lapstream rebuild ' || $1, 0));

-- name: open_rebuild
-- A new rebuild, or nothing where one of the same schema is open.
INSERT INTO rebuilds (id, projection, purpose, shadow, until)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (shadow) WHERE finished_at IS NULL DO NOTHING
RETURNING {rebuild};

-- name: read_rebuild
-- A rebuild by its id.
SELECT {rebuild} FROM rebuilds WHERE id = $1;

-- name: newest_rebuild
-- The newest rebuild that made this schema.
SELECT {rebuild} FROM rebuilds WHERE shadow = $1 ORDER BY created_at DESC, id LIMIT 1;

-- name: newest_swap
-- The newest rebuild of a projection that was swapped, also where that was taken back.
SELECT {rebuild} FROM rebuilds
WHERE projection = $1 AND state IN ('swapped', 'rolled_back') ORDER BY finished_at DESC LIMIT 1;

-- name: recent_rebuilds
-- The newest rebuilds, of one projection or of all.
SELECT {rebuild} FROM rebuilds WHERE $1::text IS NULL OR projection = $1 ORDER BY created_at DESC, id LIMIT $2;

-- name: move_rebuild
-- A rebuild goes on from one state to another, if it is still in that one.
UPDATE rebuilds
SET state = $3, error = NULL, moved_at = now(),
    finished_at = CASE WHEN $3 IN ('prepared', 'replaying', 'catching_up', 'verified') THEN NULL ELSE now() END
WHERE id = $1 AND state = $2;

-- name: note_rebuild_error
-- What stopped the newest attempt.
UPDATE rebuilds SET error = $2 WHERE id = $1;

-- name: save_rebuild_report
-- What the comparison found.
UPDATE rebuilds SET report = $2::json WHERE id = $1;

-- name: note_rebuild
-- How far the replay is; returns what somebody else wants of it.
UPDATE rebuilds
SET records_done = greatest(records_done, $2), records_total = greatest(records_total, $3),
    newest_record_at = greatest(newest_record_at, $4), moved_at = now()
WHERE id = $1
RETURNING state, paused;

-- name: pause_rebuild
-- Whether its worker is to stop, until somebody lets it go on.
UPDATE rebuilds SET paused = $2 WHERE id = $1 AND finished_at IS NULL;

-- name: refuse_records
-- Records that the replay could not apply.
INSERT INTO rebuild_refused (rebuild_id, topic, partition, record_offset, event_id_hex, code, reason)
SELECT $1, s.topic, s.partition, s.record_offset, s.event_id_hex, s.code, s.reason
FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::text[], $6::text[], $7::text[]) AS s (
    topic, partition, record_offset, event_id_hex, code, reason
)
ON CONFLICT DO NOTHING;

-- name: refused_records
-- Records that the replay could not apply.
SELECT topic, partition, record_offset, event_id_hex, code, reason FROM rebuild_refused
WHERE rebuild_id = $1 ORDER BY topic, partition, record_offset;

-- name: parked_events
-- The ids of a group's events that are parked or discarded, in hex as their headers have them.
SELECT p.state, h.pair ->> 1 AS event_id_hex
FROM parked_records AS p CROSS JOIN LATERAL jsonb_array_elements(p.record_headers) AS h (pair)
WHERE p.group_name = $1 AND p.state IN ('parked', 'discarded') AND h.pair ->> 0 = 'ce_id'
    AND h.pair ->> 1 IS NOT NULL;

-- name: park_refused_again
-- Records that were redriven into the tables that go, and that the tables that come refused.
UPDATE parked_records AS t
SET state = 'parked', settled_at = NULL, settled_by = NULL
FROM rebuild_refused AS r
WHERE r.rebuild_id = $1 AND t.group_name = $2 AND t.state = 'redriven' AND t.new_topic IS NULL
    AND (t.topic, t.partition, t.record_offset) = (r.topic, r.partition, r.record_offset);

-- name: park_redriven_again
-- Records that were redriven since a time, into tables that are taken back.
UPDATE parked_records
SET state = 'parked', settled_at = NULL, settled_by = NULL
WHERE group_name = $1 AND state = 'redriven' AND new_topic IS NULL AND settled_at >= $2;

-- name: work_in_bulk
-- For the transaction at hand: what it writes may be lost with the place in the log that it stands for, and
-- tables that nobody has analysed yet are read by their keys.
SELECT set_config('synchronous_commit', 'off', true), set_config('enable_seqscan', 'off', true);

-- name: keep_snapshot
-- For the transaction at hand, which is to take its snapshot later (SET takes none): it may wait as long as it must.
SET LOCAL idle_in_transaction_session_timeout = 0;

-- name: keep_locks
-- For the transaction at hand: it may wait for a while, its locks with it.
SET LOCAL idle_in_transaction_session_timeout = '5min';
