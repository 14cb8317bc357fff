-- What became of a parked record: it stays as it is, and says when, by whom and how it was settled
-- depends: 0002_operations
-- The table is small, for parking is bounded: it may be locked and read through for a moment.
-- squawk-ignore-file constraint-missing-not-valid, ban-drop-not-null, ban-drop-column
-- squawk-ignore-file require-concurrent-index-deletion, adding-not-nullable-field

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE lapstream.parked_records
    -- A producer may leave a record without a time.
    ALTER COLUMN record_time DROP NOT NULL,
    ADD COLUMN state text NOT NULL DEFAULT 'parked',
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN settled_by text,
    ADD COLUMN discard_reason text,
    ADD COLUMN new_topic text,
    ADD COLUMN new_partition integer,
    ADD COLUMN new_offset bigint,
    ADD CONSTRAINT parked_records_state CHECK (state IN ('parked', 'redriven', 'fixed', 'discarded')),
    -- A record is still parked, or it was settled at some time by somebody.
    ADD CONSTRAINT parked_records_settled CHECK (
        (state = 'parked') = (settled_at IS NULL) AND (state = 'parked') = (settled_by IS NULL)
    ),
    -- A discard has its reason, and nothing else has one.
    ADD CONSTRAINT parked_records_discarded CHECK ((state = 'discarded') = (discard_reason IS NOT NULL)),
    -- A fixed record has the whole place of its new one; so has a redriven one that went back into a work queue.
    ADD CONSTRAINT parked_records_new_record CHECK (
        num_nulls(new_topic, new_partition, new_offset) IN (0, 3)
        AND (new_topic IS NOT NULL OR state <> 'fixed')
        AND (new_topic IS NULL OR state IN ('fixed', 'redriven'))
    );

CREATE INDEX parked_records_waiting ON lapstream.parked_records (group_name) WHERE state = 'parked';

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

DROP INDEX lapstream.parked_records_waiting;

UPDATE lapstream.parked_records SET record_time = '-infinity' WHERE record_time IS NULL;

ALTER TABLE lapstream.parked_records
    DROP COLUMN new_offset,
    DROP COLUMN new_partition,
    DROP COLUMN new_topic,
    DROP COLUMN discard_reason,
    DROP COLUMN settled_by,
    DROP COLUMN settled_at,
    DROP COLUMN state,
    ALTER COLUMN record_time SET NOT NULL;
