-- [C2] What keeps updates away follows from readiness checks alone. Blocks that are there were copied from a file. One keeps away the
-- products of one vendor, or of all where there is none.
DELETE FROM blocks;
ALTER TABLE blocks ADD COLUMN vendor TEXT;

-- [C1, C5] What each readiness check of a room came to when it was last made, and since when it is so; `worst` stands for all of them.
CREATE TABLE checks (
    room_id BLOB NOT NULL REFERENCES rooms (id),
    check_name TEXT NOT NULL CHECK (check_name IN ('base_image', 'os_edition', 'logitech_sync', 'os_updates', 'store_updates', 'antivirus',
        'additional_software', 'change_management', 'worst')),
    result TEXT NOT NULL CHECK (result IN ('fail', 'unknown', 'warning', 'waived', 'fixed_by_service', 'pass', 'not_applicable')),
    since INTEGER NOT NULL,
    PRIMARY KEY (room_id, check_name)
) STRICT;

CREATE INDEX checks_result ON checks (check_name, result, room_id);

-- [P8] How many rooms there are of each result: read and not counted.
CREATE TABLE check_counts (
    check_name TEXT NOT NULL,
    result TEXT NOT NULL,
    rooms INTEGER NOT NULL,
    PRIMARY KEY (check_name, result)
) STRICT;

CREATE TRIGGER checks_counted_when_added
AFTER INSERT ON checks
BEGIN
    INSERT INTO check_counts (check_name, result, rooms) VALUES (new.check_name, new.result, 1)
    ON CONFLICT (check_name, result) DO UPDATE SET rooms = check_counts.rooms + 1;
END;

CREATE TRIGGER checks_counted_when_changed
AFTER UPDATE OF result ON checks
WHEN old.result <> new.result
BEGIN
    UPDATE check_counts SET rooms = check_counts.rooms - 1 WHERE check_name = old.check_name AND result = old.result;
    INSERT INTO check_counts (check_name, result, rooms) VALUES (new.check_name, new.result, 1)
    ON CONFLICT (check_name, result) DO UPDATE SET rooms = check_counts.rooms + 1;
END;

CREATE TRIGGER checks_counted_when_deleted
AFTER DELETE ON checks
BEGIN
    UPDATE check_counts SET rooms = check_counts.rooms - 1 WHERE check_name = old.check_name AND result = old.result;
END;

-- When a room's checks are made next (0: at once), and who has confirmed that its change management has moved here [C4].
ALTER TABLE rooms ADD COLUMN check_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN confirmed_at INTEGER;
ALTER TABLE rooms ADD COLUMN confirmed_by TEXT;

CREATE INDEX rooms_check ON rooms (check_at, id) WHERE state <> 'retired';
CREATE INDEX rooms_onboarding ON rooms (name_key, id) WHERE state = 'onboarding';

-- [C1] Somebody answers for a check of a room until a date in its zone, that date included.
CREATE TABLE waivers (
    room_id BLOB NOT NULL REFERENCES rooms (id),
    check_name TEXT NOT NULL,
    until TEXT NOT NULL,
    given_by TEXT NOT NULL,
    given_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (room_id, check_name)
) STRICT;

-- [C1] Names of software that an admin has reviewed, for all rooms.
CREATE TABLE reviewed_software (
    name_key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    reviewed_by TEXT NOT NULL,
    reviewed_at INTEGER NOT NULL
) STRICT;

-- [C6] The organisation's own readiness profile; NULL: the one that comes with Nightshift.
ALTER TABLE organisation ADD COLUMN profile TEXT;

-- [C3] When a device first said that store updates are off after they were turned off here.
ALTER TABLE devices ADD COLUMN store_updates_off_since INTEGER;

-- [C2, L4, I4] Tickets that something else than a failed update opens by itself: one for each room and cause.
ALTER TABLE tickets ADD COLUMN cause_room_id BLOB REFERENCES rooms (id);
ALTER TABLE tickets ADD COLUMN cause TEXT;
CREATE UNIQUE INDEX tickets_cause ON tickets (cause_room_id, cause) WHERE cause IS NOT NULL;
