-- name: save_pages
-- Where pages lie; of a page whose record stands twice in its topic, the first place counts.
INSERT INTO pages AS t (
    url, observed_at, sha256, status, etag, last_modified, body_bytes, topic, partition, record_offset
)
SELECT DISTINCT ON (p.url, p.observed_at, p.sha256) {page}
FROM unnest(
    $1::text[], $2::timestamptz[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::integer[], $8::text[],
    $9::integer[], $10::bigint[]
) AS p (url, observed_at, sha256, status, etag, last_modified, body_bytes, topic, partition, record_offset)
ORDER BY p.url, p.observed_at, p.sha256, p.topic, p.partition, p.record_offset
ON CONFLICT (url, observed_at, sha256) DO UPDATE
SET topic = excluded.topic, partition = excluded.partition, record_offset = excluded.record_offset,
    status = excluded.status, etag = excluded.etag, last_modified = excluded.last_modified,
    body_bytes = excluded.body_bytes
WHERE (excluded.topic, excluded.partition, excluded.record_offset) < (t.topic, t.partition, t.record_offset);

-- name: newest_page
-- The newest page of an address; read on connections that see another schema.
SELECT {page} FROM page_index.pages AS p WHERE p.url = $1 ORDER BY p.observed_at DESC, p.sha256 DESC LIMIT 1;
