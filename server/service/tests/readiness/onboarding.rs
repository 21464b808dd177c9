//! New rooms: what they still need before updates are planned for them (C4).

use domain::room::RoomState;
use testkit::{Estate, actor, both_engines, facts, problem};

use crate::{computer, state};

both_engines![
    a_new_room_is_managed_when_nothing_is_missing_c4,
    a_room_is_checked_after_the_first_report_whatever_it_tells_c4_c5,
    confirming_many_checks_only_those_that_are_confirmed_c4,
];

async fn a_new_room_is_managed_when_nothing_is_missing_c4(estate: Estate) {
    let room = computer(&estate, "nuc").await;
    let wants = async || {
        let mut snapshot = estate.service.read_snapshot().await.unwrap();
        snapshot.readiness_of(room).await.unwrap().wants
    };
    let (report, confirm) = (
        "One of its devices must report what is on it.",
        "An admin must confirm that Nightshift alone changes this room from now on.",
    );
    estate.service.tick().await.unwrap();
    assert_eq!(
        state(&estate, room).await,
        RoomState::Onboarding,
        "no import makes it Managed (C8)"
    );
    assert_eq!(wants().await, [report, confirm]);
    facts::tell(&estate.service, "nuc", &facts::FINE).await;
    facts::tell(&estate.service, "nuc", &[("os.edition", "Professional")]).await;
    estate.service.tick().await.unwrap();
    let edition = "OS edition fails: it must pass, or an admin must waive it.";
    assert_eq!(wants().await, [edition, confirm]);
    let confirmed = estate.service.confirm_onboarding(&actor(), &[room]).await.unwrap();
    assert_eq!((confirmed.confirmed, confirmed.left_out.len()), (1, 0));
    assert_eq!(wants().await, [edition]);
    assert_eq!(state(&estate, room).await, RoomState::Onboarding);
    assert_eq!(
        problem(estate.service.confirm_onboarding(&actor(), &[room]).await),
        "nuc is confirmed already"
    );
    // An update that is under way comes to it as soon as it is ready.
    let update = estate
        .publish("app", "11", Some(domain::update::Severity::Critical))
        .await;
    estate.at_and_tick("2025-03-05T10:00:00Z").await;
    assert_eq!(estate.deployment(room, update).await, None);
    facts::tell(&estate.service, "nuc", &[("os.edition", "IoTEnterprise")]).await;
    estate.at_and_tick("2025-03-05T10:01:00Z").await;
    assert_eq!(state(&estate, room).await, RoomState::Managed);
    estate.at_and_tick("2025-04-20T10:00:00Z").await;
    assert!(estate.deployment(room, update).await.is_some());
    assert_eq!(
        problem(estate.service.confirm_onboarding(&actor(), &[room]).await),
        "nuc is not onboarding"
    );
    estate.is_sound().await;
}

async fn a_room_is_checked_after_the_first_report_whatever_it_tells_c4_c5(estate: Estate) {
    let room = computer(&estate, "nuc").await;
    estate.service.confirm_onboarding(&actor(), &[room]).await.unwrap();
    estate.service.tick().await.unwrap();
    assert_eq!(
        state(&estate, room).await,
        RoomState::Onboarding,
        "no device has reported"
    );
    // Only what the file of rooms has said already.
    let components = [("component.1.product", "app"), ("component.1.version", "10")];
    facts::tell(&estate.service, "nuc", &components).await;
    estate.service.tick().await.unwrap();
    assert_eq!(state(&estate, room).await, RoomState::Managed);
}

async fn confirming_many_checks_only_those_that_are_confirmed_c4(estate: Estate) {
    let (retired, room) = (computer(&estate, "old").await, computer(&estate, "new").await);
    let why = "It is gone.";
    estate.service.retire_room(&actor(), retired, why.into()).await.unwrap();
    let outcome = estate
        .service
        .confirm_onboarding(&actor(), &[retired, room])
        .await
        .unwrap();
    assert_eq!((outcome.confirmed, outcome.left_out.len()), (1, 1));
    let fleet = estate.fleet().await;
    assert!(
        fleet
            .checks
            .get(&retired)
            .is_none_or(|checks| checks.results.is_empty())
    );
    estate.service.tick().await.unwrap();
    estate.is_sound().await;
}
