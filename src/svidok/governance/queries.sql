-- name: add_reference
-- A reference is opened.
INSERT INTO governance.reference (id, kind, number, title, legal_basis, opened_by, opened_at)
VALUES (%(id)s, %(kind)s, %(number)s, %(title)s, %(legal_basis)s, %(opened_by)s, %(at)s);

-- name: references
-- Open ones first, then the latest.
SELECT id, kind, number, title, legal_basis, opened_at, closed_at FROM governance.reference
WHERE %(all)s OR closed_at IS NULL ORDER BY closed_at IS NOT NULL, opened_at DESC LIMIT 500;

-- name: close_reference
-- Nothing more is looked at for it.
UPDATE governance.reference SET closed_at = %(at)s WHERE id = %(id)s AND closed_at IS NULL;

-- name: reference_by_id
-- One reference.
SELECT * FROM governance.reference WHERE id = %(id)s;

-- name: add_purpose
-- Somebody says why they will look.
INSERT INTO governance.purpose (id, actor_id, reference_id, reason, opened_at, expires_at)
VALUES (%(id)s, %(actor_id)s, %(reference_id)s, %(reason)s, %(at)s, %(expires_at)s);

-- name: valid_purpose
-- A purpose of this actor that runs, of a reference that is open.
SELECT p.id, p.actor_id, p.reason, p.opened_at, p.expires_at, p.reference_id, r.kind, r.number, r.title,
       r.legal_basis, r.opened_at AS reference_opened_at, r.closed_at
FROM governance.purpose p JOIN governance.reference r ON r.id = p.reference_id
WHERE p.id = %(id)s AND p.actor_id = %(actor_id)s AND p.expires_at > %(at)s AND r.closed_at IS NULL;

-- name: purposes_of
-- The purposes of this actor that run, latest first.
SELECT p.id, p.actor_id, p.reason, p.opened_at, p.expires_at, p.reference_id, r.kind, r.number, r.title,
       r.legal_basis, r.opened_at AS reference_opened_at, r.closed_at
FROM governance.purpose p JOIN governance.reference r ON r.id = p.reference_id
WHERE p.actor_id = %(actor_id)s AND p.expires_at > %(at)s AND r.closed_at IS NULL ORDER BY p.opened_at DESC;

-- name: purposes_named
-- What the trail refers to.
SELECT p.id, p.reason, r.kind, r.number, r.legal_basis
FROM governance.purpose p JOIN governance.reference r ON r.id = p.reference_id WHERE p.id = ANY(%(ids)s);

-- name: add_rule
-- A retention rule from now on.
INSERT INTO governance.retention_rule (id, retention_class, keep_days, legal_basis, made_by, made_at)
VALUES (%(id)s, %(retention_class)s, %(keep_days)s, %(legal_basis)s, %(made_by)s, %(at)s);

-- name: rules
-- The rules in force.
SELECT id, retention_class, keep_days, legal_basis, made_at, ended_at FROM governance.retention_rule
WHERE ended_at IS NULL ORDER BY retention_class, keep_days;

-- name: end_rule
-- It holds no more.
UPDATE governance.retention_rule SET ended_at = %(at)s WHERE id = %(id)s AND ended_at IS NULL;

-- name: add_hold
-- A stop on destruction.
INSERT INTO governance.legal_hold (id, channel_id, start_at, end_at, reason, reference_id, placed_by, placed_at)
VALUES (%(id)s, %(channel_id)s, %(start_at)s, %(end_at)s, %(reason)s, %(reference_id)s, %(placed_by)s, %(at)s);

-- name: holds
-- Those that stand first.
SELECT * FROM governance.legal_hold WHERE %(all)s OR lifted_at IS NULL
ORDER BY lifted_at IS NOT NULL, placed_at DESC LIMIT 1000;

-- name: standing_holds
-- Every hold that stands: what is disposed of is decided by all of them, so there is no limit.
SELECT id, channel_id, start_at, end_at, reason FROM governance.legal_hold WHERE lifted_at IS NULL;

-- name: lift_hold
-- It is over; by somebody else than who placed it.
UPDATE governance.legal_hold SET lifted_by = %(by)s, lifted_at = %(at)s, lift_reason = %(reason)s
WHERE id = %(id)s AND lifted_at IS NULL AND placed_by <> %(by)s;

-- name: hold_by_id
-- One hold.
SELECT * FROM governance.legal_hold WHERE id = %(id)s;
