-- columns: followed_day
f.source, f.track_slug, f.event_date, f.event_id, f.time_zone, f.live, f.ends_at, f.next_at, f.asked_at, f.claimed_until,
    f.answered_at, f.news_at, f.answers, f.news, f.run_id, f.error, f.closed_at

-- columns: wanted_day
source, track_slug, event_date, event_id, time_zone, live, ends_at, next_at

-- columns: wanted_days
unnest(
    $1::text[], $2::text[], $3::date[], $4::uuid[], $5::text[], $6::boolean[], $7::timestamptz[], $8::timestamptz[]
)

-- name: open_followed_days
-- Days that subscriptions want which are there still; those that are known stay as they are.
INSERT INTO followed_days ({wanted_day}, news_at)
SELECT {wanted_day}, $9 FROM {wanted_days} AS s ({wanted_day})
WHERE EXISTS (SELECT FROM subscribed_tracks AS t WHERE t.source = s.source AND t.track_slug = s.track_slug)
ON CONFLICT DO NOTHING;

-- name: set_followed_days
-- Days as they are wanted from now on; those that were asked for just now ($10, seconds) wait for their turn.
INSERT INTO followed_days AS t ({wanted_day}, news_at)
SELECT {wanted_day}, $9 FROM {wanted_days} AS s ({wanted_day})
ON CONFLICT (source, track_slug, event_date) DO UPDATE
SET time_zone = excluded.time_zone, live = excluded.live, ends_at = excluded.ends_at, news_at = excluded.news_at,
    next_at = greatest(excluded.next_at, t.asked_at + make_interval(secs => $10))
WHERE t.closed_at IS NULL;

-- name: open_days_of_track
-- The days of a track that are yet to be asked for.
SELECT event_date FROM followed_days WHERE source = $1 AND track_slug = $2 AND closed_at IS NULL;

-- name: forget_days_of_track
-- The days of a track are not asked for any more.
DELETE FROM followed_days WHERE source = $1 AND track_slug = $2 AND closed_at IS NULL;

-- name: forget_closed_days
-- Days that were asked for the last time long ago.
DELETE FROM followed_days WHERE closed_at < $1;

-- name: lock_following
-- Whether this transaction chooses the day that is asked for next; false while another one does.
SELECT pg_try_advisory_xact_lock(hashtextextended('lapstream/following', 0));

-- name: following_clock
-- What time it is, whatever the clock of the machine that asks.
SELECT clock_timestamp();

-- name: is_day_due
-- Whether it is any day's turn by now ($1), as far as its own times say: idle fetchers ask for this each second.
SELECT EXISTS (SELECT FROM followed_days WHERE closed_at IS NULL AND next_at <= $1);

-- name: claim_followed_day
-- The day that is asked for now ($1), if it is any's turn: those that are on before those that are over. None while
-- the site ($2) is held back, another one was asked for within a while ($3), or the day itself is being imported. One
-- that is due waits a while ($4) for what people wait for. It is this process's until its time is up ($5).
UPDATE followed_days AS f
SET asked_at = $1, claimed_until = $1 + make_interval(secs => $5)
FROM (
    SELECT d.source, d.track_slug, d.event_date
    FROM followed_days AS d
    WHERE d.closed_at IS NULL AND d.next_at <= $1 AND (d.claimed_until IS NULL OR d.claimed_until <= $1)
        AND NOT EXISTS (SELECT FROM sites AS s WHERE s.site = $2 AND (s.paused OR s.rest_until > now()))
        AND NOT EXISTS (SELECT FROM followed_days AS o WHERE o.asked_at > $1 - make_interval(secs => $3))
        AND NOT EXISTS (SELECT FROM ingest_runs AS r WHERE r.event_id = d.event_id AND r.state = 'running')
        AND (
            d.next_at <= $1 - make_interval(secs => $4)
            OR NOT EXISTS (
                SELECT FROM ingest_runs AS r
                WHERE r.state = 'running'
                    AND NOT EXISTS (SELECT FROM backfill_days AS b WHERE b.run_id = r.id)
                    AND NOT EXISTS (SELECT FROM followed_days AS o WHERE o.run_id = r.id)
            )
        )
    ORDER BY d.ends_at <= $1, d.next_at
    LIMIT 1
    FOR NO KEY UPDATE SKIP LOCKED
) AS due
WHERE f.source = due.source AND f.track_slug = due.track_slug AND f.event_date = due.event_date
RETURNING {followed_day};

-- name: note_run_of_day
-- A run was opened for what is new of a day.
UPDATE followed_days SET run_id = $4 WHERE source = $1 AND track_slug = $2 AND event_date = $3;

-- name: quiet_seconds
-- For how long nothing new was seen on each of the days that are followed now ($1).
SELECT greatest(extract(epoch FROM $1 - news_at), 0)::float8 AS seconds
FROM followed_days WHERE closed_at IS NULL AND live AND ends_at > $1;

-- name: day_answered
-- The request for a day was answered, unless its time was up before; whether something was new, when it is asked for
-- next, and whether that was the last time.
UPDATE followed_days
SET claimed_until = NULL, error = NULL, answered_at = $5, answers = answers + 1, news = news + $6::boolean::integer,
    news_at = CASE WHEN $6 THEN $5 ELSE news_at END,
    next_at = CASE WHEN live OR $8 THEN $7 ELSE next_at END,
    closed_at = CASE WHEN $8 THEN $5 END
WHERE source = $1 AND track_slug = $2 AND event_date = $3 AND claimed_until = $4;

-- name: day_failed
-- The request for a day failed; without a next time ($6) it is given up.
UPDATE followed_days
SET claimed_until = NULL, error = $5, next_at = coalesce($6::timestamptz, next_at),
    closed_at = CASE WHEN $6 IS NULL THEN $7::timestamptz END
WHERE source = $1 AND track_slug = $2 AND event_date = $3 AND claimed_until = $4;

-- name: give_day_up
-- A day that was claimed was not asked for: another process may.
UPDATE followed_days SET claimed_until = NULL
WHERE source = $1 AND track_slug = $2 AND event_date = $3 AND claimed_until = $4;

-- name: read_followed_day
-- A day that is or was followed.
SELECT {followed_day} FROM followed_days AS f WHERE f.source = $1 AND f.track_slug = $2 AND f.event_date = $3;

-- name: days_followed_now
-- The days that are followed now ($1): all, or so many ($2).
SELECT {followed_day} FROM followed_days AS f
WHERE f.closed_at IS NULL AND f.live AND f.ends_at > $1 ORDER BY f.track_slug, f.source, f.event_date
LIMIT $2;

-- name: subscribed_with_days
-- The subscribed tracks, all or so many ($1), each with its newest day.
SELECT s.source, s.track_slug, s.time_zone, s.follow, s.added_at, d.event_date AS date, d.asked_at,
    CASE WHEN d.closed_at IS NULL THEN d.next_at END AS next_at, d.error
FROM subscribed_tracks AS s LEFT JOIN LATERAL (
    SELECT f.event_date, f.asked_at, f.next_at, f.closed_at, f.error FROM followed_days AS f
    WHERE f.source = s.source AND f.track_slug = s.track_slug ORDER BY f.event_date DESC LIMIT 1
) AS d ON true
ORDER BY s.track_slug, s.source
LIMIT $1;
