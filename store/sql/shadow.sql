-- {live} and {other} are names of schemas, put in by `store.shadow`.

-- name: schema_exists
-- Whether there is a schema of this name.
SELECT to_regnamespace($1) IS NOT NULL;

-- name: schema_tables
-- The tables of a schema.
SELECT relname::text AS name FROM pg_class
WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' ORDER BY relname;

-- name: schema_keys
-- The columns of each table's primary key, in their order.
SELECT c.relname::text AS table, array_agg(a.attname::text ORDER BY k.place) AS columns
FROM pg_constraint AS p
JOIN pg_class AS c ON c.oid = p.conrelid
CROSS JOIN LATERAL unnest(p.conkey) WITH ORDINALITY AS k (number, place)
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number
WHERE p.connamespace = to_regnamespace($1) AND p.contype = 'p'
GROUP BY c.relname ORDER BY c.relname;

-- name: schema_indexes
-- The indexes of a schema that belong to no constraint.
SELECT i.indexrelid::regclass::text AS qualified, c.relname::text AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE c.relnamespace = to_regnamespace($1)
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x'))
ORDER BY c.relname;

-- name: schema_constraints
-- The constraints of a schema's tables; the primary keys first, those to other tables last.
SELECT c.relname::text AS table, p.conname::text AS name, p.contype::text AS kind, pg_get_constraintdef(p.oid) AS definition
FROM pg_constraint AS p JOIN pg_class AS c ON c.oid = p.conrelid
WHERE p.connamespace = to_regnamespace($1) AND p.contype IN ('p', 'u', 'c', 'f', 'x')
ORDER BY array_position(ARRAY['p', 'u', 'x', 'c', 'f'], p.contype::text), c.relname, p.conname;

-- name: schema_columns
-- The columns of a schema's tables.
SELECT c.relname::text AS table, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
    a.attnotnull AS needed, coalesce(l.collname, '')::text AS collation,
    coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS usual
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'
ORDER BY c.relname, a.attname;

-- name: schema_unsupported
-- What hangs on a schema's tables, or lies beside them, and could not be carried over to tables that replace them.
WITH live AS (
    SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r'
)
SELECT 'the foreign key ' || conname || ' of ' || conrelid::regclass AS what
FROM pg_constraint
WHERE contype = 'f' AND confrelid IN (SELECT oid FROM live) AND conrelid NOT IN (SELECT oid FROM live)
UNION ALL
SELECT 'the trigger ' || tgname || ' of ' || tgrelid::regclass
FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM live)
UNION ALL
SELECT 'the policy ' || polname || ' of ' || polrelid::regclass
FROM pg_policy WHERE polrelid IN (SELECT oid FROM live)
UNION ALL
SELECT 'the function ' || oid::regprocedure FROM pg_proc WHERE pronamespace = to_regnamespace($1)
UNION ALL
SELECT 'the relation ' || oid::regclass FROM pg_class
WHERE relnamespace = to_regnamespace($1) AND relkind IN ('S', 'm', 'f', 'p')
UNION ALL
SELECT DISTINCT 'the relation ' || v.oid::regclass
FROM pg_depend AS d
JOIN pg_rewrite AS r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
JOIN pg_class AS v ON v.oid = r.ev_class
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM live) AND v.relkind <> 'v'
    AND v.relnamespace <> to_regnamespace($1);

-- name: schema_views
-- The views of a schema's tables, with what they are: a definition that names every schema, and options.
SELECT DISTINCT v.oid::regclass::text AS name, pg_get_viewdef(v.oid) AS definition,
    coalesce(array_to_string(v.reloptions, ', '), '') AS options,
    v.relnamespace = to_regnamespace($1) AS inside
FROM pg_depend AS d
JOIN pg_rewrite AS r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
JOIN pg_class AS v ON v.oid = r.ev_class AND v.relkind = 'v'
JOIN pg_class AS t ON t.oid = d.refobjid AND t.relkind = 'r' AND t.relnamespace = to_regnamespace($1)
WHERE d.refclassid = 'pg_class'::regclass
ORDER BY 1;

-- name: other_views
-- The views that lie in a schema and are of other tables than its own, or of none.
SELECT v.oid::regclass::text AS name FROM pg_class AS v
WHERE v.relnamespace = to_regnamespace($1) AND v.relkind = 'v' ORDER BY 1;

-- name: rights_to_take
-- Statements that take every right of others on schema $1 and its tables.
SELECT DISTINCT format('REVOKE ALL ON SCHEMA %I FROM %s', n.nspname, {grantee}) AS sql
FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
WHERE n.nspname = $1 AND a.grantee <> n.nspowner
UNION
SELECT DISTINCT format('REVOKE ALL ON TABLE %I.%I FROM %s', $1::text, c.relname, {grantee})
FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r' AND a.grantee <> c.relowner;

-- name: rights_to_give
-- Statements that give schema $2 and its tables the owners and the rights that schema $1 and its tables have.
SELECT format('ALTER SCHEMA %I OWNER TO %I', $2::text, pg_get_userbyid(n.nspowner)) AS sql, 1 AS place
FROM pg_namespace AS n WHERE n.nspname = $1
UNION ALL
SELECT format('ALTER TABLE %I.%I OWNER TO %I', $2::text, c.relname, pg_get_userbyid(c.relowner)), 1
FROM pg_class AS c WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'
UNION ALL
SELECT format('GRANT %s ON SCHEMA %I TO %s%s', a.privilege_type, $2::text, {grantee}, {option}), 2
FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
WHERE n.nspname = $1 AND a.grantee <> n.nspowner
UNION ALL
SELECT format('GRANT %s ON TABLE %I.%I TO %s%s', a.privilege_type, $2::text, c.relname, {grantee}, {option}), 2
FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r' AND a.grantee <> c.relowner
UNION ALL
SELECT format(
    'GRANT %s (%I) ON TABLE %I.%I TO %s%s', a.privilege_type, t.attname, $2::text, c.relname, {grantee}, {option}
), 2
FROM pg_class AS c
JOIN pg_attribute AS t ON t.attrelid = c.oid AND t.attnum > 0
CROSS JOIN LATERAL aclexplode(t.attacl) AS a
WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r' AND a.grantee <> c.relowner
ORDER BY place;

-- name: hold_from_now
-- Up to where the group of the tables that go announced; never back.
INSERT INTO lapstream.announced AS t (group_name, topic, partition, next_offset)
SELECT group_name, topic, partition, next_offset FROM {live}.positions WHERE group_name = $1
ON CONFLICT (group_name, topic, partition) DO UPDATE
SET next_offset = greatest(t.next_offset, excluded.next_offset);

-- name: raise_epochs
-- Whoever holds a partition under an epoch of the tables that go holds nothing in those that come.
INSERT INTO {other}.positions AS t (group_name, topic, partition, next_offset, epoch)
SELECT group_name, topic, partition, 0, epoch + 1 FROM {live}.positions WHERE group_name = $1
ON CONFLICT (group_name, topic, partition) DO UPDATE SET epoch = greatest(t.epoch + 1, excluded.epoch);

-- name: differences
-- The rows of a table that are in one schema only, or differ; as JSON, for a person to read.
SELECT to_json(l)::text AS old, to_json(o)::text AS new
FROM {live}.{table} AS l FULL JOIN {other}.{table} AS o USING ({key})
WHERE l::text IS DISTINCT FROM o::text;

-- name: name_tracks
-- Tracks by name, with the list that named each.
SELECT t.id, t.source || '/' || t.source_track_slug AS key, NULL::uuid AS day, o.source_event_id AS observation
FROM {schema}.tracks AS t LEFT JOIN {schema}.track_observations AS o ON o.track_id = t.id
WHERE t.id = ANY ($1::uuid[]);

-- name: name_events
-- Days, with the newest list of each.
SELECT e.id, e.source || '/' || e.source_event_id AS key, e.id AS day, o.source_event_id AS observation
FROM {schema}.events AS e
LEFT JOIN {schema}.observations AS o ON o.kind = 'list' AND o.subject_id = e.id
WHERE e.id = ANY ($1::uuid[]);

-- name: name_drivers
-- Drivers, with the observation that named each.
SELECT d.id, d.source || '/' || d.source_driver_id AS key, NULL::uuid AS day, o.source_event_id AS observation
FROM {schema}.drivers AS d LEFT JOIN {schema}.driver_observations AS o ON o.driver_id = d.id
WHERE d.id = ANY ($1::uuid[]);

-- name: name_races
-- Sessions, with the newest observation of each.
SELECT r.id, e.source || '/' || e.source_event_id || '/' || r.source_race_id AS key, e.id AS day,
    o.source_event_id AS observation
FROM {schema}.races AS r JOIN {schema}.events AS e ON e.id = r.event_id
LEFT JOIN LATERAL (
    SELECT source_event_id FROM {schema}.observations
    WHERE kind IN ('row', 'detail') AND subject_id = r.id ORDER BY kind LIMIT 1
) AS o ON true
WHERE r.id = ANY ($1::uuid[]);

-- name: name_race_drivers
-- Who drove a session, with that session's newest observation.
SELECT d.id, e.source || '/' || e.source_event_id || '/' || r.source_race_id || '/' || d.source_driver_id AS key,
    e.id AS day, o.source_event_id AS observation
FROM {schema}.race_drivers AS d JOIN {schema}.races AS r ON r.id = d.race_id
JOIN {schema}.events AS e ON e.id = r.event_id
LEFT JOIN LATERAL (
    SELECT source_event_id FROM {schema}.observations
    WHERE kind IN ('row', 'detail') AND subject_id = r.id ORDER BY kind LIMIT 1
) AS o ON true
WHERE d.id = ANY ($1::uuid[]);

-- name: name_race_results
-- Results, and laps by their result, with their session's newest observation.
SELECT t.id, e.source || '/' || e.source_event_id || '/' || r.source_race_id || '/' || d.source_driver_id AS key,
    e.id AS day, o.source_event_id AS observation
FROM {schema}.race_results AS t JOIN {schema}.races AS r ON r.id = t.race_id
JOIN {schema}.race_drivers AS d ON d.id = t.race_driver_id
JOIN {schema}.events AS e ON e.id = r.event_id
LEFT JOIN LATERAL (
    SELECT source_event_id FROM {schema}.observations
    WHERE kind IN ('row', 'detail') AND subject_id = r.id ORDER BY kind LIMIT 1
) AS o ON true
WHERE t.id = ANY ($1::uuid[]);

-- name: name_observations
-- Observations, each of itself.
SELECT o.subject_id AS id,
    e.source || '/' || e.source_event_id || coalesce('/' || (o.facts ->> 'session_id'), '') AS key, e.id AS day,
    o.source_event_id AS observation
FROM {schema}.observations AS o JOIN {schema}.events AS e ON e.id = o.event_id
WHERE o.subject_id = ANY ($1::uuid[]);

-- name: name_track_observations
-- Lists that name tracks.
SELECT t.id, t.source || '/' || t.source_track_slug AS key, NULL::uuid AS day, o.source_event_id AS observation
FROM {schema}.track_observations AS o JOIN {schema}.tracks AS t ON t.id = o.track_id
WHERE t.id = ANY ($1::uuid[]);

-- name: name_driver_observations
-- Observations that name drivers.
SELECT d.id, d.source || '/' || d.source_driver_id AS key, NULL::uuid AS day, o.source_event_id AS observation
FROM {schema}.driver_observations AS o JOIN {schema}.drivers AS d ON d.id = o.driver_id
WHERE d.id = ANY ($1::uuid[]);

-- name: name_fastest_laps
-- Fastest laps, with their session's newest observation.
SELECT f.id, e.source || '/' || e.source_event_id || '/' || f.session_id AS key, e.id AS day,
    o.source_event_id AS observation
FROM {schema}.fastest_laps AS f JOIN {schema}.events AS e ON e.id = f.event_id
LEFT JOIN LATERAL (
    SELECT source_event_id FROM {schema}.observations
    WHERE kind IN ('row', 'detail') AND subject_id = f.id ORDER BY kind LIMIT 1
) AS o ON true
WHERE f.id = ANY ($1::uuid[]);

-- name: lists_of_days
-- The newest list of each of these days.
SELECT event_id AS day, source_event_id AS observation
FROM {schema}.observations WHERE kind = 'list' AND event_id = ANY ($1::uuid[]);

-- name: checksum_table
-- The number of rows of a table, and the sum of two hashes of each: a quicker one than that of digest_table, of
-- rows as they are written, for tables of the same shape in one database.
SELECT count(*) AS rows,
    coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)
    + coalesce(sum(hashtextextended(t::text, 1)::numeric), 0) * 18446744073709551616 AS total
FROM {schema}.{table} AS t;

-- name: readers_since_before
-- Who reads a schema's tables with a snapshot from before a time: the rows of newer tables are not in it.
SELECT DISTINCT 'pid ' || a.pid || ' (' || coalesce(a.usename, '?') || ', ' || coalesce(a.application_name, '') || ')' AS who
FROM pg_stat_activity AS a
JOIN pg_locks AS l ON l.pid = a.pid AND l.locktype = 'relation' AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
JOIN pg_class AS c ON c.oid = l.relation AND c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'
WHERE a.backend_xmin IS NOT NULL AND a.xact_start < $2 AND a.pid <> pg_backend_pid()
ORDER BY 1;
