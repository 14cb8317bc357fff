-- name: claim_positions
-- Take partitions over: a new epoch, from which on the member before this one writes nothing.
INSERT INTO positions AS t (group_name, topic, partition, next_offset, epoch)
SELECT $1, s.topic, s.partition, 0, 1
FROM unnest($2::text[], $3::integer[]) AS s (topic, partition)
ORDER BY s.topic, s.partition
ON CONFLICT (group_name, topic, partition) DO UPDATE SET epoch = t.epoch + 1
RETURNING topic, partition, next_offset, epoch;

-- name: end_writers
-- End the connections whose open transactions hold these positions.
SELECT pg_terminate_backend(l.pid)
FROM unnest($2::text[], $3::integer[]) AS s (topic, partition)
JOIN positions AS t ON t.group_name = $1 AND t.topic = s.topic AND t.partition = s.partition
JOIN pg_locks AS l ON l.locktype = 'transactionid' AND l.granted AND l.transactionid = t.xmax;

-- name: move_position
-- From where this member last wrote to where it is now, if it still holds the partition; held in the order in
-- which a take-over holds them.
WITH held AS (
    SELECT t.topic, t.partition, s.next_offset
    FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[]) AS s (
        topic, partition, was_offset, next_offset, epoch
    )
    JOIN positions AS t ON t.group_name = $1 AND t.topic = s.topic AND t.partition = s.partition
        AND t.next_offset = s.was_offset AND t.epoch = s.epoch
    ORDER BY t.topic, t.partition
    FOR NO KEY UPDATE OF t
)
UPDATE positions AS t
SET next_offset = held.next_offset
FROM held
WHERE t.group_name = $1 AND t.topic = held.topic AND t.partition = held.partition;

-- name: read_positions
-- Where a group stands.
SELECT topic, partition, next_offset FROM positions WHERE group_name = $1 ORDER BY topic, partition;

-- name: read_announced
-- Up to where a group announced, when its tables were last exchanged.
SELECT topic, partition, next_offset FROM announced WHERE group_name = $1;
