//! Other settings (S3, S12, W1, W4, W5).

use crate::planner;
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::update::Update;

/// Whether each number is within its limits, whatever is under way.
///
/// # Errors
/// One is not.
pub fn check_settings(after: &Settings) -> Result<(), Refusal> {
    after.check().map_err(Refusal::Setting)
}

/// Whether the settings may be like this. `live`: the updates under way.
///
/// # Errors
/// One of them would not fit into the window (S7).
pub fn edit_settings<'u>(after: &Settings, live: impl Iterator<Item = &'u Update>) -> Result<(), Refusal> {
    for update in live {
        if planner::check_minutes(after, update.expected_minutes).is_err() {
            return Err(Refusal::RunningDoesNotFit {
                title: update.title(),
                minutes: update.expected_minutes,
                window: after.window_minutes,
            });
        }
    }
    Ok(())
}
