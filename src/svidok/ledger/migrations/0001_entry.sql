CREATE SCHEMA IF NOT EXISTS ledger;

-- Statements on their way into the log, and what opens them once they are there.
CREATE TABLE ledger.entry (
    id          uuid PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind ~ '^[a-z]+(\.[a-z-]+)+$'),
    subject     uuid        NOT NULL,            -- the segment, look, hold … the statement is about
    at          timestamptz NOT NULL,
    payload     bytea,                           -- canonical JSON; destroyed with `salt` when its subject is erased
    salt        bytea CHECK (octet_length(salt) = 32),
    commitment  bytea       NOT NULL CHECK (octet_length(commitment) = 32),
    leaf_index  bigint UNIQUE,                   -- unset until the sequencer has put it into the log
    CHECK ((payload IS NULL) = (salt IS NULL))
);
CREATE INDEX entry_waiting ON ledger.entry (id) WHERE leaf_index IS NULL;
CREATE INDEX entry_subject ON ledger.entry (subject);
