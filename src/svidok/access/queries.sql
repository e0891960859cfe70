-- name: add_unit
-- A new unit.
INSERT INTO access.unit (id, name) VALUES (%(id)s, %(name)s);

-- name: units
-- Every unit.
SELECT id, name FROM access.unit ORDER BY name;

-- name: add_account
-- A new account.
INSERT INTO access.account (id, login, name, unit_id, roles, kind, password_hash, oidc_subject, created_at)
VALUES (%(id)s, %(login)s, %(name)s, %(unit_id)s, %(roles)s, %(kind)s, %(password_hash)s, %(oidc_subject)s, %(at)s);

-- name: accounts
-- Every account, without its secrets.
SELECT a.id, a.login, a.name, a.unit_id, u.name AS unit, a.roles, a.kind, a.created_at, a.disabled_at,
       a.totp_secret IS NOT NULL AS has_totp,
       EXISTS (SELECT FROM access.passkey p WHERE p.account_id = a.id) AS has_passkey
FROM access.account a LEFT JOIN access.unit u ON u.id = a.unit_id ORDER BY a.login;

-- name: account_by_login
-- One account with its secrets.
SELECT a.*, u.name AS unit FROM access.account a LEFT JOIN access.unit u ON u.id = a.unit_id WHERE login = %(login)s;

-- name: account_by_id
-- One account with its secrets.
SELECT a.*, u.name AS unit FROM access.account a LEFT JOIN access.unit u ON u.id = a.unit_id WHERE a.id = %(id)s;

-- name: account_by_subject
-- The account of an OIDC subject.
SELECT a.*, u.name AS unit FROM access.account a LEFT JOIN access.unit u ON u.id = a.unit_id
WHERE oidc_subject = %(subject)s;

-- name: change_account
-- Change what an administrator may change.
UPDATE access.account SET name = %(name)s, unit_id = %(unit_id)s, roles = %(roles)s, disabled_at = %(disabled_at)s
WHERE id = %(id)s;

-- name: set_password
-- A new password.
UPDATE access.account SET password_hash = %(password_hash)s WHERE id = %(id)s;

-- name: set_roles
-- Roles as the provider says.
UPDATE access.account SET roles = %(roles)s, name = %(name)s WHERE id = %(id)s;

-- name: has_administrator
-- Whether somebody can administer.
SELECT EXISTS (SELECT FROM access.account WHERE 'administrator' = ANY(roles) AND disabled_at IS NULL) AS yes;

-- name: pend_totp
-- A secret that is not confirmed yet.
UPDATE access.account SET totp_pending = %(secret)s WHERE id = %(id)s;

-- name: confirm_totp
-- The pending secret is the one.
UPDATE access.account SET totp_secret = totp_pending, totp_pending = NULL, totp_last_step = %(step)s
WHERE id = %(id)s AND totp_pending IS NOT NULL;

-- name: use_totp_step
-- A code works once: the step only grows.
UPDATE access.account SET totp_last_step = %(step)s
WHERE id = %(id)s AND (totp_last_step IS NULL OR totp_last_step < %(step)s);

-- name: add_passkey
-- A new passkey.
INSERT INTO access.passkey (id, account_id, public_key, sign_count, label, created_at)
VALUES (%(id)s, %(account_id)s, %(public_key)s, %(sign_count)s, %(label)s, %(at)s);

-- name: passkeys_of
-- The passkeys of an account.
SELECT id, label, created_at FROM access.passkey WHERE account_id = %(account_id)s;

-- name: passkey_by_id
-- One passkey.
SELECT * FROM access.passkey WHERE id = %(id)s;

-- name: use_passkey
-- Its counter only grows.
UPDATE access.passkey SET sign_count = %(sign_count)s WHERE id = %(id)s;

-- name: start_session
-- A session begins.
INSERT INTO access.session (token_hash, account_id, started_at, seen_at, ends_at)
VALUES (%(token_hash)s, %(account_id)s, %(at)s, %(at)s, %(ends_at)s);

-- name: find_session
-- A session that is neither ended nor expired nor idle, with its account.
SELECT s.token_hash, s.seen_at, a.id, a.login, a.name, a.unit_id, u.name AS unit, a.roles, a.kind
FROM access.session s JOIN access.account a ON a.id = s.account_id LEFT JOIN access.unit u ON u.id = a.unit_id
WHERE s.token_hash = %(token_hash)s AND s.ended_at IS NULL AND s.ends_at > %(at)s AND s.seen_at > %(idle_since)s
  AND a.disabled_at IS NULL;

-- name: touch_session
-- Somebody is there.
UPDATE access.session SET seen_at = %(at)s WHERE token_hash = %(token_hash)s;

-- name: end_session
-- Signed out.
UPDATE access.session SET ended_at = %(at)s WHERE token_hash = %(token_hash)s AND ended_at IS NULL;

-- name: end_sessions_of
-- Signed out everywhere.
UPDATE access.session SET ended_at = %(at)s WHERE account_id = %(account_id)s AND ended_at IS NULL;

-- name: failures
-- How often it failed lately.
SELECT count, last_at FROM access.failure WHERE key = %(key)s;

-- name: note_failure
-- Once more.
INSERT INTO access.failure (key, count, last_at) VALUES (%(key)s, 1, %(at)s)
ON CONFLICT (key) DO UPDATE SET count = CASE WHEN access.failure.last_at < %(forget_before)s THEN 1
    ELSE access.failure.count + 1 END, last_at = %(at)s;

-- name: forget_failures
-- It worked.
DELETE FROM access.failure WHERE key = %(key)s;

-- name: add_token
-- Something that works once.
INSERT INTO access.token (hash, kind, body, expires_at) VALUES (%(hash)s, %(kind)s, %(body)s, %(expires_at)s);

-- name: drop_tokens
-- All of a kind, and all that expired.
DELETE FROM access.token WHERE kind = %(kind)s OR expires_at < %(at)s;

-- name: use_token
-- It works once.
DELETE FROM access.token WHERE hash = %(hash)s AND kind = %(kind)s AND expires_at > %(at)s RETURNING body;

-- name: preference
-- What somebody likes.
SELECT value FROM access.preference WHERE account_id = %(account_id)s AND key = %(key)s;

-- name: set_preference
-- What somebody likes from now on.
INSERT INTO access.preference (account_id, key, value) VALUES (%(account_id)s, %(key)s, %(value)s)
ON CONFLICT (account_id, key) DO UPDATE SET value = excluded.value;

-- name: record
-- A look or a change.
INSERT INTO access.audit (id, at, actor_id, action, what, purpose_id, legal_basis, to_whom, entry_id)
VALUES (%(id)s, %(at)s, %(actor_id)s, %(action)s, %(what)s, %(purpose_id)s, %(legal_basis)s, %(to_whom)s,
        %(entry_id)s);

-- name: trail
-- The trail, newest first.
SELECT t.id, t.at, t.actor_id, a.login, a.name, t.action, t.what, t.purpose_id, t.legal_basis, t.to_whom, t.entry_id,
       e.leaf_index
FROM access.audit t LEFT JOIN access.account a ON a.id = t.actor_id LEFT JOIN ledger.entry e ON e.id = t.entry_id
WHERE (%(start)s::timestamptz IS NULL OR t.at >= %(start)s) AND (%(end)s::timestamptz IS NULL OR t.at < %(end)s)
  AND (%(login)s::text IS NULL OR a.login = %(login)s) AND (%(action)s::text IS NULL OR t.action = %(action)s)
  AND (%(text)s::text IS NULL OR t.what::text ILIKE '%%' || %(text)s || '%%')
  AND (%(before_at)s::timestamptz IS NULL OR (t.at, t.id) < (%(before_at)s, %(before_id)s))
ORDER BY t.at DESC, t.id DESC LIMIT %(limit)s;

-- name: audit_by_id
-- One line of the trail.
SELECT * FROM access.audit WHERE id = %(id)s;

-- name: add_job
-- Long work begins.
INSERT INTO access.job (id, kind, owner_id, state, total, started_at)
VALUES (%(id)s, %(kind)s, %(owner_id)s, 'running', %(total)s, %(at)s);

-- name: job
-- One job.
SELECT * FROM access.job WHERE id = %(id)s;

-- name: jobs_of
-- The latest jobs of somebody.
SELECT * FROM access.job WHERE owner_id = %(owner_id)s ORDER BY started_at DESC LIMIT 20;

-- name: job_progress
-- How far it is; answers whether it should stop.
UPDATE access.job SET done = %(done)s, total = coalesce(%(total)s, total), says = %(says)s WHERE id = %(id)s
RETURNING cancelling;

-- name: end_job
-- What came of it.
UPDATE access.job SET state = %(state)s, result = %(result)s, says = %(says)s, ended_at = %(at)s WHERE id = %(id)s;

-- name: cancel_job
-- Somebody does not want it any more.
UPDATE access.job SET cancelling = true WHERE id = %(id)s AND owner_id = %(owner_id)s AND state = 'running';

-- name: orphan_jobs
-- Work that a restart interrupted.
UPDATE access.job SET state = 'failed', says = 'the server was restarted', ended_at = %(at)s WHERE state = 'running';

-- name: count_tokens
-- How many of a kind are out.
SELECT count(*) AS n FROM access.token WHERE kind = %(kind)s;

-- name: remove_passkey
-- Its owner does not want it any more.
DELETE FROM access.passkey WHERE id = %(id)s AND account_id = %(account_id)s;

