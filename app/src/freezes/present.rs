//! Freezes in the words of their page (W6).

use chrono::NaiveDate;
use domain::access::Act;
use domain::freeze::{Freeze, FreezeScope};
use domain::ids::FreezeId;
use domain::time_text;
use service::read::ReadSnapshot;

use crate::components::model::{Choice, FormSuccess};
use crate::context::{RequestContext, Result};
use crate::error::AppError;
use crate::formats;
use crate::freezes::model::{FreezeRow, FreezesView};

/// Freezes of the past that the list still shows.
const PAST_DAYS: i64 = 60;

impl RequestContext {
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
        found.extend(snapshot.tx.freezes_of_sites_and_rooms().await?);
        found.retain(|(_, freeze)| (today - freeze.until).num_days() < PAST_DAYS);
        found.sort_by_key(|(_, freeze)| (freeze.from, freeze.id));
        let may_change = self.viewer.actor.role.may(Act::Freeze);
        let mut rows = Vec::with_capacity(found.len());
        for (scope, freeze) in found {
            rows.push(self.freeze_row(&mut snapshot, scope, freeze, today).await?);
        }
        let sites = snapshot.tx.sites().await?;
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
                let name = snapshot.tx.site_name(id).await?;
                name.map_or_else(String::new, |name| format!("Site {name}"))
            }
            FreezeScope::Room(id) => {
                let room = snapshot.tx.room_record(id).await?;
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
        let plan = plan?;
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
        self.viewer.actor.may(Act::Freeze)?;
        let scope = parsed_scope(scope)?;
        let (first, last) = (formats::parsed_day("from", from)?, formats::parsed_day("until", until)?);
        let made = self
            .service
            .freeze(&self.viewer.actor, scope, first, last, reason.into())
            .await;
        made?;
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
        self.service.lift_freeze(&self.viewer.actor, id, reason.into()).await?;
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
    scope.ok_or_else(|| AppError::invalid("scope", "choose what is frozen"))
}
