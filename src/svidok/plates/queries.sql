-- name: plate_ids
-- The plates among `texts` that are known.
SELECT id, text FROM plates.plate WHERE text = ANY(%(texts)s::text[]);

-- name: add_plates
-- Make plates known; those that another made known meanwhile are not returned.
INSERT INTO plates.plate (text, first_at)
SELECT text, first_at FROM unnest(%(texts)s::text[], %(firsts)s::timestamptz[]) AS new (text, first_at)
ON CONFLICT (text) DO NOTHING RETURNING id, text;

-- name: make_batch
-- Where a batch of reads is laid before it is taken over.
CREATE TEMP TABLE IF NOT EXISTS batch (LIKE plates.read) ON COMMIT DELETE ROWS;

-- name: take_batch
-- Take over the batch; what was there before stays as it was, and is not returned.
INSERT INTO plates.read (id, taken_at, received_at, camera_id, plate_id, confidence, country, direction, source, as_read,
                         segment_id, image, patch, detail)
SELECT id, taken_at, received_at, camera_id, plate_id, confidence, country, direction, source, as_read, segment_id, image,
       patch, detail
FROM batch ON CONFLICT (id, taken_at) DO NOTHING RETURNING id;

-- name: days
-- The days that have a partition.
SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'plates.read'::regclass ORDER BY day;

-- name: all_plates
-- Every plate with what was counted of it; for the dictionary.
SELECT id, text, extract(epoch FROM coalesce(last_at, first_at))::bigint AS last_s, reads FROM plates.plate;

-- name: snapshot
-- What is visible to this transaction, and how often plates were forgotten.
SELECT pg_current_snapshot()::text AS snapshot, n AS generation FROM plates.plate_generation;

-- name: seen_uncounted
-- What came and is not counted yet, by plate.
SELECT u.plate AS plate_id, sum(u.reads)::bigint AS reads, max(u.last_s) AS last_s
FROM plates.seen s CROSS JOIN LATERAL unnest(s.plates, s.reads, s.lasts_s) AS u (plate, reads, last_s)
WHERE NOT s.counted GROUP BY u.plate;

-- name: seen_since
-- What came that a snapshot of before did not show, with the snapshot of now; one row without plates where nothing came.
SELECT pg_current_snapshot()::text AS snapshot, g.n AS generation, s.plates, s.reads, s.lasts_s
FROM plates.plate_generation g LEFT JOIN plates.seen s
  ON s.xid >= pg_snapshot_xmin(%(before)s::pg_snapshot) AND NOT pg_visible_in_snapshot(s.xid, %(before)s::pg_snapshot);

-- name: plates_by_id
-- Some plates.
SELECT id, text FROM plates.plate WHERE id = ANY(%(ids)s::int[]);

-- name: add_seen
-- What a batch came to, by plate.
INSERT INTO plates.seen (at, plates, reads, lasts_s)
VALUES (%(at)s, %(plates)s::int[], %(reads)s::int[], %(lasts_s)s::bigint[]);

-- name: count_seen
-- Add what came to the totals of the plates, each batch once; how many plates.
WITH taken AS (UPDATE plates.seen SET counted = true WHERE NOT counted RETURNING plates, reads, lasts_s),
     summed AS (SELECT u.plate, sum(u.reads) AS reads, max(u.last_s) AS last_s
                FROM taken CROSS JOIN LATERAL unnest(taken.plates, taken.reads, taken.lasts_s) AS u (plate, reads, last_s)
                GROUP BY u.plate)
UPDATE plates.plate p SET reads = p.reads + summed.reads, last_at = greatest(p.last_at, to_timestamp(summed.last_s))
FROM summed WHERE p.id = summed.plate;

-- name: forget_seen
-- What was counted, and is known to everybody by now.
DELETE FROM plates.seen WHERE counted AND at < %(before)s;

-- name: discount_day
-- The reads of a day that goes count no more.
UPDATE plates.plate p SET reads = p.reads - gone.reads
FROM (SELECT plate_id, count(*) AS reads FROM plates.read WHERE taken_at >= %(start)s AND taken_at < %(end)s
      GROUP BY plate_id) gone
WHERE p.id = gone.plate_id;

-- name: reads_of_plates
-- The latest reads of each of some plates within a stretch, after a place in the order of reads; latest first.
SELECT r.*, p.text AS plate FROM (
    SELECT one.* FROM unnest(%(plates)s::int[]) AS wanted (id) CROSS JOIN LATERAL (
        SELECT * FROM plates.read
        WHERE plate_id = wanted.id AND taken_at >= %(start)s AND taken_at < %(end)s
          AND (%(cameras)s::uuid[] IS NULL OR camera_id = ANY(%(cameras)s::uuid[]))
          AND (%(direction)s::text IS NULL OR direction = %(direction)s)
          AND (%(country)s::text IS NULL OR country = %(country)s)
          AND confidence >= %(confidence)s
          AND (%(before)s::timestamptz IS NULL OR (taken_at, id) < (%(before)s, %(before_id)s))
        ORDER BY taken_at DESC, id DESC LIMIT %(limit)s
    ) one ORDER BY one.taken_at DESC, one.id DESC LIMIT %(limit)s
) r JOIN plates.plate p ON p.id = r.plate_id ORDER BY r.taken_at DESC, r.id DESC;

-- name: reads_at_cameras
-- Reads at some cameras within a stretch, latest first, after a place in that order.
SELECT r.*, p.text AS plate FROM (
    SELECT one.* FROM unnest(%(cameras)s::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
        SELECT * FROM plates.read
        WHERE camera_id = wanted.id AND taken_at >= %(start)s AND taken_at < %(end)s
          AND (%(direction)s::text IS NULL OR direction = %(direction)s)
          AND (%(country)s::text IS NULL OR country = %(country)s)
          AND confidence >= %(confidence)s
          AND (%(before)s::timestamptz IS NULL OR (taken_at, id) < (%(before)s, %(before_id)s))
        ORDER BY taken_at DESC, id DESC LIMIT %(limit)s
    ) one ORDER BY one.taken_at DESC, one.id DESC LIMIT %(limit)s
) r JOIN plates.plate p ON p.id = r.plate_id ORDER BY r.taken_at DESC, r.id DESC;

-- name: read_by_id
-- One read, wherever it is kept. `taken_at` finds its partition.
SELECT r.*, p.text AS plate FROM plates.read r JOIN plates.plate p ON p.id = r.plate_id
WHERE r.id = %(id)s AND r.taken_at = %(taken_at)s
UNION ALL
SELECT k.*, p.text AS plate FROM plates.kept_read k JOIN plates.plate p ON p.id = k.plate_id WHERE k.id = %(id)s
LIMIT 1;

-- name: keep_read
-- A read that outlives its day.
INSERT INTO plates.kept_read SELECT * FROM plates.read WHERE id = %(id)s AND taken_at = %(taken_at)s
ON CONFLICT (id) DO NOTHING;

-- name: track
-- All reads of one plate in their order, for its journey.
SELECT r.*, p.text AS plate FROM plates.read r JOIN plates.plate p ON p.id = r.plate_id
WHERE r.plate_id = %(plate)s AND r.taken_at >= %(start)s AND r.taken_at < %(end)s
ORDER BY r.taken_at, r.id LIMIT %(limit)s;

-- name: latest_of_plate
-- Where and when one plate was read last.
SELECT camera_id, taken_at FROM plates.read
WHERE plate_id = %(plate)s AND taken_at >= %(start)s AND taken_at < %(end)s
ORDER BY taken_at DESC LIMIT %(limit)s;

-- name: near_passages
-- Who else passed the same cameras within `slack` of some passages, and how long after each.
SELECT own.nth, r.plate_id, (extract(epoch FROM r.taken_at - own.taken_at) * 1000000)::bigint AS apart_us
FROM unnest(%(cameras)s::uuid[], %(takens)s::timestamptz[]) WITH ORDINALITY AS own (camera_id, taken_at, nth)
CROSS JOIN LATERAL (
    SELECT plate_id, taken_at FROM plates.read
    WHERE camera_id = own.camera_id AND plate_id <> %(plate)s
      AND taken_at >= own.taken_at - %(slack)s::interval AND taken_at < own.taken_at + %(slack)s::interval
      AND taken_at >= %(start)s AND taken_at < %(end)s
) r;

-- name: reject
-- Keep aside what could not be taken.
INSERT INTO plates.rejected (id, at, device_id, code, says, body)
VALUES (%(id)s, %(at)s, %(device_id)s, %(code)s, %(says)s, %(body)s);

-- name: rejected_counts
-- How much was rejected since an instant, by device and reason.
SELECT device_id, code, count(*) AS n, max(at) AS last_at FROM plates.rejected WHERE at >= %(since)s
GROUP BY device_id, code ORDER BY n DESC;

-- name: count_hours
-- Add to the hours of cameras.
INSERT INTO plates.camera_hour AS h (camera_id, hour, reads, confidence, low)
SELECT camera_id, hour, reads, confidence, low
FROM unnest(%(cameras)s::uuid[], %(hours)s::timestamptz[], %(reads)s::int[], %(confidences)s::real[], %(lows)s::int[])
     AS n (camera_id, hour, reads, confidence, low)
ON CONFLICT (camera_id, hour) DO UPDATE SET
    reads = h.reads + excluded.reads, confidence = h.confidence + excluded.confidence, low = h.low + excluded.low;

-- name: cameras_in_box
-- Cameras within a frame of the map that read plates: by their kind, by a device, or since they read some.
SELECT c.id, c.lat, c.lon FROM fleet.camera c
WHERE c.lon BETWEEN %(west)s AND %(east)s AND c.lat BETWEEN %(south)s AND %(north)s
  AND (c.kind = 'plate' OR EXISTS (SELECT FROM plates.device_camera d WHERE d.camera_id = c.id)
       OR EXISTS (SELECT FROM plates.camera_hour h WHERE h.camera_id = c.id))
ORDER BY c.number;

-- name: answering
-- What each camera that reads plates came to in a stretch, with the gaps of its footage and its life now.
SELECT c.id AS camera_id, c.number, c.name_uk, c.name_en, c.life, coalesce(h.reads, 0) AS reads, h.first_hour, h.last_hour,
       coalesce(g.gaps, '[]') AS gaps
FROM fleet.camera c
LEFT JOIN (SELECT camera_id, sum(reads) AS reads, min(hour) AS first_hour, max(hour) AS last_hour FROM plates.camera_hour
           WHERE hour >= date_trunc('hour', %(start)s::timestamptz) AND hour < %(end)s
             AND (%(cameras)s::uuid[] IS NULL OR camera_id = ANY(%(cameras)s::uuid[]))
           GROUP BY camera_id) h ON h.camera_id = c.id
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('start', greatest(p.start_at, %(start)s), 'end', least(p.end_at, %(end)s),
                                        'reason', p.reason) ORDER BY p.start_at) AS gaps
    FROM recording.gap p JOIN fleet.channel n ON n.id = p.channel_id
    WHERE n.camera_id = c.id AND p.start_at < %(end)s AND (p.end_at IS NULL OR p.end_at > %(start)s)
      AND coalesce(p.end_at, %(end)s) - p.start_at >= interval '1 minute'
) g ON true
WHERE (%(cameras)s::uuid[] IS NULL OR c.id = ANY(%(cameras)s::uuid[]))
  AND (h.reads > 0 OR c.kind = 'plate' OR EXISTS (SELECT FROM plates.device_camera d WHERE d.camera_id = c.id))
  AND c.life NOT IN ('planned', 'retired')
ORDER BY c.number;

-- name: add_search
-- A search of a person.
INSERT INTO plates.search_done (id, at, actor_id, kind, purpose_id, asked, audit_id)
VALUES (%(id)s, %(at)s, %(actor_id)s, %(kind)s, %(purpose_id)s, %(asked)s, %(audit_id)s);

-- name: searches_lately
-- How many searches an actor made within an hour and a day.
SELECT count(*) FILTER (WHERE at > %(hour)s) AS hour, count(*) AS day FROM plates.search_done
WHERE actor_id = %(actor_id)s AND at > %(day)s;

-- name: ask_leave
-- Somebody asks for leave.
INSERT INTO plates.authorisation (id, kind, asked_by, asker_roles, asked_at, reference_id, plate, start_at, end_at, reason)
VALUES (%(id)s, %(kind)s, %(asked_by)s, %(asker_roles)s, %(at)s, %(reference_id)s, %(plate)s, %(start)s, %(end)s,
        %(reason)s);

-- name: decide_leave
-- Somebody else decides.
UPDATE plates.authorisation SET decided_by = %(by)s, decided_at = %(at)s, granted = %(granted)s, note = %(note)s,
                                expires_at = %(expires_at)s
WHERE id = %(id)s AND decided_at IS NULL AND asked_by <> %(by)s;

-- name: leave_by_id
-- One authorisation, with whom it concerns.
SELECT z.*, a.name AS asked_by_name, b.name AS decided_by_name, r.kind AS reference_kind, r.number AS reference_number,
       r.title AS reference_title, r.legal_basis
FROM plates.authorisation z JOIN governance.reference r ON r.id = z.reference_id
LEFT JOIN access.account a ON a.id = z.asked_by LEFT JOIN access.account b ON b.id = z.decided_by
WHERE z.id = %(id)s;

-- name: leaves
-- Authorisations: those of an asker, or all that wait and were decided lately.
SELECT z.*, a.name AS asked_by_name, b.name AS decided_by_name, r.kind AS reference_kind, r.number AS reference_number,
       r.title AS reference_title, r.legal_basis
FROM plates.authorisation z JOIN governance.reference r ON r.id = z.reference_id
LEFT JOIN access.account a ON a.id = z.asked_by LEFT JOIN access.account b ON b.id = z.decided_by
WHERE (%(asker)s::uuid IS NULL OR z.asked_by = %(asker)s)
ORDER BY z.decided_at IS NOT NULL, z.asked_at DESC LIMIT %(limit)s;

-- name: days_with_no_hits_left
-- Days whose reads without a hit were disposed of already.
SELECT day, what FROM plates.disposal WHERE done_at IS NOT NULL;

-- name: pending_disposals
-- What was decided and not done.
SELECT id, day, what FROM plates.disposal WHERE done_at IS NULL ORDER BY decided_at;

-- name: decide_day
-- A row before the deed.
INSERT INTO plates.disposal (id, day, what, decided_at, grounds, entry_id)
VALUES (%(id)s, %(day)s, %(what)s, %(at)s, %(grounds)s, %(entry_id)s) ON CONFLICT (day, what) DO NOTHING RETURNING id;

-- name: day_done
-- The deed is done.
UPDATE plates.disposal SET done_at = %(at)s, reads = %(reads)s WHERE id = %(id)s;

-- name: keep_hits_of_day
-- Reads that hit something outlive their day.
INSERT INTO plates.kept_read SELECT r.* FROM plates.read r
WHERE r.taken_at >= %(start)s AND r.taken_at < %(end)s AND EXISTS (SELECT FROM plates.hit h WHERE h.read_id = r.id)
ON CONFLICT (id) DO NOTHING;

-- name: drop_kept_of_day
-- What outlived a day goes too.
DELETE FROM plates.kept_read WHERE taken_at >= %(start)s AND taken_at < %(end)s;

-- name: drop_hits_of_day
-- And what it hit.
DELETE FROM plates.hit WHERE taken_at >= %(start)s AND taken_at < %(end)s;

-- name: count_day
-- How many reads a day has.
SELECT count(*) AS n FROM plates.read WHERE taken_at >= %(start)s AND taken_at < %(end)s;

-- name: generation
-- How often plates were forgotten.
SELECT n FROM plates.plate_generation;

-- name: next_generation
-- Some were.
UPDATE plates.plate_generation SET n = n + 1;

-- name: plates_of_day
-- The plates that were read on a day.
SELECT DISTINCT plate_id FROM plates.read WHERE taken_at >= %(start)s AND taken_at < %(end)s
UNION SELECT DISTINCT plate_id FROM plates.kept_read WHERE taken_at >= %(start)s AND taken_at < %(end)s;

-- name: forget_plates
-- Plates that no read and no kept read speaks of any more.
DELETE FROM plates.plate p WHERE p.id = ANY(%(ids)s::int[])
  AND NOT EXISTS (SELECT FROM plates.read r WHERE r.plate_id = p.id)
  AND NOT EXISTS (SELECT FROM plates.kept_read k WHERE k.plate_id = p.id);
