-- Backfills that the fleet works at, and not the process of a command
-- depends: 0020_driver_aliases
-- squawk-ignore-file ban-drop-column

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE lapstream.backfills
    -- From when on a fetcher is to work at it; null where none is, or where one has done what could be done.
    ADD COLUMN wanted_at timestamptz,
    -- Why a fetcher could not go on, or found nothing.
    ADD COLUMN error text,
    -- When somebody ended it before its days had come in.
    ADD COLUMN cancelled_at timestamptz;

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE lapstream.backfills DROP COLUMN cancelled_at, DROP COLUMN error, DROP COLUMN wanted_at;
