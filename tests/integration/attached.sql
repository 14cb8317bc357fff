-- One thing of each kind that may hang on the tables of a projection; :name is a role's, a tablespace's, and begins
-- the names of publications.
CREATE ROLE :name;
CREATE SCHEMA reports;

-- Settings of tables, columns and indexes
ALTER TABLE practice_days.laps SET (
    fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_enabled = off
);
ALTER TABLE practice_days.laps SET TABLESPACE :name;
ALTER INDEX practice_days.laps_pkey SET (fillfactor = 70);
ALTER INDEX practice_days.laps_pkey SET TABLESPACE :name;
ALTER TABLE practice_days.laps ALTER COLUMN lap_time_raw SET STATISTICS 400;
ALTER TABLE practice_days.laps ALTER COLUMN lap_time_raw SET (n_distinct = -0.5);
ALTER TABLE practice_days.laps ALTER COLUMN segments_json SET STORAGE EXTERNAL;
ALTER TABLE practice_days.laps ALTER COLUMN pace_string SET COMPRESSION pglz;
ALTER TABLE practice_days.races ALTER COLUMN race_label SET DEFAULT 'unnamed';
ALTER TABLE practice_days.races CLUSTER ON races_pkey;
CREATE INDEX own_partial ON practice_days.laps (lower(lap_time_raw)) WITH (fillfactor = 60) WHERE is_valid;
ALTER TABLE practice_days.laps ADD CONSTRAINT own_check CHECK (lap_number < 100000) NOT VALID;
CREATE UNIQUE INDEX own_identity ON practice_days.tracks (source, source_track_slug);
ALTER TABLE practice_days.tracks REPLICA IDENTITY USING INDEX own_identity;
ALTER TABLE practice_days.observations REPLICA IDENTITY FULL;

-- Statistics
CREATE STATISTICS practice_days.own_statistics (dependencies) ON class_name, race_label FROM practice_days.races;
ALTER STATISTICS practice_days.own_statistics SET STATISTICS 50;
CREATE STATISTICS reports.other_statistics (mcv) ON lap_number, is_valid FROM practice_days.laps;

-- What happens on a change
CREATE FUNCTION practice_days.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER own_trigger AFTER UPDATE OF name ON practice_days.tracks
    FOR EACH ROW WHEN (old.name IS DISTINCT FROM new.name) EXECUTE FUNCTION practice_days.note();
CREATE TRIGGER off_trigger AFTER INSERT ON practice_days.laps
    REFERENCING NEW TABLE AS news FOR EACH STATEMENT EXECUTE FUNCTION practice_days.note();
ALTER TABLE practice_days.laps DISABLE TRIGGER off_trigger;
CREATE CONSTRAINT TRIGGER late_trigger AFTER INSERT ON practice_days.drivers
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION practice_days.note();
ALTER TABLE practice_days.drivers ENABLE ALWAYS TRIGGER late_trigger;
CREATE RULE own_rule AS ON DELETE TO practice_days.tracks WHERE old.source = 'kept' DO INSTEAD NOTHING;
ALTER TABLE practice_days.tracks DISABLE RULE own_rule;

-- Who may see and do what
ALTER TABLE practice_days.races ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_policy ON practice_days.races FOR SELECT TO :name USING (class_name IS NOT NULL);
CREATE POLICY strict_policy ON practice_days.races AS RESTRICTIVE TO PUBLIC
    USING (EXISTS (SELECT FROM practice_days.events AS e WHERE e.id = event_id)) WITH CHECK (true);
ALTER TABLE practice_days.track_observations ENABLE ROW LEVEL SECURITY;
ALTER TABLE practice_days.track_observations FORCE ROW LEVEL SECURITY;
GRANT USAGE ON SCHEMA practice_days TO :name;
GRANT SELECT, UPDATE ON practice_days.laps TO :name WITH GRANT OPTION;
GRANT SELECT (id, source) ON practice_days.tracks TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA practice_days GRANT SELECT ON TABLES TO :name;
ALTER DEFAULT PRIVILEGES IN SCHEMA practice_days GRANT EXECUTE ON FUNCTIONS TO :name WITH GRANT OPTION;

-- Who is sent what
CREATE PUBLICATION :name_rows FOR TABLE
    practice_days.tracks (id, source, source_track_slug) WHERE (source <> 'x'), practice_days.laps;
CREATE PUBLICATION :name_schema FOR TABLES IN SCHEMA practice_days WITH (publish = 'insert');
CREATE PUBLICATION :name_all FOR ALL TABLES WITH (publish = 'truncate');

-- What is defined by the tables
CREATE VIEW reports.counts WITH (security_barrier = true) AS
SELECT r.id, r.class_name, count(*) AS laps
FROM practice_days.races AS r
JOIN practice_days.race_results AS t ON t.race_id = r.id
JOIN practice_days.laps AS l ON l.race_result_id = t.id
GROUP BY r.id;
CREATE VIEW reports.over_it AS SELECT sum(laps) AS laps FROM reports.counts;
CREATE VIEW practice_days.inside WITH (security_invoker = true) AS
SELECT id, race_label FROM practice_days.races;
CREATE MATERIALIZED VIEW reports.frozen AS SELECT * FROM reports.over_it;
CREATE FUNCTION reports.count_laps() RETURNS bigint LANGUAGE sql STABLE
BEGIN ATOMIC SELECT count(*) FROM practice_days.laps; END;
CREATE FUNCTION practice_days.count_races() RETURNS bigint LANGUAGE sql
BEGIN ATOMIC SELECT count(*) FROM practice_days.races; END;
CREATE FUNCTION reports.named() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM practice_days.drivers';
CREATE RULE through AS ON INSERT TO reports.over_it
DO INSTEAD UPDATE practice_days.races SET race_label = 'x' WHERE false;

-- What is said about them
COMMENT ON SCHEMA practice_days IS 'all of it';
COMMENT ON TABLE practice_days.laps IS 'each lap; it''s timed';
COMMENT ON COLUMN practice_days.laps.lap_number IS 'from 1 on';
COMMENT ON CONSTRAINT laps_pkey ON practice_days.laps IS 'by result';
COMMENT ON CONSTRAINT own_check ON practice_days.laps IS 'a day is short';
COMMENT ON INDEX practice_days.own_partial IS 'valid laps';
COMMENT ON TRIGGER own_trigger ON practice_days.tracks IS 'notes';
COMMENT ON RULE own_rule ON practice_days.tracks IS 'keeps';
COMMENT ON POLICY own_policy ON practice_days.races IS 'named classes';
COMMENT ON STATISTICS practice_days.own_statistics IS 'planned by';
COMMENT ON VIEW reports.counts IS 'for people';
COMMENT ON FUNCTION reports.count_laps() IS 'all laps';
