//! What people do at an instant of a scenario.
//!
//! Each action is a note in the timeline and a call of the simulation, whose answer is noted as well. No rule stands here. Start with
//! `Script::at`.

use std::collections::BTreeMap;

use super::Script;
use super::reader::{LineProblem, LineResult, TokenReader};
use crate::deployment::Force;
use crate::freeze::Freeze;
use crate::ids::{FreezeId, RoomId};
use crate::readiness::verdict::Given;
use crate::readiness::{ALL_CHECKS, Check, Waiver};
use crate::refusal::Refusal;
use crate::room::Hold;
use crate::text::refusal::sentence;

impl Script {
    /// Time goes on until the instant of a line, and then its action is done.
    pub(super) fn at(&mut self, reader: &mut TokenReader) -> LineResult {
        let instant = self.instant_ahead(reader, "at")?;
        self.sim.run_until(instant);
        self.started = true;
        let action = reader.word("action")?;
        match action.as_str() {
            "publish" => self.publish(reader)?,
            "pause" => self.pause(reader)?,
            "resume" => self.resume(reader)?,
            "retry" => self.retry(reader)?,
            "force" => self.force(reader)?,
            "cancel" => self.cancel(reader)?,
            "recall" => self.recall(reader)?,
            "deactivate" => self.deactivate(reader)?,
            "freeze" => self.freeze(reader)?,
            "mode" => self.change_mode(reader)?,
            "move" => self.move_room(reader)?,
            "hold" => self.hold(reader)?,
            "add" => self.add_room(reader)?,
            "report" => self.report(reader)?,
            "tell" => self.tell(reader)?,
            "waive" => self.waive(reader)?,
            "confirm" => self.confirm(reader)?,
            "support" => self.support(reader)?,
            "ring" => self.ring(reader)?,
            "device" => self.device(reader)?,
            "away" => self.be_away(reader)?,
            unknown => {
                let actions = "use publish, pause, resume, retry, force, cancel, recall, deactivate, freeze, mode, move, hold, add, report, tell, waive, confirm, support, ring, device or away";
                return Err(LineProblem::none_of("action", unknown, actions));
            }
        }
        self.sim.tick();
        Ok(())
    }

    fn pause(&mut self, reader: &mut TokenReader) -> LineResult {
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
        Ok(())
    }

    fn resume(&mut self, reader: &mut TokenReader) -> LineResult {
        let (update, title) = self.update(reader)?;
        self.sim.note(format!("Admin resumes {title}."));
        let done = self.sim.resume(update);
        self.note_refusal(done);
        Ok(())
    }

    fn retry(&mut self, reader: &mut TokenReader) -> LineResult {
        let (update, title) = self.update(reader)?;
        self.sim.note(format!("Admin retries all failed of {title}."));
        let done = self.sim.retry_all_failed(update, "Admin");
        let rooms = self.note_refusal(done).unwrap_or(0);
        self.sim
            .note(format!("Rooms put back into their next window: {rooms}."));
        Ok(())
    }

    fn force(&mut self, reader: &mut TokenReader) -> LineResult {
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
        Ok(())
    }

    fn cancel(&mut self, reader: &mut TokenReader) -> LineResult {
        let (update, title) = self.update(reader)?;
        reader.expect("in")?;
        let room = self.room_named(reader)?;
        let reason = reader.reason()?;
        self.sim
            .note(format!("Admin stops {title} in {}: {reason}.", self.room_name(room)));
        let done = self.sim.cancel(update, room, "Admin", &reason);
        let devices = self.note_refusal(done).unwrap_or(0);
        self.sim.note(format!("Devices asked to stop: {devices}."));
        Ok(())
    }

    fn recall(&mut self, reader: &mut TokenReader) -> LineResult {
        let (update, title) = self.update(reader)?;
        let reason = reader.reason()?;
        self.sim.note(format!("Admin recalls {title}: {reason}."));
        let done = self.sim.recall(update, &reason);
        self.note_refusal(done);
        Ok(())
    }

    fn deactivate(&mut self, reader: &mut TokenReader) -> LineResult {
        let (update, title) = self.update(reader)?;
        let reason = reader.reason()?;
        self.sim.note(format!("Admin deactivates {title}: {reason}."));
        let done = self.sim.deactivate(update, &reason);
        self.note_refusal(done);
        Ok(())
    }

    fn change_mode(&mut self, reader: &mut TokenReader) -> LineResult {
        self.mode(reader)?;
        let mode = self.sim.fleet.organisation.settings.mode.label();
        self.sim.note(format!("Mode: {mode}."));
        Ok(())
    }

    fn move_room(&mut self, reader: &mut TokenReader) -> LineResult {
        let room = self.room_named(reader)?;
        reader.expect("to")?;
        let ring = self.ring_named(reader)?;
        self.sim.note(format!(
            "Admin moves {} to {}.",
            self.room_name(room),
            self.ring_name(ring)
        ));
        self.sim.move_room(room, ring);
        Ok(())
    }

    fn hold(&mut self, reader: &mut TokenReader) -> LineResult {
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
        Ok(())
    }

    fn add_room(&mut self, reader: &mut TokenReader) -> LineResult {
        reader.expect("room")?;
        let room = self.room(reader)?;
        self.sim
            .note(format!("Admin adds {} to {}.", room.name, self.ring_name(room.ring)));
        self.sim.add_room(room);
        Ok(())
    }

    fn report(&mut self, reader: &mut TokenReader) -> LineResult {
        let room = self.room_named(reader)?;
        let (product, version) = (self.product_id(reader)?, reader.word("version")?);
        self.add_version(&product, &version);
        self.sim
            .note(format!("{} reports {product} {version}.", self.room_name(room)));
        for device in self.devices_of(room) {
            self.sim.report_component(device, &product, Some(version.clone()));
        }
        Ok(())
    }

    /// The devices of a room report facts.
    fn tell(&mut self, reader: &mut TokenReader) -> LineResult {
        let room = self.room_named(reader)?;
        let number = reader.take_if("number");
        let number = number.then(|| reader.number("number", 1, 20)).transpose()?;
        let mut facts = BTreeMap::new();
        while !reader.is_at_end() {
            let attribute = reader.word("attribute")?;
            let value = reader.word("value")?;
            facts.insert(attribute, Some(value).filter(|value| value != "-"));
        }
        let words: Vec<String> = facts
            .iter()
            .map(|(attribute, value)| format!("{attribute} {}", value.as_deref().unwrap_or("-")))
            .collect();
        self.sim
            .note(format!("{} tells {}.", self.room_name(room), words.join(", ")));
        let devices = self.devices_of(room).into_iter().zip(1..);
        for (device, _) in devices.filter(|(_, place)| number.is_none_or(|number| number == *place)) {
            if let Err(refusal) = self.sim.tell(device, facts.clone()) {
                self.sim.note(format!("Refused: {refusal}."));
            }
        }
        Ok(())
    }

    fn waive(&mut self, reader: &mut TokenReader) -> LineResult {
        let room = self.room_named(reader)?;
        let word = reader.word("check")?;
        let checks = || ALL_CHECKS.map(Check::as_str).join(", ");
        let check = Check::from_word(&word).ok_or_else(|| LineProblem::none_of("check", &word, &checks()))?;
        reader.expect("until")?;
        let until = reader.date("until")?;
        let why = reader.reason()?;
        let name = self.room_name(room);
        self.sim
            .note(format!("Admin waives {word} in {name} until {until}: {why}."));
        let given = Some(Given {
            by: "Admin".to_owned(),
            why,
        });
        let done = self.sim.waive(room, Waiver { check, until, given });
        self.note_refusal(done);
        Ok(())
    }

    fn confirm(&mut self, reader: &mut TokenReader) -> LineResult {
        let room = self.room_named(reader)?;
        self.sim.note(format!("Admin confirms {}.", self.room_name(room)));
        let done = self.sim.confirm_onboarding(room, "Admin");
        self.note_refusal(done);
        Ok(())
    }

    /// A version is supported until a day, as far as is known from now on (L1).
    fn support(&mut self, reader: &mut TokenReader) -> LineResult {
        let (product, version) = (self.product_id(reader)?, reader.word("version")?);
        reader.expect("until")?;
        let last_day = reader.date("until")?;
        self.sim
            .note(format!("{product} {version} is supported until {last_day}."));
        self.sim.set_support(&product, &version, last_day);
        Ok(())
    }

    fn be_away(&mut self, reader: &mut TokenReader) -> LineResult {
        reader.expect("until")?;
        let back = self.instant_ahead(reader, "until")?;
        self.sim.note("The service goes away.".to_owned());
        self.sim.jump_to(back);
        self.sim.note("The service is back.".to_owned());
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
}
