-- [T1, P8] What a deployment's row says of its room's status by itself: its state, whether a device has started, and why it was withdrawn.
-- Lists count by it and filter by it. What the rollout makes of it, the program says; that it is a catch-up stands in a column of its own.
DROP INDEX deployments_update;
ALTER TABLE deployments ADD COLUMN progress TEXT NOT NULL DEFAULT '' CHECK (progress = '' OR progress = CASE
    WHEN state = 'waiting' OR (state = 'open' AND started_at IS NULL) THEN 'not_started'
    WHEN state = 'open' THEN 'in_progress'
    WHEN state = 'withdrawn' AND withdrawal = 'deprecated' THEN 'deprecated'
    WHEN state = 'withdrawn' THEN 'not_required'
    ELSE state
END);
UPDATE deployments SET progress = CASE
    WHEN state = 'waiting' OR (state = 'open' AND started_at IS NULL) THEN 'not_started'
    WHEN state = 'open' THEN 'in_progress'
    WHEN state = 'withdrawn' AND withdrawal = 'deprecated' THEN 'deprecated'
    WHEN state = 'withdrawn' THEN 'not_required'
    ELSE state
END;
CREATE INDEX deployments_update ON deployments (update_id, progress, room_key, room_id);

-- The default is for the rows that were there: see 0011. What has no key either is refused for that.
CREATE TRIGGER deployments_with_progress
BEFORE INSERT ON deployments
WHEN new.progress = '' AND new.room_key <> ''
BEGIN
    SELECT RAISE(ABORT, 'a deployment has its progress');
END;

-- Rows that contradict themselves are refused from here on, and would stop the planner. The programs before wrote none; a hand may have.
UPDATE deployments SET planned_night = NULL WHERE planned_night IS NOT NULL AND (force IS NOT NULL OR catch_up);
UPDATE installs SET window_opens = NULL, window_closes = NULL WHERE window_closes <= window_opens;
