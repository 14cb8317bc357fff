-- name: digest_table
-- The number of rows of a table, and the sum of a digest of each: the same for the same rows in any order.
SELECT count(*) AS rows,
    coalesce(sum(('x' || left(h, 16))::bit(64)::bigint::numeric), 0)
    + coalesce(sum(('x' || right(h, 16))::bit(64)::bigint::numeric), 0) * 18446744073709551616 AS total
FROM (SELECT left(encode(sha256(convert_to(to_jsonb(t)::text, 'UTF8')), 'hex'), 32) AS h FROM {table} AS t) AS rows;
