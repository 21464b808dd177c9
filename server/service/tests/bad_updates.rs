//! A bad update stops itself (K7), and completed means now (S16): rooms that lose an update, rooms that come late (S11), and updates that
//! somebody ends by hand (S15).

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use std::collections::BTreeMap;

use domain::access::Role;
use domain::commands::force::ForceRefusal;
use domain::deployment::{DeploymentState, Force};
use domain::halt::HaltCause;
use domain::rollout::RolloutState;
use domain::status::RoomStatus;
use domain::ticket::TicketStatus;
use service::read::rooms::RoomEvent;
use service::{Actor, RoomScope, ServiceError};
use testkit::facts::tell;
use testkit::{Devices, Estate, actor, both_engines};

both_engines![
    one_failed_room_in_the_first_ring_halts_the_rollout_until_an_admin_resumes_it_k7,
    a_room_that_loses_an_update_gets_it_again_and_says_why_s16_i5,
    a_room_that_comes_after_the_end_gets_the_update_in_its_next_window_s11,
    an_update_that_is_deactivated_starts_nowhere_any_more_s15,
];

fn helpdesk() -> Actor {
    Actor {
        role: Role::Helpdesk,
        ..actor()
    }
}

async fn one_failed_room_in_the_first_ring_halts_the_rollout_until_an_admin_resumes_it_k7(estate: Estate) {
    estate.with_halts().await;
    let rooms = estate.rooms(&[("Staging", 2), ("General", 2)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    devices.fails = BTreeMap::from([("staging-1".to_owned(), 2)]);
    estate.live_until("2025-03-07T12:00:00Z", &mut devices).await;
    let fleet = estate.fleet().await;
    let rollout = &fleet.rollouts[&update];
    assert!(
        matches!(rollout.state, RolloutState::Paused { .. }),
        "{:?}",
        rollout.state
    );
    let halt = rollout.halt.clone().unwrap();
    assert_eq!((halt.cause, halt.ring.name.as_str()), (HaltCause::FirstRing, "Staging"));
    assert_eq!(fleet.halt_tickets[&update], TicketStatus::NeedsAction);
    let tickets = estate
        .service
        .read_snapshot()
        .await
        .unwrap()
        .tickets_of_update(update)
        .await
        .unwrap();
    let ticket = tickets
        .iter()
        .find(|ticket| ticket.title.ends_with("was halted by rule"))
        .unwrap();
    assert_eq!(
        ticket.first_rooms,
        ["Staging 1"],
        "its rooms are those that have failed"
    );
    assert!(
        estate
            .audit()
            .await
            .iter()
            .any(|(action, summary)| action == "rollout.halted"
                && summary.starts_with("Halted Bar firmware 2.0 by rule: 1 room failed in Staging."))
    );

    // Only an admin may resume.
    let refused = estate.service.resume(&helpdesk(), update, "It is fine.".into()).await;
    assert!(matches!(refused, Err(ServiceError::Forbidden { .. })), "{refused:?}");
    estate
        .service
        .resume(&actor(), update, "The disk is larger now.".into())
        .await
        .unwrap();
    let fleet = estate.fleet().await;
    assert_eq!(fleet.halt_tickets[&update], TicketStatus::Resolved);
    assert_eq!(fleet.rollouts[&update].halt, None);
    // The same room fails once more, which fires nothing.
    estate.service.retry_all_failed(&actor(), update).await.unwrap();
    estate.live_until("2025-03-09T12:00:00Z", &mut devices).await;
    let fleet = estate.fleet().await;
    let failed = fleet.deployment_of(rooms["Staging 1"], update).unwrap();
    assert!(
        matches!(failed.state, DeploymentState::Failed { .. }),
        "{:?}",
        failed.state
    );
    assert_eq!(failed.attempt, 2);
    assert_eq!(fleet.rollouts[&update].state, RolloutState::Running);
    estate.is_sound().await;
    // Whatever the rule counted when it was resumed is marked, in rows as in memory.
    let tolerated = fleet.deployments.values().filter(|deployment| deployment.tolerated);
    assert_eq!(
        tolerated.map(|deployment| deployment.room).collect::<Vec<_>>(),
        [rooms["Staging 1"]]
    );
}

async fn a_room_that_loses_an_update_gets_it_again_and_says_why_s16_i5(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-06T12:00:00Z", &mut devices).await;
    let room = rooms["Staging 1"];
    let deployment = async || estate.deployment(room, update).await.unwrap();
    assert!(matches!(deployment().await.state, DeploymentState::Completed { .. }));
    let forced = async || {
        let scope = RoomScope::Rooms(vec![room]);
        estate
            .service
            .force(&actor(), update, &scope, Force::Now, "The display is black.".into())
            .await
            .unwrap()
    };
    assert_eq!(forced().await.left_out, [(room, ForceRefusal::AlreadyDone)]);
    let issue = "INSERT INTO tickets (id, number, title, description, severity, category, state, high_impact, opened_by, opened_at, changed_at)
        SELECT id, 7, 'Echo', '', 'warning', 'Audio', 'needs_action', false, 'Ada', 0, 0 FROM sites";
    estate.database.execute(issue).await;
    estate
        .database
        .execute("INSERT INTO ticket_rooms (ticket_id, room_id) SELECT t.id, r.id FROM tickets t, rooms r")
        .await;

    let facts = [
        ("component.1.product", "app"),
        ("component.1.version", "10"),
        ("component.2.product", "bar"),
        ("component.2.version", "1.0"),
    ];
    tell(&estate.service, "staging-1", &facts).await;
    estate.service.tick().await.unwrap();
    let lost = deployment().await;
    assert_eq!(
        (lost.state.clone(), lost.attempt, lost.is_catch_up()),
        (DeploymentState::Waiting, 2, true)
    );
    assert_eq!(
        lost.reason.sentence(),
        "Catch-up: the room had 2.0, and its devices report 1.0 now."
    );
    assert_eq!(lost.fall_backs.at.len(), 1);
    let mut snapshot = estate.service.read_snapshot().await.unwrap();
    let detail = snapshot.room(room).await.unwrap();
    let history = snapshot.history_of_room(&detail).await.unwrap();
    let external = history.iter().find_map(|item| match &item.event {
        RoomEvent::ExternalChange { what, .. } => Some(what.clone()),
        RoomEvent::Update { .. } | RoomEvent::Message { .. } | RoomEvent::Change { .. } => None,
    });
    let said = "External change: Bar firmware went from 2.0 to 1.0, and Nightshift did not install it.";
    assert_eq!(external.as_deref(), Some(said));
    let noted = estate
        .database
        .texts("SELECT e.text FROM ticket_events e JOIN tickets t ON t.id = e.ticket_id WHERE t.number = 7")
        .await;
    assert_eq!(noted, [said], "its open tickets say so");
    drop(snapshot);
    assert_eq!(forced().await.rooms, [room], "a force is possible again");
    estate.service.tick().await.unwrap();
    estate.is_sound().await;
}

async fn a_room_that_comes_after_the_end_gets_the_update_in_its_next_window_s11(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-04-10T12:00:00Z", &mut devices).await;
    assert!(matches!(
        estate.fleet().await.rollouts[&update].state,
        RolloutState::Finished { .. }
    ));
    let late = estate.rooms(&[("Executive", 1)]).await;
    estate.service.tick().await.unwrap();
    let caught_up = estate.deployment(late["Executive 1"], update).await.unwrap();
    assert!(caught_up.is_catch_up());
    assert_eq!(
        caught_up.reason.sentence(),
        "Catch-up: the rollout is over, and the room has yet to get it."
    );
    let mut devices = Devices::of(&late);
    estate.live_until("2025-04-12T12:00:00Z", &mut devices).await;
    let done = estate.deployment(late["Executive 1"], update).await.unwrap();
    assert!(
        matches!(done.state, DeploymentState::Completed { .. }),
        "{:?}",
        done.state
    );
    let counts = estate.fleet().await.rollouts[&update].total_counts();
    assert_eq!(
        (counts.completed, counts.catch_up),
        (1, 1),
        "a late room stands beside the others"
    );
    estate.is_sound().await;
}

async fn an_update_that_is_deactivated_starts_nowhere_any_more_s15(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 2)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-11T12:00:00Z", &mut devices).await;
    let refused = estate.service.deactivate(&helpdesk(), update, "No.".into()).await;
    assert!(matches!(refused, Err(ServiceError::Forbidden { .. })), "{refused:?}");
    estate
        .service
        .deactivate(&actor(), update, "We wait for 2.1".into())
        .await
        .unwrap();
    estate.live_until("2025-03-20T12:00:00Z", &mut devices).await;
    let fleet = estate.fleet().await;
    assert!(matches!(fleet.rollouts[&update].state, RolloutState::Deprecated { .. }));
    assert_eq!(fleet.deployments.len(), 1, "General is never entered");
    let again = estate.service.deactivate(&actor(), update, "Again".into()).await;
    assert!(matches!(again, Err(ServiceError::Conflict { .. })), "{again:?}");
    assert!(
        estate
            .audit()
            .await
            .iter()
            .any(|(action, summary)| action == "rollout.deactivated"
                && summary == "Deactivated Bar firmware 2.0: We wait for 2.1")
    );
    let status = domain::status::room(
        fleet.deployment_of(rooms["Staging 1"], update).unwrap().progress(),
        &fleet.rollouts[&update].state,
    );
    assert_eq!(status, RoomStatus::Completed, "who has it keeps it");
    estate.is_sound().await;
}
