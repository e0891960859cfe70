-- name: enter
-- A statement takes its place in the queue, in the caller's transaction.
INSERT INTO ledger.entry (id, kind, subject, at, payload, salt, commitment)
VALUES (%(id)s, %(kind)s, %(subject)s, %(at)s, %(payload)s, %(salt)s, %(commitment)s);

-- name: take_sequencer_lock
-- One sequencer at a time; held until the transaction ends.
SELECT pg_try_advisory_xact_lock(1936548964) AS taken;

-- name: next_index
-- The first leaf index that no row has.
SELECT coalesce(max(leaf_index) + 1, 0) AS next FROM ledger.entry;

-- name: waiting
-- What waits for the log, oldest first.
SELECT id, kind, subject, at, commitment FROM ledger.entry
WHERE leaf_index IS NULL ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED;

-- name: set_index
-- The place an entry was given.
UPDATE ledger.entry SET leaf_index = %(leaf_index)s WHERE id = %(id)s AND leaf_index IS NULL;

-- name: count_waiting
-- How many wait.
SELECT count(*) AS waiting FROM ledger.entry WHERE leaf_index IS NULL;

-- name: entry_by_id
-- One entry with what opens it.
SELECT * FROM ledger.entry WHERE id = %(id)s;

-- name: entries_in_order
-- Every entry that is in the log, by its place.
SELECT id, kind, subject, at, payload, salt, commitment, leaf_index FROM ledger.entry
WHERE leaf_index IS NOT NULL ORDER BY leaf_index;

-- name: mute
-- Destroy what opens the statements about a subject; the leaves stay.
UPDATE ledger.entry SET payload = NULL, salt = NULL WHERE subject = %(subject)s AND kind = %(kind)s;

-- name: entries_about
-- The entries about some subjects that are in the log and can still be opened, by their place.
SELECT * FROM ledger.entry
WHERE subject = ANY(%(subjects)s) AND leaf_index IS NOT NULL AND payload IS NOT NULL ORDER BY leaf_index;
