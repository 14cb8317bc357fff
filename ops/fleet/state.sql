-- name: parked_waiting
-- How many records of each group are parked and not settled.
SELECT group_name, count(*) AS waiting FROM parked_records WHERE state = 'parked' GROUP BY group_name ORDER BY group_name;

-- name: open_rebuilds
-- The rebuilds that have not ended: how far each is, and for how many seconds nothing of it has moved.
SELECT projection, CASE WHEN paused THEN 'paused' ELSE state END AS state, records_done, records_total,
    greatest(extract(epoch FROM clock_timestamp() - moved_at), 0)::float8 AS idle_seconds
FROM rebuilds WHERE finished_at IS NULL ORDER BY projection, created_at;

-- name: runs_counted
-- How many runs have not ended; how many that were asked for lately ended as failed in the last hour.
SELECT (SELECT count(*) FROM ingest_runs WHERE state = 'running') AS open,
    (SELECT count(*) FROM ingest_runs WHERE state = 'failed'
        AND finished_at > now() - interval '1 hour' AND requested_at > now() - interval '2 days') AS failed;

-- name: list_of_tracks
-- How many tracks the site lists, how old that list is, and why fetching it last failed, if so.
SELECT (SELECT count(*) FROM catalogue_tracks AS t WHERE t.source = c.source AND t.gone_since IS NULL),
    extract(epoch FROM clock_timestamp() - fetched_at)::float8, error
FROM catalogues AS c ORDER BY source LIMIT 1;

-- name: followed_days_counted
-- How many days are followed now; for how many seconds that one has been due which waits longest to be asked for, those
-- of the night included.
SELECT count(*) FILTER (WHERE live AND ends_at > clock_timestamp()) AS days,
    greatest(extract(epoch FROM clock_timestamp() - min(next_at)), 0)::float8 AS late_seconds
FROM followed_days WHERE closed_at IS NULL;

-- name: sizes
-- What the database takes on its disk, and each table of these schemas with its indexes.
SELECT NULL AS table_name, pg_database_size(current_database()) AS bytes
UNION ALL
SELECT n.nspname || '.' || c.relname, pg_total_relation_size(c.oid)
FROM pg_class AS c INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1::text[]) AND c.relkind = 'r';
