-- name: park_records
-- Records that could not be applied, with their bytes, their place and the reason.
INSERT INTO parked_records (
    group_name, topic, partition, record_offset, record_key, record_value, record_headers, record_time, code, reason
)
SELECT $1, topic, partition, record_offset, record_key, record_value, record_headers::jsonb, record_time, code, reason
FROM unnest(
    $2::text[], $3::integer[], $4::bigint[], $5::bytea[], $6::bytea[], $7::text[], $8::timestamptz[], $9::text[],
    $10::text[]
) AS s (
    topic, partition, record_offset, record_key, record_value, record_headers, record_time, code, reason
)
ON CONFLICT (group_name, topic, partition, record_offset) DO UPDATE
SET code = excluded.code, reason = excluded.reason;

-- name: count_parked
-- How many records of a group are parked, by the kind of fault.
SELECT code, count(*) AS records FROM parked_records WHERE group_name = $1 GROUP BY code ORDER BY code;
