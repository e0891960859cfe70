-- name: streams_to_record
-- Every stream of a camera that may be reached, main ones that are to be recorded and all sub ones.
SELECT s.id AS stream_id, s.channel_id, c.id AS camera_id, s.role, s.url, s.tls_verify, c.sealed_login,
       c.retention_class, lower(c.maker) AS maker
FROM fleet.stream s JOIN fleet.channel h ON h.id = s.channel_id JOIN fleet.camera c ON c.id = h.camera_id
WHERE c.life = ANY(%(lives)s) AND (s.role = 'sub' OR s.record) ORDER BY s.channel_id, s.role;

-- name: retention_classes
-- The retention class of each channel.
SELECT h.id AS channel_id, c.retention_class FROM fleet.channel h JOIN fleet.camera c ON c.id = h.camera_id
WHERE %(channel_id)s::uuid IS NULL OR h.id = %(channel_id)s;

-- name: beats
-- Thousands of beats in one statement.
INSERT INTO fleet.beat (camera_id, seen_at, tried_at, ok, says)
SELECT b.camera_id, CASE WHEN b.ok THEN %(at)s::timestamptz END, %(at)s, b.ok, b.says
FROM unnest(%(ids)s::uuid[], %(oks)s::boolean[], %(says)s::text[]) AS b (camera_id, ok, says)
JOIN fleet.camera c ON c.id = b.camera_id
ON CONFLICT (camera_id) DO UPDATE SET seen_at = coalesce(excluded.seen_at, fleet.beat.seen_at),
    tried_at = excluded.tried_at, ok = excluded.ok, says = excluded.says;

-- name: set_clock_offset
-- What was measured of a camera's clock.
UPDATE fleet.beat SET clock_offset_ms = %(offset_ms)s WHERE camera_id = %(camera_id)s;

-- name: fell_silent
-- Working cameras that have not sent for a while.
SELECT c.id, c.life, b.says, b.seen_at FROM fleet.camera c JOIN fleet.beat b ON b.camera_id = c.id
WHERE c.life IN ('working', 'restored', 'planned') AND NOT b.ok
  AND coalesce(b.seen_at, c.life_since) < %(before)s FOR UPDATE OF c;

-- name: came_back
-- Cameras that send again, or for the first time.
SELECT c.id, c.life, b.says, b.seen_at FROM fleet.camera c JOIN fleet.beat b ON b.camera_id = c.id
WHERE c.life IN ('silent', 'planned') AND b.ok AND b.seen_at > %(after)s FOR UPDATE OF c;

-- name: set_life
-- A camera is in another state from now on.
UPDATE fleet.camera SET life = %(after)s, life_since = %(at)s, life_reason = %(reason)s WHERE id = %(camera_id)s;

-- name: add_life_change
-- The change, dated and with its reason.
INSERT INTO fleet.life_change (id, camera_id, before, after, at, reason, actor_id)
VALUES (%(id)s, %(camera_id)s, %(before)s, %(after)s, %(at)s, %(reason)s, %(actor_id)s);

-- name: life_of
-- The life of one camera, latest first.
SELECT l.before, l.after, l.at, l.reason, a.login FROM fleet.life_change l
LEFT JOIN access.account a ON a.id = l.actor_id WHERE camera_id = %(camera_id)s ORDER BY at DESC, l.id DESC LIMIT 200;

-- name: cameras
-- A page of the fleet. `cursor` is the number after which to go on.
SELECT c.id, c.number, c.name_uk, c.name_en, c.kind, c.owner, c.life, c.life_since, c.life_reason, c.region_code,
       c.lat, c.lon, c.heading_deg, c.fov_deg, c.px_m_class, c.lawful_basis, c.retention_class, c.maker, c.model,
       c.firmware, c.serial, c.address, c.site_id, s.name_uk AS site_uk, s.name_en AS site_en, b.seen_at, b.says,
       b.clock_offset_ms,
       (SELECT count(*) FROM fleet.finding f WHERE f.camera_id = c.id AND f.cleared_at IS NULL) AS findings_count,
       (SELECT min(h.id::text) FROM fleet.channel h WHERE h.camera_id = c.id) AS channel_id
FROM fleet.camera c LEFT JOIN fleet.site s ON s.id = c.site_id LEFT JOIN fleet.beat b ON b.camera_id = c.id
WHERE (%(text)s::text IS NULL OR c.text_search LIKE '%%' || %(text)s || '%%' OR left(c.region_code, 4) = ANY(%(named)s)
       OR c.site_id IN (SELECT n.id FROM fleet.site n WHERE lower(n.name_uk || ' ' || n.name_en) LIKE '%%' || %(text)s || '%%'))
  AND (%(ids)s::uuid[] IS NULL OR c.id = ANY(%(ids)s))
  AND (%(region)s::text IS NULL OR left(c.region_code, 4) = %(region)s)
  AND (%(kind)s::text IS NULL OR c.kind = %(kind)s) AND (%(owner)s::text IS NULL OR c.owner = %(owner)s)
  AND (%(life)s::text IS NULL OR c.life = %(life)s) AND (%(site)s::uuid IS NULL OR c.site_id = %(site)s)
  AND (%(finding)s::text IS NULL OR EXISTS (SELECT FROM fleet.finding f WHERE f.camera_id = c.id
       AND f.cleared_at IS NULL AND f.code = %(finding)s))
  AND (%(cursor)s::text IS NULL OR c.number > %(cursor)s)
ORDER BY c.number LIMIT %(limit)s;

-- name: count_cameras
-- How many of the fleet the filters leave.
SELECT count(*) AS total FROM fleet.camera c
WHERE (%(text)s::text IS NULL OR c.text_search LIKE '%%' || %(text)s || '%%' OR left(c.region_code, 4) = ANY(%(named)s)
       OR c.site_id IN (SELECT n.id FROM fleet.site n WHERE lower(n.name_uk || ' ' || n.name_en) LIKE '%%' || %(text)s || '%%'))
  AND (%(ids)s::uuid[] IS NULL OR c.id = ANY(%(ids)s))
  AND (%(region)s::text IS NULL OR left(c.region_code, 4) = %(region)s)
  AND (%(kind)s::text IS NULL OR c.kind = %(kind)s) AND (%(owner)s::text IS NULL OR c.owner = %(owner)s)
  AND (%(life)s::text IS NULL OR c.life = %(life)s) AND (%(site)s::uuid IS NULL OR c.site_id = %(site)s)
  AND (%(finding)s::text IS NULL OR EXISTS (SELECT FROM fleet.finding f WHERE f.camera_id = c.id
       AND f.cleared_at IS NULL AND f.code = %(finding)s));

-- name: camera_by_id
-- One camera.
SELECT c.*, s.name_uk AS site_uk, s.name_en AS site_en, b.seen_at, b.says, b.ok, b.clock_offset_ms
FROM fleet.camera c LEFT JOIN fleet.site s ON s.id = c.site_id LEFT JOIN fleet.beat b ON b.camera_id = c.id
WHERE c.id = %(id)s;

-- name: cameras_of_channels
-- Whose channels these are.
SELECT h.id AS channel_id, c.id AS camera_id, c.number, c.name_uk, c.name_en FROM fleet.channel h
JOIN fleet.camera c ON c.id = h.camera_id WHERE h.id = ANY(%(ids)s);

-- name: streams_of
-- The channels and streams of cameras.
SELECT h.camera_id, h.id AS channel_id, h.number, h.name, s.id AS stream_id, s.role, s.codec, s.width, s.height, s.fps,
       s.record, s.url FROM fleet.channel h LEFT JOIN fleet.stream s ON s.channel_id = h.id
WHERE h.camera_id = ANY(%(ids)s) ORDER BY h.number, s.role;

-- name: findings_of
-- The weaknesses of one camera that stand.
SELECT code, severity, details, since FROM fleet.finding WHERE camera_id = %(camera_id)s AND cleared_at IS NULL
ORDER BY severity, code;

-- name: map_points
-- Cameras in a frame of the map, one by one.
SELECT c.id, c.lat, c.lon, c.heading_deg, c.life, c.kind,
       (SELECT count(*) FROM fleet.finding f WHERE f.camera_id = c.id AND f.cleared_at IS NULL) AS findings
FROM fleet.camera c
WHERE c.lon BETWEEN %(west)s AND %(east)s AND c.lat BETWEEN %(south)s AND %(north)s AND c.life <> 'retired'
LIMIT %(limit)s;

-- name: map_clusters
-- Cameras in a frame of the map, gathered in cells of `step` degrees.
SELECT avg(c.lat) AS lat, avg(c.lon) AS lon, count(*) AS count,
       count(*) FILTER (WHERE life IN ('working', 'restored')) AS working,
       count(*) FILTER (WHERE life = 'silent') AS silent,
       count(*) FILTER (WHERE life IN ('damaged', 'destroyed')) AS destroyed,
       count(*) FILTER (WHERE life IN ('planned', 'under_repair')) AS other
FROM fleet.camera c
WHERE c.lon BETWEEN %(west)s AND %(east)s AND c.lat BETWEEN %(south)s AND %(north)s AND c.life <> 'retired'
GROUP BY floor(c.lon / %(step)s::float8), floor(c.lat / %(step)s::float8);

-- name: summary_life
-- The fleet by state.
SELECT life AS key, count(*) AS n FROM fleet.camera GROUP BY life;

-- name: summary_kind
-- The fleet by kind.
SELECT kind AS key, count(*) AS n FROM fleet.camera GROUP BY kind;

-- name: summary_owner
-- The fleet by owner.
SELECT owner AS key, count(*) AS n FROM fleet.camera GROUP BY owner;

-- name: summary_findings
-- Weaknesses that stand.
SELECT code AS key, count(*) AS n FROM fleet.finding WHERE cleared_at IS NULL GROUP BY code;

-- name: summary_region
-- The fleet by oblast.
SELECT left(region_code, 4) AS prefix, count(*) AS total,
       count(*) FILTER (WHERE life IN ('working', 'restored')) AS working,
       count(*) FILTER (WHERE life = 'silent') AS silent,
       count(*) FILTER (WHERE life IN ('damaged', 'destroyed')) AS destroyed,
       count(*) FILTER (WHERE life = 'restored') AS restored
FROM fleet.camera GROUP BY left(region_code, 4) ORDER BY total DESC;

-- name: restoration_changes
-- Every change of state up to an instant, in order, of one oblast or all.
SELECT l.camera_id, l.after, l.at FROM fleet.life_change l JOIN fleet.camera c ON c.id = l.camera_id
WHERE l.at < %(end)s AND (%(region)s::text IS NULL OR left(c.region_code, 4) = %(region)s) ORDER BY l.at, l.id;

-- name: sites
-- Every site with how many cameras it has.
SELECT s.id, s.name_uk, s.name_en, s.region_code, count(c.id) AS cameras
FROM fleet.site s LEFT JOIN fleet.camera c ON c.site_id = s.id GROUP BY s.id ORDER BY s.name_uk;

-- name: find_finding
-- Whether a weakness stands.
SELECT id FROM fleet.finding WHERE camera_id = %(camera_id)s AND code = %(code)s AND cleared_at IS NULL;

-- name: add_finding
-- A weakness was found; once for as long as it stands.
INSERT INTO fleet.finding (id, camera_id, code, severity, details, since)
VALUES (%(id)s, %(camera_id)s, %(code)s, %(severity)s, %(details)s, %(at)s)
ON CONFLICT (camera_id, code) WHERE cleared_at IS NULL DO UPDATE SET details = excluded.details;

-- name: clear_findings
-- Those weaknesses of a camera that are gone.
UPDATE fleet.finding SET cleared_at = %(at)s
WHERE camera_id = %(camera_id)s AND cleared_at IS NULL AND NOT code = ANY(%(standing)s);

-- name: policy
-- What was decided.
SELECT value FROM fleet.policy WHERE key = %(key)s;

-- name: set_policy
-- What is decided from now on.
INSERT INTO fleet.policy (key, value, changed_at) VALUES (%(key)s, %(value)s, %(at)s)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at;

-- name: set_login
-- The sealed name and password of a camera.
UPDATE fleet.camera SET sealed_login = %(sealed)s WHERE id = %(camera_id)s;

-- name: set_facts
-- What a probe found.
UPDATE fleet.camera SET maker = %(maker)s, model = %(model)s, firmware = %(firmware)s, serial = %(serial)s,
    facts = %(facts)s WHERE id = %(camera_id)s;

-- name: change_camera
-- What an administrator may change.
UPDATE fleet.camera SET name_uk = %(name_uk)s, name_en = %(name_en)s, lat = %(lat)s, lon = %(lon)s,
    heading_deg = %(heading_deg)s, fov_deg = %(fov_deg)s, px_m_class = %(px_m_class)s,
    lawful_basis = %(lawful_basis)s, retention_class = %(retention_class)s WHERE id = %(id)s;

-- name: cameras_due_for_posture
-- Cameras with what their weaknesses are judged by.
SELECT c.id, c.maker, c.model, c.firmware, c.facts, b.clock_offset_ms,
       array_agg(s.url) FILTER (WHERE s.url IS NOT NULL) AS urls
FROM fleet.camera c LEFT JOIN fleet.beat b ON b.camera_id = c.id LEFT JOIN fleet.channel h ON h.camera_id = c.id
LEFT JOIN fleet.stream s ON s.channel_id = h.id
WHERE %(id)s::uuid IS NULL OR c.id = %(id)s GROUP BY c.id, b.clock_offset_ms;

-- name: cameras_to_hear
-- Cameras with an ONVIF address that may be reached.
SELECT id, address, sealed_login, lower(maker) AS maker FROM fleet.camera
WHERE address <> '' AND life = ANY(%(lives)s) ORDER BY id;

-- name: add_camera_events
-- Many events in one statement, each once; those that are new.
INSERT INTO fleet.camera_event (id, camera_id, kind, active, source, at, camera_at, detail)
SELECT e.id, e.camera_id, e.kind, e.active, e.source, e.at, e.camera_at, e.detail
FROM unnest(%(ids)s::uuid[], %(cameras)s::uuid[], %(kinds)s::text[], %(actives)s::boolean[], %(sources)s::text[],
            %(ats)s::timestamptz[], %(camera_ats)s::timestamptz[], %(details)s::text[])
     AS e (id, camera_id, kind, active, source, at, camera_at, detail)
JOIN fleet.camera c ON c.id = e.camera_id
ON CONFLICT DO NOTHING RETURNING id;

-- name: camera_events
-- What a camera told, the latest first, a page at a time.
SELECT id, kind, active, source, at, camera_at, detail FROM fleet.camera_event
WHERE camera_id = %(camera_id)s AND (%(before)s::timestamptz IS NULL OR (at, id) < (%(before)s, %(before_id)s))
ORDER BY at DESC, id DESC LIMIT %(most)s;

-- name: forget_camera_events
-- Events older than the policy keeps them, at most so many at once.
DELETE FROM fleet.camera_event WHERE id IN
    (SELECT id FROM fleet.camera_event WHERE at < %(before)s ORDER BY at LIMIT %(most)s);
