//! Announcements on Home (P1). What is new in the portfolio announces itself; admins write others; each person dismisses them for
//! themselves.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::access::Act;
use domain::clean::{CleanLine, CleanText};
use domain::ids::AnnouncementId;
use domain::update::ProductKind;
use serde_json::json;
use store::{AnnouncementRecord, AuditEntry, ProductRecord, Tx};

use crate::change::change_records;
use crate::error::{Result, ServiceError};
use crate::limits::check_text;
use crate::tick::organisation;
use crate::tickets::checked_lines;
use crate::{Actor, Service};

/// The longest title, in characters.
pub const LONGEST_TITLE: usize = 120;
/// What announces itself stands there for so many days.
const DAYS_OF_NEWS: u64 = 30;
/// New products that an announcement names.
const NAMED: usize = 3;

/// What an admin writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementDraft {
    /// 1 to [`LONGEST_TITLE`] characters.
    pub title: CleanLine,
    /// At most as long as that of a ticket; may be empty.
    pub text: CleanText,
    /// The last date on which it stands there; `None`: until it is taken down.
    pub until: Option<NaiveDate>,
}

impl Service {
    /// Announces something to everybody.
    ///
    /// # Errors
    /// Names the field and the limit.
    pub async fn announce(&self, actor: &Actor, draft: &AnnouncementDraft) -> Result<AnnouncementId> {
        let id = AnnouncementId(self.new_id()?);
        change_records!(self, actor, Act::Announce, |tx, now| {
            check_text("title", &draft.title, LONGEST_TITLE)?;
            let text = match draft.text.is_empty() {
                true => String::new(),
                false => checked_lines("text", &draft.text)?,
            };
            let today = organisation(tx).await?.zone.date(now);
            if draft.until.is_some_and(|until| until < today) {
                let problem = format!("choose {today} or a later date, or leave it empty");
                return Err(ServiceError::invalid("until", problem));
            }
            let announcement = AnnouncementRecord {
                id,
                made_at: now,
                made_by: actor.name.clone(),
                title: draft.title.to_string(),
                text,
                until: draft.until,
            };
            tx.add_announcement(&announcement).await?;
            let summary = format!("Announced: {}.", announcement.title.trim_end_matches('.'));
            let entry = entry(actor, "announcement.made", &announcement, summary).with_after(facts(&announcement));
            (vec![entry], id)
        })
    }

    /// Takes an announcement down, for everybody.
    ///
    /// # Errors
    /// There is no such announcement.
    pub async fn take_down_announcement(&self, actor: &Actor, id: AnnouncementId) -> Result<()> {
        change_records!(self, actor, Act::Announce, |tx, now| {
            let known = tx.announcement(id).await?.ok_or_else(missing)?;
            tx.delete_announcement(id).await?;
            let summary = format!("Took down the announcement: {}.", known.title.trim_end_matches('.'));
            let entry = entry(actor, "announcement.taken_down", &known, summary).with_before(facts(&known));
            (vec![entry], ())
        })
    }

    /// Takes an announcement from the Home of whoever asks. It is nobody else's affair: no audit entry.
    ///
    /// # Errors
    /// There is no such announcement, or whoever asks is no person with an account.
    pub async fn dismiss_announcement(&self, actor: &Actor, id: AnnouncementId) -> Result<()> {
        actor.may(Act::ManageOwnAccount)?;
        let person = actor.account.as_ref().map(|account| account.person);
        let person = person.ok_or_else(|| ServiceError::conflict("only somebody with an account can dismiss it"))?;
        let now = self.clock.now();
        store::write!(self.store, tx => {
            tx.announcement(id).await?.ok_or_else(missing)?;
            Ok::<_, ServiceError>(tx.dismiss_announcement(id, person, now).await?)
        })
    }
}

/// Announces products that the portfolio did not have, and kinds of them. `before`: what it had.
pub(crate) async fn announce_products(
    tx: &mut Tx,
    id: uuid::Uuid,
    before: &[ProductRecord],
    after: &[ProductRecord],
    now: DateTime<Utc>,
) -> Result<()> {
    let known: BTreeSet<&str> = before.iter().map(|product| product.id.0.as_str()).collect();
    let new: Vec<&ProductRecord> = after
        .iter()
        .filter(|product| !known.contains(product.id.0.as_str()))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let known: BTreeSet<ProductKind> = before.iter().map(|product| product.kind).collect();
    let kinds: BTreeSet<ProductKind> = new.iter().map(|product| product.kind).collect();
    let kinds: Vec<&str> = kinds.difference(&known).map(|kind| kind.label()).collect();
    let today = organisation(tx).await?.zone.date(now);
    let announcement = AnnouncementRecord {
        id: AnnouncementId(id),
        made_at: now,
        made_by: "Nightshift".to_owned(),
        title: match &new[..] {
            [one] => format!("New in the portfolio: {} {}", one.vendor, one.name),
            several => format!("{} products are new in the portfolio", several.len()),
        },
        text: news(&new, &kinds, before.is_empty()),
        until: today.checked_add_days(Days::new(DAYS_OF_NEWS)),
    };
    Ok(tx.add_announcement(&announcement).await?)
}

fn news(new: &[&ProductRecord], kinds: &[&str], is_first: bool) -> String {
    let mut sentences = Vec::new();
    let named = new.iter().map(|product| format!("{} {}", product.vendor, product.name));
    match new.len() {
        1 => {}
        number if number <= NAMED => sentences.push(format!("They are {}.", listed(named.collect()))),
        number => {
            let mut some: Vec<String> = named.take(NAMED).collect();
            some.push(format!("{} more", number - NAMED));
            sentences.push(format!("Among them are {}.", listed(some)));
        }
    }
    // In the first catalogue every kind is new.
    if !kinds.is_empty() && !is_first {
        sentences.push(format!("A new kind is covered: {}.", kinds.join(", ")));
    }
    sentences.join(" ")
}

/// `a, b and c`.
fn listed(mut names: Vec<String>) -> String {
    match names.pop() {
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} and {last}", names.join(", ")),
        None => String::new(),
    }
}

fn missing() -> ServiceError {
    ServiceError::not_found("This announcement")
}

fn facts(announcement: &AnnouncementRecord) -> serde_json::Value {
    json!({ "title": announcement.title, "text": announcement.text, "until": announcement.until })
}

fn entry(actor: &Actor, action: &'static str, announcement: &AnnouncementRecord, summary: String) -> AuditEntry {
    actor.entry(action, "announcement", announcement.id, summary)
}
