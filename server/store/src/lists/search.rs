//! What one box finds (P8): rooms, published updates and tickets, by the beginnings of their words. Each engine has an index of words of its
//! own kind, so there are two queries of each sort here, and nowhere else. Both split names where there is neither letter nor digit, and so is what
//! somebody has typed; both take a letter with marks for the letter.

use domain::ids::{RoomId, UpdateId};
use uuid::Uuid;

use crate::error::Result;
use crate::tx::{Inner, Tx};

/// More words narrow nothing.
const MOST_WORDS: usize = 8;
/// Characters of a word.
const LONGEST_WORD: usize = 64;

/// A room that was found.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FoundRoom {
    id: Uuid,
    pub name: String,
    pub site: String,
    pub building: String,
}

impl FoundRoom {
    /// Identity.
    #[must_use]
    pub fn id(&self) -> RoomId {
        RoomId(self.id)
    }
}

/// A release that was found.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FoundUpdate {
    id: Uuid,
    pub title: String,
    pub version: String,
    /// Its product's id.
    pub product_id: String,
    /// It has a rollout.
    pub published: bool,
}

impl FoundUpdate {
    /// Identity.
    #[must_use]
    pub fn id(&self) -> UpdateId {
        UpdateId(self.id)
    }
}

/// A ticket that was found.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FoundTicket {
    pub number: i64,
    pub title: String,
    /// A state's word.
    pub state: String,
}

impl Tx {
    /// Rooms whose words begin with all of these, at most `limit`; retired ones too.
    pub async fn find_rooms(&mut self, words: &[String], limit: i64) -> Result<Vec<FoundRoom>> {
        const SQLITE: &str = "SELECT r.id, r.name, s.name AS site, r.building
            FROM rooms_words w JOIN rooms r ON r.rowid = w.rowid JOIN sites s ON s.id = r.site_id
            WHERE rooms_words MATCH $1 LIMIT $2";
        const POSTGRES: &str =
            "SELECT r.id, r.name, s.name AS site, r.building FROM rooms r JOIN sites s ON s.id = r.site_id
            WHERE words_in(r.name || ' ' || r.building) @@ to_tsquery('simple', without_marks($1)) LIMIT $2";
        self.found(words, limit, SQLITE, POSTGRES).await
    }

    /// Releases whose words begin with all of these, at most `limit`.
    pub async fn find_updates(&mut self, words: &[String], limit: i64) -> Result<Vec<FoundUpdate>> {
        const SQLITE: &str = "SELECT u.id, u.title, u.version, u.product_id, r.update_id IS NOT NULL AS published
            FROM updates_words w JOIN updates u ON u.rowid = w.rowid LEFT JOIN rollouts r ON r.update_id = u.id
            WHERE updates_words MATCH $1 LIMIT $2";
        const POSTGRES: &str = "SELECT u.id, u.title, u.version, u.product_id, r.update_id IS NOT NULL AS published
            FROM updates u LEFT JOIN rollouts r ON r.update_id = u.id
            WHERE words_in(u.title || ' ' || u.version) @@ to_tsquery('simple', without_marks($1)) LIMIT $2";
        self.found(words, limit, SQLITE, POSTGRES).await
    }

    /// Tickets whose titles have words that begin with all of these, at most `limit`.
    pub async fn find_tickets(&mut self, words: &[String], limit: i64) -> Result<Vec<FoundTicket>> {
        const SQLITE: &str = "SELECT t.number, t.title, t.state
            FROM tickets_words w JOIN tickets t ON t.rowid = w.rowid WHERE tickets_words MATCH $1 LIMIT $2";
        const POSTGRES: &str = "SELECT t.number, t.title, t.state FROM tickets t
            WHERE words_in(t.title) @@ to_tsquery('simple', without_marks($1)) LIMIT $2";
        self.found(words, limit, SQLITE, POSTGRES).await
    }

    async fn found<T>(
        &mut self,
        words: &[String],
        limit: i64,
        sqlite: &'static str,
        postgres: &'static str,
    ) -> Result<Vec<T>>
    where
        T: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
            + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>
            + Send
            + Unpin,
    {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        Ok(match &mut self.inner {
            Inner::Sqlite(c) => {
                let query = sqlx::query_as(sqlite).bind(in_sqlite(words)).bind(limit);
                query.fetch_all(&mut **c).await?
            }
            Inner::Postgres(c) => {
                let query = sqlx::query_as(postgres).bind(in_postgres(words)).bind(limit);
                query.fetch_all(&mut **c).await?
            }
        })
    }
}

/// The lists that are narrowed by words.
#[derive(Clone, Copy)]
pub(crate) enum SearchedList {
    /// Rooms `r`.
    Rooms,
    /// Tickets `t`.
    Tickets,
}

/// What a query goes on with so that only rows stay whose words begin with all of a text's: what stands before the parameter, the parameter,
/// and what stands behind it.
pub(crate) type WordFilter = (&'static str, String, &'static str);

impl Tx {
    /// See [`WordFilter`]; `None`: the text has no words, and all rows stay.
    pub(crate) fn word_filter(&self, list: SearchedList, text: &str) -> Option<WordFilter> {
        let words = words_of(text);
        if words.is_empty() {
            // Signs alone are in no name.
            return (!text.trim().is_empty()).then(|| (" AND '' = ", "-".to_owned(), ""));
        }
        Some(match (&self.inner, list) {
            (Inner::Sqlite(_), SearchedList::Rooms) => (
                " AND r.rowid IN (SELECT w.rowid FROM rooms_words w WHERE rooms_words MATCH ",
                in_sqlite(&words),
                ")",
            ),
            (Inner::Sqlite(_), SearchedList::Tickets) => (
                " AND t.rowid IN (SELECT w.rowid FROM tickets_words w WHERE tickets_words MATCH ",
                in_sqlite(&words),
                ")",
            ),
            (Inner::Postgres(_), SearchedList::Rooms) => (
                " AND words_in(r.name || ' ' || r.building) @@ to_tsquery('simple', without_marks(",
                in_postgres(&words),
                "))",
            ),
            (Inner::Postgres(_), SearchedList::Tickets) => (
                " AND words_in(t.title) @@ to_tsquery('simple', without_marks(",
                in_postgres(&words),
                "))",
            ),
        })
    }
}

/// The words of what somebody has typed. Marks may stand behind their letters: both engines leave them out.
#[must_use]
pub fn words_of(text: &str) -> Vec<String> {
    let is_mark = |c: char| ('\u{300}'..='\u{36f}').contains(&c);
    let words = text
        .split(|c: char| !c.is_alphanumeric() && !is_mark(c))
        .filter(|word| !word.is_empty());
    words
        .take(MOST_WORDS)
        .map(|word| word.chars().take(LONGEST_WORD).collect())
        .collect()
}

/// Every word means itself, and its beginning is enough.
fn in_sqlite(words: &[String]) -> String {
    let terms = words.iter().map(|word| format!("\"{}\" *", word.replace('"', "\"\"")));
    terms.collect::<Vec<_>>().join(" AND ")
}

fn in_postgres(words: &[String]) -> String {
    let terms = words
        .iter()
        .map(|word| format!("'{}':*", word.replace('\\', "\\\\").replace('\'', "''")));
    terms.collect::<Vec<_>>().join(" & ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_where_there_is_neither_letter_nor_digit_and_have_limits_p8() {
        assert_eq!(words_of(" T-1004 -- \"so\" 1.02 "), ["T", "1004", "so", "1", "02"]);
        assert_eq!(words_of("%"), [""; 0]);
        let long = "x ".repeat(500);
        assert_eq!(words_of(&long).len(), MOST_WORDS);
        assert_eq!(words_of(&"W".repeat(500))[0].len(), LONGEST_WORD);
    }
}
