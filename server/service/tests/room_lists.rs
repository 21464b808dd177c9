//! Lists, filters and counts have each room where `status::room` has it, while its rollout is running, paused, deprecated and finished,
//! and before the tick has looked at the rooms (T1, T8).

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use std::collections::{BTreeMap, BTreeSet};

use domain::changes::{Acknowledgement, Changes};
use domain::deployment::{Deployment, DeploymentState, Failure, Force, Night, Progress, Withdrawal};
use domain::ids::{RoomId, UpdateId};
use domain::reason::Reason;
use domain::rollout::{Rollout, RolloutState};
use domain::status::{self, RoomStatus, RoomsByStatus};
use service::read::{PageOf, ReadSnapshot};
use store::{RoomWork, Tx, UpdateRoomFilter, UpdateRooms};
use testkit::{Estate, both_engines, date, instant};

both_engines![
    lists_have_each_room_where_its_status_is_before_the_tick_has_been_there_t1_t8,
    an_update_that_still_concerns_people_is_among_the_active_ones_t9,
];

const NOW: &str = "2025-03-05T12:00:00Z";

const STATUSES: [RoomStatus; 7] = [
    RoomStatus::NotRequired,
    RoomStatus::Scheduled,
    RoomStatus::InProgress,
    RoomStatus::Completed,
    RoomStatus::Failed,
    RoomStatus::Paused,
    RoomStatus::Deprecated,
];

/// Each of them is written to the database without a tick.
fn rollout_states() -> [RolloutState; 4] {
    let at = instant(NOW);
    [
        RolloutState::Running,
        RolloutState::Paused {
            since: at,
            by: "Ada".to_owned(),
            reason: "a fair".to_owned(),
            resumes_on: None,
        },
        RolloutState::Deprecated {
            at,
            reason: Reason::recalled("it hums"),
        },
        RolloutState::Finished { at },
    ]
}

/// What becomes of the rooms that the update has entered.
fn deployment_states() -> [DeploymentState; 9] {
    let at = instant(NOW);
    [
        DeploymentState::Waiting,
        DeploymentState::Waiting,
        DeploymentState::Prepared,
        DeploymentState::Started { at },
        DeploymentState::Completed { at },
        DeploymentState::Failed {
            at,
            failure: Failure::Reported,
        },
        DeploymentState::Withdrawn {
            at,
            why: Withdrawal::Deprecated,
        },
        DeploymentState::Withdrawn {
            at,
            why: Withdrawal::Moved,
        },
        DeploymentState::Withdrawn {
            at,
            why: Withdrawal::NotRequired,
        },
    ]
}

/// Rooms in Staging with a deployment in every state, then two forced ones and a catch-up that wait, and two in General without one.
async fn rooms_of_every_kind(estate: &Estate) -> UpdateId {
    let states = deployment_states();
    estate.rooms(&[("Staging", states.len() + 3), ("General", 2)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    estate.at_and_tick("2025-03-05T00:00:00Z").await;
    let fleet = estate.fleet().await;
    let placed: Vec<&Deployment> = fleet.deployments.values().collect();
    assert_eq!(placed.len(), states.len() + 3, "Staging is entered, General is not");
    let mut deployments: Vec<Deployment> = placed
        .iter()
        .zip(states)
        .map(|(placed, state)| Deployment {
            state,
            ..(*placed).clone()
        })
        .collect();
    let date = date("2025-03-05");
    let forced = |how| Night::Forced {
        date,
        how,
        catch_up: false,
    };
    let catch_up = Night::NextWindow { date, catch_up: true };
    for (placed, night) in
        placed[deployments.len()..]
            .iter()
            .zip([forced(Force::Now), forced(Force::WhenAvailable), catch_up])
    {
        deployments.push(Deployment {
            night,
            ..(*placed).clone()
        });
    }
    for deployment in &mut deployments {
        deployment.next_at = Some(instant(NOW));
    }
    store::write!(estate.service.store(), tx => { tx.put_deployments(&deployments, instant(NOW)).await }).unwrap();
    estate.at(NOW);
    update
}

async fn put_state(estate: &Estate, rollout: &Rollout) {
    let put = store::write!(estate.service.store(), tx => { tx.put_rollout(rollout).await });
    put.unwrap();
}

/// What `status::room` says, room by room; a room without a deployment does not require the update.
fn statuses(
    rooms: &BTreeSet<RoomId>,
    deployments: &BTreeMap<RoomId, Deployment>,
    rollout: &Rollout,
) -> BTreeMap<RoomId, RoomStatus> {
    let status = |room: &RoomId| {
        deployments.get(room).map_or(RoomStatus::NotRequired, |deployment| {
            status::room(deployment.progress(), &rollout.state)
        })
    };
    rooms.iter().map(|room| (*room, status(room))).collect()
}

async fn lists_have_each_room_where_its_status_is_before_the_tick_has_been_there_t1_t8(estate: Estate) {
    let update = rooms_of_every_kind(&estate).await;
    for state in rollout_states() {
        let fleet = estate.fleet().await;
        let rollout = Rollout {
            state,
            ..fleet.rollouts[&update].clone()
        };
        put_state(&estate, &rollout).await;
        let rooms: BTreeSet<RoomId> = fleet.rooms.keys().copied().collect();
        let deployments = fleet.deployments.values();
        let deployments = deployments.map(|deployment| (deployment.room, deployment.clone()));
        let deployments: BTreeMap<RoomId, Deployment> = deployments.collect();
        let expected = statuses(&rooms, &deployments, &rollout);
        let scheduled = expected.values().any(|status| *status == RoomStatus::Scheduled);
        assert_eq!(scheduled, rollout.may_start_rooms(), "{:?}", rollout.state);
        let mut snapshot = estate.service.read_snapshot().await.unwrap();
        chips_count_them(&mut snapshot, &rollout, &expected).await;
        pages_find_them_and_say_the_same(&mut snapshot, &rollout, &expected).await;
        rings_and_nights_count_them(&mut snapshot, &rollout, &deployments).await;
        drop(snapshot);
        let mut tx = estate.service.store().read().await.unwrap();
        filters_find_them(&mut tx, &rollout, &expected).await;
        rooms_say_what_goes_on_in_them(&mut tx, &rollout, &expected, &deployments).await;
    }
}

/// The chips above an update's rooms.
async fn chips_count_them(snapshot: &mut ReadSnapshot, rollout: &Rollout, expected: &BTreeMap<RoomId, RoomStatus>) {
    let counted = snapshot.rooms_by_status(rollout).await.unwrap();
    for status in STATUSES {
        let rooms = expected
            .values()
            .filter(|of| **of == status && status != RoomStatus::NotRequired);
        let rooms = i64::try_from(rooms.count()).unwrap();
        assert_eq!(counted.with(status), rooms, "{status:?} while {:?}", rollout.state);
    }
}

/// The filter by status, each of its two ways through the estate, and how many rooms it finds.
async fn filters_find_them(tx: &mut Tx, rollout: &Rollout, expected: &BTreeMap<RoomId, RoomStatus>) {
    let updates = tx.updates(&[rollout.update]).await.unwrap();
    let product = updates[&rollout.update].product.clone();
    let all: Vec<(UpdateRooms, BTreeSet<RoomId>)> = STATUSES
        .map(|status| {
            let rooms = expected.iter().filter(|(_, of)| **of == status);
            (
                UpdateRooms::of(status, &rollout.state),
                rooms.map(|(room, _)| *room).collect(),
            )
        })
        .into_iter()
        .chain([(UpdateRooms::All, expected.keys().copied().collect())])
        .collect();
    for (which, rooms) in all {
        for few in [false, true] {
            let filter = UpdateRoomFilter {
                update: rollout.update,
                product: product.clone(),
                which: which.clone(),
                ring: None,
                few,
                after: None,
                before: None,
            };
            let page = tx.update_room_page(&filter, 100).await.unwrap();
            let listed: BTreeSet<RoomId> = page.iter().map(|room| room.id).collect();
            assert_eq!(listed, rooms, "{which:?} while {:?}", rollout.state);
            assert_eq!(page.len(), rooms.len(), "each stands there once");
            let found = tx.update_rooms_found(&filter).await.unwrap();
            assert_eq!(usize::try_from(found).unwrap(), rooms.len(), "{which:?}");
        }
    }
}

/// The page of each chip, and what its lines say.
async fn pages_find_them_and_say_the_same(
    snapshot: &mut ReadSnapshot,
    rollout: &Rollout,
    expected: &BTreeMap<RoomId, RoomStatus>,
) {
    let summary = snapshot.update(rollout.update).await.unwrap();
    let counts = snapshot.update_room_counts(&summary).await.unwrap();
    for status in std::iter::once(None).chain(STATUSES.map(Some)) {
        let filter = service::read::updates::rooms::UpdateRoomFilter { status, ring: None };
        let found = snapshot.update_rooms(&summary, &counts, &filter, &PageOf::First, 100);
        let found = found.await.unwrap();
        let listed: BTreeMap<RoomId, RoomStatus> =
            found.page.items.iter().map(|item| (item.room, item.status)).collect();
        let asked = expected
            .iter()
            .filter(|(_, of)| status.is_none_or(|status| status == **of));
        let asked: BTreeMap<RoomId, RoomStatus> = asked.map(|(room, of)| (*room, *of)).collect();
        assert_eq!(listed, asked, "{status:?} while {:?}", rollout.state);
        assert_eq!(usize::try_from(found.total).unwrap(), asked.len(), "{status:?}");
    }
}

/// The counts of rings and the nights of the timeline: both leave catch-ups out.
async fn rings_and_nights_count_them(
    snapshot: &mut ReadSnapshot,
    rollout: &Rollout,
    deployments: &BTreeMap<RoomId, Deployment>,
) {
    let of_rings = deployments.values().filter(|deployment| !deployment.is_catch_up());
    let expected = RoomsByStatus::of(of_rings.map(|deployment| (deployment.progress(), 1)), &rollout.state);
    let summary = snapshot.update(rollout.update).await.unwrap();
    assert_eq!(status::rooms(&summary.counts, &rollout.state), expected);
    let detail = snapshot.update_detail(rollout.update).await.unwrap();
    let nights = detail.stages.iter().flat_map(|stage| &stage.nights);
    let nights = nights.fold([0; 4], |[done, failed, running, waiting], night| {
        [
            done + night.completed,
            failed + night.failed,
            running + night.in_progress,
            waiting + night.scheduled,
        ]
    });
    let counted =
        [RoomStatus::Completed, RoomStatus::Failed, RoomStatus::InProgress].map(|status| expected.with(status));
    assert_eq!(nights[..3], counted);
    assert_eq!(nights[3], expected.waiting());
    let status = status::room(Progress::NotStarted, &rollout.state);
    assert!(expected.with(status) > 0, "some wait");
}

/// The list of rooms, and how many of them wait for tonight. A failure of a deprecated update is nobody's concern there.
async fn rooms_say_what_goes_on_in_them(
    tx: &mut Tx,
    rollout: &Rollout,
    expected: &BTreeMap<RoomId, RoomStatus>,
    deployments: &BTreeMap<RoomId, Deployment>,
) {
    let ids: Vec<RoomId> = expected.keys().copied().collect();
    let work = tx.work_in(&ids, instant(NOW)).await.unwrap();
    let is_deprecated = matches!(rollout.state, RolloutState::Deprecated { .. });
    for (room, status) in expected {
        let count = |of: RoomStatus| i64::from(*status == of);
        let RoomWork {
            scheduled,
            paused,
            running,
            failed,
            ..
        } = work[room];
        assert_eq!(scheduled, count(RoomStatus::Scheduled), "{:?}", rollout.state);
        assert_eq!(paused, count(RoomStatus::Paused), "{:?}", rollout.state);
        assert_eq!(running, count(RoomStatus::InProgress), "{:?}", rollout.state);
        let failures = if is_deprecated { 0 } else { count(RoomStatus::Failed) };
        assert_eq!(failed, failures, "{:?}", rollout.state);
    }
    let waiting = tx.waiting_rooms(date("2025-12-31")).await.unwrap();
    let waiting: i64 = waiting.iter().map(|group| group.rooms).sum();
    let for_a_night = deployments
        .iter()
        .filter(|(room, deployment)| expected[*room] == RoomStatus::Scheduled && deployment.night.force().is_none());
    assert_eq!(
        waiting,
        i64::try_from(for_a_night.count()).unwrap(),
        "{:?}",
        rollout.state
    );
}

async fn an_update_that_still_concerns_people_is_among_the_active_ones_t9(estate: Estate) {
    estate.rooms(&[("Staging", 1)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    estate.at_and_tick("2025-03-05T00:00:00Z").await;
    let fleet = estate.fleet().await;
    let placed = fleet.deployments.values().next().unwrap().clone();
    let mut active = 0;
    for acknowledged in [false, true] {
        if acknowledged {
            let acknowledgement = Acknowledgement {
                update,
                by: "Ada".to_owned(),
                at: instant(NOW),
            };
            let changes = Changes {
                acknowledged: vec![acknowledgement],
                ..Changes::default()
            };
            apply(&estate, &changes).await;
        }
        for (state, of_rollout) in deployment_states()
            .into_iter()
            .flat_map(|state| rollout_states().map(|of_rollout| (state.clone(), of_rollout)))
        {
            let rollout = Rollout {
                state: of_rollout,
                ..fleet.rollouts[&update].clone()
            };
            let deployment = Deployment {
                state: state.clone(),
                ..placed.clone()
            };
            let changes = Changes {
                rollouts: vec![rollout],
                deployments: vec![deployment],
                ..Changes::default()
            };
            apply(&estate, &changes).await;
            let mut tx = estate.service.store().read().await.unwrap();
            let rollout = tx.rollout(update).await.unwrap().unwrap();
            let concerns = status::update(&rollout, false).is_active(acknowledged);
            let records = tx.published(true).await.unwrap();
            let is_listed = records.iter().any(|record| record.id == update);
            assert!(is_listed || !concerns, "{state:?} while {:?}", rollout.state);
            active += usize::from(concerns);
        }
    }
    assert!(active > 10, "only {active}");
}

async fn apply(estate: &Estate, changes: &Changes) {
    let applied = store::write!(estate.service.store(), tx => { tx.apply(changes, &[], instant(NOW)).await });
    applied.unwrap();
}
