-- Somebody looks after it; the alarm stands until its cause is gone.
ALTER TABLE recording.alarm ADD COLUMN acknowledged_by uuid, ADD COLUMN acknowledged_at timestamptz;
