-- What a camera's own signatures say of a sealed segment (ONVIF Media Signing), group by group, summed up.
CREATE TABLE recording.device_verdict (
    segment_id     uuid PRIMARY KEY REFERENCES recording.segment,
    channel_id     uuid        NOT NULL,
    judged_at      timestamptz NOT NULL,
    signed         boolean     NOT NULL,
    authentic      int         NOT NULL DEFAULT 0,   -- groups of pictures
    missing        int         NOT NULL DEFAULT 0,
    not_authentic  int         NOT NULL DEFAULT 0,
    pending        int         NOT NULL DEFAULT 0,   -- NAL units that no signature spoke of
    grounds        text[]      NOT NULL DEFAULT '{}',
    signer         text,                             -- the subject of the certificate
    fingerprint    bytea CHECK (octet_length(fingerprint) = 32),
    trust          text,
    entry_id       uuid                              -- its statement in ledger.entry, where it is signed
);
CREATE INDEX device_verdict_by_channel ON recording.device_verdict (channel_id, segment_id);
