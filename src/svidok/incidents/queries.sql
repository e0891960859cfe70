-- name: add_alert
-- An alert.
INSERT INTO incidents.alert (id, entry_id, list_id, list_name, wanted, plate, read_plate, how, likelihood, confidence,
    alternatives, country, direction, camera_id, read_id, taken_at, received_at, raised_at, image, patch, segment_id, lat,
    lon, priority, reason, legal_basis, instructions, see_units, state, last_hit_at)
VALUES (%(id)s, %(entry_id)s, %(list_id)s, %(list_name)s, %(wanted)s, %(plate)s, %(read_plate)s, %(how)s, %(likelihood)s,
    %(confidence)s, %(alternatives)s, %(country)s, %(direction)s, %(camera_id)s, %(read_id)s, %(taken_at)s,
    %(received_at)s, %(raised_at)s, %(image)s, %(patch)s, %(segment_id)s, %(lat)s, %(lon)s, %(priority)s, %(reason)s,
    %(legal_basis)s, %(instructions)s, %(see_units)s, 'new', %(taken_at)s);

-- name: same_alert
-- An open alert of the same entry at the same camera, not long ago.
SELECT id FROM incidents.alert WHERE entry_id = %(entry_id)s AND camera_id = %(camera_id)s
  AND state IN ('new', 'acknowledged') AND last_hit_at > %(since)s AND last_hit_at < %(until)s
ORDER BY raised_at DESC LIMIT 1;

-- name: join_hit
-- The same vehicle again.
UPDATE incidents.alert SET hits = hits + 1, last_hit_at = greatest(last_hit_at, %(taken_at)s), version = version + 1
WHERE id = %(id)s;

-- name: alert_for_update
-- One alert, held until the transaction ends.
SELECT * FROM incidents.alert WHERE id = %(id)s FOR UPDATE;

-- name: set_state
-- What a person made of it.
UPDATE incidents.alert SET state = %(state)s, why = coalesce(%(why)s, why), holder = coalesce(%(holder)s, holder),
    handed_to = coalesce(%(handed_to)s, handed_to), see_units = %(see_units)s,
    judged_by = coalesce(judged_by, %(judged_by)s), judged_at = coalesce(judged_at, %(judged_at)s), version = version + 1
WHERE id = %(id)s;

-- name: add_step
-- A step of a person.
INSERT INTO incidents.step (id, alert_id, at, actor_id, step, note, entry_id)
VALUES (%(id)s, %(alert_id)s, %(at)s, %(actor_id)s, %(step)s, %(note)s, %(entry_id)s);

-- name: steps
-- What people did with an alert.
SELECT s.at, s.step, s.note, s.actor_id, a.name AS actor_name FROM incidents.step s
LEFT JOIN access.account a ON a.id = s.actor_id WHERE s.alert_id = %(alert_id)s ORDER BY s.at;

-- name: alerts
-- Alerts that an actor of a unit may see, latest first, after a place in that order.
SELECT a.*, c.number AS camera_number, c.name_uk AS camera_uk, c.name_en AS camera_en, h.name AS holder_name,
       j.name AS judged_by_name
FROM incidents.alert a LEFT JOIN fleet.camera c ON c.id = a.camera_id
LEFT JOIN access.account h ON h.id = a.holder LEFT JOIN access.account j ON j.id = a.judged_by
WHERE (cardinality(a.see_units) = 0 OR %(unit)s::uuid = ANY(a.see_units))
  AND (%(states)s::text[] IS NULL OR a.state = ANY(%(states)s::text[]))
  AND (%(id)s::uuid IS NULL OR a.id = %(id)s)
  AND (%(before)s::timestamptz IS NULL OR (a.raised_at, a.id) < (%(before)s, %(before_id)s))
ORDER BY a.raised_at DESC, a.id DESC LIMIT %(limit)s;

-- name: hits_of_alert
-- The hits that an alert stands for.
SELECT id FROM plates.hit WHERE entry_id = %(entry_id)s AND camera_id = %(camera_id)s
  AND taken_at >= %(start)s AND taken_at <= %(end)s;

-- name: add_channel
-- Where confirmed alerts go.
INSERT INTO incidents.channel (id, name, kind, target, secret, legal_basis, added_by, added_at)
VALUES (%(id)s, %(name)s, %(kind)s, %(target)s, %(secret)s, %(legal_basis)s, %(added_by)s, %(at)s);

-- name: channels
-- Where confirmed alerts go, and how that fares.
SELECT c.id, c.name, c.kind, c.target, c.enabled, c.legal_basis, c.added_at,
       count(d.id) FILTER (WHERE d.done_at IS NOT NULL) AS delivered,
       count(d.id) FILTER (WHERE d.done_at IS NULL AND NOT d.given_up) AS waiting,
       count(d.id) FILTER (WHERE d.given_up) AS given_up,
       (SELECT x.says FROM incidents.delivery x WHERE x.channel_id = c.id AND x.says <> '' ORDER BY x.made_at DESC LIMIT 1) AS says
FROM incidents.channel c LEFT JOIN incidents.delivery d ON d.channel_id = c.id GROUP BY c.id ORDER BY c.name;

-- name: enable_channel
-- On or off.
UPDATE incidents.channel SET enabled = %(enabled)s WHERE id = %(id)s;

-- name: add_deliveries
-- One for each channel that is on.
INSERT INTO incidents.delivery (id, channel_id, alert_id, body, made_at, next_at)
SELECT gen_random_uuid(), c.id, %(alert_id)s, %(body)s, %(at)s, %(at)s FROM incidents.channel c WHERE c.enabled;

-- name: due_deliveries
-- What is to be told now; each to one teller, who has a while for it.
UPDATE incidents.delivery d SET attempts = attempts + 1, next_at = %(again_at)s
FROM incidents.channel c
WHERE c.id = d.channel_id AND d.id IN (
    SELECT id FROM incidents.delivery WHERE done_at IS NULL AND NOT given_up AND next_at <= %(at)s
    ORDER BY next_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING d.id, d.body, d.attempts, d.alert_id, d.made_at, c.id AS channel_id, c.kind, c.target, c.secret;

-- name: delivered
-- It was told.
UPDATE incidents.delivery SET done_at = %(at)s, says = '' WHERE id = %(id)s;

-- name: not_delivered
-- It was not; when to try again, or never.
UPDATE incidents.delivery SET next_at = %(next_at)s, says = %(says)s, given_up = %(given_up)s WHERE id = %(id)s;

-- name: forget_alerts
-- Alerts whose hits' time is over; those that are open stay.
DELETE FROM incidents.alert WHERE taken_at < %(before)s AND state IN ('confirmed', 'refuted');
