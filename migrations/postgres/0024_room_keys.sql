-- [P8] Lists of rooms by what checks came to, by software and by version: each index has the choice and the order of the rooms' names, so
-- that a page costs what is on it. As for deployments, each row has a copy of its room's key.

-- All of them change below. Taken one after the other, on the way, they would be waited for by pages that hold another of them.
LOCK TABLE checks, unreviewed_software, components, devices, rooms IN ACCESS EXCLUSIVE MODE;

ALTER TABLE checks ADD COLUMN room_key TEXT;
UPDATE checks SET room_key = (SELECT r.name_key FROM rooms r WHERE r.id = room_id);
ALTER TABLE checks
    ALTER COLUMN room_key SET NOT NULL,
    DROP CONSTRAINT checks_room_id_fkey,
    ADD CONSTRAINT checks_room_fkey FOREIGN KEY (room_id, room_key) REFERENCES rooms (id, name_key) ON UPDATE CASCADE;
DROP INDEX checks_result;
CREATE INDEX checks_result ON checks (check_name, result, room_key, room_id);

ALTER TABLE unreviewed_software ADD COLUMN room_key TEXT;
UPDATE unreviewed_software SET room_key = (SELECT r.name_key FROM rooms r WHERE r.id = room_id);
ALTER TABLE unreviewed_software
    ALTER COLUMN room_key SET NOT NULL,
    DROP CONSTRAINT unreviewed_software_room_id_fkey,
    ADD CONSTRAINT unreviewed_software_room_fkey FOREIGN KEY (room_id, room_key) REFERENCES rooms (id, name_key) ON UPDATE CASCADE;
DROP INDEX unreviewed_software_name;
CREATE INDEX unreviewed_software_name ON unreviewed_software (name_key, room_key, room_id);

CREATE FUNCTION key_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT r.name_key INTO NEW.room_key FROM rooms r WHERE r.id = NEW.room_id;
    RETURN NEW;
END $$;

CREATE TRIGGER checks_keyed BEFORE INSERT ON checks FOR EACH ROW EXECUTE FUNCTION key_room();
CREATE TRIGGER unreviewed_keyed BEFORE INSERT ON unreviewed_software FOR EACH ROW EXECUTE FUNCTION key_room();

-- The room that a component is in, and its key; NULL while its device is revoked.
ALTER TABLE components ADD COLUMN room_id UUID, ADD COLUMN room_key TEXT;
UPDATE components c SET room_id = r.id, room_key = r.name_key
FROM devices d JOIN rooms r ON r.id = d.room_id WHERE d.id = c.device_id AND d.revoked_at IS NULL;
DROP INDEX components_version;
CREATE INDEX components_version ON components (product_id, version_id, room_key, room_id, device_id);

-- A room is not renamed while a component comes to it: it would keep the old key.
CREATE FUNCTION key_component() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    id UUID;
    key TEXT;
BEGIN
    SELECT r.id, r.name_key INTO id, key FROM devices d JOIN rooms r ON r.id = d.room_id
    WHERE d.id = NEW.device_id AND d.revoked_at IS NULL FOR KEY SHARE OF r;
    UPDATE components c SET room_id = id, room_key = key WHERE c.device_id = NEW.device_id AND c.product_id = NEW.product_id;
    RETURN NULL;
END $$;

CREATE FUNCTION key_components_of_device() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    id UUID;
    key TEXT;
BEGIN
    SELECT r.id, r.name_key INTO id, key FROM rooms r WHERE r.id = NEW.room_id AND NEW.revoked_at IS NULL FOR KEY SHARE OF r;
    UPDATE components c SET room_id = id, room_key = key WHERE c.device_id = NEW.id;
    RETURN NULL;
END $$;

CREATE FUNCTION key_components_of_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE components c SET room_key = NEW.name_key
    WHERE c.device_id IN (SELECT d.id FROM devices d WHERE d.room_id = NEW.id) AND c.room_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER components_keyed AFTER INSERT ON components
FOR EACH ROW EXECUTE FUNCTION key_component();

CREATE TRIGGER components_keyed_with_device AFTER UPDATE OF room_id, revoked_at ON devices
FOR EACH ROW WHEN (OLD.room_id <> NEW.room_id OR (OLD.revoked_at IS NULL) <> (NEW.revoked_at IS NULL))
EXECUTE FUNCTION key_components_of_device();

CREATE TRIGGER components_keyed_with_room AFTER UPDATE OF name_key ON rooms
FOR EACH ROW WHEN (OLD.name_key <> NEW.name_key) EXECUTE FUNCTION key_components_of_room();
