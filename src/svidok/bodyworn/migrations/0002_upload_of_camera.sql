-- What came last of a camera is asked for each shift that is shown.
CREATE INDEX upload_of_camera ON bodyworn.upload ((meta->>'serial'), at);
CREATE INDEX clip_received ON bodyworn.clip (camera_id, received_at);
CREATE INDEX announced_said ON bodyworn.announced (camera_id, said_at);
