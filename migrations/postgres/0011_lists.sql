-- [P8] Lists of rooms whose order is in one table and whose choice in another: each index has both, so that a page costs what is on it.

-- All of them change below. Taken one after the other, on the way, they would be waited for by pages that hold another of them.
LOCK TABLE tickets, ticket_rooms, deployments, rooms IN ACCESS EXCLUSIVE MODE;

-- What copies a room's place in the order names it by this key, and follows when the room is renamed.
ALTER TABLE rooms ADD CONSTRAINT rooms_key UNIQUE (id, name_key);

-- The rooms of an update by status, in the order of their names. A copy of the room's key, for every deployment that is made.
ALTER TABLE deployments ADD COLUMN room_key TEXT;
UPDATE deployments SET room_key = (SELECT r.name_key FROM rooms r WHERE r.id = room_id);
ALTER TABLE deployments
    ALTER COLUMN room_key SET NOT NULL,
    DROP CONSTRAINT deployments_room_id_fkey,
    ADD CONSTRAINT deployments_room_fkey FOREIGN KEY (room_id, room_key) REFERENCES rooms (id, name_key) ON UPDATE CASCADE;
DROP INDEX deployments_update;
CREATE INDEX deployments_update ON deployments (update_id, state, room_key, room_id);

-- A process of the program before this one, which is still alive, knows nothing of it.
CREATE FUNCTION key_deployment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT r.name_key INTO NEW.room_key FROM rooms r WHERE r.id = NEW.room_id;
    RETURN NEW;
END $$;

CREATE TRIGGER deployments_keyed BEFORE INSERT ON deployments
FOR EACH ROW WHEN (NEW.room_key IS NULL) EXECUTE FUNCTION key_deployment();

-- The tickets of an update: what needs action first, then the newest.
DROP INDEX tickets_update;
CREATE INDEX tickets_update ON tickets (update_id, (CASE state WHEN 'needs_action' THEN 0 WHEN 'investigating' THEN 1 ELSE 2 END), number DESC);

-- [I4] Whether a ticket makes its rooms unhealthy, unless it is suppressed.
ALTER TABLE tickets ADD COLUMN troubles BOOLEAN NOT NULL GENERATED ALWAYS AS (
    state IN ('needs_action', 'investigating') AND (severity IN ('critical', 'important') OR opened_by <> 'Nightshift')) STORED;

-- How many such tickets a room has, in the order of the rooms' names. Written with every change of a ticket.
CREATE TABLE room_troubles (
    room_id UUID PRIMARY KEY,
    room_key TEXT NOT NULL,
    tickets BIGINT NOT NULL,
    FOREIGN KEY (room_id, room_key) REFERENCES rooms (id, name_key) ON UPDATE CASCADE
);

INSERT INTO room_troubles (room_id, room_key, tickets)
SELECT r.id, r.name_key, COUNT(*)
FROM tickets t JOIN ticket_rooms tr ON tr.ticket_id = t.id JOIN rooms r ON r.id = tr.room_id
WHERE t.troubles GROUP BY r.id, r.name_key;

CREATE INDEX room_troubles_order ON room_troubles (room_key, room_id) WHERE tickets > 0;

CREATE FUNCTION trouble_added_rooms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO room_troubles AS x (room_id, room_key, tickets)
    SELECT r.id, r.name_key, COUNT(*)
    FROM added a JOIN tickets t ON t.id = a.ticket_id AND t.troubles JOIN rooms r ON r.id = a.room_id
    GROUP BY r.id, r.name_key ORDER BY r.id
    ON CONFLICT (room_id) DO UPDATE SET tickets = x.tickets + excluded.tickets;
    RETURN NULL;
END $$;

CREATE FUNCTION trouble_changed_rooms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO room_troubles AS x (room_id, room_key, tickets)
    SELECT r.id, r.name_key, CASE WHEN NEW.troubles THEN 1 ELSE -1 END
    FROM ticket_rooms tr JOIN rooms r ON r.id = tr.room_id WHERE tr.ticket_id = NEW.id ORDER BY r.id
    ON CONFLICT (room_id) DO UPDATE SET tickets = x.tickets + excluded.tickets;
    RETURN NULL;
END $$;

CREATE FUNCTION trouble_left_rooms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE room_troubles SET tickets = tickets - 1
    WHERE room_id = OLD.room_id AND EXISTS (SELECT 1 FROM tickets t WHERE t.id = OLD.ticket_id AND t.troubles);
    RETURN NULL;
END $$;

CREATE TRIGGER rooms_troubled_when_added AFTER INSERT ON ticket_rooms
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION trouble_added_rooms();

-- What is generated is known after the row is written.
CREATE TRIGGER rooms_troubled_when_changed AFTER UPDATE OF state, severity, opened_by ON tickets
FOR EACH ROW WHEN (OLD.troubles <> NEW.troubles) EXECUTE FUNCTION trouble_changed_rooms();

CREATE TRIGGER rooms_troubled_when_deleted AFTER DELETE ON ticket_rooms
FOR EACH ROW EXECUTE FUNCTION trouble_left_rooms();

-- [P8] "zurich" finds Zürich, as in the other engine. Each function stands for itself, so that what it is called from has no say in it.
CREATE FUNCTION without_marks(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(normalize($1, NFD), '[\u0300-\u036f]', '', 'g')
$$;

-- Words end where there is neither letter nor digit.
CREATE FUNCTION words_in(text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT to_tsvector('simple', translate(regexp_replace(normalize($1, NFD), '[\u0300-\u036f]', '', 'g'),
        '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                '))
$$;

DROP INDEX rooms_words;
DROP INDEX updates_words;
DROP INDEX tickets_words;
CREATE INDEX rooms_words ON rooms USING GIN (words_in(name || ' ' || building));
CREATE INDEX updates_words ON updates USING GIN (words_in(title || ' ' || version));
CREATE INDEX tickets_words ON tickets USING GIN (words_in(title));
