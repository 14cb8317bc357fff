-- name: use_schema
-- For the transaction at hand: where its tables lie.
SELECT set_config('search_path', $1, true);
