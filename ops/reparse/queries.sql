-- name: reparse_begin
-- The addresses that were looked at so far, while this connection lasts.
CREATE TEMP TABLE reparse_seen (url text COLLATE "C" PRIMARY KEY);

-- name: reparse_days
-- The next days ($7) of a source ($1) of which anything is stored or was asked for, after one ($5, $6); of one
-- track ($2), and between two dates ($3, $4), where these are given.
SELECT d.event_id, d.track_slug, d.date
FROM (
    SELECT e.id AS event_id, t.source_track_slug COLLATE "C" AS track_slug, e.event_date AS date
    FROM events AS e JOIN tracks AS t ON t.id = e.track_id
    WHERE e.source = $1
    UNION
    SELECT event_id, track_slug COLLATE "C", event_date FROM ingest_runs WHERE source = $1
) AS d
WHERE ($2::text IS NULL OR d.track_slug = $2) AND ($3::date IS NULL OR d.date >= $3)
    AND ($4::date IS NULL OR d.date <= $4) AND (d.track_slug, d.date) > ($5, $6::date)
ORDER BY d.track_slug, d.date LIMIT $7;

-- name: reparse_count_days
-- How many days that are, in all.
SELECT count(*)
FROM (
    SELECT e.id AS event_id, t.source_track_slug AS track_slug, e.event_date AS date
    FROM events AS e JOIN tracks AS t ON t.id = e.track_id
    WHERE e.source = $1
    UNION
    SELECT event_id, track_slug, event_date FROM ingest_runs WHERE source = $1
) AS d
WHERE ($2::text IS NULL OR d.track_slug = $2) AND ($3::date IS NULL OR d.date >= $3)
    AND ($4::date IS NULL OR d.date <= $4);

-- name: reparse_observations
-- What is known of days: of each observation the page that it rests on; a row's facts, a list's zone.
SELECT event_id, kind, observed_at, parser_version, page_sha256, list_row_digest,
    facts ->> 'session_id' AS session_id,
    facts ->> 'time_zone' AS time_zone,
    CASE WHEN kind = 'row' THEN facts END AS row
FROM observations WHERE event_id = ANY ($1::uuid[]);

-- name: reparse_asked
-- The sessions of days that runs asked for, as the newest of them did.
SELECT DISTINCT ON (r.event_id, s.session_id) r.event_id, s.session_id, s.start_time, s.list_row_digest
FROM ingest_runs AS r JOIN ingest_run_sessions AS s ON s.run_id = r.id
WHERE r.event_id = ANY ($1::uuid[])
ORDER BY r.event_id, s.session_id, s.requested_at DESC, r.id DESC;

-- name: reparse_zones
-- The zones of a source's tracks, where they have one.
SELECT source_track_slug, time_zone FROM tracks
WHERE source = $1 AND source_track_slug = ANY ($2::text[]) AND time_zone IS NOT NULL;

-- name: reparse_pages_seen
-- The pages that observations rest on: fetched then, or earlier and confirmed then; by the observations' numbers.
SELECT w.number, {page}
FROM unnest($1::integer[], $2::text[], $3::text[], $4::timestamptz[]) AS w (number, url, sha256, observed_at)
CROSS JOIN LATERAL (
    SELECT {page} FROM page_index.pages AS p
    WHERE p.url = w.url AND p.sha256 = w.sha256 AND p.observed_at <= w.observed_at
    ORDER BY p.observed_at DESC LIMIT 1
) AS p;

-- name: reparse_newest_pages
-- The newest page of each of these addresses.
SELECT {page}
FROM unnest($1::text[]) AS w (url)
CROSS JOIN LATERAL (
    SELECT {page} FROM page_index.pages AS p
    WHERE p.url = w.url ORDER BY p.observed_at DESC, p.sha256 DESC LIMIT 1
) AS p;

-- name: reparse_saw
-- Note addresses that were looked at.
INSERT INTO reparse_seen (url) SELECT DISTINCT url FROM unnest($1::text[]) AS w (url) ON CONFLICT DO NOTHING;

-- name: reparse_unseen
-- The next addresses ($2) of the archive, after one ($1), that were not looked at.
SELECT DISTINCT p.url FROM page_index.pages AS p
WHERE p.url > $1 AND NOT EXISTS (SELECT FROM reparse_seen AS s WHERE s.url = p.url)
ORDER BY p.url LIMIT $2;
