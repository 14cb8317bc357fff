-- What hangs on a schema's tables, and on the schema: read from the catalog, taken away, and made again.

-- name: attached
-- Everything that the tables of schema $1 are, have and need, and that needs them, one line each, without a number
-- of the catalog's: the same before and after others take their place where nothing was lost. Dependencies are
-- followed, so that kinds of things that nobody here knows are lines, too; so are new columns of the catalog.
WITH RECURSIVE own (classid, objid) AS (
    SELECT 'pg_class'::regclass::oid, oid FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r'
    UNION
    SELECT d.classid, d.objid
    FROM own AS o
    JOIN pg_depend AS d ON d.refclassid = o.classid AND d.refobjid = o.objid AND d.deptype IN ('a', 'i')
    LEFT JOIN pg_trigger AS t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
    LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
    WHERE t.tgisinternal IS NOT TRUE AND c.relnamespace IS DISTINCT FROM 'pg_toast'::regnamespace
), named AS (
    SELECT o.classid, o.objid, i.type || ' ' || i.identity AS name
    FROM own AS o CROSS JOIN LATERAL pg_identify_object(o.classid, o.objid, 0) AS i
), rows_of_catalog (name, facts) AS (
    SELECT n.name, to_jsonb(c) - ARRAY[
        'oid', 'relname', 'relnamespace', 'reltype', 'reloftype', 'relowner', 'relam', 'relfilenode', 'reltablespace',
        'relpages', 'reltuples', 'relallvisible', 'relallfrozen', 'reltoastrelid', 'relhasindex', 'relhasrules',
        'relhastriggers', 'relhassubclass', 'relnatts', 'relrewrite', 'relfrozenxid', 'relminmxid', 'relacl'
    ] || jsonb_build_object(
        'owner', c.relowner::regrole, 'tablespace', s.spcname, 'access method', m.amname, 'toast options', t.reloptions
    )
    FROM named AS n
    JOIN pg_class AS c ON n.classid = 'pg_class'::regclass AND c.oid = n.objid
    LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid
    LEFT JOIN pg_tablespace AS s ON s.oid = c.reltablespace
    LEFT JOIN pg_am AS m ON m.oid = c.relam
    UNION ALL
    SELECT format('column %I of %s', a.attname, n.name), to_jsonb(a) - ARRAY[
        'attrelid', 'attname', 'atttypid', 'attnum', 'attcacheoff', 'attcollation', 'attacl', 'attmissingval', 'atthasmissing'
    ] || jsonb_build_object(
        'type', format_type(a.atttypid, a.atttypmod), 'collation', nullif(a.attcollation, 0)::regcollation,
        'default', pg_get_expr(d.adbin, d.adrelid)
    )
    FROM named AS n
    JOIN pg_attribute AS a ON n.classid = 'pg_class'::regclass AND a.attrelid = n.objid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT n.name, to_jsonb(i) - ARRAY[
        'indexrelid', 'indrelid', 'indkey', 'indcollation', 'indclass', 'indoption', 'indexprs', 'indpred', 'indcheckxmin'
    ]
    FROM named AS n JOIN pg_index AS i ON n.classid = 'pg_class'::regclass AND i.indexrelid = n.objid
), flags AS (
    SELECT c.name, f.key, f.value FROM rows_of_catalog AS c CROSS JOIN LATERAL jsonb_each_text(jsonb_strip_nulls(c.facts)) AS f
), lines AS (
    SELECT name AS line FROM named
    UNION
    -- Things elsewhere that need them: of a view the rule that makes it one.
    SELECT format(
        '%s, which needs %s', coalesce('view ' || v.ev_class::regclass::text, i.type || ' ' || i.identity), n.name
    )
    FROM named AS n
    JOIN pg_depend AS d ON d.refclassid = n.classid AND d.refobjid = n.objid
    LEFT JOIN pg_rewrite AS v ON d.classid = 'pg_rewrite'::regclass AND v.oid = d.objid AND v.rulename = '_RETURN'
    CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS i
    WHERE d.deptype NOT IN ('a', 'i') AND (d.classid, d.objid) NOT IN (SELECT classid, objid FROM own)
    UNION
    SELECT format('%s of %s', i.type || ' ' || i.identity, n.name)
    FROM named AS n
    JOIN pg_depend AS d ON d.classid = n.classid AND d.objid = n.objid
    CROSS JOIN LATERAL pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) AS i
    WHERE (d.refclassid, d.refobjid) NOT IN (SELECT classid, objid FROM own)
    UNION
    SELECT format('%s %s in the schema', i.type, i.identity)
    FROM pg_depend AS d CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS i
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = to_regnamespace($1)
    UNION
    SELECT format('the comment %L on %s', c.description, i.type || ' ' || i.identity)
    FROM named AS n
    JOIN pg_description AS c ON c.classoid = n.classid AND c.objoid = n.objid
    CROSS JOIN LATERAL pg_identify_object(c.classoid, c.objoid, c.objsubid) AS i
    UNION
    SELECT format('the comment %L on the schema', obj_description(to_regnamespace($1), 'pg_namespace'))
    UNION
    SELECT format('the security label %L of %s for %s', l.label, i.identity, l.provider)
    FROM pg_seclabel AS l CROSS JOIN LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) AS i
    WHERE (l.classoid, l.objoid) IN (SELECT classid, objid FROM own)
        OR (l.classoid = 'pg_namespace'::regclass AND l.objoid = to_regnamespace($1))
    UNION
    SELECT format('publication %I of the schema', p.pubname)
    FROM pg_publication_namespace AS n JOIN pg_publication AS p ON p.oid = n.pnpubid
    WHERE n.pnnspid = to_regnamespace($1)
    UNION
    SELECT format('subscription %s to %s', r.srsubid, r.srrelid::regclass)
    FROM pg_subscription_rel AS r WHERE r.srrelid IN (SELECT objid FROM own)
    UNION
    SELECT format('default rights on %s: %s', d.defaclobjtype, a.privileges)
    FROM pg_default_acl AS d CROSS JOIN LATERAL (
        SELECT string_agg(concat_ws(' ', d.defaclrole::regrole, e.grantee::regrole, e.privilege_type, e.is_grantable), ', ')
            AS privileges
        FROM aclexplode(d.defaclacl) AS e
    ) AS a
    WHERE d.defaclnamespace = to_regnamespace($1)
    UNION
    SELECT format('%s of %s: %s', f.key, f.name, f.value) FROM flags AS f
    UNION
    SELECT format('%s is %s', n.name, pg_get_indexdef(n.objid))
    FROM named AS n JOIN pg_index AS i ON n.classid = 'pg_class'::regclass AND i.indexrelid = n.objid
    UNION
    SELECT format('%s is %s', n.name, pg_get_constraintdef(p.oid))
    FROM named AS n JOIN pg_constraint AS p ON n.classid = 'pg_constraint'::regclass AND p.oid = n.objid
    UNION
    SELECT format('%s is %s, %s', n.name, pg_get_triggerdef(t.oid), t.tgenabled)
    FROM named AS n JOIN pg_trigger AS t ON n.classid = 'pg_trigger'::regclass AND t.oid = n.objid
    UNION
    SELECT format('%s is %s, %s', n.name, pg_get_ruledef(r.oid), r.ev_enabled)
    FROM named AS n JOIN pg_rewrite AS r ON n.classid = 'pg_rewrite'::regclass AND r.oid = n.objid
    UNION
    SELECT format('%s is %s', n.name, policy)
    FROM named AS n
    JOIN pg_policy AS p ON n.classid = 'pg_policy'::regclass AND p.oid = n.objid
    CROSS JOIN LATERAL (
        SELECT concat_ws(
            ' ', p.polcmd, p.polpermissive, (SELECT array_agg(nullif(r, 0)::regrole ORDER BY r) FROM unnest(p.polroles) AS r),
            pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)
        ) AS policy
    ) AS q
    UNION
    SELECT format('%s is of columns %s where %s', n.name, a.columns, pg_get_expr(p.prqual, p.prrelid))
    FROM named AS n
    JOIN pg_publication_rel AS p ON n.classid = 'pg_publication_rel'::regclass AND p.oid = n.objid
    CROSS JOIN LATERAL (
        SELECT array_agg(attname ORDER BY attname) AS columns
        FROM pg_attribute WHERE attrelid = p.prrelid AND attnum = ANY (p.prattrs)
    ) AS a
    UNION
    SELECT format('%s is %s, %s, %s', n.name, pg_get_statisticsobjdef(s.oid), s.stxstattarget, s.stxowner::regrole)
    FROM named AS n JOIN pg_statistic_ext AS s ON n.classid = 'pg_statistic_ext'::regclass AND s.oid = n.objid
    UNION
    SELECT format('%s on %s to %s, %s', r.privilege_type, r.name, nullif(r.grantee, 0)::regrole, r.is_grantable)
    FROM (
        SELECT n.name, a.privilege_type, a.grantee, a.is_grantable
        FROM named AS n
        JOIN pg_class AS c ON n.classid = 'pg_class'::regclass AND c.oid = n.objid AND c.relkind = 'r'
        CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
        UNION ALL
        SELECT format('column %I of %s', t.attname, n.name), a.privilege_type, a.grantee, a.is_grantable
        FROM named AS n
        JOIN pg_attribute AS t ON n.classid = 'pg_class'::regclass AND t.attrelid = n.objid
        CROSS JOIN LATERAL aclexplode(t.attacl) AS a
        UNION ALL
        SELECT 'the schema', a.privilege_type, a.grantee, a.is_grantable
        FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
        WHERE n.oid = to_regnamespace($1)
    ) AS r
)
SELECT line FROM lines WHERE line IS NOT NULL ORDER BY line COLLATE "C";

-- name: things
-- What hangs on the tables of schema $1 and can be made again: the statement that takes each thing away, and the one
-- that makes it; `moves` where both tables can't have it at a time. In the order in which they are made.
WITH tables AS (
    SELECT oid, relrowsecurity, relforcerowsecurity, relreplident, reltoastrelid
    FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r'
), parts (classid, objid) AS (
    SELECT 'pg_class'::regclass, oid FROM tables
    UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid IN (SELECT oid FROM tables)
    UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid IN (SELECT oid FROM tables)
    UNION ALL SELECT 'pg_trigger'::regclass, oid FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM tables)
    UNION ALL SELECT 'pg_policy'::regclass, oid FROM pg_policy WHERE polrelid IN (SELECT oid FROM tables)
    UNION ALL SELECT 'pg_rewrite'::regclass, oid FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM tables)
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext WHERE stxrelid IN (SELECT oid FROM tables)
), options AS (
    SELECT CASE c.relkind WHEN 'i' THEN 'INDEX' ELSE 'TABLE' END AS what, c.oid::regclass AS name, '' AS prefix, c.reloptions
    FROM pg_class AS c WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'i') AND c.reloptions IS NOT NULL
    UNION ALL
    SELECT 'TABLE', c.oid::regclass, 'toast.', t.reloptions
    FROM tables AS c JOIN pg_class AS t ON t.oid = c.reltoastrelid WHERE t.reloptions IS NOT NULL
)
SELECT CASE place WHEN 1 THEN 'setting' WHEN 2 THEN 'statistics' ELSE 'other' END AS kind, remove, make, moves FROM (
    SELECT 1 AS place, format('ALTER %s %s RESET (%s)', what, name, o.names) AS remove,
        format('ALTER %s %s SET (%s)', what, name, o.settings) AS make, false AS moves
    FROM options CROSS JOIN LATERAL (
        SELECT string_agg(prefix || split_part(one, '=', 1), ', ') AS names,
            string_agg(format('%s%s = %L', prefix, split_part(one, '=', 1), substr(one, strpos(one, '=') + 1)), ', ') AS settings
        FROM unnest(reloptions) AS one
    ) AS o
    UNION ALL
    SELECT 1, format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS -1', t.oid::regclass, a.attname),
        format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', t.oid::regclass, a.attname, a.attstattarget), false
    FROM tables AS t JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE a.attstattarget IS NOT NULL
    UNION ALL
    SELECT 1, format('ALTER TABLE %s ALTER COLUMN %I RESET (n_distinct, n_distinct_inherited)', t.oid::regclass, a.attname),
        format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', t.oid::regclass, a.attname, array_to_string(a.attoptions, ', ')), false
    FROM tables AS t JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE a.attoptions IS NOT NULL
    UNION ALL
    SELECT 2, format('DROP STATISTICS %I.%I', n.nspname, s.stxname), pg_get_statisticsobjdef(s.oid), n.nspname <> $1
    FROM pg_statistic_ext AS s JOIN pg_namespace AS n ON n.oid = s.stxnamespace WHERE s.stxrelid IN (SELECT oid FROM tables)
    UNION ALL
    SELECT 3, NULL, format('ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, s.stxname, s.stxstattarget), false
    FROM pg_statistic_ext AS s JOIN pg_namespace AS n ON n.oid = s.stxnamespace
    WHERE s.stxrelid IN (SELECT oid FROM tables) AND s.stxstattarget IS NOT NULL
    UNION ALL
    SELECT 3, NULL, format('ALTER STATISTICS %I.%I OWNER TO %s', n.nspname, s.stxname, s.stxowner::regrole), false
    FROM pg_statistic_ext AS s JOIN pg_namespace AS n ON n.oid = s.stxnamespace WHERE s.stxrelid IN (SELECT oid FROM tables)
    UNION ALL
    SELECT 4, format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass), pg_get_triggerdef(oid), false
    FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM tables) AND NOT tgisinternal
    UNION ALL
    SELECT 5, NULL, format(
        'ALTER TABLE %s %s TRIGGER %I', tgrelid::regclass,
        CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, tgname
    ), false
    FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM tables) AND NOT tgisinternal AND tgenabled <> 'O'
    UNION ALL
    SELECT 4, format('DROP RULE %I ON %s', rulename, ev_class::regclass), pg_get_ruledef(oid), false
    FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM tables)
    UNION ALL
    SELECT 5, NULL, format(
        'ALTER TABLE %s %s RULE %I', ev_class::regclass,
        CASE ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, rulename
    ), false
    FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM tables) AND ev_enabled <> 'O'
    UNION ALL
    SELECT 4, format('DROP POLICY %I ON %s', p.polname, p.polrelid::regclass), concat_ws(
        ' ', format('CREATE POLICY %I ON %s AS', p.polname, p.polrelid::regclass),
        CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
        CASE p.polcmd WHEN 'r' THEN 'FOR SELECT' WHEN 'a' THEN 'FOR INSERT' WHEN 'w' THEN 'FOR UPDATE'
            WHEN 'd' THEN 'FOR DELETE' ELSE 'FOR ALL' END,
        'TO ' || (SELECT string_agg(coalesce(nullif(r, 0)::regrole::text, 'PUBLIC'), ', ') FROM unnest(p.polroles) AS r),
        'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
        'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'
    ), false
    FROM pg_policy AS p WHERE p.polrelid IN (SELECT oid FROM tables)
    UNION ALL
    SELECT 5, format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', oid::regclass),
        format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', oid::regclass), false
    FROM tables WHERE relrowsecurity
    UNION ALL
    SELECT 5, format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', oid::regclass),
        format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', oid::regclass), false
    FROM tables WHERE relforcerowsecurity
    UNION ALL
    SELECT 5, format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', t.oid::regclass), format(
        'ALTER TABLE %s REPLICA IDENTITY %s', t.oid::regclass,
        CASE t.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE format('USING INDEX %I', i.relname) END
    ), false
    FROM tables AS t
    LEFT JOIN (pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid) ON x.indrelid = t.oid AND x.indisreplident
    WHERE t.relreplident <> 'd'
    UNION ALL
    SELECT 5, format('ALTER TABLE %s SET WITHOUT CLUSTER', x.indrelid::regclass),
        format('ALTER TABLE %s CLUSTER ON %I', x.indrelid::regclass, i.relname), false
    FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
    WHERE x.indrelid IN (SELECT oid FROM tables) AND x.indisclustered
    UNION ALL
    SELECT 6, format('ALTER PUBLICATION %I DROP TABLE ONLY %s', p.pubname, r.prrelid::regclass), concat_ws(
        ' ', format('ALTER PUBLICATION %I ADD TABLE ONLY %s', p.pubname, r.prrelid::regclass),
        '(' || (
            SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = r.prrelid AND attnum = ANY (r.prattrs)
        ) || ')',
        'WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')'
    ), true
    FROM pg_publication_rel AS r JOIN pg_publication AS p ON p.oid = r.prpubid WHERE r.prrelid IN (SELECT oid FROM tables)
    UNION ALL
    SELECT 6, format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA %I', p.pubname, $1),
        format('ALTER PUBLICATION %I ADD TABLES IN SCHEMA %I', p.pubname, $1), true
    FROM pg_publication_namespace AS n JOIN pg_publication AS p ON p.oid = n.pnpubid WHERE n.pnnspid = to_regnamespace($1)
    UNION ALL
    SELECT 7, format('COMMENT ON %s %s IS NULL', i.kind, i.identity),
        format('COMMENT ON %s %s IS %L', i.kind, i.identity, c.description), false
    FROM parts AS p
    JOIN pg_description AS c ON c.classoid = p.classid AND c.objoid = p.objid
    CROSS JOIN LATERAL (
        SELECT identity, CASE type WHEN 'table column' THEN 'COLUMN' WHEN 'table constraint' THEN 'CONSTRAINT'
            WHEN 'statistics object' THEN 'STATISTICS' ELSE upper(type) END AS kind
        FROM pg_identify_object(c.classoid, c.objoid, c.objsubid)
    ) AS i
    UNION ALL
    SELECT 7, format('COMMENT ON SCHEMA %I IS NULL', $1),
        format('COMMENT ON SCHEMA %I IS %L', $1, obj_description(to_regnamespace($1), 'pg_namespace')), false
    WHERE obj_description(to_regnamespace($1), 'pg_namespace') IS NOT NULL
    UNION ALL
    SELECT 8, format('%s REVOKE %s ON %s FROM %s', w.whose, a.privilege_type, w.kind, w.grantee),
        format('%s GRANT %s ON %s TO %s%s', w.whose, a.privilege_type, w.kind, w.grantee, w.option), false
    FROM pg_default_acl AS d
    CROSS JOIN LATERAL aclexplode(d.defaclacl) AS a
    CROSS JOIN LATERAL (
        SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %I', d.defaclrole::regrole, $1) AS whose,
            CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' ELSE 'TYPES' END
                AS kind,
            coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC') AS grantee,
            CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS option
    ) AS w
    WHERE d.defaclnamespace = to_regnamespace($1)
) AS found
ORDER BY place;

-- name: dependents
-- What elsewhere is defined by the tables of schema $1, and can be defined anew: views, routines, rules.
WITH parts (classid, objid) AS (
    SELECT 'pg_class'::regclass, oid FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'i')
    UNION ALL
    SELECT 'pg_constraint'::regclass, p.oid
    FROM pg_constraint AS p JOIN pg_class AS c ON c.oid = p.conrelid WHERE c.relnamespace = to_regnamespace($1)
), users AS (
    SELECT DISTINCT d.classid, d.objid
    FROM pg_depend AS d JOIN parts AS p ON p.classid = d.refclassid AND p.objid = d.refobjid
)
SELECT 1 AS place, v.oid::regclass::text AS name, format(
    'CREATE OR REPLACE VIEW %s%s AS %s', v.oid::regclass, ' WITH (' || array_to_string(v.reloptions, ', ') || ')',
    pg_get_viewdef(v.oid)
) AS make
FROM users AS u
JOIN pg_rewrite AS r ON u.classid = 'pg_rewrite'::regclass AND r.oid = u.objid AND r.rulename = '_RETURN'
JOIN pg_class AS v ON v.oid = r.ev_class AND v.relkind = 'v'
UNION ALL
SELECT 2, p.oid::regprocedure::text, pg_get_functiondef(p.oid)
FROM users AS u JOIN pg_proc AS p ON u.classid = 'pg_proc'::regclass AND p.oid = u.objid AND p.prosqlbody IS NOT NULL
UNION ALL
SELECT 3, r.rulename, regexp_replace(pg_get_ruledef(r.oid), '^CREATE RULE', 'CREATE OR REPLACE RULE')
FROM users AS u
JOIN pg_rewrite AS r ON u.classid = 'pg_rewrite'::regclass AND r.oid = u.objid AND r.rulename <> '_RETURN'
JOIN pg_class AS c ON c.oid = r.ev_class
WHERE NOT (c.relnamespace = to_regnamespace($1) AND c.relkind = 'r')
ORDER BY place, name;

-- name: strays
-- Statements that move what lies in schema $1 beside its tables, views and routines, into schema $2.
SELECT format('ALTER VIEW %s SET SCHEMA %I', oid::regclass, $2::text) AS sql
FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'v'
UNION ALL
SELECT format('ALTER ROUTINE %s SET SCHEMA %I', oid::regprocedure, $2::text)
FROM pg_proc WHERE pronamespace = to_regnamespace($1);

-- name: publications
-- The publications that publish tables of schema $1.
SELECT DISTINCT pubname::text AS name FROM pg_publication_tables WHERE schemaname = $1 ORDER BY 1;
