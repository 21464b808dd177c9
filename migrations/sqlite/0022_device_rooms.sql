-- [L5] In which room a device was, from when until when; `until_at` is NULL while it is there. A device that is revoked, also with its
-- room, is in none until it gets a token again. `from_at` is 0 where nobody knows when it came.
CREATE TABLE device_rooms (
    device_id BLOB NOT NULL REFERENCES devices (id),
    room_id BLOB NOT NULL REFERENCES rooms (id),
    from_at INTEGER NOT NULL,
    until_at INTEGER
) STRICT;

-- The audit says from which rooms devices went away, and when: `The device panel-7 went to Foyer.` No device's name has a space.
INSERT INTO device_rooms (device_id, room_id, from_at, until_at)
SELECT d.id, r.id, COALESCE(LAG(a.at) OVER (PARTITION BY d.id ORDER BY a.at, a.id), 0), a.at
FROM audit a
JOIN devices d ON d.controller_id = substr(a.summary, 12, instr(substr(a.summary, 12), ' ') - 1)
JOIN rooms r ON r.id = unhex(replace(a.object_id, '-', ''))
WHERE a.object_kind = 'room' AND a.action = 'device.moved';

INSERT INTO device_rooms (device_id, room_id, from_at, until_at)
SELECT d.id, d.room_id, COALESCE((SELECT MAX(b.until_at) FROM device_rooms b WHERE b.device_id = d.id), 0), d.revoked_at
FROM devices d JOIN rooms r ON r.id = d.room_id
WHERE r.state <> 'retired' OR d.revoked_at IS NOT NULL;

CREATE UNIQUE INDEX device_rooms_now ON device_rooms (device_id) WHERE until_at IS NULL;
CREATE INDEX device_rooms_device ON device_rooms (device_id, from_at);
CREATE INDEX device_rooms_room ON device_rooms (room_id, from_at);

CREATE TRIGGER devices_noted_when_added
AFTER INSERT ON devices
WHEN new.revoked_at IS NULL AND (SELECT state FROM rooms WHERE id = new.room_id) <> 'retired'
BEGIN
    INSERT INTO device_rooms (device_id, room_id, from_at) VALUES (new.id, new.room_id, COALESCE(new.enrolled_at, 0));
END;

CREATE TRIGGER devices_noted_when_revoked
AFTER UPDATE OF revoked_at ON devices
WHEN old.revoked_at IS NULL AND new.revoked_at IS NOT NULL
BEGIN
    UPDATE device_rooms SET until_at = new.revoked_at WHERE device_id = new.id AND until_at IS NULL;
END;

-- A device goes to another room only while it is revoked. The token that it gets there is its first day there.
CREATE TRIGGER devices_noted_when_enrolled
AFTER UPDATE OF enrolled_at, revoked_at ON devices
WHEN new.revoked_at IS NULL AND new.enrolled_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM device_rooms WHERE device_id = new.id AND until_at IS NULL)
BEGIN
    INSERT INTO device_rooms (device_id, room_id, from_at) VALUES (new.id, new.room_id, new.enrolled_at);
END;
