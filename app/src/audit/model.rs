//! The audit (A3).

use serde::{Deserialize, Serialize};

use crate::components::model::{Choice, Pager, TimeText};

/// An audit entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// When.
    pub at: TimeText,
    /// Who: a person or a rule.
    pub actor: String,
    /// From where; empty for the program itself.
    pub address: String,
    /// What, in one sentence.
    pub summary: String,
    /// `room`, `update`, `ring` …
    pub object: String,
    /// Everything about this object: an address; `None`: the entry is about no single one.
    pub about: Option<String>,
    /// What was there before and what is there after it, by field: `role: helpdesk, before: auditor`.
    pub facts: Vec<String>,
}

/// Filters of the audit, as in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    /// Of whom; empty: of everybody.
    pub who: String,
    /// About what kind of object; empty: about all.
    pub kind: String,
    /// About which one of that kind; empty: about all.
    pub object: String,
    /// First day, `2026-03-01`.
    pub from: String,
    /// Last day.
    pub until: String,
    /// Older than this entry: `at.id`.
    pub after: String,
    /// Newer than this entry.
    pub before: String,
}

/// The audit, read side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditView {
    /// Newest first.
    pub rows: Vec<AuditRow>,
    /// Of whom there are entries.
    pub actors: Vec<Choice>,
    /// About what there are entries.
    pub kinds: Vec<Choice>,
    /// The zone of the days in the filters.
    pub zone: String,
    /// Where the same entries are as a file.
    pub export: String,
    /// Pages.
    pub pager: Pager,
}
