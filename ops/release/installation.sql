-- name: stats_columns
-- The columns that hold practice stats, each with its type; without one where it is not there.
SELECT c.table_name || '.' || c.column_name AS name, format_type(a.atttypid, a.atttypmod) AS type
FROM (VALUES ('races', 'race_metadata'), ('race_results', 'raw_fields_json')) AS c (table_name, column_name)
LEFT JOIN pg_attribute AS a
    ON a.attrelid = to_regclass(c.table_name) AND a.attname = c.column_name AND NOT a.attisdropped
ORDER BY c.table_name DESC;
