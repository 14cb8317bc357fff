-- columns: catalogue
source, due_at, coalesce(claimed_until > clock_timestamp(), false) AS fetching, fetched_at, failures, error, findings,
    (SELECT count(*) FROM catalogue_tracks AS t WHERE t.source = c.source AND t.gone_since IS NULL) AS tracks
FROM catalogues AS c

-- name: read_catalogue
-- What is known of a source's list of tracks.
SELECT {catalogue}
WHERE source = $1;

-- name: ask_for_catalogue
-- Let a source's list of tracks be fetched now.
INSERT INTO catalogues (source, due_at) VALUES ($1, now())
ON CONFLICT (source) DO UPDATE SET due_at = least(catalogues.due_at, now());

-- name: claim_catalogue
-- Let this process fetch a list that is due; no row where it is not, another process does, or the site ($2) is held back.
UPDATE catalogues SET claimed_until = clock_timestamp() + make_interval(secs => $3)
WHERE source = $1 AND due_at <= clock_timestamp()
    AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
    AND NOT EXISTS (SELECT FROM sites AS s WHERE s.site = $2 AND (s.paused OR s.rest_until > now()))
RETURNING true;

-- name: give_catalogue_up
-- Let another process fetch it.
UPDATE catalogues SET claimed_until = NULL WHERE source = $1;

-- name: catalogue_failed
-- It failed to be fetched: it is asked for again after a while, twice as long each time ($3), up to a longest one ($4).
UPDATE catalogues
SET claimed_until = NULL, failures = failures + 1, error = $2,
    due_at = now() + make_interval(secs => least($3 * 2.0 ^ least(failures, 30), $4))
WHERE source = $1
RETURNING extract(epoch FROM due_at - now())::float8;

-- name: lock_catalogue
-- The listed tracks of a source, whose list is held until the transaction ends.
SELECT (SELECT count(*) FROM catalogue_tracks AS t WHERE t.source = c.source AND t.gone_since IS NULL)
FROM catalogues AS c WHERE c.source = $1 FOR NO KEY UPDATE OF c;

-- name: save_catalogue_tracks
-- Tracks that are listed at a moment ($2); one whose page has no name keeps the one that it had.
INSERT INTO catalogue_tracks AS t (source, track_slug, name, words, first_seen_at, last_seen_at)
SELECT $1, s.track_slug, s.name, s.words, $2, $2
FROM unnest($3::text[], $4::text[], $5::text[]) AS s (track_slug, name, words)
ON CONFLICT (source, track_slug) DO UPDATE
SET name = coalesce(excluded.name, t.name),
    words = CASE WHEN excluded.name IS NULL THEN t.words ELSE excluded.words END,
    last_seen_at = excluded.last_seen_at, gone_since = NULL;

-- name: tracks_gone
-- Tracks that a list of a moment ($2) lacks are gone.
UPDATE catalogue_tracks SET gone_since = $2 WHERE source = $1 AND last_seen_at < $2 AND gone_since IS NULL;

-- name: catalogue_kept
-- A list that was answered at a moment ($2) is kept; the next one is due after so many seconds ($4).
UPDATE catalogues
SET claimed_until = NULL, fetched_at = $2, findings = $3, failures = 0, error = NULL,
    due_at = now() + make_interval(secs => $4)
WHERE source = $1;

-- name: find_catalogue_tracks
-- Tracks of a source in whose words all of these ($2) stand, in the order of their slugs, from after one ($3), with
-- their days that are stored; those that are gone only where asked for ($5).
SELECT c.source, c.track_slug, c.name, c.first_seen_at, c.last_seen_at, c.gone_since, d.days, d.last_day
FROM catalogue_tracks AS c
CROSS JOIN LATERAL (
    SELECT count(*) AS days, max(e.event_date) AS last_day
    FROM tracks AS t JOIN events AS e ON e.track_id = t.id
    WHERE t.source = c.source AND t.source_track_slug = c.track_slug
) AS d
WHERE c.source = $1 AND c.track_slug > $3 AND ($5 OR c.gone_since IS NULL)
    AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS w (word) WHERE position(w.word IN c.words) = 0)
ORDER BY c.track_slug
LIMIT $4;

-- name: catalogue_track
-- What a source's list calls a track.
SELECT coalesce(name, track_slug) FROM catalogue_tracks WHERE source = $1 AND track_slug = $2;
