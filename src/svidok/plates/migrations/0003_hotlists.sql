-- Plates that are looked for, under one legal basis, owned by one unit.
CREATE TABLE plates.hotlist (
    id          uuid PRIMARY KEY,
    name        text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 120),
    legal_basis text NOT NULL CHECK (length(trim(legal_basis)) >= 5),
    owner_unit  uuid,
    see_units   uuid[] NOT NULL DEFAULT '{}',   -- who may see it and its hits; empty: every unit
    made_by     uuid NOT NULL,
    made_at     timestamptz NOT NULL,
    ended_at    timestamptz
);
CREATE UNIQUE INDEX hotlist_name ON plates.hotlist (name) WHERE ended_at IS NULL;

-- One plate or pattern on a list. Never changed in what it says: it is ended, and another entered.
CREATE TABLE plates.hotlist_entry (
    id           uuid PRIMARY KEY,
    list_id      uuid NOT NULL REFERENCES plates.hotlist,
    plate        text COLLATE "C" NOT NULL CHECK (length(plate) BETWEEN 2 AND 24),
    is_pattern   boolean NOT NULL,
    reason       text NOT NULL CHECK (length(trim(reason)) >= 3),
    priority     text COLLATE "C" NOT NULL CHECK (priority IN ('high', 'normal', 'low')),
    instructions text NOT NULL DEFAULT '',
    expires_at   timestamptz NOT NULL,
    added_by     uuid NOT NULL,
    added_at     timestamptz NOT NULL,
    approved_by  uuid CHECK (approved_by <> added_by),  -- high priority waits for a second person
    approved_at  timestamptz,
    ended_by     uuid,
    ended_at     timestamptz,
    CHECK (expires_at > added_at)
);
CREATE UNIQUE INDEX hotlist_entry_standing ON plates.hotlist_entry (list_id, plate) WHERE ended_at IS NULL;
CREATE INDEX hotlist_entry_plate ON plates.hotlist_entry (plate) WHERE ended_at IS NULL;

-- Goes up with every change of any list, so that whoever matches knows when to read them anew.
CREATE TABLE plates.hotlist_version (one boolean PRIMARY KEY DEFAULT true CHECK (one), n bigint NOT NULL);
INSERT INTO plates.hotlist_version (n) VALUES (1);

-- A read that fits an entry. Written in the transaction that keeps the read; the room above makes alerts of it.
CREATE TABLE plates.hit (
    id          uuid PRIMARY KEY,
    read_id     uuid        NOT NULL,
    taken_at    timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    camera_id   uuid        NOT NULL,
    plate       text COLLATE "C" NOT NULL,
    entry_id    uuid        NOT NULL REFERENCES plates.hotlist_entry,
    how         text COLLATE "C" NOT NULL CHECK (how IN ('exact', 'pattern', 'alternative')),
    likelihood  real        NOT NULL,
    told_at     timestamptz,                    -- unset until the room above took it
    withheld    boolean     NOT NULL DEFAULT false,  -- the camera has withdrawn itself: no alert
    verdict     text COLLATE "C" CHECK (verdict IN ('confirmed', 'misread', 'outdated', 'other')),
    UNIQUE (read_id, entry_id)
);
CREATE INDEX hit_waiting ON plates.hit (received_at) WHERE told_at IS NULL;
CREATE INDEX hit_of_camera ON plates.hit (camera_id, received_at);
CREATE INDEX hit_of_entry ON plates.hit (entry_id, received_at);

-- A camera that misreads too much raises no alerts until a person lets it again.
CREATE TABLE plates.camera_standing (
    camera_id     uuid PRIMARY KEY,
    withdrawn_at  timestamptz,
    why           text NOT NULL DEFAULT '',
    counted_from  timestamptz NOT NULL,          -- verdicts before it count no more
    reinstated_by uuid
);

-- What each camera read each hour: how complete an answer is, and how well a camera reads.
CREATE TABLE plates.camera_hour (
    camera_id  uuid        NOT NULL,
    hour       timestamptz NOT NULL,
    reads      int         NOT NULL,
    confidence real        NOT NULL,             -- the sum
    low        int         NOT NULL,             -- reads below 0.7
    PRIMARY KEY (camera_id, hour)
) WITH (fillfactor = 80);
CREATE INDEX camera_hour_by_time ON plates.camera_hour (hour);
