-- Which copy of the record was brought into which cluster, and the places in this database carried over to it
-- depends: 0010_rebuilds
-- squawk-ignore-file ban-drop-table

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

CREATE TABLE lapstream.log_carry_overs (
    -- The newest one says which log the places in this database speak of.
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The copy's own id, from its manifest.
    export_id uuid NOT NULL,
    -- The cluster that it was brought into.
    cluster_id text NOT NULL,
    carried_at timestamptz NOT NULL DEFAULT now()
);

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

DROP TABLE lapstream.log_carry_overs;
