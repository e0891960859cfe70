CREATE SCHEMA IF NOT EXISTS plates;

-- Every plate that was ever read, once. Its id is what reads carry.
CREATE TABLE plates.plate (
    id       int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    text     text COLLATE "C" NOT NULL UNIQUE CHECK (text ~ '^[^[:space:][:cntrl:]]{1,16}$'),
    first_at timestamptz NOT NULL
);

-- One plate at one camera at one instant. A partition for each day of taken_at (UTC).
CREATE TABLE plates.read (
    id          uuid        NOT NULL,
    taken_at    timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    camera_id   uuid        NOT NULL,
    plate_id    int         NOT NULL,
    confidence  real        NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    country     char(2),
    direction   text COLLATE "C" NOT NULL CHECK (direction IN ('towards', 'away', 'unknown')),
    source      text COLLATE "C" NOT NULL,
    as_read     text,                       -- unset where it is the plate's normal form
    segment_id  uuid,
    image       uuid,
    patch       uuid,
    detail      jsonb,
    PRIMARY KEY (id, taken_at)
) PARTITION BY RANGE (taken_at);
CREATE INDEX read_by_plate ON plates.read (plate_id, taken_at);
CREATE INDEX read_by_camera ON plates.read (camera_id, taken_at);
-- Rows lie in the order they came: a few bytes for each stretch of pages say when it came.
CREATE INDEX read_by_arrival ON plates.read USING brin (received_at) WITH (pages_per_range = 16, autosummarize = on);

-- What each day comes to for each plate, once the day is over: how often, first, last.
CREATE TABLE plates.day_sum (
    plate_id int         NOT NULL,
    day      date        NOT NULL,
    reads    int         NOT NULL,
    last_at  timestamptz NOT NULL,
    PRIMARY KEY (day, plate_id)
);

-- Reads that outlive the partition of their day, since a hit or a case needs them.
CREATE TABLE plates.kept_read (LIKE plates.read INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY (id));
CREATE INDEX kept_read_by_plate ON plates.kept_read (plate_id, taken_at);

-- What came and could not be taken, kept aside.
CREATE TABLE plates.rejected (
    id        uuid PRIMARY KEY,
    at        timestamptz NOT NULL,
    device_id uuid,
    code      text  NOT NULL,
    says      text  NOT NULL,
    body      bytea NOT NULL CHECK (octet_length(body) <= 4096)
);
CREATE INDEX rejected_by_time ON plates.rejected (at);
