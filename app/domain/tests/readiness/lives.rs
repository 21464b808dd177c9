//! Random lives of a room: devices tell facts and fall silent, people decide, days go by. After every step its checks are made, as the
//! tick makes them, and what C1–C8, L4 and I4 say of them holds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use domain::changes::Changes;
use domain::ids::{DeviceId, ProductId, RoomId};
use domain::readiness::decide::{BadSignal, CHECKED_EVERY, RoomToCheck, Rules, VersionInRoom, decide};
use domain::readiness::facts::Facts;
use domain::readiness::profile::Profile;
use domain::readiness::{ALL_CHECKS, BlockScope, Check, CheckResult, ReportingDevice, STALE_AFTER, Waiver};
use domain::room::RoomState;
use domain::signal::Signal;
use domain::ticket::CauseEvent;
use domain::zone::Zone;
use proptest::prelude::*;
use uuid::Uuid;

use crate::room::{FINE, instant};

const DEVICES: usize = 2;
/// What a device may say of a fact instead of what is fine; empty: it takes the fact back.
const OTHERS: [(&str, &[&str]); 9] = [
    ("readiness.base_image_oem", &["generic", "HP", ""]),
    ("os.edition", &["EnterpriseS", "Professional", ""]),
    ("readiness.logitech_sync", &["stopped", ""]),
    ("readiness.os_updates", &["wsus", "nightshift", ""]),
    ("readiness.store_updates", &["on", ""]),
    ("readiness.antivirus", &["not_excluded", "unknown", ""]),
    ("readiness.additional_software", &["Viewer", "viewer, Player", ""]),
    ("readiness.other_change_management", &["Player", ""]),
    ("device.vendor", &["Logitech", ""]),
];
const NAMES: [&str; 2] = ["Viewer", "Player"];
const BAD_AFTER: TimeDelta = TimeDelta::minutes(10);

#[derive(Clone, Debug)]
enum Step {
    Wait {
        minutes: i64,
    },
    /// A device tells everything: as it is fine, but for this fact.
    Tell {
        device: usize,
        other: Option<(usize, prop::sample::Index)>,
    },
    Waive {
        check: Check,
        days: u64,
    },
    EndWaiver(Check),
    Review(usize),
    EndReview(usize),
    Confirm,
    Signal {
        device: usize,
        is_bad: bool,
    },
    /// The room has a version that is supported for so many days from now; negative: it was.
    Version {
        days: Option<i64>,
    },
}

fn a_step() -> impl Strategy<Value = Step> {
    let other = (0..OTHERS.len(), any::<prop::sample::Index>());
    let check = || prop::sample::select(ALL_CHECKS.to_vec());
    prop_oneof![
        3 => prop_oneof![0_i64..60, 60_i64..3_000, Just(48_i64 * 60), 3_000_i64..60_000].prop_map(|minutes| Step::Wait { minutes }),
        4 => (0..DEVICES, proptest::option::weighted(0.7, other)).prop_map(|(device, other)| Step::Tell { device, other }),
        2 => (check(), 0_u64..4).prop_map(|(check, days)| Step::Waive { check, days }),
        1 => check().prop_map(Step::EndWaiver),
        1 => (0..NAMES.len()).prop_map(Step::Review),
        1 => (0..NAMES.len()).prop_map(Step::EndReview),
        1 => Just(Step::Confirm),
        1 => (0..DEVICES, any::<bool>()).prop_map(|(device, is_bad)| Step::Signal { device, is_bad }),
        1 => proptest::option::of(-40_i64..40).prop_map(|days| Step::Version { days }),
    ]
}

/// A room, and what its devices have told.
struct Life {
    room: RoomToCheck,
    told: [BTreeMap<String, (String, DateTime<Utc>)>; DEVICES],
    reviewed: Vec<String>,
    now: DateTime<Utc>,
}

fn id(device: usize) -> DeviceId {
    DeviceId(Uuid::from_u128(1 + device as u128))
}

impl Life {
    fn new(zone: &str, state: RoomState) -> Self {
        let room = RoomToCheck {
            room: RoomId(Uuid::nil()),
            name: "Mast".to_owned(),
            state,
            zone: Zone::parse(zone).expect("a zone"),
            devices: Vec::new(),
            waivers: Vec::new(),
            is_confirmed: false,
            results: BTreeMap::new(),
            blocks: Vec::new(),
            versions: Vec::new(),
            bad_signals: Vec::new(),
            tickets: BTreeMap::new(),
            unreviewed: BTreeSet::new(),
        };
        let mut life = Self {
            room,
            told: std::array::from_fn(|_| BTreeMap::new()),
            reviewed: Vec::new(),
            now: instant("2025-03-04T12:00:00Z"),
        };
        life.read_facts();
        life
    }

    fn today(&self) -> NaiveDate {
        self.room.zone.date(self.now)
    }

    fn read_facts(&mut self) {
        self.room.devices = (0..DEVICES)
            .map(|device| {
                let told = &self.told[device];
                let attributes = told
                    .iter()
                    .map(|(name, (value, _))| (name.clone(), value.clone()))
                    .collect();
                ReportingDevice {
                    id: Some(id(device)),
                    has_reported: !told.is_empty(),
                    facts: Facts::readable(attributes, |name| told.get(name).map(|(_, at)| *at)),
                    ..ReportingDevice::default()
                }
            })
            .collect();
    }

    fn take(&mut self, step: &Step) {
        let (now, today) = (self.now, self.today());
        match step {
            Step::Wait { minutes } => self.now += TimeDelta::minutes(*minutes),
            Step::Tell { device, other } => {
                let told = &mut self.told[*device];
                told.extend(FINE.map(|(name, value)| (name.to_owned(), (value.to_owned(), now))));
                if let Some((fact, value)) = other {
                    let (name, values) = OTHERS[*fact];
                    match *value.get(values) {
                        "" => drop(told.remove(name)),
                        value => drop(told.insert(name.to_owned(), (value.to_owned(), now))),
                    }
                }
                self.read_facts();
            }
            Step::Waive { check, days } => {
                self.room.waivers.retain(|waiver| waiver.check != *check);
                let until = today + Days::new(*days);
                self.room.waivers.push(Waiver {
                    check: *check,
                    until,
                    given: None,
                });
            }
            Step::EndWaiver(check) => self.room.waivers.retain(|waiver| waiver.check != *check),
            Step::Review(name) => self.reviewed.push(NAMES[*name].to_owned()),
            Step::EndReview(name) => self.reviewed.retain(|reviewed| reviewed != NAMES[*name]),
            Step::Confirm => self.room.is_confirmed = true,
            Step::Signal { device, is_bad } => {
                let is_it = |bad: &BadSignal| bad.device == id(*device);
                if !is_bad {
                    self.room.bad_signals.retain(|bad| !is_it(bad));
                } else if !self.room.bad_signals.iter().any(is_it) {
                    self.room.bad_signals.push(BadSignal {
                        device: id(*device),
                        controller: "nuc".to_owned(),
                        signal: Signal::Camera,
                        words: String::new(),
                        since: now,
                    });
                }
            }
            Step::Version { days } => {
                let version = days.map(|days| VersionInRoom {
                    product: ProductId("app".to_owned()),
                    name: "App".to_owned(),
                    version: "1".to_owned(),
                    supported_until: today + TimeDelta::days(days),
                });
                self.room.versions = version.into_iter().collect();
            }
        }
    }

    fn decide_at(&self, at: DateTime<Utc>) -> Changes {
        let profile = Profile::shipped();
        let rules = Rules {
            profile: &profile,
            reviewed: &self.reviewed,
            stale_after: STALE_AFTER,
            bad_signal_after: BAD_AFTER,
        };
        decide(&self.room, &rules, at)
    }

    /// Makes the checks, and looks at what has come of them.
    fn check(&mut self) -> Result<(), TestCaseError> {
        let before = self.room.clone();
        let changes = self.decide_at(self.now);
        self.write(&changes);
        self.blocks_end_by_facts_or_waivers_alone(&before)?;
        self.results_follow_from_what_is_known(&changes)?;
        let checked = &changes.checked_rooms[0];
        if checked.becomes_managed {
            prop_assert!(
                before.state == RoomState::Onboarding && before.is_confirmed,
                "C4: nobody has confirmed it"
            );
            prop_assert!(before.devices.iter().any(|device| device.has_reported), "C4: no report");
            let keeps = |check: Check| {
                matches!(
                    self.room.results.get(&check),
                    Some(CheckResult::Fail | CheckResult::Unknown)
                )
            };
            prop_assert!(
                !keeps(Check::BaseImage) && !keeps(Check::OsEdition),
                "C2: {:?}",
                self.room.results
            );
        }
        prop_assert!(
            checked.next_at > self.now && checked.next_at <= self.now + CHECKED_EVERY,
            "C5"
        );
        self.is_at_rest(self.now, "made twice at once")?;
        // Nothing changes by itself before the checks are made again.
        // Instants are microseconds everywhere.
        let until_next = (checked.next_at - self.now).num_microseconds().unwrap_or(i64::MAX);
        for part in 1..8 {
            let at = self.now + TimeDelta::microseconds(until_next * part / 8);
            self.is_at_rest(at, "before the next time")?;
        }
        self.is_at_rest(
            checked.next_at - TimeDelta::microseconds(1),
            "just before the next time",
        )
    }

    fn write(&mut self, changes: &Changes) {
        let checked = &changes.checked_rooms[0];
        for (check, result) in &checked.changed {
            match result {
                Some(result) => drop(self.room.results.insert(*check, *result)),
                None => drop(self.room.results.remove(check)),
            }
        }
        if let Some(blocks) = &checked.blocks {
            self.room.blocks.clone_from(blocks);
        }
        if let Some(unreviewed) = &checked.unreviewed {
            self.room.unreviewed.clone_from(unreviewed);
        }
        if checked.becomes_managed {
            self.room.state = RoomState::Managed;
        }
        for ticket in &changes.cause_tickets {
            match &ticket.event {
                CauseEvent::Found { severity, .. } => drop(self.room.tickets.insert(ticket.cause.clone(), *severity)),
                CauseEvent::Gone { .. } => drop(self.room.tickets.remove(&ticket.cause)),
            }
        }
    }

    fn blocks_end_by_facts_or_waivers_alone(&self, before: &RoomToCheck) -> Result<(), TestCaseError> {
        let ended = before
            .blocks
            .iter()
            .filter(|block| !self.room.blocks.iter().any(|now| now.scope == block.scope));
        for block in ended {
            let (check, fact, blocks) = match block.scope {
                BlockScope::Os => (Check::OsUpdates, "readiness.os_updates", "wsus"),
                BlockScope::LogitechFirmware => (Check::LogitechSync, "readiness.logitech_sync", "stopped"),
                BlockScope::Onboarding => continue,
            };
            let is_waived = self.room.results.get(&check) == Some(&CheckResult::Waived);
            let is_gone = self.room.results.get(&check) == Some(&CheckResult::NotApplicable);
            let mut told = self.told.iter().filter_map(|told| told.get(fact));
            let still_says_so = told.any(|(value, _)| value == blocks);
            prop_assert!(
                is_waived || is_gone || !still_says_so,
                "C2: the block of {check:?} has ended by age"
            );
        }
        Ok(())
    }

    fn results_follow_from_what_is_known(&self, changes: &Changes) -> Result<(), TestCaseError> {
        let results = &self.room.results;
        prop_assert_eq!(
            changes.checked_rooms[0].worst,
            results.values().min().copied(),
            "C1a: the worst counts"
        );
        let computers: Vec<_> = self.told.iter().filter(|told| told.contains_key("os.name")).collect();
        for (check, fact) in [
            (Check::BaseImage, "readiness.base_image_oem"),
            (Check::OsEdition, "os.edition"),
            (Check::OsUpdates, "readiness.os_updates"),
            (Check::StoreUpdates, "readiness.store_updates"),
            (Check::Antivirus, "readiness.antivirus"),
            (Check::AdditionalSoftware, "readiness.additional_software"),
            (Check::ChangeManagement, "readiness.other_change_management"),
        ] {
            let is_waived = self
                .room
                .waivers
                .iter()
                .any(|waiver| waiver.check == check && waiver.until >= self.today());
            let is_known = |told: &&BTreeMap<String, (String, DateTime<Utc>)>| {
                told.get(fact).is_some_and(|(_, at)| self.now - *at <= STALE_AFTER)
            };
            let result = results.get(&check).copied();
            if !computers.iter().all(is_known) {
                let allowed = [CheckResult::Unknown, CheckResult::Fail, CheckResult::Waived];
                prop_assert!(
                    result.is_some_and(|result| allowed.contains(&result)),
                    "C7: {check:?} is {result:?}"
                );
            }
            if result == Some(CheckResult::Waived) {
                prop_assert!(is_waived, "C1: the waiver of {check:?} has ended");
            }
            if is_waived {
                let is_open = matches!(
                    result,
                    Some(CheckResult::Fail | CheckResult::Unknown | CheckResult::Warning)
                );
                prop_assert!(!is_open, "C1: {check:?} is waived, and {result:?}");
            }
        }
        let is_out = self
            .room
            .versions
            .iter()
            .any(|version| version.supported_until < self.today());
        let of_support = self
            .room
            .tickets
            .keys()
            .any(|cause| matches!(cause, domain::ticket::TicketCause::Support(_)));
        prop_assert_eq!(is_out, of_support, "L4");
        let lasts = |bad: &&BadSignal| self.now - bad.since >= BAD_AFTER;
        let of_signals = self
            .room
            .tickets
            .keys()
            .filter(|cause| matches!(cause, domain::ticket::TicketCause::Signal(..)));
        prop_assert_eq!(
            self.room.bad_signals.iter().filter(lasts).count(),
            of_signals.count(),
            "I4"
        );
        Ok(())
    }

    fn is_at_rest(&self, at: DateTime<Utc>, when: &str) -> Result<(), TestCaseError> {
        let changes = self.decide_at(at);
        let checked = &changes.checked_rooms[0];
        prop_assert!(checked.changed.is_empty(), "{when}: {:?}", checked.changed);
        prop_assert!(
            checked.blocks.is_none() && checked.unreviewed.is_none(),
            "{when}: {checked:?}"
        );
        prop_assert!(!checked.becomes_managed, "{when}: becomes managed");
        prop_assert!(changes.cause_tickets.is_empty(), "{when}: {:?}", changes.cause_tickets);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_checks_follow_from_facts_people_and_days_c1_c2_c4_c5_c7_l4_i4(
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Pacific/Kiritimati", "Africa/Cairo"]),
        is_new in any::<bool>(),
        steps in proptest::collection::vec(a_step(), 1..40),
    ) {
        let state = if is_new { RoomState::Onboarding } else { RoomState::Managed };
        let mut life = Life::new(zone, state);
        life.check()?;
        for step in &steps {
            life.take(step);
            life.check()?;
        }
    }
}
