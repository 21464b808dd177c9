//! Other settings (S3, S12, W1, W4, W5).

use chrono::{DateTime, Utc};

use crate::changes::{Changes, TakeBack, Wake, WakeOf};
use crate::commands::publish::check_minutes;
use crate::freeze::FreezeScope;
use crate::refusal::Refusal;
use crate::settings::{Organisation, Settings};
use crate::update::Update;

/// Whether each number is within its limits, whatever is under way.
///
/// # Errors
/// One is not.
pub fn check_settings(after: &Settings) -> Result<(), Refusal> {
    after.check().map_err(Refusal::Setting)
}

/// The organisation gets other settings, another zone or another name. `live`: the updates under way. What follows from hours, zone and
/// numbers is looked at again; what is prepared for the hours of before is prepared anew.
///
/// # Errors
/// A number is not within its limits, or one of the updates would not fit into the window (S7).
pub fn edit_settings<'u>(
    before: &Organisation,
    after: &Organisation,
    live: impl Iterator<Item = &'u Update>,
    now: DateTime<Utc>,
) -> Result<Changes, Refusal> {
    check_settings(&after.settings)?;
    let mut changes = Changes::default();
    if before == after {
        return Ok(changes);
    }
    for update in live {
        if check_minutes(&after.settings, update.expected_minutes).is_err() {
            return Err(Refusal::RunningDoesNotFit {
                title: update.title(),
                minutes: update.expected_minutes,
                window: after.settings.window_minutes,
            });
        }
        changes.woken.push(Wake::update(update.id, now));
    }
    if before.settings == after.settings && before.zone == after.zone {
        changes.woken.clear();
    } else {
        let finished = WakeOf::UnderFinished(None);
        changes.woken.push(Wake {
            what: finished,
            at: now,
        });
        changes.woken.push(Wake::rollouts(now));
    }
    if before.settings.window() != after.settings.window() {
        changes.taken_back.push(TakeBack {
            scope: FreezeScope::Organisation,
            nights: None,
            at: now,
        });
    }
    changes.organisation = Some(after.clone());
    Ok(changes)
}
