CREATE SCHEMA IF NOT EXISTS governance;

-- Incidents, cases and duties that a purpose can name.
CREATE TABLE governance.reference (
    id          uuid PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind IN ('incident', 'case', 'duty')),
    number      text        NOT NULL,
    title       text        NOT NULL,
    legal_basis text        NOT NULL CHECK (length(trim(legal_basis)) >= 5),
    opened_by   uuid        NOT NULL,
    opened_at   timestamptz NOT NULL,
    closed_at   timestamptz,
    UNIQUE (kind, number)
);

-- Why somebody looks. Never changed; it runs out.
CREATE TABLE governance.purpose (
    id           uuid PRIMARY KEY,
    actor_id     uuid        NOT NULL,
    reference_id uuid        NOT NULL REFERENCES governance.reference,
    reason       text        NOT NULL CHECK (length(trim(reason)) >= 5),
    opened_at    timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX purpose_of_actor ON governance.purpose (actor_id, expires_at);

-- How long a class of footage is kept. No row, no destruction.
CREATE TABLE governance.retention_rule (
    id              uuid PRIMARY KEY,
    retention_class text        NOT NULL,
    keep_days       int         NOT NULL CHECK (keep_days > 0),
    legal_basis     text        NOT NULL CHECK (length(trim(legal_basis)) >= 5),
    made_by         uuid        NOT NULL,
    made_at         timestamptz NOT NULL,
    ended_at        timestamptz
);

-- A stop on destruction.
CREATE TABLE governance.legal_hold (
    id           uuid PRIMARY KEY,
    channel_id   uuid,
    start_at     timestamptz NOT NULL,
    end_at       timestamptz NOT NULL CHECK (end_at > start_at),
    reason       text        NOT NULL CHECK (length(trim(reason)) >= 5),
    reference_id uuid REFERENCES governance.reference,
    placed_by    uuid        NOT NULL,
    placed_at    timestamptz NOT NULL,
    lifted_by    uuid,
    lifted_at    timestamptz,
    lift_reason  text
);
