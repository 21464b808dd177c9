//! The audit: who did what, when, to what (A3). Entries are only ever added.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;

use crate::error::Result;
use crate::rows::{instant, micros};
use crate::tx::{Tx, each};

/// An entry to add.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Who: a person, `command line`, or a rule.
    pub actor: String,
    /// What, as a word: `rollout.paused`.
    pub action: &'static str,
    /// `room`, `ring`, `update` …
    pub object_kind: &'static str,
    /// Which.
    pub object_id: String,
    /// In one sentence.
    pub summary: String,
    /// What was there.
    pub before: Option<Value>,
    /// What is there now.
    pub after: Option<Value>,
}

/// An entry as it stands.
#[derive(Clone, Debug)]
pub struct AuditRecord {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub entry: AuditText,
}

/// The words of an entry.
#[derive(Clone, Debug)]
pub struct AuditText {
    /// Who.
    pub actor: String,
    /// What, as a word.
    pub action: String,
    /// What kind of object.
    pub object_kind: String,
    /// Which.
    pub object_id: String,
    /// In one sentence.
    pub summary: String,
}

impl Tx {
    /// Adds an entry.
    ///
    /// # Errors
    /// The database fails.
    pub async fn add_audit(&mut self, at: DateTime<Utc>, entry: &AuditEntry) -> Result<()> {
        const SQL: &str = "INSERT INTO audit (at, actor, action, object_kind, object_id, summary, before, after)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        each!(self, c => sqlx::query(SQL)
            .bind(micros(at))
            .bind(&entry.actor)
            .bind(entry.action)
            .bind(entry.object_kind)
            .bind(&entry.object_id)
            .bind(&entry.summary)
            .bind(entry.before.as_ref().map(Json))
            .bind(entry.after.as_ref().map(Json))
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Entries, newest first, before entry `before` (exclusive).
    ///
    /// # Errors
    /// The database fails.
    pub async fn audit(&mut self, before: Option<i64>, limit: i64) -> Result<Vec<AuditRecord>> {
        const SQL: &str = "SELECT id, at, actor, action, object_kind, object_id, summary FROM audit
            WHERE id < $1 ORDER BY id DESC LIMIT $2";
        self.audit_records(SQL, before.unwrap_or(i64::MAX), limit).await
    }

    /// Entries about one object, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn audit_of(&mut self, object_kind: &str, object_id: &str, limit: i64) -> Result<Vec<AuditRecord>> {
        const SQL: &str = "SELECT id, at, actor, action, object_kind, object_id, summary FROM audit
            WHERE object_kind = $1 AND object_id = $2 ORDER BY id DESC LIMIT $3";
        type Row = (i64, i64, String, String, String, String, String);
        let rows: Vec<Row> =
            each!(self, c => sqlx::query_as(SQL).bind(object_kind).bind(object_id).bind(limit).fetch_all(c).await)?;
        rows.into_iter().map(record).collect()
    }

    async fn audit_records(&mut self, sql: &'static str, before: i64, limit: i64) -> Result<Vec<AuditRecord>> {
        type Row = (i64, i64, String, String, String, String, String);
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(sql).bind(before).bind(limit).fetch_all(c).await)?;
        rows.into_iter().map(record).collect()
    }
}

fn record(row: (i64, i64, String, String, String, String, String)) -> Result<AuditRecord> {
    let (id, at, actor, action, object_kind, object_id, summary) = row;
    let entry = AuditText {
        actor,
        action,
        object_kind,
        object_id,
        summary,
    };
    Ok(AuditRecord {
        id,
        at: instant("audit", id, at)?,
        entry,
    })
}
