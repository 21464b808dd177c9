-- [C2] What keeps updates away follows from readiness checks alone. Blocks that are there were copied from a file. One keeps away the
-- products of one vendor, or of all where there is none.
DELETE FROM blocks;
ALTER TABLE blocks ADD COLUMN vendor TEXT;

-- [C1, C5] What each readiness check of a room came to when it was last made, and since when it is so; `worst` stands for all of them.
CREATE TABLE checks (
    room_id UUID NOT NULL REFERENCES rooms (id),
    check_name TEXT NOT NULL CHECK (check_name IN ('base_image', 'os_edition', 'logitech_sync', 'os_updates', 'store_updates', 'antivirus',
        'additional_software', 'change_management', 'worst')),
    result TEXT NOT NULL CHECK (result IN ('fail', 'unknown', 'warning', 'waived', 'fixed_by_service', 'pass', 'not_applicable')),
    since BIGINT NOT NULL,
    PRIMARY KEY (room_id, check_name)
);

CREATE INDEX checks_result ON checks (check_name, result, room_id);

-- [P8] How many rooms there are of each result: read and not counted.
CREATE TABLE check_counts (
    check_name TEXT NOT NULL,
    result TEXT NOT NULL,
    rooms BIGINT NOT NULL,
    PRIMARY KEY (check_name, result)
);

CREATE FUNCTION count_added_checks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO check_counts AS c (check_name, result, rooms)
    SELECT check_name, result, COUNT(*) FROM added GROUP BY check_name, result ORDER BY check_name, result
    ON CONFLICT (check_name, result) DO UPDATE SET rooms = c.rooms + excluded.rooms;
    RETURN NULL;
END $$;

CREATE FUNCTION count_changed_checks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO check_counts AS c (check_name, result, rooms)
    SELECT check_name, result, SUM(n) FROM (
        SELECT check_name, result, -1 AS n FROM before UNION ALL SELECT check_name, result, 1 AS n FROM after) AS x
    GROUP BY check_name, result HAVING SUM(n) <> 0 ORDER BY check_name, result
    ON CONFLICT (check_name, result) DO UPDATE SET rooms = c.rooms + excluded.rooms;
    RETURN NULL;
END $$;

CREATE FUNCTION count_deleted_checks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE check_counts AS c SET rooms = c.rooms - x.n
    FROM (SELECT check_name, result, COUNT(*) AS n FROM gone GROUP BY check_name, result) AS x
    WHERE c.check_name = x.check_name AND c.result = x.result;
    RETURN NULL;
END $$;

CREATE TRIGGER checks_counted_when_added AFTER INSERT ON checks
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_added_checks();

CREATE TRIGGER checks_counted_when_changed AFTER UPDATE ON checks
REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_changed_checks();

CREATE TRIGGER checks_counted_when_deleted AFTER DELETE ON checks
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_deleted_checks();

-- When a room's checks are made next (0: at once), and who has confirmed that its change management has moved here [C4].
ALTER TABLE rooms ADD COLUMN check_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN confirmed_at BIGINT;
ALTER TABLE rooms ADD COLUMN confirmed_by TEXT;

CREATE INDEX rooms_check ON rooms (check_at, id) WHERE state <> 'retired';
CREATE INDEX rooms_onboarding ON rooms (name_key, id) WHERE state = 'onboarding';

-- [C1] Somebody answers for a check of a room until a date in its zone, that date included.
CREATE TABLE waivers (
    room_id UUID NOT NULL REFERENCES rooms (id),
    check_name TEXT NOT NULL,
    until DATE NOT NULL,
    given_by TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (room_id, check_name)
);

-- [C1] Names of software that an admin has reviewed, for all rooms.
CREATE TABLE reviewed_software (
    name_key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    reviewed_by TEXT NOT NULL,
    reviewed_at BIGINT NOT NULL
);

-- [C6] The organisation's own readiness profile; NULL: the one that comes with Nightshift.
ALTER TABLE organisation ADD COLUMN profile JSONB;

-- [C3] When a device first said that store updates are off after they were turned off here.
ALTER TABLE devices ADD COLUMN store_updates_off_since BIGINT;

-- [C2, L4, I4] Tickets that something else than a failed update opens by itself: one for each room and cause.
ALTER TABLE tickets ADD COLUMN cause_room_id UUID REFERENCES rooms (id);
ALTER TABLE tickets ADD COLUMN cause TEXT;
CREATE UNIQUE INDEX tickets_cause ON tickets (cause_room_id, cause) WHERE cause IS NOT NULL;
