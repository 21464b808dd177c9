//! A machine's clock that is corrected: back an hour at the worst moments, forward a month in the middle of a rollout (G3).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::check::{Finding, forward};
use domain::deployment::DeploymentState;
use domain::ids::{DeviceId, UpdateId};
use testkit::{Devices, Estate, both_engines, instant};

both_engines![
    a_clock_that_goes_back_an_hour_un_finishes_nothing_and_starts_nothing_twice_g3,
    a_clock_that_jumps_a_month_ahead_starts_nothing_outside_a_window_and_loses_no_room_g3,
    a_zone_that_the_zone_files_lack_is_named_at_the_start_w3_g5,
];

const ROOMS: [(&str, usize); 3] = [("Staging", 2), ("General", 6), ("Executive", 2)];

/// How often each device has started the update.
async fn starts(estate: &Estate, update: UpdateId) -> BTreeMap<DeviceId, usize> {
    let mut starts = BTreeMap::new();
    for install in estate.fleet().await.installs.values() {
        if install.update == update && install.started_at.is_some() {
            *starts.entry(install.device).or_insert(0) += 1;
        }
    }
    starts
}

async fn nights(estate: &Estate) -> BTreeMap<NaiveDate, usize> {
    let mut nights = BTreeMap::new();
    for deployment in estate.fleet().await.deployments.values() {
        assert!(
            matches!(deployment.state, DeploymentState::Completed { .. }),
            "{deployment:?}"
        );
        *nights.entry(deployment.night.date()).or_insert(0) += 1;
    }
    nights
}

async fn a_clock_that_goes_back_an_hour_un_finishes_nothing_and_starts_nothing_twice_g3(estate: Estate) {
    let calm = Estate::new(estate.database.engine).await;
    let mut devices = Devices::of(&calm.rooms(&ROOMS).await);
    calm.publish("bar", "2.0", None).await;
    calm.live_until("2025-04-10T12:00:00Z", &mut devices).await;

    let mut devices = Devices::of(&estate.rooms(&ROOMS).await);
    let update = estate.publish("bar", "2.0", None).await;
    let mut turned = 0;
    for day in 4..=36_i64 {
        let midnight = instant("2025-03-01T00:00:00Z") + TimeDelta::days(day - 1);
        // As a ring is entered and its window opens, in the middle of installs, at the end of a window, and by day.
        for minutes in [0, 5, 20, 300, 301, 720] {
            let at: DateTime<Utc> = midnight + TimeDelta::minutes(minutes);
            if at <= estate.clock.now() {
                continue;
            }
            estate.live_until(&at.to_rfc3339(), &mut devices).await;
            let before = estate.fleet().await;
            estate.clock.set_to(at - TimeDelta::hours(1));
            turned += 1;
            estate.service.tick().await.expect("a tick");
            devices.turn(&estate.service).await;
            estate.service.tick().await.expect("a tick");
            assert_eq!(
                forward(&before, &estate.fleet().await),
                Vec::<Finding>::new(),
                "at {at}"
            );
            estate.is_sound().await;
        }
    }
    assert!(turned > 150, "{turned} times back");
    estate.live_until("2025-04-10T12:00:00Z", &mut devices).await;
    estate.is_sound().await;
    let starts = starts(&estate, update).await;
    assert_eq!(starts.len(), 10);
    assert!(starts.values().all(|number| *number == 1), "{starts:?}");
    assert_eq!(nights(&estate).await, nights(&calm).await, "no night has moved");
}

async fn a_clock_that_jumps_a_month_ahead_starts_nothing_outside_a_window_and_loses_no_room_g3(estate: Estate) {
    let mut devices = Devices::of(&estate.rooms(&ROOMS).await);
    let update = estate.publish("bar", "2.0", None).await;
    // Some of General have it, some install, some wait; Executive is ahead.
    estate.live_until("2025-03-14T00:05:00Z", &mut devices).await;
    let before = estate.fleet().await;
    estate.at("2025-04-14T13:00:00Z");
    estate.service.tick().await.expect("a tick");
    devices.turn(&estate.service).await;
    estate.service.tick().await.expect("a tick");
    assert_eq!(forward(&before, &estate.fleet().await), Vec::<Finding>::new());
    estate.is_sound().await;
    estate.live_until("2025-05-30T12:00:00Z", &mut devices).await;
    estate.is_sound().await;
    assert_eq!(starts(&estate, update).await.len(), 10, "every room has had its turn");
    assert_eq!(nights(&estate).await.values().sum::<usize>(), 10);
}

async fn a_zone_that_the_zone_files_lack_is_named_at_the_start_w3_g5(estate: Estate) {
    estate.rooms(&[("Staging", 2)]).await;
    assert!(estate.service.check_zones().await.is_ok());
    // As after a start with zone files that lack it.
    estate
        .database
        .execute("UPDATE rooms SET zone = 'US/Atlantis', zone_is_own = true WHERE name = 'Staging 2'")
        .await;
    let refused = estate
        .service
        .check_zones()
        .await
        .expect_err("no such zone")
        .to_string();
    for word in ["US/Atlantis", "room Staging 2", "zone files"] {
        assert!(refused.contains(word), "{refused}");
    }
    estate.database.execute("UPDATE rooms SET state = 'retired'").await;
    assert!(
        estate.service.check_zones().await.is_ok(),
        "a retired room asks for no window"
    );
    estate.database.execute("UPDATE sites SET zone = 'US/Atlantis'").await;
    let refused = estate
        .service
        .check_zones()
        .await
        .expect_err("no such zone")
        .to_string();
    assert!(refused.contains("the zone of site "), "{refused}");
}
