-- [T5, W5] A device that has started may say that it does not go on, without closing its action. Its words are in `detail`.
ALTER TABLE installs ADD COLUMN objects BOOLEAN NOT NULL DEFAULT false;

-- [DDI 1] For which night the devices of a zone were asked for their facts last.
CREATE TABLE facts_asked (
    zone TEXT PRIMARY KEY,
    night DATE NOT NULL
);

CREATE INDEX rooms_zone ON rooms (zone, id) WHERE state <> 'retired';

-- [C7, P12] When a device told each of its attributes: microseconds by name. What was told before has no time.
ALTER TABLE devices ADD COLUMN told_at JSONB NOT NULL DEFAULT '{}';

-- [DDI 3] Whether the device has named the component, or only a file has: what was never reported confirms nothing.
ALTER TABLE components ADD COLUMN is_reported BOOLEAN NOT NULL DEFAULT true;
UPDATE components SET is_reported = false WHERE NOT EXISTS (
    SELECT 1 FROM devices d, jsonb_each_text(d.attributes) a
    WHERE d.id = components.device_id AND (
        (a.key LIKE 'component.%.product' AND a.value = components.product_id)
        OR (a.key = 'sw_version' AND (SELECT COUNT(*) FROM components o WHERE o.device_id = d.id) = 1)
    )
);
