-- name: lock_carry_overs
-- One carry-over at a time.
LOCK TABLE log_carry_overs IN SHARE ROW EXCLUSIVE MODE;

-- name: newest_carry_over
-- Which log the places in this database speak of; no row where they speak of the first one.
SELECT export_id, cluster_id FROM log_carry_overs ORDER BY seq DESC LIMIT 1;

-- name: note_carry_over
-- From now on the places in this database speak of this log.
INSERT INTO log_carry_overs (export_id, cluster_id) VALUES ($1, $2);

-- name: create_log_runs
-- Where records lie in the old log and in the new one, for the transaction at hand.
CREATE TEMPORARY TABLE log_runs (
    topic text,
    partition integer,
    old_first bigint,
    new_first bigint,
    records bigint,
    PRIMARY KEY (topic, partition, old_first)
) ON COMMIT DROP;

-- name: create_log_reaches
-- From where to where a copy goes in the old log, for the transaction at hand.
CREATE TEMPORARY TABLE log_reaches (
    topic text,
    partition integer,
    copied_from bigint,
    copied_to bigint,
    PRIMARY KEY (topic, partition)
) ON COMMIT DROP;

-- name: schemas_with_places
-- Every schema that has positions of a projection, kept and new ones, too; and whether it has places of pages.
SELECT table_schema AS name, bool_or(table_name = 'pages') AS has_pages
FROM information_schema.columns
WHERE (table_name, column_name) IN (('positions', 'next_offset'), ('pages', 'record_offset'))
GROUP BY table_schema
HAVING bool_or(table_name = 'positions')
ORDER BY table_schema;

-- name: lock_positions
-- No projection moves its position meanwhile.
LOCK TABLE positions IN EXCLUSIVE MODE;

-- name: positions_ahead
-- Positions behind the end of the copy, with the position at that end, in the old log.
SELECT t.group_name, t.topic, t.partition, t.next_offset, coalesce(r.copied_to, 0) AS copied_to
FROM positions AS t
LEFT JOIN log_reaches AS r ON r.topic = t.topic AND r.partition = t.partition
WHERE t.topic = ANY($1::text[]) AND t.next_offset > coalesce(r.copied_to, 0)
ORDER BY t.group_name, t.topic, t.partition;

-- name: positions_short
-- Positions before the beginning of the copy, in the old log.
SELECT t.group_name, t.topic, t.partition, t.next_offset, r.copied_from
FROM positions AS t
JOIN log_reaches AS r ON r.topic = t.topic AND r.partition = t.partition
WHERE t.topic = ANY($1::text[]) AND t.next_offset < r.copied_from
ORDER BY t.group_name, t.topic, t.partition;

-- name: cancel_rebuild_ahead
-- A rebuild under way whose tables know records that the copy lacks: it would never say what the new log says.
UPDATE rebuilds
SET state = 'cancelled', moved_at = now(), finished_at = now(),
    error = 'its tables were ahead of the copy that the log was brought back from'
WHERE shadow = $1 AND finished_at IS NULL
RETURNING projection, purpose;

-- name: carry_positions
-- A position comes behind as many records as it was behind; under a new epoch, so that nobody goes on from the
-- old one. One that is behind the copy's end comes to its end.
UPDATE positions AS t
SET epoch = t.epoch + 1, next_offset = coalesce(
    (
        SELECT r.new_first + least(t.next_offset - r.old_first, r.records)
        FROM log_runs AS r
        WHERE r.topic = t.topic AND r.partition = t.partition AND r.old_first <= t.next_offset
        ORDER BY r.old_first DESC
        LIMIT 1
    ),
    0
)
WHERE t.topic = ANY($1::text[]);

-- name: carry_announced
-- What was announced stays announced, as far as the copy holds it.
UPDATE announced AS t
SET next_offset = coalesce(
    (
        SELECT r.new_first + least(t.next_offset - r.old_first, r.records)
        FROM log_runs AS r
        WHERE r.topic = t.topic AND r.partition = t.partition AND r.old_first <= t.next_offset
        ORDER BY r.old_first DESC
        LIMIT 1
    ),
    0
)
WHERE t.topic = ANY($1::text[]);

-- name: delete_lost_pages
-- Pages whose records the copy lacks: the index holds what the topic does.
DELETE FROM pages AS t
WHERE t.topic = ANY($1::text[]) AND NOT EXISTS (
    SELECT FROM log_runs AS r
    WHERE r.topic = t.topic AND r.partition = t.partition
        AND t.record_offset >= r.old_first AND t.record_offset < r.old_first + r.records
);

-- name: carry_pages
-- Pages whose records lie elsewhere now.
UPDATE pages AS t
SET record_offset = r.new_first + t.record_offset - r.old_first
FROM log_runs AS r
WHERE t.topic = ANY($1::text[]) AND r.topic = t.topic AND r.partition = t.partition AND r.new_first <> r.old_first
    AND t.record_offset >= r.old_first AND t.record_offset < r.old_first + r.records;

-- name: set_parked_aside
-- Parked records leave their old places first, for a new place may be another one's old place.
UPDATE parked_records SET record_offset = record_offset - 4611686018427387904
WHERE topic = ANY($1::text[]) AND record_offset >= 0;

-- name: carry_parked
-- Parked records whose records are in the copy come to lie at their new places.
UPDATE parked_records AS t
SET record_offset = r.new_first + t.record_offset + 4611686018427387904 - r.old_first
FROM log_runs AS r
WHERE t.record_offset < -2305843009213693952 AND r.topic = t.topic AND r.partition = t.partition
    AND t.record_offset + 4611686018427387904 >= r.old_first
    AND t.record_offset + 4611686018427387904 < r.old_first + r.records;

-- name: keep_lost_parked
-- The other parked records are kept where no record can ever lie: below the least offset of their partition.
UPDATE parked_records AS t
SET record_offset = s.record_offset
FROM (
    SELECT p.group_name, p.topic, p.partition, p.record_offset AS aside,
        (
            SELECT coalesce(min(q.record_offset), 0)
            FROM parked_records AS q
            WHERE (q.group_name, q.topic, q.partition) = (p.group_name, p.topic, p.partition)
                AND q.record_offset BETWEEN -2305843009213693952 AND -1
        ) - row_number() OVER (PARTITION BY p.group_name, p.topic, p.partition ORDER BY p.record_offset) AS record_offset
    FROM parked_records AS p
    WHERE p.record_offset < -2305843009213693952
) AS s
WHERE (t.group_name, t.topic, t.partition, t.record_offset) = (s.group_name, s.topic, s.partition, s.aside);

-- name: carry_new_places
-- Places of the records that took the place of parked ones; -1 where the copy lacks them.
UPDATE parked_records AS t
SET new_offset = coalesce(
    (
        SELECT r.new_first + t.new_offset - r.old_first
        FROM log_runs AS r
        WHERE r.topic = t.new_topic AND r.partition = t.new_partition
            AND t.new_offset >= r.old_first AND t.new_offset < r.old_first + r.records
    ),
    -1
)
WHERE t.new_topic = ANY($1::text[]) AND t.new_offset >= 0;

-- name: carry_refused
-- Records that a rebuild refused come to their new places; below zero first, for a new place may be another
-- one's old place.
UPDATE rebuild_refused AS t
SET record_offset = -1 - (r.new_first + t.record_offset - r.old_first)
FROM log_runs AS r
WHERE t.topic = ANY($1::text[]) AND r.topic = t.topic AND r.partition = t.partition
    AND t.record_offset >= r.old_first AND t.record_offset < r.old_first + r.records;

-- name: delete_lost_refused
-- What a rebuild refused of records that the copy lacks.
DELETE FROM rebuild_refused WHERE topic = ANY($1::text[]) AND record_offset >= 0;

-- name: place_refused
-- The others are where they are to be.
UPDATE rebuild_refused SET record_offset = -1 - record_offset
WHERE topic = ANY($1::text[]) AND record_offset < 0;
