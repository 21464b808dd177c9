//! The same commands, given to the simulator. What only rows know (a release's facts, a new room, new ids) is brought from there.

use domain::freeze::{Freeze, FreezeScope};
use domain::ids::{FreezeId, RingId, RoomId, UpdateId};
use domain::refusal::Refusal;
use domain::ring::{RingDraft, RingSequence};
use domain::room::{Hold, Room};
use domain::sim::Simulation;
use domain::update::Update;
use service::ServiceError;
use uuid::Uuid;

use crate::both::Both;
use crate::support::people::{Command, Did, Release};
use crate::support::{date, draft};

/// What only rows know, as it was before the service was given the command.
#[derive(Default)]
pub struct Facts {
    release: Option<Update>,
}

pub async fn facts_for(both: &Both, command: &Command) -> Facts {
    let (Command::Publish { release, .. } | Command::Recall(release)) = command else {
        return Facts::default();
    };
    let update = both.names.update(*release);
    let release = both
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
    both: &mut Both,
    command: &Command,
    facts: &Facts,
    service: Option<&Did>,
) -> Result<Did, ServiceError> {
    let names = both.names.clone();
    let something = |()| Did::Something;
    let done = match command {
        Command::Publish { release, .. } | Command::Recall(release) => {
            return self::release(both, command, names.update(*release), facts).await;
        }
        Command::Pause { release, until } => {
            let until = until.map(date);
            both.sim
                .pause(names.update(*release), "Admin", "It hums.", until)
                .map(something)
        }
        Command::SetResumeDate { release, until } => {
            let until = until.map(date);
            both.sim.set_resume_date(names.update(*release), until).map(something)
        }
        Command::Resume(release) => both.sim.resume(names.update(*release)).map(something),
        Command::RetryAll(release) => {
            let retried = both.sim.retry_all_failed(names.update(*release), "Admin");
            retried.map(Did::Rooms)
        }
        Command::Retry { release, room } => {
            let retried = both.sim.retry(names.update(*release), names.room(room), "Admin");
            retried.map(something)
        }
        Command::Force { .. } => force(both, command).await,
        Command::Cancel { release, room } => {
            let (update, room) = (names.update(*release), names.room(room));
            let asked = both.sim.cancel(update, room, "Admin", "The room is needed.");
            asked.map(|asked| Did::Rooms(usize::try_from(asked).expect("a few")))
        }
        Command::Acknowledge(release) => both.sim.acknowledge(names.update(*release)).map(something),
        Command::Freeze { .. } | Command::PlanFreeze { .. } => frozen(both, command, service),
        Command::Lift(label) => both.sim.lift_freeze(names.freeze(label)).map(something),
        Command::AddHeldRoom { .. } => {
            let Some(Did::Room(id)) = service else {
                panic!("the file is a good one")
            };
            add_held(both, *id).await;
            Ok(Did::Room(*id))
        }
        Command::Move { rooms, from, to } => {
            let from = from.map(|from| names.ring(from));
            let moved = both.sim.move_rooms(&names.rooms(rooms), from, names.ring(to));
            moved.map(Did::Rooms)
        }
        Command::AddRing { .. } | Command::EditRing { .. } | Command::DeleteRing(_) => {
            return rings(both, command, service);
        }
        Command::Settings(change) => {
            let mut organisation = both.sim.fleet.organisation.clone();
            change(&mut organisation.settings);
            both.sim.edit_settings(&organisation).map(something)
        }
    };
    Ok(done?)
}

async fn release(both: &mut Both, command: &Command, update: UpdateId, facts: &Facts) -> Result<Did, ServiceError> {
    let release = facts.release.clone().expect("a release");
    let done = match command {
        Command::Publish {
            severity, supersedes, ..
        } => {
            let severity = severity.unwrap_or(release.severity);
            both.sim.publish(Update { severity, ..release }, *supersedes)
        }
        _ => {
            both.sim.fleet.updates.entry(update).or_insert(release);
            both.sim.recall(update, "cameras stay dark")
        }
    };
    // Releases that may be steps to it (S8).
    let known = both.read().await.fleet().await.expect("the fleet").updates;
    for (id, step) in known {
        both.sim.fleet.updates.entry(id).or_insert(step);
    }
    done?;
    Ok(Did::Something)
}

async fn force(both: &mut Both, command: &Command) -> Result<Did, Refusal> {
    let Command::Force { release, rooms, how } = command else {
        panic!("{command:?} is no force");
    };
    let update = both.names.update(*release);
    let rooms = if rooms.is_empty() {
        whole(both, *release)
    } else {
        both.names.rooms(rooms)
    };
    let forced = both.sim.force(update, &rooms, *how, "Admin")?;
    let mut left_out = forced.left_out;
    left_out.sort_by_key(|(room, _)| *room);
    Ok(Did::Forced {
        rooms: forced.rooms,
        left_out,
    })
}

fn frozen(both: &mut Both, command: &Command, service: Option<&Did>) -> Result<Did, Refusal> {
    let names = both.names.clone();
    match command {
        Command::Freeze { whom, from, until, .. } => {
            let id = match service {
                Some(Did::Freeze(id)) => *id,
                _ => FreezeId(Uuid::nil()),
            };
            let made = freeze(&both.sim, id, from, until);
            let rooms = both.rooms_in(*whom);
            let frozen = match names.scope(*whom) {
                FreezeScope::Organisation => both.sim.freeze_plans(None, &made),
                FreezeScope::Ring(ring) => both.sim.freeze_plans(Some(ring), &made),
                FreezeScope::Site(_) | FreezeScope::Room(_) => both.sim.freeze_rooms(&rooms, &made),
            };
            frozen.map(|()| Did::Freeze(id))
        }
        Command::PlanFreeze { whom, from, until } => {
            let rooms = both.rooms_in(*whom);
            let made = freeze(&both.sim, FreezeId(Uuid::nil()), from, until);
            let plans = both.sim.freeze_plan(names.scope(*whom), &rooms, &made);
            plans.map(|mut plans| {
                plans.sort();
                Did::Plans(plans)
            })
        }
        other => panic!("{other:?} is no freeze"),
    }
}

/// The rooms of a force of the whole update: all with a device that is below it, and neither has it nor has begun.
fn whole(both: &Both, release: Release) -> Vec<RoomId> {
    let fleet = &both.sim.fleet;
    let update = &fleet.updates[&both.names.update(release)];
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
async fn add_held(both: &mut Both, id: RoomId) {
    let rooms = both.read().await.rooms(&[id]).await;
    let mut room = rooms.expect("a query").pop().expect("a room");
    let holds: Vec<Hold> = std::mem::take(&mut room.holds);
    both.sim.add_room(room);
    for hold in holds {
        both.sim.hold(id, hold);
    }
}

fn rings(both: &mut Both, command: &Command, service: Option<&Did>) -> Result<Did, ServiceError> {
    let before = both.sim.fleet.rings.clone();
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
            both.sim.set_rings(&after)?;
            Ok(Did::Ring(id))
        }
        Command::EditRing {
            name,
            order,
            rollout_days,
            test_days,
        } => {
            let id = both.names.ring(name);
            let draft = ring_draft(name, *order, *rollout_days, *test_days);
            both.sim.set_rings(&edited(&before, id, draft)?)?;
            Ok(Did::Something)
        }
        Command::DeleteRing(name) => {
            let id = both.names.ring(name);
            let after = before.without(id)?;
            let general = after.general().id;
            both.sim.delete_ring(id, &after, general)?;
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
