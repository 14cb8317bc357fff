-- columns: alias
a.person_id, a.driver_id, a.source, a.source_driver_id, nullif(a.driver_name, '') AS driver_name,
    coalesce(nullif(a.driver_name, ''), d.display_name) AS display_name, d.transponder_number, s.sessions, s.names,
    s.last_day
FROM driver_aliases AS a
LEFT JOIN drivers AS d ON d.id = a.driver_id
CROSS JOIN LATERAL (
    SELECT count(*) AS sessions, max(e.event_date) AS last_day,
        coalesce(
            (array_agg(DISTINCT d.display_name COLLATE "C") FILTER (WHERE d.display_name IS NOT NULL))[:500], '{}'
        ) AS names
    FROM race_drivers AS d
    JOIN races AS r ON r.id = d.race_id
    JOIN events AS e ON e.id = r.event_id
    WHERE d.driver_id = a.driver_id AND {person} = a.person_id AND a.driver_name IN ('', d.display_name)
) AS s

-- name: aliases_of_people
-- The aliases of people, those of a person together, the one that drove last first.
SELECT {alias}
WHERE a.person_id = ANY ($1::uuid[])
ORDER BY a.person_id, s.last_day DESC NULLS LAST, a.source, a.source_driver_id, a.driver_name;

-- name: people_after
-- The ids of people, from after one.
SELECT DISTINCT person_id FROM driver_aliases WHERE person_id > $1 ORDER BY person_id LIMIT $2;

-- name: people_of_drivers
-- The people to whom drivers belong, whole or under one of their names.
SELECT DISTINCT person_id FROM driver_aliases WHERE driver_id = ANY ($1::uuid[]);

-- name: person_of_driver
-- The person to whom a driver belongs, whatever the name.
SELECT person_id FROM driver_aliases WHERE driver_id = $1 AND driver_name = '';

-- name: drivers_of_person
-- The drivers of a person, also those of whom only some sessions are.
SELECT DISTINCT driver_id FROM driver_aliases WHERE person_id = $1;

-- name: lock_aliases
-- For the length of a transaction, let no other transaction set or unset an alias; reading goes on.
LOCK TABLE driver_aliases IN SHARE ROW EXCLUSIVE MODE;

-- name: people_of_aliases
-- Whose these aliases are, who was set first first.
SELECT a.person_id
FROM unnest($1::uuid[], $2::text[]) AS k (driver_id, driver_name)
JOIN driver_aliases AS a ON (a.driver_id, a.driver_name) = (k.driver_id, k.driver_name)
GROUP BY a.person_id
ORDER BY min(a.set_at), a.person_id;

-- name: merge_people
-- Give the aliases of people to another one.
UPDATE driver_aliases SET person_id = $1 WHERE person_id = ANY ($2::uuid[]);

-- name: set_aliases
-- Say of drivers that they are a person; those that were set stay as they are.
INSERT INTO driver_aliases (driver_id, driver_name, source, source_driver_id, person_id)
SELECT k.driver_id, k.driver_name, k.source, k.source_driver_id, $5
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS k (driver_id, driver_name, source, source_driver_id)
ON CONFLICT (source, source_driver_id, driver_name) DO NOTHING;

-- name: count_aliases
-- How many aliases a person has.
SELECT count(*) FROM driver_aliases WHERE person_id = $1;

-- name: unset_alias
-- Take an alias away; whose it was.
DELETE FROM driver_aliases WHERE driver_id = $1 AND driver_name = $2 RETURNING person_id;

-- name: dissolve_person
-- Take away the last alias of a person: alone it says nothing.
DELETE FROM driver_aliases AS a
WHERE a.person_id = $1 AND (SELECT count(*) FROM driver_aliases WHERE person_id = $1) < 2;
