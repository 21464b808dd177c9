-- [P0] Files that people have sent and not decided on yet: what would be imported is shown before it is. They are forgotten after a day. The twin
-- of this file in the other engine's folder differs only in the names of types.
CREATE TABLE uploads (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('rooms', 'catalogue')),
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;

CREATE INDEX uploads_made ON uploads (made_at);

-- [P0] Retired rooms stand in a list of their own.
CREATE INDEX rooms_retired ON rooms (name_key, id) WHERE state = 'retired';
