//! Who has an account, where they are signed in, and tokens for automation (A1, A2). Nothing here lets anybody in: passwords and tokens
//! stay out.

use chrono::{DateTime, Utc};
use domain::access::{Act, Role};
use domain::ids::{PersonId, TokenId};
use serde::Serialize;
use store::{PersonRecord, SessionRecord, TokenRecord};
use uuid::Uuid;

use crate::error::Result;
use crate::people::{has_ended, person_of};
use crate::{Actor, Service};

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonItem {
    /// Identity.
    pub id: PersonId,
    pub name: String,
    /// The name at sign-in.
    pub email: String,
    /// What they are here for.
    pub role: Role,
    /// Whether they may sign in.
    #[serde(flatten)]
    pub state: AccountState,
}

/// Whether somebody may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum AccountState {
    /// They may.
    Active,
    /// They have not chosen a password yet.
    WithoutPassword,
    /// They may not any more.
    Disabled {
        /// Since when.
        at: DateTime<Utc>,
    },
}

impl From<PersonRecord> for PersonItem {
    fn from(person: PersonRecord) -> Self {
        Self {
            state: match (&person.password, person.disabled_at) {
                (_, Some(at)) => AccountState::Disabled { at },
                (None, None) => AccountState::WithoutPassword,
                (Some(_), None) => AccountState::Active,
            },
            id: person.id,
            name: person.name,
            email: person.email,
            role: person.role,
        }
    }
}

/// A session that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionItem {
    /// Identity; not what the browser has.
    pub id: Uuid,
    /// When it began.
    pub made_at: DateTime<Utc>,
    /// To the minute.
    pub last_used_at: DateTime<Utc>,
    /// From where it began.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
    /// It is the one that asks.
    pub is_this: bool,
}

/// A person with an account, and where they are signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonDetail {
    pub person: PersonItem,
    /// The latest used first.
    pub sessions: Vec<SessionItem>,
}

/// A token for automation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenItem {
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
    /// It is worth nothing any more.
    pub is_expired: bool,
    /// To the minute; `None`: never yet.
    pub used_at: Option<DateTime<Utc>>,
}

impl TokenItem {
    fn of(token: TokenRecord, now: DateTime<Utc>) -> Self {
        Self {
            is_expired: token.expires_at <= now,
            id: token.id,
            name: token.name,
            role: token.role,
            made_by: token.made_by,
            made_at: token.made_at,
            expires_at: token.expires_at,
            used_at: token.used_at,
        }
    }
}

impl Service {
    /// Everybody with an account.
    ///
    /// # Errors
    /// The actor may not see accounts.
    pub async fn people(&self, actor: &Actor) -> Result<Vec<PersonItem>> {
        actor.may(Act::SeePeople)?;
        let people = self.store.read().await?.people().await?;
        Ok(people.into_iter().map(PersonItem::from).collect())
    }

    /// One's own sessions.
    ///
    /// # Errors
    /// The actor has no right to an account of their own.
    pub async fn own_sessions(&self, actor: &Actor) -> Result<Vec<SessionItem>> {
        actor.may(Act::ManageOwnAccount)?;
        match &actor.account {
            Some(account) => self.sessions_of(actor, account.person).await,
            None => Ok(Vec::new()),
        }
    }

    /// A person and their sessions.
    ///
    /// # Errors
    /// The actor may not see accounts, or there is no such account.
    pub async fn person(&self, actor: &Actor, id: PersonId) -> Result<PersonDetail> {
        actor.may(Act::SeePeople)?;
        let person = person_of(&mut self.store.read().await?, id).await?;
        Ok(PersonDetail {
            person: person.into(),
            sessions: self.sessions_of(actor, id).await?,
        })
    }

    /// Those that have not ended.
    async fn sessions_of(&self, actor: &Actor, person: PersonId) -> Result<Vec<SessionItem>> {
        let now = self.clock.now();
        let this = actor.account.as_ref().map(|account| account.session);
        let sessions = self.store.read().await?.sessions_of(person).await?.into_iter();
        let sessions = sessions.filter(|session| !has_ended(session, now));
        let item = |session: SessionRecord| SessionItem {
            is_this: Some(session.id) == this,
            id: session.id,
            made_at: session.made_at,
            last_used_at: session.seen_at,
            address: session.address,
            agent: session.agent,
        };
        Ok(sessions.map(item).collect())
    }

    /// Every token, by name; those that have expired as well.
    ///
    /// # Errors
    /// The actor may not see them.
    pub async fn tokens(&self, actor: &Actor) -> Result<Vec<TokenItem>> {
        actor.may(Act::SeeTokens)?;
        let now = self.clock.now();
        let tokens = self.store.read().await?.tokens().await?;
        Ok(tokens.into_iter().map(|token| TokenItem::of(token, now)).collect())
    }
}
