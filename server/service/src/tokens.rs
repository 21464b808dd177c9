//! Tokens for automation (A1): a program that fetches an export carries one in place of a session.
//!
//! A token has a name, a role and an end. It is shown once, when it is made; the database has its SHA-256. It belongs to the organisation
//! and not to whoever made it: it outlives their account, and every admin may revoke it.

use chrono::TimeDelta;
use domain::access::{Act, Role};
use domain::clean::CleanLine;
use domain::ids::TokenId;
use serde_json::json;
use store::{AuditEntry, TokenRecord};

use crate::change::change_records;
use crate::devices::{new_token, token_hash};
use crate::error::{Result, ServiceError};
use crate::people::{Origin, USED_AT_PRECISION};
use crate::{Actor, Service};

/// What every token begins with, so that scanners of source code find one that was left there.
const PREFIX: &str = "nightshift_";
/// Most days that a token lives.
pub const LONGEST_TOKEN_DAYS: u16 = 366;
/// Most tokens at a time: the page lists all.
const MOST_TOKENS: usize = 100;

impl Service {
    /// Adds a token: what the program has to send, given back this once.
    ///
    /// # Errors
    /// The actor may not; the name or the number of days breaks its limit, or the name is taken.
    pub async fn add_token(&self, actor: &Actor, name: CleanLine, role: Role, days: u16) -> Result<String> {
        let (id, secret) = (TokenId(self.new_id()?), format!("{PREFIX}{}", new_token()?));
        change_records!(self, actor, Act::ManageTokens, |tx, now| {
            let name = crate::people::checked_name(&name)?;
            if days == 0 || days > LONGEST_TOKEN_DAYS {
                let problem = format!("{days} is not between 1 and {LONGEST_TOKEN_DAYS}");
                return Err(ServiceError::invalid("days", problem));
            }
            let token = TokenRecord {
                id,
                name,
                role,
                made_by: actor.signature(),
                made_at: now,
                expires_at: now + TimeDelta::days(days.into()),
                used_at: None,
            };
            let tokens = tx.tokens().await?;
            if tokens.len() >= MOST_TOKENS {
                let problem = format!("there are {MOST_TOKENS} tokens; revoke one first");
                return Err(ServiceError::conflict(problem));
            }
            // One that was made before may have its name in another Unicode form.
            let mut names = tokens
                .into_iter()
                .map(|other| String::from(CleanLine::from(other.name)));
            let is_taken = names.any(|other| other == token.name);
            if is_taken || !tx.add_token(&token, &token_hash(&secret)).await? {
                let problem = format!("there is a token {} already", token.name);
                return Err(ServiceError::invalid("name", problem));
            }
            let summary = format!("Added the token {} for {}.", token.name, role.label());
            let entry = entry(actor, "token.added", &token, summary).with_after(facts(&token));
            (vec![entry], secret.clone())
        })
    }

    /// Takes a token away; the next request with it is refused.
    ///
    /// # Errors
    /// The actor may not, or there is no such token.
    pub async fn revoke_token(&self, actor: &Actor, id: TokenId) -> Result<()> {
        change_records!(self, actor, Act::ManageTokens, |tx, now| {
            let token = tx.tokens().await?.into_iter().find(|token| token.id == id);
            let token = token.ok_or_else(|| ServiceError::not_found("This token"))?;
            tx.delete_token(id).await?;
            let summary = format!("Revoked the token {}.", token.name);
            let entry = entry(actor, "token.revoked", &token, summary).with_before(facts(&token));
            (vec![entry], ())
        })
    }

    /// Who asks with this token; `None`: it was revoked, has expired, or never was.
    pub async fn bearer(&self, secret: &str, origin: &Origin) -> Result<Option<Actor>> {
        let now = self.clock.now();
        let token = self.store.read().await?.token(&token_hash(secret)).await?;
        let Some(token) = token.filter(|token| now < token.expires_at) else {
            return Ok(None);
        };
        if token.used_at.is_none_or(|used| now - used >= USED_AT_PRECISION) {
            let touched =
                store::write!(self.store, tx => { Ok::<_, ServiceError>(tx.touch_token(token.id, now).await?) });
            crate::people::log_untouched(touched);
        }
        Ok(Some(Actor {
            role: token.role,
            address: origin.address.clone(),
            ..Actor::system(&format!("Token {}", token.name))
        }))
    }
}

fn facts(token: &TokenRecord) -> serde_json::Value {
    json!({ "name": token.name, "role": token.role, "expires": token.expires_at })
}

fn entry(actor: &Actor, action: &'static str, token: &TokenRecord, summary: String) -> AuditEntry {
    actor.entry(action, "token", token.id, summary)
}
