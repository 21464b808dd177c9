//! The audit as pages, exports and programs read it (A3, P7).
//!
//! Start with [`ReadSnapshot::audit_list`] and [`Service::audit_entries`]. How entries are sealed into their chain is in `audit.rs`.

use std::pin::Pin;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use domain::access::Act;
use domain::freeze::check_date;
use domain::zone::Zone;
use futures::{Stream, TryStreamExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::AuditFacts;

use super::{Page, PageOf, ReadSnapshot};
use crate::error::{Result, ServiceError};
use crate::spreadsheet::{self, CsvStream};
use crate::tick::organisation;
use crate::{Actor, Service};

/// Entries in one part of an export.
const BATCH: i64 = 500;

/// Which entries somebody wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFilter {
    /// Of whom, as the audit names them; `None`: of everybody.
    pub actor: Option<String>,
    /// About what; `None`: about everything.
    pub about: Option<AuditedObjects>,
    /// First day, in the organisation's zone.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub until: Option<NaiveDate>,
}

/// What entries are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditedObjects {
    /// `room`, `update`, `ring` …
    pub kind: String,
    /// One of that kind; `None`: all of them.
    pub id: Option<String>,
}

impl AuditFilter {
    /// As the store takes it.
    fn stored(&self, page: &PageOf<AuditCursor>, zone: &Zone) -> Result<store::AuditFilter> {
        let kind = self.about.as_ref().map(|about| &about.kind);
        let object = self.about.as_ref().and_then(|about| about.id.as_ref());
        for (field, text) in [("who", self.actor.as_ref()), ("kind", kind), ("object", object)] {
            if text.is_some_and(|text| text.contains('\0')) {
                return Err(ServiceError::invalid(field, "has characters that cannot be shown"));
            }
        }
        for (field, day) in [("from", self.from), ("until", self.until)] {
            if let Some(day) = day {
                check_date(day).map_err(|error| ServiceError::invalid(field, error.to_string()))?;
            }
        }
        let position = |entry: &AuditCursor| (entry.at, entry.id);
        let after_until = self.until.and_then(|day| day.succ_opt());
        Ok(store::AuditFilter {
            actor: self.actor.clone(),
            object_kind: kind.cloned(),
            object_id: object.cloned(),
            from: self.from.map(|day| zone.start_of(day)),
            until: after_until.map(|day| zone.start_of(day)),
            older_than: page.after().map(position),
            newer_than: page.before().map(position),
        })
    }
}

/// Where an entry stands among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditCursor {
    /// Microseconds since 1970.
    pub at: i64,
    /// The entry's number.
    pub id: i64,
}

impl AuditCursor {
    fn of(entry: &AuditFacts) -> Self {
        let (at, id) = entry.position();
        Self { at, id }
    }
}

/// An entry of the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditItem {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who: a person, `command line`, or a rule.
    pub actor: String,
    /// From where; empty for the program itself.
    pub address: String,
    /// What, as a word: `rollout.paused`.
    pub action: String,
    /// `room`, `update`, `ring` …
    pub object_kind: String,
    /// Which one; empty: the entry is about no single one.
    pub object_id: String,
    /// What, in one sentence.
    pub summary: String,
    /// What was there.
    pub before: Option<Value>,
    /// What was there after it.
    pub after: Option<Value>,
    /// Its place in the chain; `None`: it is not sealed yet.
    pub sequence: Option<i64>,
    /// Its hash in the chain.
    pub hash: Option<String>,
}

/// A field that an entry has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Which.
    pub field: String,
    /// `None`: it was not there.
    pub before: Option<Value>,
    /// `None`: it is not there any more.
    pub after: Option<Value>,
}

impl TryFrom<AuditFacts> for AuditItem {
    type Error = ServiceError;

    fn try_from(entry: AuditFacts) -> Result<Self> {
        Ok(Self {
            at: entry.instant()?,
            id: entry.id,
            actor: entry.actor,
            address: entry.address,
            action: entry.action,
            object_kind: entry.object_kind,
            object_id: entry.object_id,
            summary: entry.summary,
            before: entry.before.map(|before| before.0),
            after: entry.after.map(|after| after.0),
            sequence: entry.sequence,
            hash: entry.hash,
        })
    }
}

impl AuditItem {
    /// What the entry changed, field by field; what stayed as it was is left out.
    #[must_use]
    pub fn changes(&self) -> Vec<FieldChange> {
        let fields = |value: Option<&Value>| match value {
            Some(Value::Object(fields)) => fields.clone(),
            Some(Value::Null) | None => serde_json::Map::new(),
            Some(other) => serde_json::Map::from_iter([("value".to_owned(), other.clone())]),
        };
        let (before, after) = (fields(self.before.as_ref()), fields(self.after.as_ref()));
        let names = after
            .keys()
            .chain(before.keys().filter(|name| !after.contains_key(*name)));
        names
            .filter(|name| before.get(*name) != after.get(*name))
            .map(|name| FieldChange {
                field: name.clone(),
                before: before.get(name).cloned(),
                after: after.get(name).cloned(),
            })
            .collect()
    }
}

/// A page of the audit, with what it can be narrowed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditList {
    /// Newest first.
    pub entries: Page<AuditItem, AuditCursor>,
    /// Of whom there are entries.
    pub actors: Vec<String>,
    /// About what kinds of objects there are entries.
    pub kinds: Vec<String>,
}

/// Some entries after the others, as they are read.
type AuditStream = Pin<Box<dyn Stream<Item = Result<Vec<AuditItem>>> + Send>>;

impl ReadSnapshot {
    /// A page of at most `limit` entries.
    ///
    /// # Errors
    /// A day is out of range, or a word cannot be shown.
    pub async fn audit_list(
        &mut self,
        filter: &AuditFilter,
        page: &PageOf<AuditCursor>,
        limit: i64,
    ) -> Result<AuditList> {
        let stored = filter.stored(page, &self.organisation.zone)?;
        let entries = self.tx.audit_page(&stored, limit + 1).await?;
        let Page { items, previous, next } = Page::cut(entries, page, limit, AuditCursor::of);
        Ok(AuditList {
            entries: Page {
                items: items.into_iter().map(AuditItem::try_from).collect::<Result<_>>()?,
                previous,
                next,
            },
            actors: self.tx.audit_actors().await?,
            kinds: self.tx.audit_kinds().await?,
        })
    }
}

impl Service {
    /// The entries, newest first, some at a time. Each part is a query of its own: nobody waits for a long export, and nothing is held
    /// in memory.
    ///
    /// # Errors
    /// The actor may not see the audit, a day is out of range, or a word cannot be shown.
    pub async fn audit_entries(&self, actor: &Actor, filter: &AuditFilter) -> Result<AuditStream> {
        actor.may(Act::SeeAudit)?;
        let zone = organisation(&mut self.store.read().await?).await?.zone;
        let stored = filter.stored(&PageOf::First, &zone)?;
        let service = self.clone();
        let parts = futures::stream::try_unfold((service, Some(stored)), |(service, filter)| async move {
            let Some(filter) = filter else {
                return Ok(None);
            };
            let entries = service.store.read().await?.audit_page(&filter, BATCH).await?;
            let is_full = i64::try_from(entries.len()).is_ok_and(|found| found == BATCH);
            let rest = entries.last().filter(|_| is_full).map(|last| store::AuditFilter {
                older_than: Some(last.position()),
                ..filter
            });
            let entries = entries.into_iter().map(AuditItem::try_from);
            let entries = entries.collect::<Result<Vec<_>>>()?;
            Ok(Some((entries, (service, rest))))
        });
        Ok(Box::pin(parts))
    }

    /// The audit as a comma-separated file (A3).
    ///
    /// # Errors
    /// As [`Service::audit_entries`].
    pub async fn export_audit(&self, actor: &Actor, filter: &AuditFilter) -> Result<CsvStream> {
        let entries = self.audit_entries(actor, filter).await?;
        let rows = entries.map_ok(|entries| entries.into_iter().map(cells).collect());
        Ok(spreadsheet::file(&COLUMNS, rows))
    }
}

/// The columns of an export.
const COLUMNS: [&str; 11] = [
    "at",
    "actor",
    "address",
    "action",
    "object_kind",
    "object_id",
    "summary",
    "before",
    "after",
    "sequence",
    "hash",
];

fn cells(entry: AuditItem) -> Vec<String> {
    let json = |value: Option<Value>| value.map_or_else(String::new, |value| value.to_string());
    vec![
        entry.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        entry.actor,
        entry.address,
        entry.action,
        entry.object_kind,
        entry.object_id,
        entry.summary,
        json(entry.before),
        json(entry.after),
        entry.sequence.map_or_else(String::new, |sequence| sequence.to_string()),
        entry.hash.unwrap_or_default(),
    ]
}
