-- name: reserve_request
-- The moment at which the next request to a site may begin; no row while the site is paused or rests.
INSERT INTO sites AS t (site, next_request_at)
VALUES ($1, now() + make_interval(secs => $2))
ON CONFLICT (site) DO UPDATE
SET next_request_at = greatest(t.next_request_at, now()) + make_interval(secs => $2)
WHERE NOT t.paused AND (t.rest_until IS NULL OR t.rest_until <= now())
RETURNING greatest(extract(epoch FROM t.next_request_at - now()) - $2, 0)::float8 AS wait_seconds;

-- name: site_state
-- Whether a site is paused, and for how long it rests.
SELECT paused, rest_reason, nullif(greatest(extract(epoch FROM rest_until - now()), 0), 0)::float8 AS rest_seconds
FROM sites WHERE site = $1;

-- name: rest_site
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
    rest_reason = CASE WHEN excluded.paused THEN t.rest_reason END;
