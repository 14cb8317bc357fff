-- Who may ask the API for what, and which answers belong to a repeated request
-- depends: 0006_page_index
-- squawk-ignore-file ban-drop-table

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

-- An API key: the token itself is told once, when the key is made, and kept nowhere.
CREATE TABLE lapstream.api_keys (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    -- SHA-256 of the token, which is 256 bits of chance: nothing slower is needed.
    token_sha256 bytea NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    scopes text[] NOT NULL
        CHECK (scopes <@ ARRAY['read', 'ingest', 'operate'] AND cardinality(scopes) > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

-- A name may be given again, once its key is revoked.
CREATE UNIQUE INDEX api_keys_in_force ON lapstream.api_keys (name) WHERE revoked_at IS NULL;

-- Which run a caller's Idempotency-Key stands for; kept a day.
CREATE TABLE lapstream.idempotency_keys (
    -- The API key's id.
    caller uuid NOT NULL,
    key text NOT NULL,
    -- Of the request's body: the same key under another body is a mistake.
    body_digest text NOT NULL,
    run_id uuid NOT NULL REFERENCES lapstream.ingest_runs ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);

CREATE INDEX idempotency_keys_by_time ON lapstream.idempotency_keys (created_at);
CREATE INDEX idempotency_keys_by_run ON lapstream.idempotency_keys (run_id);

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

DROP TABLE lapstream.idempotency_keys;
DROP TABLE lapstream.api_keys;
