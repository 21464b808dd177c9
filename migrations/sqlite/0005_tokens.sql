-- [A1] Tokens with which programs ask: named, with a role, and with an end. The twin of this file in the other engine's folder differs
-- only in the names of types.
CREATE TABLE tokens (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
    -- Of the token only the SHA-256 is kept.
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    role TEXT NOT NULL CHECK (role IN ('admin', 'helpdesk', 'auditor')),
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- When it was last used, to the minute.
    used_at INTEGER
) STRICT;
