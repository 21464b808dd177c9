//! Scenarios: scripted rollouts in text, and their printed timelines.
//!
//! A scenario is read line by line and played on the [`Simulation`]; every rule that shows in its timeline is the planner's.
//! This module must hold none: it parses, passes on and prints. Start with [`run`]. The language:
//!
//! ```text
//! # Everything behind a # is a comment. Times are in the organisation's zone; names with blanks stand in "quotes".
//! zone Europe/London                                  the organisation's
//! clock 2025-03-01 00:00                              when it begins
//! ring Pilots order 3 rollout 2 test 1                adds a ring; Staging, General and Executive are edited
//! site Berlin zone Europe/Berlin
//! product app kind app [by-date] [prefix 10.0.] [beside]      beside: its releases do not supersede each other
//! mode automatic [nights 5]                           updates published from here on; or: mode rings
//! guard off                                           the starvation guard; or: guard on
//! portfolio app 1.5 [minutes N] [minimum V] [for MODEL]       a release that is not published, but may be a step
//! release app 1.0 2024-11-05                          the day of a release, for products by date
//! rooms 3 in General at Berlin named Berlin [model M] [devices N] [onboarding] with app 1.0 [with os 9]
//! room Lobby in Staging at Berlin with app unknown
//! device Berlin-1 fails 1 | silent 1 [late 120] | minutes 40 | absent 2025-03-05 2025-03-07 | unconfirmed
//! device Berlin-1 busy 2025-03-05 09:00 2025-03-05 17:00 | refuses-cancel
//! at 2025-03-04 15:00 publish app 2.0 [critical] [minutes N] [released DATE] [minimum V] [for MODEL] [beside]
//! at 2025-03-06 09:00 pause app 2.0 [until 2025-03-09] because "cameras stay dark"
//! at 2025-03-09 09:00 resume app 2.0
//! at 2025-03-09 09:00 retry app 2.0
//! at 2025-03-09 09:00 force app 2.0 in Berlin-1,Berlin-2 [when-available]
//! at 2025-03-09 09:00 cancel app 2.0 in Berlin-1 because "the room is needed"
//! at 2025-03-09 09:00 recall app 2.0 because "cameras stay dark"
//! at 2025-03-09 09:00 freeze organisation | ring Pilots | site Berlin | room Berlin-1 from 2025-03-10 until 2025-03-12 by "Facilities" because "trade fair"
//! at 2025-03-09 09:00 move Berlin-1 to Staging
//! at 2025-03-09 09:00 hold Berlin-1 until 2025-03-20 by "Facilities" because "trade fair"
//! at 2025-03-09 09:00 add room Attic in General at Berlin with app 1.0
//! at 2025-03-09 09:00 report Berlin-1 app 2.0         its inventory says so; Nightshift had no part in it
//! at 2025-03-09 09:00 ring Late order 7 rollout 1 test 0
//! at 2025-03-09 09:00 device Berlin-1 absent 2025-03-10 2025-03-12
//! at 2025-03-09 09:00 away until 2025-04-09 09:00     the service is
//! until 2025-05-01 00:00                              when it ends; the last line
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;

use crate::commands::publish::check_minutes;
use crate::deployment::{Deployment, Force};
use crate::event::Subject;
use crate::fleet::Fleet;
use crate::freeze::{Freeze, check_date};
use crate::ids::{DeviceId, FreezeId, MalformedProductId, ProductId, RingId, RoomId, UpdateId};
use crate::refusal::Refusal;
use crate::ring::{RingDraft, RingOrder, RingPlace, RingRefusal, RingSequence};
use crate::rollout::{PlannedStage, Rollout, days};
use crate::room::{Component, Device, Hold, Room, RoomState};
use crate::settings::{Mode, Organisation, Settings};
use crate::sim::{Behaviour, Simulation};
use crate::status::{self, RoomStatus};
use crate::text::refusal::{sentence, with_field};
use crate::ticket::TicketState;
use crate::time_text;
use crate::update::{ProductKind, Severity, Update, VersionStanding};
use crate::version::{self, Version, VersionScheme};
use crate::zone::Zone;

/// A line of a scenario that cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ScenarioError {
    /// Counted from 1.
    pub line: usize,
    /// The field and its limit, in one sentence.
    pub problem: String,
}

/// The most rooms that a scenario may have.
const MOST_ROOMS: u32 = 2_000;

/// Plays a scenario and prints what happened.
///
/// # Errors
/// The first line that cannot be played.
pub fn run(text: &str) -> Result<String, ScenarioError> {
    let mut script = Script::new();
    let mut last_line = 0;
    for (index, line) in text.lines().enumerate() {
        let at_line = |LineProblem(problem)| ScenarioError {
            line: index + 1,
            problem,
        };
        let tokens = tokens(line).map_err(at_line)?;
        if tokens.is_empty() {
            continue;
        }
        last_line = index + 1;
        let mut reader = TokenReader { tokens, next: 0 };
        script.line(&mut reader).map_err(at_line)?;
        reader.end().map_err(at_line)?;
    }
    if !script.over {
        let problem = "until: a scenario ends with a line such as until 2025-05-01 00:00".to_owned();
        return Err(ScenarioError {
            line: last_line.max(1),
            problem,
        });
    }
    Ok(script.print())
}

/// Why a line cannot be played, in one sentence. A scenario is text from outside: whoever wrote it reads this, and no code does.
struct LineProblem(String);

type LineResult<T = ()> = Result<T, LineProblem>;

impl LineProblem {
    /// What is the matter with a field.
    fn of(field: &str, problem: impl fmt::Display) -> Self {
        Self(format!("{field}: {problem}"))
    }

    /// A word that is none of those that may stand here.
    fn none_of(field: &str, word: &str, words: &str) -> Self {
        Self::of(field, format_args!("{word} is unknown; {words}"))
    }

    /// A name that nothing has.
    fn no_such(field: &str, name: &str) -> Self {
        Self::of(field, format_args!("there is no {name}"))
    }
}

impl From<Refusal> for LineProblem {
    fn from(refusal: Refusal) -> Self {
        Self(with_field(&refusal))
    }
}

impl From<RingRefusal> for LineProblem {
    fn from(refusal: RingRefusal) -> Self {
        Self(refusal.to_string())
    }
}

impl From<MalformedProductId> for LineProblem {
    fn from(malformed: MalformedProductId) -> Self {
        Self(malformed.to_string())
    }
}

/// One line, cut into words.
struct TokenReader {
    tokens: Vec<String>,
    next: usize,
}

fn tokens(line: &str) -> LineResult<Vec<String>> {
    let mut tokens = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (token, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted
                .split_once('"')
                .ok_or_else(|| LineProblem::of("quotes", "a \" has no other to close it"))?,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        tokens.push(token.to_owned());
        rest = after.trim_start();
    }
    Ok(tokens)
}

impl TokenReader {
    fn word(&mut self, field: &str) -> LineResult<String> {
        let word = self
            .tokens
            .get(self.next)
            .cloned()
            .ok_or_else(|| LineProblem::of(field, "the line ends before it"))?;
        self.next += 1;
        Ok(word)
    }

    /// Takes the next word if it is this one.
    fn take_if(&mut self, word: &str) -> bool {
        let is_next = self.tokens.get(self.next).is_some_and(|next| next == word);
        self.next += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, word: &str) -> LineResult {
        if self.take_if(word) {
            return Ok(());
        }
        let found = self
            .tokens
            .get(self.next)
            .map_or("the end of the line".to_owned(), |found| format!("{found:?}"));
        Err(LineProblem::of(
            word,
            format_args!("expected this word here, found {found}"),
        ))
    }

    fn number(&mut self, field: &str, least: u32, most: u32) -> LineResult<u32> {
        let word = self.word(field)?;
        let number = word.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| {
            LineProblem::of(
                field,
                format_args!("{word} is not a whole number from {least} to {most}"),
            )
        })
    }

    fn date(&mut self, field: &str) -> LineResult<NaiveDate> {
        let word = self.word(field)?;
        let date = word
            .parse()
            .map_err(|_| LineProblem::of(field, format_args!("{word} is not a date such as 2025-03-05")))?;
        check_date(date).map_err(|error| LineProblem::of(field, error))?;
        Ok(date)
    }

    fn instant(&mut self, field: &str, zone: &Zone) -> LineResult<DateTime<Utc>> {
        let date = self.date(field)?;
        let word = self.word(field)?;
        let time = NaiveTime::parse_from_str(&word, "%H:%M")
            .map_err(|_| LineProblem::of(field, format_args!("{word} is not a time from 00:00 to 23:59")))?;
        zone.at(date, time)
            .ok_or_else(|| LineProblem::of(field, format_args!("{date} {word} does not exist in {zone}")))
    }

    fn zone(&mut self) -> LineResult<Zone> {
        Zone::parse(&self.word("zone")?).map_err(|unknown| LineProblem::of("zone", unknown))
    }

    fn reason(&mut self) -> LineResult<String> {
        self.expect("because")?;
        let rest = self.tokens.get(self.next..).unwrap_or_default().join(" ");
        self.next = self.tokens.len();
        if rest.is_empty() {
            Err(LineProblem::of("because", "the line ends before the reason"))
        } else {
            Ok(rest)
        }
    }

    fn end(&self) -> LineResult {
        match self.tokens.get(self.next) {
            None => Ok(()),
            Some(word) => Err(LineProblem::of(word, "nothing more is expected on this line")),
        }
    }
}

struct Product {
    kind: ProductKind,
    scheme: VersionScheme,
    beside: bool,
    released: BTreeMap<String, NaiveDate>,
    known: BTreeSet<String>,
}

struct Release {
    update: Update,
    /// Published without superseding (S9).
    beside: bool,
}

struct Script {
    sim: Simulation,
    sites: BTreeMap<String, Zone>,
    products: BTreeMap<ProductId, Product>,
    rooms: BTreeMap<String, RoomId>,
    sites_of: BTreeMap<RoomId, String>,
    updates: BTreeMap<(ProductId, String), UpdateId>,
    last_id: u128,
    started: bool,
    over: bool,
}

impl Script {
    fn new() -> Self {
        let ring = |number| RingId(Uuid::from_u128(number));
        let organisation = Organisation {
            name: "Example".to_owned(),
            zone: Zone::utc(),
            settings: Settings::default(),
        };
        let fleet = Fleet::new(organisation, RingSequence::preconfigured(ring(1), ring(2), ring(3)));
        Self {
            sim: Simulation::new(fleet, DateTime::UNIX_EPOCH),
            sites: BTreeMap::new(),
            products: BTreeMap::new(),
            rooms: BTreeMap::new(),
            sites_of: BTreeMap::new(),
            updates: BTreeMap::new(),
            last_id: 3,
            started: false,
            over: false,
        }
    }

    fn id(&mut self) -> Uuid {
        self.last_id += 1;
        Uuid::from_u128(self.last_id)
    }

    fn organisation_zone(&self) -> Zone {
        self.sim.fleet.organisation.zone.clone()
    }

    fn line(&mut self, reader: &mut TokenReader) -> LineResult {
        let directive = reader.word("directive")?;
        if self.over {
            return Err(LineProblem::of(&directive, "nothing may follow until"));
        }
        let before_the_first_at = matches!(directive.as_str(), "zone" | "clock");
        if before_the_first_at && (self.started || !self.rooms.is_empty()) {
            return Err(LineProblem::of(&directive, "must come before the first room"));
        }
        match directive.as_str() {
            "zone" => self.sim.fleet.organisation.zone = reader.zone()?,
            "clock" => self.sim.now = reader.instant("clock", &self.organisation_zone())?,
            "site" => {
                let name = reader.word("site")?;
                reader.expect("zone")?;
                self.sites.insert(name, reader.zone()?);
            }
            "product" => self.product(reader)?,
            "release" => {
                let (product, version) = (self.product_id(reader)?, reader.word("version")?);
                let day = reader.date("day of release")?;
                self.products.entry(product).and_modify(|product| {
                    product.released.insert(version, day);
                });
            }
            "ring" => self.ring(reader)?,
            "rooms" | "room" if self.started => {
                return Err(LineProblem::of(
                    &directive,
                    "after the first at, write at DATE TIME add room …",
                ));
            }
            "rooms" => self.add_rooms(reader)?,
            "room" => {
                let room = self.room(reader)?;
                self.sim.fleet.rooms.insert(room.id, room);
            }
            "device" => self.device(reader)?,
            "mode" => self.mode(reader)?,
            "guard" => {
                let guard = reader.word("guard")?;
                let is_on = ["off", "on"].iter().position(|word| *word == guard);
                let is_on =
                    is_on.ok_or_else(|| LineProblem::of("guard", format_args!("{guard} is neither on nor off")))?;
                self.sim.fleet.organisation.settings.starvation_guard = is_on == 1;
            }
            "portfolio" => {
                let release = self.release(reader)?;
                self.add_release(release.update)?;
            }
            "at" => self.at(reader)?,
            "until" => {
                let end = self.instant_ahead(reader, "until")?;
                self.sim.run_until(end);
                self.over = true;
            }
            unknown => {
                let directives = "the directives are zone, clock, mode, guard, ring, site, product, release, portfolio, rooms, room, device, at and until";
                return Err(LineProblem::none_of("directive", unknown, directives));
            }
        }
        Ok(())
    }

    fn instant_ahead(&self, reader: &mut TokenReader, field: &str) -> LineResult<DateTime<Utc>> {
        let zone = self.organisation_zone();
        let instant = reader.instant(field, &zone)?;
        if instant < self.sim.now {
            let now = zone.local(self.sim.now).wall.format("%Y-%m-%d %H:%M");
            return Err(LineProblem::of(
                field,
                format_args!("times go forward; it is {now} already"),
            ));
        }
        Ok(instant)
    }

    fn mode(&mut self, reader: &mut TokenReader) -> LineResult {
        let word = reader.word("mode")?;
        let settings = &mut self.sim.fleet.organisation.settings;
        settings.mode = match word.as_str() {
            "automatic" => Mode::Automatic,
            "rings" => Mode::RingValidated,
            other => {
                return Err(LineProblem::of(
                    "mode",
                    format_args!("{other} is neither automatic nor rings"),
                ));
            }
        };
        if reader.take_if("nights") {
            settings.automatic_days = reader.number("nights", 1, 60)?;
        }
        Ok(())
    }

    fn product(&mut self, reader: &mut TokenReader) -> LineResult {
        let id = ProductId::parse(&reader.word("product")?)?;
        reader.expect("kind")?;
        let word = reader.word("kind")?;
        let kind = ProductKind::from_word(&word)
            .ok_or_else(|| LineProblem::none_of("kind", &word, "use os, service, app, driver or firmware"))?;
        let mut scheme = VersionScheme::default();
        if reader.take_if("by-date") {
            scheme.by_release_date = true;
        }
        if reader.take_if("prefix") {
            scheme.optional_prefix = Some(reader.word("prefix")?);
        }
        let beside = reader.take_if("beside");
        self.products.insert(
            id,
            Product {
                kind,
                scheme,
                beside,
                released: BTreeMap::new(),
                known: BTreeSet::new(),
            },
        );
        Ok(())
    }

    fn product_id(&self, reader: &mut TokenReader) -> LineResult<ProductId> {
        let id = ProductId::parse(&reader.word("product")?)?;
        if self.products.contains_key(&id) {
            Ok(id)
        } else {
            Err(LineProblem::of(
                "product",
                format_args!("there is no {id}; a line product {id} kind app creates it"),
            ))
        }
    }

    fn ring_named(&self, reader: &mut TokenReader) -> LineResult<RingId> {
        let name = reader.word("ring")?;
        self.sim
            .fleet
            .rings
            .named(&name)
            .map(|ring| ring.id)
            .ok_or_else(|| LineProblem::no_such("ring", &name))
    }

    fn ring(&mut self, reader: &mut TokenReader) -> LineResult {
        let name = reader.word("name")?;
        let old = self.sim.fleet.rings.named(&name).cloned();
        let order = if reader.take_if("order") {
            Some(reader.word("order")?.parse::<RingOrder>()?)
        } else {
            None
        };
        reader.expect("rollout")?;
        let rollout_days = reader.number("rollout duration", 0, u32::MAX)?;
        reader.expect("test")?;
        let test_days = reader.number("test period", 0, u32::MAX)?;
        let order = order.or_else(|| match old.as_ref()?.place {
            RingPlace::Between(order) => Some(order),
            RingPlace::Staging | RingPlace::Executive => None,
        });
        let draft = RingDraft {
            name: name.clone(),
            description: String::new(),
            order,
            rollout_days,
            test_days,
        };
        let rings = match &old {
            Some(old) => self.sim.fleet.rings.with_edited(old.id, draft),
            None => {
                let id = RingId(self.id());
                self.sim.fleet.rings.with_added(id, draft)
            }
        };
        self.sim.set_rings(&rings?)?;
        if self.started {
            self.sim
                .note(format!("Ring {name}: rollout {rollout_days}, test {test_days}."));
        }
        Ok(())
    }

    fn add_rooms(&mut self, reader: &mut TokenReader) -> LineResult {
        let most = MOST_ROOMS - u32::try_from(self.rooms.len()).unwrap_or(MOST_ROOMS);
        let number = reader.number("rooms", 1, most)?;
        let start = reader.next;
        for index in 1..=number {
            reader.next = start;
            let room = self.room_in(reader, &mut |reader| {
                reader.expect("named")?;
                Ok(format!("{}-{index}", reader.word("name")?))
            })?;
            self.sim.fleet.rooms.insert(room.id, room);
        }
        Ok(())
    }

    fn room(&mut self, reader: &mut TokenReader) -> LineResult<Room> {
        let name = reader.word("name")?;
        self.room_in(reader, &mut |_| Ok(name.clone()))
    }

    fn room_in(
        &mut self,
        reader: &mut TokenReader,
        name: &mut dyn FnMut(&mut TokenReader) -> LineResult<String>,
    ) -> LineResult<Room> {
        reader.expect("in")?;
        let ring = self.ring_named(reader)?;
        reader.expect("at")?;
        let site = reader.word("site")?;
        let zone = self.sites.get(&site).cloned().ok_or_else(|| {
            LineProblem::of(
                "site",
                format_args!("there is no {site}; a line site {site} zone Europe/London creates it"),
            )
        })?;
        let name = name(reader)?;
        let model = if reader.take_if("model") {
            reader.word("model")?
        } else {
            "M".to_owned()
        };
        let devices = if reader.take_if("devices") {
            reader.number("devices", 1, 20)?
        } else {
            1
        };
        let state = if reader.take_if("onboarding") {
            RoomState::Onboarding
        } else {
            RoomState::Managed
        };
        let mut components = Vec::new();
        while reader.take_if("with") {
            let (product, version) = (self.product_id(reader)?, reader.word("version")?);
            let version = Some(version).filter(|version| version != "unknown");
            if let Some(version) = &version {
                self.add_version(&product, version);
            }
            components.push(Component { product, version });
        }
        if components.is_empty() {
            return Err(LineProblem::of(
                "with",
                "a room needs at least one product and its version",
            ));
        }
        let id = RoomId(self.id());
        self.sites_of.insert(id, site);
        if self.rooms.insert(name.clone(), id).is_some() {
            return Err(LineProblem::of("name", format_args!("there is a room {name} already")));
        }
        let devices = (0..devices)
            .map(|_| Device {
                id: DeviceId(self.id()),
                model: model.clone(),
                components: components.clone(),
            })
            .collect();
        Ok(Room {
            id,
            name,
            zone,
            ring,
            state,
            blocks: Vec::new(),
            holds: Vec::new(),
            freezes: Vec::new(),
            devices,
        })
    }

    /// A version of a product is seen for the first time: how it stands to every update of the product.
    fn add_version(&mut self, product: &ProductId, version: &str) {
        let Some(facts) = self.products.get_mut(product) else {
            return;
        };
        facts.known.insert(version.to_owned());
        for update in self
            .sim
            .fleet
            .updates
            .values_mut()
            .filter(|update| update.product == *product)
        {
            update.standings = facts.standings(&update.version, update.minimum_version.as_deref());
        }
    }

    fn room_named(&self, reader: &mut TokenReader) -> LineResult<RoomId> {
        let name = reader.word("room")?;
        self.find_room(&name)
    }

    fn find_room(&self, name: &str) -> LineResult<RoomId> {
        self.rooms
            .get(name)
            .copied()
            .ok_or_else(|| LineProblem::no_such("room", name))
    }

    fn devices_of(&self, room: RoomId) -> Vec<DeviceId> {
        self.sim
            .fleet
            .rooms
            .get(&room)
            .map_or_else(Vec::new, |room| room.devices.iter().map(|device| device.id).collect())
    }

    fn device(&mut self, reader: &mut TokenReader) -> LineResult {
        let room = self.room_named(reader)?;
        let mut devices = self.devices_of(room);
        if reader.take_if("number") {
            let most = u32::try_from(devices.len()).unwrap_or(u32::MAX);
            let number = reader.number("number", 1, most)?;
            devices = devices.into_iter().skip(number as usize - 1).take(1).collect();
        }
        let what = reader.word("behaviour")?;
        let mut change: Box<dyn FnMut(&mut Behaviour)> = match what.as_str() {
            "fails" => {
                let failures = reader.number("fails", 0, 1_000)?;
                Box::new(move |behaviour| behaviour.failures = failures)
            }
            "silent" => {
                let silences = reader.number("silent", 0, 1_000)?;
                let late_minutes = if reader.take_if("late") {
                    Some(reader.number("late", 1, 100_000)?)
                } else {
                    None
                };
                Box::new(move |behaviour| (behaviour.silences, behaviour.late_minutes) = (silences, late_minutes))
            }
            "minutes" => {
                let minutes = reader.number("minutes", 1, 100_000)?;
                Box::new(move |behaviour| behaviour.minutes = minutes)
            }
            "absent" => {
                let zone = self.organisation_zone();
                let (from, until) = (reader.date("absent from")?, reader.date("absent until")?);
                if until <= from {
                    return Err(LineProblem::of(
                        "absent until",
                        format_args!("{until} must be after {from}"),
                    ));
                }
                Box::new(move |behaviour| behaviour.absences.push((zone.start_of(from), zone.start_of(until))))
            }
            "unconfirmed" => Box::new(|behaviour| behaviour.confirms = false),
            "refuses-cancel" => Box::new(|behaviour| behaviour.refuses_cancel = true),
            "busy" => {
                let zone = self.organisation_zone();
                let (from, until) = (
                    reader.instant("busy from", &zone)?,
                    reader.instant("busy until", &zone)?,
                );
                Box::new(move |behaviour| behaviour.busy.push((from, until)))
            }
            unknown => {
                let behaviours = "use fails, silent, minutes, absent, busy, unconfirmed or refuses-cancel";
                return Err(LineProblem::none_of("behaviour", unknown, behaviours));
            }
        };
        for device in devices {
            change(self.sim.behaviours.entry(device).or_default());
        }
        Ok(())
    }

    fn at(&mut self, reader: &mut TokenReader) -> LineResult {
        let instant = self.instant_ahead(reader, "at")?;
        self.sim.run_until(instant);
        self.started = true;
        let action = reader.word("action")?;
        match action.as_str() {
            "publish" => self.publish(reader)?,
            "pause" => {
                let (update, title) = self.update(reader)?;
                let resumes_on = if reader.take_if("until") {
                    Some(reader.date("until")?)
                } else {
                    None
                };
                let reason = reader.reason()?;
                let until = resumes_on.map_or_else(String::new, |date| format!(" until {date}"));
                self.sim.note(format!("Admin pauses {title}{until}: {reason}."));
                let done = self.sim.pause(update, "Admin", &reason, resumes_on);
                self.note_refusal(done);
            }
            "resume" => {
                let (update, title) = self.update(reader)?;
                self.sim.note(format!("Admin resumes {title}."));
                let done = self.sim.resume(update);
                self.note_refusal(done);
            }
            "retry" => {
                let (update, title) = self.update(reader)?;
                self.sim.note(format!("Admin retries all failed of {title}."));
                let done = self.sim.retry_all_failed(update, "Admin");
                let rooms = self.note_refusal(done).unwrap_or(0);
                self.sim
                    .note(format!("Rooms put back into their next window: {rooms}."));
            }
            "force" => {
                let (update, title) = self.update(reader)?;
                reader.expect("in")?;
                let names = reader.word("rooms")?;
                let rooms = names
                    .split(',')
                    .map(|name| self.find_room(name))
                    .collect::<LineResult<Vec<RoomId>>>()?;
                let (how, when) = if reader.take_if("when-available") {
                    (Force::WhenAvailable, ", each when it is free")
                } else {
                    (Force::Now, "")
                };
                self.sim.note(format!("Admin forces {title} in {names}{when}."));
                let done = self.sim.force(update, &rooms, how, "Admin");
                let rooms = self.note_refusal(done).map_or(0, |forced| forced.rooms.len());
                self.sim.note(format!("Rooms forced: {rooms}."));
            }
            "cancel" => {
                let (update, title) = self.update(reader)?;
                reader.expect("in")?;
                let room = self.room_named(reader)?;
                let reason = reader.reason()?;
                self.sim
                    .note(format!("Admin stops {title} in {}: {reason}.", self.room_name(room)));
                let done = self.sim.cancel(update, room, "Admin", &reason);
                let devices = self.note_refusal(done).unwrap_or(0);
                self.sim.note(format!("Devices asked to stop: {devices}."));
            }
            "recall" => {
                let (update, title) = self.update(reader)?;
                let reason = reader.reason()?;
                self.sim.note(format!("Admin recalls {title}: {reason}."));
                let done = self.sim.recall(update, &reason);
                self.note_refusal(done);
            }
            "freeze" => self.freeze(reader)?,
            "mode" => {
                self.mode(reader)?;
                let mode = self.sim.fleet.organisation.settings.mode.label();
                self.sim.note(format!("Mode: {mode}."));
            }
            "move" => {
                let room = self.room_named(reader)?;
                reader.expect("to")?;
                let ring = self.ring_named(reader)?;
                self.sim.note(format!(
                    "Admin moves {} to {}.",
                    self.room_name(room),
                    self.ring_name(ring)
                ));
                self.sim.move_room(room, ring);
            }
            "hold" => {
                let room = self.room_named(reader)?;
                reader.expect("until")?;
                let until = reader.date("until")?;
                reader.expect("by")?;
                let owner = reader.word("by")?;
                let reason = reader.reason()?;
                self.sim.note(format!(
                    "{owner} holds {} until {until}: {reason}.",
                    self.room_name(room)
                ));
                let since = self
                    .sim
                    .fleet
                    .rooms
                    .get(&room)
                    .map_or(until, |room| room.zone.date(self.sim.now));
                self.sim.hold(
                    room,
                    Hold {
                        product: None,
                        owner,
                        reason,
                        since,
                        until,
                    },
                );
            }
            "add" => {
                reader.expect("room")?;
                let room = self.room(reader)?;
                self.sim
                    .note(format!("Admin adds {} to {}.", room.name, self.ring_name(room.ring)));
                self.sim.add_room(room);
            }
            "report" => {
                let room = self.room_named(reader)?;
                let (product, version) = (self.product_id(reader)?, reader.word("version")?);
                self.add_version(&product, &version);
                self.sim
                    .note(format!("{} reports {product} {version}.", self.room_name(room)));
                for device in self.devices_of(room) {
                    self.sim.report_component(device, &product, Some(version.clone()));
                }
            }
            "ring" => self.ring(reader)?,
            "device" => self.device(reader)?,
            "away" => {
                reader.expect("until")?;
                let back = self.instant_ahead(reader, "until")?;
                self.sim.note("The service goes away.".to_owned());
                self.sim.jump_to(back);
                self.sim.note("The service is back.".to_owned());
            }
            unknown => {
                let actions = "use publish, pause, resume, retry, force, cancel, recall, freeze, mode, move, hold, add, report, ring, device or away";
                return Err(LineProblem::none_of("action", unknown, actions));
            }
        }
        self.sim.tick();
        Ok(())
    }

    fn freeze(&mut self, reader: &mut TokenReader) -> LineResult {
        let scope = reader.word("scope")?;
        let (mut ring, mut rooms, mut whose) = (None, Vec::new(), "everything".to_owned());
        match scope.as_str() {
            "organisation" => {}
            "ring" => {
                let id = self.ring_named(reader)?;
                whose = self.ring_name(id).to_owned();
                ring = Some(id);
            }
            "site" => {
                whose = reader.word("site")?;
                let at_site = self.sites_of.iter().filter(|(_, site)| **site == whose);
                rooms = at_site.map(|(room, _)| *room).collect();
            }
            "room" => {
                let room = self.room_named(reader)?;
                whose = self.room_name(room).to_owned();
                rooms.push(room);
            }
            other => {
                return Err(LineProblem::none_of(
                    "scope",
                    other,
                    "use organisation, ring, site or room",
                ));
            }
        }
        reader.expect("from")?;
        let from = reader.date("from")?;
        reader.expect("until")?;
        let until = reader.date("until")?;
        reader.expect("by")?;
        let owner = reader.word("by")?;
        let reason = reader.reason()?;
        self.sim
            .note(format!("{owner} freezes {whose} from {from} to {until}: {reason}."));
        let freeze = Freeze {
            from,
            until,
            owner,
            reason,
            made_at: self.sim.now,
            id: FreezeId(self.id()),
        };
        let frozen = match scope.as_str() {
            "organisation" | "ring" => self.sim.freeze_plans(ring, &freeze),
            _ => self.sim.freeze_rooms(&rooms, &freeze),
        };
        Ok(frozen?)
    }

    /// What the service would answer stands in the timeline, and time goes on.
    fn note_refusal<T>(&mut self, done: Result<T, Refusal>) -> Option<T> {
        match done {
            Ok(done) => Some(done),
            Err(refusal) => {
                self.sim.note(format!("Refused: {}.", sentence(&refusal)));
                None
            }
        }
    }

    fn publish(&mut self, reader: &mut TokenReader) -> LineResult {
        let release = self.release(reader)?;
        check_minutes(&self.sim.fleet.organisation.settings, release.update.expected_minutes)?;
        let key = (release.update.product.clone(), release.update.version.clone());
        // One that is in the portfolio already is published as it stands there.
        let in_portfolio = self
            .updates
            .get(&key)
            .filter(|id| !self.sim.fleet.rollouts.contains_key(*id));
        let id = match in_portfolio {
            Some(id) => *id,
            None => self.add_release(release.update)?,
        };
        let Some(update) = self.sim.fleet.updates.get(&id).cloned() else {
            return Ok(());
        };
        let severity = match update.severity {
            Severity::Critical => ", critical",
            Severity::Routine => "",
        };
        let beside = if release.beside { ", without superseding" } else { "" };
        self.sim
            .note(format!("Admin publishes {}{severity}{beside}.", update.title()));
        let supersedes = !release.beside
            && self
                .products
                .get(&update.product)
                .is_some_and(|product| !product.beside);
        Ok(self.sim.publish(update, supersedes)?)
    }

    /// A release as a line describes it.
    fn release(&mut self, reader: &mut TokenReader) -> LineResult<Release> {
        let (product, version) = (self.product_id(reader)?, reader.word("version")?);
        let (mut severity, mut expected_minutes, mut minimum_version, mut models) =
            (Severity::Routine, 15, None, Vec::new());
        let (mut released, mut beside) = (None, false);
        loop {
            if reader.take_if("critical") {
                severity = Severity::Critical;
            } else if reader.take_if("minutes") {
                expected_minutes = reader.number("minutes", 0, u32::MAX)?;
            } else if reader.take_if("minimum") {
                minimum_version = Some(reader.word("minimum")?);
            } else if reader.take_if("released") {
                released = Some(reader.date("released")?);
            } else if reader.take_if("for") {
                models.push(reader.word("for")?);
            } else if reader.take_if("beside") {
                beside = true;
            } else {
                break;
            }
        }
        let facts = self
            .products
            .get_mut(&product)
            .ok_or_else(|| LineProblem::of("product", "it is gone"))?;
        if let Some(day) = released {
            facts.released.insert(version.clone(), day);
        }
        let update = Update {
            id: UpdateId(Uuid::nil()),
            product_name: product.to_string(),
            kind: facts.kind,
            released: facts.released.get(&version).copied(),
            severity,
            expected_minutes,
            models,
            applies_to_unknown: false,
            offerable: true,
            standings: BTreeMap::new(),
            product,
            version,
            minimum_version,
        };
        Ok(Release { update, beside })
    }

    /// Puts a release into the portfolio.
    fn add_release(&mut self, update: Update) -> LineResult<UpdateId> {
        let id = UpdateId(self.id());
        let (product, version) = (update.product.clone(), update.version.clone());
        if self.updates.insert((product.clone(), version.clone()), id).is_some() {
            return Err(LineProblem::of(
                "version",
                format_args!("{product} {version} is published already"),
            ));
        }
        self.sim.fleet.updates.insert(id, Update { id, ..update });
        self.add_version(&product, &version);
        Ok(id)
    }

    fn update(&self, reader: &mut TokenReader) -> LineResult<(UpdateId, String)> {
        let (product, version) = (self.product_id(reader)?, reader.word("version")?);
        let title = format!("{product} {version}");
        let id = self
            .updates
            .get(&(product, version))
            .copied()
            .ok_or_else(|| LineProblem::of("version", format_args!("{title} is not published")))?;
        Ok((id, title))
    }

    fn room_name(&self, room: RoomId) -> &str {
        self.sim.fleet.rooms.get(&room).map_or("", |room| &room.name)
    }

    fn ring_name(&self, ring: RingId) -> &str {
        self.sim.fleet.rings.get(ring).map_or("", |ring| &ring.name)
    }

    fn title(&self, update: UpdateId) -> String {
        self.sim
            .fleet
            .updates
            .get(&update)
            .map_or_else(String::new, Update::title)
    }
}

impl Product {
    fn version<'a>(&self, text: &'a str) -> Version<'a> {
        // A device may write a release in another way than the catalogue does.
        let day = self
            .released
            .iter()
            .find(|(known, _)| version::is_same(&self.scheme, known, text))
            .map(|(_, day)| *day);
        Version { text, released: day }
    }

    fn standings(&self, update: &str, minimum: Option<&str>) -> BTreeMap<String, VersionStanding> {
        let standing = |installed: &String| {
            let of = VersionStanding::of(
                &self.scheme,
                self.version(installed),
                self.version(update),
                minimum.map(|minimum| self.version(minimum)),
            );
            (installed.clone(), of)
        };
        self.known.iter().map(standing).collect()
    }
}

/// The printed timeline.
impl Script {
    fn print(&self) -> String {
        let mut out = String::new();
        let organisation = self.organisation_zone();
        let rooms = self.sim.fleet.rooms.values();
        let widest = rooms
            .map(|room| room.zone.city().chars().count())
            .chain([organisation.city().chars().count()])
            .max()
            .unwrap_or(0);
        for entry in &self.sim.log {
            let (zone, about) = match entry.subject {
                None => (&organisation, String::new()),
                Some(Subject::Rollout(update)) => (&organisation, format!("{}: ", self.title(update))),
                Some(Subject::Room(room, update)) => {
                    let zone = self.sim.fleet.rooms.get(&room).map_or(&organisation, |room| &room.zone);
                    (zone, format!("{}, {}: ", self.room_name(room), self.title(update)))
                }
            };
            let wall = zone.local(entry.at).wall.format("%a %Y-%m-%d %H:%M:%S");
            // Formatting into a string cannot fail.
            let _ = writeln!(out, "{wall} {:widest$}  {about}{}", zone.city(), entry.text);
        }
        let now = organisation.local(self.sim.now).wall.format("%a %Y-%m-%d %H:%M:%S");
        let _ = writeln!(out, "{now} {:widest$}  The end.", organisation.city());
        for (update, rollout) in &self.sim.fleet.rollouts {
            if let Some(update) = self.sim.fleet.updates.get(update) {
                self.print_rollout(&mut out, update, rollout);
            }
        }
        self.print_tickets(&mut out);
        self.print_findings(&mut out);
        out
    }

    fn print_rollout(&self, out: &mut String, update: &Update, rollout: &Rollout) {
        let fleet = &self.sim.fleet;
        let zone = &fleet.organisation.zone;
        let status = status::update(rollout, fleet.applies_to_a_room(update, self.sim.now));
        let superseded = if rollout.is_being_superseded() {
            ", being superseded"
        } else {
            ""
        };
        let _ = writeln!(out, "\n{}: {}{superseded}", update.title(), status.label());
        let calendar = rollout.calendar_at(&fleet.rings, &fleet.freezes, zone, self.sim.now);
        let width = calendar
            .iter()
            .map(|stage| stage.name.chars().count())
            .max()
            .unwrap_or(0);
        for stage in &calendar {
            let ring = status::ring(rollout, stage, rollout.status_date(zone, self.sim.now)).label();
            let counts = rollout.counts_of(stage.ring);
            let (done, failed, waiting) = status::done_failed_waiting(counts);
            let others = [(counts.deprecated, "deprecated"), (counts.catch_up, "catch-up")];
            let others: String = others
                .iter()
                .filter(|(number, _)| *number > 0)
                .map(|(number, what)| format!(", {number} {what}"))
                .collect();
            let _ = writeln!(
                out,
                "  {:width$}  {}  {ring}: {done} done, {failed} failed, {waiting} waiting{others}",
                stage.name,
                dates(stage)
            );
        }
        let width = fleet
            .rooms
            .values()
            .map(|room| room.name.chars().count())
            .max()
            .unwrap_or(0);
        for room in fleet.rooms.values() {
            let (status, reason) = self.room_status(update, rollout, room, &calendar);
            let deployment = fleet
                .deployment_of(room.id, update.id)
                .filter(|_| status != RoomStatus::NotRequired);
            let labels = deployment.map_or_else(String::new, labels);
            let _ = writeln!(out, "  {:width$}  {}{labels}: {reason}", room.name, status.label());
        }
    }

    fn room_status(
        &self,
        update: &Update,
        rollout: &Rollout,
        room: &Room,
        calendar: &[PlannedStage],
    ) -> (RoomStatus, String) {
        let deployment = self.sim.fleet.deployment_of(room.id, update.id);
        let status = deployment.map_or(RoomStatus::NotRequired, |deployment| {
            status::room(deployment.progress(), &rollout.state)
        });
        match deployment {
            Some(deployment) if status != RoomStatus::NotRequired => (status, deployment.reason.sentence()),
            Some(_) | None => {
                let today = room.zone.date(self.sim.now);
                let why = status::not_required(rollout, update, room, calendar, today);
                let year = chrono::Datelike::year(&today);
                (
                    RoomStatus::NotRequired,
                    why.sentence(&update.product_name, |date| time_text::date(date, year)),
                )
            }
        }
    }

    fn print_tickets(&self, out: &mut String) {
        let open = self
            .sim
            .fleet
            .tickets
            .values()
            .filter(|ticket| ticket.state != TicketState::Resolved);
        let lines: Vec<String> = open
            .map(|ticket| {
                format!(
                    "  {}, {}: {}\n",
                    self.room_name(ticket.room),
                    self.title(ticket.update),
                    ticket.failures.join(" ")
                )
            })
            .collect();
        let _ = writeln!(out, "\nOpen tickets: {}", lines.len());
        out.push_str(&lines.concat());
    }

    fn print_findings(&self, out: &mut String) {
        out.push('\n');
        for finding in &self.sim.findings {
            let _ = writeln!(out, "{finding}");
        }
        if self.sim.findings.is_empty() {
            out.push_str(if self.sim.is_at_rest() {
                "plan again: nothing to do\n"
            } else {
                "plan again: there is more to do\n"
            });
        }
    }
}

fn dates(stage: &PlannedStage) -> String {
    let last = |ends: NaiveDate| ends - days(1);
    let test = if stage.test_ends > stage.rollout_ends {
        format!(", test to {}", last(stage.test_ends))
    } else {
        String::new()
    };
    format!("{} to {}{test}", stage.starts_on, last(stage.rollout_ends))
}

fn labels(deployment: &Deployment) -> String {
    let mut labels = Vec::new();
    if deployment.catch_up {
        labels.push("catch-up".to_owned());
    }
    if deployment.force.is_some() {
        labels.push("forced".to_owned());
    }
    if deployment.attempt > 1 {
        labels.push(format!("attempt {}", deployment.attempt));
    }
    if labels.is_empty() {
        String::new()
    } else {
        format!(" ({})", labels.join(", "))
    }
}
