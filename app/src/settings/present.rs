//! What the organisation has set, in the words of its page.

use chrono::{NaiveTime, Weekday};
use domain::access::Act;
use domain::halt::HaltRule;
use domain::lifecycle::CountingRule;
use domain::settings::{Mode, Settings};
use domain::zone;
use service::settings::OrganisationDraft;

use crate::components::model::FormSuccess;
use crate::context::{RequestContext, Result};
use crate::error::AppError;
use crate::settings::model::{SettingsFields, SettingsView};

impl RequestContext {
    /// Settings.
    ///
    /// # Errors
    /// Whoever asks may not see them.
    pub async fn settings(&self) -> Result<SettingsView> {
        let snapshot = self.snapshot_for(Act::SeeSettings).await?;
        let current = snapshot.settings();
        let organisation = current.organisation;
        let settings = &organisation.settings;
        let may_change = self.viewer.actor.role.may(Act::EditSettings);
        Ok(SettingsView {
            fields: SettingsFields {
                seen: current.fingerprint,
                name: organisation.name.clone(),
                zone: organisation.zone.name().to_owned(),
                start_weekday: settings.start_weekday.to_string(),
                window_opens: settings.window_opens.format("%H:%M").to_string(),
                window_minutes: settings.window_minutes.to_string(),
                mode: settings.mode.as_str().to_owned(),
                automatic_days: settings.automatic_days.to_string(),
                starvation_guard: settings.starvation_guard.to_string(),
                unreachable_after_windows: settings.unreachable_after_windows.to_string(),
                silent_factor: settings.silent_factor.to_string(),
                silent_least_minutes: settings.silent_least_minutes.to_string(),
                confirm_within_hours: settings.confirm_within_hours.to_string(),
                crowded_after_windows: settings.crowded_after_windows.to_string(),
                poll_seconds: settings.poll_seconds.to_string(),
                prepare_minutes: settings.prepare_minutes.to_string(),
                support_rule: settings.support_rule.as_str().to_owned(),
                facts_count_hours: settings.facts_count_hours.to_string(),
                unmonitored_minutes: settings.unmonitored_minutes.to_string(),
                bad_signal_minutes: settings.bad_signal_minutes.to_string(),
                failed_rooms: or_empty(settings.halt.failed_rooms),
                failed_percent: or_empty(settings.halt.failed_percent),
                attempted_percent: or_empty(settings.halt.attempted_percent),
                attempted_at_least: or_empty(settings.halt.attempted_at_least),
                first_ring_one: settings.halt.first_ring_one.to_string(),
                refused_windows: settings.refused_windows.to_string(),
                fall_back_times: settings.fall_back_times.to_string(),
                fall_back_days: settings.fall_back_days.to_string(),
            },
            tzdb: current.zone_rules,
            zones: if may_change { zone::names() } else { Vec::new() },
            may_change,
        })
    }

    /// Changes the settings.
    ///
    /// # Errors
    /// As [`service::Service::edit_settings`].
    pub async fn edit_settings(&self, fields: SettingsFields) -> Result<FormSuccess> {
        // Who may not is told that, whatever they have typed.
        self.viewer.actor.may(Act::EditSettings)?;
        let (seen, draft) = (fields.seen.clone(), settings_draft(fields)?);
        let changed = self.service.edit_settings(&self.viewer.actor, &seen, &draft).await;
        changed?;
        // Another address: the page asks again, and the form has what is set now.
        let now = self.snapshot().await?.settings().fingerprint;
        Ok(FormSuccess::new(
            "The settings were changed.",
            format!("/settings?as={now}"),
        ))
    }
}

fn or_empty(number: Option<u32>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

fn settings_draft(fields: SettingsFields) -> Result<OrganisationDraft> {
    let number = |field: &'static str, text: &str| -> Result<u32> {
        text.trim()
            .parse()
            .map_err(|_| AppError::invalid(field, "a whole number"))
    };
    let number_or_off = |field: &'static str, text: &str| -> Result<Option<u32>> {
        let is_off = text.trim().is_empty();
        (!is_off).then(|| number(field, text)).transpose()
    };
    let opens = NaiveTime::parse_from_str(fields.window_opens.trim(), "%H:%M");
    let settings = Settings {
        start_weekday: fields
            .start_weekday
            .parse::<Weekday>()
            .map_err(|_| AppError::invalid("start_weekday", "a day of the week"))?,
        window_opens: opens.map_err(|_| AppError::invalid("window_opens", "write a time like 00:00"))?,
        window_minutes: number("window_minutes", &fields.window_minutes)?,
        mode: Mode::from_word(&fields.mode).ok_or_else(|| AppError::invalid("mode", "ring validated or automatic"))?,
        automatic_days: number("automatic_days", &fields.automatic_days)?,
        starvation_guard: fields.starvation_guard == "true",
        unreachable_after_windows: number("unreachable_after_windows", &fields.unreachable_after_windows)?,
        silent_factor: number("silent_factor", &fields.silent_factor)?,
        silent_least_minutes: number("silent_least_minutes", &fields.silent_least_minutes)?,
        confirm_within_hours: number("confirm_within_hours", &fields.confirm_within_hours)?,
        crowded_after_windows: number("crowded_after_windows", &fields.crowded_after_windows)?,
        poll_seconds: number("poll_seconds", &fields.poll_seconds)?,
        prepare_minutes: number("prepare_minutes", &fields.prepare_minutes)?,
        support_rule: CountingRule::from_word(&fields.support_rule)
            .ok_or_else(|| AppError::invalid("support_rule", "releases or lines"))?,
        facts_count_hours: number("facts_count_hours", &fields.facts_count_hours)?,
        unmonitored_minutes: number("unmonitored_minutes", &fields.unmonitored_minutes)?,
        bad_signal_minutes: number("bad_signal_minutes", &fields.bad_signal_minutes)?,
        halt: HaltRule {
            failed_rooms: number_or_off("failed_rooms", &fields.failed_rooms)?,
            failed_percent: number_or_off("failed_percent", &fields.failed_percent)?,
            attempted_percent: number_or_off("attempted_percent", &fields.attempted_percent)?,
            attempted_at_least: number_or_off("attempted_at_least", &fields.attempted_at_least)?,
            first_ring_one: fields.first_ring_one == "true",
        },
        refused_windows: number("refused_windows", &fields.refused_windows)?,
        fall_back_times: number("fall_back_times", &fields.fall_back_times)?,
        fall_back_days: number("fall_back_days", &fields.fall_back_days)?,
    };
    Ok(OrganisationDraft {
        name: fields.name.into(),
        zone: fields.zone.into(),
        settings,
    })
}
