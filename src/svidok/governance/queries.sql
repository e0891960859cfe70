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
-- A retention rule, once somebody else agrees.
INSERT INTO governance.retention_rule (id, retention_class, keep_days, legal_basis, made_by, made_at)
VALUES (%(id)s, %(retention_class)s, %(keep_days)s, %(legal_basis)s, %(made_by)s, %(at)s);

-- name: rules
-- The rules in force.
SELECT id, retention_class, keep_days, legal_basis, made_at, ended_at FROM governance.retention_rule
WHERE ended_at IS NULL AND agreed_at IS NOT NULL ORDER BY retention_class, keep_days;

-- name: rules_with_people
-- The rules in force and those that wait, with who stated them, who agreed, and who wants them ended.
SELECT r.id, r.retention_class, r.keep_days, r.legal_basis, r.made_at, r.agreed_at, r.end_asked_at, r.made_by,
       r.end_asked_by, m.name AS made_by_name, a.name AS agreed_by_name, e.name AS end_asked_by_name
FROM governance.retention_rule r LEFT JOIN access.account m ON m.id = r.made_by
LEFT JOIN access.account a ON a.id = r.agreed_by LEFT JOIN access.account e ON e.id = r.end_asked_by
WHERE r.ended_at IS NULL ORDER BY r.retention_class, r.keep_days, r.id;

-- name: rule_by_id
-- One rule that has not ended, held until the transaction ends; and whether a shorter one would decide without it.
SELECT r.*, EXISTS (SELECT FROM governance.retention_rule o WHERE o.retention_class = r.retention_class
                    AND o.ended_at IS NULL AND o.agreed_at IS NOT NULL AND o.keep_days < r.keep_days) AS keeps_longer
FROM governance.retention_rule r WHERE r.id = %(id)s AND r.ended_at IS NULL FOR UPDATE;

-- name: agree_to_rule
-- It is in force from now on.
UPDATE governance.retention_rule SET agreed_by = %(by)s, agreed_at = %(at)s WHERE id = %(id)s AND agreed_at IS NULL;

-- name: ask_end
-- Somebody wants it ended; another must agree.
UPDATE governance.retention_rule SET end_asked_by = %(by)s, end_asked_at = %(at)s WHERE id = %(id)s;

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
