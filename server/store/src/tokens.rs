//! Tokens of programs (A1): named, with a role and an end. Of the token itself only its SHA-256 is kept.

use chrono::{DateTime, Utc};
use domain::access::Role;
use domain::ids::TokenId;
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{instant, micros, opt_instant, word};
use crate::tx::{Tx, each};

/// A token as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Identity; not what the program sends.
    pub id: TokenId,
    /// What it is for; no two have the same name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// From when on it is worth nothing.
    pub expires_at: DateTime<Utc>,
    /// When it was last used, to the minute; `None`: never yet.
    pub used_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    id: Uuid,
    name: String,
    role: String,
    made_by: String,
    made_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
}

impl TokenRow {
    fn into_record(self) -> Result<TokenRecord> {
        let id = self.id;
        Ok(TokenRecord {
            id: TokenId(id),
            name: self.name,
            role: word("tokens", id, &self.role, Role::from_word)?,
            made_by: self.made_by,
            made_at: instant("tokens", id, self.made_at)?,
            expires_at: instant("tokens", id, self.expires_at)?,
            used_at: opt_instant("tokens", id, self.used_at)?,
        })
    }
}

impl Tx {
    /// Adds a token. `false`: there is one of this name.
    pub async fn add_token(&mut self, token: &TokenRecord, token_hash: &[u8; 32]) -> Result<bool> {
        const SQL: &str = "INSERT INTO tokens (id, name, token_hash, role, made_by, made_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING";
        let done = each!(self, c => sqlx::query(SQL)
            .bind(token.id.0)
            .bind(&token.name)
            .bind(token_hash.as_slice())
            .bind(token.role.as_str())
            .bind(&token.made_by)
            .bind(micros(token.made_at))
            .bind(micros(token.expires_at))
            .execute(c)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// The token of this hash, expired or not.
    pub async fn token(&mut self, token_hash: &[u8; 32]) -> Result<Option<TokenRecord>> {
        const SQL: &str =
            "SELECT id, name, role, made_by, made_at, expires_at, used_at FROM tokens WHERE token_hash = $1";
        let row: Option<TokenRow> =
            each!(self, c => sqlx::query_as(SQL).bind(token_hash.as_slice()).fetch_optional(c).await)?;
        row.map(TokenRow::into_record).transpose()
    }

    /// Every token, by name.
    pub async fn tokens(&mut self) -> Result<Vec<TokenRecord>> {
        const SQL: &str = "SELECT id, name, role, made_by, made_at, expires_at, used_at FROM tokens ORDER BY name";
        let rows: Vec<TokenRow> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        rows.into_iter().map(TokenRow::into_record).collect()
    }

    /// Notes that a token is used.
    pub async fn touch_token(&mut self, id: TokenId, at: DateTime<Utc>) -> Result<()> {
        const SQL: &str = "UPDATE tokens SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2)";
        each!(self, c => sqlx::query(SQL).bind(id.0).bind(micros(at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes a token away. `false`: there is none.
    pub async fn delete_token(&mut self, id: TokenId) -> Result<bool> {
        const SQL: &str = "DELETE FROM tokens WHERE id = $1";
        let done = each!(self, c => sqlx::query(SQL).bind(id.0).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }
}
