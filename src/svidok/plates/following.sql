-- name: plate_channels
-- The channels of plate cameras that are recorded, with what is known of their place and of the plates they see.
SELECT h.id AS channel_id, c.id AS camera_id, c.lat, c.lon, c.heading_deg, c.facts -> 'plate_countries' AS countries
FROM fleet.camera c JOIN fleet.channel h ON h.camera_id = c.id
WHERE c.kind = 'plate' AND c.life = ANY(%(lives)s)
  AND EXISTS (SELECT FROM fleet.stream s WHERE s.channel_id = h.id AND s.role = 'main' AND s.record)
ORDER BY h.id;

-- name: reads_of_camera
-- What was read at one camera, oldest first: for holding it against a known truth.
SELECT p.text, r.taken_at
FROM plates.read r JOIN plates.plate p ON p.id = r.plate_id
WHERE r.camera_id = %(camera_id)s AND r.taken_at >= %(since)s AND r.taken_at < %(until)s ORDER BY r.taken_at;

-- name: own_reads_since
-- What our own reader told of these cameras lately: so that it tells nothing twice after a crash.
SELECT r.camera_id, p.text, r.taken_at
FROM plates.read r JOIN plates.plate p ON p.id = r.plate_id
WHERE r.source = 'svidok' AND r.taken_at >= %(since)s AND r.camera_id = ANY(%(camera_ids)s);
