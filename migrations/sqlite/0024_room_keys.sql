-- [P8] Lists of rooms by what checks came to, by software and by version: each index has the choice and the order of the rooms' names, so
-- that a page costs what is on it. As for deployments, each row has a copy of its room's key.

ALTER TABLE checks ADD COLUMN room_key TEXT NOT NULL DEFAULT '';
UPDATE checks SET room_key = (SELECT r.name_key FROM rooms r WHERE r.id = room_id);
DROP INDEX checks_result;
CREATE INDEX checks_result ON checks (check_name, result, room_key, room_id);

CREATE TRIGGER checks_keyed
AFTER INSERT ON checks
BEGIN
    UPDATE checks SET room_key = (SELECT r.name_key FROM rooms r WHERE r.id = new.room_id)
    WHERE room_id = new.room_id AND check_name = new.check_name;
END;

ALTER TABLE unreviewed_software ADD COLUMN room_key TEXT NOT NULL DEFAULT '';
UPDATE unreviewed_software SET room_key = (SELECT r.name_key FROM rooms r WHERE r.id = room_id);
DROP INDEX unreviewed_software_name;
CREATE INDEX unreviewed_software_name ON unreviewed_software (name_key, room_key, room_id);

CREATE TRIGGER unreviewed_keyed
AFTER INSERT ON unreviewed_software
BEGIN
    UPDATE unreviewed_software SET room_key = (SELECT r.name_key FROM rooms r WHERE r.id = new.room_id)
    WHERE room_id = new.room_id AND name_key = new.name_key;
END;

-- The room that a component is in, and its key; NULL while its device is revoked.
ALTER TABLE components ADD COLUMN room_id BLOB REFERENCES rooms (id);
ALTER TABLE components ADD COLUMN room_key TEXT;
UPDATE components SET (room_id, room_key) =
    (SELECT r.id, r.name_key FROM devices d JOIN rooms r ON r.id = d.room_id WHERE d.id = device_id AND d.revoked_at IS NULL);
DROP INDEX components_version;
CREATE INDEX components_version ON components (product_id, version_id, room_key, room_id, device_id);

CREATE TRIGGER components_keyed
AFTER INSERT ON components
BEGIN
    UPDATE components SET (room_id, room_key) =
        (SELECT r.id, r.name_key FROM devices d JOIN rooms r ON r.id = d.room_id WHERE d.id = new.device_id AND d.revoked_at IS NULL)
    WHERE device_id = new.device_id AND product_id = new.product_id;
END;

CREATE TRIGGER components_keyed_with_device
AFTER UPDATE OF room_id, revoked_at ON devices
WHEN old.room_id <> new.room_id OR (old.revoked_at IS NULL) <> (new.revoked_at IS NULL)
BEGIN
    UPDATE components SET (room_id, room_key) =
        (SELECT r.id, r.name_key FROM rooms r WHERE r.id = new.room_id AND new.revoked_at IS NULL)
    WHERE device_id = new.id;
END;

DROP TRIGGER rooms_renamed;
CREATE TRIGGER rooms_renamed
AFTER UPDATE OF name_key ON rooms
WHEN old.name_key <> new.name_key
BEGIN
    UPDATE deployments SET room_key = new.name_key WHERE room_id = new.id;
    UPDATE room_troubles SET room_key = new.name_key WHERE room_id = new.id;
    UPDATE checks SET room_key = new.name_key WHERE room_id = new.id;
    UPDATE unreviewed_software SET room_key = new.name_key WHERE room_id = new.id;
    UPDATE components SET room_key = new.name_key
    WHERE device_id IN (SELECT d.id FROM devices d WHERE d.room_id = new.id) AND room_id = new.id;
END;
