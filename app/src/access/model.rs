//! Accounts, people, sessions and tokens (A1–A3).

use domain::access::Role;
use domain::ids::PersonId;
use serde::{Deserialize, Serialize};

use crate::components::model::TimeText;

/// The own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    pub name: String,
    /// E-mail address; empty in the demo, where there is no account.
    pub email: String,
    /// The role's word.
    pub role: String,
    /// Sessions, the latest used first.
    pub sessions: Vec<SessionRow>,

    /// Fewest characters of a password.
    pub shortest_password: u32,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Identity.
    pub id: String,
    /// The browser's own name.
    pub agent: String,
    /// From where.
    pub address: String,
    /// Since when.
    pub since: TimeText,
    /// When it was last used.
    pub last_used: TimeText,
    /// It is the one that asks.
    pub is_this: bool,
}

/// Everybody with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleView {
    /// By name.
    pub rows: Vec<PersonRow>,
    /// Whether whoever asks may change accounts.
    pub may_change: bool,
    /// A one-time link that was just made; shown this once.
    pub link: Option<String>,
}

/// A person with an account, and where they are signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonDetailView {
    pub person: PersonRow,
    /// Sessions, the latest used first.
    pub sessions: Vec<SessionRow>,
    /// Whether whoever asks may end them.
    pub may_change: bool,
    /// Whether whoever asks may see the audit.
    pub may_see_audit: bool,
}

/// Tokens for automation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokensView {
    /// By name.
    pub rows: Vec<TokenRow>,
    /// Whether whoever asks may make and revoke them.
    pub may_change: bool,
    /// A token that was just made; shown this once.
    pub secret: Option<String>,
    /// How a program fetches the audit with a token: a command.
    pub example: String,
    /// Most days that one lives.
    pub longest_days: u16,
}

/// A token in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Identity; not the token itself.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made: TimeText,
    /// Until when it works.
    pub expires: TimeText,
    /// It works no more.
    pub is_expired: bool,
    /// When it was last used; `None`: never yet.
    pub used: Option<TimeText>,
}

/// A person in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// Identity.
    pub id: PersonId,
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// What they are here for.
    pub role: Role,
    /// `May sign in`, `Has not chosen a password yet`, `Disabled`.
    pub state: String,
}
