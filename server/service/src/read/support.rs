//! Compliance as pages, exports and programs read it (L5): rooms by how long what they have is supported, today or on a past date.
//!
//! Everything is worked out from releases by date and from what rooms have, or had then. A room that has several versions of one product
//! counts once, for the one that [`SupportOrder`] puts first: in the numbers, in the list and in the file. Start with
//! [`ReadSnapshot::support_page`].

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::access::Act;
use domain::freeze::check_date;
use domain::ids::{ProductId, RoomId, UpdateId};
use domain::lifecycle::{CountingRule, Support, SupportGroup, SupportOrder};
use domain::room::RoomState;
use domain::status::RoomStatus;
use domain::zone::Zone;
use serde::{Deserialize, Serialize};
use store::{CountedRooms, LookedUpBy, RoomVersion, SupportedProduct, VersionFilter, VersionSet};
use uuid::Uuid;

use super::rooms::RoomCursor;
use super::{Page, PageOf, ReadSnapshot};
use crate::error::{Result, ServiceError};
use crate::estate_counts::RoomsByVersion;
use crate::spreadsheet::{self, CsvStream};
use crate::support::support_on;
use crate::{Actor, Service};

/// Where fewer than one room in so many matches, they are looked up by their versions.
const FEW: i64 = 4;
/// So many versions are looked up, each for itself; of more, rooms are gone through by name.
const MOST_VERSIONS: usize = 200;

/// What stands in place of a date where a room has the recommended release.
const HAS_IT: &str = "Has it";

/// What a page of compliance is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportFilter {
    /// As it was on this day, in the organisation's zone; `None`: as it is.
    pub date: Option<NaiveDate>,
    /// The rooms of this product alone.
    pub product: Option<String>,
    /// The rooms of this group alone.
    pub group: Option<SupportGroup>,
    /// The rooms alone that count for this version of the product. Without a product it means nothing.
    pub version: Option<String>,
}

/// A version of a product, with the rooms that count for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionItem {
    /// As the vendor or a device writes it; `None`: devices do not say it.
    pub version: Option<String>,
    pub group: SupportGroup,
    pub last_day: Option<NaiveDate>,
    /// Days until its last day, that one not counted; negative: it has passed.
    pub days_left: Option<i64>,
    /// Why, in one sentence.
    pub why: String,
    pub rooms: i64,
}

/// A product with a support policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProductSupport {
    pub id: ProductId,
    pub name: String,
    /// Rooms by group, by version.
    pub rooms: BTreeMap<SupportGroup, i64>,
    /// Versions that rooms count for, those that end first before.
    pub versions: Vec<VersionItem>,
}

/// A version that a room has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SupportedVersion {
    pub product: ProductId,
    /// The product's name.
    pub name: String,
    /// `None`: the device does not say it.
    pub version: Option<String>,
    pub group: SupportGroup,
    pub last_day: Option<NaiveDate>,
    pub days_left: Option<i64>,
    /// When the room gets a supported version under the current rings, in words; `None`: nothing is planned, or the date is a past one.
    pub projected: Option<String>,
}

/// A room in the list of compliance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SupportRoom {
    pub id: RoomId,
    pub name: String,
    pub site: String,
    /// What the list is about: of each product the version that the room counts for.
    pub versions: Vec<SupportedVersion>,
}

/// The page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SupportPage {
    /// As of which day.
    pub date: NaiveDate,
    /// The day is a past one.
    pub is_past: bool,
    /// What counts as newer, as the organisation has set it (L3).
    pub rule: CountingRule,
    pub products: Vec<ProductSupport>,
    /// Rooms by name.
    pub rooms: Page<SupportRoom, RoomCursor>,
    /// How many match, on all pages.
    pub total: i64,
}

/// Products with their versions as they stood on a date.
struct Standing {
    date: NaiveDate,
    /// The end of that date, where it is a past one.
    at: Option<DateTime<Utc>>,
    products: Vec<ProductStanding>,
}

/// A product with its versions as they stood on a date.
struct ProductStanding {
    product: SupportedProduct,
    support: BTreeMap<Uuid, Support>,
    /// The order in which versions count in a room that has several ([`SupportOrder`]): what is unknown has the place 0, and is not in here.
    places: BTreeMap<Uuid, i64>,
}

impl ProductStanding {
    fn of(product: SupportedProduct, rule: CountingRule, date: NaiveDate) -> Self {
        let support = support_on(&product, rule, date);
        let versions = product.versions.iter();
        let known = versions.filter_map(|(id, text, ..)| {
            let support = support.get(id)?;
            let group = SupportGroup::of(Some(support), date);
            (group != SupportGroup::Unknown).then(|| (SupportOrder::of(Some(support), date), text, group, *id))
        });
        let mut known: Vec<_> = known.collect();
        known.sort();
        let is_worse = |group: SupportGroup| group.is_worse_than(SupportGroup::Unknown);
        let worse = known.iter().filter(|(_, _, group, _)| is_worse(*group)).count();
        let worse = i64::try_from(worse).unwrap_or(i64::MAX);
        let places = (-worse..).filter(|place| *place != 0);
        let places = known.iter().zip(places).map(|((.., id), place)| (*id, place));
        Self {
            places: places.collect(),
            support,
            product,
        }
    }
}

impl Standing {
    fn of_product(&self, product: &ProductId) -> Option<&ProductStanding> {
        self.products.iter().find(|known| known.product.id == *product)
    }

    fn support(&self, product: &ProductId, version: Option<Uuid>) -> Option<&Support> {
        self.of_product(product)?.support.get(&version?)
    }

    /// The rows of what rooms count for that are in this group, and of what is worse.
    fn filter(&self, filter: &SupportFilter) -> VersionFilter {
        let is_wanted = |of: &&ProductStanding| filter.product.as_ref().is_none_or(|wanted| *wanted == of.product.id.0);
        let products: Vec<&ProductStanding> = self.products.iter().filter(is_wanted).collect();
        if let (Some(_), Some(version), [product]) = (&filter.product, &filter.version, products.as_slice()) {
            return self.of_version(product, version);
        }
        let known_in = |is_in: &dyn Fn(SupportGroup) -> bool| -> Vec<Uuid> {
            let known = products
                .iter()
                .flat_map(|of| of.places.keys().map(move |id| (id, of.support.get(id))));
            let found = known.filter(|(_, support)| is_in(SupportGroup::of(*support, self.date)));
            found.map(|(id, _)| *id).collect()
        };
        // What is unknown is told by what is known: devices may say anything.
        let versions_in = |is_in: &dyn Fn(SupportGroup) -> bool| {
            if is_in(SupportGroup::Unknown) {
                VersionSet::AllBut(known_in(&|group| !is_in(group)))
            } else {
                VersionSet::Only(known_in(is_in))
            }
        };
        VersionFilter {
            wanted: versions_in(&|group| filter.group.is_none_or(|wanted| wanted == group)),
            worse: versions_in(&|group| filter.group.is_some_and(|wanted| group.is_worse_than(wanted))),
            products: products.iter().map(|of| of.product.id.clone()).collect(),
            at: self.at,
        }
    }

    /// The versions by which few rooms are looked up.
    fn looked_up_by(&self, filter: Option<&VersionFilter>) -> LookedUpBy {
        let Some(filter) = filter.filter(|filter| filter.at.is_none()) else {
            return LookedUpBy::Name;
        };
        let of_product = |of: &ProductStanding| {
            let product = of.product.id.clone();
            let versions = of.product.versions.iter().map(|(id, ..)| Some(*id));
            let wanted = versions.chain([None]).filter(|version| filter.wanted.has(*version));
            wanted.map(|version| (product.clone(), version)).collect::<Vec<_>>()
        };
        let products = self.products.iter();
        let products = products.filter(|of| filter.products.contains(&of.product.id));
        let versions: Vec<_> = products.flat_map(of_product).take(MOST_VERSIONS + 1).collect();
        if versions.len() > MOST_VERSIONS {
            return LookedUpBy::Name;
        }
        LookedUpBy::Versions(versions)
    }

    /// The rooms that count for this version: they have it, and none that comes before it in the order.
    fn of_version(&self, of: &ProductStanding, version: &str) -> VersionFilter {
        let written = of.product.versions.iter().find(|(_, text, ..)| text == version);
        let wanted = written.map(|(id, ..)| *id);
        let place_of = |id: &Uuid| of.places.get(id).copied().unwrap_or(0);
        let place = wanted.as_ref().map_or(0, place_of);
        let known = |is_in: &dyn Fn(i64) -> bool| -> Vec<Uuid> {
            of.places
                .iter()
                .filter(|(_, place)| is_in(**place))
                .map(|(id, _)| *id)
                .collect()
        };
        let worse = match place.signum() {
            1 => VersionSet::AllBut(known(&|other| other >= place)),
            -1 => VersionSet::Only(known(&|other| other < place)),
            // Of those that are unknown the first by name counts.
            _ => {
                let unknown = of.product.versions.iter();
                let before = unknown.filter(|(id, text, ..)| place_of(id) == 0 && text.as_str() < version);
                let before = before.map(|(id, ..)| *id);
                VersionSet::Only(known(&|other| other < 0).into_iter().chain(before).collect())
            }
        };
        VersionFilter {
            wanted: VersionSet::Only(wanted.into_iter().collect()),
            worse,
            products: vec![of.product.id.clone()],
            at: self.at,
        }
    }

    /// What rooms count for, of each product one version: the first in the order.
    fn counting(&self, found: Vec<RoomVersion>) -> Vec<RoomVersion> {
        let mut counting: BTreeMap<(RoomId, ProductId), RoomVersion> = BTreeMap::new();
        for version in found {
            let place = |(_, product, id, text): &RoomVersion| {
                let order = SupportOrder::of(self.support(product, *id), self.date);
                // One that devices do not say comes after others that are unknown.
                (order, text.is_none(), text.clone())
            };
            let (room, product, ..) = &version;
            match counting.entry((*room, product.clone())) {
                Entry::Vacant(entry) => drop(entry.insert(version)),
                Entry::Occupied(mut entry) if place(&version) < place(entry.get()) => drop(entry.insert(version)),
                Entry::Occupied(_) => {}
            }
        }
        counting.into_values().collect()
    }

    fn days_left(&self, support: Option<&Support>) -> Option<i64> {
        let last = support?.last_day?;
        Some((last - self.date).num_days())
    }

    /// A version that a room has, with what is known of its support.
    fn supported(
        &self,
        product: &ProductId,
        version: Option<Uuid>,
        text: Option<&String>,
        projected: Option<String>,
    ) -> SupportedVersion {
        let support = self.support(product, version);
        let known = self.of_product(product);
        SupportedVersion {
            name: known.map_or_else(|| product.to_string(), |known| known.product.name.clone()),
            group: SupportGroup::of(support, self.date),
            last_day: support.and_then(|support| support.last_day),
            days_left: self.days_left(support),
            projected,
            product: product.clone(),
            version: text.cloned(),
        }
    }
}

impl ReadSnapshot {
    async fn standing(&mut self, date: Option<NaiveDate>) -> Result<Standing> {
        let today = self.organisation.zone.date(self.now);
        if let Some(date) = date {
            check_date(date).map_err(|error| ServiceError::invalid("date", error.to_string()))?;
            if date > today {
                let problem = format!("{date} is ahead; it is {today}");
                return Err(ServiceError::invalid("date", problem));
            }
        }
        let date = date.unwrap_or(today);
        let at = (date < today).then(|| self.organisation.zone.start_of(date + Days::new(1)));
        self.standing_on(date, at).await
    }

    async fn standing_on(&mut self, date: NaiveDate, at: Option<DateTime<Utc>>) -> Result<Standing> {
        let rule = self.organisation.settings.support_rule;
        let products = self.tx.support_releases().await?.into_iter();
        let products = products.map(|product| ProductStanding::of(product, rule, date));
        Ok(Standing {
            date,
            at,
            products: products.collect(),
        })
    }

    /// Rooms by how long what they have is supported (L5), and a page of at most `limit` of them.
    ///
    /// # Errors
    /// The date is no good, or ahead.
    pub async fn support_page(
        &mut self,
        filter: &SupportFilter,
        page: &PageOf<RoomCursor>,
        limit: i64,
    ) -> Result<SupportPage> {
        let standing = self.standing(filter.date).await?;
        let places = standing.products.iter().flat_map(|product| &product.places);
        let places: Vec<(Uuid, i64)> = places.map(|(id, place)| (*id, *place)).collect();
        let counted = RoomsByVersion {
            at: standing.at,
            places,
        };
        let counted = self.estate_count(&counted).await?;
        let products = standing.products.iter();
        let products = products
            .map(|product| product_support(&standing, product, &counted))
            .collect();
        let (rooms, total) = self.support_rooms(&standing, filter, page, limit).await?;
        Ok(SupportPage {
            date: standing.date,
            is_past: standing.at.is_some(),
            rule: self.organisation.settings.support_rule,
            products,
            rooms,
            total,
        })
    }

    async fn support_rooms(
        &mut self,
        standing: &Standing,
        filter: &SupportFilter,
        page: &PageOf<RoomCursor>,
        limit: i64,
    ) -> Result<(Page<SupportRoom, RoomCursor>, i64)> {
        let position = |row: &RoomCursor| (row.name_key.clone(), row.id);
        let mut stored = store::RoomFilter {
            after: page.after().map(position),
            before: page.before().map(position),
            versions: Some(standing.filter(filter)),
            ..store::RoomFilter::default()
        };
        let total = self.rooms_found(&stored).await?;
        let all = self.rooms_found(&store::RoomFilter::default()).await?;
        if total < all / FEW {
            stored.looked_up_by = standing.looked_up_by(stored.versions.as_ref());
        }
        let records = self.tx.room_page(&stored, limit + 1).await?;
        let records = Page::cut(records, page, limit, RoomCursor::of);
        let ids: Vec<RoomId> = records.items.iter().map(|record| record.id).collect();
        let found = self.tx.versions_in_rooms(&ids, standing.at).await?;
        let mut found = standing.counting(found);
        found.retain(|(_, product, version, text)| {
            if filter.version.is_some() && filter.version != *text {
                return false;
            }
            let of_product = filter.product.as_ref().is_none_or(|wanted| *wanted == product.0);
            let group = SupportGroup::of(standing.support(product, *version), standing.date);
            of_product && filter.group.is_none_or(|wanted| wanted == group)
        });
        let mut projected = match standing.at {
            Some(_) => BTreeMap::new(),
            None => self.projected_starts(&ids, &found).await?,
        };
        let rooms = records.map(|record| {
            let of_room = found.iter().filter(|(room, ..)| *room == record.id);
            let versions = of_room.map(|(room, product, version, text)| {
                let projected = projected.remove(&(*room, product.clone()));
                standing.supported(product, *version, text.as_ref(), projected)
            });
            SupportRoom {
                versions: versions.collect(),
                id: record.id,
                name: record.name,
                site: record.site,
            }
        });
        Ok((rooms, total))
    }

    /// When rooms get the recommended release of what they have, under the current rings, in words.
    async fn projected_starts(
        &mut self,
        ids: &[RoomId],
        found: &[RoomVersion],
    ) -> Result<BTreeMap<(RoomId, ProductId), String>> {
        let products: BTreeSet<ProductId> = found.iter().map(|(_, product, ..)| product.clone()).collect();
        let products: Vec<ProductId> = products.into_iter().collect();
        let recommended = self.tx.recommended(&products).await?;
        let updates: Vec<UpdateId> = recommended.values().map(|(update, _)| *update).collect();
        let planned = self.updates_for_planning(&updates).await?;
        let rollouts = self.tx.rollouts(&updates).await?;
        let rooms = self.rooms(ids).await?;
        let mut projected = BTreeMap::new();
        for (product, (id, version)) in recommended {
            let have = found
                .iter()
                .filter(|(_, of, _, text)| *of == product && *text == Some(version.clone()));
            projected.extend(have.map(|(room, ..)| ((*room, product.clone()), HAS_IT.to_owned())));
            let (Some(update), Some(rollout)) = (planned.get(&id), rollouts.get(&id)) else {
                continue;
            };
            let calendar = rollout.calendar_at(&self.rings, &self.freezes, &self.organisation.zone, self.now);
            let in_rooms = self.update_in_rooms(update, rollout, rooms.values()).await?;
            for (room, in_room) in in_rooms {
                let Some(known) = rooms
                    .get(&room)
                    .filter(|_| !projected.contains_key(&(room, product.clone())))
                else {
                    continue;
                };
                let words = match (&in_room.status, &in_room.start) {
                    (RoomStatus::Completed | RoomStatus::Deprecated, _) => continue,
                    _ if known.state == RoomState::Onboarding => "Not before onboarding is over".to_owned(),
                    (_, Some(start)) => start.words(&known.zone, self.now),
                    (_, None) => {
                        if update.exclusion(known, known.zone.date(self.now)).is_some() {
                            continue;
                        }
                        let ring = rollout.ring_of(known.ring);
                        let stage = calendar.iter().find(|stage| stage.ring == ring);
                        match stage {
                            Some(stage) if stage.rollout_ends > known.zone.date(self.now) => {
                                let last = stage.rollout_ends.pred_opt().unwrap_or(stage.rollout_ends);
                                format!("By {}", domain::time_text::dated(last))
                            }
                            Some(_) | None => continue,
                        }
                    }
                };
                projected.insert((room, product.clone()), words);
            }
        }
        Ok(projected)
    }

    /// How long what a room has is supported (L4), products with a policy alone. `zone`: the room's, whose day it is (W7).
    pub async fn support_of_room(&mut self, room: RoomId, zone: &Zone) -> Result<Vec<SupportedVersion>> {
        let standing = self.standing_on(zone.date(self.now), None).await?;
        let found = self.tx.versions_in_rooms(&[room], None).await?.into_iter();
        let versions =
            found.map(|(_, product, version, text)| standing.supported(&product, version, text.as_ref(), None));
        Ok(versions.collect())
    }
}

fn product_support(standing: &Standing, of: &ProductStanding, counted: &[CountedRooms]) -> ProductSupport {
    let product = &of.product;
    let mut rooms: BTreeMap<SupportGroup, i64> = BTreeMap::new();
    let mut versions = Vec::new();
    for counted in counted.iter().filter(|counted| counted.product == product.id) {
        let text = match counted.place {
            0 => counted.without_place.as_ref(),
            place => version_at(of, place),
        };
        let row = product.versions.iter().find(|(_, known, ..)| Some(known) == text);
        let known = row.and_then(|(id, ..)| of.support.get(id));
        let group = SupportGroup::of(known, standing.date);
        *rooms.entry(group).or_default() += counted.rooms;
        versions.push(VersionItem {
            version: text.cloned(),
            group,
            last_day: known.and_then(|support| support.last_day),
            days_left: standing.days_left(known),
            why: known.map_or_else(
                || "Its devices do not say which version they have.".to_owned(),
                |support| support.why.sentence(),
            ),
            rooms: counted.rooms,
        });
    }
    // What has ended or ends first comes first; what has no end comes last.
    versions.sort_by(|a, b| {
        let key = |item: &VersionItem| (item.last_day.is_none(), item.last_day, item.version.clone());
        key(a).cmp(&key(b))
    });
    ProductSupport {
        id: product.id.clone(),
        name: product.name.clone(),
        rooms,
        versions,
    }
}

/// The version that has this place.
fn version_at(of: &ProductStanding, place: i64) -> Option<&String> {
    let (id, _) = of.places.iter().find(|(_, known)| **known == place)?;
    let versions = of.product.versions.iter();
    versions
        .filter(|(known, ..)| known == id)
        .map(|(_, text, ..)| text)
        .next()
}

/// Rooms that are read at once for a file.
const BATCH: i64 = 200;

/// What the columns of a file of compliance are called.
const COLUMNS: [&str; 9] = [
    "site",
    "room",
    "product",
    "version",
    "support",
    "supported until",
    "days left",
    "projected",
    "as of",
];

impl Service {
    /// Rooms by how long what they have is supported, as a comma-separated file with a line for each product of each room (L5).
    ///
    /// # Errors
    /// The actor may not see the portfolio.
    pub fn export_support(&self, actor: &Actor, filter: &SupportFilter) -> Result<CsvStream> {
        actor.may(Act::See)?;
        let (service, filter) = (self.clone(), filter.clone());
        let pages = spreadsheet::by_page(PageOf::First, move |page| {
            let (service, filter) = (service.clone(), filter.clone());
            async move {
                let mut snapshot = service.read_snapshot().await?;
                let found = snapshot.support_page(&filter, &page, BATCH).await?;
                let rows = found
                    .rooms
                    .items
                    .iter()
                    .flat_map(|room| rows_of(room, found.date))
                    .collect();
                Ok((rows, found.rooms.next.map(PageOf::After)))
            }
        });
        Ok(spreadsheet::file(&COLUMNS, pages))
    }
}

fn rows_of(room: &SupportRoom, date: NaiveDate) -> Vec<Vec<String>> {
    let row = |version: &SupportedVersion| {
        vec![
            room.site.clone(),
            room.name.clone(),
            version.product.to_string(),
            version.version.clone().unwrap_or_default(),
            version.group.as_str().to_owned(),
            version.last_day.map_or_else(String::new, |day| day.to_string()),
            version.days_left.map_or_else(String::new, |days| days.to_string()),
            version.projected.clone().unwrap_or_default(),
            date.to_string(),
        ]
    };
    room.versions.iter().map(row).collect()
}
