-- name: add_case
-- A case is opened.
INSERT INTO evidence.case_file (id, reference_id, data_subjects, unit_id, summary, opened_by, opened_at)
VALUES (%(id)s, %(reference_id)s, %(data_subjects)s, %(unit_id)s, %(summary)s, %(by)s, %(at)s);

-- name: case_by_id
-- One case with its reference.
SELECT c.*, r.number, r.title, r.legal_basis, u.name AS unit, a.name AS opened_by_name
FROM evidence.case_file c JOIN governance.reference r ON r.id = c.reference_id
LEFT JOIN access.unit u ON u.id = c.unit_id LEFT JOIN access.account a ON a.id = c.opened_by WHERE c.id = %(id)s;

-- name: cases_of
-- The cases somebody may see, open ones first.
SELECT c.id, c.reference_id, c.data_subjects, c.opened_at, c.closed_at, r.number, r.title, r.legal_basis,
       u.name AS unit, m.standing, m.until_at,
       (SELECT count(*) FROM evidence.exhibit e WHERE e.case_id = c.id) AS exhibits,
       (SELECT count(*) FROM evidence.transfer t JOIN evidence.exhibit e ON e.id = t.exhibit_id
        WHERE e.case_id = c.id AND t.state = 'offered' AND t.to_id = %(account_id)s) AS offered
FROM evidence.membership m JOIN evidence.case_file c ON c.id = m.case_id
JOIN governance.reference r ON r.id = c.reference_id LEFT JOIN access.unit u ON u.id = c.unit_id
WHERE m.account_id = %(account_id)s AND m.ended_at IS NULL AND m.standing <> 'barred'
  AND (m.until_at IS NULL OR m.until_at > %(at)s)
ORDER BY c.closed_at IS NOT NULL, c.opened_at DESC LIMIT 500;

-- name: close_case
-- It is over.
UPDATE evidence.case_file SET closed_by = %(by)s, closed_at = %(at)s, close_reason = %(reason)s
WHERE id = %(id)s AND closed_at IS NULL;

-- name: standing
-- How somebody stands to a case now.
SELECT standing, history_start, history_end FROM evidence.membership
WHERE case_id = %(case_id)s AND account_id = %(account_id)s AND ended_at IS NULL
  AND (until_at IS NULL OR until_at > %(at)s);

-- name: end_membership
-- They stand so no more.
UPDATE evidence.membership SET ended_by = %(by)s, ended_at = %(at)s
WHERE case_id = %(case_id)s AND account_id = %(account_id)s AND ended_at IS NULL RETURNING standing;

-- name: add_membership
-- Somebody is let in, or barred.
INSERT INTO evidence.membership (id, case_id, account_id, standing, history_start, history_end, until_at, reason, by_id, at)
VALUES (%(id)s, %(case_id)s, %(account_id)s, %(standing)s, %(history_start)s, %(history_end)s, %(until_at)s, %(reason)s,
        %(by)s, %(at)s);

-- name: members
-- Who stands how to a case, those that stand first.
SELECT m.*, a.name, a.login, u.name AS unit, b.name AS by_name
FROM evidence.membership m JOIN access.account a ON a.id = m.account_id
LEFT JOIN access.unit u ON u.id = a.unit_id LEFT JOIN access.account b ON b.id = m.by_id
WHERE m.case_id = %(case_id)s ORDER BY m.ended_at IS NOT NULL, m.at LIMIT 500;

-- name: leads
-- How many lead a case.
SELECT count(*) AS n FROM evidence.membership WHERE case_id = %(case_id)s AND standing = 'lead' AND ended_at IS NULL;

-- name: people
-- Everybody who can be let into a case.
SELECT a.id, a.login, a.name, a.roles, u.name AS unit, a.unit_id FROM access.account a
LEFT JOIN access.unit u ON u.id = a.unit_id
WHERE a.kind = 'person' AND a.disabled_at IS NULL AND a.roles && ARRAY['investigator', 'supervisor', 'operator', 'dispatcher']
ORDER BY a.name LIMIT 1000;

-- name: take_number
-- The next number of an exhibit in a case; holds the case until the end of the transaction.
SELECT (SELECT coalesce(max(e.number), 0) + 1 FROM evidence.exhibit e WHERE e.case_id = locked.id) AS number
FROM (SELECT id FROM evidence.case_file WHERE id = %(case_id)s FOR UPDATE) AS locked;

-- name: add_exhibit
-- An exhibit is booked in.
INSERT INTO evidence.exhibit (id, case_id, number, kind, title, source, obtained, booked_by, booked_at, channel_id,
    start_at, end_at, subject_id, facts, derived_from, custodian_id, hold_id, path, name, media_type, size_bytes, sha256, scan)
VALUES (%(id)s, %(case_id)s, %(number)s, %(kind)s, %(title)s, %(source)s, %(obtained)s, %(by)s, %(at)s, %(channel_id)s,
    %(start_at)s, %(end_at)s, %(subject_id)s, %(facts)s, %(derived_from)s, %(by)s, %(hold_id)s, %(path)s, %(name)s,
    %(media_type)s, %(size_bytes)s, %(sha256)s, %(scan)s);

-- name: exhibit_by_id
-- One exhibit, with who has it, its playable copy and its hold.
SELECT e.*, a.name AS custodian, u.name AS custodian_unit, b.name AS booked_by_name, p.path AS playable_path,
       p.media_type AS playable_type, p.how AS playable_how, h.lifted_at AS hold_lifted_at
FROM evidence.exhibit e JOIN access.account a ON a.id = e.custodian_id LEFT JOIN access.unit u ON u.id = a.unit_id
JOIN access.account b ON b.id = e.booked_by LEFT JOIN evidence.playable p ON p.exhibit_id = e.id
LEFT JOIN governance.legal_hold h ON h.id = e.hold_id WHERE e.id = %(id)s;

-- name: exhibits_of
-- The exhibits of a case, in their order.
SELECT e.*, a.name AS custodian, u.name AS custodian_unit, b.name AS booked_by_name, p.path AS playable_path,
       p.media_type AS playable_type, p.how AS playable_how, h.lifted_at AS hold_lifted_at,
       (SELECT count(*) FROM evidence.custody c WHERE c.exhibit_id = e.id) AS events
FROM evidence.exhibit e JOIN access.account a ON a.id = e.custodian_id LEFT JOIN access.unit u ON u.id = a.unit_id
JOIN access.account b ON b.id = e.booked_by LEFT JOIN evidence.playable p ON p.exhibit_id = e.id
LEFT JOIN governance.legal_hold h ON h.id = e.hold_id WHERE e.case_id = %(case_id)s ORDER BY e.number;

-- name: same_footage
-- The exhibit of exactly this range in this case, if it was booked in before.
SELECT id FROM evidence.exhibit WHERE case_id = %(case_id)s AND kind = 'footage' AND channel_id = %(channel_id)s
  AND start_at = %(start_at)s AND end_at = %(end_at)s;

-- name: same_file
-- The exhibit of exactly these bytes in this case.
SELECT id, number FROM evidence.exhibit WHERE case_id = %(case_id)s AND sha256 = %(sha256)s AND kind = 'file';

-- name: same_subject
-- The exhibit of this read or scan in this case.
SELECT id FROM evidence.exhibit WHERE case_id = %(case_id)s AND kind = %(kind)s AND subject_id = %(subject_id)s;

-- name: set_scan
-- What the virus scanner said.
UPDATE evidence.exhibit SET scan = %(scan)s WHERE id = %(id)s;

-- name: set_custodian
-- It is in other hands.
UPDATE evidence.exhibit SET custodian_id = %(account_id)s WHERE id = %(id)s;

-- name: add_playable
-- A copy that browsers play.
INSERT INTO evidence.playable (exhibit_id, path, media_type, size_bytes, sha256, how, made_at)
VALUES (%(exhibit_id)s, %(path)s, %(media_type)s, %(size_bytes)s, %(sha256)s, %(how)s, %(at)s)
ON CONFLICT (exhibit_id) DO NOTHING;

-- name: lock_exhibit
-- Hold an exhibit, so that its custody grows by one line at a time.
SELECT id FROM evidence.exhibit WHERE id = %(id)s FOR UPDATE;

-- name: last_custody
-- The line that the next one goes on from.
SELECT number, hash, at, entry_id FROM evidence.custody WHERE exhibit_id = %(exhibit_id)s ORDER BY number DESC LIMIT 1;

-- name: look_in_custody
-- Whether this look is written down already.
SELECT number FROM evidence.custody WHERE exhibit_id = %(exhibit_id)s AND audit_id = %(audit_id)s;

-- name: add_custody
-- Something happened to an exhibit.
INSERT INTO evidence.custody (exhibit_id, number, at, actor_id, kind, payload, hash, audit_id, entry_id)
VALUES (%(exhibit_id)s, %(number)s, %(at)s, %(actor_id)s, %(kind)s, %(payload)s, %(hash)s, %(audit_id)s, %(entry_id)s);

-- name: custody_of
-- What happened to an exhibit, in its order, and where each line stands in the ledger.
SELECT c.*, a.name AS actor, u.name AS actor_unit, l.leaf_index, l.commitment, l.salt,
       l.payload AS stated, l.kind AS entry_kind, l.subject AS entry_subject, l.at AS entry_at
FROM evidence.custody c JOIN access.account a ON a.id = c.actor_id LEFT JOIN access.unit u ON u.id = a.unit_id
LEFT JOIN ledger.entry l ON l.id = c.entry_id WHERE c.exhibit_id = %(exhibit_id)s ORDER BY c.number;

-- name: add_transfer
-- An exhibit is offered.
INSERT INTO evidence.transfer (id, exhibit_id, from_id, to_id, to_unit_id, reason, asked_at)
VALUES (%(id)s, %(exhibit_id)s, %(from_id)s, %(to_id)s, %(to_unit_id)s, %(reason)s, %(at)s);

-- name: transfer_by_id
-- One transfer; held until the end of the transaction.
SELECT t.*, e.case_id, e.custodian_id FROM evidence.transfer t JOIN evidence.exhibit e ON e.id = t.exhibit_id
WHERE t.id = %(id)s FOR UPDATE OF t;

-- name: decide_transfer
-- It is accepted, refused or withdrawn.
UPDATE evidence.transfer SET state = %(state)s, decided_by = %(by)s, decided_at = %(at)s, says = %(says)s
WHERE id = %(id)s AND state = 'offered';

-- name: transfers_of
-- The transfers of a case's exhibits, latest first.
SELECT t.*, e.number AS exhibit_number, e.title AS exhibit_title, f.name AS from_name, o.name AS to_name,
       u.name AS to_unit, d.name AS decided_by_name
FROM evidence.transfer t JOIN evidence.exhibit e ON e.id = t.exhibit_id JOIN access.account f ON f.id = t.from_id
LEFT JOIN access.account o ON o.id = t.to_id LEFT JOIN access.unit u ON u.id = t.to_unit_id
LEFT JOIN access.account d ON d.id = t.decided_by
WHERE e.case_id = %(case_id)s ORDER BY t.asked_at DESC LIMIT 500;

-- name: add_note
-- A note or a bookmark.
INSERT INTO evidence.note (id, case_id, exhibit_id, instant, text, by_id, at)
VALUES (%(id)s, %(case_id)s, %(exhibit_id)s, %(instant)s, %(text)s, %(by)s, %(at)s);

-- name: note_by_id
-- One note.
SELECT * FROM evidence.note WHERE id = %(id)s;

-- name: strike_note
-- It is struck out, and stays readable as such.
UPDATE evidence.note SET struck_by = %(by)s, struck_at = %(at)s WHERE id = %(id)s AND struck_at IS NULL;

-- name: notes_of
-- The notes of a case.
SELECT n.*, a.name AS by_name FROM evidence.note n JOIN access.account a ON a.id = n.by_id
WHERE n.case_id = %(case_id)s ORDER BY n.at LIMIT 2000;

-- name: add_upload
-- A file begins to come in.
INSERT INTO evidence.upload (id, case_id, by_id, name, size_bytes, told, begun_at)
VALUES (%(id)s, %(case_id)s, %(by)s, %(name)s, %(size_bytes)s, %(told)s, %(at)s);

-- name: upload_by_id
-- One upload.
SELECT * FROM evidence.upload WHERE id = %(id)s;

-- name: end_upload
-- It became an exhibit, or was refused.
UPDATE evidence.upload SET exhibit_id = %(exhibit_id)s, refused = %(refused)s WHERE id = %(id)s AND exhibit_id IS NULL;

-- name: account_by_login
-- Somebody by the name they sign in with.
SELECT a.id, a.name, a.unit_id, a.roles FROM access.account a WHERE a.login = %(login)s AND a.kind = 'person'
  AND a.disabled_at IS NULL;

-- name: channels_named
-- What channels are called and where their cameras stand.
SELECT h.id, c.id AS camera_id, c.number, c.name_uk, c.name_en, c.lat, c.lon, c.px_m_class, c.maker, c.model, c.firmware
FROM fleet.channel h JOIN fleet.camera c ON c.id = h.camera_id WHERE h.id = ANY(%(ids)s);

-- name: take_disclosure_number
-- The next number of a disclosure in a case; holds the case until the end of the transaction.
SELECT (SELECT coalesce(max(d.number), 0) + 1 FROM evidence.disclosure d WHERE d.case_id = locked.id) AS number
FROM (SELECT id FROM evidence.case_file WHERE id = %(case_id)s FOR UPDATE) AS locked;

-- name: add_disclosure
-- Somebody asks to disclose.
INSERT INTO evidence.disclosure (id, case_id, number, to_name, to_service, reason, legal_basis, note, state, asked_by, asked_at)
VALUES (%(id)s, %(case_id)s, %(number)s, %(to_name)s, %(to_service)s, %(reason)s, %(legal_basis)s, %(note)s, 'asked',
        %(by)s, %(at)s);

-- name: add_disclosure_item
-- What of.
INSERT INTO evidence.disclosure_item (disclosure_id, exhibit_id, start_at, end_at)
VALUES (%(disclosure_id)s, %(exhibit_id)s, %(start_at)s, %(end_at)s);

-- name: disclosure_by_id
-- One disclosure with its case and those who asked and decided.
SELECT d.*, c.reference_id, c.data_subjects, r.number AS case_number, r.title AS case_title,
       r.legal_basis AS case_basis, u.name AS case_unit, a.name AS asked_by_name, au.name AS asked_by_unit,
       b.name AS decided_by_name
FROM evidence.disclosure d JOIN evidence.case_file c ON c.id = d.case_id
JOIN governance.reference r ON r.id = c.reference_id LEFT JOIN access.unit u ON u.id = c.unit_id
JOIN access.account a ON a.id = d.asked_by LEFT JOIN access.unit au ON au.id = a.unit_id
LEFT JOIN access.account b ON b.id = d.decided_by WHERE d.id = %(id)s;

-- name: disclosures_of
-- The disclosures of a case, latest first.
SELECT d.*, a.name AS asked_by_name, b.name AS decided_by_name,
       (SELECT count(*) FROM evidence.disclosure_item i WHERE i.disclosure_id = d.id) AS items
FROM evidence.disclosure d JOIN access.account a ON a.id = d.asked_by LEFT JOIN access.account b ON b.id = d.decided_by
WHERE d.case_id = %(case_id)s ORDER BY d.number DESC;

-- name: disclosures_asked
-- What waits for somebody to approve it, oldest first.
SELECT d.id, d.number, d.to_name, d.to_service, d.reason, d.asked_at, r.number AS case_number, a.name AS asked_by_name,
       (SELECT count(*) FROM evidence.disclosure_item i WHERE i.disclosure_id = d.id) AS items
FROM evidence.disclosure d JOIN evidence.case_file c ON c.id = d.case_id
JOIN governance.reference r ON r.id = c.reference_id JOIN access.account a ON a.id = d.asked_by
WHERE d.state = 'asked' AND d.asked_by <> %(account_id)s ORDER BY d.asked_at LIMIT 200;

-- name: items_of
-- The exhibits of a disclosure.
SELECT i.start_at AS item_start, i.end_at AS item_end, e.*
FROM evidence.disclosure_item i JOIN evidence.exhibit e ON e.id = i.exhibit_id
WHERE i.disclosure_id = %(disclosure_id)s ORDER BY e.number;

-- name: decide_disclosure
-- Approved, refused or withdrawn.
UPDATE evidence.disclosure SET state = %(state)s, decided_by = %(by)s, decided_at = %(at)s, says = %(says)s
WHERE id = %(id)s AND state = 'asked';

-- name: disclosure_made
-- Its bundle is there.
UPDATE evidence.disclosure SET state = 'made', path = %(path)s, size_bytes = %(size_bytes)s, sha256 = %(sha256)s,
       made_at = %(at)s WHERE id = %(id)s AND state = 'approved';

-- name: add_hand_over
-- It was taken out.
INSERT INTO evidence.hand_over (id, disclosure_id, by_id, at, entry_id)
VALUES (%(id)s, %(disclosure_id)s, %(by)s, %(at)s, %(entry_id)s);

-- name: hand_overs_of
-- Who took a bundle out, and when.
SELECT h.at, a.name FROM evidence.hand_over h JOIN access.account a ON a.id = h.by_id
WHERE h.disclosure_id = %(disclosure_id)s ORDER BY h.at;

-- name: add_redaction
-- A redaction begins.
INSERT INTO evidence.redaction (id, exhibit_id, state, made_by, made_at, path, source_sha256, width, height, pictures,
    rate_mhz, has_sound)
VALUES (%(id)s, %(exhibit_id)s, 'proposing', %(by)s, %(at)s, %(path)s, %(source_sha256)s, %(width)s, %(height)s,
    %(pictures)s, %(rate_mhz)s, %(has_sound)s);

-- name: redaction_by_id
-- One redaction with its exhibit.
SELECT r.*, e.case_id, e.number AS exhibit_number, e.title AS exhibit_title, e.kind AS exhibit_kind,
       e.channel_id, e.start_at, e.end_at, a.name AS made_by_name, q.name AS asked_by_name, v.name AS reviewed_by_name
FROM evidence.redaction r JOIN evidence.exhibit e ON e.id = r.exhibit_id JOIN access.account a ON a.id = r.made_by
LEFT JOIN access.account q ON q.id = r.asked_by LEFT JOIN access.account v ON v.id = r.reviewed_by WHERE r.id = %(id)s;

-- name: redactions_of
-- The redactions of exhibits, latest first.
SELECT r.id, r.exhibit_id, r.state, r.made_at, r.looked_at, r.pictures, r.result_id, a.name AS made_by_name,
       q.name AS asked_by_name, v.name AS reviewed_by_name
FROM evidence.redaction r JOIN access.account a ON a.id = r.made_by LEFT JOIN access.account q ON q.id = r.asked_by
LEFT JOIN access.account v ON v.id = r.reviewed_by WHERE r.exhibit_id = ANY(%(ids)s) ORDER BY r.made_at DESC;

-- name: add_sighting
-- What was seen on a picture.
INSERT INTO evidence.sighting (redaction_id, picture, found) VALUES (%(redaction_id)s, %(picture)s, %(found)s)
ON CONFLICT (redaction_id, picture) DO NOTHING;

-- name: sightings
-- All that was seen, in its order.
SELECT picture, found FROM evidence.sighting WHERE redaction_id = %(redaction_id)s ORDER BY picture;

-- name: set_looked_at
-- The proposals have come so far.
UPDATE evidence.redaction SET looked_at = %(looked_at)s WHERE id = %(id)s AND state = 'proposing';

-- name: begin_editing
-- The proposals are there.
UPDATE evidence.redaction SET state = 'editing', looked_at = pictures WHERE id = %(id)s AND state = 'proposing';

-- name: set_redaction
-- How it is covered, and whether there is sound.
UPDATE evidence.redaction SET style = %(style)s, mute = %(mute)s, silences = %(silences)s WHERE id = %(id)s AND state = 'editing';

-- name: ask_review
-- The first pass is done.
UPDATE evidence.redaction SET state = 'asked', asked_by = %(by)s, asked_at = %(at)s, reviewed_by = NULL, says = ''
WHERE id = %(id)s AND state = 'editing';

-- name: return_redaction
-- The second pass found something.
UPDATE evidence.redaction SET state = 'editing', says = %(says)s WHERE id = %(id)s AND state = 'asked';

-- name: accept_redaction
-- The second pass found nothing, and the result is there.
UPDATE evidence.redaction SET state = 'accepted', reviewed_by = %(by)s, reviewed_at = %(at)s, result_id = %(result_id)s,
       says = %(says)s
WHERE id = %(id)s AND state = 'asked';

-- name: add_cover
-- A cover is drawn or proposed.
INSERT INTO evidence.cover (id, redaction_id, kind, first, last, keys, by_id, at)
VALUES (%(id)s, %(redaction_id)s, %(kind)s, %(first)s, %(last)s, %(keys)s, %(by)s, %(at)s);

-- name: change_cover
-- A cover is moved, lengthened, taken off or put back.
UPDATE evidence.cover SET first = %(first)s, last = %(last)s, keys = %(keys)s, off = %(off)s, by_id = %(by)s, at = %(at)s
WHERE id = %(id)s AND redaction_id = %(redaction_id)s;

-- name: covers_of
-- The covers of a redaction, in the order in which they appear.
SELECT c.*, a.name AS by_name FROM evidence.cover c JOIN access.account a ON a.id = c.by_id
WHERE c.redaction_id = %(redaction_id)s ORDER BY c.first, c.id;
