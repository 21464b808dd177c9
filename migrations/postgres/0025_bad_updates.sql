-- [S16] When the devices of a room lost an update that the room had; NULL: never. And the failure of a room that has lost it too often.
ALTER TABLE deployments ADD COLUMN fall_backs TEXT;
ALTER TABLE deployments DROP CONSTRAINT deployments_failure_check;
ALTER TABLE deployments ADD CONSTRAINT deployments_failure_check
    CHECK (failure IN ('reported', 'unreachable', 'fell_back', 'refused', 'not_started', 'silent', 'unconfirmed', 'canceled', 'no_path'));

-- [I5] Versions that changed in rooms and that Nightshift did not bring. `version_after` is NULL where the product is gone.
CREATE TABLE external_changes (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id UUID NOT NULL REFERENCES rooms (id),
    device_id UUID NOT NULL REFERENCES devices (id),
    product_id TEXT NOT NULL REFERENCES products (id),
    at BIGINT NOT NULL,
    version_before TEXT NOT NULL,
    version_after TEXT
);

CREATE INDEX external_changes_room ON external_changes (room_id, id);
CREATE INDEX external_changes_device ON external_changes (device_id, id);

-- [K7] How the attempt before failed, while the next one has not ended; and what fires no halt again, since an admin has resumed after one.
ALTER TABLE deployments ADD COLUMN last_failure TEXT;
ALTER TABLE deployments ADD COLUMN tolerated BOOLEAN NOT NULL DEFAULT false;

-- [K7] An update's own halt rule (NULL: the organisation's), and why it was paused by rule (NULL: it was not).
ALTER TABLE rollouts ADD COLUMN halt_rule TEXT;
ALTER TABLE rollouts ADD COLUMN halt TEXT;

-- [K7] Rooms in which an update was tried, and those of them that speak against it: catch-ups and all.
ALTER TABLE ring_counts ADD COLUMN attempted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ring_counts ADD COLUMN failed_attempts BIGINT NOT NULL DEFAULT 0;
UPDATE ring_counts SET
    attempted = (SELECT COUNT(*) FROM deployments d WHERE d.update_id = ring_counts.update_id AND d.ring_id = ring_counts.ring_id
        AND (d.progress IN ('in_progress', 'completed')
            OR (d.progress = 'failed' AND d.failure IN ('reported', 'silent', 'unconfirmed', 'not_started')))),
    failed_attempts = (SELECT COUNT(*) FROM deployments d WHERE d.update_id = ring_counts.update_id AND d.ring_id = ring_counts.ring_id
        AND d.progress = 'failed' AND d.failure IN ('reported', 'silent', 'unconfirmed', 'not_started'));

-- [K7] The ticket of a rollout that was paused by rule: an update has one.
ALTER TABLE tickets ADD COLUMN halted_update_id UUID REFERENCES updates (id);
CREATE UNIQUE INDEX tickets_halt ON tickets (halted_update_id) WHERE halted_update_id IS NOT NULL;

-- [S16] Rooms whose devices have lost an update already are looked at.
INSERT INTO marks (room_id, due_at)
SELECT DISTINCT d.room_id, 0
FROM deployments d
JOIN updates u ON u.id = d.update_id
JOIN devices v ON v.room_id = d.room_id AND v.revoked_at IS NULL
JOIN components c ON c.device_id = v.id AND c.product_id = u.product_id AND c.version_id IS NOT NULL
LEFT JOIN standings s ON s.update_id = u.id AND s.version_id = c.version_id
WHERE d.progress = 'completed' AND (s.standing IS NULL OR s.standing <> 'current');

-- [S11] Whether a rollout has finished its first test, so that late rooms may have its update. Of those on their way the planner finds
-- out when it looks at them next, at the latest when their next ring begins.
ALTER TABLE rollouts ADD COLUMN first_test_over BOOLEAN NOT NULL DEFAULT false;
UPDATE rollouts SET first_test_over = true WHERE state = 'finished';

-- [S17] How often its devices have not taken it, for reasons of their own.
ALTER TABLE deployments ADD COLUMN refusals BIGINT NOT NULL DEFAULT 0;
