//! How long a version is supported (L1, L2, L3): by its age and by how many newer releases there are.
//!
//! Everything is judged as it was known on the date asked: releases dated later do not exist yet, and a recall counts from its day
//! on. Which products have a lifecycle policy is not decided here. Start with [`support_of`].

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::version::{VersionLine, VersionScheme};

mod group;
#[cfg(test)]
mod tests;

pub use group::{ENDING_DAYS, SupportGroup, SupportOrder};

/// So many months after its release a version is supported; fixed (L1).
pub const MONTHS_OF_SUPPORT: u32 = 12;

/// So many newer releases, or lines, a supported version may have; fixed (L1, L3).
pub const NEWER_ALLOWED: usize = 2;

/// What counts as newer (L3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountingRule {
    /// Every release of a later date.
    #[default]
    Releases,
    /// Every higher line, major.minor, from its first release on.
    Lines,
}

impl CountingRule {
    /// Every rule, the default first.
    pub const ALL: [Self; 2] = [Self::Releases, Self::Lines];

    /// The word in settings and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Releases => "releases",
            Self::Lines => "lines",
        }
    }

    /// The rule of a word that [`CountingRule::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == word)
    }
}

/// Whether a release was recalled (S10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recall {
    Never,
    /// From this day on.
    On(NaiveDate),
    /// On a day that nobody wrote down: it counts as recalled on every date.
    DayUnknown,
}

/// A release as the rules look at it.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// As the vendor writes it.
    pub version: &'a str,
    /// The day of its release; none where it is unknown or known by month only.
    pub released: Option<NaiveDate>,
    pub recall: Recall,
}

/// All releases of one product, in any order, and how they are compared and counted.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseHistory<'a> {
    pub releases: &'a [Release<'a>],
    /// How lines compare; releases are newer by their dates alone.
    pub scheme: &'a VersionScheme,
    pub rule: CountingRule,
}

/// Whether somebody still supports a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupportState {
    Supported,
    Unsupported,
    /// Its release has no date, or a date after the one asked.
    Unknown,
}

/// How a version stood on the date asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    /// The last supported day, as far as it was known; none where no end was known.
    pub last_day: Option<NaiveDate>,
    /// Releases of a later date, under either rule.
    pub newer_releases: usize,
    pub why: SupportReason,
}

/// Why a version was supported, or not: data, with its sentence in `text::lifecycle`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code", content = "facts")]
pub enum SupportReason {
    /// No day of its release is known, so nothing can be counted from it.
    Undated,
    /// On the date asked it did not exist yet.
    NotReleasedYet { released: NaiveDate },
    /// Nothing newer exists, so that no age ends its support (L2).
    Newest { released: NaiveDate },
    /// It is young enough, and few enough newer ones exist (L1).
    WithinLimits {
        released: NaiveDate,
        last_day: NaiveDate,
        /// Releases or lines, as the rule has it.
        newer: usize,
        rule: CountingRule,
    },
    /// Twelve months have passed (L1).
    TooOld { released: NaiveDate, last_day: NaiveDate },
    /// It was too old already, and nothing newer existed until this one came (L2).
    NewerAppeared { version: String, released: NaiveDate },
    /// The third newer release, or the first release of the third newer line, has come (L1, L3).
    ThirdNewer {
        version: String,
        released: NaiveDate,
        rule: CountingRule,
    },
}

impl SupportReason {
    /// What it means for the version.
    #[must_use]
    pub fn state(&self) -> SupportState {
        match self {
            Self::Undated | Self::NotReleasedYet { .. } => SupportState::Unknown,
            Self::Newest { .. } | Self::WithinLimits { .. } => SupportState::Supported,
            Self::TooOld { .. } | Self::NewerAppeared { .. } | Self::ThirdNewer { .. } => SupportState::Unsupported,
        }
    }
}

impl Support {
    /// Whether the version was supported.
    #[must_use]
    pub fn state(&self) -> SupportState {
        self.why.state()
    }

    fn unknown(why: SupportReason) -> Self {
        Self {
            last_day: None,
            newer_releases: 0,
            why,
        }
    }
}

/// Whether `version` was supported on `as_of`, as far as it was known on that date.
///
/// A recall of `version` itself changes nothing here: it is about newer releases only. S10 takes care of rooms that have it.
#[must_use]
pub fn support_of(version: &Release<'_>, history: &ReleaseHistory<'_>, as_of: NaiveDate) -> Support {
    let Some(released) = version.released else {
        return Support::unknown(SupportReason::Undated);
    };
    if released > as_of {
        return Support::unknown(SupportReason::NotReleasedYet { released });
    }
    let own = DatedRelease {
        version: version.version,
        released,
    };
    let counting = history.counting_on(as_of);
    let later: Vec<DatedRelease<'_>> = counting
        .iter()
        .filter(|other| other.released > released)
        .copied()
        .collect();
    let newer = match history.rule {
        CountingRule::Releases => later.clone(),
        CountingRule::Lines => first_of_higher_lines(own, &counting, history.scheme),
    };
    // The clause that ends support first wins. Both on one day: the age, for its day has been known since the release.
    let end = match (end_by_age(own, &later), end_by_number(&newer, history.rule)) {
        (Some(age), Some(number)) if number.last_day < age.last_day => Some(number),
        (Some(age), _) => Some(age),
        // L2 keeps the newest release from its age alone: by lines, three higher ones may have begun before it came out.
        (None, number) => number,
    };
    let why = match &end {
        None => SupportReason::Newest { released },
        // The third newer one exists already, so a day that is yet to come is always the end by age.
        Some(end) if as_of <= end.last_day => SupportReason::WithinLimits {
            released,
            last_day: end.last_day,
            newer: newer.len(),
            rule: history.rule,
        },
        Some(end) => end.why.clone(),
    };
    Support {
        last_day: end.map(|end| end.last_day),
        newer_releases: later.len(),
        why,
    }
}

/// A release that counts: it has a date.
#[derive(Clone, Copy)]
struct DatedRelease<'a> {
    version: &'a str,
    released: NaiveDate,
}

/// Where a clause ends the support of a version.
struct End {
    last_day: NaiveDate,
    why: SupportReason,
}

impl<'a> ReleaseHistory<'a> {
    /// What had been released by that date and was not recalled, the oldest first.
    fn counting_on(&self, as_of: NaiveDate) -> Vec<DatedRelease<'a>> {
        let is_recalled = |recall: Recall| match recall {
            Recall::Never => false,
            Recall::On(day) => day <= as_of,
            Recall::DayUnknown => true,
        };
        let known = self.releases.iter().filter(|release| !is_recalled(release.recall));
        let mut counting: Vec<DatedRelease<'a>> = known
            .filter_map(|release| {
                let released = release.released.filter(|day| *day <= as_of)?;
                let version = release.version;
                Some(DatedRelease { version, released })
            })
            .collect();
        counting.sort_by_key(|release| release.released);
        counting
    }
}

/// The first release of each line above the version's own. A line that began before the version came out is newer all the same:
/// it is higher, and it counts from its first release (L3).
fn first_of_higher_lines<'a>(
    own: DatedRelease<'_>,
    counting: &[DatedRelease<'a>],
    scheme: &VersionScheme,
) -> Vec<DatedRelease<'a>> {
    // A version without any digit belongs to no line and is below none.
    let Some(own_line) = VersionLine::of(scheme, own.version) else {
        return Vec::new();
    };
    let mut own_began = own.released;
    let mut lines: Vec<(VersionLine, DatedRelease<'a>)> = Vec::new();
    for release in counting {
        let Some(line) = VersionLine::of(scheme, release.version) else {
            continue;
        };
        if line == own_line {
            own_began = own_began.min(release.released);
        } else if lines.iter().all(|(known, _)| *known != line) {
            lines.push((line, *release));
        }
    }
    lines
        .into_iter()
        .filter(|(line, first)| line.is_above(first.released, &own_line, own_began, scheme))
        .map(|(_, first)| first)
        .collect()
}

/// Where the age ends support; `later` has the oldest first. None while nothing newer exists (L2).
fn end_by_age(own: DatedRelease<'_>, later: &[DatedRelease<'_>]) -> Option<End> {
    let first = later.first()?;
    let released = own.released;
    // A month that is too short gives its last day: 29 February becomes 28 February.
    let last_of_age = released
        .checked_add_months(Months::new(MONTHS_OF_SUPPORT))
        .unwrap_or(NaiveDate::MAX);
    let last_as_newest = day_before(first.released);
    // L1 and L2 meet: the later of the two days holds, for being the newest only adds to the twelve months.
    let end = if last_as_newest > last_of_age {
        End {
            last_day: last_as_newest,
            why: SupportReason::NewerAppeared {
                version: first.version.to_owned(),
                released: first.released,
            },
        }
    } else {
        End {
            last_day: last_of_age,
            why: SupportReason::TooOld {
                released,
                last_day: last_of_age,
            },
        }
    };
    Some(end)
}

/// Where the number of newer ones ends support; `newer` has the oldest first. Two of one day are two.
fn end_by_number(newer: &[DatedRelease<'_>], rule: CountingRule) -> Option<End> {
    let third = newer.get(NEWER_ALLOWED)?;
    Some(End {
        last_day: day_before(third.released),
        why: SupportReason::ThirdNewer {
            version: third.version.to_owned(),
            released: third.released,
            rule,
        },
    })
}

fn day_before(day: NaiveDate) -> NaiveDate {
    day.pred_opt().unwrap_or(day)
}
