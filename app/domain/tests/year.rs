//! A year of the demo estate through the simulator: releases every month, freezes, moves, failures, absences, a pause, a recall.
//! `check` is asked every night, law A too; every ring keeps receiving updates. The timeline beside this file is what happened.
//!
//! `NIGHTSHIFT_BLESS=1` writes the timeline.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use domain::deployment::DeploymentState;
use domain::event::Subject;
use domain::fleet::Fleet;
use domain::freeze::Freeze;
use domain::halt::HaltRule;
use domain::ids::{DeviceId, FreezeId, ProductId, RingId, RoomId, UpdateId};
use domain::ring::{RingDraft, RingOrder, RingSequence};
use domain::rollout::RolloutState;
use domain::room::{Component, Device, Room, RoomState, VersionSource};
use domain::settings::{Organisation, Settings};
use domain::sim::{Behaviour, Simulation};
use domain::status;
use domain::ticket::TicketStatus;
use domain::update::{ProductKind, Severity, Update, VersionStanding};
use domain::zone::Zone;
use serde_json::Value;
use uuid::Uuid;

/// What gets a release: product, kind, minutes, day of the month, and in which months.
const RELEASES: [(&str, ProductKind, u32, u32, u32); 4] = [
    ("windows-quality-23h2", ProductKind::Os, 40, 11, 1),
    ("teams-rooms-app-windows", ProductKind::App, 20, 3, 1),
    ("teams-rooms-app-android", ProductKind::App, 15, 18, 1),
    ("logitech-tap-usb", ProductKind::Firmware, 10, 24, 3),
];

struct Year {
    sim: Simulation,
    rings: BTreeMap<String, RingId>,
    sites: BTreeMap<String, Vec<RoomId>>,
    last_id: u128,
    printed: usize,
    timeline: String,
}

impl Year {
    fn id(&mut self) -> Uuid {
        self.last_id += 1;
        Uuid::from_u128(self.last_id)
    }

    fn note(&mut self, text: &str) {
        self.sim.note(text.to_owned());
    }

    /// Rollouts and people, as they came; rooms are too many.
    fn print(&mut self) {
        for entry in &self.sim.log[self.printed..] {
            let about = match entry.subject {
                None => String::new(),
                Some(Subject::Rollout(update)) => format!("{}: ", self.sim.fleet.updates[&update].title()),
                Some(Subject::Room(..)) => continue,
            };
            // What a rollout waits for stands there again when it comes.
            if entry.text.contains(" starts ") || entry.text.contains(" is over after ") {
                continue;
            }
            let at = self.sim.fleet.organisation.zone.local(entry.at).wall;
            writeln!(self.timeline, "{}  {about}{}", at.format("%Y-%m-%d %H:%M"), entry.text).expect("text");
        }
        self.printed = self.sim.log.len();
    }

    fn publish(&mut self, product: &str, kind: ProductKind, minutes: u32, month: u32, critical: bool) -> UpdateId {
        let id = UpdateId(self.id());
        let standings = (0..=12).map(|known| {
            let standing = if known < month {
                VersionStanding::Below
            } else {
                VersionStanding::Current
            };
            (known.to_string(), standing)
        });
        let update = Update {
            id,
            product: ProductId(product.to_owned()),
            product_name: product.to_owned(),
            kind,
            vendor: String::new(),
            version: month.to_string(),
            released: None,
            severity: if critical {
                Severity::Critical
            } else {
                Severity::Routine
            },
            expected_minutes: minutes,
            minimum_version: None,
            models: Vec::new(),
            applies_to_unknown: false,
            offerable: true,
            standings: standings.collect(),
        };
        let critical = if critical { ", critical" } else { "" };
        self.note(&format!("Admin publishes {}{critical}.", update.title()));
        self.sim.publish(update, true).expect("it is published");
        id
    }

    fn freeze(&mut self, of: &str, from: &str, until: &str, reason: &str) {
        let freeze = Freeze {
            from: from.parse().expect("a date"),
            until: until.parse().expect("a date"),
            owner: "Facilities".to_owned(),
            reason: reason.to_owned(),
            made_at: self.sim.now,
            id: FreezeId(self.id()),
        };
        self.note(&format!("Facilities freezes {of} from {from} to {until}: {reason}."));
        let made = match (self.rings.get(of), self.sites.get(of)) {
            (Some(ring), _) => self.sim.freeze_plans(Some(*ring), &freeze),
            (None, Some(rooms)) => self.sim.freeze_rooms(&rooms.clone(), &freeze),
            (None, None) => self.sim.freeze_plans(None, &freeze),
        };
        made.expect("a freeze within its limits");
    }
}

/// The demo estate: 120 rooms at 9 sites in 4 rings, with the products above at version 0.
fn estate() -> Year {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../server/demo/estate.json");
    let text = std::fs::read_to_string(path).expect("the demo's estate");
    let estate: Value = serde_json::from_str(&text).expect("JSON");
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let ring = |number| RingId(Uuid::from_u128(number));
    let mut rings = RingSequence::preconfigured(ring(1), ring(2), ring(3));
    let mut by_id = BTreeMap::new();
    for (line, number) in list(&estate["rings"]).iter().zip(4..) {
        let days = |key: &str| u32::try_from(line[key].as_u64().expect("days")).expect("days");
        let draft = RingDraft {
            name: text(&line["name"]),
            description: String::new(),
            order: line["order"].as_i64().and_then(|order| RingOrder::try_from(order).ok()),
            rollout_days: days("rollout_days"),
            test_days: days("test_days"),
        };
        let known = rings.named(&draft.name).map(|ring| ring.id);
        let id = known.unwrap_or(ring(number));
        let changed = match known {
            Some(id) => rings.with_edited(id, draft),
            None => rings.with_added(id, draft),
        };
        rings = changed.expect("the demo's rings fit");
        by_id.insert(text(&line["id"]), id);
    }
    let zones: BTreeMap<String, Zone> = list(&estate["sites"])
        .iter()
        .map(|site| (text(&site["id"]), Zone::parse(&text(&site["zone"])).expect("a zone")))
        .collect();
    let organisation = Organisation {
        name: "Tidewater Group".to_owned(),
        zone: Zone::parse("Europe/London").expect("London"),
        // Rooms fail at random, and nobody is there to resume what is halted.
        settings: Settings {
            halt: HaltRule::OFF,
            ..Settings::default()
        },
    };
    let start = "2024-12-02T09:00:00Z".parse().expect("an instant");
    let mut sim = Simulation::new(Fleet::new(organisation, rings), start);
    sim.checks_laws = false;
    let mut year = Year {
        sim,
        rings: by_id,
        sites: BTreeMap::new(),
        last_id: 1_000,
        printed: 0,
        timeline: String::new(),
    };
    for line in list(&estate["rooms"]) {
        let room = room(&mut year, &line, &zones);
        year.sites.entry(text(&line["site"])).or_default().push(room.id);
        year.sim.fleet.rooms.insert(room.id, room);
    }
    year
}

fn room(year: &mut Year, line: &Value, zones: &BTreeMap<String, Zone>) -> Room {
    let text = |key: &str| line[key].as_str().expect("a text").to_owned();
    let id = RoomId(year.id());
    let mut devices = Vec::new();
    for device in line["devices"].as_array().expect("devices") {
        let installed = device["installed"].as_object().expect("what is installed");
        let ours = installed
            .keys()
            .filter(|product| RELEASES.iter().any(|release| release.0 == product.as_str()));
        let components: Vec<Component> = ours
            .map(|product| Component {
                product: ProductId(product.clone()),
                version: Some("0".to_owned()),
                source: VersionSource::Reported,
            })
            .collect();
        if components.is_empty() {
            continue;
        }
        let device_id = DeviceId(year.id());
        let number = year.last_id;
        // One device in eleven fails now and then, one in thirteen falls silent once, one in nine is away for some days.
        let away = year.sim.now + TimeDelta::days(i64::try_from(number % 300).expect("days"));
        let behaviour = Behaviour {
            minutes: 8 + u32::try_from(number % 30).expect("minutes"),
            failures: u32::from(number.is_multiple_of(11)) * 2,
            silences: u32::from(number.is_multiple_of(13)),
            late_minutes: (number.is_multiple_of(26)).then_some(1_500),
            absences: if number.is_multiple_of(9) {
                vec![(away, away + TimeDelta::days(6))]
            } else {
                Vec::new()
            },
            ..Behaviour::default()
        };
        year.sim.behaviours.insert(device_id, behaviour);
        devices.push(Device {
            id: device_id,
            model: device["model"].as_str().expect("a model").to_owned(),
            components,
        });
    }
    Room {
        id,
        name: text("name"),
        zone: zones[&text("site")].clone(),
        ring: year.rings[&text("ring")],
        state: if text("state") == "onboarding" {
            RoomState::Onboarding
        } else {
            RoomState::Managed
        },
        blocks: Vec::new(),
        holds: Vec::new(),
        supported_until: BTreeMap::new(),
        freezes: Vec::new(),
        devices,
    }
}

/// What people do on a day.
fn people(year: &mut Year, day: NaiveDate) {
    let month = (day.year() - 2024) * 12 + i32::try_from(day.month()).expect("a month") - 12;
    let month = u32::try_from(month).expect("a month") + 1;
    if month <= 12 {
        for (product, kind, minutes, on, every) in RELEASES {
            if day.day() == on && month % every == 0 {
                // Twice a year, the operating system's is urgent.
                year.publish(product, kind, minutes, month, kind == ProductKind::Os && month % 6 == 0);
            }
        }
    }
    match (day.month(), day.day()) {
        (12, 4) if day.year() == 2024 => {
            year.freeze("lon", "2024-12-20", "2025-01-02", "year-end close");
            year.freeze("everything", "2024-12-24", "2024-12-26", "holidays");
        }
        (5, 2) => year.freeze("executive", "2025-05-12", "2025-05-18", "board week"),
        (8, 20) => year.freeze("everything", "2025-09-01", "2025-09-05", "trade fair"),
        (3, 7) => with_live(year, "teams-rooms-app-windows", |year, update| {
            year.note("Admin pauses it: cameras stay dark.");
            year.sim
                .pause(update, "Admin", "cameras stay dark", None)
                .expect("a pause");
        }),
        (3, 12) => with_live(year, "teams-rooms-app-windows", |year, update| {
            year.note("Admin resumes it.");
            year.sim.resume(update).expect("a resume");
        }),
        (7, 22) => with_live(year, "teams-rooms-app-android", |year, update| {
            year.note("Admin recalls it: sign-in fails.");
            year.sim.recall(update, "sign-in fails").expect("a recall");
        }),
        _ => {}
    }
    // On the 15th two rooms move one ring on; the rings keep somebody.
    if day.day() == 15 {
        let order: Vec<RingId> = year.sim.fleet.rings.iter().map(|ring| ring.id).collect();
        let rooms: Vec<RoomId> = year.sim.fleet.rooms.keys().copied().collect();
        for step in [7, 53] {
            let index = usize::try_from(month).expect("a month") * step % rooms.len();
            let room = &year.sim.fleet.rooms[&rooms[index]];
            let from = order.iter().position(|ring| *ring == room.ring).expect("a ring");
            let (name, to) = (room.name.clone(), order[(from + 1) % order.len()]);
            let ring = year.sim.fleet.rings.get(to).expect("a ring").name.clone();
            year.note(&format!("Admin moves {name} to {ring}."));
            year.sim.move_room(rooms[index], to);
        }
    }
    // On Mondays, what has failed is tried again.
    if day.weekday() == chrono::Weekday::Mon {
        let updates: Vec<UpdateId> = year.sim.fleet.rollouts.keys().copied().collect();
        let rooms: usize = updates
            .into_iter()
            // A paused one, and a deprecated one, is left alone.
            .filter_map(|update| year.sim.retry_all_failed(update, "Admin").ok())
            .sum();
        if rooms > 0 {
            year.note(&format!("Admin retries what has failed: {rooms} rooms."));
        }
    }
}

fn with_live(year: &mut Year, product: &str, action: impl FnOnce(&mut Year, UpdateId)) {
    let live = year.sim.fleet.rollouts.values().filter(|rollout| rollout.is_live());
    let newest = live
        .map(|rollout| rollout.update)
        .filter(|update| year.sim.fleet.updates[update].product.0 == product)
        .max();
    if let Some(update) = newest {
        action(year, update);
    }
}

#[test]
fn a_year_of_the_demo_estate_breaks_no_law_and_every_ring_keeps_receiving_updates_s9_w6() {
    let mut year = estate();
    let zone = year.sim.fleet.organisation.zone.clone();
    let mut day = zone.date(year.sim.now);
    let end: NaiveDate = "2025-12-02".parse().expect("a date");
    let mut before = year.sim.fleet.clone();
    while day < end {
        year.sim.run_until(zone.start_of(day) + TimeDelta::hours(9));
        // The night is over, in Europe at least: everything is looked at, law A included.
        year.sim.check_everything(&before);
        assert!(year.sim.findings.is_empty(), "{day}: {}", year.sim.findings[0]);
        before = year.sim.fleet.clone();
        people(&mut year, day);
        year.sim.tick();
        year.print();
        day = day.succ_opt().expect("a date");
    }
    let received = received(&year);
    let mut timeline = std::mem::take(&mut year.timeline);
    summarise(&year, &received, &mut timeline);

    // The year is from December to November; in January the first rollout of 35 days has come to Executive.
    for month in 1..=11 {
        let begins = NaiveDate::from_ymd_opt(2025, month, 1).expect("a date");
        for ring in year.sim.fleet.rings.iter() {
            let got = received.get(&(ring.name.clone(), begins)).copied().unwrap_or(0);
            assert!(got > 0, "{} received nothing in {}", ring.name, begins.format("%B"));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/year.timeline");
    if std::env::var_os("NIGHTSHIFT_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &timeline).expect("a writable timeline");
    }
    let expected = std::fs::read_to_string(&path).expect("the timeline");
    let first = expected
        .lines()
        .zip(timeline.lines())
        .find(|(expected, found)| expected != found);
    assert!(
        expected == timeline,
        "the year has changed, first at {first:?}; NIGHTSHIFT_BLESS=1 writes it anew"
    );
}

/// Installs that were confirmed, by the room's ring and the month.
fn received(year: &Year) -> BTreeMap<(String, NaiveDate), usize> {
    let mut received = BTreeMap::new();
    for deployment in year.sim.fleet.deployments.values() {
        let ring = deployment.ring.ring().and_then(|ring| year.sim.fleet.rings.get(ring));
        if let (DeploymentState::Completed { at }, Some(ring)) = (&deployment.state, ring) {
            let month = at.date_naive().with_day(1).expect("a first");
            *received.entry((ring.name.clone(), month)).or_insert(0) += 1;
        }
    }
    received
}

fn summarise(year: &Year, received: &BTreeMap<(String, NaiveDate), usize>, out: &mut String) {
    let fleet = &year.sim.fleet;
    let rings: Vec<&str> = fleet.rings.iter().map(|ring| ring.name.as_str()).collect();
    writeln!(out, "\nRooms that received an update, by ring and month:").expect("text");
    let months: BTreeSet<NaiveDate> = received.keys().map(|(_, month)| *month).collect();
    writeln!(out, "  month    {}", rings.join("  ")).expect("text");
    for month in months {
        let got = rings.iter().map(|ring| {
            let number = received.get(&((*ring).to_owned(), month)).copied().unwrap_or(0);
            format!("{number:>width$}", width = ring.chars().count())
        });
        writeln!(
            out,
            "  {}  {}",
            month.format("%Y-%m"),
            got.collect::<Vec<_>>().join("  ")
        )
        .expect("text");
    }
    writeln!(out, "\nUpdates at the end:").expect("text");
    for rollout in fleet.rollouts.values() {
        let (update, counts) = (&fleet.updates[&rollout.update], rollout.total_counts());
        let status = status::update(rollout, true).label();
        let why = match &rollout.state {
            RolloutState::Deprecated { reason, .. } => format!(" {}", reason.sentence()),
            RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. } => String::new(),
        };
        writeln!(
            out,
            "  {}: {status}, {} done, {} failed, {} deprecated, {} catch-up.{why}",
            update.title(),
            counts.completed,
            counts.failed,
            counts.deprecated,
            counts.catch_up
        )
        .expect("text");
    }
    let open = fleet
        .tickets
        .values()
        .filter(|ticket| ticket.state != TicketStatus::Resolved)
        .count();
    let installs: Vec<DateTime<Utc>> = fleet
        .installs
        .values()
        .filter_map(|install| install.started_at)
        .collect();
    writeln!(
        out,
        "\n{} installs were started, {} tickets were opened, {open} are open.",
        installs.len(),
        fleet.tickets.len()
    )
    .expect("text");
}
