-- What reads plates by itself and tells us: a camera, or something that stands for several. Its secret is kept hashed.
CREATE TABLE plates.device (
    id         uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (length(trim(name)) BETWEEN 1 AND 80),
    source     text COLLATE "C" NOT NULL,
    secret     bytea NOT NULL UNIQUE,
    old_secret bytea UNIQUE,              -- goes on working until old_until, while the device is told the new one
    old_until  timestamptz,
    topic      text COLLATE "C" UNIQUE,   -- by which a customer's MQTT broker knows it; unset: it does not come that way
    enabled    boolean NOT NULL DEFAULT true,
    expires_at timestamptz,
    per_s      real NOT NULL CHECK (per_s BETWEEN 0.1 AND 5000),
    added_by   uuid NOT NULL,
    added_at   timestamptz NOT NULL
);

-- The cameras a device speaks for. `told` is the name it calls one by; empty: the one it means when it names none.
CREATE TABLE plates.device_camera (
    device_id uuid NOT NULL REFERENCES plates.device ON DELETE CASCADE,
    told      text COLLATE "C" NOT NULL,
    camera_id uuid NOT NULL,
    PRIMARY KEY (device_id, told)
);

-- How a device fares: small and hot, apart from what seldom changes.
CREATE TABLE plates.device_tally (
    device_id uuid PRIMARY KEY REFERENCES plates.device ON DELETE CASCADE,
    last_seen timestamptz,
    taken     bigint NOT NULL DEFAULT 0,    -- reads that were new
    repeated  bigint NOT NULL DEFAULT 0,    -- reads that were there before
    rejected  bigint NOT NULL DEFAULT 0,    -- reads or bodies that could not be taken
    refused   bigint NOT NULL DEFAULT 0     -- times it was turned away: disabled, expired, too many at once
) WITH (fillfactor = 60);
