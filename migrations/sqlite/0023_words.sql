-- [C3] What a device said when it could not change a setting.
ALTER TABLE devices ADD COLUMN setting_said TEXT NOT NULL DEFAULT '';

-- [P9] Open pages ask once a second when a device last told other facts than before.
ALTER TABLE devices ADD COLUMN facts_changed_at INTEGER;
CREATE INDEX devices_facts_changed ON devices (facts_changed_at) WHERE facts_changed_at IS NOT NULL;
