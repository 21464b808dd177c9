//! Devices that are moved by hand: each says the same to the service and to the simulator, and is told the same by both.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::conversation::Outcome;
use domain::conversation::feedback::{Execution, Finished};
use domain::conversation::inventory::{ConfigMode, ConfigReport};
use domain::conversation::offer::Offer;
use domain::conversation::presence::Presence;
use domain::fleet::Fleet;
use domain::ids::{ActionId, DeviceId, ProductId, RoomId};
use domain::sim::Simulation;
use service::Service;

use testkit::people::Names;
use testkit::{controller, says, speak};

#[derive(Default)]
pub struct TestDevices {
    /// Controller id to device.
    devices: BTreeMap<String, DeviceId>,
    /// Those that fail, and how often.
    pub fails: BTreeMap<&'static str, u32>,
    /// Those that start and then say nothing more.
    pub silent: BTreeSet<&'static str>,
    /// Those that do not poll.
    pub away: BTreeSet<&'static str>,
    /// Those that say, whenever they poll, that nobody is in the room.
    pub free: BTreeSet<&'static str>,
    running: BTreeMap<String, (DateTime<Utc>, ActionId)>,
    wake: Option<DateTime<Utc>>,
}

impl TestDevices {
    pub fn of(fleet: &Fleet, names: &Names) -> Self {
        let mut devices = Self::default();
        for (name, room) in &names.rooms {
            devices.add(fleet, name, *room);
        }
        devices
    }

    pub fn add(&mut self, fleet: &Fleet, room: &str, id: RoomId) {
        let device = fleet.rooms[&id].devices[0].id;
        self.devices.insert(controller(room), device);
    }

    /// When one of them has something to say.
    pub fn next_at(&self) -> Option<DateTime<Utc>> {
        self.running.values().map(|(ends, _)| *ends).chain(self.wake).min()
    }

    /// Every device ends what it has begun, or polls and begins what it is told; an install takes 15 minutes.
    pub async fn turn(&mut self, service: &Service, sim: &mut Simulation) {
        self.wake = None;
        let here: Vec<(String, DeviceId)> = self
            .devices
            .iter()
            .filter(|(name, _)| !self.away.contains(name.as_str()))
            .map(|(name, device)| (name.clone(), *device))
            .collect();
        for (name, device) in here {
            if self.running.get(&name).is_some_and(|(ends, _)| *ends <= sim.now) {
                self.end(service, sim, &name, device).await;
            }
            self.poll(service, sim, &name, device).await;
        }
    }

    async fn poll(&mut self, service: &Service, sim: &mut Simulation, name: &str, device: DeviceId) {
        let mut presence = Presence::default();
        if self.free.contains(name) {
            presence.free_at = Some(sim.now);
            tell(
                service,
                device,
                BTreeMap::from([("room.state".to_owned(), Some("free".to_owned()))]),
            )
            .await;
        }
        let caller = speak(service, name).await;
        let answer = service.poll(&caller).await.expect("an answer");
        let simulated = sim.poll(device, presence);
        assert_eq!(answer.offer, simulated, "at {}: what {name} is told", sim.now);
        match (answer.offer, answer.action) {
            (Offer::Install, Some(action)) if !self.is_running(name) => {
                let ends = sim.now + TimeDelta::minutes(15);
                let proceeding = (Execution::Proceeding, Finished::None);
                say(service, sim, name, device, action, proceeding).await;
                if !self.silent.contains(name) {
                    self.running.insert(name.to_owned(), (ends, action));
                }
            }
            (Offer::Cancel, Some(action)) => {
                let stopped = says(Execution::Canceled, Finished::None);
                let outcome = service.cancel_feedback(device, action, stopped.clone()).await;
                assert_eq!(outcome.expect("an outcome"), Outcome::Changed, "{name}");
                sim.answer_cancel(device, &stopped);
                self.running.remove(name);
            }
            _ => {
                // One that waits for its window comes back when that opens.
                let opens = sim.fleet.open_install(device).and_then(|install| install.window);
                let opens = opens.map(|window| window.opens()).filter(|opens| *opens > sim.now);
                self.wake = self.wake.into_iter().chain(opens).min();
            }
        }
    }

    fn is_running(&self, name: &str) -> bool {
        self.running.contains_key(name) || self.silent.contains(name)
    }

    async fn end(&mut self, service: &Service, sim: &mut Simulation, name: &str, device: DeviceId) {
        let Some((_, action)) = self.running.remove(name) else {
            return;
        };
        // There may be more to do in this window (S7).
        self.wake = Some(sim.now + TimeDelta::minutes(1));
        if let Some(left) = self.fails.get_mut(name).filter(|left| **left > 0) {
            *left -= 1;
            let failed = (Execution::Closed, Finished::Failure);
            return say(service, sim, name, device, action, failed).await;
        }
        let installed = sim.fleet.open_install(device).map(|install| install.update);
        let installed = installed.and_then(|update| sim.fleet.updates.get(&update)).cloned();
        say(
            service,
            sim,
            name,
            device,
            action,
            (Execution::Closed, Finished::Success),
        )
        .await;
        if let Some(update) = installed {
            report(service, sim, device, &update.product, &update.version).await;
        }
    }
}

async fn say(
    service: &Service,
    sim: &mut Simulation,
    name: &str,
    device: DeviceId,
    action: ActionId,
    (execution, finished): (Execution, Finished),
) {
    let caller = speak(service, name).await;
    let feedback = says(execution, finished);
    let outcome = service.feedback(&caller, action, feedback.clone()).await;
    assert_eq!(outcome.expect("an outcome"), Outcome::Changed, "at {}: {name}", sim.now);
    sim.report_feedback(device, &feedback);
}

/// Its inventory has the new version, and the others as they were.
async fn report(service: &Service, sim: &mut Simulation, device: DeviceId, product: &ProductId, version: &str) {
    sim.report_component(device, product, Some(version.to_owned()));
    let rooms = sim.fleet.rooms.values();
    let components = rooms.flat_map(|room| &room.devices).find(|known| known.id == device);
    let mut data = BTreeMap::new();
    for (component, number) in components.expect("a device").components.iter().zip(1..) {
        data.insert(format!("component.{number}.product"), Some(component.product.0.clone()));
        data.insert(format!("component.{number}.version"), component.version.clone());
    }
    tell(service, device, data).await;
}

async fn tell(service: &Service, device: DeviceId, data: BTreeMap<String, Option<String>>) {
    let mode = ConfigMode::Merge;
    let outcome = service.config(device, ConfigReport { mode, data }).await;
    assert!(matches!(outcome.expect("a report"), Outcome::Changed | Outcome::Noted));
}
