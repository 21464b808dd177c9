//! The tick: what is due, in rows as in memory (S14).

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::changes::{Changes, Placement};
use domain::check::forward;
use domain::conversation::feedback::{Execution, Finished};
use domain::conversation::{Outcome, Report};
use domain::deployment::{DeploymentState, Night, Withdrawal};
use domain::ids::{RingId, RoomId, StageOf, UpdateId};
use domain::rollout::RolloutState;
use domain::room::{Hold, VersionSource};
use store::{Engine, Store, StoreError};
use testkit::{Home, both_engines, date, instant, says};
use uuid::Uuid;

use crate::lab::{self, GENERAL, STAGING, UPDATE, at_night, room};
use crate::world::{self, World};

both_engines![
    a_row_that_contradicts_itself_is_refused_g5,
    all_rooms_of_automatic_mode_come_back_as_all_rooms_s12,
    what_is_due_is_the_same_in_rows_and_in_memory_s14,
    rows_follow_the_planner_through_weeks_of_random_life_s14,
    a_ring_that_is_entered_has_the_same_candidates_in_rows_and_in_memory_s6,
    a_ring_that_is_half_filled_has_the_same_next_rooms_in_rows_and_in_memory_s6,
    what_does_not_fit_into_one_slice_comes_in_the_next_s14,
    rooms_that_wait_for_their_ring_are_those_that_it_will_place_s1_t10,
    a_mark_that_comes_between_reading_and_deleting_is_not_lost_s14,
    only_one_process_plans_at_a_time_g2,
    two_updates_that_enter_large_rings_at_once_keep_their_own_order_s6,
];

/// `NIGHTSHIFT_WORLDS=200` for a long look.
fn worlds() -> u64 {
    std::env::var("NIGHTSHIFT_WORLDS")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(5)
}

async fn what_is_due_is_the_same_in_rows_and_in_memory_s14(home: Home) {
    // Whole fleets, written at once at instants in the middle of their lives.
    let mut compared = 0;
    for seed in 100..100 + worlds() {
        let engine = home.engine;
        let mut world = World::new(seed);
        for days in 0..14 {
            world.act();
            world.sim.run_until(world.sim.now + TimeDelta::hours(31));
            if days % 5 != 4 {
                continue;
            }
            let home = Home::new(engine).await;
            world.tell_all(&home.store).await;
            // Today nothing is left to do; what comes is looked at from every instant at which something is due.
            for _ in 0..4 {
                world.act();
                world.tell(&home.store).await;
                let now = world
                    .sim
                    .fleet
                    .next_at(world.sim.now)
                    .unwrap_or(world.sim.now)
                    .max(world.sim.now);
                let mut tx = home.store.read().await.unwrap();
                let organisation = tx.organisation().await.unwrap().unwrap();
                let due = tx.due(&organisation, now, world::ALL).await.unwrap();
                let stored = tx.fleet().await.unwrap().slice(now);
                assert_eq!(
                    due.map(|due| world::Normal::of(&due.slice)),
                    stored.as_ref().map(world::Normal::of),
                    "seed {seed} at {now}"
                );
                compared += usize::from(stored.is_some());
            }
            world.compare(&home.store).await;
        }
    }
    assert!(compared > 30, "only {compared} slices had something in them");
}

async fn rows_follow_the_planner_through_weeks_of_random_life_s14(home: Home) {
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    for seed in 1..=worlds() {
        let own = Home::new(home.engine).await;
        let mut world = World::new(seed);
        world.publish();
        world.tell(&own.store).await;
        let ends = world.sim.now + TimeDelta::days(24);
        while world.sim.now < ends {
            world.step();
            if world.dice.below(12) == 0 {
                world.act();
            }
            let is_due = world
                .sim
                .fleet
                .next_at(world.sim.now)
                .is_some_and(|at| at <= world.sim.now);
            if !is_due && !world.has_news() {
                continue;
            }
            let before = world.sim.fleet.clone();
            world.tell(&own.store).await;
            world.tick(&own.store).await;
            world.compare(&own.store).await;
            assert_eq!(forward(&before, &world.sim.fleet), []);
        }
        for (word, number) in world::seen(&world.sim.fleet) {
            *seen.entry(word).or_insert(0) += number;
        }
    }
    assert!(
        seen["completed"] > 20 && seen["failed"] > 0 && seen["withdrawn"] > 0,
        "the weeks were too quiet: {seen:?}"
    );
}

/// Nine rooms of Staging: one has a deployment, one is blocked, one held; two withdrawn ones, of which one is held; the first
/// device of one does not need the update and the second does; the others need it.
async fn rooms_for_an_entry(store: &Store) {
    lab::fill(store, 9).await;
    let today = date("2026-03-04");
    store::write!(store, tx => {
        tx.put_deployments(&[lab::a_deployment(0, room(0), DeploymentState::Waiting)], at_night()).await?;
        let block = domain::room::Block { scope: domain::readiness::BlockScope::LogitechFirmware, why: "no".to_owned() };
        let hold = Hold { product: None, owner: "A".to_owned(), reason: "b".to_owned(), since: today, until: today };
        tx.put_blocks(room(3), &[block]).await?;
        tx.add_hold(domain::ids::HoldId(Uuid::from_u128(2)), room(4), &hold, instant("2026-03-03T12:00:00Z")).await?;
        for number in [5, 6] {
            let withdrawn = DeploymentState::Withdrawn { at: at_night(), why: Withdrawal::NotRequired };
            let mut deployment = lab::a_deployment(number, room(number), withdrawn);
            deployment.night = Night::NextWindow { date: deployment.night.date(), catch_up: false };
            deployment.attempt = 2;
            tx.put_deployments(&[deployment], at_night()).await?;
        }
        tx.add_hold(domain::ids::HoldId(Uuid::from_u128(3)), room(6), &hold, instant("2026-03-03T12:00:00Z")).await?;
        tx.put_components(&[(lab::device(8), lab::cam(), Some(lab::NEW))], VersionSource::Reported, at_night()).await?;
        tx.add_devices(&[lab::a_device(18, 1, room(8))]).await?;
        tx.put_components(&[(lab::device(18), lab::cam(), Some(lab::OLD))], VersionSource::Reported, at_night()).await
    })
    .unwrap();
}

/// The one due rollout in rows, the same as in memory.
async fn due_alike(store: &Store) -> domain::fleet::DueRollout {
    let mut tx = store.read().await.unwrap();
    let due = tx
        .due(&lab::organisation(), at_night(), world::ALL)
        .await
        .unwrap()
        .unwrap();
    let in_memory = tx.fleet().await.unwrap().slice(at_night()).unwrap();
    assert_eq!(world::Normal::of(&due.slice), world::Normal::of(&in_memory));
    due.slice.due[0].clone()
}

async fn a_ring_that_is_entered_has_the_same_candidates_in_rows_and_in_memory_s6(home: Home) {
    let store = &home.store;
    rooms_for_an_entry(store).await;
    store::write!(store, tx => {
        // Staging is over today, and General comes next.
        for number in 0..9 {
            assert_eq!(tx.move_rooms(&[room(number)], STAGING, GENERAL).await?, 1);
        }
        let mut rollout = lab::a_rollout(UPDATE, RolloutState::Running);
        rollout.stages[0].placed = rollout.stages[0].rooms;
        rollout.stages[0].rollout_ends = date("2026-03-04");
        rollout.stages[0].test_ends = date("2026-03-04");
        rollout.next_at = Some(at_night());
        tx.put_rollout(&rollout).await
    })
    .unwrap();
    let due = due_alike(store).await;
    let rooms: Vec<RoomId> = due.candidates.iter().map(|candidate| candidate.room).collect();
    assert_eq!(rooms, [room(1), room(2), room(5), room(7), room(8)]);
    assert_eq!(due.candidates[2].withdrawn, Some((lab::deployment_id(5), 2)));
    assert_eq!(due.placement_batch, None);
}

async fn a_ring_that_is_half_filled_has_the_same_next_rooms_in_rows_and_in_memory_s6(home: Home) {
    let store = &home.store;
    rooms_for_an_entry(store).await;
    // Since the ring was entered one was blocked, one was held and one has got a deployment.
    let order = [3, 7, 4, 0, 5, 1, 2];
    let placements = (0..).zip(order).map(|(position, number)| Placement {
        update: UPDATE,
        position,
        room: room(number),
    });
    let plan = Changes {
        placements: placements.collect(),
        ..Changes::default()
    };
    store::write!(store, tx => {
        let mut rollout = lab::a_rollout(UPDATE, RolloutState::Running);
        rollout.stages[0].rooms = 7;
        rollout.stages[0].placed = 2;
        rollout.next_at = Some(at_night());
        tx.put_rollout(&rollout).await?;
        tx.apply(&plan, &[], at_night()).await
    })
    .unwrap();
    let placement_batch = due_alike(store).await.placement_batch.expect("it is being filled");
    assert_eq!(placement_batch.taken, 5);
    let next: Vec<(u32, RoomId)> = placement_batch
        .rooms
        .iter()
        .map(|(position, of)| (*position, of.room))
        .collect();
    assert_eq!(next, [(1, room(7)), (4, room(5))]);
    let plan = Changes {
        fully_placed: vec![UPDATE],
        ..Changes::default()
    };
    store::write!(store, tx => { tx.apply(&plan, &[], at_night()).await }).unwrap();
    let fleet = store.read().await.unwrap().fleet().await.unwrap();
    assert!(fleet.placements.is_empty());
}

async fn what_does_not_fit_into_one_slice_comes_in_the_next_s14(home: Home) {
    let store = &home.store;
    lab::fill(store, 25).await;
    store::write!(store, tx => {
        for number in 0..25 {
            tx.recheck(room(number)).await?;
        }
        Ok::<_, StoreError>(())
    })
    .unwrap();
    let limits = store::Limits { rollouts: 1, rooms: 10 };
    for expected in [10, 10, 5] {
        let seen = store::write!(store, tx => {
            let due = tx.due(&lab::organisation(), at_night(), limits).await?.expect("rechecks");
            let rechecked_rooms = due.slice.rooms.iter().map(|due| due.room.id).collect();
            let plan = Changes { rechecked_rooms, ..Changes::default() };
            tx.apply(&plan, &due.rechecks, at_night()).await?;
            Ok::<_, StoreError>(due.slice.rooms.len())
        });
        assert_eq!(seen.unwrap(), expected);
    }
    assert!(
        store
            .read()
            .await
            .unwrap()
            .due(&lab::organisation(), at_night(), limits)
            .await
            .unwrap()
            .is_none()
    );
}

async fn rooms_that_wait_for_their_ring_are_those_that_it_will_place_s1_t10(home: Home) {
    let mut waited = 0;
    for seed in 200..200 + worlds() * 4 {
        let own = Home::new(home.engine).await;
        let mut world = World::new(seed);
        world.publish();
        world.tell(&own.store).await;
        let fleet = &world.sim.fleet;
        let mut tx = own.store.read().await.unwrap();
        let today = fleet.organisation.zone.date(world.sim.now);
        let mut expected: BTreeMap<UpdateId, BTreeMap<RingId, i64>> = BTreeMap::new();
        for update in fleet.updates.values() {
            let waiting = expected.entry(update.id).or_default();
            for room in fleet
                .rooms
                .values()
                .filter(|room| update.exclusion(room, today).is_none())
            {
                *waiting.entry(room.ring).or_insert(0) += 1;
            }
            waited += waiting.len();
            let alone = tx.waiting_by_ring(&[update.id], today).await.unwrap();
            assert_eq!(alone.get(&update.id), Some(&*waiting), "seed {seed}");
        }
        let updates: Vec<UpdateId> = fleet.updates.keys().copied().collect();
        assert_eq!(
            tx.waiting_by_ring(&updates, today).await.unwrap(),
            expected,
            "seed {seed}"
        );
    }
    assert!(waited > 10);
}

async fn a_mark_that_comes_between_reading_and_deleting_is_not_lost_s14(home: Home) {
    let store = &home.store;
    lab::fill(store, 2).await;
    let action = lab::open(store, 0).await;
    store::write!(store, tx => { tx.recheck(room(0)).await }).unwrap();
    let mut reading = store.read().await.unwrap();
    let due = reading
        .due(&lab::organisation(), at_night(), world::ALL)
        .await
        .unwrap()
        .unwrap();
    drop(reading);
    assert_eq!(due.rechecks.len(), 1);
    // The device of the same room starts meanwhile, and another room's facts change.
    let report = Report::Feedback {
        device: lab::device(0),
        action,
        feedback: says(Execution::Proceeding, Finished::None),
        window_aware: false,
    };
    assert_eq!(store.report(report, at_night()).await.unwrap(), Outcome::Changed);
    store::write!(store, tx => { tx.recheck(room(1)).await }).unwrap();
    let plan = Changes {
        rechecked_rooms: vec![room(0), room(1)],
        ..Changes::default()
    };
    store::write!(store, tx => { tx.apply(&plan, &due.rechecks, at_night()).await }).unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.fleet().await.unwrap().rechecks, BTreeSet::from([room(0), room(1)]));
    assert_eq!(tx.next_due(at_night()).await.unwrap(), Some(at_night()));
    let due = tx
        .due(&lab::organisation(), at_night(), world::ALL)
        .await
        .unwrap()
        .unwrap();
    drop(tx);
    // A recheck that the plan has not done stays as well.
    let half = Changes {
        rechecked_rooms: vec![room(1)],
        ..Changes::default()
    };
    store::write!(store, tx => { tx.apply(&half, &due.rechecks, at_night()).await }).unwrap();
    assert_eq!(
        store.read().await.unwrap().fleet().await.unwrap().rechecks,
        BTreeSet::from([room(0)])
    );
}

async fn only_one_process_plans_at_a_time_g2(home: Home) {
    lab::fill(&home.store, 1).await;
    let mut first = home.store.begin().await.unwrap();
    assert!(first.try_tick_lock().await.unwrap());
    if home.engine == Engine::Postgres {
        let other = Store::open(&home.address, false).await.unwrap();
        let mut second = other.begin().await.unwrap();
        assert!(!second.try_tick_lock().await.unwrap());
        drop(second);
        other.close().await;
    }
    first.commit().await.unwrap();
    let mut next = home.store.begin().await.unwrap();
    assert!(next.try_tick_lock().await.unwrap());
}

async fn two_updates_that_enter_large_rings_at_once_keep_their_own_order_s6(home: Home) {
    let store = &home.store;
    lab::fill(store, 2).await;
    let (other, version) = (UpdateId(Uuid::from_u128(101)), Uuid::from_u128(203));
    let of = |update| {
        [0, 1].map(|position| Placement {
            update,
            position,
            room: room(u128::from(1 - position)),
        })
    };
    let placements = [of(UPDATE), of(other)].concat();
    let changes = Changes {
        placements: placements.clone(),
        ..Changes::default()
    };
    store::write!(store, tx => {
        tx.put_version(version, &lab::cam(), "3", Some(date("2026-03-01"))).await?;
        tx.add_release(&lab::a_release(other, version, "3", 3)).await?;
        tx.add_rollout(&lab::a_rollout(other, RolloutState::Running), "Admin").await?;
        tx.apply(&changes, &[], at_night()).await
    })
    .unwrap();
    let kept = store.read().await.unwrap().fleet().await.unwrap().placements;
    let expected = placements
        .iter()
        .map(|placement| ((placement.update, placement.position), placement.room));
    assert_eq!(kept, expected.collect());
}

async fn a_row_that_contradicts_itself_is_refused_g5(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    lab::open(store, 0).await;
    // A planned night of a catch-up, or of what is forced; a window that is over before it opens.
    for (table, wrong, right) in [
        ("deployments", "catch_up = (1 = 1)", "catch_up = (1 = 0)"),
        ("deployments", "force = 'now'", "force = NULL"),
        (
            "installs",
            "window_closes = window_opens",
            "window_opens = NULL, window_closes = NULL",
        ),
    ] {
        store.read().await.unwrap().fleet().await.unwrap();
        home.try_execute(&format!("UPDATE {table} SET {wrong}")).await.unwrap();
        let refused = store.read().await.unwrap().fleet().await;
        assert!(
            matches!(&refused, Err(StoreError::Row { table: named, .. }) if *named == table),
            "{wrong}: {refused:?}"
        );
        home.try_execute(&format!("UPDATE {table} SET {right}")).await.unwrap();
    }
    store.read().await.unwrap().fleet().await.unwrap();
}

async fn all_rooms_of_automatic_mode_come_back_as_all_rooms_s12(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let mut deployment = lab::a_deployment(0, room(0), DeploymentState::Waiting);
    deployment.ring = StageOf::AllRooms;
    store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&deployment), at_night()).await }).unwrap();
    let fleet = store.read().await.unwrap().fleet().await.unwrap();
    assert_eq!(fleet.deployments[&deployment.id], deployment);
    let counted: Vec<StageOf> = fleet.rollouts[&UPDATE].counts.keys().copied().collect();
    assert_eq!(counted, [StageOf::AllRooms]);
}
