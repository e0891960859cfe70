CREATE SCHEMA IF NOT EXISTS customs;

-- A place where customs control is done.
CREATE TABLE customs.checkpoint (
    id            uuid PRIMARY KEY,
    code          text NOT NULL UNIQUE,
    name_uk       text NOT NULL,
    name_en       text NOT NULL DEFAULT '',
    plates_due    boolean NOT NULL DEFAULT false,   -- has cameras that read plates in and out
    body_due      boolean NOT NULL DEFAULT true,    -- its officers wear cameras
    upload_within interval NOT NULL DEFAULT '12 hours',  -- after which a worn camera should have been docked
    made_at       timestamptz NOT NULL
);

CREATE TABLE customs.lane (
    id            uuid PRIMARY KEY,
    checkpoint_id uuid NOT NULL REFERENCES customs.checkpoint,
    code          text NOT NULL,
    name_uk       text NOT NULL,
    name_en       text NOT NULL DEFAULT '',
    UNIQUE (checkpoint_id, code)
);

-- The fixed cameras that should see a lane.
CREATE TABLE customs.lane_camera (
    lane_id    uuid NOT NULL REFERENCES customs.lane,
    channel_id uuid NOT NULL,
    PRIMARY KEY (lane_id, channel_id)
);

-- A customs system or a scanner that tells us things. Its secret is kept hashed.
CREATE TABLE customs.source (
    id          uuid PRIMARY KEY,
    name        text  NOT NULL UNIQUE CHECK (length(trim(name)) BETWEEN 1 AND 80),
    secret      bytea NOT NULL UNIQUE,
    checkpoints uuid[],                             -- for which it speaks; unset: for all
    added_by    uuid NOT NULL,
    added_at    timestamptz NOT NULL,
    ended_at    timestamptz,
    seen_at     timestamptz
);

-- One delivery of a source.
CREATE TABLE customs.delivery (
    id        uuid PRIMARY KEY,
    source_id uuid NOT NULL REFERENCES customs.source,
    at        timestamptz NOT NULL,
    taken     int NOT NULL,
    corrected int NOT NULL,
    known     int NOT NULL,
    refused   int NOT NULL,
    entry_id  uuid
);
CREATE INDEX delivery_by_time ON customs.delivery (at DESC);

-- A row that could not be taken, kept as it came.
CREATE TABLE customs.refused_row (
    id          uuid PRIMARY KEY,
    delivery_id uuid NOT NULL REFERENCES customs.delivery,
    line        int  NOT NULL,
    number      text NOT NULL,
    says        text NOT NULL,
    body        text NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX refused_by_time ON customs.refused_row (at DESC);

-- One control of one vehicle, person or consignment: its latest version.
CREATE TABLE customs.procedure (
    id             uuid PRIMARY KEY,
    source_id      uuid NOT NULL,
    number         text NOT NULL,
    version        int  NOT NULL DEFAULT 1,
    digest         bytea NOT NULL,
    checkpoint_id  uuid NOT NULL,
    lane_id        uuid NOT NULL,
    kind           text COLLATE "C" NOT NULL,
    direction      text COLLATE "C" NOT NULL,
    declaration    text COLLATE "C",
    plate          text COLLATE "C",
    officers       text[] NOT NULL,
    queued_at      timestamptz,
    start_at       timestamptz NOT NULL,
    end_at         timestamptz,
    outcome        text COLLATE "C",
    scan_due       boolean NOT NULL,
    steps          jsonb NOT NULL,
    irregularities jsonb NOT NULL,
    delivery_id    uuid NOT NULL,
    received_at    timestamptz NOT NULL,
    settled        boolean NOT NULL DEFAULT false,  -- whether the completeness check has had its last word
    CHECK (end_at >= start_at)
);
CREATE UNIQUE INDEX procedure_by_number ON customs.procedure (source_id, number);
CREATE INDEX procedure_by_time ON customs.procedure (checkpoint_id, start_at DESC, id);
CREATE INDEX procedure_by_plate ON customs.procedure (plate, start_at) WHERE plate IS NOT NULL;
CREATE INDEX procedure_by_declaration ON customs.procedure (declaration) WHERE declaration IS NOT NULL;
CREATE INDEX procedure_unsettled ON customs.procedure (end_at) WHERE NOT settled AND end_at IS NOT NULL;

-- What a procedure was before it was corrected.
CREATE TABLE customs.procedure_past (
    procedure_id uuid NOT NULL,
    version      int  NOT NULL,
    digest       bytea NOT NULL,
    body         jsonb NOT NULL,
    delivery_id  uuid NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (procedure_id, version)
);

-- Sums of a day (or of a whole month) of a checkpoint, by facet: all, lane, kind, hour, irregularity, missing.
CREATE TABLE customs.sum (
    grain         char(1) NOT NULL CHECK (grain IN ('d', 'm')),
    checkpoint_id uuid    NOT NULL,
    day           date    NOT NULL,                 -- by the wall clock of the checkpoint; a month by its first
    facet         text COLLATE "C" NOT NULL,
    value         text COLLATE "C" NOT NULL,
    procedures    int     NOT NULL,
    ended         int     NOT NULL DEFAULT 0,
    wait_s        bigint  NOT NULL DEFAULT 0,
    took          bytea   NOT NULL DEFAULT '',      -- a histogram of how long, see customs.histogram
    waited        bytea   NOT NULL DEFAULT '',
    PRIMARY KEY (grain, checkpoint_id, facet, day, value)
);

-- Days whose sums are not true any more.
CREATE TABLE customs.sum_due (
    checkpoint_id uuid NOT NULL,
    day           date NOT NULL,
    PRIMARY KEY (checkpoint_id, day)
);

-- What a procedure should have and has not. Never removed: it arrives, or it is explained, or it stays.
CREATE TABLE customs.missing (
    id            uuid PRIMARY KEY,
    procedure_id  uuid NOT NULL,
    checkpoint_id uuid NOT NULL,
    start_at      timestamptz NOT NULL,             -- of the procedure
    requirement   text COLLATE "C" NOT NULL CHECK (requirement IN ('body-camera', 'lane-camera', 'plate-in',
                                                                  'plate-out', 'scan')),
    subject       text NOT NULL,                    -- whose camera, which channel; empty where there is only one
    cause         text COLLATE "C" NOT NULL,
    missing_ms    bigint NOT NULL,
    detail        text NOT NULL DEFAULT '',
    since         timestamptz NOT NULL,             -- from when it should have been here
    found_at      timestamptz NOT NULL,
    arrived_at    timestamptz,                      -- it came after all
    explained_at  timestamptz,                      -- a person said why; it is missing all the same
    explained_by  uuid,
    explanation   text CHECK (length(trim(explanation)) >= 5),
    entry_id      uuid NOT NULL,
    UNIQUE (procedure_id, requirement, subject)
);
CREATE INDEX missing_open ON customs.missing (checkpoint_id, since) WHERE arrived_at IS NULL AND explained_at IS NULL;
CREATE INDEX missing_by_time ON customs.missing (checkpoint_id, start_at);

-- An image of a cargo scanner, kept bit for bit.
CREATE TABLE customs.scan (
    id            uuid PRIMARY KEY,
    source_id     uuid NOT NULL REFERENCES customs.source,
    procedure_id  uuid,                             -- unset until it is known whose it is
    checkpoint_id uuid NOT NULL REFERENCES customs.checkpoint,
    procedure_number text,
    declaration   text,
    plate         text,
    device        text NOT NULL,
    taken_at      timestamptz NOT NULL,
    form          text NOT NULL CHECK (form IN ('dicom', 'tiff', 'png', 'pdf', 'unknown')),
    size_bytes    bigint NOT NULL,
    sha256        bytea NOT NULL CHECK (octet_length(sha256) = 32),
    volume_id     uuid NOT NULL,
    path          text NOT NULL,                    -- relative to the volume
    state         text NOT NULL CHECK (state IN ('kept', 'aside')),   -- aside: kept, and not believed to be a scan
    says          text NOT NULL DEFAULT '',
    width         int,
    height        int,
    picture       boolean NOT NULL DEFAULT false,   -- whether a picture for the browser lies beside it
    metadata      jsonb NOT NULL DEFAULT '{}',
    received_at   timestamptz NOT NULL,
    entry_id      uuid NOT NULL,
    UNIQUE (source_id, sha256)
);
CREATE INDEX scan_of_procedure ON customs.scan (procedure_id) WHERE procedure_id IS NOT NULL;
CREATE INDEX scan_by_time ON customs.scan (checkpoint_id, taken_at);

-- A traveller or an officer complains.
CREATE TABLE customs.complaint (
    id            uuid PRIMARY KEY,
    number        int GENERATED ALWAYS AS IDENTITY UNIQUE,
    by_whom       text NOT NULL CHECK (by_whom IN ('traveller', 'officer')),
    text          text NOT NULL CHECK (length(trim(text)) >= 10),
    contact       text NOT NULL DEFAULT '',
    checkpoint_id uuid NOT NULL REFERENCES customs.checkpoint,
    start_at      timestamptz NOT NULL,
    end_at        timestamptz NOT NULL CHECK (end_at > start_at),
    plate         text,
    declaration   text,
    against       uuid[] NOT NULL DEFAULT '{}',     -- accounts of the officers complained of
    opened_by     uuid NOT NULL,
    opened_at     timestamptz NOT NULL,
    decision      text CHECK (decision IN ('upheld', 'upheld-in-part', 'not-upheld', 'cannot-tell')),
    grounds       text CHECK (length(trim(grounds)) >= 20),
    decided_by    uuid,
    decided_at    timestamptz,
    entry_id      uuid NOT NULL,
    CHECK ((decision IS NULL) = (decided_at IS NULL) AND (decision IS NULL) = (grounds IS NULL))
);
CREATE INDEX complaint_against ON customs.complaint USING gin (against);

-- What it is about: the procedures found, and what was held for it.
CREATE TABLE customs.complaint_procedure (
    complaint_id uuid NOT NULL REFERENCES customs.complaint,
    procedure_id uuid NOT NULL,
    found_by     text NOT NULL,
    PRIMARY KEY (complaint_id, procedure_id)
);
CREATE TABLE customs.complaint_hold (
    complaint_id uuid NOT NULL REFERENCES customs.complaint,
    hold_id      uuid NOT NULL,
    channel_id   uuid NOT NULL,
    start_at     timestamptz NOT NULL,
    end_at       timestamptz NOT NULL,
    PRIMARY KEY (complaint_id, hold_id)
);
CREATE INDEX complaint_hold_by_channel ON customs.complaint_hold (channel_id);
