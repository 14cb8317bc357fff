-- name: use_schema
-- For the transaction at hand: where its tables lie.
SELECT set_config('search_path', $1, true);

-- name: limit_lock_wait
-- For the transaction at hand: how long a statement waits for a row that another transaction holds.
SELECT set_config('lock_timeout', $1, true);
