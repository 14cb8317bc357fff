-- name: open_backfill
-- The backfill of these months that is not finished yet, or a new one.
INSERT INTO backfills AS t (id, source, track_slug, from_month, to_month, refresh)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (source, track_slug, from_month, to_month, refresh) WHERE finished_at IS NULL
DO UPDATE SET refresh = t.refresh
RETURNING id, source, track_slug, from_month, to_month, refresh;

-- name: open_months
-- The months of a backfill.
INSERT INTO backfill_months (backfill_id, month)
SELECT $1, generate_series($2::date, $3::date, interval '1 month')::date
ON CONFLICT DO NOTHING;

-- name: claim_backfill
-- Whether this session feeds the backfill, until it lets go of all its locks; false while another one does.
SELECT pg_try_advisory_lock(hashtextextended('lapstream/backfill/' || $1::uuid, 0));

-- name: months_to_discover
-- The months of a backfill that were not discovered, or not since two days after their end: a clock on the far
-- side of the world, and who uploads late.
SELECT month FROM backfill_months
WHERE backfill_id = $1
    AND (discovered_at IS NULL OR error IS NOT NULL OR discovered_at < month + interval '1 month 2 days')
ORDER BY month;

-- name: month_discovered
-- A month's days are known.
UPDATE backfill_months SET discovered_at = now(), error = NULL WHERE backfill_id = $1 AND month = $2;

-- name: month_failed
-- A month's page failed to be fetched.
UPDATE backfill_months SET error = $3 WHERE backfill_id = $1 AND month = $2;

-- name: save_backfill_days
-- Days that a month's page lists; one that has other sessions than when it was imported waits anew.
INSERT INTO backfill_days AS t (backfill_id, event_date, event_id, sessions)
SELECT $1, s.event_date, s.event_id, s.sessions
FROM unnest($2::date[], $3::uuid[], $4::integer[]) AS s (event_date, event_id, sessions)
ON CONFLICT (backfill_id, event_date) DO UPDATE
SET sessions = excluded.sessions,
    state = CASE WHEN t.state IN ('completed', 'skipped') AND t.sessions <> excluded.sessions
        THEN 'waiting' ELSE t.state END;

-- name: retry_backfill_days
-- Days that failed wait anew, but for those whose run was tried again meanwhile, and completed.
UPDATE backfill_days AS d
SET state = CASE r.state WHEN 'completed' THEN 'completed' ELSE 'waiting' END, error = NULL
FROM ingest_runs AS r
WHERE r.id = d.run_id AND d.backfill_id = $1 AND d.state IN ('partial', 'failed');

-- name: skip_stored_days
-- Days before a date that the tables hold with as many sessions, each with its page, as the month's page said.
UPDATE backfill_days AS d
SET state = 'skipped'
WHERE d.backfill_id = $1 AND d.state = 'waiting' AND d.event_date < $2 AND d.sessions = (
    SELECT count(*) FROM races AS r WHERE r.event_id = d.event_id AND r.race_metadata IS NOT NULL
);

-- name: backfill_days
-- The days of a backfill; `stored` counts the sessions whose page the tables hold.
SELECT d.event_date, d.sessions, d.state, d.run_id, d.laps_ingested, d.error,
    (SELECT count(*) FROM races AS r WHERE r.event_id = d.event_id AND r.race_metadata IS NOT NULL) AS stored
FROM backfill_days AS d WHERE d.backfill_id = $1 ORDER BY d.event_date;

-- name: failed_months
-- The months of a backfill whose page failed to be fetched.
SELECT to_char(month, 'YYYY-MM') AS month, error FROM backfill_months WHERE backfill_id = $1 AND error IS NOT NULL ORDER BY month;

-- name: lock_feeding
-- One day at a time is fed, by whichever backfill; held until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('lapstream/feeding', 0));

-- name: day_in_flight
-- The day of a backfill that is being imported.
SELECT event_date, run_id FROM backfill_days WHERE backfill_id = $1 AND state = 'running'
ORDER BY event_date LIMIT 1;

-- name: next_backfill_day
-- The day that is fed next, held until the transaction ends, and how its last run ended.
SELECT d.event_date, r.state AS last_state
FROM backfill_days AS d LEFT JOIN ingest_runs AS r ON r.id = d.run_id
WHERE d.backfill_id = $1 AND d.state = 'waiting'
ORDER BY d.event_date LIMIT 1
FOR NO KEY UPDATE OF d;

-- name: run_at_work
-- The run that was asked for first, of those at work.
SELECT {run} FROM ingest_runs WHERE state = 'running' ORDER BY requested_at, id LIMIT 1;

-- name: day_fed
-- A day is being imported.
UPDATE backfill_days SET state = 'running', run_id = $3, error = NULL WHERE backfill_id = $1 AND event_date = $2;

-- name: day_settled
-- A day's run ended.
UPDATE backfill_days SET state = $3, error = $4, laps_ingested = laps_ingested + $5
WHERE backfill_id = $1 AND event_date = $2 AND state = 'running';

-- name: idle_seconds
-- How long no run has shown a sign of life.
SELECT extract(epoch FROM now() - max(moved_at))::float8 FROM ingest_runs;

-- name: finish_backfill
-- A backfill of which nothing is left to do is finished; no row where something is.
UPDATE backfills AS b SET finished_at = now()
WHERE b.id = $1
    AND NOT EXISTS (
        SELECT FROM backfill_months AS m
        WHERE m.backfill_id = b.id AND (m.discovered_at IS NULL OR m.error IS NOT NULL)
    )
    AND NOT EXISTS (
        SELECT FROM backfill_days AS d WHERE d.backfill_id = b.id AND d.state NOT IN ('completed', 'skipped')
    )
RETURNING true;
