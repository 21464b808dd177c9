//! The list of programs that a device sends, which does not fit into its facts (`docs/devices.md` 4).
//!
//! The newest list is kept, and how it differs from the one before: [`take`]. A room's checks go by it: [`with_additional_software`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::readiness::facts::{Fact, Facts, Told};
use crate::text::counted;

/// The most programs in a list.
pub const MOST_PROGRAMS: usize = 5_000;
/// The most characters of a name, a version, a publisher or a source.
pub const MOST_CHARACTERS: usize = 256;

/// What a fact that follows from a list goes by (`docs/devices.md` 4).
const INVENTORY: &str = "inventory";
/// A device that has told its additional software so much later than its programs has stopped sending those.
const LISTS_ENDED_AFTER: TimeDelta = TimeDelta::hours(24);

/// A program on a device, as the device names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Program {
    pub name: String,
    /// May be empty.
    pub version: String,
    /// May be empty.
    pub publisher: String,
    /// Where the device found it, such as `msi`; may be empty.
    pub source: String,
}

/// The programs on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramList {
    pub taken_at: DateTime<Utc>,
    /// In the order of their names, each once.
    pub programs: Vec<Program>,
}

/// How a list differs from the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProgramChange {
    pub name: String,
    /// `None`: it was not there. Empty: it had no version.
    pub before: Option<String>,
    /// `None`: it is gone.
    pub after: Option<String>,
}

/// What a list makes of what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenPrograms {
    pub list: ProgramList,
    /// By name. Empty: nothing has changed, or it is the first list.
    pub changes: Vec<ProgramChange>,
}

/// Why a list is not taken. Nothing of it is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramListRefusal {
    /// More than [`MOST_PROGRAMS`].
    #[error("programs has {found} entries; a list has at most {MOST_PROGRAMS}")]
    TooMany { found: usize },
    #[error("programs[{index}].name is missing; every program has a name")]
    NoName {
        /// From 0.
        index: usize,
    },
    /// More than [`MOST_CHARACTERS`].
    #[error("programs[{index}].{field} is too long; it has at most {MOST_CHARACTERS} characters")]
    TooLong {
        /// From 0.
        index: usize,
        field: &'static str,
    },
}

/// Takes a list. `None`: it is older than the one that is known, which stays. A clock that is ahead makes no list younger than `now`.
///
/// # Errors
/// The list breaks a limit.
pub fn take(
    known: Option<&ProgramList>,
    list: ProgramList,
    now: DateTime<Utc>,
) -> Result<Option<TakenPrograms>, ProgramListRefusal> {
    let found = list.programs.len();
    if found > MOST_PROGRAMS {
        return Err(ProgramListRefusal::TooMany { found });
    }
    let programs = list.programs.into_iter().enumerate();
    let programs = programs.map(|(index, program)| cleaned(index, program));
    let programs: BTreeSet<Program> = programs.collect::<Result<_, _>>()?;
    let list = ProgramList {
        taken_at: list.taken_at.min(now),
        programs: programs.into_iter().collect(),
    };
    if known.is_some_and(|known| known.taken_at > list.taken_at) {
        return Ok(None);
    }
    let changes = known.map(|known| changes(&known.programs, &list.programs));
    Ok(Some(TakenPrograms {
        list,
        changes: changes.unwrap_or_default(),
    }))
}

/// The facts of a device that has sent a list: its additional software is all names in it, of which the profile and reviews take off what
/// belongs there (C1). What the device itself calls additional counts only if it has stopped sending lists.
#[must_use]
pub fn with_additional_software(mut facts: Facts, list: &ProgramList) -> Facts {
    let told = facts.additional_software.as_ref();
    let reported_at = told.and_then(|fact| fact.told.reported_at);
    if reported_at.is_some_and(|at| at - list.taken_at > LISTS_ENDED_AFTER) {
        return facts;
    }
    let names: BTreeSet<&String> = list.programs.iter().map(|program| &program.name).collect();
    facts.additional_software = Some(Fact {
        told: Told {
            attribute: INVENTORY,
            text: format!("a list of {}", counted(list.programs.len(), "program")),
            reported_at: Some(list.taken_at),
        },
        value: names.into_iter().cloned().collect(),
    });
    facts
}

fn cleaned(index: usize, program: Program) -> Result<Program, ProgramListRefusal> {
    let text = |field: &'static str, text: &str| {
        // Postgres has no way to keep a NUL in text.
        let text = text.replace('\0', "").trim().to_owned();
        if text.chars().count() > MOST_CHARACTERS {
            return Err(ProgramListRefusal::TooLong { index, field });
        }
        Ok(text)
    };
    let program = Program {
        name: text("name", &program.name)?,
        version: text("version", &program.version)?,
        publisher: text("publisher", &program.publisher)?,
        source: text("source", &program.source)?,
    };
    if program.name.is_empty() {
        return Err(ProgramListRefusal::NoName { index });
    }
    Ok(program)
}

/// Programs of the same name, publisher and source are one program with another version.
fn changes(before: &[Program], after: &[Program]) -> Vec<ProgramChange> {
    type Key<'a> = (&'a str, &'a str, &'a str);
    let (old, new): (BTreeSet<&Program>, BTreeSet<&Program>) = (before.iter().collect(), after.iter().collect());
    let mut by_program: BTreeMap<Key<'_>, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for gone in old.difference(&new) {
        let versions = by_program
            .entry((&gone.name, &gone.publisher, &gone.source))
            .or_default();
        versions.0.push(&gone.version);
    }
    for come in new.difference(&old) {
        let versions = by_program
            .entry((&come.name, &come.publisher, &come.source))
            .or_default();
        versions.1.push(&come.version);
    }
    let mut changes = Vec::new();
    for ((name, ..), (gone, come)) in by_program {
        let most = gone.len().max(come.len());
        let version = |versions: &[&str], at: usize| versions.get(at).map(|version| (*version).to_owned());
        changes.extend((0..most).map(|at| ProgramChange {
            name: name.to_owned(),
            before: version(&gone, at),
            after: version(&come, at),
        }));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::examples::instant;

    fn program(name: &str, version: &str) -> Program {
        Program {
            name: name.to_owned(),
            version: version.to_owned(),
            publisher: "Contoso".to_owned(),
            source: "msi".to_owned(),
        }
    }

    fn list(at: &str, programs: &[(&str, &str)]) -> ProgramList {
        ProgramList {
            taken_at: instant(at),
            programs: programs.iter().map(|(name, version)| program(name, version)).collect(),
        }
    }

    fn change(name: &str, before: Option<&str>, after: Option<&str>) -> ProgramChange {
        ProgramChange {
            name: name.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }
    }

    #[test]
    fn the_newest_list_is_kept_with_how_it_differs_from_the_one_before_ddi_4() {
        let first = take(
            None,
            list("00:10", &[("B", "1"), ("A", "1"), ("A", "1")]),
            instant("00:11"),
        );
        let first = first.expect("a list").expect("the first one");
        assert_eq!(
            first.list,
            list("00:10", &[("A", "1"), ("B", "1")]),
            "by name, each once"
        );
        assert_eq!(first.changes, [], "the first list is no change");
        let next = list("01:00", &[("A", "2"), ("C", "")]);
        let next = take(Some(&first.list), next, instant("01:00"));
        let next = next.expect("a list").expect("a newer one");
        let expected = [
            change("A", Some("1"), Some("2")),
            change("B", Some("1"), None),
            change("C", None, Some("")),
        ];
        assert_eq!(next.changes, expected);
        let late = take(Some(&next.list), first.list, instant("01:01"));
        assert_eq!(late, Ok(None), "a list that comes late changes nothing");
    }

    #[test]
    fn additional_software_follows_from_the_list_until_the_device_stops_sending_lists_c1() {
        let told = |at: &str| {
            let facts = [("readiness.additional_software".to_owned(), "Player".to_owned())];
            Facts::readable(facts.into(), |_| Some(instant(at)))
        };
        let names = |facts: Facts| facts.additional_software.map(|fact| (fact.value, fact.told.text));
        let list = list("00:10", &[("B", "1"), ("A", "1"), ("A", "2")]);
        let of_list = Some((vec!["A".to_owned(), "B".to_owned()], "a list of 3 programs".to_owned()));
        assert_eq!(names(with_additional_software(Facts::default(), &list)), of_list);
        assert_eq!(names(with_additional_software(told("23:59"), &list)), of_list);
        let older = ProgramList {
            taken_at: list.taken_at - TimeDelta::hours(25),
            ..list
        };
        let own = Some((vec!["Player".to_owned()], "Player".to_owned()));
        assert_eq!(names(with_additional_software(told("00:11"), &older)), own);
    }

    #[test]
    fn a_clock_that_is_ahead_makes_no_list_younger_than_it_is() {
        let ahead = take(None, list("05:00", &[("A", "1")]), instant("01:00"));
        let ahead = ahead.expect("a list").expect("the first one").list;
        assert_eq!(ahead.taken_at, instant("01:00"));
        let next = take(Some(&ahead), list("02:00", &[]), instant("02:00"));
        assert!(next.expect("a list").is_some(), "a clock that is right again counts");
    }

    #[test]
    fn a_list_that_breaks_a_limit_is_refused_and_names_the_entry_g5() {
        let refused = |programs: Vec<Program>| {
            let list = ProgramList {
                taken_at: instant("00:10"),
                programs,
            };
            take(None, list, instant("00:11")).expect_err("a limit").to_string()
        };
        assert_eq!(
            refused(vec![program("A", "1"), program(" \0 ", "1")]),
            "programs[1].name is missing; every program has a name"
        );
        assert_eq!(
            refused(vec![program("A", &"é".repeat(MOST_CHARACTERS + 1))]),
            "programs[0].version is too long; it has at most 256 characters"
        );
        assert_eq!(
            refused(vec![program("A", "1"); MOST_PROGRAMS + 1]),
            "programs has 5001 entries; a list has at most 5000"
        );
    }
}
