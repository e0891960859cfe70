-- name: add_hotlist
-- A list.
INSERT INTO plates.hotlist (id, name, legal_basis, owner_unit, see_units, made_by, made_at)
VALUES (%(id)s, %(name)s, %(legal_basis)s, %(owner_unit)s, %(see_units)s, %(made_by)s, %(at)s);

-- name: hotlists
-- The lists that an actor of a unit may see, with how many entries stand, wait and were false.
SELECT h.id, h.name, h.legal_basis, h.owner_unit, h.see_units, h.made_at, h.ended_at,
       count(e.id) FILTER (WHERE e.ended_at IS NULL AND e.expires_at > %(at)s) AS standing,
       count(e.id) FILTER (WHERE e.ended_at IS NULL AND e.expires_at > %(at)s AND e.priority = 'high'
                             AND e.approved_at IS NULL) AS waiting
FROM plates.hotlist h LEFT JOIN plates.hotlist_entry e ON e.list_id = h.id
WHERE h.ended_at IS NULL AND (cardinality(h.see_units) = 0 OR %(unit)s::uuid = ANY(h.see_units) OR h.made_by = %(actor)s)
  AND (%(id)s::uuid IS NULL OR h.id = %(id)s)
GROUP BY h.id ORDER BY h.name;

-- name: end_hotlist
-- The list holds no more.
UPDATE plates.hotlist SET ended_at = %(at)s WHERE id = %(id)s AND ended_at IS NULL;

-- name: add_entries
-- Entries; those that stand on the list already are not returned.
INSERT INTO plates.hotlist_entry (id, list_id, plate, is_pattern, reason, priority, instructions, expires_at, added_by,
                                  added_at)
SELECT id, %(list_id)s, plate, is_pattern, reason, priority, instructions, expires_at, %(added_by)s, %(at)s
FROM unnest(%(ids)s::uuid[], %(plates)s::text[], %(patterns)s::boolean[], %(reasons)s::text[], %(priorities)s::text[],
            %(instructions)s::text[], %(expiries)s::timestamptz[])
     AS new (id, plate, is_pattern, reason, priority, instructions, expires_at)
ON CONFLICT (list_id, plate) WHERE ended_at IS NULL DO NOTHING RETURNING id;

-- name: end_expired_entries
-- An entry whose time is over makes room for the next of the same plate.
UPDATE plates.hotlist_entry SET ended_at = expires_at
WHERE list_id = %(list_id)s AND ended_at IS NULL AND expires_at <= %(at)s;

-- name: entries
-- Entries of a list in the order of their plates, after a plate.
SELECT e.*, a.name AS added_by_name, b.name AS approved_by_name,
       (SELECT count(*) FROM plates.hit h WHERE h.entry_id = e.id) AS hits,
       (SELECT max(h.taken_at) FROM plates.hit h WHERE h.entry_id = e.id) AS last_hit_at
FROM plates.hotlist_entry e LEFT JOIN access.account a ON a.id = e.added_by
LEFT JOIN access.account b ON b.id = e.approved_by
WHERE e.list_id = %(list_id)s AND e.ended_at IS NULL
  AND (%(text)s::text IS NULL OR strpos(e.plate, %(text)s) > 0)
  AND (NOT %(waiting)s OR (e.priority = 'high' AND e.approved_at IS NULL))
  AND (%(after)s::text IS NULL OR e.plate > %(after)s)
ORDER BY e.plate LIMIT %(limit)s;

-- name: entry_by_id
-- One entry with its list.
SELECT e.*, h.name AS list_name, h.legal_basis, h.see_units, h.owner_unit, h.ended_at AS list_ended_at
FROM plates.hotlist_entry e JOIN plates.hotlist h ON h.id = e.list_id WHERE e.id = %(id)s;

-- name: approve_entry
-- A second person agrees.
UPDATE plates.hotlist_entry SET approved_by = %(by)s, approved_at = %(at)s
WHERE id = %(id)s AND approved_at IS NULL AND ended_at IS NULL AND added_by <> %(by)s;

-- name: end_entry
-- It is looked for no more.
UPDATE plates.hotlist_entry SET ended_at = %(at)s, ended_by = %(by)s WHERE id = %(id)s AND ended_at IS NULL;

-- name: change_version
-- Tell whoever matches.
UPDATE plates.hotlist_version SET n = n + 1;

-- name: version
-- How often the lists changed.
SELECT n FROM plates.hotlist_version;

-- name: standing_entries
-- Everything that is looked for: approved where it must be, neither ended nor expired.
SELECT e.id, e.plate, e.is_pattern, e.expires_at FROM plates.hotlist_entry e
JOIN plates.hotlist h ON h.id = e.list_id
WHERE e.ended_at IS NULL AND h.ended_at IS NULL AND e.expires_at > %(at)s
  AND (e.priority <> 'high' OR e.approved_at IS NOT NULL);

-- name: add_hits
-- Hits of the reads of a batch.
INSERT INTO plates.hit (id, read_id, taken_at, received_at, camera_id, plate, entry_id, how, likelihood, withheld)
SELECT n.id, n.read_id, n.taken_at, n.received_at, n.camera_id, n.plate, n.entry_id, n.how, n.likelihood,
       s.withdrawn_at IS NOT NULL
FROM unnest(%(ids)s::uuid[], %(reads)s::uuid[], %(takens)s::timestamptz[], %(receiveds)s::timestamptz[],
            %(cameras)s::uuid[], %(plates)s::text[], %(entries)s::uuid[], %(hows)s::text[], %(likelihoods)s::real[])
     AS n (id, read_id, taken_at, received_at, camera_id, plate, entry_id, how, likelihood)
LEFT JOIN plates.camera_standing s ON s.camera_id = n.camera_id
ON CONFLICT (read_id, entry_id) DO NOTHING;

-- name: take_hits
-- Hits that nobody above was told of yet; each to one taker.
UPDATE plates.hit SET told_at = %(at)s WHERE id IN (
    SELECT id FROM plates.hit WHERE told_at IS NULL ORDER BY received_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id, read_id, taken_at, received_at, camera_id, plate, entry_id, how, likelihood, withheld;

-- name: entries_by_id
-- What some hits are about.
SELECT e.id, e.plate, e.reason, e.priority, e.instructions, e.list_id, h.name AS list_name, h.legal_basis, h.see_units
FROM plates.hotlist_entry e JOIN plates.hotlist h ON h.id = e.list_id WHERE e.id = ANY(%(ids)s::uuid[]);

-- name: judge_hit
-- What a person found.
UPDATE plates.hit SET verdict = %(verdict)s WHERE id = ANY(%(ids)s::uuid[]);

-- name: verdicts_of_camera
-- How a camera's hits were judged since an instant.
SELECT count(*) FILTER (WHERE verdict IN ('confirmed', 'outdated')) AS right_reads,
       count(*) FILTER (WHERE verdict = 'misread') AS misreads
FROM plates.hit WHERE camera_id = %(camera_id)s AND verdict IS NOT NULL AND received_at >= %(since)s;

-- name: standing_of_camera
-- Whether a camera may alert.
SELECT * FROM plates.camera_standing WHERE camera_id = %(camera_id)s;

-- name: withdraw_camera
-- It raises no alerts until a person lets it again.
INSERT INTO plates.camera_standing (camera_id, withdrawn_at, why, counted_from) VALUES (%(camera_id)s, %(at)s, %(why)s, %(at)s)
ON CONFLICT (camera_id) DO UPDATE SET withdrawn_at = excluded.withdrawn_at, why = excluded.why
WHERE plates.camera_standing.withdrawn_at IS NULL;

-- name: reinstate_camera
-- A person lets it alert again; what was counted before counts no more.
UPDATE plates.camera_standing SET withdrawn_at = NULL, why = '', counted_from = %(at)s, reinstated_by = %(by)s
WHERE camera_id = %(camera_id)s AND withdrawn_at IS NOT NULL;

-- name: false_hits_by_list
-- How the hits of each list were judged since an instant.
SELECT l.id, l.name, count(h.id) AS hits, count(*) FILTER (WHERE h.verdict IS NOT NULL) AS judged,
       count(*) FILTER (WHERE h.verdict IN ('misread', 'outdated', 'other')) AS refuted,
       count(*) FILTER (WHERE h.verdict = 'misread') AS misreads,
       count(*) FILTER (WHERE h.verdict = 'outdated') AS outdated
FROM plates.hotlist l JOIN plates.hotlist_entry e ON e.list_id = l.id JOIN plates.hit h ON h.entry_id = e.id
WHERE h.received_at >= %(since)s GROUP BY l.id, l.name ORDER BY l.name;

-- name: quality
-- How well each camera reads in a stretch, by day and by night (20 to 6 o'clock at the camera, about UTC+2).
SELECT c.id AS camera_id, c.number, c.name_uk, c.name_en, sum(m.reads) AS reads, count(m.hour) AS hours,
       (sum(m.confidence) / nullif(sum(m.reads), 0))::float AS confidence,
       (sum(m.confidence) FILTER (WHERE m.night) / nullif(sum(m.reads) FILTER (WHERE m.night), 0))::float AS confidence_night,
       (sum(m.confidence) FILTER (WHERE NOT m.night) / nullif(sum(m.reads) FILTER (WHERE NOT m.night), 0))::float AS confidence_day,
       (sum(m.low)::float / nullif(sum(m.reads), 0)) AS low_share, max(m.hour) AS last_hour,
       s.withdrawn_at, coalesce(s.why, '') AS why,
       (SELECT count(*) FROM plates.hit h WHERE h.camera_id = c.id AND h.received_at >= %(start)s) AS hits,
       (SELECT count(*) FROM plates.hit h WHERE h.camera_id = c.id AND h.received_at >= %(start)s
                                            AND h.verdict IS NOT NULL) AS judged,
       (SELECT count(*) FROM plates.hit h WHERE h.camera_id = c.id AND h.received_at >= %(start)s
                                            AND h.verdict = 'misread') AS misreads
FROM (SELECT camera_id, hour, reads, confidence, low, extract(hour FROM hour + interval '2 hours') NOT BETWEEN 6 AND 19 AS night
      FROM plates.camera_hour WHERE hour >= %(start)s AND hour < %(end)s) m
JOIN fleet.camera c ON c.id = m.camera_id LEFT JOIN plates.camera_standing s ON s.camera_id = c.id
GROUP BY c.id, c.number, c.name_uk, c.name_en, s.withdrawn_at, s.why ORDER BY c.number;

-- name: quality_by_hour
-- One camera hour by hour.
SELECT hour, reads, (confidence / nullif(reads, 0))::float AS confidence, low FROM plates.camera_hour
WHERE camera_id = %(camera_id)s AND hour >= %(start)s AND hour < %(end)s ORDER BY hour;
