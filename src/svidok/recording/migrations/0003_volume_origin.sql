-- Who gave us a volume: the settings of its machine, or an administrator while we ran. What the settings no longer
-- name is `dropped`: read, never written. The recorder marks its own at each start.
ALTER TABLE recording.volume ADD COLUMN origin text NOT NULL DEFAULT 'added' CHECK (origin IN ('settings', 'added'));
ALTER TABLE recording.volume DROP CONSTRAINT volume_state_check;
ALTER TABLE recording.volume ADD CONSTRAINT volume_state_check
    CHECK (state IN ('ready', 'full', 'absent', 'retired', 'dropped'));
