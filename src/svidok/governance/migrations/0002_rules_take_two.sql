-- A rule, and an end of one that lets footage go sooner, take a second person. Rules of before stay in force.
ALTER TABLE governance.retention_rule
    ADD agreed_by    uuid,
    ADD agreed_at    timestamptz,               -- unset: nobody else has agreed yet, and the rule does nothing
    ADD end_asked_by uuid,
    ADD end_asked_at timestamptz,
    ADD CHECK (agreed_by <> made_by);
UPDATE governance.retention_rule SET agreed_at = made_at;
