//! Read models for pages: keyset paging, a few queries a page, no list in memory.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::deployment::Force;
use domain::freeze::{Freeze, FreezeScope};
use domain::ids::{DeviceId, FreezeId, ProductId, RingId, RoomId, SiteId, StageOf, UpdateId};
use domain::rollout::RolloutState;
use domain::room::{HealthImpact, RoomState};
use domain::status::{self, RoomStatus};
use domain::update::{ProductKind, Severity};
use domain::zone::Zone;
use sqlx::types::Json;
use uuid::Uuid;

use crate::deployments::BATCH;
use crate::error::{Result, StoreError};
use crate::rooms::{ids_in, texts_in, zone_of};
use crate::rows::{instant, micros, opt_instant, stage_id, stage_of, word};
use crate::search::SearchedList;
use crate::tx::{Tx, each};

/// A published update in a list.
#[derive(Clone, Debug)]
pub struct PublishedRecord {
    /// Identity.
    pub id: UpdateId,
    /// Title of its product.
    pub title: String,
    /// Version.
    pub version: String,
    /// Vendor.
    pub vendor: String,
    /// Product.
    pub product: ProductId,
    /// Kind.
    pub kind: ProductKind,
    /// Severity.
    pub severity: Severity,
    /// An admin has seen its failures (T9).
    pub acknowledged: bool,
}

/// A room in a list.
#[derive(Clone, Debug)]
pub struct RoomListRecord {
    /// Identity.
    pub id: RoomId,
    /// Name.
    pub name: String,
    /// Its place in the order.
    pub name_key: String,
    /// Site.
    pub site: String,
    /// Building.
    pub building: String,
    /// Floor.
    pub floor: String,
    /// Zone.
    pub zone: Zone,
    /// Ring.
    pub ring: RingId,
    /// Whether it takes part.
    pub state: RoomState,
}

/// Which rooms, and which page of them.
#[derive(Clone, Debug, Default)]
pub struct RoomFilter {
    /// Beginnings of words in the name or the building; empty: all.
    pub words: String,
    /// A ring.
    pub ring: Option<RingId>,
    /// A site.
    pub site: Option<SiteId>,
    /// The page starts after this room: (name key, id).
    pub after: Option<(String, RoomId)>,
    /// The page ends before this room.
    pub before: Option<(String, RoomId)>,
    /// The retired rooms, in place of all others.
    pub retired: bool,
    /// Those alone that are unhealthy at this instant (I4); of the retired rooms none is.
    pub unhealthy_at: Option<DateTime<Utc>>,
}

impl RoomFilter {
    /// Begins a query of the rooms `r` behind its columns. Of the states a literal, for an index of the others alone.
    pub(crate) fn rooms(&self) -> &'static str {
        match (self.unhealthy_at, self.retired) {
            // SQLite takes the tables of a CROSS JOIN in their order.
            (Some(_), true) => " FROM room_troubles q CROSS JOIN rooms r WHERE r.id = q.room_id AND 1 = 0",
            (Some(_), false) => {
                " FROM room_troubles q CROSS JOIN rooms r WHERE r.id = q.room_id AND q.tickets > 0 AND r.state = 'managed'"
            }
            (None, true) => " FROM rooms r WHERE r.state = 'retired'",
            (None, false) => " FROM rooms r WHERE r.state <> 'retired'",
        }
    }

    /// What they stand in the order of: an index of the table that [`RoomFilter::rooms`] begins with has it.
    pub(crate) fn order(&self) -> (&'static str, &'static str) {
        match self.unhealthy_at {
            Some(_) => ("q.room_key", "q.room_id"),
            None => ("r.name_key", "r.id"),
        }
    }
}

/// Continues a query of rooms that stand in this order: those between two of them, each of them left out.
pub(crate) fn between<DB>(
    query: &mut sqlx::QueryBuilder<DB>,
    (key, id): (&str, &str),
    after: Option<&(String, RoomId)>,
    before: Option<&(String, RoomId)>,
) where
    DB: sqlx::Database,
    String: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    Uuid: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    for (sign, room) in [(">", after), ("<", before)] {
        if let Some((of_key, of_id)) = room {
            query.push(format_args!(" AND ({key}, {id}) {sign} ("));
            query.push_bind(of_key.clone()).push(", ").push_bind(of_id.0).push(")");
        }
    }
}

/// What is going on in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomWork {
    /// Deployments that wait, of updates that are not paused.
    pub scheduled: i64,
    /// Deployments that wait until their update is resumed (T1).
    pub paused: i64,
    /// Deployments that run.
    pub running: i64,
    /// Deployments that failed, of updates that are not deprecated.
    pub failed: i64,
    /// The nights of the scheduled ones, in order. A forced one waits for no night.
    pub nights: Vec<NaiveDate>,
    /// How the most urgent of the forced ones is forced (K5); `None`: none is.
    pub force: Option<Force>,
    /// Devices.
    pub devices: i64,
    /// Their models.
    pub models: Vec<String>,
    /// When those that ever were in contact were so last.
    pub contacts: Vec<DateTime<Utc>>,
    /// Open tickets that make the room unhealthy (I4).
    pub unhealthy: i64,
    /// Open tickets that would, if they were not suppressed (I3).
    pub suppressed: i64,
    /// Open tickets.
    pub open_tickets: i64,
}

/// Rooms that wait for the same night and whose windows are the same: in one zone, under the same freezes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingRooms {
    /// Their site.
    pub site: SiteId,
    /// Its name.
    pub site_name: String,
    /// Their zone.
    pub zone: Zone,
    /// Their ring.
    pub ring: RingId,
    /// A room with freezes of its own stands alone.
    pub own: Option<RoomId>,
    /// The night.
    pub night: NaiveDate,
    /// How many they are.
    pub rooms: i64,
}

/// A device on a room's page.
#[derive(Clone, Debug)]
pub struct DeviceDetail {
    /// Identity.
    pub id: DeviceId,
    /// What it calls itself.
    pub controller: String,
    /// bar, console …
    pub role: String,
    /// Vendor.
    pub vendor: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Last contact.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Product id, name, kind, installed version.
    pub components: Vec<(ProductId, String, ProductKind, Option<String>)>,
}

/// A device in a list.
#[derive(Clone, Debug)]
pub struct DeviceLineRecord {
    /// What it calls itself.
    pub controller: String,
    /// Its room's name.
    pub room: String,
    /// Model.
    pub model: String,
    /// `enrolled`, `not enrolled` or `revoked`.
    pub state: &'static str,
}

/// A product of the portfolio.
#[derive(Clone, Debug)]
pub struct PortfolioRecord {
    /// Identity.
    pub id: ProductId,
    /// Name.
    pub name: String,
    /// Vendor.
    pub vendor: String,
    /// Part of the portfolio that this organisation covers.
    pub covered: bool,
    /// Kind.
    pub kind: ProductKind,
    /// Newest release that is not recalled: version and day.
    pub newest: Option<(String, Option<NaiveDate>)>,
    /// Releases known.
    pub releases: i64,
    /// Whether a device has it.
    pub in_use: bool,
    /// The newest published update.
    pub published: Option<UpdateId>,
}

/// Rooms of an update on a page: which ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateRooms {
    /// All that have the product, or a deployment.
    All,
    /// Waiting, or open and not started.
    Scheduled,
    /// Started.
    InProgress,
    /// Completed.
    Completed,
    /// Failed.
    Failed,
    /// Withdrawn by deprecation.
    Deprecated,
    /// Withdrawn by deprecation, or about to be: waiting, or open and not started.
    DeprecatedOrScheduled,
    /// No deployment, or one that was withdrawn for another reason.
    NotRequired,
    /// None.
    Nothing,
}

/// Which rooms of an update, and which page of them.
#[derive(Clone, Debug)]
pub struct UpdateRoomFilter {
    /// The update.
    pub update: UpdateId,
    /// Its product.
    pub product: ProductId,
    /// Which of its rooms.
    pub which: UpdateRooms,
    /// A ring: the one in which a room stands for this update.
    pub ring: Option<RingId>,
    /// So few rooms have the product or a deployment that it is less to find and sort them all than to walk through the estate by name.
    pub few: bool,
    /// The page starts after this room: (name key, id).
    pub after: Option<(String, RoomId)>,
    /// The page ends before this room.
    pub before: Option<(String, RoomId)>,
}

/// Continues a query of rooms `r`: a ticket makes them unhealthy at the instant that comes behind it (I4).
pub(crate) const UNHEALTHY: &str = " AND EXISTS (SELECT 1 FROM ticket_rooms tr JOIN tickets t ON t.id = tr.ticket_id
    WHERE tr.room_id = r.id AND t.troubles AND (t.suppressed_until IS NULL OR t.suppressed_until <= ";

/// Continues a query of rooms `r` with what `filter` asks for, the ends of its page aside. `words`: [`Tx::word_filter`].
macro_rules! filter_rooms {
    ($query:ident, $filter:ident, $words:ident) => {
        if let Some((before, words, behind)) = &$words {
            $query.push(*before).push_bind(words.clone()).push(*behind);
        }
        if let Some(ring) = $filter.ring {
            $query.push(" AND r.ring_id = ").push_bind(ring.0);
        }
        if let Some(site) = $filter.site {
            $query.push(" AND r.site_id = ").push_bind(site.0);
        }
        if let Some(at) = $filter.unhealthy_at {
            $query
                .push($crate::read::UNHEALTHY)
                .push_bind($crate::rows::micros(at))
                // Postgres would make a list of all such rooms first.
                .push(") LIMIT 1 OFFSET 0)");
        }
    };
}
pub(crate) use filter_rooms;

/// Some of an update's rooms, which an index has in the order of their names.
struct RoomsPart {
    /// The state of their deployments; `None`: also rooms without one.
    state: Option<&'static str>,
    /// What is true of their deployments `x` beside that.
    and: &'static str,
}

impl UpdateRooms {
    /// Those that have a status while their rollout is in a state: what has not started follows that at once, also before the planner has
    /// looked at the rooms (T1).
    #[must_use]
    pub fn of(status: RoomStatus, rollout: &RolloutState) -> Self {
        let not_started = status::not_started(rollout);
        match status {
            RoomStatus::Scheduled | RoomStatus::Paused if status == not_started => Self::Scheduled,
            RoomStatus::Scheduled | RoomStatus::Paused => Self::Nothing,
            RoomStatus::Deprecated if status == not_started => Self::DeprecatedOrScheduled,
            RoomStatus::Deprecated => Self::Deprecated,
            RoomStatus::InProgress => Self::InProgress,
            RoomStatus::Completed => Self::Completed,
            RoomStatus::Failed => Self::Failed,
            RoomStatus::NotRequired => Self::NotRequired,
        }
    }

    const fn parts(self) -> &'static [RoomsPart] {
        const fn of(state: &'static str, and: &'static str) -> RoomsPart {
            RoomsPart {
                state: Some(state),
                and,
            }
        }
        const fn with_or_without(and: &'static str) -> RoomsPart {
            RoomsPart { state: None, and }
        }
        match self {
            Self::All => &[const { with_or_without("") }],
            Self::Scheduled => &[
                const { of("waiting", "") },
                const { of("open", " AND x.started_at IS NULL") },
            ],
            Self::InProgress => &[const { of("open", " AND x.started_at IS NOT NULL") }],
            Self::Completed => &[const { of("completed", "") }],
            Self::Failed => &[const { of("failed", "") }],
            Self::Deprecated => &[const { of("withdrawn", " AND x.withdrawal = 'deprecated'") }],
            Self::DeprecatedOrScheduled => &[
                const { of("waiting", "") },
                const { of("open", " AND x.started_at IS NULL") },
                const { of("withdrawn", " AND x.withdrawal = 'deprecated'") },
            ],
            Self::NotRequired => &[const {
                with_or_without(" AND (x.id IS NULL OR (x.state = 'withdrawn' AND x.withdrawal <> 'deprecated'))")
            }],
            Self::Nothing => &[],
        }
    }
}

/// Continues a query of rooms `r`, their sites `s` and their deployments `x` behind its columns: a [`RoomsPart`] of what `filter` asks for.
macro_rules! rooms_of_update {
    ($query:ident, $filter:ident, $part:ident) => {
        if let Some(state) = $part.state {
            // SQLite takes the tables of a CROSS JOIN in their order; Postgres knows for itself where to begin.
            $query
                .push(" FROM deployments x CROSS JOIN rooms r JOIN sites s ON s.id = r.site_id WHERE r.id = x.room_id AND x.state = '")
                .push(state)
                .push("' AND x.update_id = ")
                .push_bind($filter.update.0)
                .push(" AND r.state <> 'retired'");
        } else {
            $query
                .push(
                    " FROM rooms r JOIN sites s ON s.id = r.site_id
                    LEFT JOIN deployments x ON x.room_id = r.id AND x.update_id = ",
                )
                .push_bind($filter.update.0)
                .push(" WHERE r.state <> 'retired'");
            if $filter.few {
                $query
                    .push(" AND r.id IN (SELECT y.room_id FROM deployments y WHERE y.update_id = ")
                    .push_bind($filter.update.0)
                    .push(
                        " UNION SELECT d.room_id FROM components c JOIN devices d ON d.id = c.device_id
                        WHERE d.revoked_at IS NULL AND c.product_id = ",
                    )
                    .push_bind($filter.product.0.clone())
                    .push(")");
            } else {
                $query
                    .push(
                        " AND (x.id IS NOT NULL OR EXISTS (
                        SELECT 1 FROM devices d JOIN components c ON c.device_id = d.id
                        WHERE d.room_id = r.id AND d.revoked_at IS NULL AND c.product_id = ",
                    )
                    .push_bind($filter.product.0.clone())
                    // Postgres would make a list of all such rooms first.
                    .push(" LIMIT 1 OFFSET 0))");
            }
        }
        $query.push($part.and);
        // The ring in which a room stands for this update; in the implicit ring of all rooms the room's own tells more
        // (S12).
        if let Some(ring) = $filter.ring {
            $query
                .push(" AND COALESCE(NULLIF(x.ring_id, ")
                .push_bind(stage_id(StageOf::AllRooms))
                .push("), r.ring_id) = ")
                .push_bind(ring.0);
        }
    };
}

impl Tx {
    /// Published updates; `active`: only those that may still concern people (T9). Of the finished ones these are the
    /// ones that [`domain::status::update`] calls Completed with failures and nobody has acknowledged.
    ///
    /// # Errors
    /// The database fails.
    pub async fn published(&mut self, active: bool) -> Result<Vec<PublishedRecord>> {
        const SQL: &str = "SELECT u.id, u.title, u.version, p.vendor, p.id, p.kind, u.severity, r.acknowledged_at
            FROM rollouts r JOIN updates u ON u.id = r.update_id JOIN products p ON p.id = u.product_id
            WHERE NOT $1 OR r.state IN ('running', 'paused') OR (r.state = 'finished' AND r.acknowledged_at IS NULL AND EXISTS (
                SELECT 1 FROM ring_counts c WHERE c.update_id = r.update_id
                    AND (c.failed > 0 OR c.scheduled > 0 OR c.in_progress > 0 OR c.deprecated > 0)))
            ORDER BY r.published_at DESC, u.id";
        type Row = (Uuid, String, String, String, String, String, String, Option<i64>);
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).bind(active).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(id, title, version, vendor, product, kind, severity, acknowledged)| {
                Ok(PublishedRecord {
                    id: UpdateId(id),
                    title,
                    version,
                    vendor,
                    kind: word("products", &product, &kind, ProductKind::from_word)?,
                    product: ProductId(product),
                    severity: word("updates", id, &severity, Severity::from_word)?,
                    acknowledged: acknowledged.is_some(),
                })
            })
            .collect()
    }

    /// Rooms for which these updates are applicable and kept away by nothing, and which have no deployment of them, by ring.
    ///
    /// # Errors
    /// The database fails.
    pub async fn waiting_by_ring(
        &mut self,
        updates: &[UpdateId],
        today: NaiveDate,
    ) -> Result<BTreeMap<UpdateId, BTreeMap<RingId, i64>>> {
        let mut waiting: BTreeMap<_, _> = updates.iter().map(|update| (*update, BTreeMap::new())).collect();
        if updates.is_empty() {
            return Ok(waiting);
        }
        let models: Vec<(Uuid, Json<Vec<String>>)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT id, models FROM updates WHERE id IN (");
            ids_in(&mut query, updates.iter().map(|update| update.0));
            query.build_query_as().fetch_all(c).await
        })?;
        // Those that are meant for some models alone.
        let narrow: Vec<_> = models.into_iter().filter(|(_, models)| !models.is_empty()).collect();
        let rows: Vec<(Uuid, Uuid, i64)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT u.id, r.ring_id, COUNT(DISTINCT r.id)
                FROM updates u
                JOIN products p ON p.id = u.product_id
                JOIN components c ON c.product_id = u.product_id
                JOIN devices d ON d.id = c.device_id AND d.revoked_at IS NULL
                JOIN rooms r ON r.id = d.room_id AND r.state = 'managed'
                LEFT JOIN standings s ON s.update_id = u.id AND s.version_id = c.version_id
                WHERE u.id IN (",
            );
            ids_in(&mut query, updates.iter().map(|update| update.0));
            query.push(" AND (s.standing IN ('below', 'needs_first') OR (c.version_id IS NULL AND u.applies_to_unknown))");
            if !narrow.is_empty() {
                query.push(" AND (u.id NOT IN (");
                ids_in(&mut query, narrow.iter().map(|(update, _)| *update));
                for (update, models) in &narrow {
                    query.push(" OR (u.id = ").push_bind(*update).push(" AND d.model IN (");
                    texts_in(&mut query, models.iter().map(String::as_str));
                    query.push(")");
                }
                query.push(")");
            }
            query.push(
                " AND NOT EXISTS (SELECT 1 FROM deployments x WHERE x.room_id = r.id AND x.update_id = u.id
                    AND (x.state <> 'withdrawn' OR x.withdrawal = 'deprecated'))
                AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.room_id = r.id AND b.kind = p.kind)
                AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.room_id = r.id AND h.since <= ",
            );
            query.push_bind(today).push(" AND h.until >= ").push_bind(today);
            query.push(" AND (h.product_id IS NULL OR h.product_id = u.product_id)) GROUP BY u.id, r.ring_id ORDER BY u.id, r.ring_id");
            query.build_query_as().fetch_all(c).await
        })?;
        for (update, ring, rooms) in rows {
            waiting.entry(UpdateId(update)).or_default().insert(RingId(ring), rooms);
        }
        Ok(waiting)
    }

    /// Deployments of an update by ring, night and how they stand, catch-ups aside: (ring, night, `waiting`, `running`,
    /// `completed`, `failed` or `withdrawn`, rooms). The night is the one that its ring's entry fixed, where it did.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_by_night(&mut self, update: UpdateId) -> Result<Vec<(StageOf, NaiveDate, String, i64)>> {
        const SQL: &str = "SELECT ring_id, planned, stands, COUNT(*)
            FROM (SELECT ring_id, COALESCE(planned_night, night) AS planned,
                    CASE WHEN state = 'open' AND started_at IS NOT NULL THEN 'running'
                        WHEN state = 'open' THEN 'waiting'
                        ELSE state END AS stands
                FROM deployments
                WHERE update_id = $1 AND NOT catch_up AND (state <> 'withdrawn' OR withdrawal = 'deprecated')) AS x
            GROUP BY ring_id, planned, stands
            ORDER BY ring_id, planned, stands";
        let rows: Vec<(Uuid, NaiveDate, String, i64)> =
            each!(self, c => sqlx::query_as(SQL).bind(update.0).fetch_all(c).await)?;
        Ok(rows
            .into_iter()
            .map(|(ring, night, stands, rooms)| (stage_of(ring), night, stands, rooms))
            .collect())
    }

    /// Rooms of an update that wait for a night until `until`, as in [`Tx::rooms_by_night`]: (ring, night as planned,
    /// rooms with the night as it is). What is forced waits for none (K5).
    ///
    /// # Errors
    /// The database fails, or a zone is none.
    pub async fn waiting_rooms_of(
        &mut self,
        update: UpdateId,
        until: NaiveDate,
    ) -> Result<Vec<(StageOf, NaiveDate, WaitingRooms)>> {
        const SQL: &str = "SELECT site_id, site, zone, ring_id, own, night, COUNT(*), stage, planned
            FROM (SELECT r.site_id, s.name AS site, r.zone, r.ring_id, d.night, d.ring_id AS stage,
                    COALESCE(d.planned_night, d.night) AS planned,
                    CASE WHEN EXISTS (SELECT 1 FROM freezes f WHERE f.room_id = r.id) THEN r.id END AS own
                FROM deployments d
                JOIN rooms r ON r.id = d.room_id
                JOIN sites s ON s.id = r.site_id
                WHERE d.update_id = $1 AND NOT d.catch_up AND d.force IS NULL AND d.night <= $2
                    AND (d.state = 'waiting' OR (d.state = 'open' AND d.started_at IS NULL))) AS x
            GROUP BY site_id, site, zone, ring_id, own, night, stage, planned
            ORDER BY stage, planned, site, night, zone, ring_id, own";
        type Row = (
            Uuid,
            String,
            String,
            Uuid,
            Option<Uuid>,
            NaiveDate,
            i64,
            Uuid,
            NaiveDate,
        );
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).bind(update.0).bind(until).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(site, name, zone, ring, own, night, rooms, stage, planned)| {
                let waiting = waiting_rooms((site, name, zone, ring, own, night, rooms))?;
                Ok((stage_of(stage), planned, waiting))
            })
            .collect()
    }

    /// Rooms of an update by what has become of them: `scheduled` (nothing has started), `in-progress`, `completed`, `failed` or
    /// `deprecated`; those without a deployment are not among them. Which status `scheduled` is, the rollout says.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_by_status(&mut self, update: UpdateId) -> Result<BTreeMap<String, i64>> {
        const SQL: &str = "SELECT status, COUNT(*) FROM (
                SELECT CASE
                    WHEN state = 'open' AND started_at IS NOT NULL THEN 'in-progress'
                    WHEN state IN ('waiting', 'open') THEN 'scheduled'
                    WHEN state = 'withdrawn' THEN 'deprecated'
                    ELSE state END AS status
                FROM deployments WHERE update_id = $1 AND (state <> 'withdrawn' OR withdrawal = 'deprecated')) AS x
            GROUP BY status ORDER BY status";
        let rows: Vec<(String, i64)> = each!(self, c => sqlx::query_as(SQL).bind(update.0).fetch_all(c).await)?;
        Ok(rows.into_iter().collect())
    }

    /// A page of rooms by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn room_page(&mut self, filter: &RoomFilter, limit: i64) -> Result<Vec<RoomListRecord>> {
        type Row = (Uuid, String, String, String, String, String, String, Uuid, String);
        let words = self.word_filter(SearchedList::Rooms, &filter.words);
        let (key, id) = filter.order();
        let direction = if filter.before.is_some() { " DESC" } else { "" };
        let mut rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT r.id, r.name, r.name_key, (SELECT s.name FROM sites s WHERE s.id = r.site_id), r.building, r.floor, r.zone, r.ring_id, r.state",
            );
            query.push(filter.rooms());
            filter_rooms!(query, filter, words);
            between(&mut query, (key, id), filter.after.as_ref(), filter.before.as_ref());
            // A number and no parameter: Postgres then plans for a page, and not for a tenth of all rows.
            query.push(format_args!(" ORDER BY {key}{direction}, {id}{direction} LIMIT {limit}"));
            query.build_query_as().fetch_all(c).await
        })?;
        if filter.before.is_some() {
            rows.reverse();
        }
        rows.into_iter().map(room_list_record).collect()
    }

    /// How many rooms there are on all pages of [`Tx::room_page`]. Without words, and whatever their health, it is read and not counted.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_found(&mut self, filter: &RoomFilter) -> Result<i64> {
        let words = self.word_filter(SearchedList::Rooms, &filter.words);
        let is_counted = words.is_none() && filter.unhealthy_at.is_none();
        Ok(each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            if is_counted {
                query.push("CAST(COALESCE(SUM(r.rooms), 0) AS BIGINT) FROM room_counts r WHERE r.state ");
                query.push(if filter.retired { "= 'retired'" } else { "<> 'retired'" });
            } else {
                query.push("COUNT(*)").push(filter.rooms());
            }
            filter_rooms!(query, filter, words);
            query.build_query_scalar().fetch_one(c).await
        })?)
    }

    /// What is going on in these rooms at `now`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn work_in(&mut self, rooms: &[RoomId], now: DateTime<Utc>) -> Result<BTreeMap<RoomId, RoomWork>> {
        type Row = (Uuid, String, Option<i64>, NaiveDate, Option<String>, String);
        let mut work: BTreeMap<RoomId, RoomWork> = rooms.iter().map(|room| (*room, RoomWork::default())).collect();
        if rooms.is_empty() {
            return Ok(work);
        }
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT d.room_id, d.state, d.started_at, d.night, d.force, r.state
                FROM deployments d JOIN rollouts r ON r.update_id = d.update_id
                WHERE d.state IN ('waiting', 'open', 'failed') AND r.state <> 'deprecated' AND d.room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|room| room.0));
            query.push(" ORDER BY d.room_id, d.night");
            query.build_query_as().fetch_all(c).await
        })?;
        for (room, state, started_at, night, force, rollout) in rows {
            let force = force.map(|how| word("deployments", room, &how, Force::from_word));
            let Some(work) = work.get_mut(&RoomId(room)) else {
                continue;
            };
            match (state.as_str(), started_at, rollout.as_str()) {
                ("failed", _, _) => work.failed += 1,
                ("open", Some(_), _) => work.running += 1,
                (_, _, "paused") => work.paused += 1,
                _ => {
                    work.scheduled += 1;
                    match force.transpose()? {
                        None => work.nights.push(night),
                        Some(Force::Now) => work.force = Some(Force::Now),
                        Some(Force::WhenAvailable) => work.force = work.force.or(Some(Force::WhenAvailable)),
                    }
                }
            }
        }
        let rows: Vec<(Uuid, String, Option<i64>)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT room_id, model, last_seen_at FROM devices WHERE revoked_at IS NULL AND room_id IN (");
            ids_in(&mut query, rooms.iter().map(|room| room.0));
            query.push(" ORDER BY room_id, position");
            query.build_query_as().fetch_all(c).await
        })?;
        for (room, model, last_seen_at) in rows {
            let Some(work) = work.get_mut(&RoomId(room)) else {
                continue;
            };
            work.devices += 1;
            work.models.push(model);
            work.contacts.extend(opt_instant("devices", room, last_seen_at)?);
        }
        let rows: Vec<(Uuid, i64, i64, i64)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT tr.room_id, COUNT(*), SUM(CASE WHEN t.troubles THEN 1 ELSE 0 END),
                    SUM(CASE WHEN t.troubles AND t.suppressed_until > ",
            );
            query.push_bind(micros(now));
            query.push(
                " THEN 1 ELSE 0 END)
                FROM ticket_rooms tr JOIN tickets t ON t.id = tr.ticket_id
                WHERE t.state IN ('needs_action', 'investigating') AND tr.room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|room| room.0));
            query.push(" GROUP BY tr.room_id ORDER BY tr.room_id");
            query.build_query_as().fetch_all(c).await
        })?;
        for (room, open, troubling, suppressed) in rows {
            if let Some(work) = work.get_mut(&RoomId(room)) {
                work.open_tickets = open;
                work.unhealthy = troubling - suppressed;
                work.suppressed = suppressed;
            }
        }
        Ok(work)
    }

    /// How far the tables have grown in which everything that pages show leaves a row: audit, history of deployments, history of tickets.
    /// It moves with every change, whichever process has made it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn database_revision(&mut self) -> Result<(i64, i64, i64)> {
        const SQL: &str =
            "SELECT (SELECT COALESCE(MAX(id), 0) FROM audit), (SELECT COALESCE(MAX(id), 0) FROM deployment_events),
            (SELECT COALESCE(MAX(id), 0) FROM ticket_events)";
        Ok(each!(self, c => sqlx::query_as(SQL).fetch_one(c).await)?)
    }

    /// Rooms by what their health follows from at `now` (I4): (state, how tickets trouble them, whether a device was in
    /// contact after `contact_after`, rooms).
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_by_health_facts(
        &mut self,
        now: DateTime<Utc>,
        contact_after: DateTime<Utc>,
    ) -> Result<Vec<(RoomState, HealthImpact, bool, i64)>> {
        const SQL: &str = "SELECT state, open, suppressed, in_contact, COUNT(*)
            FROM (SELECT r.state,
                    r.id IN (SELECT tr.room_id
                        FROM ticket_rooms tr JOIN tickets t ON t.id = tr.ticket_id
                        WHERE t.state IN ('needs_action', 'investigating') AND t.troubles
                            AND (t.suppressed_until IS NULL OR t.suppressed_until <= $2)) AS open,
                    r.id IN (SELECT tr.room_id
                        FROM ticket_rooms tr JOIN tickets t ON t.id = tr.ticket_id
                        WHERE t.state IN ('needs_action', 'investigating') AND t.troubles AND t.suppressed_until > $2) AS suppressed,
                    EXISTS (SELECT 1
                        FROM devices d
                        WHERE d.room_id = r.id AND d.revoked_at IS NULL AND d.last_seen_at > $1) AS in_contact
                FROM rooms r
                WHERE r.state <> 'retired') AS x
            GROUP BY state, open, suppressed, in_contact
            ORDER BY state, open, suppressed, in_contact";
        let rows: Vec<(String, bool, bool, bool, i64)> =
            each!(self, c => sqlx::query_as(SQL).bind(micros(contact_after)).bind(micros(now)).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(state, open, suppressed, in_contact, rooms)| {
                let state = word("rooms", "by condition", &state, RoomState::from_word)?;
                let impact = HealthImpact::of(open.into(), suppressed.into());
                Ok((state, impact, in_contact, rooms))
            })
            .collect()
    }

    /// Rooms by ring.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_by_ring(&mut self) -> Result<BTreeMap<RingId, i64>> {
        const SQL: &str = "SELECT ring_id, CAST(SUM(rooms) AS BIGINT) FROM room_counts WHERE state <> 'retired' GROUP BY ring_id ORDER BY ring_id";
        let rows: Vec<(Uuid, i64)> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        Ok(rows.into_iter().map(|(ring, rooms)| (RingId(ring), rooms)).collect())
    }

    /// When a ring last received an update: as a ring, or a room that is in it now with all rooms (S12).
    ///
    /// # Errors
    /// The database fails.
    pub async fn last_completed_in(&mut self, ring: RingId) -> Result<Option<DateTime<Utc>>> {
        const AS_RING: &str = "SELECT MAX(ended_at) FROM deployments WHERE ring_id = $1 AND state = 'completed'";
        const WITH_ALL: &str = "SELECT d.ended_at
            FROM deployments d JOIN rooms r ON r.id = d.room_id
            WHERE d.ring_id = $1 AND d.state = 'completed' AND d.ended_at IS NOT NULL AND r.ring_id = $2
            ORDER BY d.ended_at DESC LIMIT 1";
        let as_ring: Option<i64> = each!(self, c => sqlx::query_scalar(AS_RING).bind(ring.0).fetch_one(c).await)?;
        let with_all: Option<i64> = each!(self, c => sqlx::query_scalar(WITH_ALL)
            .bind(stage_id(StageOf::AllRooms))
            .bind(ring.0)
            .fetch_optional(c)
            .await)?;
        opt_instant("deployments", ring, as_ring.max(with_all))
    }

    /// A page of an update's rooms by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn update_room_page(&mut self, filter: &UpdateRoomFilter, limit: i64) -> Result<Vec<RoomListRecord>> {
        type Row = (Uuid, String, String, String, String, String, String, Uuid, String);
        let parts = filter.which.parts();
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let direction = if filter.before.is_some() { " DESC" } else { "" };
        let mut rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("");
            let mut start = if parts.len() > 1 { "SELECT * FROM (" } else { "" };
            for part in parts {
                let (key, id) = match part.state {
                    Some(_) => ("x.room_key", "x.room_id"),
                    None => ("r.name_key", "r.id"),
                };
                query.push(start).push("SELECT r.id, r.name, r.name_key, s.name AS site, r.building, r.floor, r.zone, r.ring_id, r.state");
                rooms_of_update!(query, filter, part);
                between(&mut query, (key, id), filter.after.as_ref(), filter.before.as_ref());
                // A number and no parameter: Postgres then plans for a page, and not for a tenth of all rows.
                query.push(format_args!(" ORDER BY {key}{direction}, {id}{direction} LIMIT {limit}"));
                start = ") AS part UNION ALL SELECT * FROM (";
            }
            if parts.len() > 1 {
                query.push(format_args!(") AS part ORDER BY name_key{direction}, id{direction} LIMIT {limit}"));
            }
            query.build_query_as().fetch_all(c).await
        })?;
        if filter.before.is_some() {
            rows.reverse();
        }
        rows.into_iter().map(room_list_record).collect()
    }

    /// How many rooms there are on all pages of [`Tx::update_room_page`].
    ///
    /// # Errors
    /// The database fails.
    pub async fn update_rooms_found(&mut self, filter: &UpdateRoomFilter) -> Result<i64> {
        let mut found = 0;
        for part in filter.which.parts() {
            let rooms: i64 = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("SELECT COUNT(*)");
                rooms_of_update!(query, filter, part);
                query.build_query_scalar().fetch_one(c).await
            })?;
            found += rooms;
        }
        Ok(found)
    }

    /// How many rooms have each of these products.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rooms_with(&mut self, products: &[ProductId]) -> Result<BTreeMap<ProductId, i64>> {
        let mut with: BTreeMap<_, _> = products.iter().map(|product| (product.clone(), 0)).collect();
        if products.is_empty() {
            return Ok(with);
        }
        let rows: Vec<(String, i64)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT c.product_id, COUNT(DISTINCT d.room_id) FROM components c JOIN devices d ON d.id = c.device_id
                WHERE d.revoked_at IS NULL AND c.product_id IN (",
            );
            texts_in(&mut query, products.iter().map(|product| product.0.as_str()));
            query.push(" GROUP BY c.product_id ORDER BY c.product_id");
            query.build_query_as().fetch_all(c).await
        })?;
        with.extend(rows.into_iter().map(|(product, rooms)| (ProductId(product), rooms)));
        Ok(with)
    }

    /// A room's devices with their components.
    ///
    /// # Errors
    /// The database fails.
    pub async fn device_details(&mut self, room: RoomId) -> Result<Vec<DeviceDetail>> {
        const SQL: &str = "SELECT d.id, d.controller_id, d.role, d.vendor, d.model, d.serial, d.last_seen_at, c.product_id, p.name, p.kind, v.text
            FROM devices d
            LEFT JOIN components c ON c.device_id = d.id
            LEFT JOIN products p ON p.id = c.product_id
            LEFT JOIN versions v ON v.id = c.version_id
            WHERE d.room_id = $1 AND d.revoked_at IS NULL
            ORDER BY d.position, d.id, p.name";
        type Row = (
            Uuid,
            String,
            String,
            String,
            String,
            String,
            Option<i64>,
            Option<String>,
            Option<String>,
            Option<String>,
            Option<String>,
        );
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).bind(room.0).fetch_all(c).await)?;
        let mut devices: Vec<DeviceDetail> = Vec::new();
        for (id, controller, role, vendor, model, serial, last_seen_at, product, name, kind, version) in rows {
            if devices.last().is_none_or(|last| last.id.0 != id) {
                let last_seen_at = opt_instant("devices", id, last_seen_at)?;
                let components = Vec::new();
                devices.push(DeviceDetail {
                    id: DeviceId(id),
                    controller,
                    role,
                    vendor,
                    model,
                    serial,
                    last_seen_at,
                    components,
                });
            }
            if let (Some(device), Some(product), Some(name), Some(kind)) = (devices.last_mut(), product, name, kind) {
                let kind = word("products", &product, &kind, ProductKind::from_word)?;
                device.components.push((ProductId(product), name, kind, version));
            }
        }
        Ok(devices)
    }

    /// Devices by what they call themselves, after one of them.
    ///
    /// # Errors
    /// The database fails.
    pub async fn devices_after(&mut self, after: &str, limit: i64) -> Result<Vec<DeviceLineRecord>> {
        const SQL: &str = "SELECT d.controller_id, r.name, d.model, d.enrolled_at, d.revoked_at FROM devices d JOIN rooms r ON r.id = d.room_id
            WHERE d.controller_id > $1 ORDER BY d.controller_id LIMIT $2";
        type Row = (String, String, String, Option<i64>, Option<i64>);
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(c).await)?;
        Ok(rows
            .into_iter()
            .map(|(controller, room, model, enrolled, revoked)| {
                let state = match (enrolled, revoked) {
                    (_, Some(_)) => "revoked",
                    (Some(_), None) => "enrolled",
                    (None, None) => "not enrolled",
                };
                DeviceLineRecord {
                    controller,
                    room,
                    model,
                    state,
                }
            })
            .collect())
    }

    /// A page of the portfolio, covered products first, by name. `words`: lower case, in a name or a vendor; empty: all.
    ///
    /// # Errors
    /// The database fails.
    pub async fn portfolio_page(
        &mut self,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<PortfolioRecord>, i64)> {
        const COUNT: &str =
            "SELECT COUNT(*) FROM products p WHERE lower(p.vendor || ' ' || p.name) LIKE $1 ESCAPE '\\'";
        const SQL: &str = "SELECT p.id, p.name, p.vendor, p.kind, p.covered,
                (SELECT COUNT(*) FROM updates u WHERE u.product_id = p.id),
                (SELECT 1 FROM components c WHERE c.product_id = p.id ORDER BY c.version_id LIMIT 1) IS NOT NULL,
                (SELECT u.id FROM updates u JOIN rollouts r ON r.update_id = u.id WHERE u.product_id = p.id ORDER BY u.position DESC LIMIT 1),
                n.version, v.released
            FROM products p
            LEFT JOIN updates n ON n.id = (SELECT u.id FROM updates u WHERE u.product_id = p.id AND NOT u.recalled ORDER BY u.position DESC LIMIT 1)
            LEFT JOIN versions v ON v.id = n.version_id
            WHERE lower(p.vendor || ' ' || p.name) LIKE $1 ESCAPE '\\'
            ORDER BY p.covered DESC, p.name, p.id LIMIT $2 OFFSET $3";
        type Row = (
            String,
            String,
            String,
            String,
            bool,
            i64,
            bool,
            Option<Uuid>,
            Option<String>,
            Option<NaiveDate>,
        );
        let words = crate::rows::containing(words);
        let count: i64 = each!(self, c => sqlx::query_scalar(COUNT).bind(&words).fetch_one(c).await)?;
        let rows: Vec<Row> =
            each!(self, c => sqlx::query_as(SQL).bind(&words).bind(limit).bind(offset).fetch_all(c).await)?;
        let rows = rows
            .into_iter()
            .map(
                |(id, name, vendor, kind, covered, releases, in_use, published, version, released)| {
                    Ok(PortfolioRecord {
                        kind: word("products", &id, &kind, ProductKind::from_word)?,
                        id: ProductId(id),
                        name,
                        vendor,
                        covered,
                        newest: version.map(|version| (version, released)),
                        releases,
                        in_use,
                        published: published.map(UpdateId),
                    })
                },
            )
            .collect::<Result<Vec<_>>>()?;
        Ok((rows, count))
    }

    /// The newest release of each of these products that is published and not deprecated.
    ///
    /// # Errors
    /// The database fails.
    pub async fn recommended(&mut self, products: &[ProductId]) -> Result<BTreeMap<ProductId, (UpdateId, String)>> {
        let mut found = BTreeMap::new();
        for batch in products.chunks(BATCH) {
            let rows: Vec<(String, Uuid, String)> = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(
                    "SELECT u.product_id, u.id, u.version FROM updates u JOIN rollouts r ON r.update_id = u.id
                    WHERE r.state <> 'deprecated' AND u.product_id IN (",
                );
                texts_in(&mut query, batch.iter().map(|product| product.0.as_str()));
                query.push(" ORDER BY u.product_id, u.position");
                query.build_query_as().fetch_all(c).await
            })?;
            // A newer one takes the place of an older one.
            found.extend(
                rows.into_iter()
                    .map(|(product, id, version)| (ProductId(product), (UpdateId(id), version))),
            );
        }
        Ok(found)
    }

    /// Rooms that wait for a night until `until`, each with the first one and once. What is forced waits for none (K5),
    /// what is paused for nothing.
    ///
    /// # Errors
    /// The database fails, or a zone is none.
    pub async fn waiting_rooms(&mut self, until: NaiveDate) -> Result<Vec<WaitingRooms>> {
        const SQL: &str = "SELECT site_id, site, zone, ring_id, own, night, COUNT(*)
            FROM (SELECT r.site_id, s.name AS site, r.zone, r.ring_id, w.night,
                    CASE WHEN EXISTS (SELECT 1 FROM freezes f WHERE f.room_id = r.id) THEN r.id END AS own
                FROM (SELECT d.room_id, MIN(d.night) AS night
                    FROM deployments d
                    JOIN rollouts o ON o.update_id = d.update_id AND o.state IN ('running', 'finished')
                    WHERE d.next_at IS NOT NULL AND d.night <= $1 AND d.force IS NULL
                        AND (d.state = 'waiting' OR (d.state = 'open' AND d.started_at IS NULL))
                    GROUP BY d.room_id) AS w
                JOIN rooms r ON r.id = w.room_id
                JOIN sites s ON s.id = r.site_id) AS x
            GROUP BY site_id, site, zone, ring_id, own, night
            ORDER BY site, night, zone, ring_id, own";
        let rows: Vec<WaitingRow> = each!(self, c => sqlx::query_as(SQL).bind(until).fetch_all(c).await)?;
        rows.into_iter().map(waiting_rooms).collect()
    }

    /// The freezes of single sites and rooms (W6). Those of rings and of the organisation: [`Tx::freezes`].
    ///
    /// # Errors
    /// The database fails, or a row is no fact.
    pub async fn freezes_of_sites_and_rooms(&mut self) -> Result<Vec<(FreezeScope, Freeze)>> {
        const SQL: &str = "SELECT id, site_id, room_id, first_date, last_date, owner, reason, made_at
            FROM freezes WHERE scope IN ('site', 'room') ORDER BY first_date, id";
        type Row = (
            Uuid,
            Option<Uuid>,
            Option<Uuid>,
            NaiveDate,
            NaiveDate,
            String,
            String,
            i64,
        );
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        let mut freezes = Vec::with_capacity(rows.len());
        for (id, site, room, from, until, owner, reason, made_at) in rows {
            let scope = match (site, room) {
                (Some(site), _) => FreezeScope::Site(SiteId(site)),
                (None, Some(room)) => FreezeScope::Room(RoomId(room)),
                (None, None) => return Err(StoreError::row("freezes", id, "it concerns no site and no room")),
            };
            freezes.push((
                scope,
                Freeze {
                    from,
                    until,
                    owner,
                    reason,
                    made_at: instant("freezes", id, made_at)?,
                    id: FreezeId(id),
                },
            ));
        }
        Ok(freezes)
    }

    /// The open failure tickets of an update in these rooms: room to number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn failure_ticket_numbers(
        &mut self,
        update: UpdateId,
        rooms: &[RoomId],
    ) -> Result<BTreeMap<RoomId, i64>> {
        if rooms.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<(Uuid, i64)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT failure_room_id, number FROM tickets WHERE state <> 'resolved' AND update_id = ");
            query.push_bind(update.0).push(" AND failure_room_id IN (");
            ids_in(&mut query, rooms.iter().map(|room| room.0));
            query.push(" ORDER BY number");
            query.build_query_as().fetch_all(c).await
        })?;
        Ok(rows.into_iter().map(|(room, number)| (RoomId(room), number)).collect())
    }

    /// When an update was published, and by whom.
    ///
    /// # Errors
    /// The database fails.
    pub async fn published_at(&mut self, update: UpdateId) -> Result<Option<(DateTime<Utc>, String)>> {
        const SQL: &str = "SELECT published_at, published_by FROM rollouts WHERE update_id = $1";
        let row: Option<(i64, String)> = each!(self, c => sqlx::query_as(SQL).bind(update.0).fetch_optional(c).await)?;
        row.map(|(at, by)| Ok((instant("rollouts", update, at)?, by)))
            .transpose()
    }
}

fn room_list_record(
    row: (Uuid, String, String, String, String, String, String, Uuid, String),
) -> Result<RoomListRecord> {
    let (id, name, name_key, site, building, floor, zone, ring, state) = row;
    Ok(RoomListRecord {
        id: RoomId(id),
        name,
        name_key,
        site,
        building,
        floor,
        zone: zone_of("rooms", id, &zone)?,
        ring: RingId(ring),
        state: word("rooms", id, &state, RoomState::from_word)?,
    })
}

type WaitingRow = (Uuid, String, String, Uuid, Option<Uuid>, NaiveDate, i64);

fn waiting_rooms(row: WaitingRow) -> Result<WaitingRooms> {
    let (site, site_name, zone, ring, own, night, rooms) = row;
    Ok(WaitingRooms {
        site: SiteId(site),
        site_name,
        zone: zone_of("rooms of site", site, &zone)?,
        ring: RingId(ring),
        own: own.map(RoomId),
        night,
        rooms,
    })
}
