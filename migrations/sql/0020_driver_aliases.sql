-- Which drivers people say to be one person
-- depends: 0019_following
-- squawk-ignore-file ban-drop-table

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

-- By what a driver is called at its source, so that it outlives the tables: they may be rebuilt, or not know it yet.
CREATE TABLE lapstream.driver_aliases (
    source text NOT NULL,
    source_driver_id text NOT NULL,
    driver_name text NOT NULL,
    driver_id uuid NOT NULL,
    person_id uuid NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, source_driver_id, driver_name)
);

CREATE INDEX driver_aliases_by_driver ON lapstream.driver_aliases (driver_id, driver_name);

CREATE INDEX driver_aliases_by_person ON lapstream.driver_aliases (person_id);

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

DROP TABLE lapstream.driver_aliases;
