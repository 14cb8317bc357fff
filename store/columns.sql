-- columns: page
p.url, p.observed_at, p.sha256, p.status, p.etag, p.last_modified, p.body_bytes, p.topic, p.partition, p.record_offset

-- columns: run
id, source, track_slug, event_date, event_id, refresh, state, attempt, resumes, requested_at, planned_at, listed_at,
    moved_at, finished_at, traceparent, findings, counts, error

-- columns: person
(
    SELECT a.person_id FROM driver_aliases AS a
    WHERE a.driver_id = d.driver_id AND a.driver_name IN ('', d.display_name)
    ORDER BY a.driver_name DESC LIMIT 1
)
