-- name: save_pages
-- Where pages lie; of a page whose record stands twice in its topic, the first place counts.
INSERT INTO pages AS t (
    url, observed_at, sha256, status, etag, last_modified, body_bytes, topic, partition, record_offset
)
SELECT DISTINCT ON (url, observed_at, sha256) *
FROM unnest(
    $1::text[], $2::timestamptz[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::integer[], $8::text[],
    $9::integer[], $10::bigint[]
) AS s (url, observed_at, sha256, status, etag, last_modified, body_bytes, topic, partition, record_offset)
ORDER BY url, observed_at, sha256, topic, partition, record_offset
ON CONFLICT (url, observed_at, sha256) DO UPDATE
SET topic = excluded.topic, partition = excluded.partition, record_offset = excluded.record_offset,
    status = excluded.status, etag = excluded.etag, last_modified = excluded.last_modified,
    body_bytes = excluded.body_bytes
WHERE (excluded.topic, excluded.partition, excluded.record_offset) < (t.topic, t.partition, t.record_offset);

-- name: newest_page
-- The newest page of an address; read on connections that see another schema.
SELECT url, observed_at, sha256, status, etag, last_modified, body_bytes, topic, partition, record_offset
FROM page_index.pages WHERE url = $1 ORDER BY observed_at DESC, sha256 DESC LIMIT 1;
