-- name: without_copy
-- Sealed segments on one machine that have no whole copy at a target, oldest first; none that is decided on.
SELECT s.*, v.path AS volume_path, v.node, v.state AS volume_state, c.key, c.object
FROM recording.segment s JOIN recording.volume v ON v.id = s.volume_id
LEFT JOIN recording.copy c ON c.segment_id = s.id AND c.target = %(target)s
WHERE s.state = 'sealed' AND v.node = %(node)s AND c.made_at IS NULL AND (s.start_at, s.id) > (%(after)s, %(after_id)s)
  AND NOT EXISTS (SELECT FROM recording.disposal d WHERE d.segment_id = s.id)
ORDER BY s.start_at, s.id LIMIT %(most)s;

-- name: begin_copy
-- The row, with the key, before the bytes: whatever lies in a store is known.
INSERT INTO recording.copy (segment_id, target, object, key) VALUES (%(segment_id)s, %(target)s, %(object)s, %(key)s)
ON CONFLICT (segment_id, target) DO NOTHING;

-- name: finish_copy
-- It was put, and read back. Not where the segment was disposed of meanwhile: its key is gone.
UPDATE recording.copy SET made_at = %(at)s, size_bytes = %(size)s, sha256 = %(sha256)s, locked_until = %(locked_until)s
WHERE segment_id = %(segment_id)s AND target = %(target)s AND key IS NOT NULL;

-- name: copies_of
-- The whole copies of some segments.
SELECT c.*, s.size_bytes AS media_bytes FROM recording.copy c JOIN recording.segment s ON s.id = c.segment_id
WHERE c.segment_id = ANY(%(ids)s) AND c.made_at IS NOT NULL AND c.key IS NOT NULL ORDER BY c.segment_id, c.target;

-- name: to_erase
-- Copies whose key is destroyed, whose bytes lie there still, and whose lock is over.
SELECT segment_id, target, object FROM recording.copy
WHERE target = %(target)s AND key IS NULL AND erased_at IS NULL AND (locked_until IS NULL OR locked_until <= %(at)s)
ORDER BY segment_id LIMIT %(most)s;

-- name: erased
-- The bytes are gone too.
UPDATE recording.copy SET erased_at = %(at)s WHERE segment_id = %(segment_id)s AND target = %(target)s;

-- name: listed_copies
-- What must lie at a target, in the order in which stores list.
SELECT segment_id, object, size_bytes, sha256, key IS NOT NULL AS readable, made_at IS NOT NULL AS whole
FROM recording.copy WHERE target = %(target)s AND erased_at IS NULL ORDER BY object COLLATE "C";

-- name: due_now
-- Which of these objects have a row at this moment, and whether a whole copy is due there.
SELECT object, key IS NOT NULL AND made_at IS NOT NULL AS due FROM recording.copy
WHERE target = %(target)s AND object = ANY(%(names)s) AND erased_at IS NULL;

-- name: totals
-- How copies at each target fare.
SELECT target, count(*) FILTER (WHERE key IS NOT NULL AND made_at IS NOT NULL) AS copies,
       coalesce(sum(size_bytes) FILTER (WHERE key IS NOT NULL), 0)::bigint AS size_bytes,
       count(*) FILTER (WHERE key IS NULL AND erased_at IS NULL) AS unreadable,
       count(*) FILTER (WHERE erased_at IS NOT NULL) AS erased, max(made_at) AS last_at
FROM recording.copy GROUP BY target ORDER BY target;

-- name: waiting
-- How much sealed footage has no whole copy at a target.
SELECT count(*) AS segments, coalesce(sum(s.size_bytes), 0)::bigint AS size_bytes, min(s.end_at) AS oldest_at
FROM recording.segment s WHERE s.state = 'sealed' AND NOT EXISTS (
    SELECT FROM recording.copy c WHERE c.segment_id = s.id AND c.target = %(target)s AND c.made_at IS NOT NULL)
  AND NOT EXISTS (SELECT FROM recording.disposal d WHERE d.segment_id = s.id);

-- name: about_to_write
-- Held by a copier from before it wraps a key until the row is there.
LOCK TABLE recording.copy IN ROW EXCLUSIVE MODE;

-- name: nobody_else_writes
-- Held while all keys are wrapped anew.
LOCK TABLE recording.copy IN EXCLUSIVE MODE;

-- name: keys
-- Every key that is still kept.
SELECT segment_id, target, key FROM recording.copy WHERE key IS NOT NULL ORDER BY segment_id, target;

-- name: set_key
-- A key under its new keeper.
UPDATE recording.copy SET key = %(key)s WHERE segment_id = %(segment_id)s AND target = %(target)s;

-- name: add_inventory
-- What an inventory found.
INSERT INTO recording.inventory (id, target, taken_at, copies, missing, differing, unknown, waiting, digest, entry_id)
VALUES (%(id)s, %(target)s, %(at)s, %(copies)s, %(missing)s, %(differing)s, %(unknown)s, %(waiting)s, %(digest)s,
        %(entry_id)s);

-- name: last_inventories
-- The latest inventory of each target.
SELECT DISTINCT ON (target) * FROM recording.inventory ORDER BY target, taken_at DESC;

-- name: segments_on
-- The sealed footage of volumes by their folders.
SELECT s.id FROM recording.segment s JOIN recording.volume v ON v.id = s.volume_id
WHERE v.path = ANY(%(paths)s) AND s.state = 'sealed' ORDER BY s.start_at, s.id;

-- name: move_segment
-- A restored segment lies on another volume now.
UPDATE recording.segment SET volume_id = %(volume_id)s WHERE id = %(segment_id)s AND state = 'sealed';
