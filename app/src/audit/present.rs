//! The audit in the words of its page (A3, P7).

use chrono::NaiveDate;
use domain::access::Act;
use serde_json::Value;
use service::read::audit::{AuditCursor, AuditFilter, AuditItem, AuditedObjects, FieldChange};
use service::read::{PageOf, ReadSnapshot};

use crate::audit::model::{AuditQuery, AuditRow, AuditView};
use crate::components::model::Choice;
use crate::context::{RequestContext, Result};
use crate::error::AppError;
use crate::formats;

impl RequestContext {
    /// A page of entries, newest first (A3, P7).
    ///
    /// # Errors
    /// Whoever asks may not see the audit, or a day of the address is none.
    pub async fn audit(&self, query: AuditQuery) -> Result<AuditView> {
        let mut snapshot = self.snapshot_for(Act::SeeAudit).await?;
        let (filter, page) = (audit_filter(&query)?, page_of(&query));
        let list = snapshot.audit_list(&filter, &page, formats::PAGE).await?;
        let kept = [
            ("who", query.who.as_str()),
            ("kind", &query.kind),
            ("object", &query.object),
            ("from", &query.from),
            ("until", &query.until),
        ];
        let pager = formats::paged("Newest first".to_owned(), &list.entries, |name, entry| {
            let place = format!("{}.{}", entry.at, entry.id);
            formats::query(&[&kept[..], &[(name, place.as_str())]].concat())
        });
        let entries = list.entries.items.into_iter();
        Ok(AuditView {
            rows: entries.map(|entry| row(&snapshot, entry)).collect(),
            actors: list.actors.into_iter().map(choice).collect(),
            kinds: list.kinds.into_iter().map(choice).collect(),
            zone: snapshot.organisation.zone.city(),
            export: format!("/audit.csv?{}", formats::query(&kept)),
            pager,
        })
    }
}

/// The entries that an address asks for, on all pages.
///
/// # Errors
/// A day is none, or an object has no kind.
pub fn audit_filter(query: &AuditQuery) -> Result<AuditFilter> {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let about = match (some(&query.kind), some(&query.object)) {
        (Some(kind), id) => Some(AuditedObjects { kind, id }),
        (None, None) => None,
        (None, Some(_)) => {
            let problem = "missing; an object is looked up by its kind and its id";
            return Err(AppError::invalid("kind", problem));
        }
    };
    Ok(AuditFilter {
        actor: some(&query.who),
        about,
        from: day("from", &query.from)?,
        until: day("until", &query.until)?,
    })
}

fn day(field: &str, text: &str) -> Result<Option<NaiveDate>> {
    if text.is_empty() {
        return Ok(None);
    }
    formats::parsed_day(field, text).map(Some)
}

fn page_of(query: &AuditQuery) -> PageOf<AuditCursor> {
    match (position(&query.after), position(&query.before)) {
        (_, Some(entry)) => PageOf::Before(entry),
        (Some(entry), None) => PageOf::After(entry),
        (None, None) => PageOf::First,
    }
}

/// `at.id`.
fn position(text: &str) -> Option<AuditCursor> {
    let (at, id) = text.split_once('.')?;
    Some(AuditCursor {
        at: at.parse().ok()?,
        id: id.parse().ok()?,
    })
}

fn row(snapshot: &ReadSnapshot, entry: AuditItem) -> AuditRow {
    let facts = entry.changes().into_iter().map(changed).collect();
    AuditRow {
        at: formats::instant(entry.at, &snapshot.organisation.zone, snapshot.now),
        about: (!entry.object_id.is_empty()).then(|| about(&entry.object_kind, &entry.object_id)),
        actor: entry.actor,
        address: entry.address,
        summary: entry.summary,
        object: entry.object_kind,
        facts,
    }
}

/// `role: auditor (was helpdesk)`.
fn changed(change: FieldChange) -> String {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let field = change.field;
    match (change.before.map(text), change.after.map(text)) {
        (Some(before), Some(after)) => format!("{field}: {after} (was {before})"),
        (None, Some(after)) => format!("{field}: {after}"),
        (Some(before), None) => format!("{field}: none any more (was {before})"),
        (None, None) => String::new(),
    }
}

/// Everything about one object.
fn about(kind: &str, id: &str) -> String {
    format!("/audit?{}", formats::query(&[("kind", kind), ("object", id)]))
}

fn choice(word: String) -> Choice {
    Choice {
        label: word.clone(),
        value: word,
    }
}
