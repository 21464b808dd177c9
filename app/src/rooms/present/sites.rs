//! Sites in the words of their page, and what people change about them (P0).

use domain::access::Act;
use domain::ids::SiteId;
use domain::zone;
use service::read::rooms::SiteItem;
use service::rooms::SiteDraft;

use super::local_time;
use crate::components::model::FormSuccess;
use crate::context::{RequestContext, Result};
use crate::rooms::model::{SiteRow, SitesView};

impl RequestContext {
    /// The sites.
    ///
    /// # Errors
    /// Whoever asks may not see them.
    pub async fn sites(&self) -> Result<SitesView> {
        let snapshot = self.snapshot().await?;
        let sites = self.service.sites(&self.viewer.actor).await?;
        let rows = sites.into_iter().map(|SiteItem { site, rooms }| SiteRow {
            id: site.id.to_string(),
            local_time: local_time(&site.zone, snapshot.now),
            zone: site.zone.name().to_owned(),
            name: site.name,
            city: site.city,
            country: site.country,
            rooms,
        });
        let may_change = self.viewer.actor.role.may(Act::EditRooms);
        Ok(SitesView {
            rows: rows.collect(),
            zones: if may_change { zone::names() } else { Vec::new() },
            may_change,
        })
    }

    /// Adds a site.
    ///
    /// # Errors
    /// As [`service::Service::add_site`].
    pub async fn add_site(&self, draft: SiteDraft) -> Result<FormSuccess> {
        self.service.add_site(&self.viewer.actor, &draft).await?;
        Ok(FormSuccess::new(
            format!("The site {} was added.", draft.name),
            "/rooms/sites",
        ))
    }

    /// Edits a site.
    ///
    /// # Errors
    /// As [`service::Service::edit_site`].
    pub async fn edit_site(&self, id: SiteId, draft: SiteDraft) -> Result<FormSuccess> {
        self.service.edit_site(&self.viewer.actor, id, &draft).await?;
        Ok(FormSuccess::new(
            format!("The site {} was changed.", draft.name),
            "/rooms/sites",
        ))
    }
}
