-- One box finds rooms and updates by their words (P8). This engine has an index over the words of each row.
CREATE INDEX rooms_words ON rooms USING GIN (to_tsvector('simple', name || ' ' || building));
CREATE INDEX updates_words ON updates USING GIN (to_tsvector('simple', title || ' ' || version));
CREATE INDEX tickets_words ON tickets USING GIN (to_tsvector('simple', title));
