//! The lists of rooms (P0, P4): a page by name, how many match, and which ring those that match are in.

use chrono::{DateTime, Utc};
use domain::ids::{ProductId, RingId, RoomId, SiteId};
use domain::readiness::{Check, CheckResult};
use domain::room::RoomState;
use domain::zone::Zone;
use uuid::Uuid;

use crate::error::Result;
use crate::lists::room_versions::{VersionFilter, push_none_worse, push_version, push_versions};
use crate::lists::search::SearchedList;
use crate::rooms::RoomRing;
use crate::rows::{texts_in, word, zone_of};
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
    pub looked_up_by: LookedUpBy,
}

/// Which software.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoftwareFilter {
    /// As names are compared ([`domain::clean::name_key`]).
    pub name_key: String,
}

/// Which results of checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckFilter {
    /// Of which check; `None`: the worst of all.
    pub check: Option<Check>,
    /// One of these.
    pub results: Vec<CheckResult>,
}

impl CheckFilter {
    fn check_name(&self) -> &'static str {
        self.check.map_or("worst", Check::as_str)
    }
}

/// By what a page's rooms are looked up. Every way finds the same rooms; the fewer rooms there are by it, the less a page costs (P8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LookedUpBy {
    /// Rooms are gone through in their order until a page is full: where many of them match.
    #[default]
    Name,
    /// By [`RoomFilter::checks`].
    Checks,
    /// By [`RoomFilter::software`].
    Software,
    /// By [`RoomFilter::versions`], which are these, each of its product; `None`: one that devices do not say. Not for a time that is past.
    Versions(Vec<(ProductId, Option<Uuid>)>),
}

/// Some of the rooms of a list, which an index has in the order of their names.
#[derive(Clone, Copy)]
pub(crate) enum RoomsPart<'filter> {
    /// All that match.
    All,
    /// Those whose check has come to this.
    Checked(&'filter CheckFilter, CheckResult),
    /// Those with this software.
    Software(&'filter SoftwareFilter),
    /// Those with this version of a product: a room may be in several such parts.
    Version(&'filter ProductId, Option<Uuid>),
}

impl RoomFilter {
    /// The parts in which a page is looked up.
    fn parts(&self) -> Vec<RoomsPart<'_>> {
        match (&self.looked_up_by, &self.checks, &self.software) {
            (LookedUpBy::Checks, Some(checks), _) => {
                let results = checks.results.iter();
                results.map(|result| RoomsPart::Checked(checks, *result)).collect()
            }
            (LookedUpBy::Software, _, Some(software)) => vec![RoomsPart::Software(software)],
            (LookedUpBy::Versions(versions), ..) => {
                let versions = versions.iter();
                versions
                    .map(|(product, version)| RoomsPart::Version(product, *version))
                    .collect()
            }
            _ => vec![RoomsPart::All],
        }
    }

    /// The parts in which rooms are counted: none of them is in two.
    fn counted_parts(&self) -> Vec<RoomsPart<'_>> {
        match self.looked_up_by {
            LookedUpBy::Versions(_) => vec![RoomsPart::All],
            LookedUpBy::Name | LookedUpBy::Checks | LookedUpBy::Software => self.parts(),
        }
    }

    /// Where the rooms `r` of [`RoomsPart::All`] are. Of the states a literal, for an index of the others alone.
    fn all_rooms(&self) -> &'static str {
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

    /// What the rooms of a part stand in the order of: an index of the table that [`filter_rooms`] begins with has it.
    pub(crate) fn order(&self, part: RoomsPart<'_>) -> (&'static str, &'static str) {
        match part {
            RoomsPart::All if self.unhealthy_at.is_none() => ("r.name_key", "r.id"),
            RoomsPart::All | RoomsPart::Checked(..) | RoomsPart::Software(_) => ("q.room_key", "q.room_id"),
            RoomsPart::Version(..) => ("k.room_key", "k.room_id"),
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

/// Begins a query of the rooms `r` of a part behind its columns, SQLite takes the tables of a CROSS JOIN in their order.
pub(super) fn push_part<DB>(query: &mut sqlx::QueryBuilder<DB>, filter: &RoomFilter, part: RoomsPart<'_>)
where
    DB: sqlx::Database,
    String: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    Uuid: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    match part {
        RoomsPart::All => drop(query.push(filter.all_rooms())),
        RoomsPart::Checked(checks, result) => {
            query
                .push(" FROM checks q CROSS JOIN rooms r WHERE r.id = q.room_id AND r.state <> 'retired' AND q.check_name = '")
                .push(checks.check_name())
                .push("' AND q.result = '")
                .push(result.as_str())
                .push("'");
        }
        RoomsPart::Software(software) => {
            query
                .push(" FROM unreviewed_software q CROSS JOIN rooms r WHERE r.id = q.room_id AND r.state <> 'retired' AND q.name_key = ")
                .push_bind(software.name_key.clone());
        }
        RoomsPart::Version(product, version) => {
            query.push(" FROM components k CROSS JOIN rooms r WHERE r.id = k.room_id AND k.room_key IS NOT NULL AND r.state <> 'retired'");
            push_version(query, "k", product, version);
            // Of several devices of a room that have it the first counts.
            query.push(" AND NOT EXISTS (SELECT 1 FROM components s WHERE s.room_id = k.room_id AND s.room_key = k.room_key AND s.device_id < k.device_id");
            push_version(query, "s", product, version);
            query.push(")");
        }
    }
}

/// Continues a query of rooms `r` with what `filter` asks for, the ends of its page aside, behind its columns. `words`: [`Tx::word_filter`].
macro_rules! filter_rooms {
    ($query:ident, $filter:ident, $part:expr, $words:ident) => {
        $crate::lists::rooms::push_part(&mut $query, $filter, $part);
        if let Some((before, words, behind)) = &$words {
            $query.push(*before).push_bind(words.clone()).push(*behind);
        }
        if let Some(ring) = $filter.ring {
            $query.push(" AND r.ring_id = ").push_bind(ring.0);
        }
        if let Some(site) = $filter.site {
            $query.push(" AND r.site_id = ").push_bind(site.0);
        }
        $crate::lists::rooms::push_choice(&mut $query, $filter, $part);
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

/// Continues a query of rooms `r` with what checks, software and versions `filter` asks for, where the part does not say it already.
pub(super) fn push_choice<DB>(query: &mut sqlx::QueryBuilder<DB>, filter: &RoomFilter, part: RoomsPart<'_>)
where
    DB: sqlx::Database,
    String: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    Uuid: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    i64: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    if let (Some(checks), RoomsPart::All | RoomsPart::Software(_) | RoomsPart::Version(..)) = (&filter.checks, part) {
        query
            .push(" AND EXISTS (SELECT 1 FROM checks o WHERE o.room_id = r.id AND o.check_name = '")
            .push(checks.check_name())
            .push("' AND o.result IN (");
        texts_in(query, checks.results.iter().map(|result| result.as_str()));
        // As below.
        query.push(" LIMIT 1 OFFSET 0)");
    }
    if let (Some(software), RoomsPart::All | RoomsPart::Checked(..) | RoomsPart::Version(..)) = (&filter.software, part)
    {
        query
            .push(" AND EXISTS (SELECT 1 FROM unreviewed_software w WHERE w.room_id = r.id AND w.name_key = ")
            .push_bind(software.name_key.clone())
            .push(" LIMIT 1 OFFSET 0)");
    }
    match (&filter.versions, part) {
        (Some(versions), RoomsPart::Version(..)) => push_none_worse(query, versions),
        (Some(versions), RoomsPart::All | RoomsPart::Checked(..) | RoomsPart::Software(_)) => {
            push_versions(query, versions);
        }
        (None, _) => {}
    }
    if filter.onboarding && !matches!(part, RoomsPart::All) {
        query.push(" AND r.state = 'onboarding'");
    }
}

impl Tx {
    /// A page of rooms by name.
    pub async fn room_page(&mut self, filter: &RoomFilter, limit: i64) -> Result<Vec<RoomListRecord>> {
        type Row = (Uuid, String, String, String, String, String, String, Uuid, String);
        let words = self.word_filter(SearchedList::Rooms, &filter.words);
        let direction = if filter.before.is_some() { " DESC" } else { "" };
        let parts = filter.parts();
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("");
            let mut start = if parts.len() > 1 { "SELECT * FROM (" } else { "" };
            for part in &parts {
                let (key, id) = filter.order(*part);
                query.push(start).push(
                    "SELECT r.id, r.name, r.name_key, (SELECT s.name FROM sites s WHERE s.id = r.site_id) AS site, r.building, r.floor, r.zone,
                    r.ring_id, r.state",
                );
                filter_rooms!(query, filter, *part, words);
                between(&mut query, (key, id), filter.after.as_ref(), filter.before.as_ref());
                // A number and no parameter: Postgres then plans for a page, and not for a tenth of all rows.
                query.push(format_args!(" ORDER BY {key}{direction}, {id}{direction} LIMIT {limit}"));
                // A room with two versions that are wanted is in two parts.
                start = ") AS part UNION SELECT * FROM (";
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

    /// How many rooms there are on all pages of [`Tx::room_page`]. Without words, and whatever their health, it is read and not counted.
    pub async fn rooms_found(&mut self, filter: &RoomFilter) -> Result<i64> {
        let words = self.word_filter(SearchedList::Rooms, &filter.words);
        let is_read = words.is_none()
            && filter.unhealthy_at.is_none()
            && filter.checks.is_none()
            && filter.versions.is_none()
            && filter.software.is_none();
        if !is_read {
            let mut found = 0;
            for part in filter.counted_parts() {
                let rooms: i64 = each!(self, c => {
                    let mut query = sqlx::QueryBuilder::new("SELECT COUNT(*)");
                    filter_rooms!(query, filter, part, words);
                    query.build_query_scalar().fetch_one(c).await
                })?;
                found += rooms;
            }
            return Ok(found);
        }
        Ok(each!(self, c => {
            let mut query =
                sqlx::QueryBuilder::new("SELECT CAST(COALESCE(SUM(r.rooms), 0) AS BIGINT) FROM room_counts r WHERE r.state ");
            query.push(match (filter.retired, filter.onboarding) {
                (true, _) => "= 'retired'",
                (false, true) => "= 'onboarding'",
                (false, false) => "<> 'retired'",
            });
            if let Some(ring) = filter.ring {
                query.push(" AND r.ring_id = ").push_bind(ring.0);
            }
            if let Some(site) = filter.site {
                query.push(" AND r.site_id = ").push_bind(site.0);
            }
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
        let (key, id) = filter.order(RoomsPart::All);
        let rows: Vec<(Uuid, String, Uuid)> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT r.id, r.name, r.ring_id");
            filter_rooms!(query, filter, RoomsPart::All, words);
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
