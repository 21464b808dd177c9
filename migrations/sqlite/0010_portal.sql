-- What the portal came to need.

-- A pause that ends by itself (K3): on this date of the organisation's; NULL: somebody ends it.
ALTER TABLE rollouts ADD COLUMN resumes_on TEXT;

-- [P1] Announcements on Home: what is new in the portfolio, and what admins write. Each person dismisses them for themselves.
CREATE TABLE announcements (
    id BLOB PRIMARY KEY,
    made_at INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    -- The last date of the organisation's on which it stands there; NULL: until it is taken down.
    until TEXT
) STRICT;

CREATE INDEX announcements_made ON announcements (made_at, id);

CREATE TABLE announcement_dismissals (
    announcement_id BLOB NOT NULL REFERENCES announcements (id) ON DELETE CASCADE,
    person_id BLOB NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    PRIMARY KEY (announcement_id, person_id)
) STRICT;

CREATE INDEX announcement_dismissals_person ON announcement_dismissals (person_id);

-- [P8] Rooms by ring, site and state: how many there are is read and not counted. Written with every change of a room.
CREATE TABLE room_counts (
    ring_id BLOB NOT NULL,
    site_id BLOB NOT NULL,
    state TEXT NOT NULL,
    rooms INTEGER NOT NULL,
    PRIMARY KEY (ring_id, site_id, state)
) STRICT;

INSERT INTO room_counts (ring_id, site_id, state, rooms)
SELECT ring_id, site_id, state, COUNT(*) FROM rooms GROUP BY ring_id, site_id, state;

CREATE TRIGGER rooms_counted_when_added
AFTER INSERT ON rooms
BEGIN
    INSERT INTO room_counts (ring_id, site_id, state, rooms) VALUES (new.ring_id, new.site_id, new.state, 1)
    ON CONFLICT (ring_id, site_id, state) DO UPDATE SET rooms = room_counts.rooms + 1;
END;

CREATE TRIGGER rooms_counted_when_changed
AFTER UPDATE OF ring_id, site_id, state ON rooms
WHEN old.ring_id <> new.ring_id OR old.site_id <> new.site_id OR old.state <> new.state
BEGIN
    UPDATE room_counts SET rooms = room_counts.rooms - 1
    WHERE ring_id = old.ring_id AND site_id = old.site_id AND state = old.state;
    INSERT INTO room_counts (ring_id, site_id, state, rooms) VALUES (new.ring_id, new.site_id, new.state, 1)
    ON CONFLICT (ring_id, site_id, state) DO UPDATE SET rooms = room_counts.rooms + 1;
END;

CREATE TRIGGER rooms_counted_when_deleted
AFTER DELETE ON rooms
BEGIN
    UPDATE room_counts SET rooms = room_counts.rooms - 1
    WHERE ring_id = old.ring_id AND site_id = old.site_id AND state = old.state;
END;

-- [P8] Tickets by state and severity, likewise.
CREATE TABLE ticket_counts (
    state TEXT NOT NULL,
    severity TEXT NOT NULL,
    tickets INTEGER NOT NULL,
    PRIMARY KEY (state, severity)
) STRICT;

INSERT INTO ticket_counts (state, severity, tickets)
SELECT state, severity, COUNT(*) FROM tickets GROUP BY state, severity;

CREATE TRIGGER tickets_counted_when_added
AFTER INSERT ON tickets
BEGIN
    INSERT INTO ticket_counts (state, severity, tickets) VALUES (new.state, new.severity, 1)
    ON CONFLICT (state, severity) DO UPDATE SET tickets = ticket_counts.tickets + 1;
END;

CREATE TRIGGER tickets_counted_when_changed
AFTER UPDATE OF state, severity ON tickets
WHEN old.state <> new.state OR old.severity <> new.severity
BEGIN
    UPDATE ticket_counts SET tickets = ticket_counts.tickets - 1 WHERE state = old.state AND severity = old.severity;
    INSERT INTO ticket_counts (state, severity, tickets) VALUES (new.state, new.severity, 1)
    ON CONFLICT (state, severity) DO UPDATE SET tickets = ticket_counts.tickets + 1;
END;

CREATE TRIGGER tickets_counted_when_deleted
AFTER DELETE ON tickets
BEGIN
    UPDATE ticket_counts SET tickets = ticket_counts.tickets - 1 WHERE state = old.state AND severity = old.severity;
END;

-- [P8] The list of tickets: what needs action first, then the newest.
CREATE INDEX tickets_urgency ON tickets ((CASE state WHEN 'needs_action' THEN 0 WHEN 'investigating' THEN 1 ELSE 2 END), number DESC);
CREATE INDEX tickets_in_state ON tickets (state, number DESC);
CREATE INDEX tickets_suppressed ON tickets (suppressed_until) WHERE suppressed_until IS NOT NULL AND state <> 'resolved';

-- Its only use was to count rooms.
DROP INDEX rooms_counted;
