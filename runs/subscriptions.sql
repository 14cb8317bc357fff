-- columns: subscription
source, track_slug, time_zone, follow, added_at

-- name: add_subscription
-- A track is subscribed to; no row where it is already.
INSERT INTO subscribed_tracks (source, track_slug, time_zone, follow, added_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
RETURNING {subscription};

-- name: set_subscription
-- A subscription with another zone, or with its days followed or not; what is null stays.
UPDATE subscribed_tracks SET time_zone = coalesce($3, time_zone), follow = coalesce($4, follow)
WHERE source = $1 AND track_slug = $2
RETURNING {subscription};

-- name: remove_subscription
-- A subscription ends.
DELETE FROM subscribed_tracks WHERE source = $1 AND track_slug = $2 RETURNING {subscription};

-- name: read_subscriptions
-- All subscriptions.
SELECT {subscription} FROM subscribed_tracks ORDER BY track_slug, source;

-- name: read_subscription
-- The subscription of a track.
SELECT {subscription} FROM subscribed_tracks WHERE source = $1 AND track_slug = $2;
