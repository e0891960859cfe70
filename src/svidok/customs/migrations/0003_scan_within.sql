-- How long after a procedure its scan may still come.
ALTER TABLE customs.checkpoint ADD COLUMN scan_within interval NOT NULL DEFAULT '1 hour';
