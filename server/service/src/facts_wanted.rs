//! Devices are asked for their facts: each once a night, an hour before the window of its room, and those of a room when somebody wants to
//! know (`docs/devices.md` 1).
//!
//! When that is, `domain::conversation::nightly_facts` says. What follows from the facts is not said here. Start with
//! [`Service::ask_for_nightly_facts`].

use std::sync::Mutex;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::access::Act;
use domain::conversation::nightly_facts::{asks_next_at, night_to_ask_for};
use domain::ids::RoomId;
use domain::text::counted;
use domain::zone::Zone;
use serde_json::json;

use crate::change::change_records;
use crate::error::{Result, ServiceError};
use crate::{Actor, Service};

/// When this process looks again whether a zone's hour has come. Kept in memory; losing it costs one look.
#[derive(Default)]
pub(crate) struct NextLook(Mutex<Option<Look>>);

#[derive(Clone, Copy)]
struct Look {
    at: DateTime<Utc>,
    next: DateTime<Utc>,
}

/// A room in a zone that no other room has may have come meanwhile.
const LOOKS_EVERY: TimeDelta = TimeDelta::minutes(10);
/// Rooms whose devices are asked in one transaction.
const ROOMS: i64 = 500;

impl NextLook {
    /// A clock that was put back counts as time to look.
    fn has_come(&self, now: DateTime<Utc>) -> bool {
        let last = self.0.lock().map_or(None, |look| *look);
        last.is_none_or(|look| look.next <= now || now < look.at)
    }

    fn set(&self, at: DateTime<Utc>, next: DateTime<Utc>) {
        if let Ok(mut look) = self.0.lock() {
            *look = Some(Look { at, next });
        }
    }
}

impl Service {
    /// Asks the devices of a room for their facts, with their next polls: how many there are.
    ///
    /// # Errors
    /// The actor may not, there is no such room, or no device of it may speak.
    pub async fn refresh_facts(&self, actor: &Actor, room: RoomId) -> Result<u64> {
        change_records!(self, actor, Act::RefreshFacts, |tx, now| {
            let missing = || ServiceError::not_found("This room");
            let record = tx.room_record(room).await?.ok_or_else(missing)?;
            let devices = tx.ask_room_for_facts(room).await?;
            if devices == 0 {
                let problem = format!("{} has no device that may check in", record.name);
                return Err(ServiceError::conflict(problem));
            }
            let summary = format!("Asked {} of {} for facts.", counted(devices, "device"), record.name);
            let entry = actor.entry("room.facts_wanted", "room", room, summary);
            (vec![entry.with_after(json!({ "devices": devices }))], devices)
        })
    }

    /// Asks the devices of every zone whose hour has come and that was not asked for this night yet. Idle devices as well: what is known of
    /// them would grow old.
    pub(crate) async fn ask_for_nightly_facts(&self, now: DateTime<Utc>) -> Result<()> {
        if !self.next_look.has_come(now) {
            return Ok(());
        }
        let mut tx = self.store.read().await?;
        let Some(organisation) = tx.organisation().await? else {
            return Ok(());
        };
        let hours = organisation.settings.window();
        let asked = tx.nights_asked_for_facts().await?;
        let zones = tx.zones_of_rooms().await?;
        drop(tx);
        let mut next = now + LOOKS_EVERY;
        for zone in zones {
            next = next.min(asks_next_at(&zone, hours, now));
            if let Some(night) = night_to_ask_for(&zone, hours, now)
                && asked.get(zone.name()).is_none_or(|last| *last != night)
            {
                self.ask_zone(&zone, night).await?;
            }
        }
        self.next_look.set(now, next);
        Ok(())
    }

    /// In slices, so that nobody waits for a large estate. One that ends halfway is done again: being asked twice does no harm.
    async fn ask_zone(&self, zone: &Zone, night: NaiveDate) -> Result<()> {
        let mut after = None;
        loop {
            let last = store::write!(self.store, tx => {
                let last = tx.ask_rooms_for_facts(zone, after, ROOMS).await?;
                if last.is_none() {
                    tx.note_asked_for_facts(zone, night).await?;
                }
                Ok::<_, ServiceError>(last)
            })?;
            match last {
                Some(_) => after = last,
                None => return Ok(()),
            }
        }
    }
}
