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
-- Every plate with what is known of when it was seen; for the dictionary.
SELECT p.id, p.text, extract(epoch FROM coalesce(s.last_at, p.first_at))::bigint AS last_s, coalesce(s.reads, 0) AS reads
FROM plates.plate p
LEFT JOIN (SELECT plate_id, max(last_at) AS last_at, sum(reads) AS reads FROM plates.day_sum GROUP BY plate_id) s
       ON s.plate_id = p.id
ORDER BY p.id;

-- name: plates_after
-- Plates that became known after `id`.
SELECT id, text, first_at FROM plates.plate WHERE id > %(id)s ORDER BY id LIMIT 200000;

-- name: plates_by_id
-- Some plates.
SELECT id, text FROM plates.plate WHERE id = ANY(%(ids)s::int[]);

-- name: unsummed_days
-- Days that are over and have reads, but no sums yet.
SELECT d.day FROM unnest(%(days)s::date[]) AS d (day)
WHERE d.day < %(today)s AND NOT EXISTS (SELECT FROM plates.day_sum s WHERE s.day = d.day) ORDER BY d.day;

-- name: sum_day
-- What a day comes to.
INSERT INTO plates.day_sum (plate_id, day, reads, last_at)
SELECT plate_id, %(day)s, count(*), max(taken_at) FROM plates.read
WHERE taken_at >= %(start)s AND taken_at < %(end)s GROUP BY plate_id
ON CONFLICT (day, plate_id) DO UPDATE SET reads = excluded.reads, last_at = excluded.last_at;

-- name: seen_on
-- What was read on days that have no sums yet, by plate, of what came before an instant.
SELECT plate_id, count(*) AS reads, max(taken_at) AS last_at FROM plates.read r
WHERE received_at < %(until)s
  AND NOT EXISTS (SELECT FROM plates.day_sum s WHERE s.day = (r.taken_at AT TIME ZONE 'UTC')::date)
GROUP BY plate_id;

-- name: came_since
-- What came lately, by plate: when it was seen last, and how many reads came between two marks.
SELECT plate_id, max(taken_at) AS last_at,
       count(*) FILTER (WHERE received_at >= %(counted_from)s AND received_at < %(counted_to)s) AS reads
FROM plates.read WHERE received_at >= %(since)s GROUP BY plate_id;

-- name: reads_of_plates
-- Reads of some plates, latest first, after a place in that order.
SELECT r.*, p.text AS plate FROM plates.read r JOIN plates.plate p ON p.id = r.plate_id
WHERE r.plate_id = ANY(%(plates)s::int[]) AND r.taken_at >= %(start)s AND r.taken_at < %(end)s
  AND (%(cameras)s::uuid[] IS NULL OR r.camera_id = ANY(%(cameras)s::uuid[]))
  AND (%(direction)s::text IS NULL OR r.direction = %(direction)s)
  AND (%(country)s::text IS NULL OR r.country = %(country)s)
  AND r.confidence >= %(confidence)s
  AND (%(before)s::timestamptz IS NULL OR (r.taken_at, r.id) < (%(before)s, %(before_id)s))
ORDER BY r.taken_at DESC, r.id DESC LIMIT %(limit)s;

-- name: reads_at_cameras
-- Reads at some cameras, latest first, after a place in that order.
SELECT r.*, p.text AS plate FROM plates.read r JOIN plates.plate p ON p.id = r.plate_id
WHERE r.camera_id = ANY(%(cameras)s::uuid[]) AND r.taken_at >= %(start)s AND r.taken_at < %(end)s
  AND (%(direction)s::text IS NULL OR r.direction = %(direction)s)
  AND (%(country)s::text IS NULL OR r.country = %(country)s)
  AND r.confidence >= %(confidence)s
  AND (%(before)s::timestamptz IS NULL OR (r.taken_at, r.id) < (%(before)s, %(before_id)s))
ORDER BY r.taken_at DESC, r.id DESC LIMIT %(limit)s;

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

-- name: together
-- Plates that passed the same cameras within `slack` of one plate's reads: at how many cameras, how often, and when.
WITH own AS (
    SELECT camera_id, taken_at FROM plates.read
    WHERE plate_id = %(plate)s AND taken_at >= %(start)s AND taken_at < %(end)s
    ORDER BY taken_at DESC LIMIT %(most)s
)
SELECT p.text AS plate, m.plate_id, count(DISTINCT m.camera_id) AS cameras, count(*) AS times,
       min(m.taken_at) AS first_at, max(m.taken_at) AS last_at, avg(m.apart_s)::float AS apart_s
FROM (
    SELECT DISTINCT ON (own.camera_id, own.taken_at, o.plate_id)
           o.plate_id, own.camera_id, own.taken_at, extract(epoch FROM o.taken_at - own.taken_at) AS apart_s
    FROM own CROSS JOIN LATERAL (
        SELECT r.plate_id, r.taken_at FROM plates.read r
        WHERE r.camera_id = own.camera_id AND r.plate_id <> %(plate)s
          AND r.taken_at >= own.taken_at - %(slack)s::interval AND r.taken_at < own.taken_at + %(slack)s::interval
          AND r.taken_at >= %(start)s - %(slack)s::interval AND r.taken_at < %(end)s + %(slack)s::interval
    ) o
    ORDER BY own.camera_id, own.taken_at, o.plate_id, abs(extract(epoch FROM o.taken_at - own.taken_at))
) m JOIN plates.plate p ON p.id = m.plate_id
GROUP BY p.text, m.plate_id HAVING count(DISTINCT m.camera_id) >= %(cameras)s
ORDER BY cameras DESC, times DESC, last_at DESC LIMIT %(limit)s;

-- name: latest_at
-- When each of some cameras last read a plate, within a stretch.
SELECT c.camera_id, (SELECT max(r.taken_at) FROM plates.read r
                     WHERE r.camera_id = c.camera_id AND r.taken_at >= %(start)s AND r.taken_at < %(end)s) AS last_at
FROM unnest(%(cameras)s::uuid[]) AS c (camera_id);

-- name: reject
-- Keep aside what could not be taken.
INSERT INTO plates.rejected (id, at, device_id, code, says, body)
VALUES (%(id)s, %(at)s, %(device_id)s, %(code)s, %(says)s, %(body)s);

-- name: rejected_counts
-- How much was rejected since an instant, by device and reason.
SELECT device_id, code, count(*) AS n, max(at) AS last_at FROM plates.rejected WHERE at >= %(since)s
GROUP BY device_id, code ORDER BY n DESC;
