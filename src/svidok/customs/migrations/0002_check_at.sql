-- When the completeness check looks at a procedure next: evidence that is awaited is not asked for every minute.
ALTER TABLE customs.procedure ADD COLUMN check_at timestamptz NOT NULL DEFAULT '2000-01-01T00:00:00Z';
DROP INDEX customs.procedure_unsettled;
CREATE INDEX procedure_to_check ON customs.procedure (check_at, end_at) WHERE NOT settled AND end_at IS NOT NULL;
