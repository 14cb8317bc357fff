-- {live} and {other} are names of schemas, put in by `ops.rebuild.shadow`.

-- name: schema_exists
-- Whether there is a schema of this name.
SELECT to_regnamespace($1) IS NOT NULL;

-- name: schema_tables
-- The tables of a schema, and where they lie.
SELECT c.relname::text AS name, coalesce(s.spcname, '')::text AS tablespace
FROM pg_class AS c LEFT JOIN pg_tablespace AS s ON s.oid = c.reltablespace
WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r' ORDER BY c.relname;

-- name: schema_keys
-- What tells the rows of each table apart: the columns of its primary key, or of another unique key in which a null
-- counts as a value, or else all columns; `exact` where no two rows agree in them, and none is null.
WITH uniques AS (
    SELECT i.indrelid, i.indisprimary, i.indexrelid, bool_and(a.attnotnull) AS exact,
        array_agg(a.attname::text ORDER BY k.place) AS columns
    FROM pg_index AS i
    CROSS JOIN LATERAL unnest(i.indkey::integer[]) WITH ORDINALITY AS k (number, place)
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts
    GROUP BY i.indrelid, i.indisprimary, i.indexrelid, i.indnullsnotdistinct
    HAVING bool_and(a.attnotnull) OR i.indnullsnotdistinct
)
SELECT DISTINCT ON (c.relname) c.relname::text AS table, coalesce(u.exact, false) AS exact, coalesce(
    u.columns,
    (
        SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    )
) AS columns
FROM pg_class AS c LEFT JOIN uniques AS u ON u.indrelid = c.oid
WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'
ORDER BY c.relname, u.indisprimary DESC, u.exact DESC, u.indexrelid;

-- name: schema_indexes
-- The indexes of a schema that belong to no constraint.
SELECT c.relname::text AS name, pg_get_indexdef(i.indexrelid) AS definition, coalesce(s.spcname, '')::text AS tablespace
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
LEFT JOIN pg_tablespace AS s ON s.oid = c.reltablespace
WHERE c.relnamespace = to_regnamespace($1)
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x'))
ORDER BY c.relname;

-- name: schema_constraints
-- The constraints of a schema's tables; the primary keys first, those to other tables last.
SELECT c.relname::text AS table, p.conname::text AS name, p.contype::text AS kind, pg_get_constraintdef(p.oid) AS definition,
    coalesce(s.spcname, '')::text AS tablespace
FROM pg_constraint AS p
JOIN pg_class AS c ON c.oid = p.conrelid
LEFT JOIN pg_class AS i ON i.oid = p.conindid AND p.contype <> 'f'
LEFT JOIN pg_tablespace AS s ON s.oid = i.reltablespace
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

-- name: differences_without_key
-- As differences, where rows may agree in the columns that tell them apart, or have none in them.
SELECT to_json(l.found)::text AS old, to_json(o.found)::text AS new
FROM (
    SELECT t AS found, ROW({key})::text AS key, row_number() OVER (PARTITION BY ROW({key})::text ORDER BY t::text) AS place
    FROM {live}.{table} AS t
) AS l
FULL JOIN (
    SELECT t AS found, ROW({key})::text AS key, row_number() OVER (PARTITION BY ROW({key})::text ORDER BY t::text) AS place
    FROM {other}.{table} AS t
) AS o USING (key, place)
WHERE l.found::text IS DISTINCT FROM o.found::text;

-- name: name_tracks
-- Tracks by name, with the list that named each.
SELECT t.id, t.source || '/' || t.source_track_slug AS key, NULL::uuid AS day, ARRAY[o.source_event_id] AS observations
FROM {schema}.tracks AS t LEFT JOIN {schema}.track_observations AS o ON o.track_id = t.id
WHERE t.id = ANY ($1::uuid[]);

-- name: name_events
-- Days, with the newest list of each.
SELECT e.id, e.source || '/' || e.source_event_id AS key, e.id AS day, ARRAY[o.source_event_id] AS observations
FROM {schema}.events AS e
LEFT JOIN {schema}.observations AS o ON o.kind = 'list' AND o.subject_id = e.id
WHERE e.id = ANY ($1::uuid[]);

-- name: name_drivers
-- Drivers, with the observation that named each.
SELECT d.id, d.source || '/' || d.source_driver_id AS key, NULL::uuid AS day, ARRAY[o.source_event_id] AS observations
FROM {schema}.drivers AS d LEFT JOIN {schema}.driver_observations AS o ON o.driver_id = d.id
WHERE d.id = ANY ($1::uuid[]);

-- columns: events_newest_first
array_agg(
    source_event_id ORDER BY observed_at DESC, parser_version DESC, content_digest DESC, source_event_id DESC
) AS ids

-- name: name_races
-- Sessions, with the observations of each, the newest first.
SELECT r.id, e.source || '/' || e.source_event_id || '/' || r.source_race_id AS key, e.id AS day,
    o.ids AS observations
FROM {schema}.races AS r JOIN {schema}.events AS e ON e.id = r.event_id
CROSS JOIN LATERAL (
    SELECT {events_newest_first} FROM {schema}.observations WHERE kind IN ('row', 'detail') AND subject_id = r.id
) AS o
WHERE r.id = ANY ($1::uuid[]);

-- name: name_race_drivers
-- Who drove a session, with that session's observations.
SELECT d.id, e.source || '/' || e.source_event_id || '/' || r.source_race_id || '/' || d.source_driver_id AS key,
    e.id AS day, o.ids AS observations
FROM {schema}.race_drivers AS d JOIN {schema}.races AS r ON r.id = d.race_id
JOIN {schema}.events AS e ON e.id = r.event_id
CROSS JOIN LATERAL (
    SELECT {events_newest_first} FROM {schema}.observations WHERE kind IN ('row', 'detail') AND subject_id = r.id
) AS o
WHERE d.id = ANY ($1::uuid[]);

-- name: name_race_results
-- Results, with their session's observations.
SELECT t.id, e.source || '/' || e.source_event_id || '/' || r.source_race_id || '/' || d.source_driver_id AS key,
    e.id AS day, o.ids AS observations
FROM {schema}.race_results AS t JOIN {schema}.races AS r ON r.id = t.race_id
JOIN {schema}.race_drivers AS d ON d.id = t.race_driver_id
JOIN {schema}.events AS e ON e.id = r.event_id
CROSS JOIN LATERAL (
    SELECT {events_newest_first} FROM {schema}.observations WHERE kind IN ('row', 'detail') AND subject_id = r.id
) AS o
WHERE t.id = ANY ($1::uuid[]);

-- name: name_laps
-- Laps by their result, with the detail that said them.
SELECT t.id, e.source || '/' || e.source_event_id || '/' || r.source_race_id || '/' || d.source_driver_id AS key,
    e.id AS day, o.ids AS observations
FROM {schema}.race_results AS t JOIN {schema}.races AS r ON r.id = t.race_id
JOIN {schema}.race_drivers AS d ON d.id = t.race_driver_id
JOIN {schema}.events AS e ON e.id = r.event_id
CROSS JOIN LATERAL (
    SELECT {events_newest_first} FROM {schema}.observations WHERE kind = 'detail' AND subject_id = r.id
) AS o
WHERE t.id = ANY ($1::uuid[]);

-- name: name_observations
-- Observations, each of itself.
SELECT o.subject_id AS id,
    e.source || '/' || e.source_event_id || coalesce('/' || (o.facts ->> 'session_id'), '') AS key, e.id AS day,
    ARRAY[o.source_event_id] AS observations
FROM {schema}.observations AS o JOIN {schema}.events AS e ON e.id = o.event_id
WHERE o.subject_id = ANY ($1::uuid[]);

-- name: name_track_observations
-- Lists that name tracks.
SELECT t.id, t.source || '/' || t.source_track_slug AS key, NULL::uuid AS day, ARRAY[o.source_event_id] AS observations
FROM {schema}.track_observations AS o JOIN {schema}.tracks AS t ON t.id = o.track_id
WHERE t.id = ANY ($1::uuid[]);

-- name: name_driver_observations
-- Observations that name drivers.
SELECT d.id, d.source || '/' || d.source_driver_id AS key, NULL::uuid AS day, ARRAY[o.source_event_id] AS observations
FROM {schema}.driver_observations AS o JOIN {schema}.drivers AS d ON d.id = o.driver_id
WHERE d.id = ANY ($1::uuid[]);

-- name: name_fastest_laps
-- Fastest laps, with their session's observations.
SELECT f.id, e.source || '/' || e.source_event_id || '/' || f.session_id AS key, e.id AS day,
    o.ids AS observations
FROM {schema}.fastest_laps AS f JOIN {schema}.events AS e ON e.id = f.event_id
CROSS JOIN LATERAL (
    SELECT {events_newest_first} FROM {schema}.observations WHERE kind IN ('row', 'detail') AND subject_id = f.id
) AS o
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
