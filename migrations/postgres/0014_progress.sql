-- [T1, P8] What a deployment's row says of its room's status by itself: its state, whether a device has started, and why it was withdrawn.
-- Lists count by it and filter by it. What the rollout makes of it, the program says; that it is a catch-up stands in a column of its own.

-- Taken at once: see 0011.
LOCK TABLE deployments IN ACCESS EXCLUSIVE MODE;

CREATE FUNCTION deployment_progress(state TEXT, started_at BIGINT, withdrawal TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN state = 'waiting' OR (state = 'open' AND started_at IS NULL) THEN 'not_started'
        WHEN state = 'open' THEN 'in_progress'
        WHEN state = 'withdrawn' AND withdrawal = 'deprecated' THEN 'deprecated'
        WHEN state = 'withdrawn' THEN 'not_required'
        ELSE state
    END
$$;

DROP INDEX deployments_update;
ALTER TABLE deployments ADD COLUMN progress TEXT;
UPDATE deployments SET progress = deployment_progress(state, started_at, withdrawal);
ALTER TABLE deployments
    ALTER COLUMN progress SET NOT NULL,
    ADD CONSTRAINT deployments_progress CHECK (progress = deployment_progress(state, started_at, withdrawal));
CREATE INDEX deployments_update ON deployments (update_id, progress, room_key, room_id);

-- A process of the program before this one, which is still alive, knows nothing of it.
CREATE FUNCTION note_progress() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.progress := deployment_progress(NEW.state, NEW.started_at, NEW.withdrawal);
    RETURN NEW;
END $$;

CREATE TRIGGER deployments_added_without_progress BEFORE INSERT ON deployments
FOR EACH ROW WHEN (NEW.progress IS NULL) EXECUTE FUNCTION note_progress();

CREATE TRIGGER deployments_changed_without_progress BEFORE UPDATE OF state, started_at, withdrawal ON deployments
FOR EACH ROW WHEN (NEW.progress = OLD.progress AND NEW.progress <> deployment_progress(NEW.state, NEW.started_at, NEW.withdrawal))
EXECUTE FUNCTION note_progress();

-- Rows that contradict themselves are refused from here on, and would stop the planner. The programs before wrote none; a hand may have.
UPDATE deployments SET planned_night = NULL WHERE planned_night IS NOT NULL AND (force IS NOT NULL OR catch_up);
UPDATE installs SET window_opens = NULL, window_closes = NULL WHERE window_closes <= window_opens;
