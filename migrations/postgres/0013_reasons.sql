-- [T5] Reasons are data: the sentence stays for display, the facts beside it are what the planner reads. Rows from before have the
-- sentence alone; nothing is rewritten, so that a large database is as quick as a small one.
-- Taken at once, in this order: see 0011.
LOCK TABLE rollouts, deployments IN ACCESS EXCLUSIVE MODE;

ALTER TABLE deployments ADD COLUMN reason_facts TEXT;
ALTER TABLE rollouts ADD COLUMN state_reason_facts TEXT;
