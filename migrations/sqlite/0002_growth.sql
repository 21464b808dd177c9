-- What large fleets need. The twin of this file in the other engine's folder differs only in the names of types.

-- Open installs of a release: a recall asks for them (S10).
CREATE INDEX installs_open_of_update ON installs (update_id) WHERE state IN ('planned', 'started', 'installed');

-- [S6] The order of nights in a ring that is too large to be entered in one transaction; gone when all its rooms have theirs.
CREATE TABLE placements (
    update_id BLOB NOT NULL REFERENCES rollouts (update_id),
    position INTEGER NOT NULL,
    room_id BLOB NOT NULL REFERENCES rooms (id),
    PRIMARY KEY (update_id, position)
) STRICT, WITHOUT ROWID;

-- [K5] When a device last said that people are in its room; NULL: it has said since that nobody is.
ALTER TABLE devices ADD COLUMN busy_at INTEGER;

-- `installedBase` of a poll (DDI 1): the last action that the device has closed with success.
ALTER TABLE devices ADD COLUMN installed_action_id INTEGER;
