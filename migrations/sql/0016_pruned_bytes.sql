-- Settled parked records whose bytes were pruned
-- depends: 0015_fleet_looks
-- squawk-ignore-file ban-drop-column

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

-- SHA-256 of key and of value, in hex with a slash between them, where the bytes themselves were pruned.
ALTER TABLE lapstream.parked_records ADD COLUMN record_sha256 text;

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE lapstream.parked_records DROP COLUMN record_sha256;
