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
//! product app kind app [by-date] [prefix 10.0.] [beside] [vendor V]      beside: its releases do not supersede each other
//! mode automatic [nights 5]                           updates published from here on; or: mode rings
//! halt off                                            the halt rule; or: halt on
//! guard off                                           the starvation guard; or: guard on
//! portfolio app 1.5 [minutes N] [minimum V] [for MODEL]       a release that is not published, but may be a step
//! release app 1.0 2024-11-05                          the day of a release, for products by date
//! rooms 3 in General at Berlin named Berlin [model M] [devices N] [onboarding] with app 1.0 [with os 9]
//! room Lobby in Staging at Berlin with app unknown
//! device Berlin-1 fails 1 | refuses 1 | silent 1 [late 120] | minutes 40 | absent 2025-03-05 2025-03-07 | unconfirmed
//! device Berlin-1 busy 2025-03-05 09:00 2025-03-05 17:00 | refuses-cancel
//! at 2025-03-04 15:00 publish app 2.0 [critical] [minutes N] [released DATE] [minimum V] [for MODEL] [beside]
//! at 2025-03-06 09:00 pause app 2.0 [until 2025-03-09] because "cameras stay dark"
//! at 2025-03-09 09:00 resume app 2.0
//! at 2025-03-09 09:00 retry app 2.0
//! at 2025-03-09 09:00 force app 2.0 in Berlin-1,Berlin-2 [when-available]
//! at 2025-03-09 09:00 cancel app 2.0 in Berlin-1 because "the room is needed"
//! at 2025-03-09 09:00 recall app 2.0 because "cameras stay dark"
//! at 2025-03-09 09:00 deactivate app 2.0 because "we skip it"
//! at 2025-03-09 09:00 freeze organisation | ring Pilots | site Berlin | room Berlin-1 from 2025-03-10 until 2025-03-12 by "Facilities" because "trade fair"
//! at 2025-03-09 09:00 move Berlin-1 to Staging
//! at 2025-03-09 09:00 hold Berlin-1 until 2025-03-20 by "Facilities" because "trade fair"
//! at 2025-03-09 09:00 add room Attic in General at Berlin with app 1.0
//! at 2025-03-09 09:00 report Berlin-1 app 2.0         its inventory says so; Nightshift had no part in it
//! at 2025-03-09 09:00 tell Berlin-1 [number 1] os.name "Windows 11" readiness.os_updates wsus      its devices report facts; - takes one away
//! at 2025-03-09 09:00 waive Berlin-1 os_updates until 2025-03-20 because "the network is rebuilt"
//! at 2025-03-09 09:00 confirm Berlin-1                change management has moved here
//! at 2025-03-09 09:00 support app 1.0 until 2025-03-20  a newer release has come
//! at 2025-03-09 09:00 ring Late order 7 rollout 1 test 0
//! at 2025-03-09 09:00 device Berlin-1 absent 2025-03-10 2025-03-12
//! at 2025-03-09 09:00 away until 2025-04-09 09:00     the service is
//! until 2025-05-01 00:00                              when it ends; the last line
//! ```

mod actions;
mod estate;
mod reader;
mod releases;
mod timeline;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::fleet::Fleet;
use crate::halt::HaltRule;
use crate::ids::{ProductId, RingId, RoomId, UpdateId};
use crate::ring::RingSequence;
use crate::settings::{Mode, Organisation, Settings};
use crate::sim::Simulation;
use crate::zone::Zone;

use reader::{LineProblem, LineResult, TokenReader};
use releases::Product;

/// A line of a scenario that cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ScenarioError {
    /// Counted from 1.
    pub line: usize,
    /// The field and its limit, in one sentence.
    pub problem: String,
}

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
        let Some(mut reader) = TokenReader::new(line).map_err(at_line)? else {
            continue;
        };
        last_line = index + 1;
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
            "release" => self.day_of_release(reader)?,
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
            "guard" => self.guard(reader)?,
            "halt" => self.halt(reader)?,
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
                let directives = "the directives are zone, clock, mode, guard, halt, ring, site, product, release, portfolio, rooms, room, device, at and until";
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

    /// The starvation guard, off or on.
    fn guard(&mut self, reader: &mut TokenReader) -> LineResult {
        self.sim.fleet.organisation.settings.starvation_guard = on_or_off(reader, "guard")?;
        Ok(())
    }

    /// The halt rule, off or as it comes.
    fn halt(&mut self, reader: &mut TokenReader) -> LineResult {
        self.sim.fleet.organisation.settings.halt = match on_or_off(reader, "halt")? {
            true => HaltRule::default(),
            false => HaltRule::OFF,
        };
        Ok(())
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
}

fn on_or_off(reader: &mut TokenReader, field: &'static str) -> Result<bool, LineProblem> {
    let word = reader.word(field)?;
    match word.as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(LineProblem::of(field, format_args!("{word} is neither on nor off"))),
    }
}
