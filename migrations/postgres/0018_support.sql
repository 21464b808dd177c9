-- [L1] Products whose versions are supported for a time only. Room apps are, unless somebody says otherwise.
ALTER TABLE products ADD COLUMN has_support_policy BOOLEAN NOT NULL DEFAULT false;
UPDATE products SET has_support_policy = true WHERE kind = 'app';

-- [L1, S10] The day of a recall; NULL where nobody has written it down.
ALTER TABLE updates ADD COLUMN recalled_on DATE;

-- [L1, S7] The last day on which a version is supported, as far as it is known; NULL: no end is known.
ALTER TABLE versions ADD COLUMN supported_until DATE;

-- What it copies must not change while it is copied.
LOCK TABLE components IN SHARE ROW EXCLUSIVE MODE;

-- [L5] Which version of a product a device had, from when until when; `until_at` is NULL for what it has now.
CREATE TABLE component_history (
    device_id UUID NOT NULL REFERENCES devices (id),
    product_id TEXT NOT NULL REFERENCES products (id),
    version_id UUID REFERENCES versions (id),
    from_at BIGINT NOT NULL,
    until_at BIGINT
);

INSERT INTO component_history (device_id, product_id, version_id, from_at)
SELECT device_id, product_id, version_id, reported_at FROM components;

CREATE UNIQUE INDEX component_history_now ON component_history (device_id, product_id) WHERE until_at IS NULL;
CREATE INDEX component_history_device ON component_history (device_id, product_id, from_at);
CREATE INDEX component_history_product ON component_history (product_id, version_id, from_at);

CREATE FUNCTION note_added_component() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO component_history (device_id, product_id, version_id, from_at)
    VALUES (NEW.device_id, NEW.product_id, NEW.version_id, NEW.reported_at);
    RETURN NULL;
END $$;

CREATE FUNCTION note_changed_component() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE component_history SET until_at = NEW.reported_at
    WHERE device_id = NEW.device_id AND product_id = NEW.product_id AND until_at IS NULL;
    INSERT INTO component_history (device_id, product_id, version_id, from_at)
    VALUES (NEW.device_id, NEW.product_id, NEW.version_id, NEW.reported_at);
    RETURN NULL;
END $$;

CREATE FUNCTION note_deleted_component() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE component_history SET until_at = OLD.reported_at
    WHERE device_id = OLD.device_id AND product_id = OLD.product_id AND until_at IS NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER components_noted_when_added AFTER INSERT ON components
FOR EACH ROW EXECUTE FUNCTION note_added_component();

CREATE TRIGGER components_noted_when_changed AFTER UPDATE OF version_id ON components
FOR EACH ROW WHEN (OLD.version_id IS DISTINCT FROM NEW.version_id) EXECUTE FUNCTION note_changed_component();

CREATE TRIGGER components_noted_when_deleted AFTER DELETE ON components
FOR EACH ROW EXECUTE FUNCTION note_deleted_component();
