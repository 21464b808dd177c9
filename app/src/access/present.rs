//! Accounts, sessions and tokens (A1, A2).

use domain::access::Act;
use domain::ids::PersonId;
use service::SHORTEST_PASSWORD;
use service::read::ReadSnapshot;
use service::read::access::{AccountState, PersonItem, SessionItem, TokenItem};
use service::tokens::LONGEST_TOKEN_DAYS;

use crate::access::model::{AccountView, PeopleView, PersonDetailView, PersonRow, SessionRow, TokenRow, TokensView};
use crate::context::{RequestContext, Result};
use crate::formats;

impl RequestContext {
    /// The own account.
    pub async fn account(&self) -> Result<AccountView> {
        let snapshot = self.snapshot_for(Act::ManageOwnAccount).await?;
        let actor = &self.viewer.actor;
        let sessions = self.service.own_sessions(actor).await?;
        Ok(AccountView {
            name: actor.name.clone(),
            email: actor
                .account
                .as_ref()
                .map_or_else(String::new, |account| account.email.clone()),
            role: actor.role.label().to_owned(),
            sessions: session_rows(&snapshot, sessions),
            shortest_password: u32::try_from(SHORTEST_PASSWORD).unwrap_or(0),
        })
    }

    /// Everybody with an account.
    ///
    /// # Errors
    /// Whoever asks may not see accounts.
    pub async fn people(&self) -> Result<PeopleView> {
        let actor = &self.viewer.actor;
        let people = self.service.people(actor).await?;
        let may_change = actor.role.may(Act::ManagePeople);
        Ok(PeopleView {
            rows: people.into_iter().map(person_row).collect(),
            may_change,
            link: self.viewer.secret.clone().filter(|_| may_change),
        })
    }

    /// A person, and where they are signed in.
    ///
    /// # Errors
    /// Whoever asks may not see accounts, or there is no such account.
    pub async fn person(&self, id: PersonId) -> Result<PersonDetailView> {
        let snapshot = self.snapshot_for(Act::SeePeople).await?;
        let actor = &self.viewer.actor;
        let person = self.service.person(actor, id).await?;
        Ok(PersonDetailView {
            person: person_row(person.person),
            sessions: session_rows(&snapshot, person.sessions),
            may_change: actor.role.may(Act::ManagePeople),
            may_see_audit: actor.role.may(Act::SeeAudit),
        })
    }

    /// Tokens for automation.
    ///
    /// # Errors
    /// Whoever asks may not see them.
    pub async fn tokens(&self) -> Result<TokensView> {
        let snapshot = self.snapshot_for(Act::SeeTokens).await?;
        let actor = &self.viewer.actor;
        let tokens = self.service.tokens(actor).await?.into_iter();
        let rows = tokens.map(|token| token_row(&snapshot, token));
        let may_change = actor.role.may(Act::ManageTokens);
        let address = &self.service.process_config().public_url;
        Ok(TokensView {
            rows: rows.collect(),
            may_change,
            secret: self.viewer.secret.clone().filter(|_| may_change),
            example: format!("curl --header \"Authorization: Bearer $TOKEN\" {address}/audit.csv"),
            longest_days: LONGEST_TOKEN_DAYS,
        })
    }
}

fn session_rows(snapshot: &ReadSnapshot, sessions: Vec<SessionItem>) -> Vec<SessionRow> {
    let (zone, now) = (&snapshot.organisation.zone, snapshot.now);
    let rows = sessions.into_iter().map(|session| SessionRow {
        id: session.id.to_string(),
        since: formats::instant(session.made_at, zone, now),
        last_used: formats::instant(session.last_used_at, zone, now),
        is_this: session.is_this,
        agent: formats::browser(&session.agent),
        address: session.address,
    });
    rows.collect()
}

fn token_row(snapshot: &ReadSnapshot, token: TokenItem) -> TokenRow {
    let (zone, now) = (&snapshot.organisation.zone, snapshot.now);
    TokenRow {
        id: token.id.to_string(),
        made: formats::instant(token.made_at, zone, now),
        expires: formats::instant(token.expires_at, zone, now),
        is_expired: token.is_expired,
        used: token.used_at.map(|used| formats::instant(used, zone, now)),
        name: token.name,
        role: token.role,
        made_by: token.made_by,
    }
}

fn person_row(person: PersonItem) -> PersonRow {
    let state = match person.state {
        AccountState::Active => "May sign in",
        AccountState::WithoutPassword => "Has not chosen a password yet",
        AccountState::Disabled { .. } => "Disabled",
    };
    PersonRow {
        id: person.id,
        state: state.to_owned(),
        name: person.name,
        email: person.email,
        role: person.role,
    }
}
