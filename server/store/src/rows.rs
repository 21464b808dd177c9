//! Between domain values and columns.

use chrono::{DateTime, Utc};
use domain::ids::{RingId, StageOf};
use domain::reason::Reason;
use domain::zone::Zone;
use uuid::Uuid;

use crate::error::{Result, StoreError};

/// Microseconds since 1970-01-01 UTC.
pub(crate) fn micros(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}

pub(crate) fn opt_micros(instant: Option<DateTime<Utc>>) -> Option<i64> {
    instant.map(micros)
}

pub(crate) fn instant(table: &'static str, row: impl ToString, micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
        .ok_or_else(|| StoreError::row(table, row, format!("{micros} is not an instant")))
}

pub(crate) fn opt_instant(
    table: &'static str,
    row: impl ToString,
    micros: Option<i64>,
) -> Result<Option<DateTime<Utc>>> {
    micros.map(|micros| instant(table, row, micros)).transpose()
}

/// An instant that the row's state cannot do without.
pub(crate) fn needed(
    table: &'static str,
    row: impl ToString,
    what: &str,
    micros: Option<i64>,
) -> Result<DateTime<Utc>> {
    match micros {
        Some(micros) => instant(table, row, micros),
        None => Err(StoreError::row(table, row, format!("{what} is missing"))),
    }
}

/// In columns that name the ring of a stage, the nil UUID stands for all rooms (S12). No ring has it, and no other place says so.
const ALL_ROOMS: Uuid = Uuid::nil();

/// Whose a stage is, from its column.
pub(crate) fn stage_of(ring: Uuid) -> StageOf {
    if ring == ALL_ROOMS {
        StageOf::AllRooms
    } else {
        StageOf::Ring(RingId(ring))
    }
}

/// What a column holds of a stage.
pub(crate) fn stage_id(stage: StageOf) -> Uuid {
    match stage {
        StageOf::AllRooms => ALL_ROOMS,
        StageOf::Ring(ring) => ring.0,
    }
}

/// A word that must be one of ours.
pub(crate) fn word<T>(
    table: &'static str,
    row: impl ToString,
    word: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T> {
    parse(word).ok_or_else(|| StoreError::row(table, row, format!("{word:?} is unknown")))
}

/// A reason from its row. A row of an older program, or one that such a program has written since, has a sentence of its own; one of a
/// newer program may have facts that nobody here knows. The sentence does in both cases.
pub(crate) fn reason(facts: Option<&str>, sentence: String) -> Reason {
    let known = facts.and_then(|facts| serde_json::from_str::<(u32, Reason)>(facts).ok());
    match known {
        Some((of, reason)) if of == fingerprint(&sentence) => reason,
        Some(_) | None => Reason::Written(sentence),
    }
}

/// What is kept beside a reason's sentence: the reason, and which sentence it was written with. A program that knows nothing of facts
/// changes the sentence alone: the facts are not those of that one. A program that words its reasons differently keeps both as they are.
pub(crate) fn reason_facts(reason: &Reason) -> Option<String> {
    match reason {
        Reason::Written(_) => None,
        reason => serde_json::to_string(&(fingerprint(&reason.sentence()), reason)).ok(),
    }
}

/// FNV-1a: it tells two sentences apart, and protects nothing.
fn fingerprint(sentence: &str) -> u32 {
    sentence.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

pub(crate) fn small(table: &'static str, row: impl ToString, number: i64) -> Result<u32> {
    u32::try_from(number).map_err(|_| StoreError::row(table, row, format!("{number} is out of range")))
}

/// A pattern for `LIKE … ESCAPE '\'`: what people search for means itself, also `%` and `_`.
pub(crate) fn containing(words: &str) -> String {
    let mut pattern = String::from("%");
    for c in words.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

pub(crate) fn zone_of(table: &'static str, row: impl ToString, name: &str) -> Result<Zone> {
    Zone::parse(name).map_err(|error| StoreError::row(table, row, error.to_string()))
}

/// As [`ids_in`], for texts.
pub(crate) fn texts_in<'t, DB>(query: &mut sqlx::QueryBuilder<DB>, texts: impl Iterator<Item = &'t str>)
where
    DB: sqlx::Database,
    String: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    let mut separated = query.separated(", ");
    for text in texts {
        separated.push_bind(text.to_owned());
    }
    separated.push_unseparated(")");
}

/// `$1, $2, …)`: closes the parenthesis.
pub(crate) fn ids_in<DB>(query: &mut sqlx::QueryBuilder<DB>, ids: impl Iterator<Item = Uuid>)
where
    DB: sqlx::Database,
    Uuid: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    let mut separated = query.separated(", ");
    for id in ids {
        separated.push_bind(id);
    }
    separated.push_unseparated(")");
}
