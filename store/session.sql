-- name: prepare_session
-- What our statements rely on, whatever the server, the database or the role has by default. The first two lines
-- are what the rest relies on. A setting that the server does not know is left out; one that is right already is
-- not set, for some may be set by a superuser only.
SET statement_timeout = 0;
SET search_path = pg_catalog;
SELECT set_config(s.name, s.value, false)
FROM (VALUES
    -- Each statement sees what is committed when it begins: a lock that was waited for is followed by new reads.
    ('default_transaction_isolation', 'read committed'),
    ('default_transaction_read_only', 'off'),
    ('default_transaction_deferrable', 'off'),
    -- Rows go with what they hang on by foreign keys, whose triggers 'replica' turns off.
    ('session_replication_role', 'origin'),
    -- A policy leaves out rows for which it was made, as the server does it unless told otherwise.
    ('row_security', 'on'),
    -- How long something takes is bounded where it is known how long it may take.
    ('lock_timeout', '0'),
    ('transaction_timeout', '0'),
    ('idle_session_timeout', '0'),
    ('exit_on_error', 'off'),
    -- What a client that is gone holds is free again within half a minute, also where its network says nothing.
    ('idle_in_transaction_session_timeout', '30s'),
    ('client_connection_check_interval', '5s'),
    ('tcp_keepalives_idle', '15'),
    ('tcp_keepalives_interval', '5'),
    ('tcp_keepalives_count', '3'),
    ('tcp_user_timeout', '30s'),
    -- Values as text, which digests are made of.
    ('TimeZone', 'UTC'),
    ('DateStyle', 'ISO, MDY'),
    ('IntervalStyle', 'postgres'),
    ('bytea_output', 'hex'),
    ('extra_float_digits', '1'),
    ('quote_all_identifiers', 'off'),
    -- What a statement's text means.
    ('standard_conforming_strings', 'on'),
    ('array_nulls', 'on'),
    ('transform_null_equals', 'off')
) AS s (name, value)
WHERE current_setting(s.name, true) <> s.value
UNION ALL
-- What is committed survives a crash; how many replicas a commit waits for is the operator's decision.
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';

-- name: use_search_path
-- For the whole session: where tables lie.
SELECT set_config('search_path', $1, false);

-- name: reset_session
-- Clear what the last user of a session left in it: advisory locks, cursors, LISTEN. Settings are not reset: none
-- is ever set beyond a transaction.
SELECT pg_advisory_unlock_all();
CLOSE ALL;
UNLISTEN *;

-- name: is_session_at_work
-- Whether the server works at a session's statement, and does not wait for the session's client. Where the server
-- does not keep track, it may be.
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE pid = $1 AND state IN ('active', 'disabled') AND wait_event_type IS DISTINCT FROM 'Client'
);
