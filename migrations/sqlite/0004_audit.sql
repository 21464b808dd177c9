-- [A3] An audit that nobody can rewrite. The twin of this file in the other engine's folder has its own language for triggers.

-- From where.
ALTER TABLE audit ADD COLUMN address TEXT NOT NULL DEFAULT '';
-- Place in the chain, from 1, and the hash over the entry and the hash before it; NULL: not sealed yet.
ALTER TABLE audit ADD COLUMN sequence INTEGER;
ALTER TABLE audit ADD COLUMN hash TEXT;

CREATE UNIQUE INDEX audit_sequence ON audit (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_unsealed ON audit (id) WHERE hash IS NULL;
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_actor ON audit (actor, at, id);
CREATE INDEX audit_kind ON audit (object_kind, at, id);

-- Nothing is added with a place in the chain of its own, and nothing in the place of another entry.
CREATE TRIGGER audit_is_only_added
BEFORE INSERT ON audit
WHEN new.hash IS NOT NULL OR new.sequence IS NOT NULL OR EXISTS (SELECT 1 FROM audit WHERE id = new.id)
BEGIN
    SELECT RAISE(ABORT, 'an audit entry is only added, and sealed later');
END;

CREATE TRIGGER audit_stays
BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'an audit entry cannot be deleted');
END;

CREATE TRIGGER audit_is_only_sealed
BEFORE UPDATE ON audit
WHEN old.hash IS NOT NULL OR new.hash IS NULL OR new.sequence IS NULL
    OR new.id <> old.id OR new.at <> old.at OR new.actor <> old.actor OR new.action <> old.action
    OR new.object_kind <> old.object_kind OR new.object_id <> old.object_id OR new.summary <> old.summary
    OR new.before IS NOT old.before OR new.after IS NOT old.after OR new.address <> old.address
BEGIN
    SELECT RAISE(ABORT, 'an audit entry cannot be changed');
END;
