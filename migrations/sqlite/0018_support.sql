-- [L1] Products whose versions are supported for a time only. Room apps are, unless somebody says otherwise.
ALTER TABLE products ADD COLUMN has_support_policy INTEGER NOT NULL DEFAULT 0 CHECK (has_support_policy IN (0, 1));
UPDATE products SET has_support_policy = 1 WHERE kind = 'app';

-- [L1, S10] The day of a recall; NULL where nobody has written it down.
ALTER TABLE updates ADD COLUMN recalled_on TEXT;

-- [L1, S7] The last day on which a version is supported, as far as it is known; NULL: no end is known.
ALTER TABLE versions ADD COLUMN supported_until TEXT;

-- [L5] Which version of a product a device had, from when until when; `until_at` is NULL for what it has now.
CREATE TABLE component_history (
    device_id BLOB NOT NULL REFERENCES devices (id),
    product_id TEXT NOT NULL REFERENCES products (id),
    version_id BLOB REFERENCES versions (id),
    from_at INTEGER NOT NULL,
    until_at INTEGER
) STRICT;

INSERT INTO component_history (device_id, product_id, version_id, from_at)
SELECT device_id, product_id, version_id, reported_at FROM components;

CREATE UNIQUE INDEX component_history_now ON component_history (device_id, product_id) WHERE until_at IS NULL;
CREATE INDEX component_history_device ON component_history (device_id, product_id, from_at);
CREATE INDEX component_history_product ON component_history (product_id, version_id, from_at);

CREATE TRIGGER components_noted_when_added
AFTER INSERT ON components
BEGIN
    INSERT INTO component_history (device_id, product_id, version_id, from_at)
    VALUES (new.device_id, new.product_id, new.version_id, new.reported_at);
END;

CREATE TRIGGER components_noted_when_changed
AFTER UPDATE OF version_id ON components
WHEN old.version_id IS NOT new.version_id
BEGIN
    UPDATE component_history SET until_at = new.reported_at
    WHERE device_id = new.device_id AND product_id = new.product_id AND until_at IS NULL;
    INSERT INTO component_history (device_id, product_id, version_id, from_at)
    VALUES (new.device_id, new.product_id, new.version_id, new.reported_at);
END;

CREATE TRIGGER components_noted_when_deleted
AFTER DELETE ON components
BEGIN
    UPDATE component_history SET until_at = old.reported_at
    WHERE device_id = old.device_id AND product_id = old.product_id AND until_at IS NULL;
END;
