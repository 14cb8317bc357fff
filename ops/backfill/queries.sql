-- columns: head
b.id AS backfill_id, b.source, b.track_slug, b.from_month AS first, b.to_month AS last,
    to_char(b.from_month, 'YYYY-MM') AS from_month, to_char(b.to_month, 'YYYY-MM') AS to_month, b.refresh,
    CASE WHEN b.cancelled_at IS NOT NULL THEN 'cancelled' WHEN b.finished_at IS NOT NULL THEN 'completed'
        WHEN b.wanted_at IS NOT NULL THEN 'running' ELSE 'stopped' END AS status,
    b.wanted_at > now() AS put_off, b.created_at, b.finished_at, b.error,
    d.days, d.days_waiting, d.days_failed, d.sessions, d.laps_ingested
FROM backfills AS b
CROSS JOIN LATERAL (
    SELECT count(*) AS days, count(*) FILTER (WHERE state IN ('waiting', 'running')) AS days_waiting,
        count(*) FILTER (WHERE state IN ('partial', 'failed')) AS days_failed,
        coalesce(sum(sessions), 0) AS sessions, coalesce(sum(laps_ingested), 0)::bigint AS laps_ingested
    FROM backfill_days WHERE backfill_id = b.id
) AS d

-- name: read_backfill
-- A backfill, and how far it is.
SELECT {head}
WHERE b.id = $1;

-- name: find_backfills
-- Backfills of a track ($1) or all, the newest first, from before a moment and an id ($2, $3).
SELECT {head}
WHERE ($1::text IS NULL OR b.track_slug = $1)
    AND ($2::timestamptz IS NULL OR (b.created_at, b.id) < ($2, $3::uuid))
ORDER BY b.created_at DESC, b.id DESC
LIMIT $4;

-- name: backfill_months
-- The months of a backfill.
SELECT to_char(month, 'YYYY-MM') AS month, discovered_at, error FROM backfill_months WHERE backfill_id = $1 ORDER BY month;

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

-- name: want_backfill
-- Let the fleet work at a backfill, now; no row where it ended.
UPDATE backfills SET wanted_at = now(), error = NULL WHERE id = $1 AND finished_at IS NULL RETURNING true;

-- name: wanted_backfills
-- The backfills that the fleet is to work at, in the order in which they were asked for.
SELECT id, source, track_slug, from_month, to_month, refresh, wanted_at FROM backfills
WHERE wanted_at <= now() AND finished_at IS NULL
ORDER BY created_at, id LIMIT 100;

-- name: backfill_wanted_at
-- From when on the fleet is to work at a backfill; null where it is not to.
SELECT wanted_at FROM backfills WHERE id = $1 AND finished_at IS NULL;

-- name: backfill_worked_at
-- What could be done is done, unless it was asked for again meanwhile (since $2); why not more was done ($3).
UPDATE backfills SET wanted_at = NULL, error = $3 WHERE id = $1 AND wanted_at IS NOT DISTINCT FROM $2::timestamptz;

-- name: put_backfill_off
-- A fetcher could not go on with a backfill: one is to try again after so many seconds.
UPDATE backfills SET wanted_at = now() + make_interval(secs => $3), error = $4
WHERE id = $1 AND wanted_at = $2 AND finished_at IS NULL;

-- name: cancel_backfill
-- End a backfill of which something is left.
UPDATE backfills SET finished_at = now(), cancelled_at = now(), wanted_at = NULL
WHERE id = $1 AND finished_at IS NULL;

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
FROM backfill_days AS d
JOIN backfills AS b ON b.id = d.backfill_id AND b.cancelled_at IS NULL
LEFT JOIN ingest_runs AS r ON r.id = d.run_id
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
WHERE b.id = $1 AND b.finished_at IS NULL
    AND NOT EXISTS (
        SELECT FROM backfill_months AS m
        WHERE m.backfill_id = b.id AND (m.discovered_at IS NULL OR m.error IS NOT NULL)
    )
    AND NOT EXISTS (
        SELECT FROM backfill_days AS d WHERE d.backfill_id = b.id AND d.state NOT IN ('completed', 'skipped')
    );

-- name: is_backfill_finished
-- Whether nothing of a backfill is left.
SELECT finished_at IS NOT NULL AND cancelled_at IS NULL FROM backfills WHERE id = $1;

-- name: is_backfill_cancelled
-- Whether a backfill was cancelled before its days had come in.
SELECT cancelled_at IS NOT NULL FROM backfills WHERE id = $1;
