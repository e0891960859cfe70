CREATE SCHEMA IF NOT EXISTS recording;

-- A folder on a disk of one machine that holds segments.
CREATE TABLE recording.volume (
    id          uuid PRIMARY KEY,
    node        text        NOT NULL,
    path        text        NOT NULL,
    quota_bytes bigint CHECK (quota_bytes > 0),      -- unset: all of the disk but the floor
    used_bytes  bigint      NOT NULL DEFAULT 0,      -- as its recorder last saw it
    free_bytes  bigint      NOT NULL DEFAULT 0,
    state       text        NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'full', 'absent', 'retired')),
    seen_at     timestamptz,
    UNIQUE (node, path)
);

-- Unbroken footage of one channel.
CREATE TABLE recording.recording (
    id          uuid PRIMARY KEY,
    channel_id  uuid        NOT NULL,
    stream_id   uuid        NOT NULL,
    node        text        NOT NULL,
    started_at  timestamptz NOT NULL
);

-- The smallest sealed file. The file and its index are the truth; this row is how it is found.
CREATE TABLE recording.segment (
    id              uuid PRIMARY KEY,
    recording_id    uuid        NOT NULL,
    channel_id      uuid        NOT NULL,
    volume_id       uuid        NOT NULL REFERENCES recording.volume,
    path            text        NOT NULL,            -- relative to the volume
    start_at        timestamptz NOT NULL,
    end_at          timestamptz NOT NULL,            -- half-open
    size_bytes      bigint      NOT NULL,
    fragments       int         NOT NULL,
    root            bytea CHECK (octet_length(root) = 32),   -- Merkle root over init and fragments; unset while open
    codec           text        NOT NULL,            -- RFC 6381, e.g. avc1.64001f
    width           int         NOT NULL,
    height          int         NOT NULL,
    clock_offset_us bigint      NOT NULL DEFAULT 0,  -- camera minus ours
    clock_error_us  bigint      NOT NULL DEFAULT 0,
    clock_drift_ppm int         NOT NULL DEFAULT 0,
    clock_source    text        NOT NULL DEFAULT 'none',
    entry_id        uuid,                            -- its seal in ledger.entry
    state           text        NOT NULL CHECK (state IN ('open', 'sealed', 'disposed')),
    CHECK (end_at >= start_at),
    CHECK (state = 'open' OR root IS NOT NULL)
);
CREATE INDEX segment_by_time ON recording.segment (channel_id, start_at) WHERE state <> 'disposed';
CREATE INDEX segment_oldest ON recording.segment (volume_id, start_at) WHERE state = 'sealed';

-- Time a channel should have footage and has none.
CREATE TABLE recording.gap (
    id          uuid PRIMARY KEY,
    channel_id  uuid        NOT NULL,
    start_at    timestamptz NOT NULL,
    end_at      timestamptz,                         -- unset while it lasts
    reason      text        NOT NULL,
    detail      text        NOT NULL DEFAULT '',
    CHECK (end_at >= start_at)
);
CREATE UNIQUE INDEX gap_open ON recording.gap (channel_id) WHERE end_at IS NULL;
CREATE INDEX gap_by_time ON recording.gap (channel_id, start_at);
CREATE INDEX gap_recent ON recording.gap (start_at);

-- What was measured of a camera's clock, each time it changed noticeably and at each seal.
CREATE TABLE recording.clock_reading (
    channel_id  uuid        NOT NULL,
    at          timestamptz NOT NULL,
    offset_us   bigint      NOT NULL,
    error_us    bigint      NOT NULL,
    drift_ppm   int         NOT NULL,
    source      text        NOT NULL,
    PRIMARY KEY (channel_id, at)
);

-- Every destructive act is a row before it is a deed.
CREATE TABLE recording.disposal (
    id          uuid PRIMARY KEY,
    segment_id  uuid        NOT NULL UNIQUE REFERENCES recording.segment,
    decided_at  timestamptz NOT NULL,
    verdict     text        NOT NULL,
    grounds     jsonb       NOT NULL,
    done_at     timestamptz,                         -- unset until the bytes are gone
    entry_id    uuid        NOT NULL
);
CREATE INDEX disposal_pending ON recording.disposal (decided_at) WHERE done_at IS NULL;

-- Something about the footage that a person must look at.
CREATE TABLE recording.alarm (
    id          uuid PRIMARY KEY,
    code        text        NOT NULL,
    subject     text        NOT NULL,
    raised_at   timestamptz NOT NULL,
    cleared_at  timestamptz,
    details     jsonb       NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX alarm_standing ON recording.alarm (code, subject) WHERE cleared_at IS NULL;

-- How each recorder fares, written every few seconds.
CREATE TABLE recording.recorder (
    node        text PRIMARY KEY,
    seen_at     timestamptz NOT NULL,
    channels    int         NOT NULL,
    recording   int         NOT NULL,
    bytes_per_s bigint      NOT NULL,
    waiting     int         NOT NULL                  -- facts not entered in the database yet
);
