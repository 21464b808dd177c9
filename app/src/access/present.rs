//! Accounts, sessions and tokens (A1, A2).

use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::ids::PersonId;
use domain::zone::Zone;
use service::SHORTEST_PASSWORD;
use service::store::{PersonRecord, SessionRecord};
use service::tokens::LONGEST_TOKEN_DAYS;
use uuid::Uuid;

use crate::access::model::{AccountView, PeopleView, PersonDetailView, PersonRow, SessionRow, TokenRow, TokensView};
use crate::context::{RequestContext, Result};
use crate::formats;

impl RequestContext {
    /// The own account.
    ///
    /// # Errors
    /// The database fails.
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
            sessions: self.session_rows(sessions, &snapshot.organisation.zone, snapshot.now),
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
        let (person, sessions) = self.service.person(actor, id).await?;
        Ok(PersonDetailView {
            person: person_row(person),
            sessions: self.session_rows(sessions, &snapshot.organisation.zone, snapshot.now),
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
        let (zone, now) = (&snapshot.organisation.zone, snapshot.now);
        let tokens = self.service.tokens(actor).await?;
        let rows = tokens.into_iter().map(|token| TokenRow {
            id: token.id.to_string(),
            made: formats::instant(token.made_at, zone, now),
            expires: formats::instant(token.expires_at, zone, now),
            is_expired: token.expires_at <= now,
            used: token.used_at.map(|used| formats::instant(used, zone, now)),
            name: token.name,
            role: token.role,
            made_by: token.made_by,
        });
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

    fn session_rows(&self, sessions: Vec<SessionRecord>, zone: &Zone, now: DateTime<Utc>) -> Vec<SessionRow> {
        let this: Option<Uuid> = self.viewer.actor.account.as_ref().map(|account| account.session);
        let rows = sessions.into_iter().map(|session| SessionRow {
            id: session.id.to_string(),
            since: formats::instant(session.made_at, zone, now),
            last_used: formats::instant(session.seen_at, zone, now),
            is_this: Some(session.id) == this,
            agent: formats::browser(&session.agent),
            address: session.address,
        });
        rows.collect()
    }
}

fn person_row(person: PersonRecord) -> PersonRow {
    PersonRow {
        id: person.id,
        state: match (&person.password, person.disabled_at) {
            (_, Some(_)) => "Disabled".to_owned(),
            (None, None) => "Has not chosen a password yet".to_owned(),
            (Some(_), None) => "May sign in".to_owned(),
        },
        name: person.name,
        email: person.email,
        role: person.role,
    }
}
