CREATE SCHEMA IF NOT EXISTS evidence;

-- A case: number, title and legal basis are those of its reference, so that a purpose can name it.
CREATE TABLE evidence.case_file (
    id            uuid PRIMARY KEY,
    reference_id  uuid        NOT NULL UNIQUE REFERENCES governance.reference,
    data_subjects text[]      NOT NULL CHECK (cardinality(data_subjects) > 0),   -- LED art. 6
    unit_id       uuid REFERENCES access.unit,
    summary       text        NOT NULL DEFAULT '',
    opened_by     uuid        NOT NULL REFERENCES access.account,
    opened_at     timestamptz NOT NULL,
    closed_by     uuid REFERENCES access.account,
    closed_at     timestamptz,
    close_reason  text
);

-- Who stands how to a case, from when until when, and to which stretch of history. Never changed but to end it.
CREATE TABLE evidence.membership (
    id            uuid PRIMARY KEY,
    case_id       uuid        NOT NULL REFERENCES evidence.case_file,
    account_id    uuid        NOT NULL REFERENCES access.account,
    standing      text        NOT NULL CHECK (standing IN ('lead', 'investigator', 'reader', 'barred')),
    history_start timestamptz,
    history_end   timestamptz,
    until_at      timestamptz,
    reason        text        NOT NULL,
    by_id         uuid        NOT NULL REFERENCES access.account,
    at            timestamptz NOT NULL,
    ended_by      uuid REFERENCES access.account,
    ended_at      timestamptz,
    CHECK ((history_start IS NULL) = (history_end IS NULL) AND (history_start IS NULL OR history_start < history_end))
);
CREATE UNIQUE INDEX membership_stands ON evidence.membership (case_id, account_id) WHERE ended_at IS NULL;
CREATE INDEX membership_of_account ON evidence.membership (account_id) WHERE ended_at IS NULL;

-- What proves something. What it is of is never changed; a file's bytes are known by their hash.
CREATE TABLE evidence.exhibit (
    id           uuid PRIMARY KEY,
    case_id      uuid        NOT NULL REFERENCES evidence.case_file,
    number       int         NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('footage', 'read', 'scan', 'file', 'still', 'redacted')),
    title        text        NOT NULL CHECK (length(trim(title)) > 0),
    source       text        NOT NULL CHECK (source IN ('camera', 'officer', 'public', 'business', 'service', 'derived')),
    obtained     text        NOT NULL DEFAULT '',      -- how and from whom, in words
    booked_by    uuid        NOT NULL REFERENCES access.account,
    booked_at    timestamptz NOT NULL,
    channel_id   uuid,
    start_at     timestamptz,                          -- what time it shows, where that is known
    end_at       timestamptz,
    subject_id   uuid,                                 -- the read or the scan that it is of
    facts        jsonb       NOT NULL DEFAULT '{}',    -- what was known of it when it was booked in
    derived_from uuid REFERENCES evidence.exhibit,
    custodian_id uuid        NOT NULL REFERENCES access.account,
    hold_id      uuid,
    path         text,                                 -- its file, within the vault
    name         text,                                 -- what the file was called where it came from
    media_type   text,
    size_bytes   bigint,
    sha256       bytea CHECK (octet_length(sha256) = 32),
    scan         text CHECK (scan IN ('waiting', 'clean', 'infected', 'not-scanned')),
    UNIQUE (case_id, number),
    CHECK (kind <> 'footage' OR (path IS NULL AND channel_id IS NOT NULL AND start_at < end_at)),
    CHECK (kind NOT IN ('file', 'still', 'redacted') OR path IS NOT NULL),
    CHECK ((path IS NULL) = (sha256 IS NULL)),
    CHECK ((source = 'derived') = (derived_from IS NOT NULL))
);
CREATE INDEX exhibit_derived ON evidence.exhibit (derived_from);

-- A copy of an exhibit's file that browsers play. Made by us, marked as such, and no evidence itself.
CREATE TABLE evidence.playable (
    exhibit_id uuid PRIMARY KEY REFERENCES evidence.exhibit,
    path       text        NOT NULL,
    media_type text        NOT NULL,
    size_bytes bigint      NOT NULL,
    sha256     bytea       NOT NULL,
    how        text        NOT NULL,
    made_at    timestamptz NOT NULL
);

-- Everything that happened to an exhibit: each line is stated in the ledger and names the commitment of the one before.
CREATE TABLE evidence.custody (
    exhibit_id uuid        NOT NULL REFERENCES evidence.exhibit,
    number     int         NOT NULL,
    at         timestamptz NOT NULL,
    actor_id   uuid        NOT NULL REFERENCES access.account,
    kind       text        NOT NULL,
    payload    bytea       NOT NULL,                   -- canonical JSON, as it is stated in the ledger
    hash       bytea       NOT NULL CHECK (octet_length(hash) = 32),   -- the commitment of its ledger entry
    audit_id   uuid,                                   -- the line of the trail that a look goes with
    entry_id   uuid        NOT NULL,
    PRIMARY KEY (exhibit_id, number)
);
CREATE UNIQUE INDEX custody_of_look ON evidence.custody (exhibit_id, audit_id) WHERE audit_id IS NOT NULL;

-- An exhibit on its way from hand to hand: to a person, or to whoever of a unit takes it.
CREATE TABLE evidence.transfer (
    id          uuid PRIMARY KEY,
    exhibit_id  uuid        NOT NULL REFERENCES evidence.exhibit,
    from_id     uuid        NOT NULL REFERENCES access.account,
    to_id       uuid REFERENCES access.account,
    to_unit_id  uuid REFERENCES access.unit,
    reason      text        NOT NULL,
    asked_at    timestamptz NOT NULL,
    state       text        NOT NULL DEFAULT 'offered' CHECK (state IN ('offered', 'accepted', 'refused', 'withdrawn')),
    decided_by  uuid REFERENCES access.account,
    decided_at  timestamptz,
    says        text        NOT NULL DEFAULT '',
    CHECK ((to_id IS NULL) <> (to_unit_id IS NULL))
);
CREATE UNIQUE INDEX transfer_open ON evidence.transfer (exhibit_id) WHERE state = 'offered';

-- Notes; with an instant they are bookmarks. Never changed, only struck out.
CREATE TABLE evidence.note (
    id         uuid PRIMARY KEY,
    case_id    uuid        NOT NULL REFERENCES evidence.case_file,
    exhibit_id uuid REFERENCES evidence.exhibit,
    instant    timestamptz,
    text       text        NOT NULL CHECK (length(trim(text)) > 0),
    by_id      uuid        NOT NULL REFERENCES access.account,
    at         timestamptz NOT NULL,
    struck_by  uuid REFERENCES access.account,
    struck_at  timestamptz
);

-- A file on its way in, piece by piece.
CREATE TABLE evidence.upload (
    id             uuid PRIMARY KEY,
    case_id        uuid        NOT NULL REFERENCES evidence.case_file,
    by_id          uuid        NOT NULL REFERENCES access.account,
    name           text        NOT NULL,
    size_bytes     bigint      NOT NULL,
    told           jsonb       NOT NULL,
    begun_at       timestamptz NOT NULL,
    exhibit_id     uuid REFERENCES evidence.exhibit,
    refused        text
);
