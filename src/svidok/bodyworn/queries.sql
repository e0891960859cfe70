-- name: add_dock
-- A dock is made.
INSERT INTO bodyworn.dock (id, name, checkpoint, account, secret, made_at)
VALUES (%(id)s, %(name)s, %(checkpoint)s, %(account)s, %(secret)s, %(at)s);

-- name: renew_dock
-- A dock gets another secret.
UPDATE bodyworn.dock SET secret = %(secret)s WHERE id = %(id)s RETURNING *;

-- name: dock_by_name
-- Whether a name is taken.
SELECT id FROM bodyworn.dock WHERE name = %(name)s;

-- name: dock_by_account
-- Who sends.
SELECT * FROM bodyworn.dock WHERE account = %(account)s;

-- name: dock_seen
-- It signed in.
UPDATE bodyworn.dock SET seen_at = %(at)s WHERE id = %(id)s;

-- name: docks
-- Every dock.
SELECT id, name, checkpoint, account, seen_at FROM bodyworn.dock ORDER BY name;

-- name: lock_name
-- Two uploads of one name wait for each other.
SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 7));

-- name: clip_by_content
-- Whether these bytes came under this name before.
SELECT id, sha256, entry_id, volume_id, path FROM bodyworn.clip
WHERE dock_id = %(dock_id)s AND container = %(container)s AND name = %(name)s AND sha256 = %(sha256)s;

-- name: clip_by_hash
-- Whether these bytes came before at all.
SELECT id FROM bodyworn.clip WHERE sha256 = %(sha256)s LIMIT 1;

-- name: clip_by_name
-- The latest clip of a name.
SELECT id, meta, size_bytes, md5, sha256, received_at FROM bodyworn.clip
WHERE dock_id = %(dock_id)s AND container = %(container)s AND name = %(name)s ORDER BY received_at DESC LIMIT 1;

-- name: clips_in
-- The latest clip of each name in a container.
SELECT DISTINCT ON (name) name, size_bytes, md5, received_at FROM bodyworn.clip
WHERE dock_id = %(dock_id)s AND container = %(container)s ORDER BY name, received_at DESC;

-- name: add_clip
-- A file is kept.
INSERT INTO bodyworn.clip (id, dock_id, container, name, kind, meta, camera_id, sha256, md5, size_bytes, volume_id,
                           path, state, reason, device_start, device_end, start_at, end_at, received_at, entry_id)
VALUES (%(id)s, %(dock_id)s, %(container)s, %(name)s, %(kind)s, %(meta)s, %(camera_id)s, %(sha256)s, %(md5)s,
        %(size_bytes)s, %(volume_id)s, %(path)s, %(state)s, %(reason)s, %(device_start)s, %(device_end)s, %(start_at)s,
        %(end_at)s, %(at)s, %(entry_id)s);

-- name: set_clip_meta
-- A dock says more of an object.
UPDATE bodyworn.clip SET meta = %(meta)s WHERE id = %(id)s;

-- name: container
-- What is known of a container.
SELECT name, meta, made_at, completed_at FROM bodyworn.container WHERE dock_id = %(dock_id)s AND name = %(name)s;

-- name: containers
-- The containers of a dock, with how much is in each.
SELECT c.name, count(o.name)::int AS count, coalesce(sum(o.size_bytes), 0)::bigint AS bytes FROM bodyworn.container c
LEFT JOIN (SELECT DISTINCT ON (container, name) container, name, size_bytes FROM bodyworn.clip
           WHERE dock_id = %(dock_id)s ORDER BY container, name, received_at DESC) o ON o.container = c.name
WHERE c.dock_id = %(dock_id)s GROUP BY c.name;

-- name: put_container
-- A container is made, or gets more metadata; one that is complete stays as it is.
INSERT INTO bodyworn.container (dock_id, name, meta, made_at, completed_at)
VALUES (%(dock_id)s, %(name)s, %(meta)s, %(at)s, CASE WHEN %(complete)s THEN %(at)s::timestamptz END)
ON CONFLICT (dock_id, name) DO UPDATE
SET meta = CASE WHEN bodyworn.container.completed_at IS NULL THEN bodyworn.container.meta || excluded.meta
           ELSE bodyworn.container.meta END,
    completed_at = coalesce(bodyworn.container.completed_at, excluded.completed_at)
RETURNING meta, made_at = %(at)s AS made, completed_at = %(at)s AS completed;

-- name: see_worn_volume
-- A volume for originals.
INSERT INTO bodyworn.volume (id, node, path, rank, seen_at) VALUES (%(id)s, %(node)s, %(path)s, %(rank)s, %(at)s)
ON CONFLICT (id) DO UPDATE SET node = excluded.node, path = excluded.path, rank = excluded.rank,
    seen_at = excluded.seen_at;

-- name: worn_volumes
-- The volumes of a machine.
SELECT id, path, rank FROM bodyworn.volume WHERE node = %(node)s ORDER BY rank;

-- name: known_paths
-- The files of a volume that rows know.
SELECT path FROM bodyworn.clip WHERE volume_id = %(volume_id)s;

-- name: enrol_device
-- A camera of the fleet is worn from now on.
INSERT INTO bodyworn.device (camera_id, channel_id, number, serial, service, checkpoint, model, firmware)
VALUES (%(camera_id)s, %(channel_id)s, %(number)s, %(serial)s, %(service)s, %(checkpoint)s, %(model)s, %(firmware)s)
ON CONFLICT (camera_id) DO UPDATE SET serial = excluded.serial, service = excluded.service,
    checkpoint = excluded.checkpoint;

-- name: fleet_camera
-- A camera of the fleet with its first channel.
SELECT c.id, c.kind, c.model, c.firmware, c.serial, h.id AS channel_id FROM fleet.camera c
JOIN fleet.channel h ON h.camera_id = c.id WHERE c.number = %(number)s ORDER BY h.number LIMIT 1;

-- name: set_retention_class
-- Footage of worn cameras is kept as the pack of their service says.
UPDATE fleet.camera SET retention_class = %(retention_class)s WHERE id = %(camera_id)s;

-- name: device_by_serial
-- A worn camera by what is printed on it.
SELECT * FROM bodyworn.device WHERE serial = %(serial)s;

-- name: device_by_number
-- A worn camera by its number or its serial number.
SELECT * FROM bodyworn.device WHERE number = %(number)s OR serial = %(number)s;

-- name: device_by_id
-- A worn camera.
SELECT * FROM bodyworn.device WHERE camera_id = %(camera_id)s;

-- name: device_seen
-- What a dock says of a camera; what it leaves out stays.
UPDATE bodyworn.device SET seen_at = %(at)s, docked_at = %(at)s,
    firmware = coalesce(nullif(%(firmware)s, ''), firmware), battery_pct = coalesce(%(battery_pct)s, battery_pct),
    storage_pct = coalesce(%(storage_pct)s, storage_pct),
    clock_offset_ms = coalesce(%(clock_offset_ms)s, clock_offset_ms),
    counter_clips = greatest(counter_clips, %(counter_clips)s), counter_bytes = greatest(counter_bytes, %(counter_bytes)s)
WHERE camera_id = %(camera_id)s;

-- name: device_out
-- A camera leaves the dock.
UPDATE bodyworn.device SET docked_at = NULL WHERE camera_id = %(camera_id)s;

-- name: announce
-- A camera says that it recorded a clip. What it said once stays.
INSERT INTO bodyworn.announced (camera_id, name, sequence, start_at, end_at, size_bytes, sha256, said_at)
VALUES (%(camera_id)s, %(name)s, %(sequence)s, %(start_at)s, %(end_at)s, %(size_bytes)s, %(sha256)s, %(at)s)
ON CONFLICT (camera_id, name) DO NOTHING;

-- name: add_device_event
-- Something happened to a camera.
INSERT INTO bodyworn.device_event (camera_id, at, kind) VALUES (%(camera_id)s, %(at)s, %(kind)s)
ON CONFLICT DO NOTHING;

-- name: issues_docked
-- Everything that was recorded before this instant was taken off.
UPDATE bodyworn.issue SET docked_at = %(at)s
WHERE camera_id = %(camera_id)s AND issued_at < %(at)s AND (docked_at IS NULL OR returned_at IS NULL
      OR docked_at < returned_at);

-- name: pack
-- What the law lets a service do.
SELECT * FROM bodyworn.pack WHERE service = %(service)s;

-- name: packs
-- Every pack.
SELECT * FROM bodyworn.pack ORDER BY service;

-- name: set_pack
-- What the law lets a service do from now on.
INSERT INTO bodyworn.pack (service, retention_class, legal_basis, pause_kinds, hold_reasons, changed_by, changed_at)
VALUES (%(service)s, %(retention_class)s, %(legal_basis)s, %(pause_kinds)s, %(hold_reasons)s, %(by)s, %(at)s)
ON CONFLICT (service) DO UPDATE SET retention_class = excluded.retention_class, legal_basis = excluded.legal_basis,
    pause_kinds = excluded.pause_kinds, hold_reasons = excluded.hold_reasons, changed_by = excluded.changed_by,
    changed_at = excluded.changed_at;

-- name: add_officer
-- An officer who may wear a camera.
INSERT INTO bodyworn.officer (id, badge, card, name, service, account_id)
VALUES (%(id)s, %(badge)s, %(card)s, %(name)s, %(service)s, %(account_id)s);

-- name: officer_by_badge
-- Whose badge or card this is.
SELECT id, badge, name, service, account_id, active FROM bodyworn.officer
WHERE badge = %(badge)s OR card = %(card)s;

-- name: officer_by_id
-- One officer.
SELECT id, badge, name, service, account_id, active FROM bodyworn.officer WHERE id = %(id)s;

-- name: officer_by_account
-- The officer who signs in with an account.
SELECT id, badge, name, service, account_id, active FROM bodyworn.officer WHERE account_id = %(account_id)s;

-- name: officers
-- Every officer.
SELECT id, badge, name, service, account_id, active FROM bodyworn.officer ORDER BY name, badge;

-- name: add_shift
-- A shift is planned.
INSERT INTO bodyworn.shift (id, officer_id, service, checkpoint, start_at, end_at, planned_at)
VALUES (%(id)s, %(officer_id)s, %(service)s, %(checkpoint)s, %(start_at)s, %(end_at)s, %(at)s);

-- name: add_duty
-- Footage must exist here.
INSERT INTO bodyworn.duty (shift_id, start_at, end_at) VALUES (%(shift_id)s, %(start_at)s, %(end_at)s);

-- name: overlapping_shift
-- Another shift of this officer at this time.
SELECT id FROM bodyworn.shift WHERE officer_id = %(officer_id)s AND start_at < %(end_at)s AND end_at > %(start_at)s;

-- name: shift_at
-- The shift of an officer at an instant, or the next within `lead`.
SELECT * FROM bodyworn.shift WHERE officer_id = %(officer_id)s AND end_at > %(at)s
    AND start_at <= %(at)s::timestamptz + %(lead)s::interval ORDER BY start_at LIMIT 1;

-- name: shifts_between
-- Shifts that touch a span, at one checkpoint or all, of one officer or all.
SELECT s.*, o.badge, o.name FROM bodyworn.shift s JOIN bodyworn.officer o ON o.id = s.officer_id
WHERE s.start_at < %(end_at)s AND s.end_at > %(start_at)s
  AND (%(checkpoint)s::text IS NULL OR s.checkpoint = %(checkpoint)s)
  AND (%(officer_id)s::uuid IS NULL OR s.officer_id = %(officer_id)s)
ORDER BY s.start_at, o.badge LIMIT 2000;

-- name: shift_by_id
-- One shift.
SELECT s.*, o.badge, o.name FROM bodyworn.shift s JOIN bodyworn.officer o ON o.id = s.officer_id WHERE s.id = %(id)s;

-- name: duties_of
-- When footage must exist.
SELECT shift_id, start_at, end_at FROM bodyworn.duty WHERE shift_id = ANY(%(shifts)s) ORDER BY start_at;

-- name: issues_of
-- The cameras of shifts.
SELECT i.*, d.channel_id, d.number FROM bodyworn.issue i JOIN bodyworn.device d ON d.camera_id = i.camera_id
WHERE i.shift_id = ANY(%(shifts)s) ORDER BY i.issued_at;

-- name: one_at_a_time
-- Whoever takes, returns or swaps this camera or for this officer at the same moment waits.
SELECT pg_advisory_xact_lock(hashtextextended(%(what)s, 0));

-- name: last_issue_of_camera
-- Who had a camera last.
SELECT id, returned_at FROM bodyworn.issue WHERE camera_id = %(camera_id)s ORDER BY issued_at DESC LIMIT 1;

-- name: open_issue_of_camera
-- Who has a camera.
SELECT i.*, o.badge FROM bodyworn.issue i JOIN bodyworn.officer o ON o.id = i.officer_id
WHERE i.camera_id = %(camera_id)s AND i.returned_at IS NULL;

-- name: open_issue_of_officer
-- What an officer has.
SELECT i.*, d.number, d.channel_id FROM bodyworn.issue i JOIN bodyworn.device d ON d.camera_id = i.camera_id
WHERE i.officer_id = %(officer_id)s AND i.returned_at IS NULL;

-- name: add_issue
-- A camera is handed out.
INSERT INTO bodyworn.issue (id, shift_id, officer_id, camera_id, issued_at)
VALUES (%(id)s, %(shift_id)s, %(officer_id)s, %(camera_id)s, %(at)s);

-- name: end_issue
-- A camera comes back.
UPDATE bodyworn.issue SET returned_at = greatest(issued_at, %(at)s), why_returned = %(why)s
WHERE id = %(id)s AND returned_at IS NULL;

-- name: board
-- Every worn camera: where it is, who has it, how it fares.
SELECT d.*, i.issued_at, i.officer_id, o.badge, o.name AS officer,
       (SELECT count(*) FROM bodyworn.clip c WHERE c.camera_id = d.camera_id AND c.copied_at IS NULL
        AND c.disposed_at IS NULL) AS unsafe,
       (SELECT count(*) FROM bodyworn.announced a WHERE a.camera_id = d.camera_id AND NOT EXISTS
           (SELECT FROM bodyworn.clip c WHERE c.camera_id = a.camera_id AND a.name IN (c.name, c.container))) AS missing,
       (SELECT max(c.received_at) FROM bodyworn.clip c WHERE c.camera_id = d.camera_id) AS last_clip_at,
       greatest((SELECT max(c.received_at) FROM bodyworn.clip c WHERE c.camera_id = d.camera_id),
                (SELECT max(a.said_at) FROM bodyworn.announced a WHERE a.camera_id = d.camera_id),
                (SELECT max(u.at) FROM bodyworn.upload u WHERE u.meta->>'serial' = d.serial)) AS last_sent_at
FROM bodyworn.device d
LEFT JOIN bodyworn.issue i ON i.camera_id = d.camera_id AND i.returned_at IS NULL
LEFT JOIN bodyworn.officer o ON o.id = i.officer_id
WHERE %(checkpoint)s::text IS NULL OR d.checkpoint = %(checkpoint)s ORDER BY d.number;

-- name: stretches_between
-- Footage of cameras that can be played.
SELECT clip_id, channel_id, start_at, end_at FROM bodyworn.stretch
WHERE channel_id = ANY(%(channels)s) AND start_at < %(end_at)s AND end_at > %(start_at)s ORDER BY start_at;

-- name: marks_between
-- Footage of cameras that shows nothing.
SELECT channel_id, cause, start_at, end_at FROM bodyworn.mark
WHERE channel_id = ANY(%(channels)s) AND start_at < %(end_at)s AND end_at > %(start_at)s;

-- name: announced_between
-- What cameras said they recorded, and whether it came.
SELECT a.camera_id, a.name, a.start_at, a.end_at, EXISTS
    (SELECT FROM bodyworn.clip c WHERE c.camera_id = a.camera_id AND a.name IN (c.name, c.container) AND c.state <> 'quarantined')
    AS arrived
FROM bodyworn.announced a
WHERE a.camera_id = ANY(%(cameras)s) AND a.start_at < %(end_at)s AND a.end_at > %(start_at)s;

-- name: arrived_between
-- What the clips that came claim to cover.
SELECT camera_id, name, start_at, end_at, read_at, state FROM bodyworn.clip
WHERE camera_id = ANY(%(cameras)s) AND kind = 'video' AND start_at < %(end_at)s AND end_at > %(start_at)s;

-- name: sent_of
-- When something of a camera last came from its dock, and which uploads of it began and are not whole.
SELECT d.camera_id, ARRAY(SELECT u.meta->>'name' FROM bodyworn.upload u
        WHERE u.meta->>'serial' = d.serial AND u.clip_id IS NULL) AS begun,
    greatest((SELECT max(c.received_at) FROM bodyworn.clip c WHERE c.camera_id = d.camera_id),
             (SELECT max(a.said_at) FROM bodyworn.announced a WHERE a.camera_id = d.camera_id),
             (SELECT max(u.at) FROM bodyworn.upload u WHERE u.meta->>'serial' = d.serial)) AS last_at
FROM bodyworn.device d WHERE d.camera_id = ANY(%(cameras)s);

-- name: events_between
-- What cameras told.
SELECT camera_id, at, kind FROM bodyworn.device_event
WHERE camera_id = ANY(%(cameras)s) AND at < %(end_at)s AND at > %(start_at)s ORDER BY at;

-- name: pauses_of
-- What was declared for shifts.
SELECT id, shift_id, start_at, end_at, kind, reason FROM bodyworn.pause WHERE shift_id = ANY(%(shifts)s);

-- name: add_pause
-- Somebody declares a pause.
INSERT INTO bodyworn.pause (id, shift_id, start_at, end_at, kind, reason, said_by, said_at, entry_id)
VALUES (%(id)s, %(shift_id)s, %(start_at)s, %(end_at)s, %(kind)s, %(reason)s, %(by)s, %(at)s, %(entry_id)s);

-- name: clips_to_copy
-- Clips without a second copy, oldest first.
SELECT id, volume_id, path, sha256, size_bytes FROM bodyworn.clip
WHERE copied_at IS NULL AND disposed_at IS NULL AND received_at <= %(before)s ORDER BY received_at LIMIT %(most)s;

-- name: clip_copied
-- Both copies were read back.
UPDATE bodyworn.clip SET copied_at = %(at)s, copy_volume_id = %(volume_id)s,
    state = CASE WHEN state = 'kept' THEN 'copied' ELSE state END WHERE id = %(id)s;

-- name: clips_to_read
-- Videos that nobody looked into yet, oldest first; an encrypted one waits for its key a while.
SELECT c.*, d.channel_id, k.volume_id AS key_volume_id, k.path AS key_path FROM bodyworn.clip c
LEFT JOIN bodyworn.device d ON d.camera_id = c.camera_id
LEFT JOIN LATERAL (SELECT volume_id, path FROM bodyworn.clip k WHERE k.dock_id = c.dock_id
    AND k.container = c.container AND k.kind = 'key'
    AND k.name = regexp_replace(c.name, '\.[^.]*$', '.key') ORDER BY k.received_at DESC LIMIT 1) k ON true
WHERE c.read_at IS NULL AND c.kind = 'video' AND c.disposed_at IS NULL AND c.reason <> 'replay'
ORDER BY c.received_at, c.id LIMIT %(most)s;

-- name: clip_read
-- Its pictures were cut into segments, or cannot be.
UPDATE bodyworn.clip SET read_at = %(at)s, state = CASE WHEN %(reason)s <> '' THEN 'quarantined' ELSE state END,
    reason = CASE WHEN %(reason)s <> '' THEN %(reason)s ELSE reason END WHERE id = %(id)s;

-- name: add_signature
-- What the camera's own signatures say of a clip.
INSERT INTO bodyworn.signature (clip_id, judged_at, verdict, authentic, missing, not_authentic, pending, grounds, signer,
                                fingerprint, trust, entry_id)
VALUES (%(clip_id)s, %(at)s, %(verdict)s, %(authentic)s, %(missing)s, %(not_authentic)s, %(pending)s, %(grounds)s,
        %(signer)s, %(fingerprint)s, %(trust)s, %(entry_id)s);

-- name: verdict_before
-- What was found of the latest judged clip of a camera before an instant; no row where none was judged.
SELECT s.verdict FROM bodyworn.signature s JOIN bodyworn.clip c ON c.id = s.clip_id
WHERE c.camera_id = %(camera_id)s AND c.start_at < %(before)s ORDER BY c.start_at DESC LIMIT 1;

-- name: clips_of_shift
-- The videos that the cameras of a shift recorded while they were out, each with what its camera signed.
SELECT c.id, c.name, d.number AS camera, d.channel_id, c.start_at, c.end_at, c.size_bytes, c.sha256, c.state, c.reason,
       c.received_at, c.copied_at, c.read_at, c.disposed_at, s.clip_id IS NOT NULL AS judged, s.verdict, s.authentic,
       s.missing, s.not_authentic, s.pending, s.grounds, s.signer, s.fingerprint, s.trust
FROM bodyworn.issue i JOIN bodyworn.device d ON d.camera_id = i.camera_id
JOIN bodyworn.clip c ON c.camera_id = i.camera_id AND c.kind = 'video'
    AND c.start_at < coalesce(i.returned_at, 'infinity') AND coalesce(c.end_at, c.start_at) > i.issued_at
LEFT JOIN bodyworn.signature s ON s.clip_id = c.id
WHERE i.shift_id = %(shift_id)s ORDER BY c.start_at, c.id;

-- name: add_stretch
-- What of a clip can be played.
INSERT INTO bodyworn.stretch (clip_id, channel_id, start_at, end_at)
VALUES (%(clip_id)s, %(channel_id)s, %(start_at)s, %(end_at)s) ON CONFLICT DO NOTHING;

-- name: add_mark
-- Footage that shows nothing.
INSERT INTO bodyworn.mark (clip_id, channel_id, cause, start_at, end_at)
VALUES (%(clip_id)s, %(channel_id)s, %(cause)s, %(start_at)s, %(end_at)s) ON CONFLICT DO NOTHING;

-- name: footage_volumes
-- Volumes of this machine that take segments.
SELECT id, node, path, quota_bytes FROM recording.volume WHERE node = %(node)s AND state = 'ready' ORDER BY id;

-- name: footage_of
-- What a channel has in the timeline already.
SELECT start_at, end_at FROM recording.segment
WHERE channel_id = %(channel_id)s AND state <> 'disposed' AND start_at < %(end_at)s AND end_at > %(start_at)s
  AND NOT id = ANY(%(own)s);

-- name: upload
-- An upload in parts.
SELECT * FROM bodyworn.upload WHERE id = %(id)s AND dock_id = %(dock_id)s;

-- name: add_upload
-- An upload begins.
INSERT INTO bodyworn.upload (id, dock_id, meta, length, volume_id, begun_at, at)
VALUES (%(id)s, %(dock_id)s, %(meta)s, %(length)s, %(volume_id)s, %(at)s, %(at)s);

-- name: uploads_known
-- Which of these uploads in parts are known, and whether each is a clip.
SELECT id, clip_id IS NOT NULL AS done FROM bodyworn.upload WHERE id = ANY(%(ids)s);

-- name: upload_grew
-- So many bytes of it are synced.
UPDATE bodyworn.upload SET acknowledged = %(acknowledged)s, at = %(at)s WHERE id = %(id)s;

-- name: upload_done
-- It is kept as a clip.
UPDATE bodyworn.upload SET clip_id = %(clip_id)s, acknowledged = length, at = %(at)s WHERE id = %(id)s;

-- name: receipt_of
-- What of a camera is kept, for its dock.
SELECT c.name, c.container, c.sha256, c.size_bytes, c.state, c.reason, c.copied_at, e.leaf_index
FROM bodyworn.clip c LEFT JOIN ledger.entry e ON e.id = c.entry_id
WHERE c.camera_id = %(camera_id)s AND c.received_at >= %(since)s ORDER BY c.received_at;

-- name: unarrived_of
-- What a camera announced and what did not come.
SELECT a.name, a.start_at, a.end_at, a.size_bytes FROM bodyworn.announced a
WHERE a.camera_id = %(camera_id)s AND NOT EXISTS
    (SELECT FROM bodyworn.clip c WHERE c.camera_id = a.camera_id AND a.name IN (c.name, c.container)
     AND (a.sha256 IS NULL OR c.sha256 = a.sha256))
ORDER BY a.start_at;

-- name: inventory_clips
-- Every clip with what the ledger says of it, in the order of their ids.
SELECT c.id, c.camera_id, c.dock_id, c.volume_id, c.path, c.copy_volume_id, c.sha256, c.size_bytes, c.copied_at,
       c.start_at, e.id AS entry_id, e.payload
FROM bodyworn.clip c LEFT JOIN ledger.entry e ON e.id = c.entry_id
WHERE c.disposed_at IS NULL AND c.id > %(after)s ORDER BY c.id LIMIT %(most)s;

-- name: inventory_devices
-- Counters of cameras against what came of them.
SELECT d.camera_id, d.number, d.counter_clips, d.counter_bytes,
       (SELECT count(DISTINCT c.name) FROM bodyworn.clip c WHERE c.camera_id = d.camera_id AND c.kind = 'video')
       AS clips,
       (SELECT count(*) FROM bodyworn.announced a WHERE a.camera_id = d.camera_id) AS announced,
       (SELECT count(*) FROM bodyworn.announced a WHERE a.camera_id = d.camera_id AND NOT EXISTS
           (SELECT FROM bodyworn.clip c WHERE c.camera_id = a.camera_id AND a.name IN (c.name, c.container)
            AND (a.sha256 IS NULL OR c.sha256 = a.sha256))) AS missing
FROM bodyworn.device d ORDER BY d.number;

-- name: inventory_shifts
-- Announced and missing clips by shift, of shifts since an instant.
SELECT i.shift_id, count(*) AS announced, count(*) FILTER (WHERE NOT EXISTS
    (SELECT FROM bodyworn.clip c WHERE c.camera_id = a.camera_id AND a.name IN (c.name, c.container))) AS missing
FROM bodyworn.issue i JOIN bodyworn.announced a ON a.camera_id = i.camera_id
    AND a.start_at < coalesce(i.returned_at, 'infinity') AND a.end_at > i.issued_at
WHERE i.issued_at > %(since)s GROUP BY i.shift_id;

-- name: orphaned_statements
-- Clips that the ledger states and that no row has: rows were lost.
SELECT e.subject FROM ledger.entry e WHERE e.kind = %(kind)s
    AND NOT EXISTS (SELECT FROM bodyworn.clip c WHERE c.id = e.subject) LIMIT 1000;

-- name: add_inventory
-- A comparison is stated.
INSERT INTO bodyworn.inventory (id, at, statement, shortfall, entry_id)
VALUES (%(id)s, %(at)s, %(statement)s, %(shortfall)s, %(entry_id)s);

-- name: inventories
-- The latest comparisons.
SELECT id, at, statement, shortfall, entry_id FROM bodyworn.inventory ORDER BY at DESC LIMIT %(most)s;

-- name: clips_due
-- Clips of cameras that ended before an instant, oldest first.
SELECT c.id, c.path, c.camera_id, d.channel_id, coalesce(c.start_at, c.received_at) AS start_at,
       coalesce(c.end_at, c.received_at) AS end_at
FROM bodyworn.clip c JOIN bodyworn.device d ON d.camera_id = c.camera_id
WHERE c.disposed_at IS NULL AND d.channel_id = ANY(%(channels)s) AND coalesce(c.end_at, c.received_at) < %(before)s
  AND c.id > %(after)s AND NOT EXISTS (SELECT FROM bodyworn.disposal p WHERE p.clip_id = c.id)
ORDER BY c.id LIMIT %(most)s;

-- name: add_clip_disposal
-- The decision, before the deed.
INSERT INTO bodyworn.disposal (clip_id, decided_at, grounds, entry_id)
VALUES (%(clip_id)s, %(at)s, %(grounds)s, %(entry_id)s) ON CONFLICT (clip_id) DO NOTHING;

-- name: disposals_waiting
-- Decided, and not done.
SELECT p.clip_id, c.path, array_remove(ARRAY[c.volume_id, c.copy_volume_id], NULL) AS volumes
FROM bodyworn.disposal p JOIN bodyworn.clip c ON c.id = p.clip_id WHERE p.done_at IS NULL;

-- name: clip_disposed
-- The deed is done.
UPDATE bodyworn.clip SET disposed_at = %(at)s WHERE id = %(id)s;

-- name: disposal_done
-- The same, in the decision's row.
UPDATE bodyworn.disposal SET done_at = %(at)s WHERE clip_id = %(id)s;
