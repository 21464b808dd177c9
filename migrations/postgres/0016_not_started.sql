-- [W4] Windows in which a device was offered the update and did not start it, and the failure that follows from them.
ALTER TABLE deployments ADD COLUMN offered_windows BIGINT NOT NULL DEFAULT 0;
ALTER TABLE deployments DROP CONSTRAINT deployments_failure_check;
ALTER TABLE deployments ADD CONSTRAINT deployments_failure_check
    CHECK (failure IN ('reported', 'unreachable', 'not_started', 'silent', 'unconfirmed', 'canceled', 'no_path'));
