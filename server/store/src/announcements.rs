//! Announcements on Home (P1), and who has dismissed which.

use chrono::{DateTime, NaiveDate, Utc};
use domain::ids::{AnnouncementId, PersonId};
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{instant, micros};
use crate::tx::{Tx, each};

/// Something that is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementRecord {
    /// Identity.
    pub id: AnnouncementId,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// By whom: a person, or Nightshift.
    pub made_by: String,
    /// What, in a few words.
    pub title: String,
    /// More about it; may be empty.
    pub text: String,
    /// The last date of the organisation's on which it stands there; `None`: until it is taken down.
    pub until: Option<NaiveDate>,
}

#[derive(sqlx::FromRow)]
struct AnnouncementRow {
    id: Uuid,
    made_at: i64,
    made_by: String,
    title: String,
    text: String,
    until: Option<NaiveDate>,
}

impl AnnouncementRow {
    fn into_record(self) -> Result<AnnouncementRecord> {
        Ok(AnnouncementRecord {
            made_at: instant("announcements", self.id, self.made_at)?,
            id: AnnouncementId(self.id),
            made_by: self.made_by,
            title: self.title,
            text: self.text,
            until: self.until,
        })
    }
}

impl Tx {
    /// Adds an announcement.
    pub async fn add_announcement(&mut self, announcement: &AnnouncementRecord) -> Result<()> {
        const SQL: &str =
            "INSERT INTO announcements (id, made_at, made_by, title, text, until) VALUES ($1, $2, $3, $4, $5, $6)";
        each!(self, c => sqlx::query(SQL)
            .bind(announcement.id.0)
            .bind(micros(announcement.made_at))
            .bind(&announcement.made_by)
            .bind(&announcement.title)
            .bind(&announcement.text)
            .bind(announcement.until)
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// An announcement.
    pub async fn announcement(&mut self, id: AnnouncementId) -> Result<Option<AnnouncementRecord>> {
        const SQL: &str = "SELECT id, made_at, made_by, title, text, until FROM announcements WHERE id = $1";
        let row: Option<AnnouncementRow> = each!(self, c => sqlx::query_as(SQL).bind(id.0).fetch_optional(c).await)?;
        row.map(AnnouncementRow::into_record).transpose()
    }

    /// Takes an announcement away, for everybody.
    pub async fn delete_announcement(&mut self, id: AnnouncementId) -> Result<()> {
        const SQL: &str = "DELETE FROM announcements WHERE id = $1";
        each!(self, c => sqlx::query(SQL).bind(id.0).execute(c).await.map(drop))?;
        Ok(())
    }

    /// What stands on Home on a date of the organisation's, newest first: what `person` has not dismissed; all of it, where nobody asks.
    pub async fn announcements(
        &mut self,
        person: Option<PersonId>,
        today: NaiveDate,
        limit: i64,
    ) -> Result<Vec<AnnouncementRecord>> {
        const SQL: &str = "SELECT a.id, a.made_at, a.made_by, a.title, a.text, a.until FROM announcements a
            WHERE (a.until IS NULL OR a.until >= $1)
                AND NOT EXISTS (SELECT 1 FROM announcement_dismissals d WHERE d.announcement_id = a.id AND d.person_id = $2)
            ORDER BY a.made_at DESC, a.id DESC LIMIT $3";
        let person = person.map_or_else(Uuid::nil, |person| person.0);
        let rows: Vec<AnnouncementRow> =
            each!(self, c => sqlx::query_as(SQL).bind(today).bind(person).bind(limit).fetch_all(c).await)?;
        rows.into_iter().map(AnnouncementRow::into_record).collect()
    }

    /// Takes an announcement from one person's Home. A second time changes nothing.
    ///
    /// # Errors
    /// There is no such announcement.
    pub async fn dismiss_announcement(
        &mut self,
        id: AnnouncementId,
        person: PersonId,
        at: DateTime<Utc>,
    ) -> Result<()> {
        const SQL: &str = "INSERT INTO announcement_dismissals (announcement_id, person_id, at) VALUES ($1, $2, $3)
            ON CONFLICT (announcement_id, person_id) DO NOTHING";
        each!(self, c => sqlx::query(SQL).bind(id.0).bind(person.0).bind(micros(at)).execute(c).await.map(drop))?;
        Ok(())
    }
}
