//! Compares the service's rows with the simulator's fleet, fact by fact, in the names that people use. Ids of deployments and actions are
//! made by each for itself and stand for room, update and attempt.

use std::collections::BTreeMap;
use std::fmt::Debug;

use domain::deployment::Deployment;
use domain::fleet::Fleet;
use domain::ids::{ActionId, DeploymentId, DeviceId, RoomId, UpdateId};
use domain::install::Install;
use domain::rollout::{Counts, Rollout};
use domain::status::{self, RoomStatus};
use uuid::Uuid;

use crate::service_and_simulator::ServiceAndSimulator;

type Facts = BTreeMap<String, String>;

/// Panics with the facts that differ.
pub async fn fleets(pair: &ServiceAndSimulator, when: &str) {
    let mut tx = pair.read().await;
    let rows = tx.fleet().await.expect("the fleet");
    let (service, simulated) = (facts(&rows), facts(&pair.sim.fleet));
    let mut differ = String::new();
    for (name, fact) in &service {
        match simulated.get(name) {
            Some(simulated) if simulated == fact => {}
            Some(simulated) => differ += &format!("\n{name}\n  service   {fact}\n  simulator {simulated}"),
            None => differ += &format!("\n{name}\n  service   {fact}\n  simulator nothing"),
        }
    }
    for (name, fact) in simulated.iter().filter(|(name, _)| !service.contains_key(*name)) {
        differ += &format!("\n{name}\n  service   nothing\n  simulator {fact}");
    }
    for update in rows.rollouts.keys() {
        let acknowledged = tx.is_acknowledged(*update).await.expect("a query");
        if acknowledged != pair.sim.fleet.acknowledged.contains(update) {
            differ += &format!("\n{} is acknowledged at one of them", title(&rows, *update));
        }
    }
    assert!(
        differ.is_empty(),
        "{when} the service and the simulator differ:{differ}"
    );
}

fn facts(fleet: &Fleet) -> Facts {
    let mut facts = Facts::new();
    let mut note = |name: String, fact: &dyn Debug| {
        let before = facts.insert(name.clone(), format!("{fact:?}"));
        assert_eq!(before, None, "{name} stands once");
    };
    note("the organisation".to_owned(), &fleet.organisation);
    note("the rings".to_owned(), &fleet.rings);
    note("the freezes".to_owned(), &fleet.freezes);
    for (id, rollout) in &fleet.rollouts {
        note(format!("rollout {}", title(fleet, *id)), &without_zeros(rollout));
        note(format!("update {}", title(fleet, *id)), &fleet.updates.get(id));
    }
    for (id, room) in &fleet.rooms {
        note(format!("room {}", name(fleet, *id)), room);
    }
    for deployment in fleet.deployments.values() {
        let nameless = Deployment {
            id: DeploymentId(Uuid::nil()),
            ..deployment.clone()
        };
        note(place(fleet, deployment.room, deployment.update), &nameless);
    }
    for (install, number) in numbered(fleet) {
        let of = fleet.deployments.get(&install.deployment);
        let of = of.map_or_else(String::new, |of| place(fleet, of.room, of.update));
        let nameless = Install {
            action: ActionId(0),
            deployment: DeploymentId(Uuid::nil()),
            ..install.clone()
        };
        note(
            format!("{of}, install {number} of attempt {}", install.attempt),
            &nameless,
        );
    }
    for ((room, update), ticket) in &fleet.tickets {
        note(format!("ticket of {}", place(fleet, *room, *update)), &ticket.state);
    }
    for ((update, position), room) in &fleet.placements {
        note(format!("position {position} of {}", title(fleet, *update)), room);
    }
    let rechecks: Vec<String> = fleet.rechecks.iter().map(|room| name(fleet, *room)).collect();
    note("rooms to recheck".to_owned(), &rechecks);
    note("rooms to recheck later".to_owned(), &fleet.rechecks_at);
    facts
}

/// Installs with their number among those of the same attempt on the same device.
fn numbered(fleet: &Fleet) -> Vec<(&Install, u32)> {
    let mut seen: BTreeMap<(DeploymentId, DeviceId, u32), u32> = BTreeMap::new();
    let installs = fleet.installs.values().map(|install| {
        let number = seen
            .entry((install.deployment, install.device, install.attempt))
            .or_default();
        *number += 1;
        (install, *number)
    });
    installs.collect()
}

/// A ring that nothing was counted in has a row or none.
fn without_zeros(rollout: &Rollout) -> Rollout {
    let mut rollout = rollout.clone();
    rollout.counts.retain(|_, counts| *counts != Counts::default());
    rollout
}

fn title(fleet: &Fleet, update: UpdateId) -> String {
    fleet
        .updates
        .get(&update)
        .map_or_else(|| update.to_string(), domain::update::Update::title)
}

fn name(fleet: &Fleet, room: RoomId) -> String {
    fleet
        .rooms
        .get(&room)
        .map_or_else(|| room.to_string(), |room| room.name.clone())
}

fn place(fleet: &Fleet, room: RoomId, update: UpdateId) -> String {
    format!("{} in {}", title(fleet, update), name(fleet, room))
}

/// Before the tick has been there too, a list counts each room where `status::room` has it.
pub async fn lists(pair: &ServiceAndSimulator, when: &str) {
    let fleet = &pair.sim.fleet;
    let mut snapshot = pair.estate.service.read_snapshot().await.expect("a snapshot");
    for rollout in fleet.rollouts.values() {
        let mut expected: BTreeMap<RoomStatus, i64> = BTreeMap::new();
        let of_update = fleet
            .deployments
            .values()
            .filter(|deployment| deployment.update == rollout.update);
        for deployment in of_update {
            let status = status::room(deployment.progress(), &rollout.state);
            if status != RoomStatus::NotRequired {
                *expected.entry(status).or_default() += 1;
            }
        }
        let listed = snapshot.rooms_by_status(rollout).await.expect("a list");
        let listed: BTreeMap<RoomStatus, i64> = listed.iter().collect();
        assert_eq!(listed, expected, "{when}: {} by status", title(fleet, rollout.update));
    }
}
