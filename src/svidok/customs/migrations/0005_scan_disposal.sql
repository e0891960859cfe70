-- Scans are destroyed by the retention rule of the customs service alone: a row here before the deed.
CREATE TABLE customs.scan_disposal (
    scan_id    uuid PRIMARY KEY REFERENCES customs.scan,
    decided_at timestamptz NOT NULL,
    grounds    jsonb       NOT NULL,
    entry_id   uuid        NOT NULL,
    done_at    timestamptz
);
ALTER TABLE customs.scan ADD COLUMN disposed_at timestamptz;
CREATE INDEX scan_by_taking ON customs.scan (taken_at) WHERE disposed_at IS NULL;

CREATE FUNCTION customs.refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never deleted', TG_TABLE_NAME;
END $$;
CREATE TRIGGER nobody_deletes BEFORE DELETE ON customs.scan FOR EACH ROW EXECUTE FUNCTION customs.refuse_delete();
CREATE TRIGGER nobody_deletes BEFORE DELETE ON customs.scan_disposal FOR EACH ROW EXECUTE FUNCTION customs.refuse_delete();
