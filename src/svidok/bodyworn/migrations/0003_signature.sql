-- What the camera's own signatures say of a clip, judged when it was read. A clip without a row was not judged.
CREATE TABLE bodyworn.signature (
    clip_id       uuid PRIMARY KEY REFERENCES bodyworn.clip,
    judged_at     timestamptz NOT NULL,
    verdict       text        NOT NULL CHECK (verdict IN ('authentic', 'missing', 'not-authentic', 'pending',
                                                          'not-signed')),
    authentic     int         NOT NULL,             -- groups of pictures by verdict
    missing       int         NOT NULL,
    not_authentic int         NOT NULL,
    pending       int         NOT NULL,             -- NAL units that no signature speaks of
    grounds       text[]      NOT NULL,
    signer        text,
    fingerprint   bytea,
    trust         text,
    entry_id      uuid                              -- unset where nothing was signed
);

CREATE TRIGGER nobody_deletes BEFORE DELETE ON bodyworn.signature FOR EACH ROW EXECUTE FUNCTION bodyworn.refuse_delete();
