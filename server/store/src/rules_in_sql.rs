//! Rules that have to stand in SQL, because they choose among more rooms than anybody wants to read. They stand here beside each other.
//!
//! Each of them says again, for many rows at once, what a function of the domain says for one; that function is the rule. Its doc comment
//! names it, and the test that compares the two. Nothing else in this crate decides. A rule that is changed in the domain is changed here.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, NaiveDate, Utc};
use domain::fleet::Candidate;
use domain::ids::{DeploymentId, ProductId, RingId, RoomId, StageOf, UpdateId};
use domain::room::Hold;
use domain::update::{Update, VersionStanding};
use domain::zone::Zone;
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::Result;
use crate::rows::{ids_in, small, texts_in, word, zone_of};
use crate::tx::{Tx, each};

/// Continues a query of rooms `r`: a ticket makes them unhealthy at the instant that comes behind it (I4). The column `troubles` says of a
/// ticket whether it would; suppressed ones do not. Of one room [`domain::room::Health::of`] says it.
///
/// Compared in `the_unhealthy_rooms_are_known_with_every_change_of_a_ticket_i4_p8`.
pub(crate) const UNHEALTHY: &str = " AND EXISTS (SELECT 1 FROM ticket_rooms tr JOIN tickets t ON t.id = tr.ticket_id
    WHERE tr.room_id = r.id AND t.troubles AND (t.suppressed_until IS NULL OR t.suppressed_until <= ";

/// Continues a query of rollouts `r`: their updates may still concern people (T9). Of one update [`domain::status::update`] and
/// [`domain::status::UpdateStatus::is_active`] say it, with facts that are read afterwards: a row too many is no harm, and none is missing.
///
/// Compared in `an_update_that_still_concerns_people_is_among_the_active_ones_t9`.
pub(crate) const MAY_CONCERN: &str = " WHERE r.state IN ('running', 'paused')
    OR (r.state = 'finished' AND r.acknowledged_at IS NULL AND EXISTS (SELECT 1 FROM ring_counts c
        WHERE c.update_id = r.update_id AND (c.failed > 0 OR c.scheduled > 0 OR c.in_progress > 0 OR c.deprecated > 0)))";

/// A deployment that waits for the night that its ring's entry gave it, so that its night moves with the plan (K3). Of one deployment
/// [`domain::deployment::Deployment::follows_plan`] says it.
///
/// Compared in `rows_follow_the_planner_through_weeks_of_random_life_s14`. The progress is in the state already; an index begins with it.
macro_rules! follows_plan {
    () => {
        "progress = 'not_started' AND state = 'waiting' AND NOT catch_up AND attempt = 1 AND missed_windows = 0 AND force IS NULL"
    };
}
pub(crate) use follows_plan;

/// A deployment `d` of a rollout `o` whose room is Scheduled: it waits for its night. Of one room [`domain::status::room`] says it.
///
/// Compared in `lists_have_each_room_where_its_status_is_before_the_tick_has_been_there_t1_t8`.
macro_rules! is_scheduled {
    () => {
        "d.progress = 'not_started' AND o.state IN ('running', 'finished')"
    };
}
pub(crate) use is_scheduled;

/// Which rooms are looked at for a ring's entry.
pub(crate) enum EntryRooms {
    /// All of the ring.
    OfRing(StageOf),
    /// Those that have these positions and are still in the ring.
    Placed(StageOf, Range<u32>),
}

/// A device with the product: (room, zone, ring, model, version, withdrawn deployment, its attempt, position in the ring).
type CandidateRow = (
    Uuid,
    String,
    Uuid,
    String,
    Option<Uuid>,
    Option<Uuid>,
    Option<i64>,
    Option<i64>,
);

/// The versions of a product with their texts, and how each stands to an update.
type KnownVersions = BTreeMap<Uuid, (String, Option<VersionStanding>)>;

/// The text of a device's version that is below the update; `None`: it is not below. An unknown version has no text.
fn version_below(update: &Update, versions: &KnownVersions, version: Option<Uuid>) -> Option<Option<String>> {
    match version.map(|version| versions.get(&version)) {
        Some(Some((text, Some(VersionStanding::Below | VersionStanding::NeedsFirst)))) => Some(Some(text.clone())),
        Some(_) => None,
        None => update.applies_to_unknown.then_some(None),
    }
}

impl Tx {
    /// Rooms for which these updates are applicable and kept away by nothing, and which have no deployment of them, by ring. Of one room
    /// [`Update::exclusion`] says it.
    ///
    /// Compared in `rooms_that_wait_for_their_ring_are_those_that_it_will_place_s1_t10`.
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
                    AND x.progress <> 'not_required')
                AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.room_id = r.id AND b.kind = p.kind
                    AND (b.vendor IS NULL OR lower(b.vendor) = lower(trim(p.vendor))))
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

    /// Rooms that a ring's entry gives a night (S1, S6): applicable, kept away by nothing, and without a deployment. By room, each
    /// with its position where it has one. Of one room [`Update::exclusion`] says it, and `Fleet::slice` of all in memory.
    ///
    /// Compared in `a_ring_that_is_entered_has_the_same_candidates_in_rows_and_in_memory_s6` and
    /// `a_ring_that_is_half_filled_has_the_same_next_rooms_in_rows_and_in_memory_s6`.
    pub(crate) async fn candidates(
        &mut self,
        update: &Update,
        rooms: &EntryRooms,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Option<u32>, Candidate)>> {
        let (EntryRooms::OfRing(ring) | EntryRooms::Placed(ring, _)) = *rooms;
        let rows = self.candidate_rows(update, rooms).await?;
        let versions = self.standings_of(update).await?;
        let freezes = self.freezes_in_ring(ring).await?;
        let held = self.held_in_ring(ring, &update.product).await?;
        let mut zones: BTreeMap<String, Zone> = BTreeMap::new();
        let mut candidates: Vec<(Option<u32>, Candidate)> = Vec::new();
        for (room, zone_name, of_ring, model, version, withdrawn, attempt, position) in rows {
            // The first device that fits speaks for its room.
            let is_there = candidates.last().is_some_and(|(_, last)| last.room == RoomId(room));
            if is_there || !update.fits(&model) {
                continue;
            }
            let Some(from_version) = version_below(update, &versions, version) else {
                continue;
            };
            let zone = match zones.get(&zone_name) {
                Some(zone) => zone.clone(),
                None => {
                    let zone = zone_of("rooms", room, &zone_name)?;
                    zones.insert(zone_name, zone.clone());
                    zone
                }
            };
            let is_held = held.get(&room).is_some_and(|holds| {
                let today = zone.date(now);
                holds.iter().any(|hold| hold.since <= today && today <= hold.until)
            });
            if is_held {
                continue;
            }
            let withdrawn = match (withdrawn, attempt) {
                (Some(id), Some(attempt)) => Some((DeploymentId(id), small("deployments", id, attempt)?)),
                (Some(_) | None, _) => None,
            };
            let position = position.map(|position| small("placements", room, position));
            let candidate = Candidate {
                room: RoomId(room),
                model,
                ring: RingId(of_ring),
                zone,
                from_version,
                withdrawn,
                freezes: freezes.get(&room).cloned().unwrap_or_default(),
            };
            candidates.push((position.transpose()?, candidate));
        }
        Ok(candidates)
    }

    /// Every device that has the product, in rooms that may be candidates, by room.
    async fn candidate_rows(&mut self, update: &Update, rooms: &EntryRooms) -> Result<Vec<CandidateRow>> {
        let (EntryRooms::OfRing(ring) | EntryRooms::Placed(ring, _)) = *rooms;
        Ok(each!(self, c => {
            // From the rooms to their devices, and not from all devices that have the product: `CROSS JOIN` keeps SQLite to that.
            let mut query = sqlx::QueryBuilder::new("SELECT r.id, r.zone, r.ring_id, d.model, c.version_id, p.id, p.attempt, ");
            query.push(match rooms {
                EntryRooms::OfRing(_) => "CAST(NULL AS BIGINT) FROM rooms r",
                EntryRooms::Placed(..) => "l.position FROM placements l CROSS JOIN rooms r",
            });
            query.push(" CROSS JOIN devices d CROSS JOIN components c LEFT JOIN deployments p ON p.room_id = r.id AND p.update_id = ");
            query.push_bind(update.id.0);
            query.push(" WHERE ");
            if let EntryRooms::Placed(_, positions) = rooms {
                query.push("l.update_id = ").push_bind(update.id.0);
                query.push(" AND l.position >= ").push_bind(i64::from(positions.start));
                query.push(" AND l.position < ").push_bind(i64::from(positions.end));
                query.push(" AND r.id = l.room_id AND ");
            }
            query.push("r.state = 'managed' AND d.room_id = r.id AND d.revoked_at IS NULL AND c.device_id = d.id AND c.product_id = ");
            query.push_bind(update.product.0.clone());
            query.push(" AND (p.id IS NULL OR p.state = 'withdrawn')");
            if let StageOf::Ring(ring) = ring {
                query.push(" AND r.ring_id = ").push_bind(ring.0);
            }
            query.push(" AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.room_id = r.id AND b.kind = ");
            query.push_bind(update.kind.as_str());
            query.push(" AND (b.vendor IS NULL OR lower(b.vendor) = lower(trim(");
            query.push_bind(update.vendor.clone());
            query.push(")))) ORDER BY r.id, d.position, d.id");
            query.build_query_as().fetch_all(c).await
        })?)
    }

    /// The known versions of an update's product, each with how it stands to the update.
    async fn standings_of(&mut self, update: &Update) -> Result<KnownVersions> {
        const SQL: &str = "SELECT v.id, v.text, s.standing FROM versions v
            LEFT JOIN standings s ON s.version_id = v.id AND s.update_id = $1
            WHERE v.product_id = $2 ORDER BY v.id";
        let rows: Vec<(Uuid, String, Option<String>)> = each!(self, c => sqlx::query_as(SQL)
            .bind(update.id.0)
            .bind(&update.product.0)
            .fetch_all(c)
            .await)?;
        let mut versions = BTreeMap::new();
        for (id, text, standing) in rows {
            let standing = standing.map(|standing| word("standings", id, &standing, VersionStanding::from_word));
            versions.insert(id, (text, standing.transpose()?));
        }
        Ok(versions)
    }

    async fn held_in_ring(&mut self, ring: StageOf, product: &ProductId) -> Result<BTreeMap<Uuid, Vec<Hold>>> {
        type Row = (Uuid, String, String, NaiveDate, NaiveDate);
        let rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT h.room_id, h.owner, h.reason, h.since, h.until FROM holds h JOIN rooms r ON r.id = h.room_id
                WHERE (h.product_id IS NULL OR h.product_id = ",
            );
            query.push_bind(product.0.clone());
            query.push(")");
            if let StageOf::Ring(ring) = ring {
                query.push(" AND r.ring_id = ").push_bind(ring.0);
            }
            query.push(" ORDER BY h.room_id, h.since");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, Vec<Hold>> = BTreeMap::new();
        for (room, owner, reason, since, until) in rows {
            by_room.entry(room).or_default().push(Hold {
                product: None,
                owner,
                reason,
                since,
                until,
            });
        }
        Ok(by_room)
    }

    /// Rooms that an update would change if it were forced: below it, and neither done nor on their way (K5). Of one room
    /// [`domain::commands::force::Force::rooms`] says it, and leaves some of these out: a room too many is no harm, and none is missing.
    ///
    /// Compared in `every_room_that_a_force_would_change_is_among_the_rooms_to_force_k5`.
    pub async fn rooms_to_force(&mut self, update: UpdateId) -> Result<Vec<RoomId>> {
        const SQL: &str = "SELECT DISTINCT d.room_id
            FROM updates u
            JOIN components c ON c.product_id = u.product_id
            JOIN devices d ON d.id = c.device_id AND d.revoked_at IS NULL
            LEFT JOIN standings s ON s.update_id = u.id AND s.version_id = c.version_id
            WHERE u.id = $1
                AND (s.standing IN ('below', 'needs_first') OR (c.version_id IS NULL AND u.applies_to_unknown))
                AND NOT EXISTS (SELECT 1 FROM deployments x WHERE x.room_id = d.room_id AND x.update_id = u.id
                    AND x.progress IN ('completed', 'in_progress'))
            ORDER BY d.room_id";
        let ids: Vec<Uuid> = each!(self, c => sqlx::query_scalar(SQL).bind(update.0).fetch_all(c).await)?;
        Ok(ids.into_iter().map(RoomId).collect())
    }
}
