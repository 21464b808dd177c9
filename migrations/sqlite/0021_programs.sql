-- [DDI 4] The programs that a device has listed last, and how its lists have differed from those before them.
CREATE TABLE program_lists (
    device_id BLOB PRIMARY KEY REFERENCES devices (id),
    taken_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    programs TEXT NOT NULL
) STRICT;

CREATE TABLE program_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id BLOB NOT NULL REFERENCES devices (id),
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    -- Without one it was not there before, or is gone.
    version_before TEXT,
    version_after TEXT
) STRICT;

CREATE INDEX program_changes_device ON program_changes (device_id, id);

-- [C1] Names of software in rooms that nobody has reviewed, and in how many rooms each of them is.
CREATE TABLE unreviewed_software (
    room_id BLOB NOT NULL REFERENCES rooms (id),
    name_key TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (room_id, name_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX unreviewed_software_name ON unreviewed_software (name_key, room_id);

CREATE TABLE unreviewed_counts (
    name_key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    rooms INTEGER NOT NULL
) STRICT;

CREATE INDEX unreviewed_counts_rooms ON unreviewed_counts (rooms DESC, name_key);

CREATE TRIGGER unreviewed_counted_when_added
AFTER INSERT ON unreviewed_software
BEGIN
    INSERT INTO unreviewed_counts (name_key, name, rooms) VALUES (new.name_key, new.name, 1)
    ON CONFLICT (name_key) DO UPDATE SET rooms = unreviewed_counts.rooms + 1;
END;

CREATE TRIGGER unreviewed_counted_when_deleted
AFTER DELETE ON unreviewed_software
BEGIN
    UPDATE unreviewed_counts SET rooms = rooms - 1 WHERE name_key = old.name_key;
    DELETE FROM unreviewed_counts WHERE name_key = old.name_key AND rooms <= 0;
END;

-- [P12] When a device was in contact first since it was added, moved or given a token. Of those that were in contact before, nobody knows.
ALTER TABLE devices ADD COLUMN first_contact_at INTEGER;
UPDATE devices SET first_contact_at = last_seen_at WHERE last_seen_at IS NOT NULL;
CREATE INDEX devices_first_contact ON devices (first_contact_at) WHERE first_contact_at IS NOT NULL;
