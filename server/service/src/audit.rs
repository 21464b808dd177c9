//! The audit (A3): its chain, its pages as a file, and which entries somebody wants.
//!
//! Each entry gets a place and a hash over itself and the hash before it, within a second. Whoever changes or takes out an entry
//! behind the program's back breaks the chain from there on, and `nightshift check` says where. The database refuses that as
//! well; the chain is for those who can lift it. Where it ends is noted beside it, so that entries cut off at its end are missed as
//! well. What it cannot show: an end that was computed anew, note included. The log has the hash of each end; a log or an export that is
//! kept elsewhere is the witness.

use chrono::{NaiveDate, SecondsFormat, TimeDelta};
use domain::access::Act;
use domain::check::Finding;
use domain::freeze::check_date;
use domain::zone::Zone;
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::{AuditFacts, AuditFilter, Tx};

use crate::error::{Result, ServiceError};
use crate::spreadsheet::CsvStream;
use crate::tick::organisation;
use crate::{Actor, Service, artifacts, spreadsheet};

/// Entries in one transaction.
const BATCH: i64 = 500;
/// Where the end of the chain is kept beside it: `place hash`.
const HEAD: &str = "audit.head";
/// The law's letter in findings, beside those of the planner.
const LAW: char = 'Z';

/// Which entries somebody wants to see, as the address has it. Empty: all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    /// Of whom.
    pub who: String,
    /// About what kind of object.
    pub kind: String,
    /// About which one of that kind.
    pub object: String,
    /// First day, in the organisation's zone: `2026-03-01`.
    pub from: String,
    /// Last day.
    pub until: String,
}

impl AuditQuery {
    /// As the store takes it.
    ///
    /// # Errors
    /// A day is none, or an object has no kind.
    pub fn filter(&self, zone: &Zone) -> Result<AuditFilter> {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        if self.kind.is_empty() && !self.object.is_empty() {
            return Err(ServiceError::invalid(
                "kind",
                "missing; an object is looked up by its kind and its id",
            ));
        }
        for (field, text) in [("who", &self.who), ("kind", &self.kind), ("object", &self.object)] {
            if text.contains('\0') {
                return Err(ServiceError::invalid(field, "has characters that cannot be shown"));
            }
        }
        let from = day("from", &self.from)?;
        let until = day("until", &self.until)?.and_then(|day| day.succ_opt());
        Ok(AuditFilter {
            actor: some(&self.who),
            object_kind: some(&self.kind),
            object_id: some(&self.object),
            from: from.map(|day| zone.start_of(day)),
            until: until.map(|day| zone.start_of(day)),
            ..AuditFilter::default()
        })
    }
}

fn day(field: &'static str, text: &str) -> Result<Option<NaiveDate>> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| ServiceError::invalid(field, format!("{text:?} is not a date; write it like 2026-03-01")))?;
    check_date(day).map_err(|error| ServiceError::invalid(field, error.to_string()))?;
    Ok(Some(day))
}

impl Service {
    /// The audit as a comma-separated file (A3). Each part is a query of its own: nobody waits for a long export, and nothing is
    /// held in memory.
    ///
    /// # Errors
    /// The actor may not see the audit, or a day is none.
    pub async fn export_audit(&self, actor: &Actor, query: &AuditQuery) -> Result<CsvStream> {
        actor.may(Act::SeeAudit)?;
        let zone = organisation(&mut self.store.read().await?).await?.zone;
        let filter = query.filter(&zone)?;
        let head = futures::stream::once(async { spreadsheet::lines(&[COLUMNS.map(str::to_owned).to_vec()]) });
        let service = self.clone();
        let parts = futures::stream::try_unfold((service, Some(filter)), |(service, filter)| async move {
            let Some(filter) = filter else {
                return Ok(None);
            };
            let entries = service.store.read().await?.audit_page(&filter, BATCH).await?;
            let rows = entries.iter().map(cells).collect::<Result<Vec<_>>>()?;
            let is_full = i64::try_from(entries.len()).is_ok_and(|found| found == BATCH);
            let rest = entries.last().filter(|_| is_full).map(|last| AuditFilter {
                older_than: Some(last.position()),
                ..filter
            });
            Ok(Some((spreadsheet::lines(&rows)?, (service, rest))))
        });
        Ok(Box::pin(head.chain(parts)))
    }

    /// Seals what is not sealed yet.
    ///
    /// # Errors
    /// The database fails.
    pub async fn seal_audit(&self) -> Result<()> {
        loop {
            if self.store.read().await?.unsealed(1).await?.is_empty() {
                return Ok(());
            }
            let sealed = store::write!(self.store, tx => {
                if !tx.try_seal_lock().await? {
                    return Ok::<_, ServiceError>(None);
                }
                let (mut place, mut last) = tx.last_sealed().await?.unwrap_or_default();
                if let Some((noted, hash)) = head(tx).await?.filter(|(noted, _)| *noted > place) {
                    // Entries were cut off. Going on behind them leaves the gap for `check` to find.
                    tracing::error!(ended = noted, ends = place, "entries are missing at the end of the audit");
                    (place, last) = (noted, hash);
                }
                let entries = tx.unsealed(BATCH).await?;
                for entry in &entries {
                    place += 1;
                    last = hash(place, entry, &last);
                    tx.seal(entry.id, place, &last).await?;
                }
                if entries.is_empty() {
                    return Ok(None);
                }
                tx.put_program_value(HEAD, &format!("{place} {last}")).await?;
                Ok(Some((place, last, i64::try_from(entries.len()).unwrap_or(i64::MAX))))
            })?;
            let Some((place, hash, entries)) = sealed else {
                return Ok(());
            };
            // Whoever keeps the log elsewhere has a witness of the chain there.
            tracing::info!(place, hash, "the audit is sealed");
            if entries < BATCH {
                return Ok(());
            }
        }
    }

    /// Entries that break the chain, or have waited too long to be sealed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn check_audit(&self) -> Result<Vec<Finding>> {
        let mut tx = self.store.read().await?;
        let mut findings = Vec::new();
        let mut find = |what: String| findings.push(Finding { law: LAW, what });
        let noted = head(&mut tx).await?;
        let (mut place, mut last) = (0, String::new());
        loop {
            let entries = tx.chain(place, BATCH).await?;
            if entries.is_empty() {
                break;
            }
            for entry in entries {
                let (found, kept) = (
                    entry.sequence.unwrap_or_default(),
                    entry.hash.clone().unwrap_or_default(),
                );
                if found != place + 1 {
                    find(format!("audit entries {} to {} are gone", place + 1, found - 1));
                } else if noted.as_ref().is_some_and(|(end, hash)| *end == found && *hash != kept) {
                    find(format!(
                        "audit entry {found} ({}) is not the one that was sealed",
                        entry.summary
                    ));
                } else if kept != hash(found, &entry, &last) {
                    find(format!(
                        "audit entry {found} ({}) or the one before it was changed",
                        entry.summary
                    ));
                }
                (place, last) = (found, kept);
            }
        }
        match noted {
            None if place > 0 => find("the note of where the audit's chain ends is gone".to_owned()),
            Some((noted, _)) if noted > place => find(format!(
                "the audit's chain ends with entry {place}, and ended with entry {noted} when it was sealed"
            )),
            None | Some(_) => {}
        }
        for id in tx.half_sealed().await? {
            find(format!("audit entry {id} was put beside the chain"));
        }
        let late = (self.clock.now() - TimeDelta::minutes(5)).timestamp_micros();
        for entry in tx.unsealed(BATCH).await?.into_iter().filter(|entry| entry.at < late) {
            find(format!(
                "audit entry {} ({}) has not been sealed for minutes",
                entry.id, entry.summary
            ));
        }
        Ok(findings)
    }
}

/// Where the chain ended when it was last sealed: the place and the hash.
async fn head(tx: &mut Tx) -> Result<Option<(i64, String)>> {
    let noted = tx.program_value(HEAD).await?;
    Ok(noted.and_then(|noted| {
        let (place, hash) = noted.split_once(' ')?;
        Some((place.parse().ok()?, hash.to_owned()))
    }))
}

/// What an entry changed, field by field; what stayed as it was is left out.
#[must_use]
pub fn changes(entry: &AuditFacts) -> Vec<String> {
    let fields = |value: Option<&Value>| match value {
        Some(Value::Object(fields)) => fields.clone(),
        Some(Value::Null) | None => serde_json::Map::new(),
        Some(other) => serde_json::Map::from_iter([("value".to_owned(), other.clone())]),
    };
    let before = fields(entry.before.as_ref().map(|before| &before.0));
    let after = fields(entry.after.as_ref().map(|after| &after.0));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let names = after
        .keys()
        .chain(before.keys().filter(|name| !after.contains_key(*name)));
    names
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) => format!("{name}: {} (was {})", text(after), text(before)),
            (None, Some(after)) => format!("{name}: {}", text(after)),
            (Some(before), None) => format!("{name}: none any more (was {})", text(before)),
            (None, None) => String::new(),
        })
        .collect()
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

fn cells(entry: &AuditFacts) -> Result<Vec<String>> {
    Ok(vec![
        entry.instant()?.to_rfc3339_opts(SecondsFormat::Micros, true),
        entry.actor.clone(),
        entry.address.clone(),
        entry.action.clone(),
        entry.object_kind.clone(),
        entry.object_id.clone(),
        entry.summary.clone(),
        entry
            .before
            .as_ref()
            .map_or_else(String::new, |before| before.0.to_string()),
        entry
            .after
            .as_ref()
            .map_or_else(String::new, |after| after.0.to_string()),
        entry.sequence.map_or_else(String::new, |sequence| sequence.to_string()),
        entry.hash.clone().unwrap_or_default(),
    ])
}

/// SHA-256 over everything that an entry says, its place, and the hash before it.
fn hash(place: i64, entry: &AuditFacts, before: &str) -> String {
    let content = json!([
        place,
        before,
        entry.at,
        entry.actor,
        entry.address,
        entry.action,
        entry.object_kind,
        entry.object_id,
        entry.summary,
        entry.before.as_ref().map(|before| &before.0),
        entry.after.as_ref().map(|after| &after.0),
    ]);
    artifacts::hex(&Sha256::digest(content.to_string().as_bytes()))
}
