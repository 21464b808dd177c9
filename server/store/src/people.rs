//! People, their sessions, one-time links, and failed sign-ins (A1, A2). Of every token only its SHA-256 is kept.

use chrono::{DateTime, Utc};
use domain::access::Role;
use domain::ids::PersonId;
use uuid::Uuid;

use crate::database::Store;
use crate::error::Result;
use crate::rows::{instant, micros, opt_instant, word};
use crate::tx::{Tx, each};

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRecord {
    /// Identity.
    pub id: PersonId,
    pub name: String,
    /// E-mail address: the name at sign-in.
    pub email: String,
    /// What they are here for.
    pub role: Role,
    /// As a PHC string; `None`: none was chosen yet.
    pub password: Option<String>,
    /// Since when they may not sign in any more.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// A session with whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Identity; not what the browser has.
    pub id: Uuid,
    /// Whose.
    pub person: PersonRecord,
    /// When it began.
    pub made_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub seen_at: DateTime<Utc>,
    /// From where it began.
    pub address: String,
    /// With which browser.
    pub agent: String,
}

/// A session to add.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Identity.
    pub id: Uuid,
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// Whose.
    pub person: PersonId,
    /// From where.
    pub address: String,
    /// With which browser.
    pub agent: String,
}

#[derive(sqlx::FromRow)]
struct PersonRow {
    id: Uuid,
    name: String,
    email: String,
    role: String,
    password: Option<String>,
    disabled_at: Option<i64>,
}

impl PersonRow {
    fn into_record(self) -> Result<PersonRecord> {
        Ok(PersonRecord {
            id: PersonId(self.id),
            role: word("people", self.id, &self.role, Role::from_word)?,
            disabled_at: opt_instant("people", self.id, self.disabled_at)?,
            name: self.name,
            email: self.email,
            password: self.password,
        })
    }
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    session_id: Uuid,
    made_at: i64,
    seen_at: i64,
    address: String,
    agent: String,
    #[sqlx(flatten)]
    person: PersonRow,
}

impl SessionRow {
    fn into_record(self) -> Result<SessionRecord> {
        let id = self.session_id;
        Ok(SessionRecord {
            id,
            person: self.person.into_record()?,
            made_at: instant("sessions", id, self.made_at)?,
            seen_at: instant("sessions", id, self.seen_at)?,
            address: self.address,
            agent: self.agent,
        })
    }
}

impl Tx {
    /// Whether anybody has an account.
    pub async fn has_people(&mut self) -> Result<bool> {
        const SQL: &str = "SELECT id FROM people ORDER BY id LIMIT 1";
        let first: Option<Uuid> = each!(self, c => sqlx::query_scalar(SQL).fetch_optional(c).await)?;
        Ok(first.is_some())
    }

    /// Adds a person. `false`: somebody has this e-mail address already.
    pub async fn add_person(&mut self, person: &PersonRecord, email_key: &str, at: DateTime<Utc>) -> Result<bool> {
        const SQL: &str = "INSERT INTO people (id, name, email, email_key, role, password, made_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (email_key) DO NOTHING";
        let done = each!(self, c => sqlx::query(SQL)
            .bind(person.id.0)
            .bind(&person.name)
            .bind(&person.email)
            .bind(email_key)
            .bind(person.role.as_str())
            .bind(person.password.as_deref())
            .bind(micros(at))
            .execute(c)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Everybody, by name.
    pub async fn people(&mut self) -> Result<Vec<PersonRecord>> {
        const SQL: &str = "SELECT id, name, email, role, password, disabled_at FROM people ORDER BY name, email_key";
        let rows: Vec<PersonRow> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        rows.into_iter().map(PersonRow::into_record).collect()
    }

    /// A person by e-mail address.
    pub async fn person_with(&mut self, email_key: &str) -> Result<Option<PersonRecord>> {
        const SQL: &str = "SELECT id, name, email, role, password, disabled_at FROM people
            WHERE email_key = $1 OR clean_key = $1 ORDER BY clean_key IS NOT NULL, id LIMIT 1";
        let row: Option<PersonRow> = each!(self, c => sqlx::query_as(SQL).bind(email_key).fetch_optional(c).await)?;
        row.map(PersonRow::into_record).transpose()
    }

    /// A person.
    pub async fn person(&mut self, id: PersonId) -> Result<Option<PersonRecord>> {
        const SQL: &str = "SELECT id, name, email, role, password, disabled_at FROM people WHERE id = $1";
        let row: Option<PersonRow> = each!(self, c => sqlx::query_as(SQL).bind(id.0).fetch_optional(c).await)?;
        row.map(PersonRow::into_record).transpose()
    }

    /// Writes a person's role, password and whether they may sign in.
    pub async fn put_person(&mut self, person: &PersonRecord) -> Result<()> {
        const SQL: &str = "UPDATE people SET role = $2, password = $3, disabled_at = $4 WHERE id = $1";
        each!(self, c => sqlx::query(SQL)
            .bind(person.id.0)
            .bind(person.role.as_str())
            .bind(person.password.as_deref())
            .bind(person.disabled_at.map(micros))
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Begins a session.
    pub async fn add_session(&mut self, session: &NewSession, at: DateTime<Utc>) -> Result<()> {
        const SQL: &str = "INSERT INTO sessions (id, token_hash, person_id, made_at, seen_at, address, agent)
            VALUES ($1, $2, $3, $4, $4, $5, $6)";
        each!(self, c => sqlx::query(SQL)
            .bind(session.id)
            .bind(session.token_hash.as_slice())
            .bind(session.person.0)
            .bind(micros(at))
            .bind(&session.address)
            .bind(&session.agent)
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// The session of a token.
    pub async fn session(&mut self, token_hash: &[u8; 32]) -> Result<Option<SessionRecord>> {
        const SQL: &str = "SELECT s.id AS session_id, s.made_at, s.seen_at, s.address, s.agent,
                p.id, p.name, p.email, p.role, p.password, p.disabled_at
            FROM sessions s JOIN people p ON p.id = s.person_id WHERE s.token_hash = $1";
        let row: Option<SessionRow> =
            each!(self, c => sqlx::query_as(SQL).bind(token_hash.as_slice()).fetch_optional(c).await)?;
        row.map(SessionRow::into_record).transpose()
    }

    /// A person's sessions, the latest used first.
    pub async fn sessions_of(&mut self, person: PersonId) -> Result<Vec<SessionRecord>> {
        const SQL: &str = "SELECT s.id AS session_id, s.made_at, s.seen_at, s.address, s.agent,
                p.id, p.name, p.email, p.role, p.password, p.disabled_at
            FROM sessions s JOIN people p ON p.id = s.person_id WHERE s.person_id = $1 ORDER BY s.seen_at DESC, s.id";
        let rows: Vec<SessionRow> = each!(self, c => sqlx::query_as(SQL).bind(person.0).fetch_all(c).await)?;
        rows.into_iter().map(SessionRow::into_record).collect()
    }

    /// Notes that a session is used.
    pub async fn touch_session(&mut self, id: Uuid, at: DateTime<Utc>) -> Result<()> {
        const SQL: &str = "UPDATE sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2";
        each!(self, c => sqlx::query(SQL).bind(id).bind(micros(at)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Forgets the sessions of a person that were last used before `used`, or made before `made`.
    pub async fn forget_sessions(&mut self, person: PersonId, used: DateTime<Utc>, made: DateTime<Utc>) -> Result<()> {
        const SQL: &str = "DELETE FROM sessions WHERE person_id = $1 AND (seen_at < $2 OR made_at < $3)";
        each!(self, c => sqlx::query(SQL)
            .bind(person.0)
            .bind(micros(used))
            .bind(micros(made))
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Ends a session of this person. `false`: there is none.
    pub async fn end_session(&mut self, person: PersonId, id: Uuid) -> Result<bool> {
        const SQL: &str = "DELETE FROM sessions WHERE person_id = $1 AND id = $2";
        let done = each!(self, c => sqlx::query(SQL).bind(person.0).bind(id).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Ends all sessions of a person but `keep`: how many.
    pub async fn end_sessions_of(&mut self, person: PersonId, keep: Option<Uuid>) -> Result<u64> {
        const SQL: &str = "DELETE FROM sessions WHERE person_id = $1 AND id <> $2";
        let keep = keep.unwrap_or(Uuid::nil());
        Ok(
            each!(self, c => sqlx::query(SQL).bind(person.0).bind(keep).execute(c).await.map(|done| done.rows_affected()))?,
        )
    }

    /// Adds a link that works once, in place of those that the person has. Without a person: the first admin's.
    pub async fn put_link(
        &mut self,
        token_hash: &[u8; 32],
        person: Option<PersonId>,
        expires_at: DateTime<Utc>,
    ) -> Result<()> {
        const ADD: &str = "INSERT INTO links (token_hash, person_id, expires_at) VALUES ($1, $2, $3)";
        self.delete_links_of(person).await?;
        each!(self, c => sqlx::query(ADD)
            .bind(token_hash.as_slice())
            .bind(person.map(|person| person.0))
            .bind(micros(expires_at))
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Whose link this is: `Some(None)` the first admin's, `None` nobody's, or it has expired.
    pub async fn link(&mut self, token_hash: &[u8; 32], now: DateTime<Utc>) -> Result<Option<Option<PersonId>>> {
        const SQL: &str = "SELECT person_id FROM links WHERE token_hash = $1 AND expires_at > $2";
        let found: Option<(Option<Uuid>,)> = each!(self, c => sqlx::query_as(SQL).bind(token_hash.as_slice()).bind(micros(now)).fetch_optional(c).await)?;
        Ok(found.map(|(person,)| person.map(PersonId)))
    }

    /// Forgets the links of a person, or the first admin's.
    pub async fn delete_links_of(&mut self, person: Option<PersonId>) -> Result<()> {
        const OF_PERSON: &str = "DELETE FROM links WHERE person_id = $1";
        const OF_NOBODY: &str = "DELETE FROM links WHERE person_id IS NULL";
        match person {
            Some(person) => {
                each!(self, c => sqlx::query(OF_PERSON).bind(person.0).execute(c).await.map(drop))?;
            }
            None => {
                each!(self, c => sqlx::query(OF_NOBODY).execute(c).await.map(drop))?;
            }
        }
        Ok(())
    }

    /// Forgets all sign-ins under a key.
    pub async fn forget_attempts(&mut self, key: &str) -> Result<()> {
        const SQL: &str = "DELETE FROM attempts WHERE key = $1";
        each!(self, c => sqlx::query(SQL).bind(key).execute(c).await.map(drop))?;
        Ok(())
    }
}

/// Attempts are counted in short transactions of their own, each row locked and raised where it stands: many at once wait for each other
/// instead of failing, however many there are.
impl Store {
    /// Counts a sign-in under each key before it is tried, so that no two tries at once are the last allowed one. `false`: one of them
    /// has had as many as it may have in this slot and the one before, and nothing is counted.
    pub async fn count_attempt(&self, keys: &[(&str, i64)], slot: i64) -> Result<bool> {
        const ADD: &str = "INSERT INTO attempts (key, slot, number)
            SELECT $1, $2, 1 WHERE COALESCE((SELECT number FROM attempts WHERE key = $1 AND slot = $3), 0) < $4
            ON CONFLICT (key, slot) DO UPDATE SET number = attempts.number + 1
            WHERE attempts.number + COALESCE((SELECT before.number FROM attempts AS before WHERE before.key = $1 AND before.slot = $3), 0) < $4";
        const FORGET: &str = "DELETE FROM attempts WHERE slot < $1";
        let mut tx = self.begin_command().await?;
        for (key, most) in keys {
            let counted = each!(tx, c => sqlx::query(ADD)
                .bind(*key)
                .bind(slot)
                .bind(slot - 1)
                .bind(*most)
                .execute(c)
                .await
                .map(|done| done.rows_affected()))?;
            if counted == 0 {
                tx.roll_back().await?;
                return Ok(false);
            }
        }
        each!(tx, c => sqlx::query(FORGET).bind(slot - 1).execute(c).await.map(drop))?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes a counted sign-in back: it was a good one.
    pub async fn uncount_attempt(&self, keys: &[&str], slot: i64) -> Result<()> {
        const TAKE: &str = "UPDATE attempts SET number = number - 1 WHERE key = $1 AND slot = $2 AND number > 0";
        let mut tx = self.begin_command().await?;
        for key in keys {
            each!(tx, c => sqlx::query(TAKE).bind(*key).bind(slot).execute(c).await.map(drop))?;
        }
        tx.commit().await
    }
}
