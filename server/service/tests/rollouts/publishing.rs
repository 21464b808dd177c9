//! Publishing, and what a newer update does to an older one (S4, S8, S9, S12).

use domain::deployment::DeploymentState;
use domain::rollout::RolloutState;
use domain::settings::Mode;
use domain::status::UpdateStatus;
use domain::update::Severity;
use testkit::{Devices, Estate, actor, both_engines, date, problem};

use crate::status;

both_engines![
    publishing_is_refused_with_one_sentence_s4_s7_g5,
    a_newer_update_supersedes_what_has_not_finished_its_staging_test_s9,
    a_superseded_update_goes_on_ahead_of_the_newer_one_s9,
    a_room_takes_the_step_that_an_update_needs_first_s8,
    automatic_mode_concerns_updates_published_later_s12,
];

async fn publishing_is_refused_with_one_sentence_s4_s7_g5(estate: Estate) {
    let service = &estate.service;
    let bar = domain::ids::ProductId("bar".to_owned());
    let publish = async |version: &str, severity| service.publish(&actor(), &bar, version, severity).await;
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
        .pause(&actor(), older, "It hums.".into(), None)
        .await
        .unwrap();
    estate.live_until("2025-03-26T12:00:00Z", &mut devices).await;
    let fleet = estate.fleet().await;
    let given_way = fleet.deployments.values().filter(|deployment| {
        deployment.update == older && deployment.reason.sentence() == "Superseded by Bar firmware 3.0."
    });
    assert_eq!(given_way.count(), 8, "two of ten had their night before the pause");
    estate.service.resume(&actor(), older, "Mended.".into()).await.unwrap();
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
