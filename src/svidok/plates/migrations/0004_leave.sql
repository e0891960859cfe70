-- A search of a person, so that there are quotas, and patterns of misuse can be seen.
CREATE TABLE plates.search_done (
    id         uuid PRIMARY KEY,
    at         timestamptz NOT NULL,
    actor_id   uuid        NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    purpose_id uuid        NOT NULL,
    asked      text        NOT NULL,
    audit_id   uuid
);
CREATE INDEX search_done_by_actor ON plates.search_done (actor_id, at);
CREATE INDEX search_done_by_time ON plates.search_done (at);

-- Leave that one person asked for and another of another role gave or refused.
CREATE TABLE plates.authorisation (
    id           uuid PRIMARY KEY,
    kind         text COLLATE "C" NOT NULL CHECK (kind IN ('older', 'trace')),
    asked_by     uuid        NOT NULL,
    asker_roles  text[]      NOT NULL,
    asked_at     timestamptz NOT NULL,
    reference_id uuid        NOT NULL,
    plate        text COLLATE "C" NOT NULL,      -- what may be searched for, as it is asked; patterns too
    start_at     timestamptz NOT NULL,
    end_at       timestamptz NOT NULL CHECK (end_at > start_at),
    reason       text        NOT NULL CHECK (length(trim(reason)) >= 10),
    decided_by   uuid CHECK (decided_by <> asked_by),
    decided_at   timestamptz,
    granted      boolean,
    note         text NOT NULL DEFAULT '',
    expires_at   timestamptz,
    CHECK ((decided_at IS NULL) = (granted IS NULL)),
    CHECK (granted IS NOT true OR expires_at IS NOT NULL)
);
CREATE INDEX authorisation_waiting ON plates.authorisation (asked_at) WHERE decided_at IS NULL;
CREATE INDEX authorisation_of_asker ON plates.authorisation (asked_by, asked_at);

-- Goes up when plates of which no read is left are forgotten, so that nobody uses an id that is gone.
CREATE TABLE plates.plate_generation (one boolean PRIMARY KEY DEFAULT true CHECK (one), n bigint NOT NULL);
INSERT INTO plates.plate_generation (n) VALUES (1);

-- Every destructive act is a row before it is a deed.
CREATE TABLE plates.disposal (
    id         uuid PRIMARY KEY,
    day        date        NOT NULL,
    what       text COLLATE "C" NOT NULL CHECK (what IN ('no-hit', 'day', 'kept')),
    decided_at timestamptz NOT NULL,
    grounds    jsonb       NOT NULL,
    reads      bigint,
    done_at    timestamptz,
    entry_id   uuid        NOT NULL,
    UNIQUE (day, what)
);
