-- [P9] Open pages ask once a second when a version or a check last changed.
CREATE INDEX component_history_from ON component_history (from_at);
CREATE INDEX checks_since ON checks (since);
