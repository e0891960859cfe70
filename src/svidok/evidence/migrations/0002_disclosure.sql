-- What is to leave the house: chosen by one, approved by another, made by a job.
CREATE TABLE evidence.disclosure (
    id            uuid PRIMARY KEY,
    case_id       uuid        NOT NULL REFERENCES evidence.case_file,
    number        int         NOT NULL,
    to_name       text        NOT NULL CHECK (length(trim(to_name)) > 0),
    to_service    text        NOT NULL DEFAULT '',
    reason        text        NOT NULL CHECK (length(trim(reason)) >= 5),
    legal_basis   text        NOT NULL CHECK (length(trim(legal_basis)) >= 5),
    note          text        NOT NULL DEFAULT '',
    state         text        NOT NULL CHECK (state IN ('asked', 'approved', 'refused', 'made', 'withdrawn')),
    asked_by      uuid        NOT NULL REFERENCES access.account,
    asked_at      timestamptz NOT NULL,
    decided_by    uuid REFERENCES access.account,
    decided_at    timestamptz,
    says          text        NOT NULL DEFAULT '',
    path          text,
    size_bytes    bigint,
    sha256        bytea CHECK (octet_length(sha256) = 32),
    made_at       timestamptz,
    UNIQUE (case_id, number),
    CHECK (decided_by IS NULL OR decided_by <> asked_by OR state = 'withdrawn'),
    CHECK ((state = 'made') = (sha256 IS NOT NULL))
);

-- One exhibit of a disclosure; of footage, the part of it that leaves.
CREATE TABLE evidence.disclosure_item (
    disclosure_id uuid NOT NULL REFERENCES evidence.disclosure,
    exhibit_id    uuid NOT NULL REFERENCES evidence.exhibit,
    start_at      timestamptz,
    end_at        timestamptz,
    PRIMARY KEY (disclosure_id, exhibit_id),
    CHECK ((start_at IS NULL) = (end_at IS NULL) AND (start_at IS NULL OR start_at < end_at))
);

-- Each time a bundle was taken out: by whom, for whom.
CREATE TABLE evidence.hand_over (
    id            uuid PRIMARY KEY,
    disclosure_id uuid        NOT NULL REFERENCES evidence.disclosure,
    by_id         uuid        NOT NULL REFERENCES access.account,
    at            timestamptz NOT NULL,
    entry_id      uuid        NOT NULL
);
