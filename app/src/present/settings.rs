//! What the organisation has set, and its freezes (W6).

use chrono::{NaiveDate, NaiveTime, Weekday};
use domain::access::Act;
use domain::freeze::{Freeze, FreezeScope};
use domain::ids::FreezeId;
use domain::settings::{Mode, Settings};
use domain::time_text;
use domain::zone;
use service::pages::ReadSnapshot;
use service::settings::{OrganisationDraft, fingerprint};

use super::{Presenter, Result, formats, service_error, store_error};
use crate::error::AppError;
use crate::model::{Choice, FormSuccess, FreezeRow, FreezesView, SettingsFields, SettingsView};

/// Freezes of the past that the list still shows.
const PAST_DAYS: i64 = 60;

impl Presenter {
    /// Settings.
    ///
    /// # Errors
    /// Whoever asks may not see them, or the database fails.
    pub async fn settings(&self) -> Result<SettingsView> {
        let snapshot = self.snapshot_for(Act::SeeSettings).await?;
        let organisation = &snapshot.organisation;
        let settings = &organisation.settings;
        let may_change = self.viewer.actor.role.may(Act::EditSettings);
        Ok(SettingsView {
            fields: SettingsFields {
                seen: fingerprint(organisation),
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
            },
            tzdb: zone::database_version(),
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
        self.viewer.actor.may(Act::EditSettings).map_err(service_error)?;
        let (seen, draft) = (fields.seen.clone(), settings_draft(fields)?);
        let changed = self.service.edit_settings(&self.viewer.actor, &seen, &draft).await;
        changed.map_err(service_error)?;
        // Another address: the page asks again, and the form has what is set now.
        let now = fingerprint(&self.snapshot().await?.organisation);
        Ok(FormSuccess::new(
            "The settings were changed.",
            format!("/settings?as={now}"),
        ))
    }

    /// The freezes (W6): those ahead, and some that are over.
    ///
    /// # Errors
    /// Whoever asks may not see settings, or the database fails.
    pub async fn freezes(&self) -> Result<FreezesView> {
        let mut snapshot = self.snapshot_for(Act::SeeSettings).await?;
        let today = snapshot.organisation.zone.date(snapshot.now);
        let mut found: Vec<(FreezeScope, Freeze)> = Vec::new();
        found.extend(
            snapshot
                .freezes
                .organisation
                .iter()
                .map(|freeze| (FreezeScope::Organisation, freeze.clone())),
        );
        for (ring, freezes) in &snapshot.freezes.rings {
            found.extend(freezes.iter().map(|freeze| (FreezeScope::Ring(*ring), freeze.clone())));
        }
        found.extend(snapshot.tx.freezes_of_sites_and_rooms().await.map_err(store_error)?);
        found.retain(|(_, freeze)| (today - freeze.until).num_days() < PAST_DAYS);
        found.sort_by_key(|(_, freeze)| (freeze.from, freeze.id));
        let may_change = self.viewer.actor.role.may(Act::Freeze);
        let mut rows = Vec::with_capacity(found.len());
        for (scope, freeze) in found {
            rows.push(self.freeze_row(&mut snapshot, scope, freeze, today).await?);
        }
        let sites = snapshot.tx.sites().await.map_err(store_error)?;
        let rings = snapshot.rings.iter().map(|ring| Choice {
            value: format!("ring:{}", ring.id),
            label: format!("The ring {}", ring.name),
        });
        let sites = sites.into_iter().map(|site| Choice {
            value: format!("site:{}", site.id),
            label: format!("The site {}", site.name),
        });
        let all_rooms = Choice {
            value: "organisation".to_owned(),
            label: "Everything".to_owned(),
        };
        Ok(FreezesView {
            rows,
            scopes: [all_rooms].into_iter().chain(rings).chain(sites).collect(),
            today: today.to_string(),
            may_change,
        })
    }

    async fn freeze_row(
        &self,
        snapshot: &mut ReadSnapshot,
        scope: FreezeScope,
        freeze: Freeze,
        today: NaiveDate,
    ) -> Result<FreezeRow> {
        let year = formats::year(snapshot);
        let whom = match scope {
            FreezeScope::Organisation => "Everything".to_owned(),
            FreezeScope::Ring(id) => snapshot
                .rings
                .get(id)
                .map_or_else(String::new, |ring| format!("Ring {}", ring.name)),
            FreezeScope::Site(id) => {
                let name = snapshot.tx.site_name(id).await.map_err(store_error)?;
                name.map_or_else(String::new, |name| format!("Site {name}"))
            }
            FreezeScope::Room(id) => {
                let room = snapshot.tx.room_record(id).await.map_err(store_error)?;
                room.map_or_else(String::new, |room| format!("{}, {}", room.name, room.site_name))
            }
        };
        let state = if freeze.until < today {
            "Over"
        } else if freeze.from > today {
            "Ahead"
        } else {
            "Now"
        };
        Ok(FreezeRow {
            id: freeze.id.to_string(),
            may_lift: freeze.is_ahead(today),
            whom,
            dates: format!(
                "{} to {}",
                time_text::date(freeze.from, year),
                time_text::date(freeze.until, year)
            ),
            state: state.to_owned(),
            reason: freeze.reason,
            owner: freeze.owner,
        })
    }

    /// What a freeze would do to the running updates (K9), in sentences with exact dates.
    ///
    /// # Errors
    /// As [`service::Service::freeze_plan`].
    pub async fn plan_freeze(&self, scope: &str, from: &str, until: &str) -> Result<Vec<String>> {
        let snapshot = self.snapshot_for(Act::Freeze).await?;
        let scope = parsed_scope(scope)?;
        let (first, last) = (formats::parsed_day("from", from)?, formats::parsed_day("until", until)?);
        let plan = self.service.freeze_plan(&self.viewer.actor, scope, first, last).await;
        let plan = plan.map_err(service_error)?;
        let (city, year) = (snapshot.organisation.zone.city(), formats::year(&snapshot));
        let moved = plan.into_iter().filter(|(_, was, is)| was != is);
        let sentences: Vec<String> = moved
            .map(|(title, was, is)| {
                format!(
                    "{title}: ends {} ({city}), now {}.",
                    time_text::date(is, year),
                    time_text::date(was, year)
                )
            })
            .collect();
        Ok(match (sentences.is_empty(), scope) {
            (false, _) => sentences,
            (true, FreezeScope::Organisation | FreezeScope::Ring(_)) => {
                vec!["No running update has a date in it.".to_owned()]
            }
            (true, FreezeScope::Site(_) | FreezeScope::Room(_)) => {
                vec!["Plans stay as they are; rooms that wait there get the first free night after it.".to_owned()]
            }
        })
    }

    /// Freezes (W6).
    ///
    /// # Errors
    /// As [`service::Service::freeze`].
    pub async fn freeze(&self, scope: &str, from: &str, until: &str, reason: &str) -> Result<FormSuccess> {
        self.viewer.actor.may(Act::Freeze).map_err(service_error)?;
        let scope = parsed_scope(scope)?;
        let (first, last) = (formats::parsed_day("from", from)?, formats::parsed_day("until", until)?);
        let made = self
            .service
            .freeze(&self.viewer.actor, scope, first, last, reason.into())
            .await;
        made.map_err(service_error)?;
        Ok(FormSuccess::new(
            "The freeze was added; plans skip its dates.",
            "/settings/freezes",
        ))
    }

    /// Lifts what is ahead of a freeze (W6).
    ///
    /// # Errors
    /// As [`service::Service::lift_freeze`].
    pub async fn lift_freeze(&self, id: FreezeId, reason: &str) -> Result<FormSuccess> {
        self.service
            .lift_freeze(&self.viewer.actor, id, reason.into())
            .await
            .map_err(service_error)?;
        Ok(FormSuccess::new(
            "The freeze was lifted; plans get their dates back.",
            "/settings/freezes",
        ))
    }
}

fn parsed_scope(text: &str) -> Result<FreezeScope> {
    let (kind, id) = text.split_once(':').unwrap_or((text, ""));
    let scope = match kind {
        "organisation" => Some(FreezeScope::Organisation),
        "ring" => id.parse().ok().map(FreezeScope::Ring),
        "site" => id.parse().ok().map(FreezeScope::Site),
        "room" => id.parse().ok().map(FreezeScope::Room),
        _ => None,
    };
    scope.ok_or_else(|| invalid("scope", "choose what is frozen"))
}

fn settings_draft(fields: SettingsFields) -> Result<OrganisationDraft> {
    let number = |field: &'static str, text: &str| -> Result<u32> {
        text.trim().parse().map_err(|_| invalid(field, "a whole number"))
    };
    let opens = NaiveTime::parse_from_str(fields.window_opens.trim(), "%H:%M");
    let settings = Settings {
        start_weekday: fields
            .start_weekday
            .parse::<Weekday>()
            .map_err(|_| invalid("start_weekday", "a day of the week"))?,
        window_opens: opens.map_err(|_| invalid("window_opens", "write a time like 00:00"))?,
        window_minutes: number("window_minutes", &fields.window_minutes)?,
        mode: Mode::from_word(&fields.mode).ok_or_else(|| invalid("mode", "ring validated or automatic"))?,
        automatic_days: number("automatic_days", &fields.automatic_days)?,
        starvation_guard: fields.starvation_guard == "true",
        unreachable_after_windows: number("unreachable_after_windows", &fields.unreachable_after_windows)?,
        silent_factor: number("silent_factor", &fields.silent_factor)?,
        silent_least_minutes: number("silent_least_minutes", &fields.silent_least_minutes)?,
        confirm_within_hours: number("confirm_within_hours", &fields.confirm_within_hours)?,
        crowded_after_windows: number("crowded_after_windows", &fields.crowded_after_windows)?,
        poll_seconds: number("poll_seconds", &fields.poll_seconds)?,
        prepare_minutes: number("prepare_minutes", &fields.prepare_minutes)?,
    };
    Ok(OrganisationDraft {
        name: fields.name.into(),
        zone: fields.zone.into(),
        settings,
    })
}

fn invalid(field: &str, problem: &str) -> AppError {
    AppError::Invalid {
        field: field.to_owned(),
        problem: problem.to_owned(),
    }
}
