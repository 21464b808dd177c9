-- [P8] Lists of rooms whose order is in one table and whose choice in another: each index has both, so that a page costs what is on it.

-- The rooms of an update by status, in the order of their names. A copy of the room's key, for every deployment that is made.
ALTER TABLE deployments ADD COLUMN room_key TEXT NOT NULL DEFAULT '';
UPDATE deployments SET room_key = (SELECT r.name_key FROM rooms r WHERE r.id = room_id);
DROP INDEX deployments_update;
CREATE INDEX deployments_update ON deployments (update_id, state, room_key, room_id);

-- The default is for the rows that were there: a column that is added cannot be without.
CREATE TRIGGER deployments_keyed
BEFORE INSERT ON deployments
WHEN new.room_key = ''
BEGIN
    SELECT RAISE(ABORT, 'a deployment has the key of its room');
END;

-- The tickets of an update: what needs action first, then the newest.
DROP INDEX tickets_update;
CREATE INDEX tickets_update ON tickets (update_id, (CASE state WHEN 'needs_action' THEN 0 WHEN 'investigating' THEN 1 ELSE 2 END), number DESC);

-- [I4] Whether a ticket makes its rooms unhealthy, unless it is suppressed.
ALTER TABLE tickets ADD COLUMN troubles INTEGER NOT NULL GENERATED ALWAYS AS (
    state IN ('needs_action', 'investigating') AND (severity IN ('critical', 'important') OR opened_by <> 'Nightshift')) VIRTUAL;

-- How many such tickets a room has, in the order of the rooms' names. Written with every change of a ticket.
CREATE TABLE room_troubles (
    room_id BLOB PRIMARY KEY REFERENCES rooms (id),
    room_key TEXT NOT NULL,
    tickets INTEGER NOT NULL
) STRICT;

INSERT INTO room_troubles (room_id, room_key, tickets)
SELECT r.id, r.name_key, COUNT(*)
FROM tickets t JOIN ticket_rooms tr ON tr.ticket_id = t.id JOIN rooms r ON r.id = tr.room_id
WHERE t.troubles GROUP BY r.id, r.name_key;

CREATE INDEX room_troubles_order ON room_troubles (room_key, room_id) WHERE tickets > 0;

CREATE TRIGGER rooms_troubled_when_added
AFTER INSERT ON ticket_rooms
BEGIN
    INSERT INTO room_troubles (room_id, room_key, tickets)
    SELECT r.id, r.name_key, 1 FROM tickets t, rooms r WHERE t.id = new.ticket_id AND t.troubles AND r.id = new.room_id
    ON CONFLICT (room_id) DO UPDATE SET tickets = room_troubles.tickets + 1;
END;

CREATE TRIGGER rooms_troubled_when_changed
AFTER UPDATE OF state, severity, opened_by ON tickets
WHEN old.troubles <> new.troubles
BEGIN
    INSERT INTO room_troubles (room_id, room_key, tickets)
    SELECT r.id, r.name_key, new.troubles - old.troubles FROM ticket_rooms tr JOIN rooms r ON r.id = tr.room_id WHERE tr.ticket_id = new.id
    ON CONFLICT (room_id) DO UPDATE SET tickets = room_troubles.tickets + excluded.tickets;
END;

CREATE TRIGGER rooms_troubled_when_deleted
AFTER DELETE ON ticket_rooms
BEGIN
    UPDATE room_troubles SET tickets = tickets - 1
    WHERE room_id = old.room_id AND EXISTS (SELECT 1 FROM tickets t WHERE t.id = old.ticket_id AND t.troubles);
END;

-- A renamed room takes its new place in the lists.
CREATE TRIGGER rooms_renamed
AFTER UPDATE OF name_key ON rooms
WHEN old.name_key <> new.name_key
BEGIN
    UPDATE deployments SET room_key = new.name_key WHERE room_id = new.id;
    UPDATE room_troubles SET room_key = new.name_key WHERE room_id = new.id;
END;
