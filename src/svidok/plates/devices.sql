-- name: add_device
-- A device, with the hash of its secret.
INSERT INTO plates.device (id, name, source, secret, topic, expires_at, per_s, added_by, added_at)
VALUES (%(id)s, %(name)s, %(source)s, %(secret)s, %(topic)s, %(expires_at)s, %(per_s)s, %(added_by)s, %(at)s);

-- name: drop_device_cameras
-- Forget which cameras a device speaks for.
DELETE FROM plates.device_camera WHERE device_id = %(device_id)s;

-- name: add_device_camera
-- A camera that a device speaks for.
INSERT INTO plates.device_camera (device_id, told, camera_id) VALUES (%(device_id)s, %(told)s, %(camera_id)s);

-- name: change_device
-- What may be changed of a device.
UPDATE plates.device SET name = %(name)s, topic = %(topic)s, enabled = %(enabled)s, expires_at = %(expires_at)s,
                         per_s = %(per_s)s WHERE id = %(id)s;

-- name: rotate_secret
-- A new secret; the old one goes on working until an instant.
UPDATE plates.device SET old_secret = secret, old_until = %(old_until)s, secret = %(secret)s WHERE id = %(id)s;

-- name: devices
-- Every device with how it fares and its cameras.
SELECT d.id, d.name, d.source, d.topic, d.enabled, d.expires_at, d.per_s, d.old_until, d.added_at, t.last_seen,
       coalesce(t.taken, 0) AS taken, coalesce(t.repeated, 0) AS repeated, coalesce(t.rejected, 0) AS rejected,
       coalesce(t.refused, 0) AS refused,
       (SELECT jsonb_agg(jsonb_build_object('told', c.told, 'camera_id', c.camera_id) ORDER BY c.told)
        FROM plates.device_camera c WHERE c.device_id = d.id) AS cameras
FROM plates.device d LEFT JOIN plates.device_tally t ON t.device_id = d.id
WHERE %(id)s::uuid IS NULL OR d.id = %(id)s ORDER BY d.name;

-- name: device_by_secret
-- Whose secret this is.
SELECT id, old_until, secret = %(secret)s AS current FROM plates.device
WHERE secret = %(secret)s OR old_secret = %(secret)s;

-- name: device_by_topic
-- Who stands behind a topic of the customer's broker.
SELECT id FROM plates.device WHERE topic = %(topic)s;

-- name: device_to_hear
-- A device as the door knows it, with where its cameras are.
SELECT d.id, d.name, d.source, d.enabled, d.expires_at, d.per_s,
       (SELECT jsonb_agg(jsonb_build_array(
                   m.told, c.id, c.lat, c.lon,
                   (SELECT h.id FROM fleet.channel h WHERE h.camera_id = c.id ORDER BY h.number LIMIT 1)))
        FROM plates.device_camera m JOIN fleet.camera c ON c.id = m.camera_id WHERE m.device_id = d.id) AS cameras
FROM plates.device d WHERE d.id = %(id)s;

-- name: camera_to_hear
-- A camera that we ask ourselves.
SELECT c.id, c.number, c.lat, c.lon,
       (SELECT h.id FROM fleet.channel h WHERE h.camera_id = c.id ORDER BY h.number LIMIT 1) AS channel_id
FROM fleet.camera c WHERE c.id = %(camera_id)s;

-- name: tally
-- Add to what devices came to.
INSERT INTO plates.device_tally AS t (device_id, last_seen, taken, repeated, rejected, refused)
SELECT new.device_id, new.last_seen, new.taken, new.repeated, new.rejected, new.refused
FROM unnest(%(ids)s::uuid[], %(seen)s::timestamptz[], %(taken)s::bigint[], %(repeated)s::bigint[],
            %(rejected)s::bigint[], %(refused)s::bigint[])
     AS new (device_id, last_seen, taken, repeated, rejected, refused)
JOIN plates.device d ON d.id = new.device_id
ON CONFLICT (device_id) DO UPDATE SET
    last_seen = greatest(t.last_seen, excluded.last_seen), taken = t.taken + excluded.taken,
    repeated = t.repeated + excluded.repeated, rejected = t.rejected + excluded.rejected,
    refused = t.refused + excluded.refused;

-- name: forget_rejected
-- What was kept aside long enough goes.
DELETE FROM plates.rejected WHERE at < %(before)s;

-- name: rejected_of
-- What was kept aside of a device lately, without the bodies.
SELECT id, at, code, says, octet_length(body) AS bytes FROM plates.rejected
WHERE device_id = %(device_id)s ORDER BY at DESC LIMIT %(limit)s;

-- name: pictures_to_keep
-- The pictures of a day whose reads outlive it.
SELECT image AS id FROM plates.kept_read WHERE taken_at >= %(start)s AND taken_at < %(end)s AND image IS NOT NULL
UNION SELECT patch FROM plates.kept_read WHERE taken_at >= %(start)s AND taken_at < %(end)s AND patch IS NOT NULL;
