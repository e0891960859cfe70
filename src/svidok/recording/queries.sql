-- name: begin_recording
-- Unbroken footage of a channel begins.
INSERT INTO recording.recording (id, channel_id, stream_id, node, started_at)
VALUES (%(recording_id)s, %(channel_id)s, %(stream_id)s, %(node)s, %(at)s) ON CONFLICT (id) DO NOTHING;

-- name: open_segment
-- A segment file was begun.
INSERT INTO recording.segment (id, recording_id, channel_id, volume_id, path, start_at, end_at, size_bytes, fragments,
                               codec, width, height, state)
VALUES (%(segment_id)s, %(recording_id)s, %(channel_id)s, %(volume_id)s, %(path)s, %(start_at)s, %(start_at)s, 0, 0,
        %(codec)s, %(width)s, %(height)s, 'open') ON CONFLICT (id) DO NOTHING;

-- name: segment_state
-- Whether a segment is sealed already; its row is held until the transaction ends.
SELECT state FROM recording.segment WHERE id = %(segment_id)s FOR UPDATE;

-- name: seal_segment
-- A segment is whole, and its seal is entered.
INSERT INTO recording.segment (id, recording_id, channel_id, volume_id, path, start_at, end_at, size_bytes, fragments,
                               root, codec, width, height, clock_offset_us, clock_error_us, clock_drift_ppm,
                               clock_source, entry_id, state)
VALUES (%(segment_id)s, %(recording_id)s, %(channel_id)s, %(volume_id)s, %(path)s, %(start_at)s, %(end_at)s,
        %(size_bytes)s, %(fragments)s, %(root)s, %(codec)s, %(width)s, %(height)s, %(clock_offset_us)s,
        %(clock_error_us)s, %(clock_drift_ppm)s, %(clock_source)s, %(entry_id)s, 'sealed')
ON CONFLICT (id) DO UPDATE SET start_at = excluded.start_at, end_at = excluded.end_at,
    size_bytes = excluded.size_bytes, fragments = excluded.fragments, root = excluded.root,
    clock_offset_us = excluded.clock_offset_us, clock_error_us = excluded.clock_error_us,
    clock_drift_ppm = excluded.clock_drift_ppm, clock_source = excluded.clock_source,
    entry_id = excluded.entry_id, state = 'sealed';

-- name: forget_segment
-- A segment that was begun and never got a fragment.
DELETE FROM recording.segment WHERE id = %(segment_id)s AND state = 'open';

-- name: open_gap
-- A gap begins, unless one is open for the channel already.
INSERT INTO recording.gap (id, channel_id, start_at, reason, detail)
SELECT %(gap_id)s, %(channel_id)s, %(at)s, %(reason)s, %(detail)s
WHERE NOT EXISTS (SELECT FROM recording.gap WHERE channel_id = %(channel_id)s AND end_at IS NULL)
ON CONFLICT (id) DO NOTHING;

-- name: close_gap
-- The open gap of a channel ends.
UPDATE recording.gap SET end_at = greatest(start_at, %(at)s) WHERE channel_id = %(channel_id)s AND end_at IS NULL
RETURNING id, start_at, end_at, reason;

-- name: open_gaps
-- The gaps that last.
SELECT channel_id, reason, start_at FROM recording.gap WHERE end_at IS NULL;

-- name: clock_reading
-- How far a camera's clock is off.
INSERT INTO recording.clock_reading (channel_id, at, offset_us, error_us, drift_ppm, source)
VALUES (%(channel_id)s, %(at)s, %(offset_us)s, %(error_us)s, %(drift_ppm)s, %(source)s)
ON CONFLICT (channel_id, at) DO NOTHING;

-- name: raise_alarm
-- An alarm, once for as long as it stands.
INSERT INTO recording.alarm (id, code, subject, raised_at, details)
VALUES (%(id)s, %(code)s, %(subject)s, %(at)s, %(details)s)
ON CONFLICT (code, subject) WHERE cleared_at IS NULL DO NOTHING;

-- name: clear_alarm
-- It is over.
UPDATE recording.alarm SET cleared_at = %(at)s
WHERE code = %(code)s AND subject = %(subject)s AND cleared_at IS NULL;

-- name: see_volume
-- How a volume fares.
INSERT INTO recording.volume (id, node, path, quota_bytes, used_bytes, free_bytes, state, seen_at, origin)
VALUES (%(volume_id)s, %(node)s, %(path)s, %(quota_bytes)s, %(used_bytes)s, %(free_bytes)s, %(state)s, %(at)s,
        CASE WHEN %(configured)s THEN 'settings' ELSE 'added' END)
ON CONFLICT (id) DO UPDATE SET node = excluded.node, path = excluded.path, used_bytes = excluded.used_bytes,
    free_bytes = excluded.free_bytes, state = CASE WHEN 'retired' IN (recording.volume.state, excluded.state)
    THEN recording.volume.state ELSE excluded.state END, seen_at = excluded.seen_at,
    origin = CASE WHEN excluded.origin = 'settings' THEN 'settings' ELSE recording.volume.origin END;

-- name: volumes_of
-- The volumes of a machine.
SELECT id, path, quota_bytes, state, origin FROM recording.volume WHERE node = %(node)s;

-- name: see_recorder
-- How a recorder fares.
INSERT INTO recording.recorder (node, seen_at, channels, recording, bytes_per_s, waiting)
VALUES (%(node)s, %(at)s, %(channels)s, %(recording)s, %(bytes_per_s)s, %(waiting)s)
ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at, channels = excluded.channels,
    recording = excluded.recording, bytes_per_s = excluded.bytes_per_s, waiting = excluded.waiting;

-- name: unsealed_of
-- Segments of a volume that the database believes open.
SELECT id, recording_id, channel_id, path, codec, width, height, start_at FROM recording.segment
WHERE volume_id = %(volume_id)s AND state = 'open';

-- name: known_segments
-- Which of these segments the database has sealed or disposed of.
SELECT id FROM recording.segment WHERE id = ANY(%(ids)s) AND state <> 'open';

-- name: last_ends
-- Where the footage of each channel ends, by the database.
SELECT channel_id, max(end_at) AS end_at FROM recording.segment
WHERE state <> 'open' AND channel_id = ANY(%(channels)s) GROUP BY channel_id;
