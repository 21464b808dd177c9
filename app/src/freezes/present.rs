//! Freezes in the words of their page (W6).

use domain::access::Act;
use domain::freeze::FreezeScope;
use domain::ids::FreezeId;
use domain::time_text;
use service::read::freezes::{FreezeItem, FreezeState, FrozenPart};

use crate::components::model::{Choice, FormSuccess};
use crate::context::{RequestContext, Result};
use crate::error::AppError;
use crate::formats;
use crate::freezes::model::{FreezeRow, FreezesView};

impl RequestContext {
    /// The freezes (W6): those ahead, and some that are over.
    ///
    /// # Errors
    /// Whoever asks may not see settings.
    pub async fn freezes(&self) -> Result<FreezesView> {
        let mut snapshot = self.snapshot_for(Act::SeeSettings).await?;
        let year = formats::year(&snapshot);
        let freezes = snapshot.freeze_list().await?.into_iter();
        let rows = freezes.map(|freeze| freeze_row(freeze, year)).collect();
        let sites = snapshot.sites().await?;
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
            today: snapshot.organisation.zone.date(snapshot.now).to_string(),
            may_change: self.viewer.actor.role.may(Act::Freeze),
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

fn freeze_row(freeze: FreezeItem, year: i32) -> FreezeRow {
    let whom = match freeze.whom {
        FrozenPart::Organisation => "Everything".to_owned(),
        FrozenPart::Ring { name: Some(name), .. } => format!("Ring {name}"),
        FrozenPart::Site { name: Some(name), .. } => format!("Site {name}"),
        FrozenPart::Room {
            name: Some(name),
            site: Some(site),
            ..
        } => format!("{name}, {site}"),
        // It is not there any more.
        FrozenPart::Ring { .. } | FrozenPart::Site { .. } | FrozenPart::Room { .. } => String::new(),
    };
    let state = match freeze.state {
        FreezeState::Over => "Over",
        FreezeState::Now => "Now",
        FreezeState::Ahead => "Ahead",
    };
    let (first, last) = (time_text::date(freeze.from, year), time_text::date(freeze.until, year));
    FreezeRow {
        id: freeze.id.to_string(),
        may_lift: freeze.may_be_lifted,
        whom,
        dates: format!("{first} to {last}"),
        state: state.to_owned(),
        reason: freeze.reason,
        owner: freeze.owner,
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
