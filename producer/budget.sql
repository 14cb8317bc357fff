-- name: reserve_request
-- The moment at which a request to a site may begin, and a permit for it; no row while the site is paused or
-- rests, or as many requests are open as may be. What it counts lies in the row that it locks.
INSERT INTO sites AS t (site, next_request_at, permits)
VALUES (
    $1, now() + make_interval(secs => $2),
    jsonb_build_object($4::text, extract(epoch FROM clock_timestamp()) + $5::float8)
)
ON CONFLICT (site) DO UPDATE
SET next_request_at = greatest(t.next_request_at, clock_timestamp()) + make_interval(secs => $2),
    permits = (
        SELECT coalesce(jsonb_object_agg(p.key, p.value), '{}') FROM jsonb_each(t.permits) AS p
        WHERE p.value::float8 > extract(epoch FROM clock_timestamp())
    ) || jsonb_build_object(
        $4::text,
        greatest(extract(epoch FROM t.next_request_at), extract(epoch FROM clock_timestamp())) + $5::float8
    )
WHERE NOT t.paused AND (t.rest_until IS NULL OR t.rest_until <= clock_timestamp())
    AND (
        SELECT count(*) FROM jsonb_each(t.permits) AS p WHERE p.value::float8 > extract(epoch FROM clock_timestamp())
    ) < $3
RETURNING greatest(extract(epoch FROM t.next_request_at - clock_timestamp()) - $2, 0)::float8 AS wait_seconds;

-- name: request_is_open
-- Whether a request may still begin on its permit, after the wait for its moment.
SELECT true FROM sites
WHERE site = $1 AND permits ? $2::text AND NOT paused AND (rest_until IS NULL OR rest_until <= clock_timestamp());

-- name: request_done
-- A request was answered: its permit is given back, and errors in a row are over.
UPDATE sites SET permits = permits - $2::text, errors_in_row = 0 WHERE site = $1;

-- name: request_unused
-- No request was made, or nobody waited for its answer: the permit is given back, and nothing follows from it.
UPDATE sites SET permits = permits - $2::text WHERE site = $1 AND permits ? $2::text;

-- name: request_failed
-- A request failed: its permit is given back; after so many in a row we back off, longer after each back-off that
-- another failure follows. What was open when a rest began, and failed too, tells nothing new.
UPDATE sites AS t
SET permits = t.permits - $2::text, errors_in_row = r.errors,
    rest_until = CASE WHEN r.seconds IS NULL THEN t.rest_until
        ELSE clock_timestamp() + make_interval(secs => r.seconds) END,
    rest_reason = CASE WHEN r.seconds IS NULL THEN t.rest_reason
        ELSE format('%s requests in a row failed, the last one with: %s', r.errors, $6::text) END
FROM (
    SELECT c.errors,
        CASE WHEN NOT c.backing_off AND c.errors >= $3 THEN least($4 * 2 ^ least(c.errors - $3, 20), $5) END AS seconds
    FROM (
        SELECT s.backing_off, s.errors_in_row + (NOT s.backing_off)::integer AS errors
        FROM (
            SELECT errors_in_row, coalesce(rest_until > clock_timestamp(), false) AS backing_off
            FROM sites WHERE site = $1 FOR UPDATE
        ) AS s
    ) AS c
) AS r
WHERE t.site = $1;

-- name: site_state
-- What holds a site's requests back, and for how long.
SELECT paused, rest_reason, nullif(greatest(extract(epoch FROM rest_until - now()), 0), 0)::float8 AS rest_seconds,
    CASE WHEN rest_until > now() THEN rest_until END AS rest_until,
    (SELECT count(*) FROM jsonb_each(permits) AS p WHERE p.value::float8 > extract(epoch FROM now()))
        AS open_requests,
    errors_in_row
FROM sites WHERE site = $1;

-- name: back_off
-- Leave a site alone for a while; a rest is never shortened.
INSERT INTO sites AS t (site, next_request_at, rest_until, rest_reason)
VALUES ($1, now(), now() + make_interval(secs => $2), $3)
ON CONFLICT (site) DO UPDATE SET rest_until = excluded.rest_until, rest_reason = excluded.rest_reason
WHERE t.rest_until IS NULL OR t.rest_until < excluded.rest_until;

-- name: pause_site
-- Stop all fetching from a site, or let it go on.
INSERT INTO sites AS t (site, next_request_at, paused) VALUES ($1, now(), $2)
ON CONFLICT (site) DO UPDATE SET paused = excluded.paused,
    rest_until = CASE WHEN excluded.paused THEN t.rest_until END,
    rest_reason = CASE WHEN excluded.paused THEN t.rest_reason END,
    errors_in_row = CASE WHEN excluded.paused THEN t.errors_in_row ELSE 0 END;

-- name: read_robots
-- A host's robots.txt as it was kept, with its age in seconds; and why fetching it failed since, for a while ($2).
SELECT rules, extract(epoch FROM now() - fetched_at)::float8 AS age,
    CASE WHEN failed_at > now() - make_interval(secs => $2) THEN failure END AS failure
FROM robots WHERE address = $1;

-- name: claim_robots
-- Ask for a robots.txt oneself, unless another process does at present, or has kept a fresh one meanwhile, or it
-- failed to be fetched just now.
INSERT INTO robots AS t (address, asked_until) VALUES ($1, now() + make_interval(secs => $2))
ON CONFLICT (address) DO UPDATE SET asked_until = excluded.asked_until
WHERE t.asked_until <= now()
    AND (t.fetched_at IS NULL OR t.fetched_at <= now() - make_interval(secs => $3))
    AND (t.failed_at IS NULL OR t.failed_at <= now() - make_interval(secs => $4))
RETURNING true;

-- name: keep_robots
-- A robots.txt as it was answered.
UPDATE robots SET rules = $2, fetched_at = now(), asked_until = now(), failed_at = NULL, failure = NULL
WHERE address = $1;

-- name: robots_failed
-- It failed to be fetched.
UPDATE robots SET asked_until = now(), failed_at = now(), failure = $2 WHERE address = $1;

-- name: give_up_robots
-- It was not asked for: another process may.
UPDATE robots SET asked_until = now() WHERE address = $1;
