-- [W4] Windows in which a device was offered the update and did not start it, and the failure that follows from them.
ALTER TABLE deployments ADD COLUMN offered_windows INTEGER NOT NULL DEFAULT 0;

-- SQLite cannot change a CHECK. One that takes more is changed in the schema's text, as sqlite.org/lang_altertable.html 7 says: no row
-- changes, and the tables that refer to this one stay as they are.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''unreachable'', ''silent''', '''unreachable'', ''not_started'', ''silent''')
WHERE type = 'table' AND name = 'deployments';
PRAGMA writable_schema = RESET;

-- Other connections read the schema anew when a statement has changed it.
CREATE TABLE schema_changed (id INTEGER PRIMARY KEY) STRICT;
DROP TABLE schema_changed;
