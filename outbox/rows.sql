-- columns: outbox_row
seq, id, aggregatetype, aggregateid, type, payload, headers

-- name: take_lease
-- Take the lease, or hold it longer; no row while somebody else holds it, and then nothing is written.
INSERT INTO relay_lease AS t (name, holder, held_until)
SELECT $1, $2, clock_timestamp() + make_interval(secs => $3)
WHERE NOT EXISTS (
    SELECT FROM relay_lease AS held
    WHERE held.name = $1 AND held.holder <> $2 AND held.held_until > clock_timestamp()
)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
WHERE t.holder = excluded.holder OR t.held_until <= clock_timestamp()
RETURNING holder;

-- name: give_lease_back
-- End the lease, and tell those who stand by.
WITH ended AS (DELETE FROM relay_lease WHERE name = $1 AND holder = $2 RETURNING name)
SELECT pg_notify('lapstream_outbox', 'free') FROM ended;

-- name: read_outbox
-- The oldest rows that are committed: so many, and so many bytes of payload, at most; but at least one.
SELECT seq, id::text, aggregatetype, aggregateid, type, payload::text, headers::text
FROM (
    SELECT {outbox_row}, sum(octet_length(payload::text)) OVER (ORDER BY seq) - octet_length(payload::text) AS bytes_before
    FROM (SELECT {outbox_row} FROM outbox ORDER BY seq LIMIT $1) AS oldest
) AS measured
WHERE bytes_before < $2
ORDER BY seq;

-- name: delete_from_outbox
-- Take away what is published. Its commit is not waited for on the disk: a crash of the database may bring rows
-- back, and they are published again under the same ids.
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
DELETE FROM outbox USING quick WHERE seq = ANY ($1::bigint[]);

-- name: outbox_backlog
-- The rows that wait to be published, and the age of the oldest in seconds; 0 where there is none.
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 FROM outbox;
