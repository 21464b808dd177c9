//! Readiness as pages, exports and programs read it (C1–C8): the checks of a room, rooms by what their checks came to, what onboarding
//! still wants, and reviewed software.
//!
//! A check's result and its sentence are worked out when they are read, from the facts as they are then. By what rooms are chosen is what
//! the checks came to when they were made last, which is the same but for a moment. Start with [`ReadSnapshot::readiness_of`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use domain::access::Act;
use domain::clean::name_key;
use domain::ids::{DeviceId, RoomId};
use domain::readiness::decide::{OnboardingWant, RoomToCheck, Rules};
use domain::readiness::verdict::Verdict;
use domain::readiness::{BlockScope, Check, CheckResult};
use domain::room::RoomState;
use domain::time_text;
use serde::{Deserialize, Serialize};
use store::{CheckFilter, LookedUpBy, SoftwareFilter};

use super::rooms::RoomCursor;
use super::search::searched;
use super::{Page, PageOf, ReadSnapshot, Wanted};
use crate::error::{Result, ServiceError};
use crate::readiness::ReadinessRules;
use crate::spreadsheet::{self, CsvStream};
use crate::{Actor, Service};

/// Results that somebody should look at.
pub const OPEN_RESULTS: [CheckResult; 3] = [CheckResult::Fail, CheckResult::Unknown, CheckResult::Warning];

/// So many names that nobody has reviewed are offered at once: a list of programs may have thousands.
const MOST_TO_REVIEW: usize = 30;

/// Which rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadinessFilter {
    /// Beginnings of words in the name or the building, as somebody types them; empty: any.
    pub words: String,
    /// By this check alone; otherwise by the worst of all.
    pub check: Wanted<Check>,
    /// What the check has come to.
    pub results: WantedResults,
    /// Rooms that are onboarding alone (C8).
    pub onboarding: bool,
    /// Rooms alone that have this software, which nobody has reviewed; empty: all.
    pub software: String,
}

/// What checks have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WantedResults {
    /// One of [`OPEN_RESULTS`].
    #[default]
    Open,
    Only(CheckResult),
    All,
    /// A word of the address that means nothing: nothing matches.
    Nothing,
}

/// A check of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckItem {
    pub check: Check,
    pub result: CheckResult,
    /// Since when it is so; `None`: it was not made yet.
    pub since: Option<DateTime<Utc>>,
    /// From which facts it follows and when they were told, in a sentence or two (C7).
    pub why: String,
    /// What makes it pass.
    pub guidance: String,
    /// Whose facts it follows from.
    pub device: Option<DeviceId>,
    /// What that device calls itself; empty: it follows from none.
    pub reported_by: String,
    /// What it keeps away from the room, and what ends that, in sentences (C2); empty: somebody need not look at it.
    pub consequence: String,
    /// Names of software that nobody has reviewed, the first ones.
    pub to_review: Vec<String>,
    /// Until when it is waived.
    pub waived_until: Option<NaiveDate>,
}

/// The checks of a room, with what onboarding still wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomReadiness {
    /// In the order of C1.
    pub checks: Vec<CheckItem>,
    /// What keeps it from becoming Managed; empty where nothing does, and in rooms that are not onboarding.
    pub wants: Vec<String>,
    /// It is onboarding, and somebody has confirmed that change management has moved here.
    pub is_confirmed: bool,
}

/// A room in the list of readiness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedRoomItem {
    /// Identity.
    pub id: RoomId,
    pub name: String,
    /// The site's name.
    pub site: String,
    /// May be empty.
    pub building: String,
    /// May be empty.
    pub floor: String,
    pub state: RoomState,
    pub readiness: RoomReadiness,
}

/// A page of rooms, with how many there are of each result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadinessList {
    /// By name.
    pub rooms: Page<CheckedRoomItem, RoomCursor>,
    /// How many match, on all pages.
    pub total: i64,
    /// Rooms by check and result.
    pub counts: BTreeMap<Check, BTreeMap<CheckResult, i64>>,
    /// Rooms that are onboarding.
    pub onboarding: i64,
}

/// The profile that checks go by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProfileInForce {
    /// It is one of the organisation's own, and not the shipped one.
    pub is_own: bool,
    /// As JSON, whole.
    pub text: String,
    /// The checks that it makes: each with what makes it pass, and what follows while it does not, in words.
    pub demands: Vec<(Check, String, &'static str)>,
    /// For so many hours facts count (C7).
    pub facts_count_hours: u32,
}

/// A name of software that nobody has reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnreviewedItem {
    pub name: String,
    /// In so many rooms.
    pub rooms: i64,
}

/// A name of software that somebody has reviewed for all rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewedItem {
    pub name: String,
    pub by: String,
    pub at: DateTime<Utc>,
}

impl ReadinessFilter {
    /// Whether a check of a room that was found is what was asked for: of one check, of one result, or something to look at.
    #[must_use]
    pub fn is_about(&self, item: &CheckItem) -> bool {
        match (&self.check, self.results) {
            (Wanted::Only(check), _) => item.check == *check,
            (Wanted::Any | Wanted::Nothing, WantedResults::Only(result)) => item.result == result,
            (Wanted::Any | Wanted::Nothing, WantedResults::Open) => OPEN_RESULTS.contains(&item.result),
            (Wanted::Any | Wanted::Nothing, WantedResults::All | WantedResults::Nothing) => true,
        }
    }

    /// As the store takes it; `None`: nothing matches. `counts`: how many rooms there are of each result; `onboarding`: how many are;
    /// `with_software`: how many have the software.
    fn stored(
        &self,
        page: &PageOf<RoomCursor>,
        counts: &[(Option<Check>, CheckResult, i64)],
        onboarding: i64,
        with_software: i64,
    ) -> Option<store::RoomFilter> {
        let check = match self.check {
            Wanted::Any => None,
            Wanted::Only(check) => Some(check),
            Wanted::Nothing => return None,
        };
        let results = match self.results {
            WantedResults::Open => OPEN_RESULTS.to_vec(),
            WantedResults::Only(result) => vec![result],
            WantedResults::All => Vec::new(),
            WantedResults::Nothing => return None,
        };
        let found = counts
            .iter()
            .filter(|(of, result, _)| *of == check && results.contains(result));
        let found: i64 = found.map(|(_, _, rooms)| rooms).sum();
        // By what the fewest rooms have.
        let ways = [
            Some((if self.onboarding { onboarding } else { i64::MAX }, LookedUpBy::Name)),
            (!results.is_empty()).then_some((found, LookedUpBy::Checks)),
            (!self.software.is_empty()).then_some((with_software, LookedUpBy::Software)),
        ];
        let fewest = ways.into_iter().flatten().min_by_key(|(rooms, _)| *rooms);
        let position = |row: &RoomCursor| (row.name_key.clone(), row.id);
        Some(store::RoomFilter {
            words: searched(&self.words),
            after: page.after().map(position),
            before: page.before().map(position),
            onboarding: self.onboarding,
            checks: (!results.is_empty()).then_some(CheckFilter { check, results }),
            software: (!self.software.is_empty()).then(|| SoftwareFilter {
                name_key: name_key(&self.software),
            }),
            looked_up_by: fewest.map_or(LookedUpBy::Name, |(_, way)| way),
            ..store::RoomFilter::default()
        })
    }
}

impl ReadSnapshot {
    /// The checks of a room, as its facts are now.
    ///
    /// # Errors
    /// There is no such room.
    pub async fn readiness_of(&mut self, room: RoomId) -> Result<RoomReadiness> {
        let mut found = self.readiness_in(&[room]).await?;
        found.remove(&room).ok_or_else(|| ServiceError::not_found("This room"))
    }

    /// The checks of rooms, as their facts are now.
    pub async fn readiness_in(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<RoomId, RoomReadiness>> {
        let rules = ReadinessRules::of(&mut self.tx, &self.organisation.settings).await?;
        let loaded = self.tx.checked_facts(rooms).await?;
        let mut results = self.tx.check_results(rooms).await?;
        Ok(loaded
            .into_iter()
            .map(|room| {
                let since = results.remove(&room.room.0).unwrap_or_default();
                (room.room, readiness(&room, &rules.rules(), &since, self.now))
            })
            .collect())
    }

    /// A page of at most `limit` rooms, by what their checks came to.
    pub async fn readiness_page(
        &mut self,
        filter: &ReadinessFilter,
        page: &PageOf<RoomCursor>,
        limit: i64,
    ) -> Result<ReadinessList> {
        let counted = self.tx.check_counts().await?;
        let with_software = self.tx.rooms_with_unreviewed(&name_key(&filter.software)).await?;
        let onboarding = store::RoomFilter {
            onboarding: true,
            ..store::RoomFilter::default()
        };
        let onboarding = self.tx.rooms_found(&onboarding).await?;
        let (records, total) = match filter.stored(page, &counted, onboarding, with_software) {
            Some(stored) => {
                let records = self.tx.room_page(&stored, limit + 1).await?;
                (records, self.readiness_found(filter, &stored, &counted).await?)
            }
            None => (Vec::new(), 0),
        };
        let records = Page::cut(records, page, limit, RoomCursor::of);
        let ids: Vec<RoomId> = records.items.iter().map(|record| record.id).collect();
        let mut readiness = self.readiness_in(&ids).await?;
        let rooms = records.map(|record| CheckedRoomItem {
            readiness: readiness.remove(&record.id).unwrap_or_else(|| RoomReadiness {
                checks: Vec::new(),
                wants: Vec::new(),
                is_confirmed: false,
            }),
            id: record.id,
            name: record.name,
            site: record.site,
            building: record.building,
            floor: record.floor,
            state: record.state,
        });
        let mut counts: BTreeMap<Check, BTreeMap<CheckResult, i64>> = BTreeMap::new();
        for (check, result, rooms) in counted {
            if let Some(check) = check {
                counts.entry(check).or_default().insert(result, rooms);
            }
        }
        Ok(ReadinessList {
            rooms,
            total,
            counts,
            onboarding,
        })
    }

    /// How many match on all pages. By a result alone it is read and not counted.
    async fn readiness_found(
        &mut self,
        filter: &ReadinessFilter,
        stored: &store::RoomFilter,
        counted: &[(Option<Check>, CheckResult, i64)],
    ) -> Result<i64> {
        match &stored.checks {
            Some(checks) if stored.words.is_empty() && !filter.onboarding && stored.software.is_none() => {
                let of = counted
                    .iter()
                    .filter(|(check, result, _)| *check == checks.check && checks.results.contains(result));
                Ok(of.map(|(_, _, rooms)| rooms).sum())
            }
            Some(_) | None => self.rooms_found(stored).await,
        }
    }

    /// What checks go by (C6).
    ///
    /// # Errors
    /// The profile cannot be written as text.
    pub async fn profile(&mut self) -> Result<ProfileInForce> {
        let own = self.tx.own_profile().await?;
        let is_own = own.is_some();
        let profile = own.unwrap_or_default();
        let text = serde_json::to_string_pretty(&profile);
        let checks = profile.checks.iter();
        Ok(ProfileInForce {
            is_own,
            demands: checks
                .map(|check| (*check, check.passes_when(&profile), check.otherwise()))
                .collect(),
            facts_count_hours: self.organisation.settings.facts_count_hours,
            text: text.map_err(|error| ServiceError::invalid("profile", error.to_string()))?,
        })
    }

    /// Names of software that nobody has reviewed, those of the most rooms first, at most `limit`.
    pub async fn unreviewed_software(&mut self, limit: i64) -> Result<Vec<UnreviewedItem>> {
        let unreviewed = self.tx.unreviewed_software(limit).await?.into_iter();
        let item = |unreviewed: store::UnreviewedSoftware| UnreviewedItem {
            name: unreviewed.name,
            rooms: unreviewed.rooms,
        };
        Ok(unreviewed.map(item).collect())
    }

    /// Names of software that somebody has reviewed, by name.
    pub async fn reviewed_software(&mut self) -> Result<Vec<ReviewedItem>> {
        let reviewed = self.tx.reviewed_software().await?.into_iter();
        let item = |reviewed: store::ReviewedSoftware| ReviewedItem {
            name: reviewed.name,
            by: reviewed.by,
            at: reviewed.at,
        };
        Ok(reviewed.map(item).collect())
    }
}

fn readiness(
    room: &RoomToCheck,
    rules: &Rules<'_>,
    since: &BTreeMap<Check, (CheckResult, DateTime<Utc>)>,
    now: DateTime<Utc>,
) -> RoomReadiness {
    let readiness = room.assess(rules, now);
    let wants = match room.state {
        RoomState::Onboarding => room.onboarding_wants(&readiness),
        RoomState::Managed | RoomState::Retired => Vec::new(),
    };
    let item = |verdict: &Verdict| {
        let to_review = verdict.why.not_reviewed().iter().take(MOST_TO_REVIEW);
        let since = since.get(&verdict.check);
        CheckItem {
            check: verdict.check,
            result: verdict.result,
            since: since
                .filter(|(result, _)| *result == verdict.result)
                .map(|(_, since)| *since),
            why: verdict.why.sentence(|at| time_text::instant(at, &room.zone, now)),
            guidance: verdict.guidance.clone(),
            device: verdict.device,
            reported_by: reporting(room, verdict.device),
            consequence: consequence(room, &readiness.blocks, verdict),
            to_review: to_review.cloned().collect(),
            waived_until: verdict.why.waiver.as_ref().map(|waiver| waiver.until),
        }
    };
    RoomReadiness {
        checks: readiness.verdicts.iter().map(item).collect(),
        wants: wants.iter().map(OnboardingWant::sentence).collect(),
        is_confirmed: room.state == RoomState::Onboarding && room.is_confirmed,
    }
}

/// What the device calls itself that has told the facts.
fn reporting(room: &RoomToCheck, device: Option<DeviceId>) -> String {
    let mut devices = room.devices.iter();
    let found = devices.find(|known| device.is_some() && known.id == device);
    found.map_or_else(String::new, |known| known.controller.clone())
}

/// What a check keeps away. Onboarding is no matter any more in a room that is managed.
fn consequence(room: &RoomToCheck, blocks: &BTreeSet<BlockScope>, verdict: &Verdict) -> String {
    let is_felt = |scope: &&BlockScope| **scope != BlockScope::Onboarding || room.state == RoomState::Onboarding;
    let scopes = blocks.iter().filter(is_felt);
    let of_check = scopes.filter(|scope| scope.follows_from(verdict.check, CheckResult::Fail));
    let sentences: Vec<&str> = of_check.map(|scope| scope.consequence()).collect();
    if sentences.is_empty() && OPEN_RESULTS.contains(&verdict.result) {
        return "It keeps no update away.".to_owned();
    }
    sentences.join(" ")
}

/// Rooms that are read at once for a file.
const BATCH: i64 = 200;

/// What the columns of a file of readiness are called.
const COLUMNS: [&str; 10] = [
    "site",
    "room",
    "state",
    "check",
    "result",
    "since",
    "device",
    "why",
    "consequence",
    "guidance",
];

impl Service {
    /// The checks of rooms as a comma-separated file, a line for each check that the filter is about in each room.
    ///
    /// # Errors
    /// The actor may not see rooms.
    pub fn export_readiness(&self, actor: &Actor, filter: &ReadinessFilter) -> Result<CsvStream> {
        actor.may(Act::See)?;
        let (service, filter) = (self.clone(), filter.clone());
        let pages = spreadsheet::by_page(PageOf::First, move |page| {
            let (service, filter) = (service.clone(), filter.clone());
            async move {
                let mut snapshot = service.read_snapshot().await?;
                let list = snapshot.readiness_page(&filter, &page, BATCH).await?;
                let rows = list
                    .rooms
                    .items
                    .iter()
                    .flat_map(|room| rows_of(room, &filter))
                    .collect();
                Ok((rows, list.rooms.next.map(PageOf::After)))
            }
        });
        Ok(spreadsheet::file(&COLUMNS, pages))
    }
}

/// A line for each check that the filter is about.
fn rows_of(room: &CheckedRoomItem, filter: &ReadinessFilter) -> Vec<Vec<String>> {
    let row = |item: &CheckItem| {
        vec![
            room.site.clone(),
            room.name.clone(),
            room.state.as_str().to_owned(),
            item.check.as_str().to_owned(),
            item.result.as_str().to_owned(),
            item.since
                .map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            item.reported_by.clone(),
            item.why.clone(),
            item.consequence.clone(),
            item.guidance.clone(),
        ]
    };
    let checks = room.readiness.checks.iter();
    checks.filter(|item| filter.is_about(item)).map(row).collect()
}
