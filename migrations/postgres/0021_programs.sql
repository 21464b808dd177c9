-- [DDI 4] The programs that a device has listed last, and how its lists have differed from those before them.
CREATE TABLE program_lists (
    device_id UUID PRIMARY KEY REFERENCES devices (id),
    taken_at BIGINT NOT NULL,
    count BIGINT NOT NULL,
    programs JSONB NOT NULL
);

CREATE TABLE program_changes (
    id BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    device_id UUID NOT NULL REFERENCES devices (id),
    at BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- Without one it was not there before, or is gone.
    version_before TEXT,
    version_after TEXT
);

CREATE INDEX program_changes_device ON program_changes (device_id, id);

-- [C1] Names of software in rooms that nobody has reviewed, and in how many rooms each of them is.
CREATE TABLE unreviewed_software (
    room_id UUID NOT NULL REFERENCES rooms (id),
    name_key TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (room_id, name_key)
);

CREATE INDEX unreviewed_software_name ON unreviewed_software (name_key, room_id);

CREATE TABLE unreviewed_counts (
    name_key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    rooms BIGINT NOT NULL
);

CREATE INDEX unreviewed_counts_rooms ON unreviewed_counts (rooms DESC, name_key);

CREATE FUNCTION count_added_unreviewed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unreviewed_counts AS c (name_key, name, rooms)
    SELECT name_key, MIN(name), COUNT(*) FROM added GROUP BY name_key ORDER BY name_key
    ON CONFLICT (name_key) DO UPDATE SET rooms = c.rooms + excluded.rooms;
    RETURN NULL;
END $$;

CREATE FUNCTION count_deleted_unreviewed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE unreviewed_counts AS c SET rooms = c.rooms - x.n
    FROM (SELECT name_key, COUNT(*) AS n FROM gone GROUP BY name_key) AS x
    WHERE c.name_key = x.name_key;
    DELETE FROM unreviewed_counts WHERE rooms <= 0 AND name_key IN (SELECT name_key FROM gone);
    RETURN NULL;
END $$;

CREATE TRIGGER unreviewed_counted_when_added AFTER INSERT ON unreviewed_software
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_added_unreviewed();

CREATE TRIGGER unreviewed_counted_when_deleted AFTER DELETE ON unreviewed_software
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_deleted_unreviewed();

-- [P12] When a device was in contact first since it was added, moved or given a token. Of those that were in contact before, nobody knows.
ALTER TABLE devices ADD COLUMN first_contact_at BIGINT;
UPDATE devices SET first_contact_at = last_seen_at WHERE last_seen_at IS NOT NULL;
CREATE INDEX devices_first_contact ON devices (first_contact_at) WHERE first_contact_at IS NOT NULL;
