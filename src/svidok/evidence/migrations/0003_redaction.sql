-- A redaction in the making: what is covered in a film, until another person has looked at all of it.
CREATE TABLE evidence.redaction (
    id            uuid PRIMARY KEY,
    exhibit_id    uuid        NOT NULL REFERENCES evidence.exhibit,
    state         text        NOT NULL CHECK (state IN ('proposing', 'editing', 'asked', 'accepted', 'dropped')),
    style         text        NOT NULL DEFAULT 'solid' CHECK (style IN ('solid', 'mosaic')),
    mute          boolean     NOT NULL DEFAULT true,
    made_by       uuid        NOT NULL REFERENCES access.account,
    made_at       timestamptz NOT NULL,
    path          text        NOT NULL,              -- the working copy, within the vault
    source_sha256 bytea       NOT NULL,              -- of the working copy: what the result is tied to
    width         int         NOT NULL,
    height        int         NOT NULL,
    pictures      int         NOT NULL,
    rate_mhz      int         NOT NULL,              -- pictures in a thousand seconds
    has_sound     boolean     NOT NULL,
    looked_at     int         NOT NULL DEFAULT 0,    -- as far as the proposals have come
    asked_by      uuid REFERENCES access.account,    -- the first pass: whoever says that it is whole
    asked_at      timestamptz,
    reviewed_by   uuid REFERENCES access.account,    -- the second pass
    reviewed_at   timestamptz,
    says          text        NOT NULL DEFAULT '',
    result_id     uuid REFERENCES evidence.exhibit,
    CHECK (reviewed_by IS NULL OR reviewed_by <> asked_by)
);

-- What a finder saw on one picture, as it was seen; the proposals are made of these.
CREATE TABLE evidence.sighting (
    redaction_id uuid    NOT NULL REFERENCES evidence.redaction,
    picture      int     NOT NULL,
    found        jsonb   NOT NULL,                   -- [kind, x, y, width, height, score in thousandths]
    PRIMARY KEY (redaction_id, picture)
);

-- One cover: a box that moves from key to key.
CREATE TABLE evidence.cover (
    id           uuid PRIMARY KEY,
    redaction_id uuid        NOT NULL REFERENCES evidence.redaction,
    kind         text        NOT NULL CHECK (kind IN ('face', 'head', 'plate', 'region')),
    first        int         NOT NULL CHECK (first >= 0),
    last         int         NOT NULL CHECK (last >= first),
    keys         jsonb       NOT NULL,               -- [[picture, x, y, width, height], …]
    off          boolean     NOT NULL DEFAULT false, -- taken off by a person; stays on record
    by_id        uuid        NOT NULL REFERENCES access.account,
    at           timestamptz NOT NULL
);
CREATE INDEX cover_of_redaction ON evidence.cover (redaction_id);
