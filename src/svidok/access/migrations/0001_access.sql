CREATE SCHEMA IF NOT EXISTS access;

CREATE TABLE access.unit (
    id   uuid PRIMARY KEY,
    name text NOT NULL UNIQUE
);

-- Someone or something that acts. Never removed: the trail refers to it.
CREATE TABLE access.account (
    id             uuid PRIMARY KEY,
    login          text        NOT NULL UNIQUE CHECK (login = lower(login) AND login ~ '^[a-z0-9][a-z0-9._@-]{1,63}$'),
    name           text        NOT NULL,
    unit_id        uuid REFERENCES access.unit,
    roles          text[]      NOT NULL DEFAULT '{}',
    kind           text        NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'service')),
    password_hash  text,                                  -- argon2id; unset: signs in by passkey or provider only
    totp_secret    text,                                  -- set once confirmed
    totp_pending   text,
    totp_last_step bigint,                                -- the last time step used, so that a code works once
    oidc_subject   text UNIQUE,
    created_at     timestamptz NOT NULL,
    disabled_at    timestamptz
);

CREATE TABLE access.passkey (
    id            bytea PRIMARY KEY,                      -- credential id
    account_id    uuid        NOT NULL REFERENCES access.account,
    public_key    bytea       NOT NULL,
    sign_count    bigint      NOT NULL,
    label         text        NOT NULL,
    created_at    timestamptz NOT NULL
);

CREATE TABLE access.session (
    token_hash  bytea PRIMARY KEY,                        -- SHA-256 of the cookie
    account_id  uuid        NOT NULL REFERENCES access.account,
    started_at  timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    ended_at    timestamptz
);

-- Failed sign-ins by account name and by address; what slows down guessing.
CREATE TABLE access.failure (
    key     text PRIMARY KEY,
    count   int         NOT NULL,
    last_at timestamptz NOT NULL
);

-- What works once and for a short time: the first administrator, a passkey challenge, an OIDC state.
CREATE TABLE access.token (
    hash       bytea PRIMARY KEY,
    kind       text        NOT NULL,
    body       jsonb       NOT NULL DEFAULT '{}',
    expires_at timestamptz NOT NULL
);

CREATE TABLE access.preference (
    account_id uuid  NOT NULL REFERENCES access.account,
    key        text  NOT NULL,
    value      jsonb NOT NULL,
    PRIMARY KEY (account_id, key)
);

-- Every look and every change: who, when, what, why, to whom (LED art. 25). Never changed.
CREATE TABLE access.audit (
    id          uuid PRIMARY KEY,
    at          timestamptz NOT NULL,
    actor_id    uuid REFERENCES access.account,
    action      text        NOT NULL,
    what        jsonb       NOT NULL,
    purpose_id  uuid,
    legal_basis text,
    to_whom     text        NOT NULL,
    entry_id    uuid        NOT NULL
);
CREATE INDEX audit_by_time ON access.audit (at DESC, id DESC);
CREATE INDEX audit_by_actor ON access.audit (actor_id, at DESC);

-- Long work: who asked, how far it is, what came of it.
CREATE TABLE access.job (
    id         uuid PRIMARY KEY,
    kind       text        NOT NULL,
    owner_id   uuid        NOT NULL,
    state      text        NOT NULL CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
    done       bigint      NOT NULL DEFAULT 0,
    total      bigint,
    says       text        NOT NULL DEFAULT '',
    result     jsonb,
    cancelling boolean     NOT NULL DEFAULT false,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz
);
