-- name: segments_between
-- The segments that touch a span, in order. No segment lasts an hour, so older beginnings need no look.
SELECT s.*, v.path AS volume_path, v.node, v.state AS volume_state FROM recording.segment s
JOIN recording.volume v ON v.id = s.volume_id
WHERE s.channel_id = %(channel_id)s AND s.state <> 'disposed'
  AND s.start_at < %(end)s AND s.start_at > %(start)s - interval '1 hour'
  AND (s.end_at > %(start)s OR s.state = 'open')
ORDER BY s.start_at;

-- name: segment_of_channel
-- One segment, if it is of this channel.
SELECT s.*, v.path AS volume_path, v.node, v.state AS volume_state FROM recording.segment s
JOIN recording.volume v ON v.id = s.volume_id
WHERE s.id = %(segment_id)s AND s.channel_id = %(channel_id)s;

-- name: segments_by_id
-- These segments.
SELECT s.*, v.path AS volume_path, v.node, v.state AS volume_state FROM recording.segment s
JOIN recording.volume v ON v.id = s.volume_id WHERE s.id = ANY(%(ids)s);

-- name: recorded_islands
-- Footage that is unbroken within its recording: a new island begins where a segment does not follow within two seconds.
SELECT recording_id, min(start_at) AS start_at, max(end_at) AS end_at, bool_or(state = 'open') AS growing FROM (
    SELECT *, count(*) FILTER (WHERE broken) OVER (PARTITION BY recording_id ORDER BY start_at) AS island FROM (
        SELECT recording_id, start_at, end_at, state,
               start_at > lag(end_at) OVER (PARTITION BY recording_id ORDER BY start_at) + interval '2 seconds' AS broken
        FROM recording.segment
        WHERE channel_id = %(channel_id)s AND state <> 'disposed'
          AND start_at < %(end)s AND start_at > %(start)s - interval '1 hour'
          AND (end_at > %(start)s OR state = 'open')
    ) AS neighbours
) AS islands
GROUP BY recording_id, island ORDER BY start_at;

-- name: gaps_between
-- The gaps of a channel that touch a span.
SELECT * FROM recording.gap
WHERE channel_id = %(channel_id)s AND start_at < %(end)s AND coalesce(end_at, 'infinity') > %(start)s
ORDER BY start_at;

-- name: gaps_of_all
-- The gaps of all channels that touch a span, the latest first; of one channel where one is given.
SELECT * FROM recording.gap
WHERE start_at < %(end)s AND coalesce(end_at, 'infinity') > %(start)s
  AND (%(channel_id)s::uuid IS NULL OR channel_id = %(channel_id)s)
ORDER BY start_at DESC, id LIMIT %(most)s;

-- name: clocks_between
-- What was measured of the camera's clock: within the span, and the last before it.
SELECT at, offset_us, error_us, drift_ppm, source FROM recording.clock_reading
WHERE channel_id = %(channel_id)s AND at < %(end)s AND at >= coalesce(
    (SELECT max(at) FROM recording.clock_reading WHERE channel_id = %(channel_id)s AND at < %(start)s), %(start)s)
ORDER BY at;

-- name: seals_of
-- The ledger entries of segments, with what opens them.
SELECT s.id AS segment_id, e.id, e.kind, e.subject, e.at, e.payload, e.salt, e.commitment, e.leaf_index
FROM recording.segment s JOIN ledger.entry e ON e.id = s.entry_id WHERE s.id = ANY(%(ids)s);

-- name: volumes
-- All volumes.
SELECT * FROM recording.volume ORDER BY node, path;

-- name: add_volume
-- A volume that an administrator gives us.
INSERT INTO recording.volume (id, node, path, quota_bytes) VALUES (%(id)s, %(node)s, %(path)s, %(quota_bytes)s)
ON CONFLICT (node, path) DO NOTHING RETURNING *;

-- name: change_volume
-- Another quota, or out of service and back. Whoever says `ready` keeps a volume that the settings dropped; one that
-- they name is marked as theirs again by its recorder.
UPDATE recording.volume SET
    quota_bytes = CASE WHEN %(set_quota)s THEN %(quota_bytes)s::bigint ELSE quota_bytes END,
    state = coalesce(%(state)s, state),
    origin = CASE WHEN %(state)s = 'ready' THEN 'added' ELSE origin END
WHERE id = %(id)s RETURNING *;

-- name: recorders
-- All recorders.
SELECT * FROM recording.recorder ORDER BY node;

-- name: oldest
-- The oldest sealed footage there is.
SELECT min(oldest.start_at) AS oldest_at FROM recording.volume v, LATERAL (
    SELECT start_at FROM recording.segment WHERE volume_id = v.id AND state = 'sealed' ORDER BY start_at LIMIT 1
) AS oldest;

-- name: open_gap_count
-- How many channels have no footage now.
SELECT count(*) AS gaps FROM recording.gap WHERE end_at IS NULL AND reason <> 'disabled';

-- name: alarms
-- What stands, then what stood of late.
SELECT m.id, m.code, m.subject, m.raised_at, m.cleared_at, m.details, m.acknowledged_at, a.name AS acknowledged_by
FROM recording.alarm m LEFT JOIN access.account a ON a.id = m.acknowledged_by
ORDER BY m.cleared_at IS NOT NULL, m.raised_at DESC LIMIT %(most)s;

-- name: acknowledge_alarm
-- Somebody looks after it; whoever was first stays named. Whether they are is told.
UPDATE recording.alarm SET acknowledged_by = coalesce(acknowledged_by, %(by)s),
    acknowledged_at = coalesce(acknowledged_at, %(at)s)
WHERE id = %(id)s RETURNING code, subject, acknowledged_by = %(by)s AND acknowledged_at = %(at)s AS first;

-- name: alarms_state
-- What changes whenever an alarm is raised, cleared or acknowledged.
SELECT count(*) AS n, max(raised_at) AS raised, max(cleared_at) AS cleared, max(acknowledged_at) AS acknowledged
FROM recording.alarm;

-- name: segments_to_check
-- Every segment that should be on disk, with its seal, a page at a time in the order of its path.
SELECT s.*, v.path AS volume_path, v.node, v.state AS volume_state, e.kind AS entry_kind, e.subject AS entry_subject,
       e.at AS entry_at, e.payload, e.salt, e.commitment, e.leaf_index
FROM recording.segment s JOIN recording.volume v ON v.id = s.volume_id LEFT JOIN ledger.entry e ON e.id = s.entry_id
WHERE s.state <> 'disposed' AND s.volume_id = %(volume_id)s AND s.path > %(after)s ORDER BY s.path LIMIT %(most)s;

-- name: segment_count
-- How many segments should be on disk.
SELECT count(*) AS segments FROM recording.segment WHERE state <> 'disposed';

-- name: states_of_paths
-- What the database says of these files.
SELECT path, state FROM recording.segment WHERE volume_id = %(volume_id)s AND path = ANY(%(paths)s);

-- name: seals_without_segment
-- Seals in the ledger whose segment is in no row.
SELECT e.subject, e.leaf_index FROM ledger.entry e
WHERE e.kind = 'segment.sealed' AND NOT EXISTS (SELECT FROM recording.segment s WHERE s.id = e.subject)
ORDER BY e.id LIMIT 1000;

-- name: disposed_without_decision
-- Segments that are called disposed of although nobody decided it.
SELECT s.id, s.path FROM recording.segment s
WHERE s.state = 'disposed' AND NOT EXISTS (SELECT FROM recording.disposal d WHERE d.segment_id = s.id)
ORDER BY s.id LIMIT 1000;

-- name: sealed_before
-- Sealed footage of these channels on one machine that ended before an instant and is not decided on, oldest first,
-- a page at a time; of one volume where one is given.
SELECT s.*, v.path AS volume_path, v.node, v.state AS volume_state FROM recording.segment s
JOIN recording.volume v ON v.id = s.volume_id
WHERE s.state = 'sealed' AND v.node = %(node)s AND s.channel_id = ANY(%(channels)s) AND s.end_at <= %(before)s
  AND (s.start_at, s.id) > (%(after)s, %(after_id)s)
  AND (%(volume_id)s::uuid IS NULL OR s.volume_id = %(volume_id)s)
  AND NOT EXISTS (SELECT FROM recording.disposal d WHERE d.segment_id = s.id)
ORDER BY s.start_at, s.id LIMIT %(most)s;

-- name: decide_disposal
-- The row that comes before the deed.
INSERT INTO recording.disposal (id, segment_id, decided_at, verdict, grounds, entry_id)
VALUES (%(id)s, %(segment_id)s, %(at)s, %(verdict)s, %(grounds)s, %(entry_id)s);

-- name: disposals_pending
-- Decided, and not carried out yet; the oldest footage first.
SELECT d.id AS disposal_id, s.*, v.path AS volume_path, v.node, v.state AS volume_state FROM recording.disposal d
JOIN recording.segment s ON s.id = d.segment_id JOIN recording.volume v ON v.id = s.volume_id
WHERE d.done_at IS NULL AND v.node = %(node)s AND (s.start_at, d.id) > (%(after)s, %(after_id)s)
ORDER BY s.start_at, d.id LIMIT %(most)s;

-- name: withdraw_disposal
-- It was decided and must not be done any more.
DELETE FROM recording.disposal WHERE id = %(id)s AND done_at IS NULL;

-- name: finish_disposal
-- The bytes are gone.
UPDATE recording.disposal SET done_at = %(at)s WHERE id = %(id)s AND done_at IS NULL;

-- name: mark_disposed
-- The segment is no more.
UPDATE recording.segment SET state = 'disposed' WHERE id = %(segment_id)s AND state = 'sealed';

-- name: destroy_copy_keys
-- No copy of the segment can be read any more, wherever it lies.
UPDATE recording.copy SET key = NULL WHERE segment_id = %(segment_id)s AND key IS NOT NULL;

-- name: extend_disposed_gap
-- Time whose footage was disposed of grows by a segment that adjoins it.
UPDATE recording.gap SET end_at = greatest(end_at, %(end)s) WHERE channel_id = %(channel_id)s AND reason = 'disposed'
  AND end_at BETWEEN %(start)s - interval '2 seconds' AND %(start)s + interval '2 seconds' RETURNING id;

-- name: add_disposed_gap
-- Time whose footage was disposed of.
INSERT INTO recording.gap (id, channel_id, start_at, end_at, reason)
VALUES (%(id)s, %(channel_id)s, %(start)s, %(end)s, 'disposed');

-- name: disposals
-- What was disposed of, the latest first; from one on, where a page before ended with it.
SELECT d.id, d.segment_id, d.decided_at, d.verdict, d.grounds, d.done_at, s.channel_id, s.start_at, s.end_at,
       s.size_bytes, e.leaf_index
FROM recording.disposal d JOIN recording.segment s ON s.id = d.segment_id
LEFT JOIN ledger.entry e ON e.id = d.entry_id
WHERE %(after)s::uuid IS NULL
   OR (d.decided_at, d.id) < (SELECT o.decided_at, o.id FROM recording.disposal o WHERE o.id = %(after)s)
ORDER BY d.decided_at DESC, d.id DESC LIMIT %(most)s;

-- name: due_volume
-- How much sealed footage of these channels ended before an instant and is not decided on.
SELECT count(*) AS segments, coalesce(sum(size_bytes), 0)::bigint AS size_bytes, min(start_at) AS oldest_at
FROM recording.segment s
WHERE s.state = 'sealed' AND s.channel_id = ANY(%(channels)s) AND s.end_at <= %(before)s
  AND NOT EXISTS (SELECT FROM recording.disposal d WHERE d.segment_id = s.id);

-- name: held_volume
-- How much of it a hold keeps.
SELECT count(*) AS segments, coalesce(sum(size_bytes), 0)::bigint AS size_bytes FROM recording.segment s
WHERE s.state = 'sealed' AND s.channel_id = ANY(%(channels)s) AND s.end_at <= %(before)s
  AND EXISTS (SELECT FROM unnest(%(held)s::uuid[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
              AS h (channel_id, start_at, end_at)
              WHERE (h.channel_id IS NULL OR h.channel_id = s.channel_id)
                AND h.start_at < s.end_at AND s.start_at < h.end_at);

-- name: due_by_channel
-- What of each channel is due before its instant, and what of that a hold keeps; the most bytes first.
SELECT s.channel_id, count(*) AS due, coalesce(sum(s.size_bytes), 0)::bigint AS due_bytes,
       min(s.start_at) AS oldest_at, max(s.end_at) AS newest_at,
       count(*) FILTER (WHERE s.held) AS held,
       coalesce(sum(s.size_bytes) FILTER (WHERE s.held), 0)::bigint AS held_bytes
FROM (SELECT s.*, EXISTS (SELECT FROM unnest(%(held)s::uuid[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
              AS h (channel_id, start_at, end_at)
              WHERE (h.channel_id IS NULL OR h.channel_id = s.channel_id)
                AND h.start_at < s.end_at AND s.start_at < h.end_at) AS held
      FROM unnest(%(channels)s::uuid[], %(befores)s::timestamptz[]) AS c (channel_id, before)
      JOIN recording.segment s ON s.channel_id = c.channel_id AND s.end_at <= c.before
      WHERE s.state = 'sealed' AND NOT EXISTS (SELECT FROM recording.disposal d WHERE d.segment_id = s.id)) AS s
GROUP BY s.channel_id ORDER BY due_bytes DESC, s.channel_id LIMIT %(most)s;
