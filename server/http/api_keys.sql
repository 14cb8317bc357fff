-- columns: api_key
id, name, scopes, created_at, revoked_at

-- name: create_api_key
-- A new key, by the digest of its token.
INSERT INTO api_keys (id, name, token_sha256, scopes) VALUES ($1, $2, $3, $4)
RETURNING {api_key};

-- name: list_api_keys
-- Every key, the oldest first.
SELECT {api_key} FROM api_keys ORDER BY created_at, id;

-- name: revoke_api_key
-- End the key in force that has this name.
UPDATE api_keys SET revoked_at = now() WHERE name = $1 AND revoked_at IS NULL
RETURNING {api_key};

-- name: find_api_key
-- The key in force that a token's digest belongs to.
SELECT {api_key} FROM api_keys WHERE token_sha256 = $1 AND revoked_at IS NULL;
