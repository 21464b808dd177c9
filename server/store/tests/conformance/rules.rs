//! Rules that stand in SQL too (`rules_in_sql.rs`), compared with their twins in the domain. Those about candidates, nights and health are
//! compared in `planning.rs`; those of lists in `server/service/tests/room_lists.rs`.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::commands::force::Force;
use domain::deployment::{self, Progress};
use domain::ids::RoomId;
use domain::sim::Counter;
use testkit::{Home, both_engines};

use crate::world::World;

both_engines![every_room_that_a_force_would_change_is_among_the_rooms_to_force_k5];

async fn every_room_that_a_force_would_change_is_among_the_rooms_to_force_k5(home: Home) {
    let mut forced = 0;
    for seed in 300..312 {
        let mut world = World::new(seed);
        world.publish();
        for _ in 0..8 {
            world.act();
            world.sim.run_until(world.sim.now + TimeDelta::hours(31));
        }
        let home = Home::new(home.engine).await;
        world.tell_all(&home.store).await;
        let fleet = &world.sim.fleet;
        let mut tx = home.store.read().await.unwrap();
        for (id, rollout) in &fleet.rollouts {
            let force = Force {
                update: &fleet.updates[id],
                rollout,
                rings: &fleet.rings,
                freezes: &fleet.freezes,
                newer: &fleet.rollouts,
                newer_updates: &fleet.updates,
                how: deployment::Force::Now,
                by: "Ada",
            };
            let rooms = fleet.rooms.values();
            let rooms = rooms.map(|room| (room, fleet.deployment_of(room.id, *id)));
            let (_, outcome) = force.rooms(rooms, world.sim.now, &mut Counter(1 << 40));
            let found: BTreeSet<RoomId> = tx.rooms_to_force(*id).await.unwrap().into_iter().collect();
            for room in &outcome.rooms {
                assert!(found.contains(room), "seed {seed}: {room} is missing");
            }
            forced += outcome.rooms.len();
            for room in found {
                let progress = fleet.deployment_of(room, *id).map(deployment::Deployment::progress);
                let lies_ahead = !matches!(progress, Some(Progress::Completed | Progress::InProgress));
                assert!(lies_ahead, "seed {seed}: {room} has it, or is on its way");
            }
        }
    }
    assert!(forced > 20, "only {forced} rooms were forced");
}
