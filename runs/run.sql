-- name: read_run
-- A run.
SELECT {run} FROM ingest_runs WHERE id = $1;

-- name: newest_run
-- The run of a day that was asked for last.
SELECT {run} FROM ingest_runs WHERE event_id = $1 ORDER BY requested_at DESC, id DESC LIMIT 1;

-- name: runs_between
-- The ids of runs from one id to another; two are enough to know that there are several.
SELECT id FROM ingest_runs WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT 2;

-- name: lock_run
-- A run, held until the transaction ends.
SELECT {run} FROM ingest_runs WHERE id = $1 FOR NO KEY UPDATE;

-- name: find_runs
-- Runs, the newest first, from a place in that order on, whether or not the run there was pruned.
SELECT {run} FROM ingest_runs
WHERE ($1::text IS NULL OR track_slug = $1)
    AND ($2::text IS NULL OR state = $2)
    AND ($3::timestamptz IS NULL OR (requested_at, id) < ($3, $4::uuid))
ORDER BY requested_at DESC, id DESC
LIMIT $5;

-- name: drop_unlisted
-- Sessions of an earlier plan that the list has no more, and nothing came of yet.
DELETE FROM ingest_run_sessions
WHERE run_id = $1 AND state IN ('wanted', 'unchanged') AND session_id <> ALL ($2::text[]);

-- name: plan_run
-- The sessions of a run's list: those that are wanted, and those that are left as they are stored.
INSERT INTO ingest_run_sessions AS t (
    run_id, session_id, state, start_time, list_row_digest, requested_at, request_id
)
SELECT $1, s.session_id, s.state, s.start_time, s.list_row_digest, s.requested_at, s.request_id
FROM unnest(
    $2::text[], $3::text[], $4::timestamp[], $5::text[], $6::timestamptz[], $7::text[]
) AS s (session_id, state, start_time, list_row_digest, requested_at, request_id)
ON CONFLICT (run_id, session_id) DO UPDATE
SET state = excluded.state, start_time = excluded.start_time, list_row_digest = excluded.list_row_digest,
    requested_at = excluded.requested_at, request_id = excluded.request_id, moved_at = now()
WHERE t.state IN ('wanted', 'unchanged');

-- name: run_planned
-- All of a run's sessions are in the work queue.
UPDATE ingest_runs SET planned_at = coalesce(planned_at, now()), moved_at = now() WHERE id = $1;

-- name: sessions_in_state
-- What a request for each session of a run that is in this state is made from.
SELECT session_id, start_time, list_row_digest, requested_at
FROM ingest_run_sessions WHERE run_id = $1 AND state = $2 ORDER BY session_id;

-- name: session_asked
-- Whether a session is still to be fetched: not so where its run has it, or is over, unless it failed because this
-- request was parked; and its newest page so far, on connections that see another schema.
SELECT
    coalesce((
        SELECT (r.state = 'running' AND s.state = 'wanted')
            OR (r.state <> 'cancelled' AND s.request_id = ANY ($4::text[]) AND s.code LIKE 'parked\_%')
        FROM ingest_run_sessions AS s JOIN ingest_runs AS r ON r.id = s.run_id
        WHERE s.run_id = $1 AND s.session_id = $2
    ), true) AS wanted,
    {page}
FROM (SELECT) AS one LEFT JOIN LATERAL (
    SELECT {page} FROM page_index.pages AS p
    WHERE p.url = $3 ORDER BY p.observed_at DESC, p.sha256 DESC LIMIT 1
) AS p ON true;

-- name: stored_details
-- The sessions of a day whose detail is stored, and whose page did not fail since, with the digest of the list
-- row that it was fetched for.
SELECT o.facts ->> 'session_id' AS session_id, o.list_row_digest
FROM observations AS o
WHERE o.event_id = $1 AND o.kind = 'detail'
    AND NOT EXISTS (
        SELECT FROM ingest_run_sessions AS s JOIN ingest_runs AS r ON r.id = s.run_id
        WHERE r.event_id = $1 AND s.session_id = o.facts ->> 'session_id' AND s.state = 'failed'
            AND s.requested_at > o.observed_at
    );

-- name: failed_details
-- The sessions of a day whose page failed to be fetched, with the digest of the list row that it was asked for.
SELECT DISTINCT ON (s.session_id) s.session_id, s.list_row_digest
FROM ingest_run_sessions AS s JOIN ingest_runs AS r ON r.id = s.run_id
WHERE r.event_id = $1 AND s.state = 'failed'
ORDER BY s.session_id, s.requested_at DESC;

-- name: list_is_stored
-- Whether what is stored of a day ($1) is a list of this digest, complete or not, with these sessions; a complete one
-- says that there are no others. A day of which nothing is stored has none.
SELECT cardinality($4::text[]) = (
        SELECT count(*) FROM observations AS o
        WHERE o.event_id = $1 AND o.kind = 'row' AND o.content_digest = $2
    )
    AND (
        NOT $3::boolean
        OR NOT EXISTS (SELECT FROM events AS e WHERE e.id = $1)
        OR (
            EXISTS (
                SELECT FROM observations AS o
                WHERE o.event_id = $1 AND o.kind = 'list' AND o.content_digest = $2
            )
            AND NOT EXISTS (
                SELECT FROM races AS r WHERE r.event_id = $1 AND r.source_race_id <> ALL ($4::text[])
            )
        )
    );

-- name: count_run
-- What a run has come to, by what its sessions left in the tables.
SELECT count(race.id) AS sessions_ingested,
    count(*) FILTER (WHERE race.id IS NULL) AS sessions_failed,
    count(*) FILTER (WHERE s.state = 'failed') AS sessions_detail_failed,
    count(*) FILTER (WHERE l.laps > 0) AS sessions_with_laps,
    coalesce(sum(l.laps) FILTER (WHERE s.state = 'done'), 0)::bigint AS laps_ingested,
    count(DISTINCT d.driver_id) AS drivers_created_or_matched
FROM ingest_run_sessions AS s
JOIN ingest_runs AS r ON r.id = s.run_id
LEFT JOIN races AS race ON race.event_id = r.event_id AND race.source_race_id = s.session_id
LEFT JOIN race_results AS x ON x.race_id = race.id
LEFT JOIN race_drivers AS d ON d.id = x.race_driver_id
LEFT JOIN LATERAL (SELECT count(*) AS laps FROM laps WHERE race_result_id = x.id) AS l ON true
WHERE s.run_id = $1;

-- name: run_progress
-- How far a run is, by its sessions.
SELECT count(*) AS sessions,
    count(*) FILTER (WHERE state = 'unchanged') AS unchanged,
    count(*) FILTER (WHERE state = 'done') AS done,
    count(*) FILTER (WHERE state = 'failed') AS failed,
    count(*) FILTER (WHERE state = 'wanted') AS waiting,
    coalesce(sum(laps) FILTER (WHERE state = 'done'), 0)::bigint AS laps
FROM ingest_run_sessions WHERE run_id = $1;

-- name: run_failures
-- The sessions of a run that failed, and why.
SELECT session_id, code, message, url FROM ingest_run_sessions
WHERE run_id = $1 AND state = 'failed' ORDER BY session_id;

-- name: stalled_runs
-- Runs without a sign of life: neither they nor any other moved for so long, or they alone for ten times as long.
SELECT r.id FROM ingest_runs AS r
WHERE r.state = 'running' AND r.moved_at < now() - make_interval(secs => $1)
    AND (
        r.moved_at < now() - make_interval(secs => 10 * $1)
        OR NOT EXISTS (SELECT FROM ingest_runs AS o WHERE o.moved_at >= now() - make_interval(secs => $1))
    )
    AND NOT EXISTS (SELECT FROM sites AS s WHERE s.paused OR s.rest_until > now())
ORDER BY r.moved_at
LIMIT 100;
