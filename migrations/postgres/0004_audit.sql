-- [A3] An audit that nobody can rewrite. The twin of this file in the other engine's folder has its own language for triggers.

-- From where.
ALTER TABLE audit ADD COLUMN address TEXT NOT NULL DEFAULT '';
-- Place in the chain, from 1, and the hash over the entry and the hash before it; NULL: not sealed yet.
ALTER TABLE audit ADD COLUMN sequence BIGINT;
ALTER TABLE audit ADD COLUMN hash TEXT;

CREATE UNIQUE INDEX audit_sequence ON audit (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_unsealed ON audit (id) WHERE hash IS NULL;
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_actor ON audit (actor, at, id);
CREATE INDEX audit_kind ON audit (object_kind, at, id);

CREATE FUNCTION refuse_audit_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an audit entry cannot be deleted' USING ERRCODE = 'check_violation';
END;
$$;

CREATE TRIGGER audit_stays BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_audit_delete();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_delete();

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an audit entry cannot be changed' USING ERRCODE = 'check_violation';
END;
$$;

-- Nothing is added with a place in the chain of its own.
CREATE TRIGGER audit_is_only_added BEFORE INSERT ON audit FOR EACH ROW
WHEN (new.hash IS NOT NULL OR new.sequence IS NOT NULL) EXECUTE FUNCTION refuse_audit_change();

CREATE TRIGGER audit_is_only_sealed BEFORE UPDATE ON audit FOR EACH ROW
WHEN (old.hash IS NOT NULL OR new.hash IS NULL OR new.sequence IS NULL
    OR new.id <> old.id OR new.at <> old.at OR new.actor <> old.actor OR new.action <> old.action
    OR new.object_kind <> old.object_kind OR new.object_id <> old.object_id OR new.summary <> old.summary
    OR new.before IS DISTINCT FROM old.before OR new.after IS DISTINCT FROM old.after OR new.address <> old.address)
EXECUTE FUNCTION refuse_audit_change();
