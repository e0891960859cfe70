CREATE SCHEMA IF NOT EXISTS incidents;

-- What a person must look at: a hit, or several of the same entry at the same camera within a short time.
CREATE TABLE incidents.alert (
    id           uuid PRIMARY KEY,
    entry_id     uuid        NOT NULL,
    list_id      uuid        NOT NULL,
    list_name    text        NOT NULL,
    wanted       text COLLATE "C" NOT NULL,          -- the plate or pattern that is looked for
    plate        text COLLATE "C" NOT NULL,          -- the reading that fits
    read_plate   text COLLATE "C" NOT NULL,          -- what the camera took for likeliest
    how          text COLLATE "C" NOT NULL,
    likelihood   real        NOT NULL,
    confidence   real        NOT NULL,
    alternatives jsonb       NOT NULL DEFAULT '[]',
    country      char(2),
    direction    text        NOT NULL,
    camera_id    uuid        NOT NULL,
    read_id      uuid        NOT NULL,
    taken_at     timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    raised_at    timestamptz NOT NULL,
    image        uuid,
    patch        uuid,
    segment_id   uuid,
    lat          double precision,
    lon          double precision,
    priority     text COLLATE "C" NOT NULL,
    reason       text        NOT NULL,
    legal_basis  text        NOT NULL,
    instructions text        NOT NULL,
    see_units    uuid[]      NOT NULL DEFAULT '{}',
    state        text COLLATE "C" NOT NULL CHECK (state IN ('new', 'acknowledged', 'confirmed', 'refuted')),
    why          text COLLATE "C",
    holder       uuid,                               -- who looks after it
    handed_to    uuid,                               -- a unit it was handed to
    judged_by    uuid,
    judged_at    timestamptz,
    hits         int         NOT NULL DEFAULT 1,
    last_hit_at  timestamptz NOT NULL,
    version      bigint      NOT NULL DEFAULT 1,
    CHECK ((state IN ('confirmed', 'refuted')) = (judged_by IS NOT NULL))
);
CREATE INDEX alert_open ON incidents.alert (raised_at) WHERE state IN ('new', 'acknowledged');
CREATE INDEX alert_by_time ON incidents.alert (raised_at DESC, id DESC);
CREATE INDEX alert_of_entry ON incidents.alert (entry_id, camera_id, raised_at);

-- Each step of a person, with what they said.
CREATE TABLE incidents.step (
    id       uuid PRIMARY KEY,
    alert_id uuid        NOT NULL REFERENCES incidents.alert ON DELETE CASCADE,
    at       timestamptz NOT NULL,
    actor_id uuid        NOT NULL,
    step     text COLLATE "C" NOT NULL,
    note     text        NOT NULL DEFAULT '',
    entry_id uuid        NOT NULL
);
CREATE INDEX step_of_alert ON incidents.step (alert_id, at);

-- Where confirmed alerts are told besides the desk.
CREATE TABLE incidents.channel (
    id         uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (length(trim(name)) BETWEEN 1 AND 80),
    kind       text COLLATE "C" NOT NULL CHECK (kind IN ('webhook', 'mqtt')),
    target     text NOT NULL,                        -- an https address, or a topic
    secret     bytea,                                -- sealed; signs webhooks
    enabled    boolean NOT NULL DEFAULT true,
    legal_basis text NOT NULL CHECK (length(trim(legal_basis)) >= 5),
    added_by   uuid NOT NULL,
    added_at   timestamptz NOT NULL
);

-- The outbox: what is to be told, until it was.
CREATE TABLE incidents.delivery (
    id         uuid PRIMARY KEY,
    channel_id uuid        NOT NULL REFERENCES incidents.channel ON DELETE CASCADE,
    alert_id   uuid        NOT NULL REFERENCES incidents.alert ON DELETE CASCADE,
    body       jsonb       NOT NULL,
    made_at    timestamptz NOT NULL,
    next_at    timestamptz NOT NULL,
    attempts   int         NOT NULL DEFAULT 0,
    done_at    timestamptz,
    given_up   boolean     NOT NULL DEFAULT false,
    says       text        NOT NULL DEFAULT ''
);
CREATE INDEX delivery_due ON incidents.delivery (next_at) WHERE done_at IS NULL AND NOT given_up;
