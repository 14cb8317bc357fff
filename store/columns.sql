-- columns: page
p.url, p.observed_at, p.sha256, p.status, p.etag, p.last_modified, p.body_bytes, p.topic, p.partition, p.record_offset

-- columns: run
id, source, track_slug, event_date, event_id, refresh, state, attempt, resumes, requested_at, planned_at, listed_at,
    moved_at, finished_at, traceparent, findings, counts, error
