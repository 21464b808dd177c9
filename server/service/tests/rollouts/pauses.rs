//! Pausing and resuming (K2, K3).

use chrono::{NaiveDate, TimeDelta};
use domain::deployment::Force;
use domain::rollout::RolloutState;
use domain::status::UpdateStatus;
use service::RoomScope;
use testkit::{Devices, Estate, actor, both_engines, date, instant, problem};

use crate::{nights, status};

both_engines![
    a_pause_takes_effect_at_once_and_a_resume_moves_what_lies_ahead_k2_k3,
    what_is_shown_before_a_resume_is_what_it_does_k3,
    a_pause_with_a_date_ends_by_itself_on_it_k3,
];

async fn a_pause_takes_effect_at_once_and_a_resume_moves_what_lies_ahead_k2_k3(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 10), ("Executive", 5)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    let before = nights(&estate, update).await;
    assert!(problem(estate.service.pause(&actor(), update, "  ".into(), None).await).starts_with("reason: "));
    assert!(problem(estate.service.resume(&actor(), update, "why".into()).await).contains("not paused"));
    estate
        .service
        .pause(&actor(), update, "It hums.".into(), None)
        .await
        .unwrap();
    assert!(
        problem(estate.service.pause(&actor(), update, "It hums.".into(), None).await)
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
                    &actor(),
                    update,
                    &RoomScope::Rooms(vec![rooms["General 1"]]),
                    Force::Now,
                    "why".into()
                )
                .await
        )
        .contains("paused; resume it first")
    );
    assert!(problem(estate.service.retry_all_failed(&actor(), update).await).contains("paused"));
    assert_eq!(
        calendar().await[2],
        date("2025-03-30"),
        "what would move if it were resumed today stands moved already"
    );
    estate.is_sound().await;

    estate.service.resume(&actor(), update, "Mended.".into()).await.unwrap();
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

async fn what_is_shown_before_a_resume_is_what_it_does_k3(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 10), ("Executive", 5)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.live_until("2025-03-13T12:00:00Z", &mut devices).await;
    assert!(problem(estate.service.resume_plan(&actor(), update).await).contains("not paused"));
    let ahead = async || {
        let mut snapshot = estate.service.read_snapshot().await.unwrap();
        let calendar = snapshot.update(update).await.unwrap().calendar;
        let today = snapshot.organisation.zone.date(snapshot.now);
        let ahead = calendar.into_iter().filter(|stage| stage.test_ends > today);
        ahead.collect::<Vec<_>>()
    };
    let pause = async |until: Option<NaiveDate>| {
        let paused = estate.service.pause(&actor(), update, "It hums.".into(), until).await;
        paused.unwrap();
    };
    pause(Some(date("2025-03-17"))).await;
    assert!(problem(estate.service.pause_plan(&actor(), update, 20).await).contains("paused already, by Admin"));
    let plan = estate.service.resume_plan(&actor(), update).await.unwrap();
    assert_eq!((plan.now.days_later, plan.since), (0, instant("2025-03-13T12:00:00Z")));
    let by_itself = plan.by_itself.unwrap();
    assert_eq!(by_itself.days_later, 4);
    estate.live_until("2025-03-17T06:00:00Z", &mut devices).await;
    assert_eq!(estate.fleet().await.rollouts[&update].state, RolloutState::Running);
    assert_eq!(ahead().await, by_itself.ahead);

    pause(None).await;
    estate.live_until("2025-03-20T06:00:00Z", &mut devices).await;
    let plan = estate.service.resume_plan(&actor(), update).await.unwrap();
    assert_eq!((plan.now.days_later, plan.by_itself), (3, None));
    assert!(matches!(
        estate.fleet().await.rollouts[&update].state,
        RolloutState::Paused { .. }
    ));
    estate.service.resume(&actor(), update, "Mended.".into()).await.unwrap();
    assert_eq!(ahead().await, plan.now.ahead);
    assert_eq!(plan.now.ahead[1].starts_on, date("2025-04-02"));
    estate.service.tick().await.unwrap();
    estate.is_sound().await;
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
            .pause(&actor(), update, "It hums.".into(), Some(date(day)))
            .await;
        assert_eq!(problem(refused), why);
    }
    assert_eq!(status(&estate, update).await, UpdateStatus::InProgress);
    service.pause(&actor(), update, "It hums.".into(), None).await.unwrap();
    let other_end = async |end: Option<&str>| {
        let end = end.map(date);
        service
            .set_resume_date(&actor(), update, "The vendor is slow.".into(), end)
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
