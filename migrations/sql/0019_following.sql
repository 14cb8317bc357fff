-- Subscribed tracks, and the days of tracks that are followed while they are on
-- depends: 0018_catalogue
-- squawk-ignore-file ban-drop-table

-- migrate: apply
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

CREATE TABLE lapstream.subscribed_tracks (
    source text NOT NULL,
    track_slug text NOT NULL,
    -- An IANA zone: it says when the track's day begins and ends.
    time_zone text NOT NULL,
    -- Whether each of its days is followed; else each is asked for once, when it is over.
    follow boolean NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, track_slug)
);

CREATE TABLE lapstream.followed_days (
    source text NOT NULL,
    track_slug text NOT NULL,
    event_date date NOT NULL,
    -- The row id of the day; no foreign key, for the tables of days are rebuilt and swapped.
    event_id uuid NOT NULL,
    time_zone text NOT NULL,
    -- Whether it is asked for while it is on; else only once, when it is over.
    live boolean NOT NULL,
    -- The track's midnight.
    ends_at timestamptz NOT NULL,
    -- When it is asked for next.
    next_at timestamptz NOT NULL,
    -- The newest request that was begun, and until when its process has the day to itself.
    asked_at timestamptz,
    claimed_until timestamptz,
    -- The newest answer, and the newest in which something was new; or else when following began.
    answered_at timestamptz,
    news_at timestamptz NOT NULL,
    -- How many answers came, and in how many something was new.
    answers integer NOT NULL DEFAULT 0,
    news integer NOT NULL DEFAULT 0,
    -- The newest run that one of them opened; no foreign key, for runs are pruned.
    run_id uuid,
    -- Why the newest request failed.
    error text,
    -- When it was asked for the last time, or given up.
    closed_at timestamptz,
    PRIMARY KEY (source, track_slug, event_date)
);

CREATE INDEX followed_days_due ON lapstream.followed_days (next_at) WHERE closed_at IS NULL;
CREATE INDEX followed_days_by_run ON lapstream.followed_days (run_id);

-- migrate: rollback
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

DROP TABLE lapstream.followed_days;
DROP TABLE lapstream.subscribed_tracks;
