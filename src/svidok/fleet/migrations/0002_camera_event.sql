-- What cameras told besides their pictures. Not evidence by itself: kept for as many days as the policy
-- `camera_events` says, and never more of one camera than its ration.
CREATE TABLE fleet.camera_event (
    id        uuid PRIMARY KEY,
    camera_id uuid        NOT NULL REFERENCES fleet.camera,
    kind      text        NOT NULL,
    active    boolean,                     -- it began or lasts; it ended; unset: it has no length
    source    text        NOT NULL DEFAULT '',   -- the camera's name for its part
    at        timestamptz NOT NULL,        -- when we learnt of it, by our clock
    camera_at timestamptz NOT NULL,        -- when it was by the camera's clock, or ours where it did not say
    detail    text        NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX camera_event_once ON fleet.camera_event (camera_id, camera_at, kind, source, active) NULLS NOT DISTINCT;
CREATE INDEX camera_event_latest ON fleet.camera_event (camera_id, at DESC, id DESC);
CREATE INDEX camera_event_age ON fleet.camera_event (at);
