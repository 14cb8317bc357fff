-- name: session_process
-- The process of the server that works for the session.
SELECT pg_backend_pid();
