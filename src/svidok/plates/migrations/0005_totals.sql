-- How often each plate was read and when last, kept with the plate. Orders the dictionary; counted up every few minutes.
ALTER TABLE plates.plate ADD COLUMN reads bigint NOT NULL DEFAULT 0, ADD COLUMN last_at timestamptz;
ALTER TABLE plates.plate SET (fillfactor = 80);
UPDATE plates.plate p SET reads = r.reads, last_at = r.last_at
FROM (SELECT plate_id, count(*) AS reads, max(taken_at) AS last_at FROM plates.read GROUP BY plate_id) r
WHERE r.plate_id = p.id;
DROP TABLE plates.day_sum;

-- What each batch of reads came to, by plate, written with it. Counted into the totals once; meanwhile, and for a while
-- after, those who hold plates in memory learn from it what came: `xid` tells them apart what they knew, to the row.
CREATE TABLE plates.seen (
    xid     xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at      timestamptz NOT NULL,
    plates  int[]       NOT NULL,
    reads   int[]       NOT NULL,
    lasts_s bigint[]    NOT NULL,            -- when each was taken last, in seconds since 1970
    counted boolean     NOT NULL DEFAULT false
);
CREATE INDEX seen_by_xid ON plates.seen (xid);
CREATE INDEX seen_uncounted ON plates.seen (at) WHERE NOT counted;
