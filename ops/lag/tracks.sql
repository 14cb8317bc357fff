-- name: newest_tracks
-- When each track was last seen in a day's list: those that were seen last, so many of them.
SELECT t.source, t.source_track_slug AS track_slug, o.observed_at,
    extract(epoch FROM clock_timestamp() - o.observed_at)::float8 AS seconds
FROM track_observations AS o
JOIN tracks AS t ON t.id = o.track_id
ORDER BY o.observed_at DESC, t.source, t.source_track_slug
LIMIT $1;
