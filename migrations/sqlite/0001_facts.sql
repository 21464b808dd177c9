-- Nightshift's facts. The twin of this file in the other engine's folder differs only in the names of types.
--
-- Instants are microseconds since 1970-01-01 UTC, dates are calendar dates without a zone, ids are UUIDs except action ids,
-- which DDI clients see as positive 32-bit numbers. States are words with a CHECK. SPEC ids in brackets.

-- One instance serves one organisation.
CREATE TABLE organisation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    zone TEXT NOT NULL,
    settings TEXT NOT NULL
) STRICT;

-- [R1, R2, R4] `place` is 0 for Staging, 1 to 9, 10 for Executive.
CREATE TABLE rings (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('staging', 'general', 'executive', 'custom')),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    name_key TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    place INTEGER NOT NULL UNIQUE,
    rollout_days INTEGER NOT NULL CHECK (rollout_days BETWEEN 1 AND 60),
    test_days INTEGER NOT NULL CHECK (test_days BETWEEN 0 AND 59),
    CHECK (
        (kind = 'staging' AND place = 0)
        OR (kind = 'executive' AND place = 10)
        OR (kind IN ('general', 'custom') AND place BETWEEN 1 AND 9)
    )
) STRICT;

CREATE UNIQUE INDEX rings_preconfigured ON rings (kind) WHERE kind <> 'custom';

CREATE TRIGGER rings_preconfigured_stay
BEFORE DELETE ON rings
WHEN old.kind <> 'custom'
BEGIN
    SELECT RAISE(ABORT, 'a preconfigured ring cannot be deleted');
END;

CREATE TRIGGER rings_keep_their_kind
BEFORE UPDATE OF kind ON rings
WHEN new.kind <> old.kind
BEGIN
    SELECT RAISE(ABORT, 'a ring keeps its kind');
END;

CREATE TABLE sites (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    city TEXT NOT NULL,
    country TEXT NOT NULL,
    zone TEXT NOT NULL
) STRICT;

-- `zone` is the room's own or a copy of its site's.
CREATE TABLE rooms (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    name_key TEXT NOT NULL,
    site_id BLOB NOT NULL REFERENCES sites (id),
    building TEXT NOT NULL,
    floor TEXT NOT NULL,
    capacity INTEGER NOT NULL CHECK (capacity >= 0),
    zone TEXT NOT NULL,
    zone_is_own INTEGER NOT NULL,
    ring_id BLOB NOT NULL REFERENCES rings (id),
    state TEXT NOT NULL CHECK (state IN ('onboarding', 'managed', 'retired')),
    revision INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX rooms_name ON rooms (name_key, site_id);
CREATE INDEX rooms_ring ON rooms (ring_id, name_key, id);
CREATE INDEX rooms_site ON rooms (site_id, name_key, id);
CREATE INDEX rooms_order ON rooms (name_key, id);
-- "1,234 rooms" above a list: counted without a look at the rooms themselves.
CREATE INDEX rooms_counted ON rooms (ring_id, site_id, name_key, state) WHERE state <> 'retired';

-- Rooms whose facts have changed since the planner last looked, or will have by then. Append-only: the tick deletes the rows that it has seen, so that
-- a change that comes meanwhile is never lost.
CREATE TABLE marks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    room_id BLOB NOT NULL REFERENCES rooms (id),
    -- When it counts: 0, or the instant at which a hold begins or ends.
    due_at INTEGER NOT NULL
) STRICT;

CREATE INDEX marks_due ON marks (due_at, id);

-- A failed readiness check that keeps updates of one kind away [C2, S13].
CREATE TABLE blocks (
    room_id BLOB NOT NULL REFERENCES rooms (id),
    kind TEXT NOT NULL CHECK (kind IN ('os', 'service', 'app', 'driver', 'firmware')),
    why TEXT NOT NULL,
    PRIMARY KEY (room_id, kind)
) STRICT;

CREATE TABLE holds (
    id BLOB PRIMARY KEY,
    room_id BLOB NOT NULL REFERENCES rooms (id),
    product_id TEXT,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT NOT NULL
) STRICT;

CREATE INDEX holds_room ON holds (room_id);

-- [W6] Spans of local dates in which nothing starts.
CREATE TABLE freezes (
    id BLOB PRIMARY KEY,
    scope TEXT NOT NULL CHECK (scope IN ('organisation', 'ring', 'site', 'room')),
    ring_id BLOB REFERENCES rings (id) ON DELETE CASCADE,
    site_id BLOB REFERENCES sites (id),
    room_id BLOB REFERENCES rooms (id),
    first_date TEXT NOT NULL,
    last_date TEXT NOT NULL,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    CHECK (last_date >= first_date),
    CHECK ((scope = 'ring') = (ring_id IS NOT NULL)),
    CHECK ((scope = 'site') = (site_id IS NOT NULL)),
    CHECK ((scope = 'room') = (room_id IS NOT NULL))
) STRICT;

CREATE INDEX freezes_site ON freezes (site_id) WHERE site_id IS NOT NULL;
CREATE INDEX freezes_room ON freezes (room_id) WHERE room_id IS NOT NULL;

-- [A4] The token is stored as its SHA-256 only.
CREATE TABLE devices (
    id BLOB PRIMARY KEY,
    controller_id TEXT NOT NULL UNIQUE CHECK (length(controller_id) BETWEEN 1 AND 64),
    room_id BLOB NOT NULL REFERENCES rooms (id),
    position INTEGER NOT NULL,
    role TEXT NOT NULL,
    vendor TEXT NOT NULL,
    model TEXT NOT NULL,
    serial TEXT NOT NULL,
    token_hash BLOB,
    enrolled_at INTEGER,
    revoked_at INTEGER,
    last_seen_at INTEGER,
    facts_wanted INTEGER NOT NULL,
    window_aware INTEGER NOT NULL DEFAULT 0,
    free_at INTEGER,
    busy_until INTEGER,
    attributes TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX devices_room ON devices (room_id, position);
CREATE UNIQUE INDEX devices_token ON devices (token_hash) WHERE token_hash IS NOT NULL;

CREATE TABLE products (
    id TEXT PRIMARY KEY,
    vendor TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('os', 'service', 'app', 'driver', 'firmware')),
    covered INTEGER NOT NULL,
    by_release_date INTEGER NOT NULL,
    optional_prefix TEXT,
    expected_minutes INTEGER NOT NULL CHECK (expected_minutes >= 1)
) STRICT;

-- Every version of a product that was ever released or reported.
CREATE TABLE versions (
    id BLOB PRIMARY KEY,
    product_id TEXT NOT NULL REFERENCES products (id),
    text TEXT NOT NULL,
    released TEXT,
    UNIQUE (product_id, text)
) STRICT;

CREATE TABLE components (
    device_id BLOB NOT NULL REFERENCES devices (id),
    product_id TEXT NOT NULL REFERENCES products (id),
    version_id BLOB REFERENCES versions (id),
    serial TEXT,
    reported_at INTEGER NOT NULL,
    PRIMARY KEY (device_id, product_id)
) STRICT;

CREATE INDEX components_version ON components (product_id, version_id);

-- Releases. One is published when it has a rollout.
CREATE TABLE updates (
    id BLOB PRIMARY KEY,
    product_id TEXT NOT NULL REFERENCES products (id),
    version_id BLOB NOT NULL UNIQUE REFERENCES versions (id),
    version TEXT NOT NULL,
    title TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('critical', 'routine')),
    minimum_version TEXT,
    models TEXT NOT NULL,
    applies_to_unknown INTEGER NOT NULL,
    supersedes INTEGER NOT NULL,
    expected_minutes INTEGER NOT NULL CHECK (expected_minutes >= 1),
    known_issues TEXT NOT NULL,
    recalled INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;

CREATE INDEX updates_product ON updates (product_id, position);

-- [S1, S2] How each known version of its product stands to a published update: "below the update" is a comparison in SQL,
-- although versions have only a partial order.
CREATE TABLE standings (
    update_id BLOB NOT NULL REFERENCES updates (id),
    version_id BLOB NOT NULL REFERENCES versions (id),
    standing TEXT NOT NULL CHECK (standing IN ('below', 'needs_first', 'current', 'unordered')),
    PRIMARY KEY (update_id, version_id)
) STRICT;

-- What a device downloads. `module` is the number that DDI clients see. It lies in the artifact folder under its SHA-256, or at
-- an outside address.
CREATE TABLE artifacts (
    module INTEGER PRIMARY KEY AUTOINCREMENT,
    update_id BLOB NOT NULL REFERENCES updates (id),
    filename TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    sha1 TEXT NOT NULL CHECK (length(sha1) = 40),
    md5 TEXT NOT NULL CHECK (length(md5) = 32),
    url TEXT,
    UNIQUE (update_id, filename)
) STRICT;

-- [S3, K3, T8]
CREATE TABLE rollouts (
    update_id BLOB PRIMARY KEY REFERENCES updates (id),
    published_at INTEGER NOT NULL,
    published_by TEXT NOT NULL,
    starts_on TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'deprecated', 'finished')),
    state_since INTEGER,
    state_by TEXT,
    state_reason TEXT,
    paused_days INTEGER NOT NULL,
    -- [S12] Nights of the one implicit ring; NULL: ring by ring.
    automatic_days INTEGER CHECK (automatic_days BETWEEN 1 AND 60),
    next_at INTEGER,
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    revision INTEGER NOT NULL DEFAULT 0,
    CHECK (state = 'running' OR state_since IS NOT NULL)
) STRICT;

CREATE INDEX rollouts_due ON rollouts (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX rollouts_state ON rollouts (state);

-- [S9] Newer updates that supersede one, oldest first.
CREATE TABLE supersessions (
    update_id BLOB NOT NULL REFERENCES rollouts (update_id),
    position INTEGER NOT NULL,
    newer_id BLOB NOT NULL REFERENCES updates (id),
    PRIMARY KEY (update_id, position),
    UNIQUE (update_id, newer_id)
) STRICT;

CREATE INDEX supersessions_newer ON supersessions (newer_id);

-- [R10, S5, S6] Rings as a rollout entered them.
CREATE TABLE stages (
    update_id BLOB NOT NULL REFERENCES rollouts (update_id),
    position INTEGER NOT NULL,
    ring_id BLOB NOT NULL,
    name TEXT NOT NULL,
    place INTEGER NOT NULL,
    rollout_days INTEGER NOT NULL,
    test_days INTEGER NOT NULL,
    starts_on TEXT NOT NULL,
    rollout_ends TEXT NOT NULL,
    test_ends TEXT NOT NULL,
    entered_at INTEGER NOT NULL,
    rooms INTEGER NOT NULL,
    placed INTEGER NOT NULL,
    PRIMARY KEY (update_id, position),
    UNIQUE (update_id, ring_id)
) STRICT;

-- Deployments by ring and what came of them; written with every change of a deployment.
CREATE TABLE ring_counts (
    update_id BLOB NOT NULL REFERENCES rollouts (update_id),
    ring_id BLOB NOT NULL,
    scheduled INTEGER NOT NULL DEFAULT 0,
    in_progress INTEGER NOT NULL DEFAULT 0,
    completed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    deprecated INTEGER NOT NULL DEFAULT 0,
    catch_up INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (update_id, ring_id)
) STRICT;

-- One update in one room [S5-S7, law D].
CREATE TABLE deployments (
    id BLOB PRIMARY KEY,
    update_id BLOB NOT NULL REFERENCES rollouts (update_id),
    room_id BLOB NOT NULL REFERENCES rooms (id),
    ring_id BLOB NOT NULL,
    night TEXT NOT NULL,
    planned_night TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'open', 'completed', 'failed', 'withdrawn')),
    started_at INTEGER,
    ended_at INTEGER,
    failure TEXT CHECK (failure IN ('reported', 'unreachable', 'silent', 'unconfirmed', 'canceled', 'no_path')),
    withdrawal TEXT CHECK (withdrawal IN ('deprecated', 'moved', 'not_required')),
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    missed_windows INTEGER NOT NULL,
    crowded_windows INTEGER NOT NULL,
    catch_up INTEGER NOT NULL,
    force TEXT CHECK (force IN ('now', 'when_available')),
    from_version TEXT,
    reason TEXT NOT NULL,
    next_at INTEGER,
    UNIQUE (room_id, update_id),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK ((state = 'withdrawn') = (withdrawal IS NOT NULL)),
    CHECK ((state IN ('completed', 'failed', 'withdrawn')) = (ended_at IS NOT NULL))
) STRICT;

CREATE INDEX deployments_due ON deployments (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deployments_update ON deployments (update_id, state, room_id);
CREATE INDEX deployments_completed_in_ring ON deployments (ring_id, ended_at) WHERE state = 'completed';
CREATE UNIQUE INDEX deployments_open_in_room ON deployments (room_id) WHERE state = 'open';

-- One attempt on one device [law D].
CREATE TABLE installs (
    action_id INTEGER PRIMARY KEY AUTOINCREMENT,
    deployment_id BLOB NOT NULL REFERENCES deployments (id),
    update_id BLOB NOT NULL REFERENCES updates (id),
    device_id BLOB NOT NULL REFERENCES devices (id),
    attempt INTEGER NOT NULL,
    window_opens INTEGER,
    window_closes INTEGER,
    state TEXT NOT NULL CHECK (state IN ('planned', 'started', 'installed', 'completed', 'failed', 'withdrawn', 'canceled')),
    state_at INTEGER,
    heard_at INTEGER,
    silent_at INTEGER,
    installed_chunks INTEGER NOT NULL,
    doubtful INTEGER NOT NULL,
    failure TEXT CHECK (failure IN ('reported', 'unreachable', 'silent', 'unconfirmed', 'canceled', 'no_path')),
    shown_up_at INTEGER,
    started_at INTEGER,
    -- Why the device is asked to stop; NULL: it is not.
    cancel_wanted TEXT,
    detail TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    CHECK ((window_opens IS NULL) = (window_closes IS NULL)),
    CHECK ((state = 'failed') = (failure IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX installs_open_on_device ON installs (device_id) WHERE state IN ('planned', 'started', 'installed');
CREATE INDEX installs_deployment ON installs (deployment_id, action_id);
CREATE INDEX installs_device ON installs (device_id, action_id);

-- What devices said: a deployment's own history, append-only.
CREATE TABLE reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    action_id INTEGER NOT NULL REFERENCES installs (action_id),
    at INTEGER NOT NULL,
    execution TEXT NOT NULL,
    finished TEXT NOT NULL,
    detail TEXT NOT NULL,
    counted INTEGER NOT NULL
) STRICT;

CREATE INDEX reports_action ON reports (action_id, id);

-- What people and the planner did to a deployment, append-only.
CREATE TABLE deployment_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    deployment_id BLOB NOT NULL,
    update_id BLOB NOT NULL,
    room_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;

CREATE INDEX deployment_events_room ON deployment_events (room_id, id);
CREATE INDEX deployment_events_update ON deployment_events (update_id, id);

-- [K1, I1]
CREATE TABLE tickets (
    id BLOB PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('critical', 'important', 'warning', 'recommendation')),
    category TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('needs_action', 'investigating', 'resolved')),
    high_impact INTEGER NOT NULL,
    update_id BLOB REFERENCES updates (id),
    -- Of the ticket that a failed deployment opens by itself: its room. NULL: recorded by a person.
    failure_room_id BLOB REFERENCES rooms (id),
    opened_by TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    resolved_at INTEGER,
    assignee TEXT,
    CHECK ((state = 'resolved') = (resolved_at IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX tickets_failure ON tickets (failure_room_id, update_id) WHERE failure_room_id IS NOT NULL;
CREATE INDEX tickets_state ON tickets (state, changed_at, id);
CREATE INDEX tickets_update ON tickets (update_id);

CREATE TABLE ticket_rooms (
    ticket_id BLOB NOT NULL REFERENCES tickets (id),
    room_id BLOB NOT NULL REFERENCES rooms (id),
    PRIMARY KEY (ticket_id, room_id)
) STRICT;

CREATE INDEX ticket_rooms_room ON ticket_rooms (room_id, ticket_id);

CREATE TABLE ticket_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id BLOB NOT NULL REFERENCES tickets (id),
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE INDEX ticket_events_ticket ON ticket_events (ticket_id, id);

-- [K6] Every force.
CREATE TABLE forces (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    update_id BLOB NOT NULL REFERENCES updates (id),
    mode TEXT NOT NULL CHECK (mode IN ('now', 'when_available')),
    rooms TEXT NOT NULL,
    left_out TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;

CREATE INDEX forces_update ON forces (update_id, id);

-- [A3] Who did what, when, to what. Entries are never changed.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    summary TEXT NOT NULL,
    before TEXT,
    after TEXT
) STRICT;

CREATE INDEX audit_object ON audit (object_kind, object_id, id);

-- Small facts of the program itself: the demo's clock, the next ticket number.
CREATE TABLE program (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
