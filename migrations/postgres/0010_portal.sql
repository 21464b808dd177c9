-- What the portal came to need.

-- Rooms and tickets are counted below, and then by triggers: nobody adds one in between.
LOCK TABLE rooms, tickets IN SHARE ROW EXCLUSIVE MODE;

-- A pause that ends by itself (K3): on this date of the organisation's; NULL: somebody ends it.
ALTER TABLE rollouts ADD COLUMN resumes_on DATE;

-- [P1] Announcements on Home: what is new in the portfolio, and what admins write. Each person dismisses them for themselves.
CREATE TABLE announcements (
    id UUID PRIMARY KEY,
    made_at BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    -- The last date of the organisation's on which it stands there; NULL: until it is taken down.
    until DATE
);

CREATE INDEX announcements_made ON announcements (made_at, id);

CREATE TABLE announcement_dismissals (
    announcement_id UUID NOT NULL REFERENCES announcements (id) ON DELETE CASCADE,
    person_id UUID NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    PRIMARY KEY (announcement_id, person_id)
);

CREATE INDEX announcement_dismissals_person ON announcement_dismissals (person_id);

-- [P8] Rooms by ring, site and state: how many there are is read and not counted. Written with every change of a room; once for each
-- statement, in one order.
CREATE TABLE room_counts (
    ring_id UUID NOT NULL,
    site_id UUID NOT NULL,
    state TEXT NOT NULL,
    rooms BIGINT NOT NULL,
    PRIMARY KEY (ring_id, site_id, state)
);

INSERT INTO room_counts (ring_id, site_id, state, rooms)
SELECT ring_id, site_id, state, COUNT(*) FROM rooms GROUP BY ring_id, site_id, state;

CREATE FUNCTION count_added_rooms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO room_counts AS c (ring_id, site_id, state, rooms)
    SELECT ring_id, site_id, state, COUNT(*) FROM added GROUP BY ring_id, site_id, state ORDER BY ring_id, site_id, state
    ON CONFLICT (ring_id, site_id, state) DO UPDATE SET rooms = c.rooms + excluded.rooms;
    RETURN NULL;
END $$;

CREATE FUNCTION count_changed_rooms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO room_counts AS c (ring_id, site_id, state, rooms)
    SELECT ring_id, site_id, state, SUM(n) FROM (
        SELECT ring_id, site_id, state, -1 AS n FROM before UNION ALL SELECT ring_id, site_id, state, 1 AS n FROM after) AS x
    GROUP BY ring_id, site_id, state HAVING SUM(n) <> 0 ORDER BY ring_id, site_id, state
    ON CONFLICT (ring_id, site_id, state) DO UPDATE SET rooms = c.rooms + excluded.rooms;
    RETURN NULL;
END $$;

CREATE FUNCTION count_deleted_rooms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE room_counts AS c SET rooms = c.rooms - x.n
    FROM (SELECT ring_id, site_id, state, COUNT(*) AS n FROM gone GROUP BY ring_id, site_id, state) AS x
    WHERE c.ring_id = x.ring_id AND c.site_id = x.site_id AND c.state = x.state;
    RETURN NULL;
END $$;

CREATE TRIGGER rooms_counted_when_added AFTER INSERT ON rooms
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_added_rooms();

CREATE TRIGGER rooms_counted_when_changed AFTER UPDATE ON rooms
REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_changed_rooms();

CREATE TRIGGER rooms_counted_when_deleted AFTER DELETE ON rooms
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_deleted_rooms();

-- [P8] Tickets by state and severity, likewise.
CREATE TABLE ticket_counts (
    state TEXT NOT NULL,
    severity TEXT NOT NULL,
    tickets BIGINT NOT NULL,
    PRIMARY KEY (state, severity)
);

INSERT INTO ticket_counts (state, severity, tickets)
SELECT state, severity, COUNT(*) FROM tickets GROUP BY state, severity;

CREATE FUNCTION count_added_tickets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ticket_counts AS c (state, severity, tickets)
    SELECT state, severity, COUNT(*) FROM added GROUP BY state, severity ORDER BY state, severity
    ON CONFLICT (state, severity) DO UPDATE SET tickets = c.tickets + excluded.tickets;
    RETURN NULL;
END $$;

CREATE FUNCTION count_changed_tickets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ticket_counts AS c (state, severity, tickets)
    SELECT state, severity, SUM(n) FROM (
        SELECT state, severity, -1 AS n FROM before UNION ALL SELECT state, severity, 1 AS n FROM after) AS x
    GROUP BY state, severity HAVING SUM(n) <> 0 ORDER BY state, severity
    ON CONFLICT (state, severity) DO UPDATE SET tickets = c.tickets + excluded.tickets;
    RETURN NULL;
END $$;

CREATE FUNCTION count_deleted_tickets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ticket_counts AS c SET tickets = c.tickets - x.n
    FROM (SELECT state, severity, COUNT(*) AS n FROM gone GROUP BY state, severity) AS x
    WHERE c.state = x.state AND c.severity = x.severity;
    RETURN NULL;
END $$;

CREATE TRIGGER tickets_counted_when_added AFTER INSERT ON tickets
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_added_tickets();

CREATE TRIGGER tickets_counted_when_changed AFTER UPDATE ON tickets
REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_changed_tickets();

CREATE TRIGGER tickets_counted_when_deleted AFTER DELETE ON tickets
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_deleted_tickets();

-- [P8] The list of tickets: what needs action first, then the newest.
CREATE INDEX tickets_urgency ON tickets ((CASE state WHEN 'needs_action' THEN 0 WHEN 'investigating' THEN 1 ELSE 2 END), number DESC);
CREATE INDEX tickets_in_state ON tickets (state, number DESC);
CREATE INDEX tickets_suppressed ON tickets (suppressed_until) WHERE suppressed_until IS NOT NULL AND state <> 'resolved';

-- [P8] Words end where there is neither letter nor digit, as in the other engine: Postgres by itself takes "Berlin-1" for "berlin" and "-1".
DROP INDEX rooms_words;
DROP INDEX updates_words;
DROP INDEX tickets_words;
CREATE INDEX rooms_words ON rooms USING GIN (to_tsvector('simple', translate(name || ' ' || building, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                ')));
CREATE INDEX updates_words ON updates USING GIN (to_tsvector('simple', translate(title || ' ' || version, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                ')));
CREATE INDEX tickets_words ON tickets USING GIN (to_tsvector('simple', translate(title, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                ')));

-- Its only use was to count rooms.
DROP INDEX rooms_counted;
