//! From publishing to the end, on both engines, with devices that are driven by hand: what people do to a rollout on its way.

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta, Timelike};
use domain::commands::force::ForceRefusal;
use domain::conversation::offer::Offer;
use domain::deployment::{DeploymentState, Force, Withdrawal};
use domain::freeze::FreezeScope;
use domain::ids::{RoomId, UpdateId};
use domain::rollout::RolloutState;
use domain::room::{Health, RoomState};
use domain::settings::Mode;
use domain::status::UpdateStatus;
use domain::ticket::TicketState;
use domain::update::Severity;
use service::store::{RoomFilter, TicketFilter};
use service::{MoveOutcome, RoomChoice, RoomScope, RoomsFile, ServiceError};
use support::{Devices, Estate, admin, date, draft, instant, problem, speak};

on_both_engines![
    an_update_goes_through_all_rings_room_by_room_in_its_night_s3_s5_s6_t7,
    a_pause_takes_effect_at_once_and_a_resume_moves_what_lies_ahead_k2_k3,
    retry_puts_back_exactly_the_failed_rooms_and_a_second_click_changes_nothing_k1_k4_t7,
    what_is_shown_before_a_retry_is_what_it_does_where_a_newer_update_has_come_k4_s9,
    what_is_shown_before_a_resume_is_what_it_does_k3,
    a_force_leaves_out_held_and_onboarding_rooms_says_why_and_is_logged_k5_k6,
    moved_rooms_catch_up_or_step_back_with_one_audit_entry_each_r12_r13_r14,
    a_move_is_all_or_nothing_r3_r12,
    all_rooms_that_match_are_moved_at_once_if_they_are_those_that_were_seen_r12,
    a_pause_with_a_date_ends_by_itself_on_it_k3,
    a_room_is_suppressed_as_long_as_its_tickets_are_i3_i4,
    rings_are_added_edited_and_deleted_within_sixty_days_r2_r8_r9_r11,
    a_running_rollout_keeps_the_rings_it_has_entered_r10,
    a_ring_stays_while_an_update_is_inside_it_r11,
    publishing_is_refused_with_one_sentence_s4_s7_g5,
    an_idle_tick_writes_nothing_s14,
    a_dry_run_says_what_a_tick_would_do_and_writes_nothing_g1,
    a_room_explains_every_update_that_it_could_get_t5_g6,
    failures_are_acknowledged_once_the_rollout_is_over_t9,
    a_newer_update_supersedes_what_has_not_finished_its_staging_test_s9,
    a_superseded_update_goes_on_ahead_of_the_newer_one_s9,
    a_freeze_moves_the_plan_and_is_refused_with_one_sentence_w6,
    a_freeze_that_is_lifted_gives_the_plan_its_dates_back_w6,
    a_room_takes_the_step_that_an_update_needs_first_s8,
    a_hold_that_ends_lets_the_room_catch_up_s11,
    automatic_mode_concerns_updates_published_later_s12,
    a_ring_that_an_edit_puts_behind_a_rollout_is_caught_up_r10_r14,
];

async fn status(estate: &Estate, update: UpdateId) -> UpdateStatus {
    estate
        .service
        .read_snapshot()
        .await
        .unwrap()
        .update(update)
        .await
        .unwrap()
        .status
}

async fn nights(estate: &Estate, update: UpdateId) -> BTreeMap<RoomId, NaiveDate> {
    let fleet = estate.fleet().await;
    fleet
        .deployments
        .values()
        .filter(|deployment| deployment.update == update)
        .map(|deployment| (deployment.room, deployment.night))
        .collect()
}

async fn an_update_goes_through_all_rings_room_by_room_in_its_night_s3_s5_s6_t7(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 10), ("Executive", 5)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    assert_eq!(status(&estate, update).await, UpdateStatus::Scheduled);
    estate.live_until("2025-03-04T23:00:00Z", &mut devices).await;
    assert_eq!(estate.fleet().await.deployments.len(), 0);
    estate.live_until("2025-03-12T06:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::InProgress);
    estate.is_sound().await;
    estate.live_until("2025-04-01T23:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::InProgress);
    estate.live_until("2025-04-02T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);

    let fleet = estate.fleet().await;
    let rollout = &fleet.rollouts[&update];
    let starts: Vec<NaiveDate> = rollout.stages.iter().map(|stage| stage.starts_on).collect();
    assert_eq!(starts, [date("2025-03-05"), date("2025-03-12"), date("2025-03-26")]);
    assert_eq!(
        rollout.state,
        RolloutState::Finished {
            at: instant("2025-04-02T00:00:00Z")
        }
    );
    assert_eq!(fleet.deployments.len(), 17);
    assert!(
        fleet
            .deployments
            .values()
            .all(|deployment| matches!(deployment.state, DeploymentState::Completed { .. }))
    );
    let of_ring = |ring| {
        fleet
            .deployments
            .values()
            .filter(move |deployment| deployment.ring == ring)
            .map(|deployment| deployment.night)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        of_ring(rollout.stages[0].ring),
        (5..=6)
            .map(|day| NaiveDate::from_ymd_opt(2025, 3, day).unwrap())
            .collect()
    );
    assert_eq!(
        of_ring(rollout.stages[1].ring),
        (12..=21)
            .map(|day| NaiveDate::from_ymd_opt(2025, 3, day).unwrap())
            .collect()
    );
    assert_eq!(
        of_ring(rollout.stages[2].ring),
        (26..=30)
            .map(|day| NaiveDate::from_ymd_opt(2025, 3, day).unwrap())
            .collect()
    );
    for install in fleet.installs.values() {
        let started = install.started_at.unwrap();
        assert!(started.hour() < 5, "{started}");
        assert_eq!(started.date_naive(), fleet.deployments[&install.deployment].night);
    }
    assert!(fleet.rooms.values().all(|room| {
        room.devices[0]
            .components
            .iter()
            .any(|component| component.version.as_deref() == Some("2.0"))
    }));
    assert_eq!(fleet.tickets.len(), 0);
    estate.is_sound().await;
    let published: Vec<_> = estate
        .audit()
        .await
        .into_iter()
        .filter(|(action, _)| action == "update.published")
        .collect();
    assert_eq!(
        published,
        [(
            "update.published".to_owned(),
            "Published Bar firmware 2.0; it starts on Wed 5 Mar 2025.".to_owned()
        )]
    );
}

async fn a_pause_takes_effect_at_once_and_a_resume_moves_what_lies_ahead_k2_k3(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 10), ("Executive", 5)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let before = nights(&estate, update).await;
    assert!(problem(estate.service.pause(&admin(), update, "  ".into(), None).await).starts_with("reason: "));
    assert!(problem(estate.service.resume(&admin(), update, "why".into()).await).contains("not paused"));
    estate
        .service
        .pause(&admin(), update, "It hums.".into(), None)
        .await
        .unwrap();
    assert!(
        problem(estate.service.pause(&admin(), update, "It hums.".into(), None).await)
            .contains("paused already, by Admin")
    );
    assert_eq!(status(&estate, update).await, UpdateStatus::Paused);
    let calendar = async || {
        let summary = estate
            .service
            .read_snapshot()
            .await
            .unwrap()
            .update(update)
            .await
            .unwrap();
        summary.calendar.iter().map(|stage| stage.starts_on).collect::<Vec<_>>()
    };
    assert_eq!(
        calendar().await,
        [date("2025-03-05"), date("2025-03-12"), date("2025-03-26")]
    );
    // Four nights pass in which nothing starts; a force and a retry are refused.
    estate.live_until("2025-03-17T09:00:00Z", &mut devices).await;
    let fleet = estate.fleet().await;
    assert!(
        fleet
            .installs
            .values()
            .all(|install| install.started_at.is_none_or(|at| at < instant("2025-03-13T12:00:00Z")))
    );
    assert!(
        problem(
            estate
                .service
                .force(
                    &admin(),
                    update,
                    &RoomScope::Rooms(vec![rooms["General 1"]]),
                    Force::Now,
                    "why".into()
                )
                .await
        )
        .contains("paused; resume it first")
    );
    assert!(problem(estate.service.retry_all_failed(&admin(), update).await).contains("paused"));
    assert_eq!(
        calendar().await[2],
        date("2025-03-30"),
        "what would move if it were resumed today stands moved already"
    );
    estate.is_sound().await;

    estate.service.resume(&admin(), update, "Mended.".into()).await.unwrap();
    estate.service.tick().await.unwrap();
    let after = nights(&estate, update).await;
    for (room, night) in &before {
        let done = *night <= date("2025-03-13");
        let expected = if done { *night } else { *night + TimeDelta::days(4) };
        assert_eq!(after[room], expected, "{room}");
    }
    assert_eq!(
        calendar().await,
        [date("2025-03-05"), date("2025-03-12"), date("2025-03-30")]
    );
    estate.is_sound().await;
    estate.live_until("2025-04-06T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);
    assert_eq!(
        estate.fleet().await.rollouts[&update].state,
        RolloutState::Finished {
            at: instant("2025-04-06T00:00:00Z")
        }
    );
    let said: Vec<String> = estate
        .audit()
        .await
        .into_iter()
        .filter(|(action, _)| action.starts_with("rollout."))
        .map(|(_, text)| text)
        .collect();
    assert_eq!(
        said,
        [
            "Bar firmware 2.0 is through all rings.",
            "Resumed Bar firmware 2.0, later dates move by 4 days: Mended.",
            "Paused Bar firmware 2.0: It hums."
        ]
    );
}

async fn retry_puts_back_exactly_the_failed_rooms_and_a_second_click_changes_nothing_k1_k4_t7(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 3), ("General", 4)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    devices.fails = BTreeMap::from([("staging-1".to_owned(), 1), ("general-2".to_owned(), 2)]);
    estate.live_until("2025-04-03T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::CompletedWithFailures);
    let failed = async || {
        let fleet = estate.fleet().await;
        let failed = fleet
            .deployments
            .values()
            .filter(|deployment| matches!(deployment.state, DeploymentState::Failed { .. }));
        failed.map(|deployment| deployment.room).collect::<BTreeSet<_>>()
    };
    assert_eq!(failed().await, BTreeSet::from([rooms["Staging 1"], rooms["General 2"]]));
    let open_tickets = async || {
        let fleet = estate.fleet().await;
        fleet
            .tickets
            .values()
            .filter(|ticket| ticket.state != TicketState::Resolved)
            .map(|ticket| ticket.room)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(open_tickets().await, failed().await);

    assert_eq!(
        estate.service.retry_all_failed(&admin(), update).await.unwrap().rooms,
        2
    );
    let fleet = estate.fleet().await;
    let audit = estate.audit().await;
    assert_eq!(
        estate.service.retry_all_failed(&admin(), update).await.unwrap().rooms,
        0
    );
    assert_eq!(estate.fleet().await, fleet);
    assert_eq!(estate.audit().await, audit);
    assert_eq!(
        audit[0],
        (
            "update.retried".to_owned(),
            "Retried Bar firmware 2.0 in 2 failed rooms.".to_owned()
        )
    );
    let again: Vec<u32> = fleet
        .deployments
        .values()
        .map(|deployment| deployment.attempt)
        .collect();
    assert_eq!(
        (again.iter().filter(|attempt| **attempt == 2).count(), again.len()),
        (2, 7)
    );

    estate.live_until("2025-04-04T06:00:00Z", &mut devices).await;
    assert_eq!(failed().await, BTreeSet::from([rooms["General 2"]]));
    assert_eq!(open_tickets().await, BTreeSet::from([rooms["General 2"]]));
    assert_eq!(status(&estate, update).await, UpdateStatus::CompletedWithFailures);
    estate.is_sound().await;
    estate.service.retry_all_failed(&admin(), update).await.unwrap();
    estate.live_until("2025-04-05T06:00:00Z", &mut devices).await;
    let last = estate.deployment(rooms["General 2"], update).await.unwrap();
    assert_eq!(last.attempt, 3);
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);
    assert_eq!(open_tickets().await, BTreeSet::new());
    estate.is_sound().await;
}

async fn what_is_shown_before_a_retry_is_what_it_does_where_a_newer_update_has_come_k4_s9(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 10), ("Executive", 1)]).await;
    let older = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    devices.fails = (1..=10).map(|number| (format!("general-{number}"), 1)).collect();
    devices.fails.insert("staging-1".to_owned(), 9);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let newer = estate.publish("bar", "3.0", None).await;
    estate.live_until("2025-03-19T00:30:00Z", &mut devices).await;
    let fleet = estate.fleet().await;
    assert_eq!(fleet.rollouts[&newer].stages.len(), 1, "it has come to Staging alone");
    let failed = fleet
        .deployments
        .values()
        .filter(|deployment| deployment.update == older && matches!(deployment.state, DeploymentState::Failed { .. }));
    let failed: BTreeSet<RoomId> = failed.map(|deployment| deployment.room).collect();
    assert!(failed.contains(&rooms["Staging 1"]) && failed.len() > 2, "{failed:?}");

    let plan = estate.service.retry_plan(&admin(), older, 2).await.unwrap();
    assert_eq!((plan.retried.rooms, plan.retried.left_out), (failed.len() - 1, 1));
    assert_eq!(plan.rooms.len(), 2, "so many are named");
    let all = estate.service.retry_plan(&admin(), older, 20).await.unwrap();
    assert_eq!(all.rooms[..2], plan.rooms);
    assert_eq!(estate.fleet().await, fleet, "nothing is written");

    let retried = estate.service.retry_all_failed(&admin(), older).await.unwrap();
    assert_eq!(retried, all.retried);
    for shown in &all.rooms {
        let deployment = estate.deployment(shown.room, older).await.unwrap();
        assert_eq!(deployment.state, DeploymentState::Waiting);
        assert_eq!(
            (deployment.attempt, deployment.night),
            (shown.attempt, shown.window.night)
        );
    }
    let left_out = estate.deployment(rooms["Staging 1"], older).await.unwrap();
    assert!(matches!(left_out.state, DeploymentState::Failed { .. }), "{left_out:?}");
    let again = estate.service.retry_plan(&admin(), older, 20).await.unwrap();
    assert_eq!((again.retried.rooms, again.retried.left_out), (0, 1));
    assert!(again.rooms.is_empty());
}

async fn what_is_shown_before_a_resume_is_what_it_does_k3(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 10), ("Executive", 5)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    assert!(problem(estate.service.resume_plan(&admin(), update).await).contains("not paused"));
    let ahead = async || {
        let mut snapshot = estate.service.read_snapshot().await.unwrap();
        let calendar = snapshot.update(update).await.unwrap().calendar;
        let today = snapshot.organisation.zone.date(snapshot.now);
        let ahead = calendar.into_iter().filter(|stage| stage.test_ends > today);
        ahead.collect::<Vec<_>>()
    };
    let pause = async |until: Option<NaiveDate>| {
        let paused = estate.service.pause(&admin(), update, "It hums.".into(), until).await;
        paused.unwrap();
    };
    pause(Some(date("2025-03-17"))).await;
    assert!(problem(estate.service.pause_plan(&admin(), update, 20).await).contains("paused already, by Admin"));
    let plan = estate.service.resume_plan(&admin(), update).await.unwrap();
    assert_eq!((plan.now.days_later, plan.since), (0, instant("2025-03-13T12:00:00Z")));
    let by_itself = plan.by_itself.unwrap();
    assert_eq!(by_itself.days_later, 4);
    estate.live_until("2025-03-17T06:00:00Z", &mut devices).await;
    assert_eq!(estate.fleet().await.rollouts[&update].state, RolloutState::Running);
    assert_eq!(ahead().await, by_itself.ahead);

    pause(None).await;
    estate.live_until("2025-03-20T06:00:00Z", &mut devices).await;
    let plan = estate.service.resume_plan(&admin(), update).await.unwrap();
    assert_eq!((plan.now.days_later, plan.by_itself), (3, None));
    assert!(matches!(
        estate.fleet().await.rollouts[&update].state,
        RolloutState::Paused { .. }
    ));
    estate.service.resume(&admin(), update, "Mended.".into()).await.unwrap();
    assert_eq!(ahead().await, plan.now.ahead);
    assert_eq!(plan.now.ahead[1].starts_on, date("2025-04-02"));
    estate.service.tick().await.unwrap();
    estate.is_sound().await;
}

async fn a_force_leaves_out_held_and_onboarding_rooms_says_why_and_is_logged_k5_k6(estate: Estate) {
    let mut rooms = estate.rooms(&[("Staging", 1), ("General", 2)]).await;
    let device = |id: &str| serde_json::json!([{ "id": id, "model": "B1", "installed": { "bar": "1.0" } }]);
    let others = serde_json::json!({ "rooms": [
        { "name": "Held", "site": "Harbour", "devices": device("held"),
          "holds": [{ "owner": "Facilities", "reason": "a fair", "since": "2025-03-01", "until": "2025-03-31" }] },
        { "name": "New", "site": "Harbour", "state": "onboarding", "devices": device("new") },
        { "name": "Blocked", "site": "Harbour", "devices": device("blocked"), "blocks": [{ "kind": "firmware", "why": "Logitech Sync is missing" }] },
        { "name": "Done", "site": "Harbour", "devices": [{ "id": "done", "model": "B1", "installed": { "bar": "2.0" } }] },
    ] });
    let file = RoomsFile::parse(&others.to_string()).unwrap();
    let ids = estate.service.import_rooms(&admin(), &file).await.unwrap().ids;
    rooms.extend(
        ["Held", "New", "Blocked", "Done"]
            .map(str::to_owned)
            .into_iter()
            .zip(ids),
    );
    let update = estate.publish("bar", "2.0", None).await;
    estate.service.tick().await.unwrap();
    let all: Vec<RoomId> = rooms
        .values()
        .copied()
        .filter(|room| *room != rooms["General 2"])
        .collect();
    assert!(
        problem(
            estate
                .service
                .force(&admin(), update, &RoomScope::Rooms(all.clone()), Force::Now, "".into())
                .await
        )
        .starts_with("reason: ")
    );
    let forced = estate
        .service
        .force(
            &admin(),
            update,
            &RoomScope::Rooms(all.clone()),
            Force::Now,
            "The board meets here.".into(),
        )
        .await
        .unwrap();
    assert_eq!(
        forced.rooms.iter().copied().collect::<BTreeSet<_>>(),
        BTreeSet::from([rooms["Staging 1"], rooms["General 1"]])
    );
    let sentence = |why: &ForceRefusal| why.sentence("Bar firmware", |date| date.to_string());
    let why = forced.left_out.iter().map(|(room, why)| (*room, sentence(why)));
    let why: BTreeMap<RoomId, String> = why.collect();
    assert_eq!(why.len(), 4);
    assert!(why[&rooms["Held"]].starts_with("Held by Facilities until"), "{why:?}");
    assert_eq!(why[&rooms["New"]], "Onboarding: the room is not scheduled yet.");
    assert_eq!(why[&rooms["Blocked"]], "Not ready: Logitech Sync is missing.");
    assert_eq!(why[&rooms["Done"]], "Already on 2.0.");
    // In the afternoon, before any ring has begun.
    estate.service.tick().await.unwrap();
    for (controller, offer) in [
        ("staging-1", Offer::Install),
        ("general-1", Offer::Install),
        ("general-2", Offer::Nothing),
        ("held", Offer::Nothing),
        ("new", Offer::Nothing),
    ] {
        let answer = estate
            .service
            .poll(&speak(&estate.service, controller).await)
            .await
            .unwrap();
        assert_eq!(answer.offer, offer, "{controller}");
    }
    let again = estate
        .service
        .force(
            &admin(),
            update,
            &RoomScope::Rooms(vec![rooms["General 1"]]),
            Force::Now,
            "Once more.".into(),
        )
        .await
        .unwrap();
    assert_eq!(
        (again.rooms, again.left_out),
        (vec![], vec![(rooms["General 1"], ForceRefusal::AlreadyForced)])
    );
    let forced: Vec<_> = estate
        .audit()
        .await
        .into_iter()
        .filter(|(action, _)| action == "update.forced")
        .map(|(_, text)| text)
        .collect();
    assert_eq!(
        forced,
        [
            "Forced Bar firmware 2.0 in 0 rooms, 1 left out: Once more.",
            "Forced Bar firmware 2.0 in 2 rooms, 4 left out: The board meets here."
        ]
    );
    estate.is_sound().await;
    let mut devices = Devices::of(&rooms.into_iter().filter(|(name, _)| name.contains(' ')).collect());
    estate.live_until("2025-03-04T17:00:00Z", &mut devices).await;
    let done = estate
        .fleet()
        .await
        .deployments
        .values()
        .filter(|deployment| matches!(deployment.state, DeploymentState::Completed { .. }))
        .count();
    assert_eq!(done, 2);
    assert_eq!(estate.fleet().await.rollouts[&update].stages.len(), 0);
    estate.is_sound().await;
}

async fn moved_rooms_catch_up_or_step_back_with_one_audit_entry_each_r12_r13_r14(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 10), ("Executive", 3)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let waiting: Vec<RoomId> = {
        let fleet = estate.fleet().await;
        fleet
            .deployments
            .values()
            .filter(|deployment| deployment.state == DeploymentState::Waiting)
            .map(|deployment| deployment.room)
            .collect()
    };
    let (ahead, back) = (rooms["Executive 1"], waiting[0]);
    let done = estate
        .fleet()
        .await
        .deployments
        .values()
        .find(|deployment| matches!(deployment.state, DeploymentState::Completed { .. }) && waiting.len() == 8)
        .unwrap()
        .room;
    let (general, executive, staging) = (
        estate.ring("General").await,
        estate.ring("Executive").await,
        estate.ring("Staging").await,
    );
    let entries = estate.audit().await.len();
    estate
        .service
        .move_rooms(&admin(), &RoomChoice::Named(vec![ahead]), None, general)
        .await
        .unwrap();
    estate
        .service
        .move_rooms(&admin(), &RoomChoice::Named(vec![back, done]), None, executive)
        .await
        .unwrap();
    estate
        .service
        .move_rooms(&admin(), &RoomChoice::Named(vec![rooms["Executive 2"]]), None, staging)
        .await
        .unwrap();
    estate.service.tick().await.unwrap();
    // Into a ring that is entered or passed: the next window, as a catch-up.
    for room in [ahead, rooms["Executive 2"]] {
        let joined = estate.deployment(room, update).await.unwrap();
        assert_eq!(
            (joined.state, joined.catch_up, joined.night),
            (DeploymentState::Waiting, true, date("2025-03-14"))
        );
    }
    // Into one that is not: what has not started is withdrawn, what is finished stays.
    let left = estate.deployment(back, update).await.unwrap();
    assert!(
        matches!(
            left.state,
            DeploymentState::Withdrawn {
                why: Withdrawal::Moved,
                ..
            }
        ),
        "{left:?}"
    );
    let stays = estate.deployment(done, update).await.unwrap();
    assert!(matches!(stays.state, DeploymentState::Completed { .. }), "{stays:?}");
    let audit = estate.audit().await;
    let moves: Vec<&(String, String)> = audit[..audit.len() - entries].iter().collect();
    assert_eq!(moves.len(), 4, "{moves:?}");
    assert!(moves.iter().all(|(action, _)| action == "room.moved"));
    assert_eq!(moves[0].1, "Moved Executive 2 from Executive to Staging.");
    estate.is_sound().await;
    estate.live_until("2025-04-03T00:00:00Z", &mut devices).await;
    let fleet = estate.fleet().await;
    assert!(
        fleet
            .deployments
            .values()
            .all(|deployment| matches!(deployment.state, DeploymentState::Completed { .. }))
    );
    assert_eq!(fleet.deployments.len(), 14);
    estate.is_sound().await;
}

async fn a_move_is_all_or_nothing_r3_r12(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 2)]).await;
    let (general, executive) = (estate.ring("General").await, estate.ring("Executive").await);
    estate.service.tick().await.unwrap();
    let (before, audit) = (estate.fleet().await, estate.audit().await);
    let nobody = RoomId(uuid::Uuid::from_u128(7));
    let refusals = [
        estate
            .service
            .move_rooms(
                &admin(),
                &RoomChoice::Named(vec![rooms["Staging 1"], nobody]),
                None,
                executive,
            )
            .await,
        estate
            .service
            .move_rooms(
                &admin(),
                &RoomChoice::Named(vec![rooms["Staging 1"], rooms["General 1"]]),
                None,
                general,
            )
            .await,
        estate
            .service
            .move_rooms(
                &admin(),
                &RoomChoice::Named(vec![rooms["Staging 1"]]),
                None,
                domain::ids::RingId(uuid::Uuid::from_u128(9)),
            )
            .await,
        estate
            .service
            .move_rooms(&admin(), &RoomChoice::Named(vec![]), None, executive)
            .await,
    ];
    let said: Vec<String> = refusals.into_iter().map(problem).collect();
    assert_eq!(
        said,
        [
            "A selected room was not found",
            "target ring: General 1 is in General already",
            "target ring: there is no such ring",
            "rooms: select at least one room"
        ]
    );
    assert_eq!(estate.fleet().await, before);
    assert_eq!(estate.audit().await, audit);
}

async fn all_rooms_that_match_are_moved_at_once_if_they_are_those_that_were_seen_r12(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 12), ("Executive", 1)]).await;
    let (general, executive) = (estate.ring("General").await, estate.ring("Executive").await);
    let matching = |words: &str, seen| {
        let filter = RoomFilter {
            words: words.to_owned(),
            ..RoomFilter::default()
        };
        RoomChoice::Matching(filter, seen)
    };
    let (before, audit) = (estate.fleet().await, estate.audit().await);
    let service = &estate.service;
    let stale = service
        .move_rooms(&admin(), &matching("general", 11), None, executive)
        .await;
    assert_eq!(
        problem(stale),
        "the number of matching rooms has changed from 11 to 12; check the list again"
    );
    let nothing = service
        .move_rooms(&admin(), &matching("attic", 0), None, executive)
        .await;
    assert_eq!(problem(nothing), "rooms: no room matches");
    let there = service
        .move_rooms(&admin(), &matching("general", 12), None, general)
        .await;
    assert_eq!(problem(there), "target ring: all of these rooms are in General already");
    assert_eq!(estate.fleet().await, before);
    assert_eq!(estate.audit().await, audit);
    // Two of them are there already; the others come from two rings.
    let moved = service
        .move_rooms(&admin(), &matching("1", 6), None, executive)
        .await
        .unwrap();
    assert_eq!(
        moved,
        MoveOutcome {
            moved: 5,
            there_already: 1
        }
    );
    let fleet = estate.fleet().await;
    let names = [
        "Staging 1",
        "General 1",
        "General 10",
        "General 11",
        "General 12",
        "Executive 1",
    ];
    for name in names {
        assert_eq!(fleet.rooms[&rooms[name]].ring, executive, "{name}");
    }
    assert_eq!(fleet.rooms[&rooms["General 2"]].ring, general);
    let now = estate.audit().await;
    let entries = &now[..now.len() - audit.len()];
    assert_eq!(entries.len(), 5, "one for each room that was moved: {entries:?}");
    assert!(entries.iter().all(|(action, _)| action == "room.moved"));
}

async fn a_pause_with_a_date_ends_by_itself_on_it_k3(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 10)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let before = nights(&estate, update).await;
    let service = &estate.service;
    for (day, why) in [
        (
            "2025-03-13",
            "resumes_on: choose a date after today, Thu 13 Mar 2025, or leave it empty",
        ),
        ("2025-06-12", "resumes_on: at most 90 days ahead; that is 91"),
    ] {
        let refused = service
            .pause(&admin(), update, "It hums.".into(), Some(date(day)))
            .await;
        assert_eq!(problem(refused), why);
    }
    assert_eq!(status(&estate, update).await, UpdateStatus::InProgress);
    service.pause(&admin(), update, "It hums.".into(), None).await.unwrap();
    let other_end = async |end: Option<&str>| {
        let end = end.map(date);
        service
            .set_resume_date(&admin(), update, "The vendor is slow.".into(), end)
            .await
    };
    assert_eq!(
        problem(other_end(Some("2025-03-13")).await),
        "resumes_on: choose a date after today, Thu 13 Mar 2025, or leave it empty"
    );
    assert_eq!(
        problem(other_end(None).await),
        "the pause of Bar firmware 2.0 already has no resume date"
    );
    // An end that comes, goes and moves: the last one counts.
    for (end, said) in [
        (Some("2025-03-14"), "from no date to Fri 14 Mar 2025"),
        (None, "from Fri 14 Mar 2025 to no date"),
        (Some("2025-03-15"), "from no date to Sat 15 Mar 2025"),
        (Some("2025-03-16"), "from Sat 15 Mar 2025 to Sun 16 Mar 2025"),
    ] {
        other_end(end).await.unwrap();
        let (action, summary) = estate.audit().await.into_iter().next().unwrap();
        let expected = format!("Moved the end of the pause of Bar firmware 2.0 {said}: The vendor is slow.");
        assert_eq!((action.as_str(), summary), ("rollout.pause_moved", expected));
        service.tick().await.unwrap();
        estate.is_sound().await;
    }
    estate.live_until("2025-03-15T23:59:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Paused);
    estate.clock.set_to(instant("2025-03-16T00:00:00Z"));
    let dry = service.plan().await.unwrap();
    assert!(
        dry.lines.iter().any(|(_, line)| line == "Its pause is over."),
        "{dry:?}"
    );
    assert_eq!(
        status(&estate, update).await,
        UpdateStatus::Paused,
        "a look changes nothing"
    );
    service.tick().await.unwrap();
    assert_eq!(status(&estate, update).await, UpdateStatus::InProgress);
    assert_eq!(
        problem(other_end(Some("2025-03-20")).await),
        "Bar firmware 2.0 is not paused"
    );
    let after = nights(&estate, update).await;
    for (room, night) in &before {
        let done = *night <= date("2025-03-13");
        let expected = if done { *night } else { *night + TimeDelta::days(3) };
        assert_eq!(after[room], expected, "{room}");
    }
    let (action, said) = estate.audit().await.into_iter().next().unwrap();
    assert_eq!(
        (action.as_str(), said.as_str()),
        (
            "rollout.resumed",
            "Resumed Bar firmware 2.0 on the date that its pause was given; later dates move by 3 days."
        )
    );
    estate.is_sound().await;
    estate.live_until("2025-04-10T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);
    estate.is_sound().await;
}

async fn a_room_is_suppressed_as_long_as_its_tickets_are_i3_i4(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2)]).await;
    estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    devices.fails.insert("staging-1".to_owned(), 9);
    estate.live_until("2025-03-06T12:00:00Z", &mut devices).await;
    let id = rooms["Staging 1"];
    let health = async || {
        let mut snapshot = estate.service.read_snapshot().await.unwrap();
        let work = snapshot
            .tx
            .work_in(&[id], snapshot.now)
            .await
            .unwrap()
            .remove(&id)
            .unwrap();
        let all = snapshot.rooms_by_health().await.unwrap();
        let here = snapshot.health_facts(RoomState::Managed, &work).health();
        assert!(all.contains_key(&here), "the counts say the same: {all:?}");
        let unhealthy = RoomFilter {
            unhealthy_at: Some(snapshot.now),
            ..RoomFilter::default()
        };
        let listed = snapshot.tx.room_page(&unhealthy, 10).await.unwrap();
        let listed: Vec<RoomId> = listed.into_iter().map(|room| room.id).collect();
        let expected = if here == Health::Unhealthy {
            vec![id]
        } else {
            Vec::new()
        };
        assert_eq!(listed, expected, "the list of the unhealthy ones says the same (P0)");
        let found = snapshot.rooms_found(&unhealthy).await.unwrap();
        assert_eq!(usize::try_from(found).unwrap(), expected.len());
        here
    };
    let open = TicketFilter {
        words: String::new(),
        state: String::new(),
        severity: String::new(),
        now: estate.clock.now(),
    };
    let mut tx = estate.service.store().read().await.unwrap();
    let tickets = tx.tickets(&open, 10, 0).await.unwrap();
    drop(tx);
    let ticket = tickets[0].number;
    assert_ne!(health().await, Health::Unhealthy, "a warning changes nothing");
    // As a ticket of the device itself would be; those of failed updates are warnings.
    estate.execute("UPDATE tickets SET severity = 'critical'").await;
    estate
        .execute("UPDATE devices SET last_seen_at = 4102444800000000")
        .await;
    assert_eq!(health().await, Health::Unhealthy);
    estate
        .service
        .suppress_ticket(&admin(), ticket, date("2025-03-07"), "Its bar is exchanged.".into())
        .await
        .unwrap();
    assert_eq!(health().await, Health::Suppressed);
    estate.live_until("2025-03-07T23:59:59Z", &mut devices).await;
    assert_eq!(health().await, Health::Suppressed);
    estate.live_until("2025-03-08T00:00:00Z", &mut devices).await;
    assert_eq!(health().await, Health::Unhealthy);
}

async fn rings_are_added_edited_and_deleted_within_sixty_days_r2_r8_r9_r11(estate: Estate) {
    let service = &estate.service;
    let rooms = estate.rooms(&[("Staging", 1), ("General", 1)]).await;
    // 28 of the 60 days are taken: 33 more are refused with both numbers, 32 accepted.
    let too_long = problem(service.add_ring(&admin(), draft("Pilots", Some(3), 30, 3)).await);
    assert!(
        too_long.contains("33") && too_long.contains("32") && too_long.contains("60"),
        "{too_long}"
    );
    let pilots = service
        .add_ring(&admin(), draft(" Pilots ", Some(3), 30, 2))
        .await
        .unwrap();
    let rings = service.read_snapshot().await.unwrap().rings;
    assert_eq!(
        (rings.total_days(), rings.get(pilots).unwrap().name.as_str()),
        (60, "Pilots")
    );
    assert!(
        problem(
            service
                .edit_ring(&admin(), pilots, None, draft("Pilots", Some(3), 30, 3))
                .await
        )
        .contains("60")
    );
    assert!(
        problem(service.add_ring(&admin(), draft("pilots", Some(4), 1, 0)).await)
            .contains("there is a ring named Pilots already")
    );
    service
        .edit_ring(&admin(), pilots, None, draft("Pilots", Some(3), 3, 4))
        .await
        .unwrap();
    let taken = problem(service.add_ring(&admin(), draft("Second", Some(5), 1, 0)).await);
    assert_eq!(taken, "order: 5 belongs to General; two rings never share an order");
    let no_days = problem(service.add_ring(&admin(), draft("Second", Some(6), 0, 3)).await);
    assert!(no_days.contains("at least 1 day"), "{no_days}");

    // Preconfigured ones stay.
    for name in ["Staging", "General", "Executive"] {
        let said = problem(service.delete_ring(&admin(), estate.ring(name).await, None).await);
        assert_eq!(said, format!("{name} is a preconfigured ring and cannot be deleted"));
    }
    // Rooms go to General, or where somebody wants them.
    service
        .move_rooms(&admin(), &RoomChoice::Named(vec![rooms["Staging 1"]]), None, pilots)
        .await
        .unwrap();
    let wrong = service.delete_ring(&admin(), pilots, Some(pilots)).await;
    assert!(problem(wrong).contains("there is no such ring"));
    service.delete_ring(&admin(), pilots, None).await.unwrap();
    assert_eq!(
        estate.fleet().await.rooms[&rooms["Staging 1"]].ring,
        estate.ring("General").await
    );
    let second = service
        .add_ring(&admin(), draft("Second", Some(9), 1, 0))
        .await
        .unwrap();
    service
        .move_rooms(&admin(), &RoomChoice::Named(vec![rooms["Staging 1"]]), None, second)
        .await
        .unwrap();
    let executive = estate.ring("Executive").await;
    service.delete_ring(&admin(), second, Some(executive)).await.unwrap();
    assert_eq!(estate.fleet().await.rooms[&rooms["Staging 1"]].ring, executive);
    assert!(matches!(
        service.delete_ring(&admin(), second, None).await,
        Err(ServiceError::NotFound { .. })
    ));
    let deleted: Vec<_> = estate
        .audit()
        .await
        .into_iter()
        .filter(|(action, _)| action == "ring.deleted")
        .map(|(_, text)| text)
        .collect();
    assert_eq!(
        deleted,
        [
            "Deleted the ring Second; 1 room went to Executive.",
            "Deleted the ring Pilots; 1 room went to General."
        ]
    );
    service.tick().await.unwrap();
    estate.is_sound().await;
}

async fn a_running_rollout_keeps_the_rings_it_has_entered_r10(estate: Estate) {
    let service = &estate.service;
    let rooms = estate.rooms(&[("Staging", 1), ("General", 2), ("Executive", 1)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let (staging, executive) = (estate.ring("Staging").await, estate.ring("Executive").await);
    service
        .edit_ring(&admin(), staging, None, draft("Staging", None, 1, 0))
        .await
        .unwrap();
    service
        .edit_ring(&admin(), executive, None, draft("Executive", None, 3, 1))
        .await
        .unwrap();
    // New before General: skipped. Between General and Executive: on the way.
    service.add_ring(&admin(), draft("Early", Some(2), 4, 0)).await.unwrap();
    service.add_ring(&admin(), draft("Late", Some(8), 2, 2)).await.unwrap();
    service.tick().await.unwrap();
    let calendar: Vec<(String, NaiveDate, NaiveDate)> = {
        let summary = service.read_snapshot().await.unwrap().update(update).await.unwrap();
        summary
            .calendar
            .into_iter()
            .map(|stage| (stage.name, stage.starts_on, stage.test_ends))
            .collect()
    };
    let expected = [
        ("Staging", "2025-03-05", "2025-03-12"),
        ("General", "2025-03-12", "2025-03-26"),
        ("Late", "2025-03-26", "2025-03-30"),
        ("Executive", "2025-03-30", "2025-04-03"),
    ];
    assert_eq!(
        calendar,
        expected.map(|(name, starts, ends)| (name.to_owned(), date(starts), date(ends)))
    );
    // Today's rings have 1 + 4 + 14 + 4 + 4 = 27 days, the rollout's 7 + 14 + 4 + 4 = 29: 35 for Executive fit today's only.
    let refused = problem(
        service
            .edit_ring(&admin(), executive, None, draft("Executive", None, 30, 6))
            .await,
    );
    assert_eq!(
        refused,
        "rollout duration: the running rollout of Bar firmware 2.0 would take 61 days; at most 60 are allowed"
    );
    service
        .edit_ring(&admin(), executive, None, draft("Executive", None, 30, 5))
        .await
        .unwrap();
    service.tick().await.unwrap();
    estate.is_sound().await;
}

async fn a_ring_stays_while_an_update_is_inside_it_r11(estate: Estate) {
    let service = &estate.service;
    let pilots = service
        .add_ring(&admin(), draft("Pilots", Some(3), 2, 1))
        .await
        .unwrap();
    let rooms = estate.rooms(&[("Staging", 1), ("Pilots", 2), ("General", 1)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let (before, audit) = (estate.fleet().await, estate.audit().await);
    let refused = problem(service.delete_ring(&admin(), pilots, None).await);
    assert!(
        refused.contains("Bar firmware 2.0 is inside this ring until Fri 14 Mar 2025"),
        "{refused}"
    );
    assert_eq!((estate.fleet().await, estate.audit().await), (before, audit));
    estate.live_until("2025-03-15T12:00:00Z", &mut devices).await;
    service.delete_ring(&admin(), pilots, None).await.unwrap();
    service.tick().await.unwrap();
    estate.is_sound().await;
    estate.live_until("2025-04-10T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);
    assert_eq!(estate.fleet().await.deployments.len(), 4);
}

async fn publishing_is_refused_with_one_sentence_s4_s7_g5(estate: Estate) {
    let service = &estate.service;
    let bar = domain::ids::ProductId("bar".to_owned());
    let publish = async |version: &str, severity| service.publish(&admin(), &bar, version, severity).await;
    let audit = estate.audit().await;
    assert_eq!(problem(publish("9.9", None).await), "Release 9.9 of bar was not found");
    assert!(problem(publish("2.0", None).await).contains("has no file"));
    assert_eq!(estate.audit().await, audit);
    estate.add_file("bar", "2.0").await;
    // Critical: today, Tuesday.
    let published = publish("2.0", Some(Severity::Critical)).await.unwrap();
    assert_eq!(published.starts_on, date("2025-03-04"));
    assert!(problem(publish("2.0", None).await).contains("published already"));
    // A Wednesday morning waits for the next one.
    estate.at("2025-03-05T09:00:00Z");
    estate.add_file("bar", "3.0").await;
    assert_eq!(publish("3.0", None).await.unwrap().starts_on, date("2025-03-12"));
}

async fn an_idle_tick_writes_nothing_s14(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 3)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    estate.service.tick().await.unwrap();
    assert_eq!(
        estate.service.next_due().await.unwrap(),
        Some(instant("2025-03-05T00:00:00Z"))
    );
    let (fleet, audit) = (estate.fleet().await, estate.audit().await);
    for minute in 0..5 {
        estate.at(&format!("2025-03-04T20:0{minute}:00Z"));
        let report = estate.service.tick().await.unwrap();
        assert_eq!((report.rounds, report.lines.len(), report.elsewhere), (0, 0, false));
    }
    assert_eq!((estate.fleet().await, estate.audit().await), (fleet, audit));
    // Its next instant moves with the work.
    estate.at_and_tick("2025-03-05T00:00:00Z").await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-04-03T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);
    assert_eq!(estate.service.next_due().await.unwrap(), None);
}

async fn a_dry_run_says_what_a_tick_would_do_and_writes_nothing_g1(estate: Estate) {
    estate.rooms(&[("Staging", 2), ("General", 2)]).await;
    estate.publish("bar", "2.0", None).await;
    estate.service.tick().await.unwrap();
    estate.at("2025-03-05T00:00:00Z");
    let before = estate.fleet().await;
    let plan = estate.service.plan().await.unwrap();
    assert!(plan.writes);
    assert!(
        plan.lines
            .iter()
            .any(|(about, text)| about == "Bar firmware 2.0" && text == "Enters Staging: 2 rooms in 2 nights."),
        "{:?}",
        plan.lines
    );
    assert_eq!(estate.fleet().await, before);
    let twice = estate.service.plan().await.unwrap();
    assert_eq!(twice.lines, plan.lines);
    estate.service.tick().await.unwrap();
    assert_ne!(estate.fleet().await, before);
    estate.is_sound().await;
}

async fn a_room_explains_every_update_that_it_could_get_t5_g6(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 2)]).await;
    let bar = estate.publish("bar", "2.0", None).await;
    estate.publish("app", "11", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-05T12:00:00Z", &mut devices).await;
    let explain = async |which: &str| {
        let told = estate.service.explain_room(&which.into()).await.unwrap();
        let updates = told
            .updates
            .into_iter()
            .map(|update| (update.update, (update.status, update.why, update.next_window)));
        (told.room, told.ring, updates.collect::<BTreeMap<_, _>>())
    };
    let (room, ring, updates) = explain("general 1").await;
    assert_eq!(
        (room.as_str(), ring.as_str(), updates.len()),
        ("General 1", "General", 2)
    );
    for title in ["Bar firmware 2.0", "Room app 11"] {
        let (status, why, window) = &updates[title];
        assert_eq!((status.as_str(), window), ("Not required", &None));
        assert_eq!(why, "General starts Wed 12 Mar.");
    }
    // By its id, and after a move into the ring that is under way.
    estate
        .service
        .move_rooms(
            &admin(),
            &RoomChoice::Named(vec![rooms["General 2"]]),
            None,
            estate.ring("Staging").await,
        )
        .await
        .unwrap();
    estate.service.tick().await.unwrap();
    let (_, _, updates) = explain(&rooms["General 2"].to_string()).await;
    let (status, why, window) = &updates["Bar firmware 2.0"];
    assert_eq!(
        (status.as_str(), why.as_str()),
        (
            "Scheduled",
            "Catch-up: joined the rollout after it had reached Staging."
        )
    );
    assert!(
        window.as_deref().is_some_and(|window| window.contains("6 Mar")),
        "{window:?}"
    );
    let (_, _, updates) = explain("Staging 1").await;
    assert_eq!(updates["Bar firmware 2.0"].0, "Completed");
    estate
        .service
        .pause(&admin(), bar, "It hums.".into(), None)
        .await
        .unwrap();
    let (_, _, updates) = explain("General 2").await;
    assert_eq!(
        (
            updates["Bar firmware 2.0"].0.as_str(),
            updates["Bar firmware 2.0"].1.as_str()
        ),
        ("Paused", "Paused by Admin: It hums.")
    );
    assert_eq!(
        problem(estate.service.explain_room(&"Nowhere".into()).await.map(drop)),
        "Room \"Nowhere\" was not found"
    );
}

async fn failures_are_acknowledged_once_the_rollout_is_over_t9(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 1)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    devices.fails = BTreeMap::from([("general-1".to_owned(), 9)]);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let early = estate.service.acknowledge(&admin(), update, "Seen.".into()).await;
    assert!(problem(early).contains("not completed with failures"));
    estate.live_until("2025-04-03T00:00:00Z", &mut devices).await;
    let active = async || {
        estate
            .service
            .read_snapshot()
            .await
            .unwrap()
            .updates(false)
            .await
            .unwrap()
            .len()
    };
    assert_eq!(active().await, 1);
    assert!(problem(estate.service.acknowledge(&admin(), update, " ".into()).await).starts_with("reason: "));
    estate
        .service
        .acknowledge(&admin(), update, "The room is rebuilt.".into())
        .await
        .unwrap();
    assert_eq!(active().await, 0);
    let past = estate
        .service
        .read_snapshot()
        .await
        .unwrap()
        .updates(true)
        .await
        .unwrap();
    assert_eq!(
        past.iter().map(|summary| summary.status).collect::<Vec<_>>(),
        [UpdateStatus::CompletedWithFailures]
    );
}

async fn a_newer_update_supersedes_what_has_not_finished_its_staging_test_s9(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 4)]).await;
    let older = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-05T12:00:00Z", &mut devices).await;
    let newer = estate.publish("bar", "3.0", None).await;
    assert_eq!(status(&estate, older).await, UpdateStatus::Deprecated);
    estate.service.tick().await.unwrap();
    let fleet = estate.fleet().await;
    assert_eq!(fleet.rollouts[&older].superseded_by, [newer]);
    let of_older = fleet
        .deployments
        .values()
        .filter(|deployment| deployment.update == older);
    let (done, withdrawn): (Vec<_>, Vec<_>) =
        of_older.partition(|deployment| matches!(deployment.state, DeploymentState::Completed { .. }));
    assert_eq!((done.len(), withdrawn.len()), (1, 1), "the second night had not come");
    assert_eq!(withdrawn[0].reason.sentence(), "Superseded by Bar firmware 3.0.");
    estate.live_until("2025-04-10T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, newer).await, UpdateStatus::Completed);
    estate.is_sound().await;
    let said: Vec<String> = estate.audit().await.into_iter().map(|(_, summary)| summary).collect();
    assert!(
        said.contains(&"Bar firmware 2.0 was superseded by Bar firmware 3.0.".to_owned()),
        "{said:?}"
    );
}

async fn a_superseded_update_goes_on_ahead_of_the_newer_one_s9(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 10), ("Executive", 5)]).await;
    let older = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let newer = estate.publish("bar", "3.0", None).await;
    assert_eq!(
        status(&estate, older).await,
        UpdateStatus::InProgress,
        "the starvation guard"
    );
    // Paused for so long that the newer one comes to General first.
    estate
        .service
        .pause(&admin(), older, "It hums.".into(), None)
        .await
        .unwrap();
    estate.live_until("2025-03-26T12:00:00Z", &mut devices).await;
    let fleet = estate.fleet().await;
    let given_way = fleet.deployments.values().filter(|deployment| {
        deployment.update == older && deployment.reason.sentence() == "Superseded by Bar firmware 3.0."
    });
    assert_eq!(given_way.count(), 8, "two of ten had their night before the pause");
    estate.service.resume(&admin(), older, "Mended.".into()).await.unwrap();
    estate.live_until("2025-04-09T12:00:00Z", &mut devices).await;
    let now = estate.fleet().await.rollouts[&older].state.clone();
    let RolloutState::Deprecated { reason, .. } = now else {
        panic!("{now:?}")
    };
    assert_eq!(
        reason.sentence(),
        "Superseded by Bar firmware 3.0.",
        "the newer one has entered Executive"
    );
    estate.live_until("2025-05-01T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, newer).await, UpdateStatus::Completed);
    estate.is_sound().await;
}

async fn a_freeze_moves_the_plan_and_is_refused_with_one_sentence_w6(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 10), ("Executive", 5)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let before = nights(&estate, update).await;
    let freeze = async |scope, from: &str, until: &str| {
        estate
            .service
            .freeze(&admin(), scope, date(from), date(until), "trade fair".into())
            .await
    };
    let everybody = FreezeScope::Organisation;
    assert_eq!(
        problem(freeze(everybody, "2025-03-12", "2025-03-15").await),
        "first date: 2025-03-12 has passed; it is 2025-03-13"
    );
    assert_eq!(
        problem(freeze(everybody, "2025-03-14", "2025-04-13").await),
        "last date: 2025-03-14 to 2025-04-13 would be 31 frozen days in a row; at most 30 are allowed"
    );
    let nowhere = FreezeScope::Room(RoomId(uuid::Uuid::from_u128(7)));
    assert_eq!(
        problem(freeze(nowhere, "2025-03-14", "2025-03-15").await),
        "scope: there is no such room"
    );
    assert_eq!(nights(&estate, update).await, before, "nothing has changed");

    freeze(everybody, "2025-03-15", "2025-03-18").await.unwrap();
    let general = estate.ring("General").await;
    assert_eq!(
        problem(freeze(FreezeScope::Ring(general), "2025-04-01", "2025-04-02").await),
        "first date: only 13 free days between 2025-03-18 and 2025-04-01; these rooms need at least 14 between two freezes"
    );
    estate.service.tick().await.unwrap();
    let after = nights(&estate, update).await;
    for (room, night) in &before {
        let moved = if *night < date("2025-03-15") {
            *night
        } else {
            *night + TimeDelta::days(4)
        };
        assert_eq!(after[room], moved, "{room}");
    }
    let summary = estate
        .service
        .read_snapshot()
        .await
        .unwrap()
        .update(update)
        .await
        .unwrap();
    assert_eq!(
        summary.calendar[2].starts_on,
        date("2025-03-30"),
        "the dates include it"
    );
    // A room's own freeze moves that room only.
    let (room, night) = after.iter().max_by_key(|(_, night)| **night).unwrap();
    freeze(FreezeScope::Room(*room), "2025-04-02", "2025-04-03")
        .await
        .unwrap();
    estate.service.tick().await.unwrap();
    assert_eq!(nights(&estate, update).await[room], *night);
    estate.live_until("2025-04-06T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);
    let starts = estate
        .fleet()
        .await
        .installs
        .into_values()
        .filter_map(|install| install.started_at);
    let frozen = instant("2025-03-15T00:00:00Z")..instant("2025-03-19T00:00:00Z");
    assert!(starts.into_iter().all(|started| !frozen.contains(&started)));
    estate.is_sound().await;
}

async fn a_freeze_that_is_lifted_gives_the_plan_its_dates_back_w6(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 10), ("Executive", 5)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let before = nights(&estate, update).await;
    let service = &estate.service;
    let general = FreezeScope::Ring(estate.ring("General").await);
    let freeze = async |from: &str, until: &str| {
        service
            .freeze(&admin(), general, date(from), date(until), "trade fair".into())
            .await
            .unwrap()
    };
    // Before it has begun, it is as if it had never been.
    let early = freeze("2025-03-15", "2025-03-18").await;
    service
        .lift_freeze(&admin(), early, "The fair is off.".into())
        .await
        .unwrap();
    service.tick().await.unwrap();
    assert_eq!(nights(&estate, update).await, before);
    assert_eq!(
        problem(service.lift_freeze(&admin(), early, "again".into()).await),
        "This freeze was not found"
    );
    // In the middle of it, what was frozen stays, and the rest comes back.
    let late = freeze("2025-03-15", "2025-03-20").await;
    estate.live_until("2025-03-17T12:00:00Z", &mut devices).await;
    service
        .lift_freeze(&admin(), late, "The fair is over early.".into())
        .await
        .unwrap();
    service.tick().await.unwrap();
    let after = nights(&estate, update).await;
    for (room, night) in &before {
        let moved = if *night < date("2025-03-15") {
            *night
        } else {
            *night + TimeDelta::days(3)
        };
        assert_eq!(after[room], moved, "{room}: the 15th to the 17th were lost");
    }
    assert!(
        problem(service.lift_freeze(&admin(), late, "again".into()).await).contains("its last date is Mon 17 Mar 2025")
    );
    estate.live_until("2025-04-06T00:00:00Z", &mut devices).await;
    assert_eq!(status(&estate, update).await, UpdateStatus::Completed);
    estate.is_sound().await;
}

async fn a_room_takes_the_step_that_an_update_needs_first_s8(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2)]).await;
    let mut devices = Devices::of(&rooms);
    // In the portfolio with its file, and not published.
    estate.add_file("bar", "3.0").await;
    let update = estate.publish("bar", "4.0", None).await;
    estate.live_until("2025-03-06T12:00:00Z", &mut devices).await;
    let fleet = estate.fleet().await;
    for room in rooms.values() {
        let deployment = fleet.deployment_of(*room, update).unwrap();
        assert!(
            matches!(deployment.state, DeploymentState::Completed { .. }),
            "{deployment:?}"
        );
        let of = fleet
            .installs
            .values()
            .filter(|install| install.deployment == deployment.id);
        let versions: Vec<&str> = of
            .map(|install| fleet.updates[&install.update].version.as_str())
            .collect();
        assert_eq!(versions, ["3.0", "4.0"]);
    }
    estate.is_sound().await;
}

async fn a_hold_that_ends_lets_the_room_catch_up_s11(estate: Estate) {
    let held = serde_json::json!({ "rooms": [{ "name": "Held", "site": "Harbour", "ring": "Staging",
        "devices": [{ "id": "held", "model": "B1", "installed": { "bar": "1.0" } }],
        "holds": [{ "owner": "Facilities", "reason": "microphones on trial", "since": "2025-03-01", "until": "2025-03-10" }] }] });
    let file = RoomsFile::parse(&held.to_string()).unwrap();
    estate.rooms(&[("General", 1)]).await;
    let room = estate.service.import_rooms(&admin(), &file).await.unwrap().ids[0];
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::default();
    estate.live_until("2025-03-10T23:00:00Z", &mut devices).await;
    assert_eq!(
        estate.deployment(room, update).await,
        None,
        "held while its ring had its nights"
    );
    estate.live_until("2025-03-11T00:30:00Z", &mut devices).await;
    let deployment = estate.deployment(room, update).await.expect("its hold has ended");
    assert!(deployment.catch_up, "{deployment:?}");
    estate.is_sound().await;
}

async fn automatic_mode_concerns_updates_published_later_s12(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 4), ("Executive", 5)]).await;
    let by_ring = estate.publish("app", "11", None).await;
    let mut organisation = estate.fleet().await.organisation;
    organisation.settings.mode = Mode::Automatic;
    store::write!(estate.service.store(), tx => { tx.put_organisation(&organisation).await }).unwrap();
    let automatic = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-10T00:00:00Z", &mut devices).await;
    assert_eq!(
        status(&estate, automatic).await,
        UpdateStatus::Completed,
        "five nights and no test days"
    );
    assert_eq!(status(&estate, by_ring).await, UpdateStatus::InProgress);
    let fleet = estate.fleet().await;
    let stages = &fleet.rollouts[&automatic].stages;
    assert_eq!(
        (stages.len(), stages[0].name.as_str(), stages[0].rooms),
        (1, "All rooms", 10)
    );
    assert_eq!(
        fleet.rollouts[&by_ring].stages.len(),
        1,
        "General's turn is on the 12th"
    );
    estate.is_sound().await;
}

async fn a_ring_that_an_edit_puts_behind_a_rollout_is_caught_up_r10_r14(estate: Estate) {
    let pilots = estate
        .service
        .add_ring(&admin(), draft("Pilots", Some(7), 2, 1))
        .await
        .unwrap();
    let rooms = estate.rooms(&[("Staging", 1), ("General", 2), ("Pilots", 2)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    assert_eq!(estate.deployment(rooms["Pilots 1"], update).await, None);
    estate
        .service
        .edit_ring(&admin(), pilots, None, draft("Pilots", Some(2), 2, 1))
        .await
        .unwrap();
    estate.live_until("2025-03-14T12:00:00Z", &mut devices).await;
    for name in ["Pilots 1", "Pilots 2"] {
        let deployment = estate.deployment(rooms[name], update).await.expect("a catch-up");
        assert!(
            deployment.catch_up && matches!(deployment.state, DeploymentState::Completed { .. }),
            "{deployment:?}"
        );
    }
    estate.is_sound().await;
}
