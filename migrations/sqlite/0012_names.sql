-- [R4, G5] Names are compared in one Unicode form. A name that was written before has a key of its own in that form here, wherever it
-- is not the key that it has; the program fills it in when it starts. No name is changed and none is merged: where two fall together,
-- `nightshift check` lists them, and new names are compared with both.

ALTER TABLE sites ADD COLUMN clean_key TEXT;
ALTER TABLE rooms ADD COLUMN clean_key TEXT;
ALTER TABLE people ADD COLUMN clean_key TEXT;

CREATE INDEX sites_clean ON sites (clean_key) WHERE clean_key IS NOT NULL;
CREATE INDEX rooms_clean ON rooms (clean_key, site_id) WHERE clean_key IS NOT NULL;
CREATE INDEX people_clean ON people (clean_key) WHERE clean_key IS NOT NULL;
