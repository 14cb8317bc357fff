-- The index of pages: where each fetched page lies in its topic, and what it can be asked for again with
-- depends: 0005_manners

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

CREATE SCHEMA page_index;

CREATE TABLE page_index.pages (
    url text COLLATE "C" NOT NULL,
    observed_at timestamptz NOT NULL,
    -- Of the body, in hex.
    sha256 text COLLATE "C" NOT NULL,
    status integer NOT NULL,
    etag text,
    last_modified text,
    body_bytes integer NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    PRIMARY KEY (url, observed_at, sha256)
);

CREATE TABLE page_index.positions (LIKE practice_days.positions INCLUDING ALL);

-- migrate: rollback
DROP SCHEMA page_index CASCADE;
