//! The audit: who did what, when, to what (A3). Entries are only ever added, and once more touched to be sealed into their chain.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;

use crate::dialect;
use crate::error::Result;
use crate::rows::{instant, micros};
use crate::tx::{Inner, Tx, each};

/// An entry to add.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Who: a person, `command line`, or a rule.
    pub actor: String,
    /// From where; empty for the program itself.
    pub address: String,
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

impl AuditEntry {
    /// The entry with what was there.
    #[must_use]
    pub fn with_before(self, before: impl Into<Option<Value>>) -> Self {
        let before = before.into();
        Self { before, ..self }
    }

    /// The entry with what is there now.
    #[must_use]
    pub fn with_after(self, after: impl Into<Option<Value>>) -> Self {
        let after = after.into();
        Self { after, ..self }
    }
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

/// An entry with everything that its hash is made of.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AuditFacts {
    /// Its number.
    pub id: i64,
    /// When, in microseconds since 1970.
    pub at: i64,
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
    /// What was there.
    pub before: Option<Json<Value>>,
    /// What is there now.
    pub after: Option<Json<Value>>,
    /// From where.
    pub address: String,
    /// Its place in the chain.
    pub sequence: Option<i64>,
    pub hash: Option<String>,
}

impl AuditFacts {
    /// When.
    ///
    /// # Errors
    /// The row has no instant.
    pub fn instant(&self) -> Result<DateTime<Utc>> {
        instant("audit", self.id, self.at)
    }

    /// Where it stands in a list, newest first.
    #[must_use]
    pub fn position(&self) -> (i64, i64) {
        (self.at, self.id)
    }
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Of whom.
    pub actor: Option<String>,
    /// About what kind of object.
    pub object_kind: Option<String>,
    /// About which one of that kind.
    pub object_id: Option<String>,
    /// From this instant on.
    pub from: Option<DateTime<Utc>>,
    /// Before this one.
    pub until: Option<DateTime<Utc>>,
    /// Those after this one in a list: [`AuditFacts::position`].
    pub older_than: Option<(i64, i64)>,
    /// Those before this one in a list.
    pub newer_than: Option<(i64, i64)>,
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
    pub async fn add_audit(&mut self, at: DateTime<Utc>, entry: &AuditEntry) -> Result<()> {
        const SQL: &str =
            "INSERT INTO audit (at, actor, action, object_kind, object_id, summary, before, after, address)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        each!(self, c => sqlx::query(SQL)
            .bind(micros(at))
            .bind(&entry.actor)
            .bind(entry.action)
            .bind(entry.object_kind)
            .bind(&entry.object_id)
            .bind(&entry.summary)
            .bind(entry.before.as_ref().map(Json))
            .bind(entry.after.as_ref().map(Json))
            .bind(&entry.address)
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// [`Tx::add_audit`] for many entries, in their order.
    pub async fn add_audits(&mut self, at: DateTime<Utc>, entries: &[AuditEntry]) -> Result<()> {
        // SQLite takes 32,766 parameters, and an entry has nine.
        for batch in entries.chunks(500) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(
                    "INSERT INTO audit (at, actor, action, object_kind, object_id, summary, before, after, address) ",
                );
                query.push_values(batch, |mut row, entry| {
                    row.push_bind(micros(at))
                        .push_bind(&entry.actor)
                        .push_bind(entry.action)
                        .push_bind(entry.object_kind)
                        .push_bind(&entry.object_id)
                        .push_bind(&entry.summary)
                        .push_bind(entry.before.as_ref().map(Json))
                        .push_bind(entry.after.as_ref().map(Json))
                        .push_bind(&entry.address);
                });
                query.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Takes the right to seal in this transaction; `false`: another process has it.
    pub async fn try_seal_lock(&mut self) -> Result<bool> {
        match &mut self.inner {
            // BEGIN IMMEDIATE holds the write lock already.
            Inner::Sqlite(_) => Ok(true),
            Inner::Postgres(transaction) => Ok(sqlx::query_scalar(dialect::SEAL_LOCK_POSTGRES)
                .fetch_one(&mut **transaction)
                .await?),
        }
    }

    /// The last entry of the chain: its place and its hash.
    pub async fn last_sealed(&mut self) -> Result<Option<(i64, String)>> {
        const SQL: &str = "SELECT sequence, hash FROM audit WHERE sequence IS NOT NULL AND hash IS NOT NULL ORDER BY sequence DESC LIMIT 1";
        Ok(each!(self, c => sqlx::query_as(SQL).fetch_optional(c).await)?)
    }

    /// Entries that are not sealed yet, oldest first.
    pub async fn unsealed(&mut self, limit: i64) -> Result<Vec<AuditFacts>> {
        const SQL: &str =
            "SELECT id, at, actor, action, object_kind, object_id, summary, before, after, address, sequence, hash
            FROM audit WHERE hash IS NULL ORDER BY id LIMIT $1";
        Ok(each!(self, c => sqlx::query_as(SQL).bind(limit).fetch_all(c).await)?)
    }

    /// The chain after a place, in its order.
    pub async fn chain(&mut self, after: i64, limit: i64) -> Result<Vec<AuditFacts>> {
        const SQL: &str =
            "SELECT id, at, actor, action, object_kind, object_id, summary, before, after, address, sequence, hash
            FROM audit WHERE sequence > $1 ORDER BY sequence LIMIT $2";
        Ok(each!(self, c => sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(c).await)?)
    }

    /// Entries that have a place without a hash, a hash without a place, or a place before the first: no sealing leaves such.
    pub async fn half_sealed(&mut self) -> Result<Vec<i64>> {
        const SQL: &str =
            "SELECT id FROM audit WHERE (hash IS NULL) <> (sequence IS NULL) OR sequence < 1 ORDER BY id LIMIT 100";
        Ok(each!(self, c => sqlx::query_scalar(SQL).fetch_all(c).await)?)
    }

    /// Gives an entry its place in the chain and its hash.
    ///
    /// # Errors
    /// The entry is sealed already.
    pub async fn seal(&mut self, id: i64, sequence: i64, hash: &str) -> Result<()> {
        const SQL: &str = "UPDATE audit SET sequence = $2, hash = $3 WHERE id = $1";
        each!(self, c => sqlx::query(SQL).bind(id).bind(sequence).bind(hash).execute(c).await.map(drop))?;
        Ok(())
    }

    /// A page of entries, newest first.
    pub async fn audit_page(&mut self, filter: &AuditFilter, limit: i64) -> Result<Vec<AuditFacts>> {
        let forwards = filter.newer_than.is_some();
        let mut entries: Vec<AuditFacts> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT id, at, actor, action, object_kind, object_id, summary, before, after, address, sequence, hash
                FROM audit WHERE at >= ",
            );
            query.push_bind(filter.from.map_or(i64::MIN, micros));
            query.push(" AND at < ").push_bind(filter.until.map_or(i64::MAX, micros));
            if let Some(actor) = &filter.actor {
                query.push(" AND actor = ").push_bind(actor.clone());
            }
            if let Some(kind) = &filter.object_kind {
                query.push(" AND object_kind = ").push_bind(kind.clone());
            }
            if let Some(object) = &filter.object_id {
                query.push(" AND object_id = ").push_bind(object.clone());
            }
            if let Some((at, id)) = filter.older_than {
                query.push(" AND (at, id) < (").push_bind(at).push(", ").push_bind(id).push(")");
            }
            if let Some((at, id)) = filter.newer_than {
                query.push(" AND (at, id) > (").push_bind(at).push(", ").push_bind(id).push(")");
            }
            query.push(if forwards { " ORDER BY at, id LIMIT " } else { " ORDER BY at DESC, id DESC LIMIT " });
            query.push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?;
        if forwards {
            entries.reverse();
        }
        Ok(entries)
    }

    /// Everybody of whom there is an entry. It jumps from name to name: the cost follows the names, not the entries.
    pub async fn audit_actors(&mut self) -> Result<Vec<String>> {
        const SQL: &str = "WITH RECURSIVE names (name) AS (
                SELECT MIN(actor) FROM audit
                UNION ALL SELECT (SELECT MIN(actor) FROM audit WHERE actor > name) FROM names WHERE name IS NOT NULL)
            SELECT name FROM names WHERE name IS NOT NULL LIMIT 500";
        Ok(each!(self, c => sqlx::query_scalar(SQL).fetch_all(c).await)?)
    }

    /// Every kind of object of which there is an entry, found like [`Tx::audit_actors`].
    pub async fn audit_kinds(&mut self) -> Result<Vec<String>> {
        const SQL: &str = "WITH RECURSIVE kinds (kind) AS (
                SELECT MIN(object_kind) FROM audit
                UNION ALL SELECT (SELECT MIN(object_kind) FROM audit WHERE object_kind > kind) FROM kinds WHERE kind IS NOT NULL)
            SELECT kind FROM kinds WHERE kind IS NOT NULL LIMIT 500";
        Ok(each!(self, c => sqlx::query_scalar(SQL).fetch_all(c).await)?)
    }

    /// Entries about one object, newest first.
    pub async fn audit_of(&mut self, object_kind: &str, object_id: &str, limit: i64) -> Result<Vec<AuditRecord>> {
        const SQL: &str = "SELECT id, at, actor, action, object_kind, object_id, summary FROM audit
            WHERE object_kind = $1 AND object_id = $2 ORDER BY at DESC, id DESC LIMIT $3";
        type Row = (i64, i64, String, String, String, String, String);
        let rows: Vec<Row> =
            each!(self, c => sqlx::query_as(SQL).bind(object_kind).bind(object_id).bind(limit).fetch_all(c).await)?;
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
