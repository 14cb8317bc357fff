-- name: stated_laps
-- How many laps a day's page says that it has; none where it does not say.
SELECT (metadata -> 'practiceDayStats' ->> 'total_laps')::integer FROM events WHERE id = $1;

-- name: with_stats
-- How many of a day's races, and of their results, hold at least one figure of practice.
SELECT
    count(*) FILTER (WHERE jsonb_strip_nulls(r.race_metadata -> 'practiceSessionStats') <> '{}') AS races,
    count(*) FILTER (WHERE jsonb_strip_nulls(x.raw_fields_json) <> '{}') AS results
FROM races AS r
LEFT JOIN race_results AS x ON x.race_id = r.id
WHERE r.event_id = $1;
