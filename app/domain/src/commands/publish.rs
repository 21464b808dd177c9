//! Publishing a release (S3, S4, S7), and recalling it (S10).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::changes::{Changes, NewRollout, Stop, StopOf, Wake};
use crate::freeze::Freezes;
use crate::ids::UpdateId;
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::ring::RingSequence;
use crate::rollout::Rollout;
use crate::settings::{Organisation, Settings};
use crate::ticket::OPENED_BY_RULE;
use crate::update::Update;

/// A release that somebody wants to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseToPublish {
    /// What it is called.
    pub title: String,
    /// It has a rollout.
    pub published: bool,
    /// It was recalled.
    pub recalled: bool,
    pub has_file: bool,
    /// Typical minutes of an install.
    pub expected_minutes: u32,
}

/// What publishing follows from.
#[derive(Clone, Copy, Debug)]
pub struct PublishFacts<'f> {
    /// Whose rollout it will be.
    pub organisation: &'f Organisation,
    /// The rings of today.
    pub rings: &'f RingSequence,
    /// The freezes that move plans.
    pub freezes: &'f Freezes,
    /// The release, as urgent as it is published.
    pub update: &'f Update,
    /// The rollouts that it supersedes (S9).
    pub older: &'f BTreeMap<UpdateId, Rollout>,
}

/// A release that is published.
#[derive(Clone, Debug)]
pub struct PublishedRelease {
    pub rollout: Rollout,
    /// What is written.
    pub changes: Changes,
}

/// A release is published: its rollout is made, and what it supersedes gives way (S9).
///
/// # Errors
/// It is published or recalled, it has no file, or it does not fit into a window (S7).
pub fn publish(
    release: &ReleaseToPublish,
    facts: &PublishFacts<'_>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<PublishedRelease, Refusal> {
    check(release, &facts.organisation.settings)?;
    let superseded = facts
        .older
        .values()
        .filter_map(|older| older.supersede(facts.update, facts.organisation, facts.rings, facts.freezes, now));
    let superseded: Vec<Rollout> = superseded.collect();
    let rollout = Rollout::publish(facts.organisation, facts.update, now);
    let mut changes = Changes {
        new_rollouts: vec![NewRollout {
            rollout: rollout.clone(),
            by: by.to_owned(),
        }],
        woken: superseded.iter().map(|older| Wake::update(older.update, now)).collect(),
        rollouts: superseded,
        ..Changes::default()
    };
    changes.note_ends(facts.older.values(), by, now);
    Ok(PublishedRelease { rollout, changes })
}

/// Whether a release may be published.
///
/// # Errors
/// It is published or recalled, it has no file, or it does not fit into a window (S7).
pub fn check(release: &ReleaseToPublish, settings: &Settings) -> Result<(), Refusal> {
    let title = release.title.clone();
    if release.published {
        return Err(Refusal::PublishedAlready { title });
    }
    if release.recalled {
        return Err(Refusal::Recalled { title });
    }
    if !release.has_file {
        return Err(Refusal::NoFile { title });
    }
    check_minutes(settings, release.expected_minutes)
}

/// Whether an update of so many expected minutes can be published (S7): one that fits into no window would wait for ever.
///
/// # Errors
/// It takes no time, or longer than the window.
pub fn check_minutes(settings: &Settings, expected_minutes: u32) -> Result<(), Refusal> {
    if expected_minutes == 0 {
        return Err(Refusal::NoMinutes);
    }
    if expected_minutes > settings.window_minutes {
        return Err(Refusal::DoesNotFit {
            minutes: expected_minutes,
            window: settings.window_minutes,
        });
    }
    Ok(())
}

/// The release's rollout ends, if it has one that is not deprecated, and devices that download it are asked to stop. `recalled`: the release was
/// recalled before.
///
/// # Errors
/// It was recalled before.
pub fn recall(
    release: UpdateId,
    title: &str,
    recalled: bool,
    rollout: Option<&Rollout>,
    why: &str,
    now: DateTime<Utc>,
) -> Result<Changes, Refusal> {
    if recalled {
        let title = title.to_owned();
        return Err(Refusal::RecalledBefore { title });
    }
    let after = rollout.and_then(|rollout| rollout.recall(why, now));
    let mut changes = Changes {
        recalled: vec![release],
        woken: after.iter().map(|after| Wake::update(after.update, now)).collect(),
        rollouts: after.into_iter().collect(),
        stops: vec![Stop {
            of: StopOf::Release(release),
            why: Reason::recalled(why).sentence(),
            at: now,
        }],
        ..Changes::default()
    };
    changes.note_ends(rollout.into_iter(), OPENED_BY_RULE, now);
    Ok(changes)
}
