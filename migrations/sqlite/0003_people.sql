-- People, and how the program knows them. The twin of this file in the other engine's folder differs only in the names of types.

-- [A1] Nobody is deleted, for the audit names them.
CREATE TABLE people (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'helpdesk', 'auditor')),
    -- As a PHC string; NULL: none was chosen yet.
    password TEXT,
    made_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

-- Of a session only the SHA-256 of its token is kept.
CREATE TABLE sessions (
    id BLOB PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    person_id BLOB NOT NULL REFERENCES people (id),
    made_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
) STRICT;

CREATE INDEX sessions_person ON sessions (person_id, seen_at);

-- [A2] Links that work once. Without a person: the one that makes the first admin.
CREATE TABLE links (
    token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    person_id BLOB REFERENCES people (id),
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX links_person ON links (person_id);

-- Failed sign-ins by account and by address, in slots of a quarter of an hour.
CREATE TABLE attempts (
    key TEXT NOT NULL,
    slot INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (key, slot)
) STRICT;

CREATE INDEX attempts_slot ON attempts (slot);
