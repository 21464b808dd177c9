-- [A3] Where the audit's chain ends is noted beside it, so that entries cut off at its end are missed.
INSERT INTO program (key, value)
SELECT 'audit.head', sequence || ' ' || hash FROM audit WHERE sequence IS NOT NULL AND hash IS NOT NULL ORDER BY sequence DESC LIMIT 1;

-- And what happened to one object is found in the order in which the page shows it.
DROP INDEX audit_object;
CREATE INDEX audit_object ON audit (object_kind, object_id, at, id);
