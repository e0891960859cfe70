-- A copy of a sealed segment at one target (another disk, a bucket), under a key of its own.
CREATE TABLE recording.copy (
    segment_id   uuid        NOT NULL REFERENCES recording.segment,
    target       text        NOT NULL,
    object       text        NOT NULL,              -- its name at the target
    key          bytea,                             -- wrapped by the keeper's; unset: destroyed, nobody reads it again
    size_bytes   bigint,
    sha256       bytea CHECK (octet_length(sha256) = 32),   -- of the enciphered bytes
    made_at      timestamptz,                       -- unset until it was read back
    locked_until timestamptz,                       -- until when the store refuses to delete
    erased_at    timestamptz,
    PRIMARY KEY (segment_id, target),
    CHECK (made_at IS NULL OR (size_bytes IS NOT NULL AND sha256 IS NOT NULL))
);
CREATE UNIQUE INDEX copy_by_object ON recording.copy (target, object COLLATE "C");
CREATE INDEX copy_unreadable ON recording.copy (target, segment_id) WHERE key IS NULL AND erased_at IS NULL;

-- What was held against what: rows against the store's own list.
CREATE TABLE recording.inventory (
    id         uuid PRIMARY KEY,
    target     text        NOT NULL,
    taken_at   timestamptz NOT NULL,
    copies     bigint      NOT NULL,
    missing    bigint      NOT NULL,
    differing  bigint      NOT NULL,
    unknown    bigint      NOT NULL,
    waiting    bigint      NOT NULL,
    digest     bytea       NOT NULL CHECK (octet_length(digest) = 32),
    entry_id   uuid        NOT NULL
);
CREATE INDEX inventory_by_target ON recording.inventory (target, taken_at);
