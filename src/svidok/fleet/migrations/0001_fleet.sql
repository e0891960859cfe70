CREATE SCHEMA IF NOT EXISTS fleet;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE fleet.site (
    id          uuid PRIMARY KEY,
    name_uk     text NOT NULL UNIQUE,
    name_en     text NOT NULL,
    region_code text NOT NULL
);

CREATE TABLE fleet.camera (
    id              uuid PRIMARY KEY,
    number          text NOT NULL UNIQUE,           -- the inventory number; imports know a camera by it
    site_id         uuid REFERENCES fleet.site,
    name_uk         text NOT NULL,
    name_en         text NOT NULL DEFAULT '',
    kind            text NOT NULL CHECK (kind IN ('overview', 'plate', 'face_capable', 'body_worn')),
    owner           text NOT NULL CHECK (owner IN ('police', 'municipality', 'customs', 'private')),
    region_code     text NOT NULL,                  -- KATOTTH, an oblast or finer
    lat             double precision CHECK (lat BETWEEN -90 AND 90),
    lon             double precision CHECK (lon BETWEEN -180 AND 180),
    heading_deg     int CHECK (heading_deg BETWEEN 0 AND 359),
    fov_deg         int CHECK (fov_deg BETWEEN 1 AND 360),
    px_m_class      text,                           -- IEC 62676-4:2025
    lawful_basis    text NOT NULL DEFAULT '',       -- by which law it was placed
    retention_class text NOT NULL DEFAULT '',
    maker           text NOT NULL DEFAULT '',
    model           text NOT NULL DEFAULT '',
    firmware        text NOT NULL DEFAULT '',
    serial          text NOT NULL DEFAULT '',
    address         text NOT NULL DEFAULT '',       -- host:port of its ONVIF service
    facts           jsonb NOT NULL DEFAULT '{}',    -- what a probe found: profiles, tls, credentials weak
    sealed_login    bytea,                          -- name and password under the credentials key
    life            text NOT NULL DEFAULT 'planned',
    life_since      timestamptz NOT NULL,
    life_reason     text NOT NULL DEFAULT '',
    text_search     text GENERATED ALWAYS AS (lower(number || ' ' || name_uk || ' ' || name_en || ' ' || maker || ' '
                                                    || model || ' ' || address)) STORED
);
CREATE INDEX camera_text ON fleet.camera USING gin (text_search gin_trgm_ops);
CREATE INDEX camera_life ON fleet.camera (life, number);
CREATE INDEX camera_region ON fleet.camera (left(region_code, 4), number);
CREATE INDEX camera_place ON fleet.camera (lon, lat) WHERE lat IS NOT NULL;

-- The beat of a camera: small and hot, apart from what seldom changes.
CREATE TABLE fleet.beat (
    camera_id       uuid PRIMARY KEY REFERENCES fleet.camera,
    seen_at         timestamptz,                    -- the last time it sent
    tried_at        timestamptz,
    ok              boolean NOT NULL DEFAULT false,
    says            text NOT NULL DEFAULT '',
    clock_offset_ms bigint
) WITH (fillfactor = 60);

CREATE TABLE fleet.channel (
    id        uuid PRIMARY KEY,
    camera_id uuid NOT NULL REFERENCES fleet.camera,
    number    int  NOT NULL DEFAULT 1,
    name      text NOT NULL DEFAULT '',
    UNIQUE (camera_id, number)
);

CREATE TABLE fleet.stream (
    id         uuid PRIMARY KEY,
    channel_id uuid NOT NULL REFERENCES fleet.channel,
    role       text NOT NULL CHECK (role IN ('main', 'sub')),
    url        text NOT NULL CHECK (url !~ '://[^/]*@'),   -- never with a password in it
    codec      text NOT NULL DEFAULT '',
    width      int  NOT NULL DEFAULT 0,
    height     int  NOT NULL DEFAULT 0,
    fps        int  NOT NULL DEFAULT 0,
    record     boolean NOT NULL DEFAULT true,
    tls_verify boolean NOT NULL DEFAULT true,
    UNIQUE (channel_id, role)
);

-- Each change in the life of a camera, dated, with its reason.
CREATE TABLE fleet.life_change (
    id        uuid PRIMARY KEY,
    camera_id uuid        NOT NULL REFERENCES fleet.camera,
    before    text,
    after     text        NOT NULL,
    at        timestamptz NOT NULL,
    reason    text        NOT NULL,
    actor_id  uuid
);
CREATE INDEX life_of_camera ON fleet.life_change (camera_id, at);
CREATE INDEX life_by_time ON fleet.life_change (at);

-- A weakness, until it is gone.
CREATE TABLE fleet.finding (
    id         uuid PRIMARY KEY,
    camera_id  uuid        NOT NULL REFERENCES fleet.camera,
    code       text        NOT NULL,
    severity   text        NOT NULL,
    details    jsonb       NOT NULL DEFAULT '{}',
    since      timestamptz NOT NULL,
    cleared_at timestamptz
);
CREATE UNIQUE INDEX finding_standing ON fleet.finding (camera_id, code) WHERE cleared_at IS NULL;
CREATE INDEX finding_code ON fleet.finding (code) WHERE cleared_at IS NULL;

-- What the administrator decided: makers denied or isolated, firmware known to be vulnerable.
CREATE TABLE fleet.policy (
    key        text PRIMARY KEY,
    value      jsonb       NOT NULL,
    changed_at timestamptz NOT NULL
);
