-- Stretches of a redaction's film that go without sound, as [[from_ms, to_ms], …]; `mute` takes all of it.
ALTER TABLE evidence.redaction ADD COLUMN silences jsonb NOT NULL DEFAULT '[]';
