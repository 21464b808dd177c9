-- [I4] Since when each signal of a device is bad: microseconds by name. One that is not bad is not there.
ALTER TABLE devices ADD COLUMN bad_since TEXT NOT NULL DEFAULT '{}';

-- [C3] Settings that a device is asked to change. Their action numbers begin where those of installs do not come.
CREATE TABLE setting_changes (
    action_id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (action_id >= 1073741824),
    device_id BLOB NOT NULL REFERENCES devices (id),
    setting TEXT NOT NULL CHECK (setting IN ('store_updates')),
    value TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    -- When the device said that it has done it, and when it was over: its next facts have shown it, or it has failed.
    told_at INTEGER,
    ended_at INTEGER,
    failed INTEGER NOT NULL DEFAULT 0 CHECK (failed IN (0, 1))
) STRICT;

INSERT INTO sqlite_sequence (name, seq) VALUES ('setting_changes', 1073741823);
CREATE UNIQUE INDEX setting_changes_open ON setting_changes (device_id) WHERE ended_at IS NULL;

-- The open one of a device, so that a poll looks no further; and how many have failed since one was done.
ALTER TABLE devices ADD COLUMN setting_action_id INTEGER;
ALTER TABLE devices ADD COLUMN setting_failures INTEGER NOT NULL DEFAULT 0;

-- [DDI 3] What DDI calls the chunk of a product, where it is not what its kind says.
ALTER TABLE products ADD COLUMN chunk_part TEXT;
