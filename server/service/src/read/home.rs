//! Home (P1): what needs attention, what starts tonight, when each ring last received an update, how rooms are, what is announced.
//!
//! Start with [`ReadSnapshot::home`].

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::ids::{AnnouncementId, PersonId, RingId, UpdateId};
use domain::readiness::CheckResult;
use domain::room::Health;
use domain::status::UpdateStatus;
use domain::window::Window;
use domain::zone::Zone;
use serde::Serialize;
use store::{AnnouncementRecord, RoomFilter};

use super::ReadSnapshot;
use crate::error::Result;
use crate::estate_counts::{RoomsByHealthFacts, RoomsWaiting};

/// Announcements that Home has: the newest.
const MOST_ANNOUNCEMENTS: i64 = 10;

/// What Home shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Home {
    /// What people should look at.
    pub attention: Vec<Attention>,
    /// By site and window.
    pub tonight: Vec<TonightWindow>,
    /// In the rings' order.
    pub rings: Vec<LastInRing>,
    /// How many rooms are of which health (I4).
    pub rooms_by_health: BTreeMap<Health, i64>,
    /// Newest first.
    pub announcements: Vec<AnnouncementItem>,
}

/// Something that people should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "attention")]
pub enum Attention {
    /// An update is paused.
    Paused {
        /// Which.
        update: UpdateId,
        /// Product and version.
        title: String,
    },
    /// An update is paused by rule: it has failed in too many rooms (K7).
    Halted {
        /// Which.
        update: UpdateId,
        /// Product and version.
        title: String,
        /// Which rule fired, and on what evidence.
        why: String,
    },
    /// An update has failed in rooms.
    Failed {
        /// Which.
        update: UpdateId,
        /// Product and version.
        title: String,
        /// In how many.
        rooms: i64,
    },
    /// Rooms fail a readiness check (C1).
    FailingChecks {
        /// How many.
        rooms: i64,
    },
    /// Rooms are onboarding: no updates are planned there (C4).
    Onboarding {
        /// How many.
        rooms: i64,
    },
    /// Tickets are not resolved.
    OpenTickets {
        /// How many.
        tickets: i64,
    },
}

/// What opens tonight at one site: windows from now on that open within a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TonightWindow {
    /// The site's name.
    pub site: String,
    /// The zone of the window.
    pub zone: Zone,
    pub window: Window,
    /// Rooms that wait for it.
    pub rooms: i64,
}

/// When a ring last received an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastInRing {
    pub ring: RingId,
    /// When the last room of it completed one; `None`: none ever has.
    pub at: Option<DateTime<Utc>>,
    /// Dates of the organisation's since then.
    pub days: Option<i64>,
}

/// Something that is announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnnouncementItem {
    /// Identity.
    pub id: AnnouncementId,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// By whom: a person, or Nightshift.
    pub made_by: String,
    /// What, in a few words.
    pub title: String,
    /// More about it; may be empty.
    pub text: String,
    /// The last date of the organisation's on which it stands there; `None`: until it is taken down.
    pub until: Option<NaiveDate>,
}

impl From<AnnouncementRecord> for AnnouncementItem {
    fn from(record: AnnouncementRecord) -> Self {
        Self {
            id: record.id,
            made_at: record.made_at,
            made_by: record.made_by,
            title: record.title,
            text: record.text,
            until: record.until,
        }
    }
}

impl ReadSnapshot {
    /// Home of this person; `None`: of nobody who can dismiss announcements.
    pub async fn home(&mut self, person: Option<PersonId>) -> Result<Home> {
        Ok(Home {
            attention: self.attention().await?,
            tonight: self.tonight().await?,
            rings: self.last_in_rings().await?,
            rooms_by_health: self.rooms_by_health().await?,
            announcements: self.announcements(person).await?,
        })
    }

    async fn attention(&mut self) -> Result<Vec<Attention>> {
        let mut attention = Vec::new();
        for summary in self.updates(false).await? {
            let update = summary.update.id;
            let title = summary.update.title();
            let rooms = summary.counts.failed;
            if let Some(halt) = &summary.rollout.halt {
                let why = halt.sentence();
                attention.push(Attention::Halted { update, title, why });
            } else if summary.status == UpdateStatus::Paused {
                attention.push(Attention::Paused { update, title });
            } else if rooms > 0 {
                attention.push(Attention::Failed { update, title, rooms });
            }
        }
        let checks = self.tx.check_counts().await?.into_iter();
        let failing = checks.filter(|(check, result, _)| check.is_none() && *result == CheckResult::Fail);
        let rooms = failing.map(|(_, _, rooms)| rooms).sum();
        attention.extend((rooms > 0).then_some(Attention::FailingChecks { rooms }));
        let onboarding = RoomFilter {
            onboarding: true,
            ..RoomFilter::default()
        };
        let rooms = self.tx.rooms_found(&onboarding).await?;
        attention.extend((rooms > 0).then_some(Attention::Onboarding { rooms }));
        let tickets = self.tx.open_ticket_count().await?;
        attention.extend((tickets > 0).then_some(Attention::OpenTickets { tickets }));
        Ok(attention)
    }

    /// The rooms that wait for a window of tonight, by site and window. A room counts once, in the first of its
    /// windows.
    async fn tonight(&mut self) -> Result<Vec<TonightWindow>> {
        let until = self.last_night_of_tonight();
        let waiting = self.estate_count(&RoomsWaiting(until)).await?;
        let aside = self.tx.freezes_of_sites_and_rooms().await?;
        let mut sites: BTreeMap<(String, DateTime<Utc>, Zone), TonightWindow> = BTreeMap::new();
        for group in waiting {
            let window = self.window_of(&group, &aside);
            if !self.is_tonight(&window) {
                continue;
            }
            let key = (group.site_name.clone(), window.opens, group.zone.clone());
            let tonight = sites.entry(key).or_insert(TonightWindow {
                site: group.site_name,
                zone: group.zone,
                window,
                rooms: 0,
            });
            tonight.rooms += group.rooms;
        }
        Ok(sites.into_values().collect())
    }

    async fn last_in_rings(&mut self) -> Result<Vec<LastInRing>> {
        let zone = self.organisation.zone.clone();
        let today = zone.date(self.now);
        let mut rings = Vec::with_capacity(self.rings.count());
        for ring in self.rings.clone().iter() {
            let at = self.tx.last_completed_in(ring.id).await?;
            rings.push(LastInRing {
                ring: ring.id,
                at,
                days: at.map(|at| (today - zone.date(at)).num_days()),
            });
        }
        Ok(rings)
    }

    /// How many rooms are of which health (I4).
    pub async fn rooms_by_health(&mut self) -> Result<BTreeMap<Health, i64>> {
        let groups = self.estate_count(&RoomsByHealthFacts).await?;
        let mut by_health = BTreeMap::new();
        for (state, impact, in_contact, rooms) in groups {
            *by_health.entry(Health::of(state, impact, in_contact)).or_insert(0) += rooms;
        }
        Ok(by_health)
    }

    /// What is announced today and was not dismissed by this person, newest first.
    pub async fn announcements(&mut self, person: Option<PersonId>) -> Result<Vec<AnnouncementItem>> {
        let today = self.organisation.zone.date(self.now);
        let found = self.tx.announcements(person, today, MOST_ANNOUNCEMENTS).await?;
        Ok(found.into_iter().map(AnnouncementItem::from).collect())
    }
}
