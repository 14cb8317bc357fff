-- columns: parked_record
t.group_name AS "group", t.topic, t.partition, t.record_offset AS "offset", t.state, t.code, t.reason,
    t.source, t.parked_at, t.record_key AS key, t.record_value AS value, t.record_headers, t.record_time AS time,
    t.settled_at, t.settled_by, t.discard_reason, t.new_topic, t.new_partition, t.new_offset,
    t.record_sha256 AS sha256

-- name: count_parked
-- How many records a selection holds, each counted once however many groups parked it: by state and kind of fault,
-- with when the first and last came; in the last row, without state and kind, all of them.
SELECT state, code, count(DISTINCT (topic, partition, record_offset)) AS records,
    coalesce(array_agg(DISTINCT group_name ORDER BY group_name), '{}') AS groups,
    min(parked_at) AS first_parked_at, max(parked_at) AS last_parked_at
FROM parked_records
WHERE ($1::text IS NULL OR group_name = $1) AND ($2::text IS NULL OR code = $2)
    AND ($3::timestamptz IS NULL OR parked_at >= $3) AND ($4::timestamptz IS NULL OR parked_at < $4)
    AND ($5::text IS NULL OR state = $5)
    AND ($6::text IS NULL OR (topic, partition, record_offset) = ($6, $7::integer, $8::bigint))
    AND ($9::text IS NULL OR source = $9) AND ($10::text IS NULL OR topic = $10)
GROUP BY GROUPING SETS ((state, code), ())
ORDER BY state NULLS LAST, code;

-- name: find_parked
-- What is short of a selection's records, in the order of their places, those of one place together: all, or a page
-- of so many places.
WITH numbered AS (
    SELECT group_name, topic, partition, record_offset, state, code, reason, source, parked_at,
        dense_rank() OVER (ORDER BY topic, partition, record_offset) AS place_number
    FROM parked_records
    WHERE ($1::text IS NULL OR group_name = $1) AND ($2::text IS NULL OR code = $2)
        AND ($3::timestamptz IS NULL OR parked_at >= $3) AND ($4::timestamptz IS NULL OR parked_at < $4)
        AND ($5::text IS NULL OR state = $5)
        AND ($6::text IS NULL OR (topic, partition, record_offset) = ($6, $7::integer, $8::bigint))
        AND ($9::text IS NULL OR source = $9) AND ($10::text IS NULL OR topic = $10)
        AND ($13::text IS NULL OR (topic, partition, record_offset) > ($13, $14::integer, $15::bigint))
)
SELECT group_name AS "group", topic, partition, record_offset AS "offset", state, code, reason, source,
    parked_at
FROM numbered
WHERE place_number > $12 AND ($11::bigint IS NULL OR place_number <= $12 + $11)
ORDER BY place_number, group_name;

-- name: read_parked
-- Whole records, by their places, in the order of these, those of one place together.
SELECT {parked_record}
FROM parked_records AS t
JOIN unnest($1::text[], $2::text[], $3::integer[], $4::bigint[])
    AS s (group_name, topic, partition, record_offset)
    USING (group_name, topic, partition, record_offset)
ORDER BY t.topic, t.partition, t.record_offset, t.group_name;

-- name: groups_that_parked
-- The groups that have parked the record at a place.
SELECT group_name FROM parked_records WHERE topic = $1 AND partition = $2 AND record_offset = $3;

-- name: lock_parked
-- Whole records that are still parked, by their places, held until the transaction ends.
SELECT {parked_record}
FROM parked_records AS t
JOIN unnest($1::text[], $2::text[], $3::integer[], $4::bigint[])
    AS s (group_name, topic, partition, record_offset)
    USING (group_name, topic, partition, record_offset)
WHERE t.state = 'parked'
ORDER BY t.group_name, t.topic, t.partition, t.record_offset
FOR UPDATE OF t;

-- name: settle_parked
-- Records that are parked no more: how, by whom, and where the new record is that took the place of each; held in
-- the order of their places.
WITH held AS (
    SELECT s.group_name, s.topic, s.partition, s.record_offset, s.new_topic, s.new_partition, s.new_offset
    FROM unnest(
        $1::text[], $2::text[], $3::integer[], $4::bigint[], $8::text[], $9::integer[], $10::bigint[]
    ) AS s (group_name, topic, partition, record_offset, new_topic, new_partition, new_offset)
    JOIN parked_records AS t USING (group_name, topic, partition, record_offset)
    WHERE t.state = 'parked'
    ORDER BY t.group_name, t.topic, t.partition, t.record_offset
    FOR NO KEY UPDATE OF t
)
UPDATE parked_records AS t
SET state = $5, settled_at = now(), settled_by = $6, discard_reason = $7,
    new_topic = held.new_topic, new_partition = held.new_partition, new_offset = held.new_offset
FROM held
WHERE (t.group_name, t.topic, t.partition, t.record_offset)
    = (held.group_name, held.topic, held.partition, held.record_offset);

-- name: explain_parked
-- Records that stay parked, for a newer reason.
UPDATE parked_records AS t
SET code = s.code, reason = s.reason
FROM unnest($1::text[], $2::text[], $3::integer[], $4::bigint[], $5::text[], $6::text[])
    AS s (group_name, topic, partition, record_offset, code, reason)
WHERE (t.group_name, t.topic, t.partition, t.record_offset)
    = (s.group_name, s.topic, s.partition, s.record_offset)
    AND t.state = 'parked';

-- name: parked_reasons
-- Which of these records a group has parked, and why.
SELECT p.topic, p.partition, p.record_offset, p.reason
FROM parked_records AS p
JOIN unnest($2::text[], $3::integer[], $4::bigint[]) AS s (topic, partition, record_offset)
    ON (p.topic, p.partition, p.record_offset) = (s.topic, s.partition, s.record_offset)
WHERE p.group_name = $1;
