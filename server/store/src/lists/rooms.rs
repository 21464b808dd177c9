//! The lists of rooms (P0, P4): a page by name, how many match, and which ring those that match are in.

use chrono::{DateTime, Utc};
use domain::ids::{RingId, RoomId, SiteId};
use domain::readiness::{Check, CheckResult};
use domain::room::RoomState;
use domain::zone::Zone;
use uuid::Uuid;

use crate::error::Result;
use crate::lists::room_versions::VersionFilter;
use crate::lists::search::SearchedList;
use crate::rooms::RoomRing;
use crate::rows::{word, zone_of};
use crate::tx::{Tx, each};

/// A room in a list.
#[derive(Clone, Debug)]
pub struct RoomListRecord {
    /// Identity.
    pub id: RoomId,
    pub name: String,
    /// Its place in the order.
    pub name_key: String,
    pub site: String,
    pub building: String,
    pub floor: String,
    pub zone: Zone,
    pub ring: RingId,
    /// Whether it takes part.
    pub state: RoomState,
}

/// Which rooms, and which page of them.
#[derive(Clone, Debug, Default)]
pub struct RoomFilter {
    /// Beginnings of words in the name or the building; empty: all.
    pub words: String,
    pub ring: Option<RingId>,
    pub site: Option<SiteId>,
    /// The page starts after this room: (name key, id).
    pub after: Option<(String, RoomId)>,
    /// The page ends before this room.
    pub before: Option<(String, RoomId)>,
    /// The retired rooms, in place of all others.
    pub retired: bool,
    /// Those alone that are unhealthy at this instant (I4); of the retired rooms none is.
    pub unhealthy_at: Option<DateTime<Utc>>,
    /// Those alone that are onboarding (C4).
    pub onboarding: bool,
    /// Those alone whose checks have come to this.
    pub checks: Option<CheckFilter>,
    /// Those alone in which checks have found this software, which nobody has reviewed.
    pub software: Option<SoftwareFilter>,
    /// Those alone that count for one of these versions, or did so then.
    pub versions: Option<VersionFilter>,
}

/// Which software.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoftwareFilter {
    /// As names are compared ([`domain::clean::name_key`]).
    pub name_key: String,
    /// As in [`CheckFilter`].
    pub is_rare: bool,
}

/// Which results of checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckFilter {
    /// Of which check; `None`: the worst of all.
    pub check: Option<Check>,
    /// One of these.
    pub results: Vec<CheckResult>,
    /// Few rooms have come to that: they are looked up and put in order, and not all rooms in their order looked at.
    pub is_rare: bool,
}

impl CheckFilter {
    pub(super) fn check_name(&self) -> &'static str {
        self.check.map_or("worst", Check::as_str)
    }
}

impl RoomFilter {
    /// Begins a query of the rooms `r` behind its columns. Of the states a literal, for an index of the others alone.
    pub(crate) fn rooms(&self) -> &'static str {
        if self.software.as_ref().is_some_and(|software| software.is_rare) {
            return " FROM unreviewed_software w CROSS JOIN rooms r WHERE r.id = w.room_id AND r.state <> 'retired'";
        }
        if self.checks.as_ref().is_some_and(|checks| checks.is_rare) {
            return " FROM checks q CROSS JOIN rooms r WHERE r.id = q.room_id AND r.state <> 'retired'";
        }
        if self.onboarding {
            return " FROM rooms r WHERE r.state = 'onboarding'";
        }
        if self.versions.as_ref().is_some_and(|versions| versions.at.is_some()) {
            // A room that is retired now was not retired then, if it had devices.
            return " FROM rooms r WHERE TRUE";
        }
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
        if let Some(checks) = &$filter.checks {
            $query.push(if checks.is_rare {
                " AND q.check_name = "
            } else {
                " AND EXISTS (SELECT 1 FROM checks q WHERE q.room_id = r.id AND q.check_name = "
            });
            $query.push_bind(checks.check_name()).push(" AND q.result IN (");
            $crate::rows::texts_in(&mut $query, checks.results.iter().map(|result| result.as_str()));
            if !checks.is_rare {
                // As below.
                $query.push(" LIMIT 1 OFFSET 0)");
            }
        }
        if let Some(software) = &$filter.software {
            $query.push(if software.is_rare {
                " AND w.name_key = "
            } else {
                " AND EXISTS (SELECT 1 FROM unreviewed_software w WHERE w.room_id = r.id AND w.name_key = "
            });
            $query.push_bind(software.name_key.clone());
            if !software.is_rare {
                // As below.
                $query.push(" LIMIT 1 OFFSET 0)");
            }
        }
        if let Some(versions) = &$filter.versions {
            $crate::lists::room_versions::push_versions(&mut $query, versions);
        }
        if $filter.onboarding && ($filter.checks.is_some() || $filter.software.is_some()) {
            $query.push(" AND r.state = 'onboarding'");
        }
        if let Some(at) = $filter.unhealthy_at {
            $query
                .push($crate::rules_in_sql::UNHEALTHY)
                .push_bind($crate::rows::micros(at))
                // Postgres would make a list of all such rooms first.
                .push(") LIMIT 1 OFFSET 0)");
        }
    };
}

pub(super) use filter_rooms;

impl Tx {
    /// A page of rooms by name.
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
    pub async fn rooms_found(&mut self, filter: &RoomFilter) -> Result<i64> {
        let words = self.word_filter(SearchedList::Rooms, &filter.words);
        let is_counted = words.is_none()
            && filter.unhealthy_at.is_none()
            && filter.checks.is_none()
            && filter.versions.is_none()
            && filter.software.is_none();
        Ok(each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            if is_counted {
                query.push("CAST(COALESCE(SUM(r.rooms), 0) AS BIGINT) FROM room_counts r WHERE r.state ");
                query.push(match (filter.retired, filter.onboarding) {
                    (true, _) => "= 'retired'",
                    (false, true) => "= 'onboarding'",
                    (false, false) => "<> 'retired'",
                });
            } else {
                query.push("COUNT(*)").push(filter.rooms());
            }
            filter_rooms!(query, filter, words);
            query.build_query_scalar().fetch_one(c).await
        })?)
    }

    /// How many rooms there are of each result, by check; of `None`, by the worst of all.
    pub async fn check_counts(&mut self) -> Result<Vec<(Option<Check>, CheckResult, i64)>> {
        const SQL: &str =
            "SELECT check_name, result, rooms FROM check_counts WHERE rooms > 0 ORDER BY check_name, result";
        let rows: Vec<(String, String, i64)> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(check, result, rooms)| {
                let check = match check.as_str() {
                    "worst" => None,
                    name => Some(word("check_counts", name, name, Check::from_word)?),
                };
                let result = word("check_counts", &result, &result, CheckResult::from_word)?;
                Ok((check, result, rooms))
            })
            .collect()
    }

    /// Which ring the rooms are in that match, the first `limit` by name.
    pub async fn matching_rooms(&mut self, filter: &RoomFilter, limit: i64) -> Result<Vec<RoomRing>> {
        let words = self.word_filter(SearchedList::Rooms, &filter.words);
        let (key, id) = filter.order();
        let rows: Vec<(Uuid, String, Uuid)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT r.id, r.name, r.ring_id");
            query.push(filter.rooms());
            filter_rooms!(query, filter, words);
            query.push(format_args!(" ORDER BY {key}, {id} LIMIT ")).push_bind(limit);
            query.build_query_as().fetch_all(c).await
        })?;
        Ok(rows.into_iter().map(RoomRing::from).collect())
    }
}

pub(super) fn room_list_record(
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
