//! The audit.

use domain::access::Act;
use service::audit::{AuditQuery as Wanted, changes};
use service::store::AuditFacts;

use crate::audit::model::{AuditQuery, AuditRow, AuditView};
use crate::components::model::{Choice, Pager};
use crate::context::{PAGE, RequestContext, Result};
use crate::formats;

impl RequestContext {
    /// A page of entries, newest first (A3, P7).
    ///
    /// # Errors
    /// Whoever asks may not see the audit, a day is none, or the database fails.
    pub async fn audit(&self, query: AuditQuery) -> Result<AuditView> {
        let mut snapshot = self.snapshot_for(Act::SeeAudit).await?;
        let zone = snapshot.organisation.zone.clone();
        let wanted = Wanted {
            who: query.who.clone(),
            kind: query.kind.clone(),
            object: query.object.clone(),
            from: query.from.clone(),
            until: query.until.clone(),
        };
        let mut filter = wanted.filter(&zone)?;
        (filter.older_than, filter.newer_than) = (position(&query.after), position(&query.before));
        let ends = (filter.older_than.is_some(), filter.newer_than.is_some());
        let mut entries = snapshot.tx.audit_page(&filter, PAGE + 1).await?;
        let more = crate::rooms::present::cut(&mut entries, ends.1);
        let rows = entries
            .iter()
            .map(|entry| {
                Ok(AuditRow {
                    at: formats::instant(entry.instant()?, &zone, snapshot.now),
                    actor: entry.actor.clone(),
                    address: entry.address.clone(),
                    summary: entry.summary.clone(),
                    object: entry.object_kind.clone(),
                    about: (!entry.object_id.is_empty()).then(|| about(&entry.object_kind, &entry.object_id)),
                    facts: changes(entry),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let choices = |words: Vec<String>| {
            let choices = words.into_iter().map(|word| Choice {
                label: word.clone(),
                value: word,
            });
            choices.collect()
        };
        let kept = [
            ("who", query.who.as_str()),
            ("kind", &query.kind),
            ("object", &query.object),
            ("from", &query.from),
            ("until", &query.until),
        ];
        Ok(AuditView {
            rows,
            actors: choices(snapshot.tx.audit_actors().await?),
            kinds: choices(snapshot.tx.audit_kinds().await?),
            zone: zone.city(),
            export: format!("/audit.csv?{}", formats::query(&kept)),
            pager: pager(&entries, ends, more, &kept),
        })
    }
}

/// Everything about one object.
fn about(kind: &str, id: &str) -> String {
    format!("/audit?{}", formats::query(&[("kind", kind), ("object", id)]))
}

/// `at.id`.
fn position(text: &str) -> Option<(i64, i64)> {
    let (at, id) = text.split_once('.')?;
    Some((at.parse().ok()?, id.parse().ok()?))
}

fn pager(entries: &[AuditFacts], (older, newer): (bool, bool), more: bool, kept: &[(&str, &str)]) -> Pager {
    let at = |name: &str, entry: &AuditFacts| {
        let (at, id) = entry.position();
        formats::query(&[kept, &[(name, format!("{at}.{id}").as_str())]].concat())
    };
    let has_previous = if newer { more } else { older };
    let has_next = newer || more;
    Pager {
        text: "Newest first".to_owned(),
        previous: entries
            .first()
            .filter(|_| has_previous)
            .map(|first| at("before", first)),
        next: entries.last().filter(|_| has_next).map(|last| at("after", last)),
    }
}
