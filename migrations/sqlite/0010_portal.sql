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
