-- name: add_checkpoint
-- A checkpoint.
INSERT INTO customs.checkpoint (id, code, name_uk, name_en, plates_due, body_due, upload_within,
                                scan_within, made_at)
VALUES (%(id)s, %(code)s, %(name_uk)s, %(name_en)s, %(plates_due)s, %(body_due)s, %(upload_within)s,
        %(scan_within)s, %(at)s);

-- name: checkpoint_by_id
-- One checkpoint.
SELECT * FROM customs.checkpoint WHERE id = %(id)s;

-- name: checkpoints
-- Every checkpoint.
SELECT * FROM customs.checkpoint ORDER BY name_uk;

-- name: add_lane
-- A lane.
INSERT INTO customs.lane (id, checkpoint_id, code, name_uk, name_en)
VALUES (%(id)s, %(checkpoint_id)s, %(code)s, %(name_uk)s, %(name_en)s);

-- name: lane_by_id
-- One lane.
SELECT * FROM customs.lane WHERE id = %(id)s;

-- name: lanes
-- Every lane, with the channels that should see it.
SELECT l.*, coalesce(array_agg(c.channel_id) FILTER (WHERE c.channel_id IS NOT NULL), '{}') AS channels
FROM customs.lane l LEFT JOIN customs.lane_camera c ON c.lane_id = l.id
GROUP BY l.id ORDER BY length(l.code), l.code;

-- name: places
-- Codes to ids.
SELECT c.code AS checkpoint, c.id AS checkpoint_id, l.code AS lane, l.id AS lane_id
FROM customs.checkpoint c LEFT JOIN customs.lane l ON l.checkpoint_id = c.id;

-- name: forget_lane_cameras
-- The cameras of a lane are said anew.
DELETE FROM customs.lane_camera WHERE lane_id = %(lane_id)s;

-- name: add_lane_camera
-- This channel should see the lane.
INSERT INTO customs.lane_camera (lane_id, channel_id) VALUES (%(lane_id)s, %(channel_id)s);

-- name: add_source
-- A system that may tell us things.
INSERT INTO customs.source (id, name, secret, checkpoints, added_by, added_at)
VALUES (%(id)s, %(name)s, %(secret)s, %(checkpoints)s, %(by)s, %(at)s);

-- name: end_source
-- It may no longer.
UPDATE customs.source SET ended_at = %(at)s WHERE id = %(id)s AND ended_at IS NULL;

-- name: sources
-- All of them; without secrets.
SELECT id, name, checkpoints, added_at, ended_at, seen_at FROM customs.source ORDER BY ended_at IS NOT NULL, name;

-- name: source_by_secret
-- Whose secret this is; it was seen.
UPDATE customs.source SET seen_at = %(at)s WHERE secret = %(secret)s AND ended_at IS NULL RETURNING *;

-- name: source_by_id
-- One source.
SELECT * FROM customs.source WHERE id = %(id)s;

-- name: lock_source
-- One delivery of a source at a time.
SELECT id FROM customs.source WHERE id = %(id)s FOR UPDATE;

-- name: add_delivery
-- A delivery begins.
INSERT INTO customs.delivery (id, source_id, at, taken, corrected, known, refused)
VALUES (%(id)s, %(source_id)s, %(at)s, 0, 0, 0, %(refused)s);

-- name: end_delivery
-- What became of it.
UPDATE customs.delivery SET taken = %(taken)s, corrected = %(corrected)s, known = %(known)s, entry_id = %(entry_id)s
WHERE id = %(id)s;

-- name: deliveries
-- The latest.
SELECT d.*, s.name AS source FROM customs.delivery d JOIN customs.source s ON s.id = d.source_id
ORDER BY d.at DESC LIMIT %(most)s;

-- name: add_refused
-- A row that could not be taken.
INSERT INTO customs.refused_row (id, delivery_id, line, number, says, body, at)
VALUES (%(id)s, %(delivery_id)s, %(line)s, %(number)s, %(says)s, %(body)s, %(at)s);

-- name: refused_rows
-- The latest of them.
SELECT r.id, r.line, r.number, r.says, r.at, s.name AS source FROM customs.refused_row r
JOIN customs.delivery d ON d.id = r.delivery_id JOIN customs.source s ON s.id = d.source_id
ORDER BY r.at DESC, r.line LIMIT %(most)s;

-- name: procedures_known
-- Those of these numbers that are known, each with every digest it ever had.
SELECT p.id, p.number, p.checkpoint_id, p.start_at,
       array_append((SELECT array_agg(o.digest) FROM customs.procedure_past o WHERE o.procedure_id = p.id), p.digest)
       AS digests
FROM customs.procedure p WHERE p.source_id = %(source_id)s AND p.number = ANY(%(numbers)s);

-- name: keep_past
-- What stands now is kept before it is corrected.
INSERT INTO customs.procedure_past (procedure_id, version, digest, body, delivery_id, received_at)
SELECT id, version, digest, to_jsonb(p) - 'digest', delivery_id, received_at FROM customs.procedure p
WHERE id = ANY(%(ids)s);

-- name: correct_procedure
-- The next version.
UPDATE customs.procedure SET version = version + 1, digest = %(digest)s, checkpoint_id = %(checkpoint_id)s,
    lane_id = %(lane_id)s, kind = %(kind)s, direction = %(direction)s, declaration = %(declaration)s,
    plate = %(plate)s, officers = %(officers)s, queued_at = %(queued_at)s, start_at = %(start_at)s,
    end_at = %(end_at)s, outcome = %(outcome)s, scan_due = %(scan_due)s, steps = %(steps)s,
    irregularities = %(irregularities)s, delivery_id = %(delivery_id)s, received_at = %(received_at)s, settled = false
WHERE id = %(id)s;

-- name: mark_due
-- The sums of a day are not true any more.
INSERT INTO customs.sum_due (checkpoint_id, day) VALUES (%(checkpoint_id)s, %(day)s) ON CONFLICT DO NOTHING;

-- name: take_days_due
-- Some days whose sums are due, of all checkpoints together first, taken by nobody else. Their marks go now, so that
-- whoever marks one of them meanwhile waits for us, and marks it again.
DELETE FROM customs.sum_due d USING
    (SELECT checkpoint_id, day FROM customs.sum_due ORDER BY checkpoint_id, day LIMIT %(most)s FOR UPDATE SKIP LOCKED) t
WHERE d.checkpoint_id = t.checkpoint_id AND d.day = t.day RETURNING d.checkpoint_id, d.day;

-- name: lock_whole
-- Sums that several checkpoints share are made by one at a time, who then sees what all before it summed.
SELECT pg_advisory_xact_lock(hashtext('customs.sum'));

-- name: day_rows
-- What a day is summed from.
SELECT l.code AS lane, p.kind, p.start_at, p.end_at, p.queued_at, p.irregularities
FROM customs.procedure p JOIN customs.lane l ON l.id = p.lane_id
WHERE p.checkpoint_id = %(checkpoint_id)s AND p.start_at >= %(start)s AND p.start_at < %(end)s;

-- name: forget_sums
-- The sums of a day, or of a month, are made anew.
DELETE FROM customs.sum WHERE grain = %(grain)s AND checkpoint_id = %(checkpoint_id)s AND day = %(day)s;

-- name: day_sums_of_month
-- What a month is summed from.
SELECT facet, value, procedures, ended, wait_s, took, waited FROM customs.sum
WHERE grain = 'd' AND checkpoint_id = %(checkpoint_id)s AND day >= %(day)s AND day < %(day)s + interval '1 month';

-- name: day_sums_of_all
-- What a day of all checkpoints together is summed from.
SELECT facet, value, procedures, ended, wait_s, took, waited FROM customs.sum
WHERE grain = 'd' AND day = %(day)s AND checkpoint_id = ANY(ARRAY(SELECT id FROM customs.checkpoint));

-- name: sums_between
-- Whole months and single days that together make a span of days.
SELECT facet, value, procedures, ended, wait_s, took, waited FROM customs.sum WHERE checkpoint_id = %(checkpoint_id)s
  AND ((grain = 'm' AND day = ANY(%(months)s)) OR (grain = 'd' AND day = ANY(%(days)s)));

-- name: sums_by_checkpoint
-- The same without facets, of every checkpoint apart.
SELECT checkpoint_id, procedures, ended, wait_s, took, waited FROM customs.sum
WHERE checkpoint_id = ANY(ARRAY(SELECT id FROM customs.checkpoint)) AND facet = 'all'
  AND ((grain = 'm' AND day = ANY(%(months)s)) OR (grain = 'd' AND day = ANY(%(days)s)));

-- name: sums_by_day
-- One sum a day of a checkpoint, for a chart.
SELECT day, procedures, ended, wait_s, took FROM customs.sum
WHERE grain = %(grain)s AND checkpoint_id = %(checkpoint_id)s AND facet = 'all' AND day >= %(first)s AND day < %(after)s
ORDER BY day;

-- name: missing_of_day
-- What the procedures of a day lack.
SELECT requirement, cause, count(*)::int AS procedures FROM customs.missing
WHERE checkpoint_id = %(checkpoint_id)s AND start_at >= %(start)s AND start_at < %(end)s AND arrived_at IS NULL
GROUP BY requirement, cause;

-- name: find_procedures
-- Procedures that began in a span, the latest first, from where a page before ended.
SELECT p.id, p.number, p.version, p.checkpoint_id, c.code AS checkpoint, c.name_uk AS checkpoint_uk,
       c.name_en AS checkpoint_en, l.code AS lane, p.kind, p.direction, p.declaration, p.plate,
       cardinality(p.officers) AS officers, p.queued_at, p.start_at, p.end_at, p.outcome, p.scan_due, p.irregularities,
       (SELECT count(*) FROM customs.missing m WHERE m.procedure_id = p.id AND m.arrived_at IS NULL) AS missing, p.settled
FROM customs.procedure p JOIN customs.checkpoint c ON c.id = p.checkpoint_id JOIN customs.lane l ON l.id = p.lane_id
WHERE p.start_at >= %(start)s AND p.start_at < %(end)s
  AND p.checkpoint_id = ANY(CASE WHEN %(checkpoint_id)s::uuid IS NULL
                            THEN ARRAY(SELECT id FROM customs.checkpoint) ELSE ARRAY[%(checkpoint_id)s::uuid] END)
  AND (%(lane_id)s::uuid IS NULL OR p.lane_id = %(lane_id)s)
  AND (%(kind)s::text IS NULL OR p.kind = %(kind)s)
  AND (%(plate)s::text IS NULL OR p.plate = %(plate)s)
  AND (%(declaration)s::text IS NULL OR p.declaration = %(declaration)s)
  AND (%(number)s::text IS NULL OR p.number = %(number)s)
  AND (NOT %(irregular)s OR p.irregularities <> '[]')
  AND (NOT %(lacking)s OR EXISTS (SELECT FROM customs.missing m WHERE m.procedure_id = p.id AND m.arrived_at IS NULL))
  AND (%(before_at)s::timestamptz IS NULL OR (p.start_at, p.id) < (%(before_at)s, %(before_id)s::uuid))
ORDER BY p.start_at DESC, p.id DESC LIMIT %(most)s;

-- name: procedure_by_id
-- One procedure, with its place.
SELECT p.*, c.code AS checkpoint, c.name_uk AS checkpoint_uk, c.name_en AS checkpoint_en, c.plates_due, c.body_due,
       c.upload_within, c.scan_within, l.code AS lane, l.name_uk AS lane_uk, l.name_en AS lane_en
FROM customs.procedure p JOIN customs.checkpoint c ON c.id = p.checkpoint_id JOIN customs.lane l ON l.id = p.lane_id
WHERE p.id = %(id)s;

-- name: versions
-- What a procedure was before.
SELECT version, body, received_at FROM customs.procedure_past WHERE procedure_id = %(id)s ORDER BY version DESC;

-- name: checkpoint_by_code
-- One checkpoint by its code.
SELECT id FROM customs.checkpoint WHERE code = %(code)s;

-- name: scan_by_hash
-- The same bytes of the same source.
SELECT * FROM customs.scan WHERE source_id = %(source_id)s AND sha256 = %(sha256)s;

-- name: add_scan
-- A scan that is on disk.
INSERT INTO customs.scan (id, source_id, checkpoint_id, procedure_number, declaration, plate, device, taken_at, form,
                          size_bytes, sha256, volume_id, path, state, says, received_at, entry_id)
VALUES (%(id)s, %(source_id)s, %(checkpoint_id)s, %(procedure_number)s, %(declaration)s, %(plate)s, %(device)s,
        %(taken_at)s, %(form)s, %(size_bytes)s, %(sha256)s, %(volume_id)s, %(path)s, %(state)s, %(says)s, %(at)s,
        %(entry_id)s);

-- name: attach_scan
-- The procedure it belongs to; the nearest in time where several fit.
UPDATE customs.scan s SET procedure_id = (
    SELECT p.id FROM customs.procedure p
    WHERE p.checkpoint_id = s.checkpoint_id AND p.start_at BETWEEN s.taken_at - %(near)s AND s.taken_at + %(near)s
      AND (p.number = s.procedure_number OR (s.procedure_number IS NULL AND p.declaration = s.declaration)
           OR (s.procedure_number IS NULL AND s.declaration IS NULL AND p.plate = s.plate))
    ORDER BY abs(extract(epoch FROM p.start_at - s.taken_at)) LIMIT 1)
WHERE s.id = %(id)s;

-- name: attach_waiting_scans
-- Scans whose procedure came after them.
UPDATE customs.scan s SET procedure_id = p.id FROM customs.procedure p
WHERE s.procedure_id IS NULL AND p.checkpoint_id = s.checkpoint_id
  AND p.start_at BETWEEN s.taken_at - %(near)s AND s.taken_at + %(near)s
  AND (p.number = s.procedure_number OR (s.procedure_number IS NULL AND p.declaration = s.declaration)
       OR (s.procedure_number IS NULL AND s.declaration IS NULL AND p.plate = s.plate));

-- name: scan_by_id
-- One scan, with the folder of its volume.
SELECT s.*, v.path AS volume_path, p.officers FROM customs.scan s JOIN recording.volume v ON v.id = s.volume_id
LEFT JOIN customs.procedure p ON p.id = s.procedure_id WHERE s.id = %(id)s;

-- name: put_scan_aside
-- Kept as it came, and not believed to be a scan.
UPDATE customs.scan SET state = 'aside', says = %(says)s WHERE id = %(id)s;

-- name: picture_made
-- A picture for the browser lies beside it.
UPDATE customs.scan SET picture = true, width = %(width)s, height = %(height)s, metadata = %(metadata)s
WHERE id = %(id)s;

-- name: scans_of
-- The scans of a procedure.
SELECT id, device, taken_at, form, size_bytes, encode(sha256, 'hex') AS sha256, state, says, width, height, picture,
       metadata, received_at, disposed_at FROM customs.scan WHERE procedure_id = %(procedure_id)s ORDER BY taken_at;

-- name: scans_aside
-- Scans that were put aside, and scans that belong to no procedure yet; the latest first.
SELECT s.id, c.code AS checkpoint, s.device, s.taken_at, s.form, s.state, s.says, s.procedure_id IS NULL AS waiting
FROM customs.scan s JOIN customs.checkpoint c ON c.id = s.checkpoint_id
WHERE (s.state = 'aside' OR s.procedure_id IS NULL) AND s.disposed_at IS NULL ORDER BY s.received_at DESC LIMIT 100;

-- name: customs_class
-- What the policy pack of the customs service keeps its records by.
SELECT retention_class FROM bodyworn.pack WHERE service = 'customs';

-- name: scans_due
-- Scans on the volumes of a machine that were taken before an instant and are not decided about, in the order of ids.
SELECT s.id FROM customs.scan s JOIN recording.volume v ON v.id = s.volume_id
WHERE v.node = %(node)s AND s.taken_at < %(before)s AND s.disposed_at IS NULL AND s.id > %(after)s
  AND NOT EXISTS (SELECT FROM customs.scan_disposal d WHERE d.scan_id = s.id)
ORDER BY s.id LIMIT %(most)s;

-- name: scan_to_judge
-- A scan nobody decided about, with its class, the span of its procedure, the cameras whose holds hold it, and the
-- complaints that do.
SELECT s.id, s.taken_at, p.start_at, coalesce(p.end_at, p.start_at) AS end_at,
       (SELECT retention_class FROM bodyworn.pack WHERE service = 'customs') AS retention_class,
       ARRAY(SELECT c.channel_id FROM customs.lane_camera c JOIN customs.lane l ON l.id = c.lane_id
             WHERE l.id = p.lane_id OR (p.id IS NULL AND l.checkpoint_id = s.checkpoint_id)) AS channels,
       ARRAY(SELECT m.id FROM customs.complaint_procedure o JOIN customs.complaint m ON m.id = o.complaint_id
             WHERE o.procedure_id = p.id AND (m.decision IS NULL OR EXISTS (
                 SELECT FROM customs.complaint_hold h JOIN governance.legal_hold l ON l.id = h.hold_id
                 WHERE h.complaint_id = m.id AND l.lifted_at IS NULL))) AS complaints
FROM customs.scan s LEFT JOIN customs.procedure p ON p.id = s.procedure_id
WHERE s.id = %(id)s AND s.disposed_at IS NULL AND NOT EXISTS (SELECT FROM customs.scan_disposal d WHERE d.scan_id = s.id)
FOR UPDATE OF s SKIP LOCKED;

-- name: add_scan_disposal
-- The decision, before the deed.
INSERT INTO customs.scan_disposal (scan_id, decided_at, grounds, entry_id)
VALUES (%(scan_id)s, %(at)s, %(grounds)s, %(entry_id)s);

-- name: scan_disposals_waiting
-- Decided, and not done.
SELECT d.scan_id, s.path, s.volume_id, v.path AS volume_path FROM customs.scan_disposal d
JOIN customs.scan s ON s.id = d.scan_id JOIN recording.volume v ON v.id = s.volume_id
WHERE d.done_at IS NULL AND v.node = %(node)s ORDER BY d.decided_at;

-- name: scan_disposed
-- The deed is done.
UPDATE customs.scan SET disposed_at = %(at)s, picture = false WHERE id = %(id)s;

-- name: scan_disposal_done
-- The same, in the decision's row.
UPDATE customs.scan_disposal SET done_at = %(at)s WHERE scan_id = %(scan_id)s AND done_at IS NULL;

-- name: channels_of_lane
-- Who should see a lane.
SELECT channel_id FROM customs.lane_camera WHERE lane_id = %(lane_id)s;

-- name: channels_of_checkpoint
-- Who should see the lanes of a checkpoint.
SELECT DISTINCT c.channel_id FROM customs.lane_camera c JOIN customs.lane l ON l.id = c.lane_id
WHERE l.checkpoint_id = %(id)s;

-- name: count_scans
-- How many scans a procedure has, and how many came and cannot be read.
SELECT count(*) FILTER (WHERE state = 'kept') AS kept, count(*) FILTER (WHERE state = 'aside') AS aside
FROM customs.scan WHERE procedure_id = %(procedure_id)s;

-- name: docked_lately
-- Procedures that wait for a worn camera which came back lately are looked at now, not at their hour.
UPDATE customs.procedure p SET check_at = %(at)s
WHERE NOT p.settled AND p.end_at IS NOT NULL AND p.check_at > %(at)s AND p.officers && ARRAY(
    SELECT o.badge FROM bodyworn.device d JOIN bodyworn.issue i ON i.camera_id = d.camera_id
    JOIN bodyworn.officer o ON o.id = i.officer_id
    WHERE d.docked_at > %(since)s AND i.issued_at < p.end_at AND coalesce(i.returned_at, 'infinity') > p.start_at);

-- name: procedures_to_check
-- Procedures that have ended and are not settled, of checkpoints that were entered by then; taken by nobody else.
SELECT p.id FROM customs.procedure p JOIN customs.checkpoint c ON c.id = p.checkpoint_id
WHERE NOT p.settled AND p.end_at IS NOT NULL AND p.check_at <= %(at)s AND p.end_at < %(before)s AND p.end_at >= c.made_at
ORDER BY p.check_at, p.end_at LIMIT %(most)s FOR UPDATE OF p SKIP LOCKED;

-- name: procedures_lacking
-- Procedures that lack something that may still arrive.
SELECT DISTINCT m.procedure_id FROM customs.missing m JOIN customs.procedure p ON p.id = m.procedure_id
WHERE m.arrived_at IS NULL AND m.explained_at IS NULL AND m.start_at > %(since)s AND p.settled LIMIT 500;

-- name: checked
-- The check has looked at a procedure; it looks again where something may still come.
UPDATE customs.procedure SET settled = %(settled)s, check_at = %(check_at)s WHERE id = %(id)s;

-- name: missing_of
-- What a procedure lacks or lacked.
SELECT m.*, a.name AS explained_by_name FROM customs.missing m LEFT JOIN access.account a ON a.id = m.explained_by
WHERE m.procedure_id = %(id)s ORDER BY m.requirement, m.subject;

-- name: add_missing
-- Something is missing.
INSERT INTO customs.missing (id, procedure_id, checkpoint_id, start_at, requirement, subject, cause, missing_ms, detail,
                             since, found_at, entry_id)
VALUES (%(id)s, %(procedure_id)s, %(checkpoint_id)s, %(start_at)s, %(requirement)s, %(subject)s, %(cause)s,
        %(missing_ms)s, %(detail)s, %(since)s, %(at)s, %(entry_id)s);

-- name: missing_again
-- It is missing for another reason, or again.
UPDATE customs.missing SET cause = %(cause)s, detail = %(detail)s, missing_ms = %(missing_ms)s, arrived_at = NULL
WHERE id = %(id)s;

-- name: missing_arrived
-- It came after all.
UPDATE customs.missing SET arrived_at = %(at)s WHERE id = %(id)s;

-- name: explain_missing
-- Somebody says why.
UPDATE customs.missing SET explained_at = %(at)s, explained_by = %(by)s, explanation = %(says)s
WHERE id = %(id)s AND arrived_at IS NULL AND explained_at IS NULL RETURNING checkpoint_id;

-- name: open_kinds
-- What kinds of lack are left to work off at a checkpoint.
SELECT requirement, cause, count(*) AS n FROM customs.missing
WHERE checkpoint_id = %(checkpoint_id)s AND arrived_at IS NULL AND explained_at IS NULL GROUP BY requirement, cause;

-- name: alarms_of
-- Standing alarms of this code whose subject begins so.
SELECT subject FROM recording.alarm WHERE code = %(code)s AND subject LIKE %(starts)s AND cleared_at IS NULL;

-- name: missing_list
-- What is missing, longest first; with those that were explained where they are asked for.
SELECT m.id, m.procedure_id, p.number, c.code AS checkpoint, c.name_uk AS checkpoint_uk, c.name_en AS checkpoint_en,
       l.code AS lane, p.kind, m.start_at, m.requirement, m.subject, m.cause, m.missing_ms, m.since, m.found_at,
       m.explained_at, m.explanation
FROM customs.missing m JOIN customs.procedure p ON p.id = m.procedure_id
JOIN customs.checkpoint c ON c.id = m.checkpoint_id JOIN customs.lane l ON l.id = p.lane_id
WHERE m.arrived_at IS NULL AND (%(explained)s OR m.explained_at IS NULL)
  AND (%(checkpoint_id)s::uuid IS NULL OR m.checkpoint_id = %(checkpoint_id)s)
ORDER BY m.explained_at IS NOT NULL, m.since, p.number, m.id LIMIT %(most)s;

-- name: count_awaited
-- How many procedures that are over wait for evidence which may still come.
SELECT count(*) AS n FROM customs.procedure p JOIN customs.checkpoint c ON c.id = p.checkpoint_id
WHERE NOT p.settled AND p.end_at IS NOT NULL AND p.end_at >= c.made_at
  AND (%(checkpoint_id)s::uuid IS NULL OR p.checkpoint_id = %(checkpoint_id)s);

-- name: clearances
-- How long procedures took; a fixed sample where there are more than are needed.
SELECT extract(epoch FROM end_at - start_at)::float8 AS took_s FROM customs.procedure
WHERE checkpoint_id = %(checkpoint_id)s AND start_at >= %(start)s AND start_at < %(end)s AND end_at IS NOT NULL
  AND (%(kind)s::text IS NULL OR kind = %(kind)s)
ORDER BY hashtextextended(number, 1) LIMIT %(most)s;

-- name: work_of
-- What of procedures is compared with their peers.
SELECT p.id, p.number, p.kind, l.code AS lane, p.start_at, extract(epoch FROM p.end_at - p.start_at)::float8 AS took_s,
       p.steps, cardinality(p.officers) AS officers, p.scan_due,
       (SELECT count(*) FROM customs.scan s WHERE s.procedure_id = p.id AND s.state = 'kept')::int AS scans
FROM customs.procedure p JOIN customs.lane l ON l.id = p.lane_id
WHERE p.checkpoint_id = %(checkpoint_id)s AND p.start_at >= %(start)s AND p.start_at < %(end)s AND p.end_at IS NOT NULL
ORDER BY p.start_at;

-- name: officers_by_badge
-- Officers who wear cameras, by their badges.
SELECT id, badge, name, account_id FROM bodyworn.officer WHERE badge = ANY(%(badges)s);

-- name: add_complaint
-- Somebody complains.
INSERT INTO customs.complaint (id, by_whom, text, contact, checkpoint_id, start_at, end_at, plate, declaration, against,
                               opened_by, opened_at, entry_id)
VALUES (%(id)s, %(by_whom)s, %(text)s, %(contact)s, %(checkpoint_id)s, %(start)s, %(end)s, %(plate)s, %(declaration)s,
        %(against)s, %(opened_by)s, %(at)s, %(entry_id)s);

-- name: add_complaint_procedure
-- It is about this procedure.
INSERT INTO customs.complaint_procedure (complaint_id, procedure_id, found_by)
VALUES (%(complaint_id)s, %(procedure_id)s, %(found_by)s) ON CONFLICT DO NOTHING;

-- name: add_complaint_hold
-- This was held for it.
INSERT INTO customs.complaint_hold (complaint_id, hold_id, channel_id, start_at, end_at)
VALUES (%(complaint_id)s, %(hold_id)s, %(channel_id)s, %(start)s, %(end)s);

-- name: decide_complaint
-- It ends.
UPDATE customs.complaint SET decision = %(decision)s, grounds = %(grounds)s, decided_by = %(by)s, decided_at = %(at)s
WHERE id = %(id)s AND decision IS NULL;

-- name: complaints
-- All but those about oneself.
SELECT m.id, m.number, m.by_whom, left(m.text, 200) AS text, c.code AS checkpoint, c.name_uk AS checkpoint_uk,
       c.name_en AS checkpoint_en, m.start_at, m.end_at, m.opened_at, m.decision, m.decided_at,
       (SELECT count(*) FROM customs.complaint_procedure p WHERE p.complaint_id = m.id) AS procedures,
       (SELECT count(*) FROM customs.complaint_hold h WHERE h.complaint_id = m.id) AS holds
FROM customs.complaint m JOIN customs.checkpoint c ON c.id = m.checkpoint_id
WHERE NOT m.against @> ARRAY[%(actor_id)s::uuid]
ORDER BY m.decision IS NOT NULL, m.opened_at DESC LIMIT %(most)s;

-- name: complaints_about
-- That they are, and how they stand.
SELECT m.number, c.code AS checkpoint, c.name_uk AS checkpoint_uk, c.name_en AS checkpoint_en, m.opened_at,
       m.decision, m.decided_at
FROM customs.complaint m JOIN customs.checkpoint c ON c.id = m.checkpoint_id
WHERE m.against @> ARRAY[%(actor_id)s::uuid] ORDER BY m.opened_at DESC;

-- name: complaint_by_id
-- One complaint.
SELECT m.*, c.code AS checkpoint, c.name_uk AS checkpoint_uk, c.name_en AS checkpoint_en, a.name AS opened_by_name,
       d.name AS decided_by_name
FROM customs.complaint m JOIN customs.checkpoint c ON c.id = m.checkpoint_id
LEFT JOIN access.account a ON a.id = m.opened_by LEFT JOIN access.account d ON d.id = m.decided_by WHERE m.id = %(id)s;

-- name: procedures_of_complaint
-- What it is about.
SELECT p.id, p.number, l.code AS lane, p.kind, p.plate, p.declaration, p.start_at, p.end_at, p.outcome, o.found_by,
       (SELECT count(*) FROM customs.missing m WHERE m.procedure_id = p.id AND m.arrived_at IS NULL) AS missing, p.settled
FROM customs.complaint_procedure o JOIN customs.procedure p ON p.id = o.procedure_id
JOIN customs.lane l ON l.id = p.lane_id WHERE o.complaint_id = %(id)s ORDER BY p.start_at;

-- name: holds_of_complaint
-- What was held for it, and whether it still is.
SELECT h.channel_id, h.start_at, h.end_at, l.lifted_at, c.number AS camera, c.name_uk, c.name_en
FROM customs.complaint_hold h JOIN governance.legal_hold l ON l.id = h.hold_id
LEFT JOIN fleet.channel f ON f.id = h.channel_id LEFT JOIN fleet.camera c ON c.id = f.camera_id
WHERE h.complaint_id = %(id)s ORDER BY h.start_at, h.channel_id;

-- name: bars_channel
-- Whether a standing hold of a complaint about this actor touches the span.
SELECT EXISTS (SELECT FROM customs.complaint_hold h JOIN customs.complaint m ON m.id = h.complaint_id
    JOIN governance.legal_hold l ON l.id = h.hold_id
    WHERE h.channel_id = %(channel_id)s AND m.against @> ARRAY[%(actor_id)s::uuid] AND l.lifted_at IS NULL
      AND (%(start)s::timestamptz IS NULL
           OR (h.start_at <= %(end)s::timestamptz AND h.end_at >= %(start)s::timestamptz))) AS barred;

-- name: bars_procedure
-- Whether a complaint about this actor is about the procedure, and is held.
SELECT EXISTS (SELECT FROM customs.complaint_procedure p JOIN customs.complaint m ON m.id = p.complaint_id
    WHERE m.against @> ARRAY[%(actor_id)s::uuid]
      AND p.procedure_id = coalesce(%(procedure_id)s::uuid,
                                    (SELECT procedure_id FROM customs.scan WHERE id = %(scan_id)s::uuid))
      AND (m.decision IS NULL OR EXISTS (SELECT FROM customs.complaint_hold h JOIN governance.legal_hold l
           ON l.id = h.hold_id WHERE h.complaint_id = m.id AND l.lifted_at IS NULL))) AS barred;

-- name: span_of_segment
-- When a segment was taken.
SELECT start_at, end_at FROM recording.segment WHERE id = %(id)s;

-- name: count_complaints
-- How many complaints are about a procedure.
SELECT count(*) AS n FROM customs.complaint_procedure WHERE procedure_id = %(id)s;
