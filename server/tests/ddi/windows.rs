//! When a device is offered its work: its window, a pause, a force (W1, W4, K3, K5).

use chrono::TimeDelta;
use domain::deployment::{DeploymentState, Failure, Force};
use domain::install::InstallState;
use domain::settings::Settings;
use domain::status::RoomStatus;
use domain::ticket::TicketStatus;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Engine, House, Options, action_in, actor, both_engines, content, link};

use crate::{DEVICE, ROOM, download_link, sleep_of};

both_engines![
    a_device_without_windows_of_its_own_is_never_told_to_skip_ddi_2_1,
    a_window_aware_device_may_fetch_ahead_and_is_told_to_skip_ddi_2_1,
    the_user_agent_of_rauc_makes_a_device_window_aware_ddi_2_1,
    nothing_is_offered_outside_the_window_or_when_the_minutes_no_longer_fit_w1,
    a_device_that_never_shows_up_in_two_windows_is_unreachable_w4,
    a_device_that_is_offered_its_work_and_never_starts_fails_as_not_started_w4,
    a_paused_update_is_withheld_and_its_words_are_refused_k3,
    a_force_skips_the_window_with_the_next_poll_k5,
    a_force_that_waits_for_the_room_asks_at_every_poll_and_starts_when_it_is_free_k5,
];

async fn a_device_without_windows_of_its_own_is_never_told_to_skip_ddi_2_1(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    let (opens, _) = house.until_prepared(DEVICE).await;
    house.report_version(DEVICE, "1.0").await;
    for minutes in [59, 30, 1] {
        house.at(opens - TimeDelta::minutes(minutes)).await;
        assert_eq!(house.offered(DEVICE).await, None, "{minutes} minutes before the window");
    }
    house.at(opens).await;
    let href = house.offered(DEVICE).await.expect("work");
    let work = house.get(DEVICE, &href).await.json();
    assert_eq!(work["deployment"]["update"], "forced");
    assert_eq!(work["deployment"]["download"], "forced");
    assert_eq!(work["deployment"]["maintenanceWindow"], Value::Null);
}

async fn a_window_aware_device_may_fetch_ahead_and_is_told_to_skip_ddi_2_1(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    let answer = house
        .config(
            DEVICE,
            &json!({ "data": { "ddi.window": "aware", "sw_version": "1.0" } }),
        )
        .await;
    assert_eq!(answer.status, 200);
    let (opens, _) = house.until_prepared(DEVICE).await;
    let ahead = house.offered(DEVICE).await.expect("work to fetch ahead");
    let work = house.get(DEVICE, &ahead).await.json();
    assert_eq!(work["deployment"]["update"], "skip");
    assert_eq!(work["deployment"]["maintenanceWindow"], "unavailable");
    // It fetches ahead, and that is no start.
    let file = download_link(&work);
    assert_eq!(house.get(DEVICE, &file).await.body, content("2.0"));
    let install = house.open_install(DEVICE).await.expect("an install");
    assert_eq!(install.state, InstallState::Planned);
    // Nor is talking about it.
    let action = action_in(&ahead);
    for execution in ["proceeding", "download", "downloaded"] {
        assert_eq!(house.say(DEVICE, &action, execution, "none", &["ahead"]).await, 200);
    }
    assert_eq!(house.install(&action).await.state, InstallState::Planned, "W1");
    assert_eq!(house.offered(DEVICE).await, Some(ahead.clone()), "it is still to skip");
    house.at(opens).await;
    let inside = house.offered(DEVICE).await.expect("work");
    assert_ne!(ahead, inside, "the link changes with the offer");
    let work = house.get(DEVICE, &inside).await.json();
    assert_eq!(work["deployment"]["update"], "forced");
    assert_eq!(work["deployment"]["maintenanceWindow"], "available");
}

async fn the_user_agent_of_rauc_makes_a_device_window_aware_ddi_2_1(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.until_prepared(DEVICE).await;
    let agent = [("user-agent", "rauc-hawkbit-c-agent/1.0")];
    let poll = house.ask(Method::GET, DEVICE, "", &agent, Vec::new()).await.json();
    let href = link(&poll, "deploymentBase").expect("work to fetch ahead");
    let work = house.ask(Method::GET, DEVICE, &href, &agent, Vec::new()).await.json();
    assert_eq!(work["deployment"]["update"], "skip");
    let file = house
        .ask(Method::GET, DEVICE, &download_link(&work), &agent, Vec::new())
        .await;
    assert_eq!(file.status, 200);
    assert_eq!(house.offered(DEVICE).await, None, "another user agent is not told so");
}

async fn nothing_is_offered_outside_the_window_or_when_the_minutes_no_longer_fit_w1(engine: Engine) {
    // It comes in three nights and starts in none.
    let settings = Settings {
        unreachable_after_windows: 3,
        ..Settings::default()
    };
    let options = Options {
        settings,
        ..Options::default()
    };
    let house = House::with(engine, options).await;
    let update = house.publish("2.0").await;
    assert_eq!(house.offered(DEVICE).await, None, "days before");
    let (opens, closes) = house.until_prepared(DEVICE).await;
    let london = opens.format("%H:%M").to_string();
    assert_eq!((london.as_str(), closes - opens), ("00:00", TimeDelta::hours(5)));
    let told = [
        (opens - TimeDelta::seconds(1), false),
        (opens, true),
        (closes - TimeDelta::minutes(20), true),
        (closes - TimeDelta::minutes(20) + TimeDelta::seconds(1), false),
        (closes, false),
        (closes + TimeDelta::hours(3), false),
    ];
    for (instant, offered) in told {
        house.at(instant).await;
        assert_eq!(house.offered(DEVICE).await.is_some(), offered, "{instant}");
    }
    assert_eq!(
        house.status(ROOM, update).await,
        RoomStatus::Scheduled,
        "W4: it waits for the next one"
    );
    let (next, _) = house.enter_window(DEVICE).await;
    assert_eq!(next - opens, TimeDelta::days(1));
    assert!(house.offered(DEVICE).await.is_some());
}

async fn a_device_that_never_shows_up_in_two_windows_is_unreachable_w4(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    // One that polls in its window, too late to start, has shown up.
    let (_, closes) = house.until_planned(DEVICE).await;
    house.at(closes - TimeDelta::minutes(1)).await;
    assert_eq!(house.offered(DEVICE).await, None);
    house.at(closes).await;
    for missed in [1, 2] {
        let deployment = house.deployment(ROOM, update).await.expect("a deployment");
        assert_eq!(deployment.missed_windows, missed - 1);
        assert_eq!(house.status(ROOM, update).await, RoomStatus::Scheduled);
        let (_, closes) = house.until_planned(DEVICE).await;
        house.at(closes).await;
    }
    let deployment = house.deployment(ROOM, update).await.expect("a deployment");
    assert!(
        matches!(
            deployment.state,
            DeploymentState::Failed {
                failure: Failure::Unreachable,
                ..
            }
        ),
        "{deployment:?}"
    );
    assert_eq!(house.ticket(ROOM, update).await, Some(TicketStatus::NeedsAction));
    assert_eq!(house.offered(DEVICE).await, None);
}

async fn a_device_that_is_offered_its_work_and_never_starts_fails_as_not_started_w4(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    for offered in [1, 2] {
        let (_, closes) = house.enter_window(DEVICE).await;
        assert!(house.offered(DEVICE).await.is_some(), "night {offered}");
        house.at(closes).await;
        let deployment = house.deployment(ROOM, update).await.expect("a deployment");
        assert_eq!(deployment.missed_windows, offered);
        assert_eq!(deployment.offered_windows, offered);
        assert_eq!(deployment.crowded_windows, 0, "S7: there was space");
    }
    let deployment = house.deployment(ROOM, update).await.expect("a deployment");
    assert!(
        matches!(
            deployment.state,
            DeploymentState::Failed {
                failure: Failure::NotStarted,
                ..
            }
        ),
        "{deployment:?}"
    );
    let reason = deployment.reason.sentence();
    assert!(
        reason.starts_with("Not started in 2 windows; a device was offered it in 2 of them."),
        "{reason}"
    );
    assert_eq!(house.ticket(ROOM, update).await, Some(TicketStatus::NeedsAction));
    assert_eq!(house.offered(DEVICE).await, None, "it is over");
}

async fn a_paused_update_is_withheld_and_its_words_are_refused_k3(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.action(DEVICE).await;
    // At once: before the tick has looked at it, and after.
    house
        .service
        .pause(&actor(), update, "a test pauses".into(), None)
        .await
        .expect("it pauses");
    for refused in [404, 410] {
        assert_eq!(house.offered(DEVICE).await, None);
        for (execution, finished) in [
            ("proceeding", "none"),
            ("download", "none"),
            ("closed", "success"),
            ("closed", "failure"),
        ] {
            let body =
                json!({ "id": action, "status": { "execution": execution, "result": { "finished": finished } } });
            house
                .feedback(DEVICE, &action, body.to_string().into_bytes())
                .await
                .error(refused);
        }
        house.tick().await;
    }
    assert!(matches!(
        house.install(&action).await.state,
        InstallState::Withdrawn { .. }
    ));
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Paused);
}

async fn a_force_skips_the_window_with_the_next_poll_k5(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    assert_eq!(house.offered("board-1").await, None);
    house.force(update, "Board").await;
    let poll = house.poll("board-1").await;
    assert!(link(&poll, "deploymentBase").is_some(), "{poll}");
    assert_eq!(sleep_of(&poll), 30);
    house.pause(update).await;
    assert_eq!(house.offered("board-1").await, None, "K3: an unstarted force neither");
}

async fn a_force_that_waits_for_the_room_asks_at_every_poll_and_starts_when_it_is_free_k5(engine: Engine) {
    let house = House::new(engine).await;
    let update = house.publish("2.0").await;
    house.force_as(update, "Board", Force::WhenAvailable).await;
    for state in ["busy", "busy"] {
        let poll = house.poll("board-1").await;
        assert!(
            link(&poll, "configData").is_some() && link(&poll, "deploymentBase").is_none(),
            "{poll}"
        );
        assert_eq!(sleep_of(&poll), 30);
        house
            .config("board-1", &json!({ "data": { "room.state": state } }))
            .await;
    }
    let soon = (house.now() + TimeDelta::minutes(15)).to_rfc3339();
    house
        .config(
            "board-1",
            &json!({ "data": { "room.state": "free", "room.busy_until": soon } }),
        )
        .await;
    assert_eq!(house.offered("board-1").await, None, "booked");
    house
        .config(
            "board-1",
            &json!({ "data": { "room.state": "free", "room.busy_until": null } }),
        )
        .await;
    assert!(house.offered("board-1").await.is_some());
    house.later(3).await;
    assert_eq!(
        house.offered("board-1").await,
        None,
        "a report older than two minutes says nothing"
    );
}
