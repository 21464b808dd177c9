-- Nightshift's facts. The twin of this file in the other engine's folder differs only in the names of types.
--
-- Instants are microseconds since 1970-01-01 UTC, dates are calendar dates without a zone, ids are UUIDs except action ids,
-- which DDI clients see as positive 32-bit numbers. States are words with a CHECK. SPEC ids in brackets.

-- One instance serves one organisation.
CREATE TABLE organisation (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    zone TEXT NOT NULL,
    settings JSONB NOT NULL
);

-- [R1, R2, R4] `place` is 0 for Staging, 1 to 9, 10 for Executive.
CREATE TABLE rings (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('staging', 'general', 'executive', 'custom')),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    name_key TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    place BIGINT NOT NULL UNIQUE,
    rollout_days BIGINT NOT NULL CHECK (rollout_days BETWEEN 1 AND 60),
    test_days BIGINT NOT NULL CHECK (test_days BETWEEN 0 AND 59),
    CHECK (
        (kind = 'staging' AND place = 0)
        OR (kind = 'executive' AND place = 10)
        OR (kind IN ('general', 'custom') AND place BETWEEN 1 AND 9)
    )
);

CREATE UNIQUE INDEX rings_preconfigured ON rings (kind) WHERE kind <> 'custom';

CREATE FUNCTION rings_preconfigured_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a preconfigured ring cannot be deleted' USING ERRCODE = 'check_violation';
END;
$$;

CREATE TRIGGER rings_preconfigured_stay
BEFORE DELETE ON rings
FOR EACH ROW
WHEN (old.kind <> 'custom')
EXECUTE FUNCTION rings_preconfigured_stay();

CREATE FUNCTION rings_keep_their_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a ring keeps its kind' USING ERRCODE = 'check_violation';
END;
$$;

CREATE TRIGGER rings_keep_their_kind
BEFORE UPDATE OF kind ON rings
FOR EACH ROW
WHEN (new.kind <> old.kind)
EXECUTE FUNCTION rings_keep_their_kind();

CREATE TABLE sites (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    city TEXT NOT NULL,
    country TEXT NOT NULL,
    zone TEXT NOT NULL
);

-- `zone` is the room's own or a copy of its site's.
CREATE TABLE rooms (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    name_key TEXT NOT NULL,
    site_id UUID NOT NULL REFERENCES sites (id),
    building TEXT NOT NULL,
    floor TEXT NOT NULL,
    capacity BIGINT NOT NULL CHECK (capacity >= 0),
    zone TEXT NOT NULL,
    zone_is_own BOOLEAN NOT NULL,
    ring_id UUID NOT NULL REFERENCES rings (id),
    state TEXT NOT NULL CHECK (state IN ('onboarding', 'managed', 'retired')),
    revision BIGINT NOT NULL DEFAULT 0
);

CREATE UNIQUE INDEX rooms_name ON rooms (name_key, site_id);
CREATE INDEX rooms_ring ON rooms (ring_id, name_key, id);
CREATE INDEX rooms_site ON rooms (site_id, name_key, id);
CREATE INDEX rooms_order ON rooms (name_key, id);
-- "1,234 rooms" above a list: counted without a look at the rooms themselves.
CREATE INDEX rooms_counted ON rooms (ring_id, site_id, name_key, state) WHERE state <> 'retired';

-- Rooms whose facts have changed since the planner last looked, or will have by then. Append-only: the tick deletes the rows that it has seen, so that
-- a change that comes meanwhile is never lost.
CREATE TABLE marks (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id UUID NOT NULL REFERENCES rooms (id),
    -- When it counts: 0, or the instant at which a hold begins or ends.
    due_at BIGINT NOT NULL
);

CREATE INDEX marks_due ON marks (due_at, id);

-- A failed readiness check that keeps updates of one kind away [C2, S13].
CREATE TABLE blocks (
    room_id UUID NOT NULL REFERENCES rooms (id),
    kind TEXT NOT NULL CHECK (kind IN ('os', 'service', 'app', 'driver', 'firmware')),
    why TEXT NOT NULL,
    PRIMARY KEY (room_id, kind)
);

CREATE TABLE holds (
    id UUID PRIMARY KEY,
    room_id UUID NOT NULL REFERENCES rooms (id),
    product_id TEXT,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL,
    since DATE NOT NULL,
    until DATE NOT NULL
);

CREATE INDEX holds_room ON holds (room_id);

-- [W6] Spans of local dates in which nothing starts.
CREATE TABLE freezes (
    id UUID PRIMARY KEY,
    scope TEXT NOT NULL CHECK (scope IN ('organisation', 'ring', 'site', 'room')),
    ring_id UUID REFERENCES rings (id) ON DELETE CASCADE,
    site_id UUID REFERENCES sites (id),
    room_id UUID REFERENCES rooms (id),
    first_date DATE NOT NULL,
    last_date DATE NOT NULL,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    CHECK (last_date >= first_date),
    CHECK ((scope = 'ring') = (ring_id IS NOT NULL)),
    CHECK ((scope = 'site') = (site_id IS NOT NULL)),
    CHECK ((scope = 'room') = (room_id IS NOT NULL))
);

CREATE INDEX freezes_site ON freezes (site_id) WHERE site_id IS NOT NULL;
CREATE INDEX freezes_room ON freezes (room_id) WHERE room_id IS NOT NULL;

-- [A4] The token is stored as its SHA-256 only.
CREATE TABLE devices (
    id UUID PRIMARY KEY,
    controller_id TEXT NOT NULL UNIQUE CHECK (length(controller_id) BETWEEN 1 AND 64),
    room_id UUID NOT NULL REFERENCES rooms (id),
    position BIGINT NOT NULL,
    role TEXT NOT NULL,
    vendor TEXT NOT NULL,
    model TEXT NOT NULL,
    serial TEXT NOT NULL,
    token_hash BYTEA,
    enrolled_at BIGINT,
    revoked_at BIGINT,
    last_seen_at BIGINT,
    facts_wanted BOOLEAN NOT NULL,
    window_aware BOOLEAN NOT NULL DEFAULT FALSE,
    free_at BIGINT,
    busy_until BIGINT,
    attributes JSONB NOT NULL,
    revision BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX devices_room ON devices (room_id, position);
CREATE UNIQUE INDEX devices_token ON devices (token_hash) WHERE token_hash IS NOT NULL;

CREATE TABLE products (
    id TEXT PRIMARY KEY,
    vendor TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('os', 'service', 'app', 'driver', 'firmware')),
    covered BOOLEAN NOT NULL,
    by_release_date BOOLEAN NOT NULL,
    optional_prefix TEXT,
    expected_minutes BIGINT NOT NULL CHECK (expected_minutes >= 1)
);

-- Every version of a product that was ever released or reported.
CREATE TABLE versions (
    id UUID PRIMARY KEY,
    product_id TEXT NOT NULL REFERENCES products (id),
    text TEXT NOT NULL,
    released DATE,
    UNIQUE (product_id, text)
);

CREATE TABLE components (
    device_id UUID NOT NULL REFERENCES devices (id),
    product_id TEXT NOT NULL REFERENCES products (id),
    version_id UUID REFERENCES versions (id),
    serial TEXT,
    reported_at BIGINT NOT NULL,
    PRIMARY KEY (device_id, product_id)
);

CREATE INDEX components_version ON components (product_id, version_id);

-- Releases. One is published when it has a rollout.
CREATE TABLE updates (
    id UUID PRIMARY KEY,
    product_id TEXT NOT NULL REFERENCES products (id),
    version_id UUID NOT NULL UNIQUE REFERENCES versions (id),
    version TEXT NOT NULL,
    title TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('critical', 'routine')),
    minimum_version TEXT,
    models JSONB NOT NULL,
    applies_to_unknown BOOLEAN NOT NULL,
    supersedes BOOLEAN NOT NULL,
    expected_minutes BIGINT NOT NULL CHECK (expected_minutes >= 1),
    known_issues JSONB NOT NULL,
    recalled BOOLEAN NOT NULL,
    position BIGINT NOT NULL
);

CREATE INDEX updates_product ON updates (product_id, position);

-- [S1, S2] How each known version of its product stands to a published update: "below the update" is a comparison in SQL,
-- although versions have only a partial order.
CREATE TABLE standings (
    update_id UUID NOT NULL REFERENCES updates (id),
    version_id UUID NOT NULL REFERENCES versions (id),
    standing TEXT NOT NULL CHECK (standing IN ('below', 'needs_first', 'current', 'unordered')),
    PRIMARY KEY (update_id, version_id)
);

-- What a device downloads. `module` is the number that DDI clients see. It lies in the artifact folder under its SHA-256, or at
-- an outside address.
CREATE TABLE artifacts (
    module INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    update_id UUID NOT NULL REFERENCES updates (id),
    filename TEXT NOT NULL,
    size BIGINT NOT NULL CHECK (size >= 0),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    sha1 TEXT NOT NULL CHECK (length(sha1) = 40),
    md5 TEXT NOT NULL CHECK (length(md5) = 32),
    url TEXT,
    UNIQUE (update_id, filename)
);

-- [S3, K3, T8]
CREATE TABLE rollouts (
    update_id UUID PRIMARY KEY REFERENCES updates (id),
    published_at BIGINT NOT NULL,
    published_by TEXT NOT NULL,
    starts_on DATE NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'deprecated', 'finished')),
    state_since BIGINT,
    state_by TEXT,
    state_reason TEXT,
    paused_days BIGINT NOT NULL,
    -- [S12] Nights of the one implicit ring; NULL: ring by ring.
    automatic_days BIGINT CHECK (automatic_days BETWEEN 1 AND 60),
    next_at BIGINT,
    acknowledged_at BIGINT,
    acknowledged_by TEXT,
    revision BIGINT NOT NULL DEFAULT 0,
    CHECK (state = 'running' OR state_since IS NOT NULL)
);

CREATE INDEX rollouts_due ON rollouts (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX rollouts_state ON rollouts (state);

-- [S9] Newer updates that supersede one, oldest first.
CREATE TABLE supersessions (
    update_id UUID NOT NULL REFERENCES rollouts (update_id),
    position BIGINT NOT NULL,
    newer_id UUID NOT NULL REFERENCES updates (id),
    PRIMARY KEY (update_id, position),
    UNIQUE (update_id, newer_id)
);

CREATE INDEX supersessions_newer ON supersessions (newer_id);

-- [R10, S5, S6] Rings as a rollout entered them.
CREATE TABLE stages (
    update_id UUID NOT NULL REFERENCES rollouts (update_id),
    position BIGINT NOT NULL,
    ring_id UUID NOT NULL,
    name TEXT NOT NULL,
    place BIGINT NOT NULL,
    rollout_days BIGINT NOT NULL,
    test_days BIGINT NOT NULL,
    starts_on DATE NOT NULL,
    rollout_ends DATE NOT NULL,
    test_ends DATE NOT NULL,
    entered_at BIGINT NOT NULL,
    rooms BIGINT NOT NULL,
    placed BIGINT NOT NULL,
    PRIMARY KEY (update_id, position),
    UNIQUE (update_id, ring_id)
);

-- Deployments by ring and what came of them; written with every change of a deployment.
CREATE TABLE ring_counts (
    update_id UUID NOT NULL REFERENCES rollouts (update_id),
    ring_id UUID NOT NULL,
    scheduled BIGINT NOT NULL DEFAULT 0,
    in_progress BIGINT NOT NULL DEFAULT 0,
    completed BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    deprecated BIGINT NOT NULL DEFAULT 0,
    catch_up BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (update_id, ring_id)
);

-- One update in one room [S5-S7, law D].
CREATE TABLE deployments (
    id UUID PRIMARY KEY,
    update_id UUID NOT NULL REFERENCES rollouts (update_id),
    room_id UUID NOT NULL REFERENCES rooms (id),
    ring_id UUID NOT NULL,
    night DATE NOT NULL,
    planned_night DATE,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'open', 'completed', 'failed', 'withdrawn')),
    started_at BIGINT,
    ended_at BIGINT,
    failure TEXT CHECK (failure IN ('reported', 'unreachable', 'silent', 'unconfirmed', 'canceled', 'no_path')),
    withdrawal TEXT CHECK (withdrawal IN ('deprecated', 'moved', 'not_required')),
    attempt BIGINT NOT NULL CHECK (attempt >= 1),
    missed_windows BIGINT NOT NULL,
    crowded_windows BIGINT NOT NULL,
    catch_up BOOLEAN NOT NULL,
    force TEXT CHECK (force IN ('now', 'when_available')),
    from_version TEXT,
    reason TEXT NOT NULL,
    next_at BIGINT,
    UNIQUE (room_id, update_id),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK ((state = 'withdrawn') = (withdrawal IS NOT NULL)),
    CHECK ((state IN ('completed', 'failed', 'withdrawn')) = (ended_at IS NOT NULL))
);

CREATE INDEX deployments_due ON deployments (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deployments_update ON deployments (update_id, state, room_id);
CREATE INDEX deployments_completed_in_ring ON deployments (ring_id, ended_at) WHERE state = 'completed';
CREATE UNIQUE INDEX deployments_open_in_room ON deployments (room_id) WHERE state = 'open';

-- One attempt on one device [law D].
CREATE TABLE installs (
    action_id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deployment_id UUID NOT NULL REFERENCES deployments (id),
    update_id UUID NOT NULL REFERENCES updates (id),
    device_id UUID NOT NULL REFERENCES devices (id),
    attempt BIGINT NOT NULL,
    window_opens BIGINT,
    window_closes BIGINT,
    state TEXT NOT NULL CHECK (state IN ('planned', 'started', 'installed', 'completed', 'failed', 'withdrawn', 'canceled')),
    state_at BIGINT,
    heard_at BIGINT,
    silent_at BIGINT,
    installed_chunks BOOLEAN NOT NULL,
    doubtful BOOLEAN NOT NULL,
    failure TEXT CHECK (failure IN ('reported', 'unreachable', 'silent', 'unconfirmed', 'canceled', 'no_path')),
    shown_up_at BIGINT,
    started_at BIGINT,
    -- Why the device is asked to stop; NULL: it is not.
    cancel_wanted TEXT,
    detail TEXT NOT NULL,
    revision BIGINT NOT NULL DEFAULT 0,
    CHECK ((window_opens IS NULL) = (window_closes IS NULL)),
    CHECK ((state = 'failed') = (failure IS NOT NULL))
);

CREATE UNIQUE INDEX installs_open_on_device ON installs (device_id) WHERE state IN ('planned', 'started', 'installed');
CREATE INDEX installs_deployment ON installs (deployment_id, action_id);
CREATE INDEX installs_device ON installs (device_id, action_id);

-- What devices said: a deployment's own history, append-only.
CREATE TABLE reports (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action_id INTEGER NOT NULL REFERENCES installs (action_id),
    at BIGINT NOT NULL,
    execution TEXT NOT NULL,
    finished TEXT NOT NULL,
    detail TEXT NOT NULL,
    counted BOOLEAN NOT NULL
);

CREATE INDEX reports_action ON reports (action_id, id);

-- What people and the planner did to a deployment, append-only.
CREATE TABLE deployment_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deployment_id UUID NOT NULL,
    update_id UUID NOT NULL,
    room_id UUID NOT NULL,
    at BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL
);

CREATE INDEX deployment_events_room ON deployment_events (room_id, id);
CREATE INDEX deployment_events_update ON deployment_events (update_id, id);

-- [K1, I1]
CREATE TABLE tickets (
    id UUID PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('critical', 'important', 'warning', 'recommendation')),
    category TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('needs_action', 'investigating', 'resolved')),
    high_impact BOOLEAN NOT NULL,
    update_id UUID REFERENCES updates (id),
    -- Of the ticket that a failed deployment opens by itself: its room. NULL: recorded by a person.
    failure_room_id UUID REFERENCES rooms (id),
    opened_by TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    resolved_at BIGINT,
    assignee TEXT,
    CHECK ((state = 'resolved') = (resolved_at IS NOT NULL))
);

CREATE UNIQUE INDEX tickets_failure ON tickets (failure_room_id, update_id) WHERE failure_room_id IS NOT NULL;
CREATE INDEX tickets_state ON tickets (state, changed_at, id);
CREATE INDEX tickets_update ON tickets (update_id);

CREATE TABLE ticket_rooms (
    ticket_id UUID NOT NULL REFERENCES tickets (id),
    room_id UUID NOT NULL REFERENCES rooms (id),
    PRIMARY KEY (ticket_id, room_id)
);

CREATE INDEX ticket_rooms_room ON ticket_rooms (room_id, ticket_id);

CREATE TABLE ticket_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id UUID NOT NULL REFERENCES tickets (id),
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    text TEXT NOT NULL
);

CREATE INDEX ticket_events_ticket ON ticket_events (ticket_id, id);

-- [K6] Every force.
CREATE TABLE forces (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    update_id UUID NOT NULL REFERENCES updates (id),
    mode TEXT NOT NULL CHECK (mode IN ('now', 'when_available')),
    rooms JSONB NOT NULL,
    left_out JSONB NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    reason TEXT NOT NULL
);

CREATE INDEX forces_update ON forces (update_id, id);

-- [A3] Who did what, when, to what. Entries are never changed.
CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    summary TEXT NOT NULL,
    before JSONB,
    after JSONB
);

CREATE INDEX audit_object ON audit (object_kind, object_id, id);

-- Small facts of the program itself: the demo's clock, the next ticket number.
CREATE TABLE program (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
