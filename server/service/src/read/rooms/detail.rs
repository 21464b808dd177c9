//! One room: what stands above its tabs, its devices, its updates, its history (P5).
//!
//! Start with [`ReadSnapshot::room`]; the other methods take what it gives.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::conversation::feedback::{Execution, Finished};
use domain::conversation::programs::ProgramChange;
use domain::conversation::{facts, inventory};
use domain::deployment::{DeploymentState, Force};
use domain::ids::{DeviceId, ProductId, RoomId, SiteId, UpdateId};
use domain::room::{Device, Health, HealthFacts, Room};
use domain::status::RoomStatus;
use domain::update::{Applicability, ProductKind, Update};
use domain::window::Window;
use serde::Serialize;
use store::{DeviceDetail, PublishedRecord};

use super::RoomUpdateCounts;
use crate::error::{Result, ServiceError};
use crate::read::{ExpectedStart, ReadSnapshot, UpdateInRoom};

/// Events of deployments that a room's history has, messages of devices, and changes by people: the newest.
const MOST_EVENTS: i64 = 200;
const MOST_MESSAGES: i64 = 200;
const MOST_CHANGES: i64 = 100;
/// Differences of a device's lists of programs: the newest.
const MOST_PROGRAM_CHANGES: i64 = 20;

/// A room with what is going on in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomDetail {
    /// The room as rules see it: with blocks, holds, freezes and devices.
    pub room: Room,
    /// Where it is.
    pub site: SiteId,
    /// The site's name.
    pub site_name: String,
    /// May be empty.
    pub building: String,
    /// As people call it; may be empty.
    pub floor: String,
    /// Seats; 0: nobody has counted them.
    pub capacity: u32,
    /// What tickets and contacts say of it (I4).
    pub health: Health,
    /// What the health follows from.
    pub health_facts: HealthFacts,
    /// Tickets that are not resolved.
    pub open_tickets: i64,
    /// Its updates by how they stand.
    pub updates: RoomUpdateCounts,
    /// The next window in which something is planned, else the next one.
    pub next_window: Window,
    /// Updates that are planned in that window.
    pub planned: i64,
    /// Updates that wait for no window (K5).
    pub forced: Option<ForcedUpdates>,
}

/// The forced updates of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ForcedUpdates {
    /// How many there are.
    pub updates: i64,
    /// How the most urgent of them is forced.
    pub how: Force,
}

/// A device in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceItem {
    /// Identity.
    pub id: DeviceId,
    /// What it calls itself on the wire.
    pub controller: String,
    /// `bar`, `console`, `compute`, `camera`, `panel` …
    pub role: String,
    /// May be empty.
    pub vendor: String,
    /// As its vendor calls it.
    pub model: String,
    /// May be empty.
    pub serial: String,
    /// `None`: it has never been in contact.
    pub last_contact: Option<DateTime<Utc>>,
    /// What it reports about itself, by name.
    pub components: Vec<ComponentItem>,
    /// All that it has reported last, by name (P12).
    pub facts: Vec<ReportedFact>,
    /// `None`: it has sent no list.
    pub programs: Option<ListedPrograms>,
}

/// The programs on a device, as it has listed them (`docs/devices.md` 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedPrograms {
    pub taken_at: DateTime<Utc>,
    /// How many there are.
    pub count: i64,
    /// How its lists have differed lately, the newest first, each with when it was noticed.
    pub changes: Vec<(DateTime<Utc>, ProgramChange)>,
}

/// A fact as a device has told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedFact {
    pub name: String,
    pub value: String,
    /// `None`: before times were kept.
    pub told_at: Option<DateTime<Utc>>,
    /// It means something to the rules (`docs/devices.md` 4).
    pub is_understood: bool,
}

/// A product on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentItem {
    pub product: ProductId,
    pub name: String,
    /// What sort of thing it is.
    pub kind: ProductKind,
    /// The version that the device reports; `None`: it reports none.
    pub installed: Option<String>,
    /// Its own serial number, as the device reports it; may be empty.
    pub serial: String,
    /// `None`: no published release of the product is recommended.
    pub recommended: Option<RecommendedRelease>,
}

/// The newest release of a product that is published and not deprecated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecommendedRelease {
    /// The update that brings it.
    pub update: UpdateId,
    pub version: String,
    /// How the component stands to it; `None`: that cannot be said.
    #[serde(flatten)]
    pub state: Option<ComponentState>,
}

/// How a component stands to the recommended release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum ComponentState {
    /// It has that version, or a newer one.
    Current,
    /// The room does not get the update.
    NotRequired {
        /// Why, in one sentence (T5).
        why: String,
    },
    /// The room gets the update, or has got it.
    Update {
        /// How the update stands in the room (T1).
        status: RoomStatus,
    },
}

/// An update in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomUpdateItem {
    pub update: UpdateId,
    /// The product's name.
    pub title: String,
    /// The version that it brings.
    pub version: String,
    /// Who makes the product.
    pub vendor: String,
    /// What sort of thing the product is.
    pub kind: ProductKind,
    /// How it stands in the room (T1).
    pub status: RoomStatus,
    /// Why, in one sentence (T5).
    pub why: String,
    /// The version before it, where that is known.
    pub from_version: Option<String>,
    /// When it starts; `None`: it is over, or the room does not get it.
    pub start: Option<ExpectedStart>,
    /// `None`: it has not started, or it is over.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was installed, or failed.
    pub ended_at: Option<DateTime<Utc>>,
    /// It has failed, and its rollout lets it be tried again (K4).
    pub may_be_retried: bool,
}

/// Something that happened in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomHistoryItem {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub event: RoomEvent,
}

/// What happened in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum RoomEvent {
    /// A version changed, and Nightshift did not bring it (I5).
    ExternalChange {
        /// What the device calls itself.
        device: String,
        /// What changed, in a sentence.
        what: String,
    },
    /// An update stands in another way.
    Update {
        update: UpdateId,
        /// Product and version; `None`: the update is not known any more.
        title: Option<String>,
        /// It failed then.
        has_failed: bool,
        /// Why, in one sentence.
        reason: String,
    },
    /// A device said something about an update.
    Message {
        /// What it calls itself.
        device: String,
        update: UpdateId,
        /// Product and version; `None`: the update is not known any more.
        title: Option<String>,
        execution: Execution,
        finished: Finished,
        /// Its own words, shortened.
        words: String,
        /// `false`: the action had ended, and nothing follows from it.
        counts: bool,
    },
    /// Somebody changed something about the room.
    Change {
        /// Who, as the audit names them.
        actor: String,
        /// What, in one sentence.
        summary: String,
    },
}

/// What a product should be, and how the room stands to the update that brings that.
struct Recommended {
    update: UpdateId,
    version: String,
    in_room: Option<(Update, UpdateInRoom)>,
}

impl ReadSnapshot {
    /// One room.
    ///
    /// # Errors
    /// There is no such room.
    pub async fn room(&mut self, id: RoomId) -> Result<RoomDetail> {
        let missing = || ServiceError::not_found("This room");
        let record = self.tx.room_record(id).await?.ok_or_else(missing)?;
        let room = self.rooms(&[id]).await?.remove(&id).ok_or_else(missing)?;
        let mut work = self.tx.work_in(&[id], self.now).await?;
        let work = work.remove(&id).unwrap_or_default();
        let health_facts = self.health_facts(record.state, &work);
        let first = work.nights.first().copied();
        let next_window = self.next_window(&room, first.unwrap_or_else(|| room.zone.date(self.now)));
        let nights = work.nights.iter();
        let in_it = nights.filter(|night| self.next_window(&room, **night).night == next_window.night);
        let planned = i64::try_from(in_it.count()).unwrap_or(0);
        Ok(RoomDetail {
            site: record.site,
            site_name: record.site_name,
            building: record.building,
            floor: record.floor,
            capacity: record.capacity,
            health: health_facts.health(),
            health_facts,
            open_tickets: work.open_tickets,
            updates: RoomUpdateCounts::of(&work),
            next_window,
            planned,
            forced: work.force.map(|how| ForcedUpdates {
                updates: work.scheduled - i64::try_from(work.nights.len()).unwrap_or(0),
                how,
            }),
            room,
        })
    }

    /// What is in a room, with what should be installed on it.
    pub async fn devices_in(&mut self, room: &RoomDetail) -> Result<Vec<DeviceItem>> {
        let room = &room.room;
        let details = self.tx.device_details(room.id).await?;
        let recommended = self.recommended(room, &details).await?;
        let mut programs = self.tx.program_summaries(room.id, MOST_PROGRAM_CHANGES).await?;
        let mut item = |detail: DeviceDetail| {
            let own = room.devices.iter().find(|own| own.id == detail.id);
            let is_open = inventory::leaves_product_open(&detail.attributes, detail.components.len());
            let components = detail.components.into_iter();
            let components = components.map(|component| ComponentItem {
                recommended: recommended
                    .get(&component.product)
                    .map(|recommended| recommended.of(own)),
                product: component.product,
                name: component.name,
                kind: component.kind,
                installed: component.version,
                serial: component.serial,
            });
            let mut told_at = detail.told_at;
            let facts = detail.attributes.into_iter().map(|(name, value)| ReportedFact {
                told_at: told_at.remove(&name),
                is_understood: facts::is_understood(&name) && !(is_open && name == "sw_version"),
                name,
                value,
            });
            DeviceItem {
                facts: facts.collect(),
                programs: programs.remove(&detail.id).map(|listed| ListedPrograms {
                    taken_at: listed.taken_at,
                    count: listed.count,
                    changes: listed.changes,
                }),
                id: detail.id,
                controller: detail.controller,
                role: detail.role,
                vendor: detail.vendor,
                model: detail.model,
                serial: detail.serial,
                last_contact: detail.last_seen_at,
                components: components.collect(),
            }
        };
        Ok(details.into_iter().map(&mut item).collect())
    }

    /// What each product on the devices of a room should be, and how the room stands to it.
    async fn recommended(&mut self, room: &Room, devices: &[DeviceDetail]) -> Result<BTreeMap<ProductId, Recommended>> {
        let products = devices.iter().flat_map(|device| &device.components);
        let products: BTreeSet<ProductId> = products.map(|component| component.product.clone()).collect();
        let products: Vec<ProductId> = products.into_iter().collect();
        let recommended = self.tx.recommended(&products).await?;
        let ids: Vec<UpdateId> = recommended.values().map(|(update, _)| *update).collect();
        let mut planned = self.updates_for_planning(&ids).await?;
        let rollouts = self.tx.rollouts(&ids).await?;
        let known = ids.iter().filter_map(|id| planned.get(id).zip(rollouts.get(id)));
        let known: Vec<_> = known.collect();
        let mut by_update = self.updates_in_room(room, &known).await?;
        let recommended = recommended.into_iter();
        Ok(recommended
            .map(|(product, (update, version))| {
                let in_room = planned.remove(&update).zip(by_update.remove(&update));
                let recommended = Recommended {
                    update,
                    version,
                    in_room,
                };
                (product, recommended)
            })
            .collect())
    }

    /// The updates of products that a room has, with what concerns people first.
    pub async fn updates_of_room(&mut self, room: &RoomDetail) -> Result<Vec<RoomUpdateItem>> {
        let room = &room.room;
        let has = |product: &ProductId| room.devices.iter().any(|device| device.component(product).is_some());
        let published = self.tx.published(false).await?.into_iter();
        let mine: Vec<PublishedRecord> = published.filter(|record| has(&record.product)).collect();
        let ids: Vec<UpdateId> = mine.iter().map(|record| record.id).collect();
        let planned = self.updates_for_planning(&ids).await?;
        let rollouts = self.tx.rollouts(&ids).await?;
        let known = ids.iter().filter_map(|id| planned.get(id).zip(rollouts.get(id)));
        let known: Vec<_> = known.collect();
        let mut by_update = self.updates_in_room(room, &known).await?;
        let mut items = Vec::with_capacity(mine.len());
        for record in mine {
            let (Some(in_room), Some(rollout)) = (by_update.remove(&record.id), rollouts.get(&record.id)) else {
                continue;
            };
            let may_be_retried = in_room.status == RoomStatus::Failed && rollout.may_start_rooms();
            items.push(update_item(record, in_room, may_be_retried));
        }
        items.sort_by_key(|item| std::cmp::Reverse(urgency(item.status)));
        Ok(items)
    }

    /// What happened in a room, the newest first.
    pub async fn history_of_room(&mut self, room: &RoomDetail) -> Result<Vec<RoomHistoryItem>> {
        let id = room.room.id;
        let events = self.tx.events_of_room(id, MOST_EVENTS).await?;
        let audit = self.tx.audit_of("room", &id.to_string(), MOST_CHANGES).await?;
        let messages = self.tx.messages_of_room(id, MOST_MESSAGES).await?;
        let external = self.tx.external_changes_of(id, MOST_CHANGES).await?;
        let of_messages = messages.iter().map(|message| message.update);
        let ids: BTreeSet<UpdateId> = events.iter().map(|event| event.update).chain(of_messages).collect();
        let ids: Vec<UpdateId> = ids.into_iter().collect();
        let updates = self.updates_for_planning(&ids).await?;
        let events = events.into_iter().map(|event| RoomHistoryItem {
            at: event.at,
            event: RoomEvent::Update {
                update: event.update,
                title: updates.get(&event.update).map(Update::title),
                has_failed: event.state == "failed",
                reason: event.reason,
            },
        });
        let messages = messages.into_iter().map(|message| RoomHistoryItem {
            at: message.at,
            event: RoomEvent::Message {
                device: message.controller,
                update: message.update,
                title: updates.get(&message.update).map(Update::title),
                execution: message.execution,
                finished: message.finished,
                words: message.words,
                counts: message.counts,
            },
        });
        let changes = audit.into_iter().map(|record| RoomHistoryItem {
            at: record.at,
            event: RoomEvent::Change {
                actor: record.entry.actor,
                summary: record.entry.summary,
            },
        });
        let external = external.into_iter().map(|record| RoomHistoryItem {
            at: record.at,
            event: RoomEvent::ExternalChange {
                what: record.change.sentence(&record.product_name),
                device: record.device,
            },
        });
        let mut items: Vec<RoomHistoryItem> = events.chain(messages).chain(changes).chain(external).collect();
        items.sort_by_key(|item| std::cmp::Reverse(item.at));
        Ok(items)
    }
}

impl Recommended {
    /// For a component of `device`, which is the room's as rules see it.
    fn of(&self, device: Option<&Device>) -> RecommendedRelease {
        let state = self.in_room.as_ref().map(|(update, in_room)| {
            if device.is_some_and(|device| is_current(update, device)) {
                ComponentState::Current
            } else if in_room.status == RoomStatus::NotRequired {
                let why = in_room.why.clone();
                ComponentState::NotRequired { why }
            } else {
                let status = in_room.status;
                ComponentState::Update { status }
            }
        });
        RecommendedRelease {
            update: self.update,
            version: self.version.clone(),
            state,
        }
    }
}

fn is_current(update: &Update, device: &Device) -> bool {
    matches!(update.applicability(device), Applicability::Current(_))
}

fn update_item(record: PublishedRecord, in_room: UpdateInRoom, may_be_retried: bool) -> RoomUpdateItem {
    let deployment = in_room.deployment.as_ref();
    let (started_at, ended_at) = match deployment.map(|deployment| &deployment.state) {
        Some(DeploymentState::Completed { at } | DeploymentState::Failed { at, .. }) => (None, Some(*at)),
        Some(DeploymentState::Started { at }) => (Some(*at), None),
        Some(DeploymentState::Waiting | DeploymentState::Prepared | DeploymentState::Withdrawn { .. }) | None => {
            (None, None)
        }
    };
    RoomUpdateItem {
        update: record.id,
        title: record.title,
        version: record.version,
        vendor: record.vendor,
        kind: record.kind,
        status: in_room.status,
        from_version: deployment.and_then(|deployment| deployment.from_version.clone()),
        why: in_room.why,
        start: in_room.start,
        started_at,
        ended_at,
        may_be_retried,
    }
}

/// What concerns people comes first.
fn urgency(status: RoomStatus) -> u8 {
    match status {
        RoomStatus::Failed => 6,
        RoomStatus::InProgress => 5,
        RoomStatus::Paused => 4,
        RoomStatus::Scheduled => 3,
        RoomStatus::Completed => 2,
        RoomStatus::NotRequired => 1,
        RoomStatus::Deprecated => 0,
    }
}
