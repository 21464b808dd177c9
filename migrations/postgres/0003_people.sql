-- People, and how the program knows them. The twin of this file in the other engine's folder differs only in the names of types.

-- [A1] Nobody is deleted, for the audit names them.
CREATE TABLE people (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'helpdesk', 'auditor')),
    -- As a PHC string; NULL: none was chosen yet.
    password TEXT,
    made_at BIGINT NOT NULL,
    disabled_at BIGINT
);

-- Of a session only the SHA-256 of its token is kept.
CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    person_id UUID NOT NULL REFERENCES people (id),
    made_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
);

CREATE INDEX sessions_person ON sessions (person_id, seen_at);

-- [A2] Links that work once. Without a person: the one that makes the first admin.
CREATE TABLE links (
    token_hash BYTEA PRIMARY KEY CHECK (length(token_hash) = 32),
    person_id UUID REFERENCES people (id),
    expires_at BIGINT NOT NULL
);

CREATE INDEX links_person ON links (person_id);

-- Failed sign-ins by account and by address, in slots of a quarter of an hour.
CREATE TABLE attempts (
    key TEXT NOT NULL,
    slot BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (key, slot)
);

CREATE INDEX attempts_slot ON attempts (slot);
