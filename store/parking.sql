-- name: park_records
-- Records that could not be applied, with their bytes, their place and the reason. One that is there already
-- gets the newest reason; a redriven one is parked again; what was fixed or discarded stays so, unless another
-- record has come to lie at its place. Where its bytes were pruned, it is known by their digest.
INSERT INTO parked_records AS t (
    group_name, topic, partition, record_offset, record_key, record_value, record_headers, record_time, code, reason,
    source
)
SELECT $1, topic, partition, record_offset, record_key, record_value, record_headers::jsonb, record_time, code, reason,
    source
FROM unnest(
    $2::text[], $3::integer[], $4::bigint[], $5::bytea[], $6::bytea[], $7::text[], $8::timestamptz[], $9::text[],
    $10::text[], $11::text[]
) AS s (
    topic, partition, record_offset, record_key, record_value, record_headers, record_time, code, reason, source
)
ON CONFLICT (group_name, topic, partition, record_offset) DO UPDATE
SET record_key = excluded.record_key, record_value = excluded.record_value,
    record_headers = excluded.record_headers, record_time = excluded.record_time,
    code = excluded.code, reason = excluded.reason, source = excluded.source, parked_at = excluded.parked_at,
    state = 'parked', settled_at = NULL, settled_by = NULL, discard_reason = NULL,
    new_topic = NULL, new_partition = NULL, new_offset = NULL, record_sha256 = NULL
WHERE t.state IN ('parked', 'redriven')
    OR (t.record_headers, t.record_time) IS DISTINCT FROM (excluded.record_headers, excluded.record_time)
    OR CASE
        WHEN t.record_sha256 IS NULL OR num_nonnulls(t.record_key, t.record_value) > 0
        THEN (t.record_key, t.record_value) IS DISTINCT FROM (excluded.record_key, excluded.record_value)
        ELSE t.record_sha256 <> concat(
            encode(sha256(excluded.record_key), 'hex'), '/', encode(sha256(excluded.record_value), 'hex')
        )
    END;

-- name: count_waiting
-- How many records of a group are parked and not settled, counted no further than to a number.
SELECT count(*) FROM (SELECT FROM parked_records WHERE group_name = $1 AND state = 'parked' LIMIT $2) AS waiting;
