//! The same commands, given to the simulator. What only rows know (a release's facts, a new room, new ids) is brought from there.

use domain::freeze::{Freeze, FreezeScope};
use domain::ids::{FreezeId, RingId, RoomId, UpdateId};
use domain::refusal::Refusal;
use domain::ring::{RingDraft, RingSequence};
use domain::room::{Hold, Room};
use domain::sim::Simulation;
use domain::update::Update;
use domain::zone::Zone;
use service::ServiceError;
use uuid::Uuid;

use crate::service_and_simulator::ServiceAndSimulator;
use testkit::people::{Command, Did, Release, Whom};
use testkit::{date, draft};

/// What only rows know, as it was before the service was given the command.
#[derive(Default)]
pub struct Facts {
    release: Option<Update>,
}

pub async fn facts_for(pair: &ServiceAndSimulator, command: &Command) -> Facts {
    let (Command::Publish { release, .. } | Command::Recall(release)) = command else {
        return Facts::default();
    };
    let update = pair.names.update(*release);
    let release = pair
        .read()
        .await
        .updates(&[update])
        .await
        .expect("a query")
        .remove(&update);
    Facts { release }
}

/// Gives a command to the simulator. `service`: what the service did, for the ids of what it made.
pub async fn give(
    pair: &mut ServiceAndSimulator,
    command: &Command,
    facts: &Facts,
    service: Option<&Did>,
) -> Result<Did, ServiceError> {
    let names = pair.names.clone();
    let something = |()| Did::Something;
    let done = match command {
        Command::Publish { release, .. } | Command::Recall(release) => {
            return self::release(pair, command, names.update(*release), facts).await;
        }
        Command::Pause { release, until } => {
            let until = until.map(date);
            pair.sim
                .pause(names.update(*release), "Admin", "It hums.", until)
                .map(something)
        }
        Command::SetResumeDate { release, until } => {
            let until = until.map(date);
            pair.sim.set_resume_date(names.update(*release), until).map(something)
        }
        Command::Resume(release) => pair.sim.resume(names.update(*release)).map(something),
        Command::RetryAll(release) => {
            let retried = pair.sim.retry_all_failed(names.update(*release), "Admin");
            retried.map(Did::Rooms)
        }
        Command::Retry { release, room } => {
            let retried = pair.sim.retry(names.update(*release), names.room(room), "Admin");
            retried.map(something)
        }
        Command::Force { .. } => force(pair, command).await,
        Command::Cancel { release, room } => {
            let (update, room) = (names.update(*release), names.room(room));
            let asked = pair.sim.cancel(update, room, "Admin", "The room is needed.");
            asked.map(|asked| Did::Rooms(usize::try_from(asked).expect("a few")))
        }
        Command::Acknowledge(release) => pair.sim.acknowledge(names.update(*release)).map(something),
        Command::Freeze { .. } | Command::PlanFreeze { .. } => frozen(pair, command, service),
        Command::Lift(label) => pair.sim.lift_freeze(names.freeze(label)).map(something),
        Command::AddHeldRoom { .. } => {
            let Some(Did::Room(id)) = service else {
                panic!("the file is a good one")
            };
            add_held(pair, *id).await;
            Ok(Did::Room(*id))
        }
        Command::Move { rooms, from, to } => {
            let from = from.map(|from| names.ring(from));
            let moved = pair.sim.move_rooms(&names.rooms(rooms), from, names.ring(to));
            moved.map(Did::Rooms)
        }
        Command::AddRing { .. } | Command::EditRing { .. } | Command::DeleteRing(_) => {
            return rings(pair, command, service);
        }
        Command::ChangeZone { site, zone } => {
            let zone = Zone::parse(zone).map_err(|error| ServiceError::Invalid {
                field: "zone",
                problem: error.to_string(),
            })?;
            let rooms = pair.rooms_in(Whom::Site(site));
            pair.sim.change_zone(&rooms, &zone);
            Ok(Did::Something)
        }
        Command::Settings(change) => {
            let mut organisation = pair.sim.fleet.organisation.clone();
            change(&mut organisation.settings);
            pair.sim.edit_settings(&organisation).map(something)
        }
    };
    Ok(done?)
}

async fn release(
    pair: &mut ServiceAndSimulator,
    command: &Command,
    update: UpdateId,
    facts: &Facts,
) -> Result<Did, ServiceError> {
    let release = facts.release.clone().expect("a release");
    let done = match command {
        Command::Publish {
            severity, supersedes, ..
        } => {
            let severity = severity.unwrap_or(release.severity);
            pair.sim.publish(Update { severity, ..release }, *supersedes)
        }
        _ => {
            pair.sim.fleet.updates.entry(update).or_insert(release);
            pair.sim.recall(update, "cameras stay dark")
        }
    };
    // Releases that may be steps to it (S8).
    let known = pair.read().await.fleet().await.expect("the fleet").updates;
    for (id, step) in known {
        pair.sim.fleet.updates.entry(id).or_insert(step);
    }
    done?;
    Ok(Did::Something)
}

async fn force(pair: &mut ServiceAndSimulator, command: &Command) -> Result<Did, Refusal> {
    let Command::Force { release, rooms, how } = command else {
        panic!("{command:?} is no force");
    };
    let update = pair.names.update(*release);
    let rooms = if rooms.is_empty() {
        rooms_to_force(pair, *release)
    } else {
        pair.names.rooms(rooms)
    };
    let forced = pair.sim.force(update, &rooms, *how, "Admin")?;
    let mut left_out = forced.left_out;
    left_out.sort_by_key(|(room, _)| *room);
    Ok(Did::Forced {
        rooms: forced.rooms,
        left_out,
    })
}

fn frozen(pair: &mut ServiceAndSimulator, command: &Command, service: Option<&Did>) -> Result<Did, Refusal> {
    let names = pair.names.clone();
    match command {
        Command::Freeze { whom, from, until, .. } => {
            let id = match service {
                Some(Did::Freeze(id)) => *id,
                _ => FreezeId(Uuid::nil()),
            };
            let made = freeze(&pair.sim, id, from, until);
            let rooms = pair.rooms_in(*whom);
            let frozen = match names.scope(*whom) {
                FreezeScope::Organisation => pair.sim.freeze_plans(None, &made),
                FreezeScope::Ring(ring) => pair.sim.freeze_plans(Some(ring), &made),
                FreezeScope::Site(_) | FreezeScope::Room(_) => pair.sim.freeze_rooms(&rooms, &made),
            };
            frozen.map(|()| Did::Freeze(id))
        }
        Command::PlanFreeze { whom, from, until } => {
            let rooms = pair.rooms_in(*whom);
            let made = freeze(&pair.sim, FreezeId(Uuid::nil()), from, until);
            let plans = pair.sim.freeze_plan(names.scope(*whom), &rooms, &made);
            plans.map(|mut plans| {
                plans.sort();
                Did::Plans(plans)
            })
        }
        other => panic!("{other:?} is no freeze"),
    }
}

/// The rooms of a force of the whole update: all with a device that is below it, and neither has it nor has begun.
fn rooms_to_force(pair: &ServiceAndSimulator, release: Release) -> Vec<RoomId> {
    let fleet = &pair.sim.fleet;
    let update = &fleet.updates[&pair.names.update(release)];
    let lies_ahead = |room: &&Room| {
        let deployment = fleet.deployment_of(room.id, update.id);
        let is_done = deployment.is_some_and(|deployment| {
            let completed = matches!(deployment.state, domain::deployment::DeploymentState::Completed { .. });
            completed || deployment.has_started()
        });
        !is_done && update.devices_in(room).next().is_some()
    };
    fleet.rooms.values().filter(lies_ahead).map(|room| room.id).collect()
}

pub fn freeze(sim: &Simulation, id: FreezeId, from: &str, until: &str) -> Freeze {
    Freeze {
        from: date(from),
        until: date(until),
        owner: "Admin".to_owned(),
        reason: "a fair".to_owned(),
        made_at: sim.now,
        id,
    }
}

/// The room as its rows are, and then its holds one by one.
async fn add_held(pair: &mut ServiceAndSimulator, id: RoomId) {
    let rooms = pair.read().await.rooms(&[id]).await;
    let mut room = rooms.expect("a query").pop().expect("a room");
    let holds: Vec<Hold> = std::mem::take(&mut room.holds);
    pair.sim.add_room(room);
    for hold in holds {
        pair.sim.hold(id, hold);
    }
}

fn rings(pair: &mut ServiceAndSimulator, command: &Command, service: Option<&Did>) -> Result<Did, ServiceError> {
    let before = pair.sim.fleet.rings.clone();
    match command {
        Command::AddRing {
            name,
            order,
            rollout_days,
            test_days,
        } => {
            let id = match service {
                Some(Did::Ring(id)) => *id,
                _ => RingId(Uuid::from_u128(8)),
            };
            let after = before.with_added(id, ring_draft(name, Some(*order), *rollout_days, *test_days))?;
            pair.sim.set_rings(&after)?;
            Ok(Did::Ring(id))
        }
        Command::EditRing {
            name,
            order,
            rollout_days,
            test_days,
        } => {
            let id = pair.names.ring(name);
            let draft = ring_draft(name, *order, *rollout_days, *test_days);
            pair.sim.set_rings(&edited(&before, id, draft)?)?;
            Ok(Did::Something)
        }
        Command::DeleteRing(name) => {
            let id = pair.names.ring(name);
            let after = before.without(id)?;
            let general = after.general().id;
            pair.sim.delete_ring(id, &after, general)?;
            Ok(Did::Something)
        }
        other => panic!("{other:?} is about no ring"),
    }
}

fn edited(rings: &RingSequence, id: RingId, draft: RingDraft) -> Result<RingSequence, ServiceError> {
    Ok(rings.with_edited(id, draft)?)
}

/// The fields of a form as the domain has them.
fn ring_draft(name: &str, order: Option<i64>, rollout_days: u32, test_days: u32) -> RingDraft {
    let fields = draft(name, order, rollout_days, test_days);
    RingDraft {
        name: fields.name.to_string(),
        description: fields.description.to_string(),
        order: fields.order,
        rollout_days: fields.rollout_days,
        test_days: fields.test_days,
    }
}
