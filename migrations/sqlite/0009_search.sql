-- One box finds rooms and updates by their words (P8). This engine keeps an index of words beside each table, and triggers keep it true.
CREATE VIRTUAL TABLE rooms_words USING fts5 (
    name, building,
    content = 'rooms', content_rowid = 'rowid', tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);
INSERT INTO rooms_words (rowid, name, building) SELECT rowid, name, building FROM rooms;
CREATE TRIGGER rooms_words_added AFTER INSERT ON rooms BEGIN
    INSERT INTO rooms_words (rowid, name, building) VALUES (new.rowid, new.name, new.building);
END;
CREATE TRIGGER rooms_words_changed AFTER UPDATE OF name, building ON rooms BEGIN
    INSERT INTO rooms_words (rooms_words, rowid, name, building) VALUES ('delete', old.rowid, old.name, old.building);
    INSERT INTO rooms_words (rowid, name, building) VALUES (new.rowid, new.name, new.building);
END;
CREATE TRIGGER rooms_words_removed AFTER DELETE ON rooms BEGIN
    INSERT INTO rooms_words (rooms_words, rowid, name, building) VALUES ('delete', old.rowid, old.name, old.building);
END;

CREATE VIRTUAL TABLE updates_words USING fts5 (
    title, version,
    content = 'updates', content_rowid = 'rowid', tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);
INSERT INTO updates_words (rowid, title, version) SELECT rowid, title, version FROM updates;
CREATE TRIGGER updates_words_added AFTER INSERT ON updates BEGIN
    INSERT INTO updates_words (rowid, title, version) VALUES (new.rowid, new.title, new.version);
END;
CREATE TRIGGER updates_words_changed AFTER UPDATE OF title, version ON updates BEGIN
    INSERT INTO updates_words (updates_words, rowid, title, version) VALUES ('delete', old.rowid, old.title, old.version);
    INSERT INTO updates_words (rowid, title, version) VALUES (new.rowid, new.title, new.version);
END;
CREATE TRIGGER updates_words_removed AFTER DELETE ON updates BEGIN
    INSERT INTO updates_words (updates_words, rowid, title, version) VALUES ('delete', old.rowid, old.title, old.version);
END;

CREATE VIRTUAL TABLE tickets_words USING fts5 (
    title,
    content = 'tickets', content_rowid = 'rowid', tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);
INSERT INTO tickets_words (rowid, title) SELECT rowid, title FROM tickets;
CREATE TRIGGER tickets_words_added AFTER INSERT ON tickets BEGIN
    INSERT INTO tickets_words (rowid, title) VALUES (new.rowid, new.title);
END;
CREATE TRIGGER tickets_words_changed AFTER UPDATE OF title ON tickets BEGIN
    INSERT INTO tickets_words (tickets_words, rowid, title) VALUES ('delete', old.rowid, old.title);
    INSERT INTO tickets_words (rowid, title) VALUES (new.rowid, new.title);
END;
CREATE TRIGGER tickets_words_removed AFTER DELETE ON tickets BEGIN
    INSERT INTO tickets_words (tickets_words, rowid, title) VALUES ('delete', old.rowid, old.title);
END;
