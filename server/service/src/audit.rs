//! The chain of the audit (A3). Its pages and its file are in `read/audit.rs`.
//!
//! Each entry gets a place and a hash over itself and the hash before it, within a second. Whoever changes or takes out an entry
//! behind the program's back breaks the chain from there on, and `nightshift check` says where. The database refuses that as
//! well; the chain is for those who can lift it. Where it ends is noted beside it, so that entries cut off at its end are missed as
//! well. What it cannot show: an end that was computed anew, note included. The log has the hash of each end; a log or an export that is
//! kept elsewhere is the witness.

use chrono::TimeDelta;
use domain::check::Finding;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{AuditFacts, Tx};

use crate::error::{Result, ServiceError};
use crate::{Service, artifacts};

/// Entries in one transaction.
const BATCH: i64 = 500;
/// Where the end of the chain is kept beside it: `place hash`.
const HEAD: &str = "audit.head";
/// The law's letter in findings, beside those of the planner.
const LAW: char = 'Z';

impl Service {
    /// Seals what is not sealed yet.
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
