-- name: create_database
-- A database that takes every text, wherever the server was set up.
CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';

-- name: drop_database
-- A database that goes, with the sessions in it.
DROP DATABASE IF EXISTS {name} WITH (FORCE);

-- name: unused_databases
-- The databases whose names begin so, and that nobody is connected to.
SELECT d.datname FROM pg_database AS d
WHERE starts_with(d.datname, $1)
    AND d.datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    AND NOT EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.datid = d.oid)
ORDER BY d.datname;
