-- name: open_run
-- A run of a day; no row where it is there already, or the day is being imported.
INSERT INTO ingest_runs (id, source, track_slug, event_date, event_id, refresh, requested_at, traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING
RETURNING {run};

-- name: running_run
-- The run that imports a day at present.
SELECT {run} FROM ingest_runs WHERE event_id = $1 AND state = 'running';

-- name: lock_stalled_run
-- A run that still shows no sign of life for so many seconds, held until the transaction ends.
SELECT {run} FROM ingest_runs
WHERE id = $1 AND state = 'running' AND moved_at < now() - make_interval(secs => $2)
FOR NO KEY UPDATE;

-- name: lock_runs
-- Runs, held until the transaction ends; ordered, so that two with the same runs can't wait for each other.
SELECT {run} FROM ingest_runs WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: runs_listed
-- The projection wrote the lists of runs.
UPDATE ingest_runs AS r
SET listed_at = coalesce(r.listed_at, now()), findings = s.findings::jsonb
FROM unnest($1::uuid[], $2::text[]) AS s (run_id, findings)
WHERE r.id = s.run_id AND r.state = 'running';

-- name: sessions_done
-- Details came in and are written; returns the runs for which that is news.
UPDATE ingest_run_sessions AS t
SET state = 'done', laps = s.laps, code = NULL, message = NULL, url = NULL, moved_at = now()
FROM unnest($1::uuid[], $2::text[], $3::integer[]) AS s (run_id, session_id, laps)
WHERE t.run_id = s.run_id AND t.session_id = s.session_id AND t.state <> 'done'
RETURNING t.run_id;

-- name: sessions_failed
-- Details that failed to be fetched; each counts only as the answer to the newest request for its session. What a parked
-- request comes to when it is redriven counts more than that it was parked.
UPDATE ingest_run_sessions AS t
SET state = 'failed', code = s.code, message = s.message, url = s.url, moved_at = now()
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS s (run_id, request_id, code, message, url)
WHERE t.run_id = s.run_id AND t.request_id = s.request_id
    AND (t.state = 'wanted' OR (t.code LIKE 'parked\_%' AND s.code NOT LIKE 'parked\_%'))
RETURNING t.run_id;

-- name: runs_moved
-- Runs showed a sign of life: who waits for them is told.
WITH moved AS (
    UPDATE ingest_runs SET moved_at = now(), resumes = 0 WHERE id = ANY ($1::uuid[]) AND state = 'running'
)
SELECT pg_notify('lapstream_runs', id::text) FROM unnest($1::uuid[]) AS r (id);

-- name: end_run
-- A run ended; one that ended before ends anew.
UPDATE ingest_runs
SET state = $2, counts = $3::jsonb, error = $4::jsonb, finished_at = now(), moved_at = now(), resumes = 0
WHERE id = $1
RETURNING {run};

-- name: reopen_run
-- A run begins its next attempt.
UPDATE ingest_runs
SET state = 'running', attempt = attempt + 1, resumes = 0, counts = NULL, error = NULL, finished_at = NULL,
    moved_at = now()
WHERE id = $1
RETURNING {run};

-- name: has_parked
-- Whether a run failed, or a session of it, for a record that was parked.
SELECT r.state <> 'cancelled' AND (
    coalesce(r.error ->> 'code' LIKE 'parked\_%', false)
    OR EXISTS (SELECT FROM ingest_run_sessions AS s WHERE s.run_id = r.id AND s.code LIKE 'parked\_%')
)
FROM ingest_runs AS r WHERE r.id = $1;

-- name: want_parked_again
-- Sessions that failed for a record that was parked are wanted again, by the request that they were asked for with.
UPDATE ingest_run_sessions SET state = 'wanted', code = NULL, message = NULL, url = NULL, moved_at = now()
WHERE run_id = $1 AND code LIKE 'parked\_%';

-- name: want_again
-- Sessions are asked for anew, each by a new request.
UPDATE ingest_run_sessions AS t
SET state = 'wanted', requested_at = $2, request_id = s.request_id, code = NULL, message = NULL, url = NULL,
    moved_at = now()
FROM unnest($3::text[], $4::text[]) AS s (session_id, request_id)
WHERE t.run_id = $1 AND t.session_id = s.session_id;

-- name: resume_run
-- A run's work is asked for anew.
UPDATE ingest_runs SET resumes = resumes + 1, moved_at = now() WHERE id = $1;

-- name: give_up_pending
-- The sessions of a run that nothing will come of.
UPDATE ingest_run_sessions SET state = 'failed', code = $2, message = $3, moved_at = now()
WHERE run_id = $1 AND state = 'wanted';
