-- name: unjudged
-- Sealed segments on one machine whose signatures were not looked at, oldest first; with what follows in their recording.
SELECT s.*, v.path AS volume_path, v.node, v.state AS volume_state FROM recording.segment s
JOIN recording.volume v ON v.id = s.volume_id
WHERE s.state = 'sealed' AND v.node = %(node)s AND s.end_at > %(since)s AND (s.start_at, s.id) > (%(after)s, %(after_id)s)
  AND NOT EXISTS (SELECT FROM recording.device_verdict d WHERE d.segment_id = s.id)
ORDER BY s.start_at, s.id LIMIT %(most)s;

-- name: neighbours
-- The segments right before and right after one, of the same recording.
(SELECT s.*, v.path AS volume_path, v.node, v.state AS volume_state FROM recording.segment s
 JOIN recording.volume v ON v.id = s.volume_id
 WHERE s.channel_id = %(channel_id)s AND s.recording_id = %(recording_id)s AND s.state <> 'disposed'
   AND s.start_at < %(start)s ORDER BY s.start_at DESC LIMIT 1)
UNION ALL
(SELECT s.*, v.path AS volume_path, v.node, v.state AS volume_state FROM recording.segment s
 JOIN recording.volume v ON v.id = s.volume_id
 WHERE s.channel_id = %(channel_id)s AND s.recording_id = %(recording_id)s AND s.state <> 'disposed'
   AND s.start_at > %(start)s ORDER BY s.start_at LIMIT 1);

-- name: add_verdict
-- What was found.
INSERT INTO recording.device_verdict (segment_id, channel_id, judged_at, signed, authentic, missing, not_authentic,
                                      pending, grounds, signer, fingerprint, trust, entry_id)
VALUES (%(segment_id)s, %(channel_id)s, %(at)s, %(signed)s, %(authentic)s, %(missing)s, %(not_authentic)s, %(pending)s,
        %(grounds)s, %(signer)s, %(fingerprint)s, %(trust)s, %(entry_id)s)
ON CONFLICT (segment_id) DO NOTHING;

-- name: last_signed
-- Whether the latest judged segment of a channel before an instant was signed; no row where none was judged.
SELECT d.signed FROM recording.device_verdict d JOIN recording.segment s ON s.id = d.segment_id
WHERE d.channel_id = %(channel_id)s AND s.start_at < %(before)s ORDER BY s.start_at DESC LIMIT 1;

-- name: verdicts_between
-- What was found of the footage of a channel that touches a span, in order.
SELECT d.*, s.start_at, s.end_at FROM recording.device_verdict d JOIN recording.segment s ON s.id = d.segment_id
WHERE d.channel_id = %(channel_id)s AND s.start_at < %(end)s AND s.end_at > %(start)s ORDER BY s.start_at;

-- name: is_signed
-- Whether any footage of a channel that touches a span is signed by its camera.
SELECT EXISTS (SELECT FROM recording.device_verdict d JOIN recording.segment s ON s.id = d.segment_id
               WHERE d.channel_id = %(channel_id)s AND d.signed AND s.start_at < %(end)s AND s.end_at > %(start)s) AS yes;
