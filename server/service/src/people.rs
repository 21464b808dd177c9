//! Accounts and sessions (A1, A2): the first admin, signing in and out, passwords, one-time links, and changing accounts.
//!
//! Tokens are 256 random bits; the database has their SHA-256. Sessions, links and the counts of failed sign-ins are all in the
//! database, so that any number of processes agree: what was ended in one is ended in all. Start with [`Service::sign_in`] and
//! [`Service::session`]. Who has an account is in `read/access.rs`.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use domain::access::{Act, Role};
use domain::clean::{CleanLine, name_key};
use domain::ids::PersonId;
use domain::text::counted;
use serde_json::json;
use store::{AuditEntry, NewSession, PersonRecord, SessionRecord, Tx};
use uuid::Uuid;

use crate::change::change_records;
use crate::devices::{new_token, token_hash};
use crate::error::{Result, ServiceError};
use crate::passwords::{check_password, hashed, verified};
use crate::tick::organisation;
use crate::{Actor, ActorAccount, Service};

/// A session ends when it was not used for so long.
const IDLE: TimeDelta = TimeDelta::hours(8);
/// And in any case after so long.
const ABSOLUTE: TimeDelta = TimeDelta::days(7);
/// How long a one-time link works.
const LINK: TimeDelta = TimeDelta::days(3);
/// Most characters of an e-mail address.
pub const LONGEST_EMAIL: usize = 200;
/// Failed sign-ins within a quarter of an hour or two, after which an account has to wait at one address …
const MOST_AT_ONE_ADDRESS: i64 = 10;
/// … and everywhere: more, so that a stranger alone cannot keep somebody out.
const MOST_BY_ACCOUNT: i64 = 100;
/// The same for an address, whichever accounts it tries.
const MOST_BY_ADDRESS: i64 = 50;
/// How exactly the use of a session or token is kept.
pub(crate) const USED_AT_PRECISION: TimeDelta = TimeDelta::minutes(1);
/// Length of a slot in which they are counted, in seconds.
const SLOT: i64 = 900;

/// Someone who is signed in, as the browser knows it: its token, to be kept in a cookie.
#[derive(Clone, Debug)]
pub struct SignInOutcome {
    /// The session's token.
    pub token: String,
    /// Who it is.
    pub actor: Actor,
}

/// Where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub address: String,
    /// What the browser calls itself, shortened.
    pub agent: String,
}

impl Origin {
    /// What attempts are counted under: one subscriber has 2⁶⁴ addresses of IPv6.
    fn network(&self) -> String {
        let network = self.address.parse().map(network);
        network.map_or_else(|_| self.address.clone(), |network| network.to_string())
    }
}

/// The part of an address that belongs to one subscriber.
#[must_use]
pub fn network(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

impl Service {
    /// What the sign-in page calls the organisation. Anybody may ask for that page, so it is one row and not a [`Service::read_snapshot`].
    ///
    /// # Errors
    /// There is no organisation yet.
    pub async fn organisation_name(&self) -> Result<String> {
        Ok(organisation(&mut self.store.read().await?).await?.name)
    }

    /// The token of the link that makes the first admin (A2); `None`: somebody has an account. An older link works no more.
    pub async fn first_admin_link(&self) -> Result<Option<String>> {
        let token = new_token()?;
        let expires_at = self.clock.now() + LINK;
        store::write!(self.store, tx => {
            if tx.has_people().await? {
                return Ok::<_, ServiceError>(None);
            }
            tx.put_link(&token_hash(&token), None, expires_at).await?;
            Ok(Some(token.clone()))
        })
    }

    /// Whether nobody has an account yet.
    pub async fn awaits_first_admin(&self) -> Result<bool> {
        Ok(!self.store.read().await?.has_people().await?)
    }

    /// Makes the first admin, with the one-time link that the first start has printed, and signs them in (A2).
    ///
    /// # Errors
    /// The link was used, has expired or is none; a field breaks its limit.
    pub async fn make_first_admin(
        &self,
        link: &str,
        name: CleanLine,
        email: CleanLine,
        password: &str,
        origin: &Origin,
    ) -> Result<SignInOutcome> {
        let (name, email) = (checked_name(&name)?, checked_email(&email)?);
        check_password(password, &[&name, &email])?;
        // Before the costly part: anybody can ask for it.
        if self
            .store
            .read()
            .await?
            .link(&token_hash(link), self.clock.now())
            .await?
            != Some(None)
        {
            return Err(used_up());
        }
        let hashed = hashed(password).await?;
        let person = PersonRecord {
            id: PersonId(self.new_id()?),
            name,
            email: email.clone(),
            role: Role::Admin,
            password: Some(hashed),
            disabled_at: None,
        };
        let now = self.clock.now();
        let (token, session) = self.new_session(person.id, origin)?;
        store::write!(self.store, tx => {
            if tx.link(&token_hash(link), now).await? != Some(None) || tx.has_people().await? {
                return Err(used_up());
            }
            tx.add_person(&person, &email_key(&email), now).await?;
            tx.delete_links_of(None).await?;
            tx.add_session(&session, now).await?;
            let summary = format!("Made the first admin {}, {email}.", person.name);
            tx.add_audit(now, &of_person(&actor_of(&person, session.id, origin), "person.added", &person, summary)).await?;
            Ok::<_, ServiceError>(())
        })?;
        Ok(SignInOutcome {
            token,
            actor: actor_of(&person, session.id, origin),
        })
    }

    /// Signs in. Unknown names and wrong passwords are answered alike, and take as long.
    ///
    /// # Errors
    /// The name or the password is wrong, or there were too many attempts.
    pub async fn sign_in(&self, email: CleanLine, password: &str, origin: &Origin) -> Result<SignInOutcome> {
        let key = email_key(email.as_str());
        let now = self.clock.now();
        let slot = self.slot();
        let account = account_key(&key);
        let here = at_address(&account, origin);
        let address = address_key(origin);
        let keys = [here.as_str(), account.as_str(), address.as_str()];
        let most = [MOST_AT_ONE_ADDRESS, MOST_BY_ACCOUNT, MOST_BY_ADDRESS];
        let counted: Vec<_> = keys.into_iter().zip(most).collect();
        if !self.store.count_attempt(&counted, slot).await? {
            tracing::warn!(
                address = origin.address,
                "a sign-in was refused after too many attempts"
            );
            return Err(too_many());
        }
        let person = self.store.read().await?.person_with(&key).await?;
        let known = person.filter(|person| person.disabled_at.is_none());
        let expected = known.as_ref().and_then(|person| person.password.clone());
        let is_right = verified(password, expected.as_deref()).await?;
        let Some(person) = known.filter(|_| is_right) else {
            // Not the name: people type passwords there.
            tracing::warn!(address = origin.address, "a sign-in failed");
            return Err(wrong_password());
        };
        let (token, session) = self.new_session(person.id, origin)?;
        let actor = actor_of(&person, session.id, origin);
        store::write!(self.store, tx => {
            // It may have been disabled, or given another password, while this one was being compared.
            let still = person_of(tx, person.id).await?;
            if still.disabled_at.is_some() || still.password != person.password {
                return Err(wrong_password());
            }
            tx.forget_sessions(person.id, now - IDLE, now - ABSOLUTE).await?;
            tx.add_session(&session, now).await?;
            tx.add_audit(now, &of_person(&actor, "person.signed_in", &person, format!("{} signed in.", person.name))).await?;
            Ok::<_, ServiceError>(())
        })?;
        self.store.uncount_attempt(&keys, slot).await?;
        Ok(SignInOutcome { token, actor })
    }

    /// Who has this session; `None`: it has ended, or never was. Every request asks.
    pub async fn session(&self, token: &str, origin: &Origin) -> Result<Option<Actor>> {
        let now = self.clock.now();
        let Some(session) = self.store.read().await?.session(&token_hash(token)).await? else {
            return Ok(None);
        };
        if has_ended(&session, now) {
            return Ok(None);
        }
        if now - session.seen_at >= USED_AT_PRECISION {
            let touched =
                store::write!(self.store, tx => { Ok::<_, ServiceError>(tx.touch_session(session.id, now).await?) });
            log_untouched(touched);
        }
        Ok(Some(actor_of(&session.person, session.id, origin)))
    }

    /// Ends a session of one's own, or as an admin somebody else's.
    ///
    /// # Errors
    /// There is no such session, or it is not one's own.
    pub async fn end_session(&self, actor: &Actor, person: PersonId, session: Uuid) -> Result<()> {
        let is_own = actor.account.as_ref().is_some_and(|account| account.person == person);
        change_records!(self, actor, act_on_account(is_own), |tx, now| {
            let of = person_of(tx, person).await?;
            if !tx.end_session(person, session).await? {
                return Err(ServiceError::not_found("This session"));
            }
            let summary = format!("Ended a session of {}.", of.name);
            (vec![of_person(actor, "session.ended", &of, summary)], ())
        })
    }

    /// Ends all sessions of a person; of one's own, all but the one that asks.
    ///
    /// # Errors
    /// There is no such account, or it is not one's own and the actor no admin.
    pub async fn end_sessions(&self, actor: &Actor, person: PersonId) -> Result<()> {
        let own = actor.account.as_ref().filter(|account| account.person == person);
        let keep = own.map(|account| account.session);
        change_records!(self, actor, act_on_account(own.is_some()), |tx, now| {
            let of = person_of(tx, person).await?;
            let ended = tx.end_sessions_of(person, keep).await?;
            let summary = format!("Ended {} of {}.", counted(ended, "session"), of.name);
            (vec![of_person(actor, "session.ended", &of, summary)], ())
        })
    }

    /// Changes one's own password; all other sessions end.
    ///
    /// # Errors
    /// The old password is wrong, or the new one breaks a limit.
    pub async fn change_password(&self, actor: &Actor, old: &str, new: &str) -> Result<()> {
        actor.may(Act::ManageOwnAccount)?;
        let account = actor
            .account
            .as_ref()
            .ok_or_else(|| ServiceError::not_found("This account"))?;
        let person = self.store.read().await?.person(account.person).await?;
        let person = person.ok_or_else(|| ServiceError::not_found("This account"))?;
        check_password(new, &[&person.name, &person.email])?;
        // In a slot of its own: what others try at the door must not keep the owner from changing the password.
        let (key, slot) = (format!("change {}", person.id), self.slot());
        if !self.store.count_attempt(&[(&key, MOST_AT_ONE_ADDRESS)], slot).await? {
            return Err(too_many());
        }
        if !verified(old, person.password.as_deref()).await? {
            return Err(ServiceError::invalid(
                "old password",
                "it is not the one that you have now",
            ));
        }
        let hashed = hashed(new).await?;
        change_records!(self, actor, Act::ManageOwnAccount, |tx, now| {
            let mut changed = person_of(tx, account.person).await?;
            // Somebody may have been faster: with a one-time link, or by disabling the account.
            if changed.password != person.password || changed.disabled_at.is_some() {
                let problem = "the password was changed by somebody else meanwhile";
                return Err(ServiceError::conflict(problem));
            }
            changed.password = Some(hashed.clone());
            tx.delete_links_of(Some(changed.id)).await?;
            tx.put_person(&changed).await?;
            tx.end_sessions_of(changed.id, Some(account.session)).await?;
            let summary = format!("{} changed their password.", changed.name);
            (vec![of_person(actor, "person.password_changed", &changed, summary)], ())
        })?;
        Ok(self.store.uncount_attempt(&[&key], slot).await?)
    }

    /// Whose one-time link this is: the account's e-mail address.
    ///
    /// # Errors
    /// It was used, has expired, or is none.
    pub async fn link_for(&self, link: &str) -> Result<Option<String>> {
        let now = self.clock.now();
        let mut tx = self.store.read().await?;
        match tx.link(&token_hash(link), now).await? {
            None => Err(used_up()),
            Some(None) => Ok(None),
            Some(Some(person)) => Ok(Some(person_of(&mut tx, person).await?.email)),
        }
    }

    /// Chooses a password with a one-time link; all sessions of the account end.
    ///
    /// # Errors
    /// The link was used, has expired or is none; the password breaks a limit.
    pub async fn choose_password(&self, link: &str, password: &str, origin: &Origin) -> Result<()> {
        let now = self.clock.now();
        let person = match self.store.read().await?.link(&token_hash(link), now).await? {
            Some(Some(person)) => self.store.read().await?.person(person).await?.ok_or_else(used_up)?,
            Some(None) | None => return Err(used_up()),
        };
        if person.disabled_at.is_some() {
            return Err(used_up());
        }
        check_password(password, &[&person.name, &person.email])?;
        let hashed = hashed(password).await?;
        store::write!(self.store, tx => {
            if tx.link(&token_hash(link), now).await? != Some(Some(person.id)) {
                return Err(used_up());
            }
            let mut changed = person_of(tx, person.id).await?;
            changed.password = Some(hashed.clone());
            tx.put_person(&changed).await?;
            tx.delete_links_of(Some(changed.id)).await?;
            tx.end_sessions_of(changed.id, None).await?;
            let account = account_key(&email_key(&changed.email));
            let here = [at_address(&account, origin), address_key(origin)];
            for key in here.into_iter().chain([account, format!("change {}", changed.id)]) {
                tx.forget_attempts(&key).await?;
            }
            let by = actor_of(&changed, Uuid::nil(), origin);
            let summary = format!("{} chose a password with a one-time link.", changed.name);
            tx.add_audit(now, &of_person(&by, "person.password_chosen", &changed, summary)).await?;
            Ok::<_, ServiceError>(())
        })
    }

    /// Adds a person; the token of the one-time link with which they choose their password is given back this once.
    ///
    /// # Errors
    /// The actor may not; a field breaks its limit, or the address is taken.
    pub async fn add_person(&self, actor: &Actor, name: CleanLine, email: CleanLine, role: Role) -> Result<String> {
        let (id, link) = (PersonId(self.new_id()?), new_token()?);
        change_records!(self, actor, Act::ManagePeople, |tx, now| {
            let (name, email) = (checked_name(&name)?, checked_email(&email)?);
            let key = email_key(&email);
            let person = PersonRecord {
                id,
                name,
                email,
                role,
                password: None,
                disabled_at: None,
            };
            if tx.person_with(&key).await?.is_some() || !tx.add_person(&person, &key, now).await? {
                let problem = format!("{} has an account already", person.email);
                return Err(ServiceError::invalid("e-mail", problem));
            }
            tx.put_link(&token_hash(&link), Some(id), now + LINK).await?;
            let summary = format!("Added {}, {}, as {}.", person.name, person.email, role.label());
            (vec![of_person(actor, "person.added", &person, summary)], link.clone())
        })
    }

    /// Gives a person another role; their sessions end.
    ///
    /// # Errors
    /// The actor may not; it would leave nobody as admin.
    pub async fn set_role(&self, actor: &Actor, email: CleanLine, role: Role) -> Result<()> {
        self.change_person(actor, email, "person.role_changed", None, |person, _| {
            let was = person.role;
            person.role = role;
            format!(
                "{} is {} now and was {} before.",
                person.name,
                role.label(),
                was.label()
            )
        })
        .await
    }

    /// Lets a person sign in no more; their sessions end.
    ///
    /// # Errors
    /// The actor may not; it would leave nobody as admin.
    pub async fn disable_person(&self, actor: &Actor, email: CleanLine) -> Result<()> {
        self.change_person(actor, email, "person.disabled", None, |person, now| {
            person.disabled_at = Some(now);
            format!("Disabled the account of {}.", person.name)
        })
        .await
    }

    /// A one-time link with which a person chooses a new password: its token. The old password works until then; a disabled account
    /// is enabled, without its old password.
    ///
    /// # Errors
    /// The actor may not, or there is no such account.
    pub async fn reset_link(&self, actor: &Actor, email: CleanLine) -> Result<String> {
        let link = new_token()?;
        let change = |person: &mut PersonRecord, _| {
            if person.disabled_at.take().is_none() {
                return format!("Made a reset link for {}.", person.name);
            }
            // Whoever knew it when the account was disabled must not come back with it.
            person.password = None;
            format!("Enabled the account of {} and made a reset link.", person.name)
        };
        self.change_person(actor, email, "person.reset", Some(&link), change)
            .await?;
        Ok(link)
    }

    async fn change_person(
        &self,
        actor: &Actor,
        email: CleanLine,
        action: &'static str,
        link: Option<&str>,
        change: impl Fn(&mut PersonRecord, DateTime<Utc>) -> String,
    ) -> Result<()> {
        change_records!(self, actor, Act::ManagePeople, |tx, now| {
            let before = tx.person_with(&email_key(email.as_str())).await?;
            let before = before.ok_or_else(|| ServiceError::not_found(format!("An account of {email}")))?;
            let mut after = before.clone();
            let summary = change(&mut after, now);
            let rules = |person: &PersonRecord| person.role == Role::Admin && person.disabled_at.is_none();
            if rules(&before) && !rules(&after) {
                let admins = tx.people().await?.iter().filter(|person| rules(person)).count();
                if admins <= 1 {
                    let problem = format!("{} is the only admin; make another one first", before.name);
                    return Err(ServiceError::conflict(problem));
                }
            }
            tx.put_person(&after).await?;
            if let Some(link) = link {
                tx.put_link(&token_hash(link), Some(after.id), now + LINK).await?;
            }
            if before.role != after.role || before.disabled_at != after.disabled_at {
                tx.end_sessions_of(after.id, None).await?;
            }
            if after.disabled_at.is_some() {
                tx.delete_links_of(Some(after.id)).await?;
            }
            let entry = of_person(actor, action, &after, summary).with_before(facts(&before));
            (vec![entry], ())
        })
    }

    /// The quarter of an hour in which attempts are counted now.
    fn slot(&self) -> i64 {
        self.clock.now().timestamp().div_euclid(SLOT)
    }

    fn new_session(&self, person: PersonId, origin: &Origin) -> Result<(String, NewSession)> {
        let token = new_token()?;
        let session = NewSession {
            id: self.new_id()?,
            token_hash: token_hash(&token),
            person,
            address: origin.address.clone(),
            agent: origin.agent.chars().take(200).collect(),
        };
        Ok((token, session))
    }
}

/// A disk without room must not keep people from looking what is wrong.
pub(crate) fn log_untouched(touched: Result<()>) {
    if let Err(error) = touched {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the use of a session or token could not be noted");
    }
}

fn too_many() -> ServiceError {
    ServiceError::conflict("too many attempts; wait half an hour, or ask an admin for a reset link")
}

/// What the actor must have the right to, to end sessions of their own account or of another one.
fn act_on_account(is_own: bool) -> Act {
    if is_own {
        Act::ManageOwnAccount
    } else {
        Act::ManagePeople
    }
}

pub(crate) fn has_ended(session: &SessionRecord, now: DateTime<Utc>) -> bool {
    now - session.seen_at > IDLE || now - session.made_at > ABSOLUTE || session.person.disabled_at.is_some()
}

fn actor_of(person: &PersonRecord, session: Uuid, origin: &Origin) -> Actor {
    Actor {
        name: person.name.clone(),
        role: person.role,
        address: origin.address.clone(),
        account: Some(ActorAccount {
            person: person.id,
            session,
            email: person.email.clone(),
        }),
    }
}

pub(crate) async fn person_of(tx: &mut Tx, id: PersonId) -> Result<PersonRecord> {
    tx.person(id)
        .await?
        .ok_or_else(|| ServiceError::not_found("This account"))
}

/// What an address is found by: without regard to case and Unicode form. No address has a NUL, and Postgres takes none.
fn email_key(email: &str) -> String {
    name_key(email).replace('\0', "")
}

/// What the attempts on an account are counted under; there need not be one.
fn account_key(email_key: &str) -> String {
    format!("account {}", email_key.chars().take(LONGEST_EMAIL).collect::<String>())
}

/// The same for one address.
fn at_address(account_key: &str, origin: &Origin) -> String {
    format!("{account_key} at {}", origin.network())
}

/// What the attempts from an address are counted under.
fn address_key(origin: &Origin) -> String {
    format!("address {}", origin.network())
}

fn wrong_password() -> ServiceError {
    ServiceError::invalid("password", "the e-mail address or the password is wrong")
}

fn used_up() -> ServiceError {
    ServiceError::not_found("This link, which works once and expires after three days,")
}

fn facts(person: &PersonRecord) -> serde_json::Value {
    json!({ "name": person.name, "email": person.email, "role": person.role, "disabled": person.disabled_at.is_some() })
}

fn of_person(actor: &Actor, action: &'static str, person: &PersonRecord, summary: String) -> AuditEntry {
    actor
        .entry(action, "person", person.id, summary)
        .with_after(facts(person))
}

pub(crate) fn checked_name(name: &CleanLine) -> Result<String> {
    crate::limits::check_text("name", name, 100)?;
    Ok(name.to_string())
}

fn checked_email(email: &CleanLine) -> Result<String> {
    let email = email.as_str();
    let is_one = email.chars().count() <= LONGEST_EMAIL
        && !email.contains(|c: char| c.is_whitespace() || c.is_control())
        && email
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    if is_one {
        Ok(email.to_owned())
    } else {
        Err(ServiceError::invalid(
            "e-mail",
            "it must look like name@example.com, with at most 200 characters",
        ))
    }
}
