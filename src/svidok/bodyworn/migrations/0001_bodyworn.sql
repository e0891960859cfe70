CREATE SCHEMA IF NOT EXISTS bodyworn;

-- What may not be taken back. Disposal of footage is a row in `bodyworn.disposal`; nothing else ends anything.
CREATE FUNCTION bodyworn.refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never deleted', TG_TABLE_NAME;
END $$;

-- What the law lets a service do: typed in with its legal basis. Without a row nobody of that service gets a camera.
CREATE TABLE bodyworn.pack (
    service         text PRIMARY KEY CHECK (service IN ('customs', 'police', 'border_guard')),
    retention_class text        NOT NULL CHECK (length(trim(retention_class)) > 0),
    legal_basis     text        NOT NULL CHECK (length(trim(legal_basis)) >= 5),
    pause_kinds     text[]      NOT NULL DEFAULT '{}',
    hold_reasons    text[]      NOT NULL DEFAULT '{}',
    changed_by      uuid,
    changed_at      timestamptz NOT NULL
);

CREATE TABLE bodyworn.officer (
    id         uuid PRIMARY KEY,
    badge      text    NOT NULL UNIQUE,
    card       bytea UNIQUE,                        -- SHA-256 of what a card or a QR code says
    name       text    NOT NULL,
    service    text    NOT NULL CHECK (service IN ('customs', 'police', 'border_guard')),
    account_id uuid UNIQUE,
    active     boolean NOT NULL DEFAULT true
);

CREATE TABLE bodyworn.shift (
    id         uuid PRIMARY KEY,
    officer_id uuid        NOT NULL REFERENCES bodyworn.officer,
    service    text        NOT NULL,
    checkpoint text        NOT NULL,
    start_at   timestamptz NOT NULL,
    end_at     timestamptz NOT NULL CHECK (end_at > start_at),
    planned_at timestamptz NOT NULL
);
CREATE INDEX shift_by_time ON bodyworn.shift (start_at);
CREATE INDEX shift_of_officer ON bodyworn.shift (officer_id, start_at);

-- When footage must exist. A shift without a row here needs it throughout.
CREATE TABLE bodyworn.duty (
    shift_id uuid        NOT NULL REFERENCES bodyworn.shift,
    start_at timestamptz NOT NULL,
    end_at   timestamptz NOT NULL CHECK (end_at > start_at),
    PRIMARY KEY (shift_id, start_at)
);

CREATE TABLE bodyworn.dock (
    id         uuid PRIMARY KEY,
    name       text        NOT NULL UNIQUE,
    checkpoint text        NOT NULL,
    account    text        NOT NULL UNIQUE,
    secret     bytea       NOT NULL,                -- SHA-256 of a random secret
    made_at    timestamptz NOT NULL,
    seen_at    timestamptz
);

-- A worn camera: what the fleet knows of it, and what docks tell.
CREATE TABLE bodyworn.device (
    camera_id       uuid PRIMARY KEY,
    channel_id      uuid NOT NULL UNIQUE,
    number          text NOT NULL UNIQUE,
    serial          text NOT NULL UNIQUE,
    service         text NOT NULL,
    checkpoint      text NOT NULL DEFAULT '',
    model           text NOT NULL DEFAULT '',
    firmware        text NOT NULL DEFAULT '',
    battery_pct     int,
    storage_pct     int,
    clock_offset_ms bigint,
    counter_clips   bigint,                         -- how many clips it says it ever recorded
    counter_bytes   bigint,
    docked_at       timestamptz,                    -- unset while it is out
    seen_at         timestamptz
);

CREATE TABLE bodyworn.issue (
    id           uuid PRIMARY KEY,
    shift_id     uuid        NOT NULL REFERENCES bodyworn.shift,
    officer_id   uuid        NOT NULL REFERENCES bodyworn.officer,
    camera_id    uuid        NOT NULL REFERENCES bodyworn.device,
    issued_at    timestamptz NOT NULL,
    returned_at  timestamptz,
    docked_at    timestamptz,                       -- all that it recorded was taken off
    why_returned text        NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX issue_of_camera ON bodyworn.issue (camera_id) WHERE returned_at IS NULL;
CREATE UNIQUE INDEX issue_of_officer ON bodyworn.issue (officer_id) WHERE returned_at IS NULL;
CREATE INDEX issue_of_shift ON bodyworn.issue (shift_id);
CREATE INDEX issue_by_camera ON bodyworn.issue (camera_id, issued_at);

-- A folder on a disk that keeps originals. Two of them hold each clip.
CREATE TABLE bodyworn.volume (
    id      uuid PRIMARY KEY,
    node    text        NOT NULL,
    path    text        NOT NULL,
    rank    int         NOT NULL,                   -- 0 takes uploads, the others second copies
    seen_at timestamptz NOT NULL,
    UNIQUE (node, path)
);

-- A recording as a dock names it: a container of clips and what belongs to them.
CREATE TABLE bodyworn.container (
    dock_id      uuid        NOT NULL REFERENCES bodyworn.dock,
    name         text        NOT NULL,
    meta         jsonb       NOT NULL DEFAULT '{}',
    made_at      timestamptz NOT NULL,
    completed_at timestamptz,
    PRIMARY KEY (dock_id, name)
);

-- One file as it was sent. Its row and its ledger entry are what an acknowledgement means.
CREATE TABLE bodyworn.clip (
    id             uuid PRIMARY KEY,
    dock_id        uuid        NOT NULL REFERENCES bodyworn.dock,
    container      text        NOT NULL,
    name           text        NOT NULL,
    kind           text        NOT NULL CHECK (kind IN ('video', 'key', 'track', 'bookmark', 'system', 'other')),
    meta           jsonb       NOT NULL DEFAULT '{}',
    camera_id      uuid,
    sha256         bytea       NOT NULL CHECK (octet_length(sha256) = 32),
    md5            bytea,
    size_bytes     bigint      NOT NULL,
    volume_id      uuid        NOT NULL REFERENCES bodyworn.volume,
    path           text        NOT NULL,            -- relative to the volume
    state          text        NOT NULL CHECK (state IN ('kept', 'copied', 'quarantined')),
    reason         text        NOT NULL DEFAULT '', -- why it is in quarantine
    device_start   timestamptz,                     -- by the camera's own clock
    device_end     timestamptz,
    start_at       timestamptz,                     -- by ours
    end_at         timestamptz,
    received_at    timestamptz NOT NULL,
    entry_id       uuid        NOT NULL,
    copy_volume_id uuid REFERENCES bodyworn.volume,
    copied_at      timestamptz,                     -- both copies were read back and hashed to `sha256`
    read_at        timestamptz,                     -- its pictures were cut into segments and looked at
    disposed_at    timestamptz,
    UNIQUE (dock_id, container, name, sha256)
);
CREATE INDEX clip_to_copy ON bodyworn.clip (received_at) WHERE copied_at IS NULL;
CREATE INDEX clip_to_read ON bodyworn.clip (received_at) WHERE read_at IS NULL;
CREATE INDEX clip_of_camera ON bodyworn.clip (camera_id, start_at);
CREATE INDEX clip_by_hash ON bodyworn.clip (sha256);

-- What of a clip can be played.
CREATE TABLE bodyworn.stretch (
    clip_id    uuid        NOT NULL REFERENCES bodyworn.clip,
    channel_id uuid        NOT NULL,
    start_at   timestamptz NOT NULL,
    end_at     timestamptz NOT NULL,
    PRIMARY KEY (clip_id, start_at)
);
CREATE INDEX stretch_by_time ON bodyworn.stretch (channel_id, start_at);

-- Footage that shows nothing.
CREATE TABLE bodyworn.mark (
    clip_id    uuid        NOT NULL REFERENCES bodyworn.clip,
    channel_id uuid        NOT NULL,
    cause      text        NOT NULL,
    start_at   timestamptz NOT NULL,
    end_at     timestamptz NOT NULL,
    PRIMARY KEY (clip_id, cause, start_at)
);
CREATE INDEX mark_by_time ON bodyworn.mark (channel_id, start_at);

-- What a camera said it recorded.
CREATE TABLE bodyworn.announced (
    camera_id  uuid        NOT NULL REFERENCES bodyworn.device,
    name       text        NOT NULL,
    sequence   bigint,
    start_at   timestamptz NOT NULL,                -- by our clock
    end_at     timestamptz NOT NULL,
    size_bytes bigint,
    sha256     bytea,
    said_at    timestamptz NOT NULL,
    PRIMARY KEY (camera_id, name)
);
CREATE INDEX announced_by_time ON bodyworn.announced (camera_id, start_at);

CREATE TABLE bodyworn.device_event (
    camera_id uuid        NOT NULL REFERENCES bodyworn.device,
    at        timestamptz NOT NULL,
    kind      text        NOT NULL,
    PRIMARY KEY (camera_id, at, kind)
);

CREATE TABLE bodyworn.pause (
    id       uuid PRIMARY KEY,
    shift_id uuid        NOT NULL REFERENCES bodyworn.shift,
    start_at timestamptz NOT NULL,
    end_at   timestamptz NOT NULL CHECK (end_at > start_at),
    kind     text        NOT NULL,
    reason   text        NOT NULL CHECK (length(trim(reason)) >= 5),
    said_by  uuid        NOT NULL,
    said_at  timestamptz NOT NULL,
    entry_id uuid        NOT NULL
);
CREATE INDEX pause_of_shift ON bodyworn.pause (shift_id);

-- An upload in parts. `acknowledged` bytes are synced; whatever the file has beyond them is not counted.
CREATE TABLE bodyworn.upload (
    id           uuid PRIMARY KEY,
    dock_id      uuid        NOT NULL REFERENCES bodyworn.dock,
    meta         jsonb       NOT NULL,
    length       bigint      NOT NULL CHECK (length >= 0),
    acknowledged bigint      NOT NULL DEFAULT 0,
    volume_id    uuid        NOT NULL REFERENCES bodyworn.volume,
    clip_id      uuid,
    begun_at     timestamptz NOT NULL,
    at           timestamptz NOT NULL
);

-- Each comparison of counters, chunks, files and ledger, as it was stated.
CREATE TABLE bodyworn.inventory (
    id        uuid PRIMARY KEY,
    at        timestamptz NOT NULL,
    statement jsonb       NOT NULL,
    shortfall int         NOT NULL,
    entry_id  uuid        NOT NULL
);
CREATE INDEX inventory_latest ON bodyworn.inventory (at);

-- Every destructive act is a row before it is a deed.
CREATE TABLE bodyworn.disposal (
    clip_id    uuid PRIMARY KEY REFERENCES bodyworn.clip,
    decided_at timestamptz NOT NULL,
    grounds    jsonb       NOT NULL,
    entry_id   uuid        NOT NULL,
    done_at    timestamptz
);

CREATE TRIGGER nobody_deletes BEFORE DELETE ON bodyworn.clip FOR EACH ROW EXECUTE FUNCTION bodyworn.refuse_delete();
CREATE TRIGGER nobody_deletes BEFORE DELETE ON bodyworn.announced FOR EACH ROW EXECUTE FUNCTION bodyworn.refuse_delete();
CREATE TRIGGER nobody_deletes BEFORE DELETE ON bodyworn.pause FOR EACH ROW EXECUTE FUNCTION bodyworn.refuse_delete();
CREATE TRIGGER nobody_deletes BEFORE DELETE ON bodyworn.device_event FOR EACH ROW EXECUTE FUNCTION bodyworn.refuse_delete();
CREATE TRIGGER nobody_deletes BEFORE DELETE ON bodyworn.issue FOR EACH ROW EXECUTE FUNCTION bodyworn.refuse_delete();
CREATE TRIGGER nobody_deletes BEFORE DELETE ON bodyworn.inventory FOR EACH ROW EXECUTE FUNCTION bodyworn.refuse_delete();
CREATE TRIGGER nobody_deletes BEFORE DELETE ON bodyworn.disposal FOR EACH ROW EXECUTE FUNCTION bodyworn.refuse_delete();
