-- The check walks each volume in the order of its paths.
CREATE INDEX segment_by_path ON recording.segment (volume_id, path);
