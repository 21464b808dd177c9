-- [C3] What a device said when it could not change a setting.
ALTER TABLE devices ADD COLUMN setting_said TEXT NOT NULL DEFAULT '';

-- [P9] Open pages ask once a second when a device last told other facts than before.
ALTER TABLE devices ADD COLUMN facts_changed_at BIGINT;
CREATE INDEX devices_facts_changed ON devices (facts_changed_at) WHERE facts_changed_at IS NOT NULL;

-- [C5] Rooms are checked in the order of their rows: those that stand together are read and written together.
DROP INDEX rooms_check;
CREATE INDEX rooms_check ON rooms (check_at) WHERE state <> 'retired';
