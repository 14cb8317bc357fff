-- name: claim_position
-- Take a partition over: a new epoch, from which on the member before this one writes nothing.
INSERT INTO positions AS t (group_name, topic, partition, next_offset, epoch)
VALUES ($1, $2, $3, 0, 1)
ON CONFLICT (group_name, topic, partition) DO UPDATE SET epoch = t.epoch + 1
RETURNING next_offset, epoch;

-- name: move_position
-- From where this member last wrote to where it is now, if it still holds the partition.
UPDATE positions AS t
SET next_offset = s.next_offset
FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[]) AS s (
    topic, partition, was_offset, next_offset, epoch
)
WHERE t.group_name = $1 AND t.topic = s.topic AND t.partition = s.partition
    AND t.next_offset = s.was_offset AND t.epoch = s.epoch;

-- name: read_positions
-- Where a group stands.
SELECT topic, partition, next_offset FROM positions WHERE group_name = $1 ORDER BY topic, partition;
