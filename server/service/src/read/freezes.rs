//! Freezes with whom they concern (W6).

use chrono::{DateTime, NaiveDate, Utc};
use domain::freeze::{Freeze, FreezeScope};
use domain::ids::{FreezeId, RingId, RoomId, SiteId};
use serde::Serialize;

use super::ReadSnapshot;
use crate::error::Result;

/// Freezes of the past that the list still has.
const PAST_DAYS: i64 = 60;

/// A freeze in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FreezeItem {
    /// Identity.
    pub id: FreezeId,
    /// Whom it concerns.
    pub whom: FrozenPart,
    /// First date.
    pub from: NaiveDate,
    /// Last date.
    pub until: NaiveDate,
    /// Whether its dates have come.
    pub state: FreezeState,
    /// Dates of it are ahead, and may be lifted.
    pub may_be_lifted: bool,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub owner: String,
    /// When.
    pub made_at: DateTime<Utc>,
}

/// Whom a freeze concerns. A name is `None` where that is not there any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "scope")]
pub enum FrozenPart {
    /// Everything.
    Organisation,
    Ring {
        /// Which.
        id: RingId,
        name: Option<String>,
    },
    Site {
        /// Which.
        id: SiteId,
        name: Option<String>,
    },
    Room {
        /// Which.
        id: RoomId,
        name: Option<String>,
        /// Its site's name.
        site: Option<String>,
    },
}

/// Whether the dates of a freeze have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FreezeState {
    /// They are over.
    Over,
    /// Today is one of them.
    Now,
    /// They are ahead.
    Ahead,
}

impl ReadSnapshot {
    /// The freezes that are ahead, and some that are over, by their first dates.
    pub async fn freeze_list(&mut self) -> Result<Vec<FreezeItem>> {
        let today = self.organisation.zone.date(self.now);
        let organisation = self.freezes.organisation.iter();
        let mut found: Vec<(FreezeScope, Freeze)> = organisation
            .map(|freeze| (FreezeScope::Organisation, freeze.clone()))
            .collect();
        for (ring, freezes) in &self.freezes.rings {
            found.extend(freezes.iter().map(|freeze| (FreezeScope::Ring(*ring), freeze.clone())));
        }
        found.extend(self.tx.freezes_of_sites_and_rooms().await?);
        found.retain(|(_, freeze)| (today - freeze.until).num_days() < PAST_DAYS);
        found.sort_by_key(|(_, freeze)| (freeze.from, freeze.id));
        let mut items = Vec::with_capacity(found.len());
        for (scope, freeze) in found {
            items.push(FreezeItem {
                id: freeze.id,
                whom: self.frozen_part(scope).await?,
                state: state_on(&freeze, today),
                may_be_lifted: freeze.is_ahead(today),
                from: freeze.from,
                until: freeze.until,
                reason: freeze.reason,
                owner: freeze.owner,
                made_at: freeze.made_at,
            });
        }
        Ok(items)
    }

    async fn frozen_part(&mut self, scope: FreezeScope) -> Result<FrozenPart> {
        Ok(match scope {
            FreezeScope::Organisation => FrozenPart::Organisation,
            FreezeScope::Ring(id) => {
                let name = self.rings.get(id).map(|ring| ring.name.clone());
                FrozenPart::Ring { id, name }
            }
            FreezeScope::Site(id) => {
                let name = self.tx.site_name(id).await?;
                FrozenPart::Site { id, name }
            }
            FreezeScope::Room(id) => {
                let (name, site) = self
                    .tx
                    .room_record(id)
                    .await?
                    .map(|room| (room.name, room.site_name))
                    .unzip();
                FrozenPart::Room { id, name, site }
            }
        })
    }
}

fn state_on(freeze: &Freeze, today: NaiveDate) -> FreezeState {
    if freeze.until < today {
        FreezeState::Over
    } else if freeze.from > today {
        FreezeState::Ahead
    } else {
        FreezeState::Now
    }
}
